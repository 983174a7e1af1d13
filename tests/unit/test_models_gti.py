"""Every reference model of the real GTI study against lme4, lmerTest and pbkrtest (values made by the study's make_reference.R).

Run with `-s` to see the counts.
"""

import re
import time

import numpy as np
import pandas as pd
import pytest

from bscstudy.models.fit import fit_model
from bscstudy.models.inputs import ModelComparability

#: absolute, suggested by the reference's README; the reference is lme4's optimum, which stops about 1e-6 away from ours
TOLERANCE = {"log_likelihood": 1e-6, "estimate": 2e-6, "std_error": 2e-6, "variance": 2e-6}
#: relative; degrees of freedom carry the same stop, and those of lmerTest its numerical second derivatives (2e-5 seen)
DF_TOLERANCE = {"satterthwaite": 1e-4, "kenward_roger": 1e-5}
COLUMNS = {"satterthwaite": "df_satt", "kenward_roger": "df_kr"}
#: plain and boundary, 2 and 3 levels, crossed
QUICK = ("a_ADAPT", "a_CLARITY", "d_CM_England7", "d_SE_Germany6", "d_SELFEFF_Germany6", "e_CM", "c_SE2EW_Germany")
GROUP_NAMES = {"school": "center_id", "teacher": "person_id", "country": "collaborative"}
CROSSED_NAMES = {"lesson": "observation_id", "rater": "rater_id", "rater_alone": "rater_alone"}


@pytest.fixture(scope="module")
def gti(gti_folder, gti_ratings):
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
    segment = gti_ratings[["observation_id", "person_id", "rater_id", "segment", "SE2EW"]].copy()
    segment["collaborative"] = segment["person_id"].map(teacher.set_index("T_ID")["COUNTRY"])
    segment["rater_alone"] = segment["rater_id"].str.split("-").str[1]
    return {"person": person, "visit": lesson, "segment": segment, "several": set(several), "reference": reference}


def _declared(identifier: str, row: dict) -> dict:
    scale = row["set"].split(",")[0].split(" ", 1)[1] + ("_official" if row["input"] == "official" else "")
    formula = (
        row["formula"]
        .replace("(1 | school/teacher)", "(1 | center/person)")
        .replace("country/school/teacher", "collaborative/center/person")
        .replace("(1 | teacher/lesson)", "(1 | person/observation)")
    )
    return {
        "id": identifier,
        "label": identifier,
        "question": "change",
        "unit": "person" if row["set"].startswith("survey") else "visit",
        "outcome": scale.split(",")[0],
        "ladder": [],
        "formula": formula.replace("country", "collaborative"),
        "reference": {} if "wave" not in formula else {"wave": "pre"},
    }


def _fit(gti: dict, identifier: str):
    row = gti["reference"]["model"].set_index("id").loc[identifier].to_dict()
    spec = _declared(identifier, row)
    frame = gti["segment" if identifier.startswith("c_") else spec["unit"]]
    if identifier == "c_SE2EW_Germany":
        frame = frame[frame["collaborative"] == "Germany"]
    if identifier.endswith("Germany6"):
        frame = frame[(frame["collaborative"] == "Germany") & frame["center_id"].isin(gti["several"])]
    if identifier.endswith("England7"):
        frame = frame[(frame["collaborative"] == "England") & frame["center_id"].isin(gti["several"]) & frame["urban"].notna()]
    tables = {spec["unit"]: frame.reset_index(drop=True)}
    return row, {method: fit_model({**spec, "df": method}, tables, {}, ModelComparability()) for method in COLUMNS}


def _differences(gti: dict, identifier: str) -> dict[str, float]:
    row, by_method = _fit(gti, identifier)
    result = by_method["satterthwaite"]
    assert result.verdict.estimated, (identifier, result.verdict)
    assert result.n == row["n"]
    fixed = gti["reference"]["fixed"].query("id == @identifier").set_index("term")
    ours = {method: {_term(e.term): e for e in found.fixed_effects} for method, found in by_method.items()}
    assert set(ours["satterthwaite"]) == set(fixed.index)
    random = gti["reference"]["random"].query("id == @identifier and method == 'REML'")
    names = {**CROSSED_NAMES, **GROUP_NAMES}
    theirs = {names.get(re.split(r":", g)[0], g): v for g, v in zip(random["group"], random["variance"], strict=True)}
    variances = {**{c["group"]: c["variance"] for c in result.variance_components}, "Residual": result.sigma2}
    assert set(variances) == set(theirs)
    assert (result.verdict.state == "boundary") == bool(row["singular"])
    differences = {
        "log_likelihood": abs(result.log_likelihood - float(row["logLik_REML"])),
        "estimate": max(abs(e.estimate - fixed.loc[t, "estimate"]) for t, e in ours["satterthwaite"].items()),
        "std_error": max(abs(e.std_error - fixed.loc[t, "se"]) for t, e in ours["satterthwaite"].items()),
        "variance": max(abs(variances[g] - theirs[g]) for g in theirs),
    }
    for method, column in COLUMNS.items():
        known = {t: float(v) for t, v in fixed[column].items() if str(v) not in ("", "nan")}
        differences[method] = max((abs(ours[method][t].df / v - 1) for t, v in known.items()), default=0.0)
    return differences


def _term(name: str) -> str:
    return re.sub(r"collaborative\[", "country[", name).replace("[", "").replace("]", "")


LIMITS = {**TOLERANCE, **DF_TOLERANCE}


@pytest.mark.parametrize("identifier", QUICK)
def test_reference_model_is_reproduced(gti, identifier):
    found = _differences(gti, identifier)
    assert all(found[name] <= LIMITS[name] for name in LIMITS), found


@pytest.mark.slow
def test_all_reference_models_match(gti):
    matched, missed, worst, seconds = [], [], dict.fromkeys(LIMITS, 0.0), []
    for identifier in gti["reference"]["model"]["id"]:
        start = time.perf_counter()
        found = _differences(gti, identifier)
        seconds.append(time.perf_counter() - start)
        worst = {name: max(worst[name], found[name]) for name in LIMITS}
        (matched if all(found[n] <= LIMITS[n] for n in LIMITS) else missed).append((identifier, found))
    print(f"\nGTI reference models: {len(matched)} matched, {len(missed)} missed: {missed}")
    print(f"largest differences: {worst}; median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s a model, both methods")
    assert not missed
    assert len(matched) == 48
