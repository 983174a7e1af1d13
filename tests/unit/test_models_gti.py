"""Every reference model of the real GTI study that this engine can fit, against lme4 (values made by the study's make_reference.R).

Crossed models (c_) are refused and counted as not matched. Run with `-s` to see the counts.
"""

import re
import time

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.models.fit import fit_model

TOLERANCE = {"log_likelihood": 1e-6, "estimate": 2e-6, "std_error": 2e-6, "variance": 2e-6}  # absolute; suggested by the reference's README
QUICK = ("a_ADAPT", "a_CLARITY", "d_CM_England7", "d_SE_Germany6", "d_SELFEFF_Germany6", "e_CM")  # plain and boundary, 2 and 3 levels
GROUP_NAMES = {"school": "center_id", "teacher": "person_id", "country": "collaborative"}


@pytest.fixture(scope="module")
def gti(gti_folder):
    oracle, raw = gti_folder / "oracle", gti_folder / "raw"
    teacher = pd.read_csv(raw / "GTI-Teacher-Data.csv", dtype=str)
    school = pd.read_csv(raw / "GTI-School-Data.csv", dtype=str)
    names = {"T_ID": "person_id", "SCH_ID": "center_id", "COUNTRY": "collaborative", "LESSON": "lesson"}
    scores = (
        pd.read_csv(oracle / "survey_scores_by_rule.csv.gz").pivot(index=["T_ID", "wave"], columns="scale", values="value").reset_index()
    )
    official = pd.read_csv(oracle / "survey_scores.csv.gz")
    for scale in ("SELFEFF", "EXPL_PROC"):
        own = official[official["scale"] == scale].rename(columns={"value": f"{scale}_official"}).drop(columns="scale")
        scores = scores.merge(own, on=["T_ID", "wave"], how="left", validate="one_to_one")
    person = scores.merge(teacher[["T_ID", "SCH_ID", "COUNTRY"]], on="T_ID").rename(columns=names)
    lesson = pd.read_csv(oracle / "video_lesson_scores.csv.gz").rename(columns=names)
    lesson["urban"] = pd.to_numeric(lesson["center_id"].map(school.set_index("SCH_ID")["URBAN"]))
    several = teacher["SCH_ID"].value_counts().loc[lambda n: n > 1].index
    reference = {name: pd.read_csv(oracle / f"reference_{name}.csv") for name in ("model", "fixed", "random")}
    return {"person": person, "visit": lesson, "several": set(several), "reference": reference}


def _declared(identifier: str, row: dict) -> dict:
    scale = row["set"].split(",")[0].split(" ", 1)[1] + ("_official" if row["input"] == "official" else "")
    formula = (
        row["formula"]
        .replace("(1 | school/teacher)", "(1 | center/person)")
        .replace("country/school/teacher", "collaborative/center/person")
    )
    return {
        "id": identifier,
        "label": identifier,
        "question": "change",
        "unit": "person" if row["set"].startswith("survey") else "visit",
        "outcome": scale,
        "formula": formula.replace("country", "collaborative").replace("teacher/lesson", "person/observation"),
        "reference": {} if "wave" not in formula else {"wave": "pre"},
    }


def _fit(gti: dict, identifier: str):
    row = gti["reference"]["model"].set_index("id").loc[identifier].to_dict()
    spec = _declared(identifier, row)
    frame = gti[spec["unit"]]
    if identifier.endswith("Germany6"):
        frame = frame[(frame["collaborative"] == "Germany") & frame["center_id"].isin(gti["several"])]
    if identifier.endswith("England7"):
        frame = frame[(frame["collaborative"] == "England") & frame["center_id"].isin(gti["several"]) & frame["urban"].notna()]
    return row, fit_model(spec, {spec["unit"]: frame.reset_index(drop=True)}, {})


def _differences(gti: dict, identifier: str) -> dict[str, float]:
    row, result = _fit(gti, identifier)
    assert result.verdict.estimated, (identifier, result.verdict)
    assert result.n == row["n"]
    fixed = gti["reference"]["fixed"].query("id == @identifier").set_index("term")
    ours = {re.sub(r"collaborative\[", "country[", e.term).replace("[", "").replace("]", ""): e for e in result.fixed_effects}
    assert set(ours) == set(fixed.index)
    random = gti["reference"]["random"].query("id == @identifier and method == 'REML'")
    theirs = {GROUP_NAMES.get(re.split(r":", g)[0], g): v for g, v in zip(random["group"], random["variance"], strict=True)}
    variances = {**{c["group"]: c["variance"] for c in result.variance_components}, "Residual": result.sigma2}
    assert set(variances) == set(theirs)
    assert (result.verdict.state == "boundary") == bool(row["singular"])
    return {
        "log_likelihood": abs(result.log_likelihood - float(row["logLik_REML"])),
        "estimate": max(abs(e.estimate - fixed.loc[t, "estimate"]) for t, e in ours.items()),
        "std_error": max(abs(e.std_error - fixed.loc[t, "se"]) for t, e in ours.items()),
        "variance": max(abs(variances[g] - theirs[g]) for g in theirs),
    }


@pytest.mark.parametrize("identifier", QUICK)
def test_reference_model_is_reproduced(gti, identifier):
    found = _differences(gti, identifier)
    assert all(found[name] <= TOLERANCE[name] for name in TOLERANCE), found


@pytest.mark.slow
def test_all_fittable_reference_models_match(gti):
    matched, missed, refused, worst, seconds = [], [], [], dict.fromkeys(TOLERANCE, 0.0), []
    for identifier in gti["reference"]["model"]["id"]:
        if identifier.startswith("c_"):
            refused.append(identifier)
            continue
        start = time.perf_counter()
        found = _differences(gti, identifier)
        seconds.append(time.perf_counter() - start)
        worst = {name: max(worst[name], found[name]) for name in TOLERANCE}
        (matched if all(found[n] <= TOLERANCE[n] for n in TOLERANCE) else missed).append((identifier, found))
    print(f"\nGTI reference models: {len(matched)} matched, {len(missed)} missed, {len(refused)} refused as crossed: {', '.join(refused)}")
    print(f"largest absolute differences: {worst}; median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s a model")
    assert not missed
    assert len(matched) == 44


def test_crossed_ratings_are_refused(gti):
    lesson = gti["visit"].assign(rater_id=np.arange(len(gti["visit"])) % 7)
    spec = {"id": "c", "label": "c", "question": "description", "unit": "visit", "outcome": "SE"}
    with pytest.raises(BscError, match="crossed") as caught:
        fit_model({**spec, "formula": "score ~ 1 + (1 | person) + (1 | rater)"}, {"visit": lesson}, {})
    assert caught.value.code == "BSC-MOD-015"
