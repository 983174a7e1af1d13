"""From a model's declaration to its result: rows, refusals, labels, contrasts, verdicts, tables."""

import json

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.models.collect import estimate_rows
from bscstudy.models.contrasts import holm
from bscstudy.models.design import dependent_columns
from bscstudy.models.fit import fit_model
from bscstudy.steps import collect_models
from bscstudy.steps import fit_model as fit_step
from bscstudy.tables import read_table, write_table
from bscstudy.workflow import Job

CONFIG = {
    "waves": [{"id": w, "label": n, "order": i} for i, (w, n) in enumerate([("T1", "Baseline"), ("T2", "Midpoint"), ("T4", "Follow-up")])],
    "roles": [{"id": "teacher", "label": "Lead teacher"}, {"id": "assistant", "label": "Assistant"}],
    "collaboratives": [{"id": "alder", "label": "Alder"}, {"id": "birch", "label": "Birch"}],
    "scales": [{"scale": "buy_in", "label": "Buy-in", "instrument": "staff", "items": "q1 -q2", "rule": "mean", "waves": ""}],
}
FORMULA = "score ~ wave * core + role + (1 | center/person)"


def staff(seed: int = 3) -> pd.DataFrame:
    """Eight centers of 9 people, three waves, some rows missing; the change to T4 is 0.5, 0.3 more in the core team."""
    rng = np.random.default_rng(seed)
    rows = []
    for center in range(8):
        shift = rng.normal(0, 0.3)
        for person in range(9):
            own, core = rng.normal(0, 0.4), "core" if person < 4 else "other"
            for wave, gain in (("T1", 0.0), ("T2", 0.2), ("T4", 0.5 + 0.3 * (core == "core"))):
                if rng.random() < 0.85:
                    role = "teacher" if person % 2 else "assistant"
                    score = 3 + shift + own + gain + rng.normal(0, 0.3)
                    rows.append((f"P{center}{person}", wave, f"C{center}", "alder" if center < 4 else "birch", role, core, score))
    return pd.DataFrame(rows, columns=["person_id", "wave", "center_id", "collaborative", "role", "core", "buy_in"])


def spec(**more) -> dict:
    base = {"id": "m", "label": "Change in buy-in", "question": "change", "unit": "person", "outcome": "buy_in", "formula": FORMULA}
    return {**base, "reference": {"core": "other", "role": "teacher"}, **more}


def fit(frame=None, config=CONFIG, **more):
    return fit_model(spec(**more), {"person": staff() if frame is None else frame}, config)


def items(**t4) -> list[dict]:
    """The two items of the scale; q2 in another version at T4 if changes are given."""
    asked = {"type": "ordinal", "response_scale": "five", "minimum": 1.0, "maximum": 5.0, "version": 1, "wording": "w", "waves": ""}
    later = [{**asked, "instrument": "staff", "item": "q2", "waves": "T4", "version": 2, **t4}] if t4 else []
    return [{**asked, "instrument": "staff", "item": "q1"}, {**asked, "instrument": "staff", "item": "q2"}, *later]


CONFIG["items"] = items()


def test_true_change_lies_inside_the_interval_and_labels_are_words():
    result = fit(contrasts=[{"id": "core", "label": "core", "compare": {"wave": ["T1", "T4"]}, "at": {"core": "core"}}])
    assert result.verdict.state == "ok"
    assert result.contrasts[0].low < 0.8 < result.contrasts[0].high
    assert result.contrasts[0].level == "row"
    labels = {e.term: e.label for e in result.fixed_effects}
    assert labels["wave[T4]"] == "Change from Baseline to Follow-up (Other staff)"
    assert labels["role[assistant]"] == "Assistant compared with Lead teacher"
    baseline = staff().query("wave == 'T1'")["buy_in"].std()
    assert result.contrasts[0].standardized == pytest.approx(result.contrasts[0].estimate / baseline)
    assert result.smallest_p == 2 / 2**8
    assert any(note.startswith("change is taken to be alike in every center") for note in result.notes)


def test_contrasts_weigh_levels_equally():
    compare = {"wave": ["T1", "T4"]}
    result = fit(
        contrasts=[
            {"id": "all", "label": "all", "compare": compare},
            {"id": "core", "label": "core", "compare": compare, "at": {"core": "core"}},
            {"id": "other", "label": "other", "compare": compare, "at": {"core": "other"}},
            {"id": "more", "label": "more", "compare": {**compare, "core": ["other", "core"]}},
        ]
    )
    found = {c.term: c.estimate for c in result.contrasts}
    fixed = {e.term: e.estimate for e in result.fixed_effects}
    assert found["other"] == pytest.approx(fixed["wave[T4]"])
    assert found["core"] == pytest.approx(fixed["wave[T4]"] + fixed["wave[T4]:core[core]"])
    assert found["all"] == pytest.approx((found["core"] + found["other"]) / 2)  # although fewer people are in the core team
    assert found["more"] == pytest.approx(found["core"] - found["other"])


def test_holm_is_stepwise_and_monotone():
    # sorted: .01 x 3 = .03; .02 x 2 = .04; .03 x 1 = .03, raised to .04
    assert holm([0.03, 0.01, float("nan"), 0.02])[:2] == pytest.approx([0.04, 0.03])
    assert holm([0.03, 0.01, float("nan"), 0.02])[3] == pytest.approx(0.04)
    assert np.isnan(holm([0.03, float("nan")])[1])


def test_rows_left_out_are_counted_once_by_reason():
    frame = staff()
    frame.loc[:2, "buy_in"] = np.nan
    frame.loc[2:4, "role"] = None
    result = fit(frame, sample={"waves": ["T1", "T4"]})
    inside = frame[frame["wave"].isin(["T1", "T4"])]
    assert result.n_outside_sample == len(frame) - len(inside)
    no_score, no_role = inside["buy_in"].isna(), inside["role"].isna()
    assert result.n_excluded == {"no score": int(no_score.sum()), "no role": int((no_role & ~no_score).sum())}
    assert result.n == len(inside) - int((no_score | no_role).sum())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"formula": "score ~ wave + double + (1 | center)"}, "column double is a combination of wave\\[T4\\]|wave\\[T4\\]"),
        ({"sample": {"waves": ["T1"]}}, "wave has only one level"),
        ({"sample": {"where": "center_id == 'C1'"}}, "only one center_id"),
        (
            {"sample": {"where": "center_id == 'nowhere'"}},
            "no row has a score and all variables of the formula \\(no row is in the model's sample\\)",
        ),
        (
            {"predictors": {"unknown": {"column": "never"}}, "formula": "score ~ wave + unknown + (1 | center)"},
            "\\(rows have no unknown\\)",
        ),
        ({"formula": "score ~ wave + (1 | center/person/row_of_person)"}, "exactly one row"),
        ({"contrasts": [{"id": "c", "label": "c", "compare": {"wave": ["T1", "T9"]}}]}, "level T9 of wave does not occur"),
        ({"formula": "score ~ wave + a1 + a2 + a3 + a4 + a5 + a6 + a7 + (1 | center)"}, "no degrees of freedom are left for a1"),
    ],
)
def test_what_the_data_cannot_answer_is_not_estimated(more, message):
    frame = staff()
    frame = frame.assign(never=np.nan, double=2.0 * (frame["wave"] == "T4"), row_of_person=frame["person_id"] + frame["wave"])
    number = frame["center_id"].str[1].astype(int)
    frame = frame.assign(**{f"a{k}": (number == k).astype(float) for k in range(1, 8)})
    result = fit(frame, **more)
    assert result.verdict.state in ("failed", "unreliable")
    assert any(pd.Series([r]).str.contains(message)[0] for r in result.verdict.reasons), result.verdict.reasons
    assert not result.fixed_effects and result.log_likelihood is None


def test_dependent_columns_are_named():
    x = np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0], np.zeros(6)])
    assert "column d is zero" in dependent_columns(x, ("a", "b", "c", "d"))[0]
    assert dependent_columns(x[:, :3], ("a", "b", "c")) == ["column c is a combination of a, b in these rows"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"outcome": "buyin"}, "BSC-MOD-012"),
        ({"formula": "score ~ wav + (1 | center)"}, "BSC-MOD-012"),
        ({"reference": {"wave": "T7"}}, "BSC-MOD-016"),
        ({"predictors": {"x": {"column": "nothing"}}, "formula": "score ~ x"}, "BSC-MOD-013"),
        ({"sample": {"where": "buy_in >"}}, "BSC-MOD-014"),
        ({"formula": "score ~ wave + (1 | role) + (1 | center)"}, "BSC-MOD-015"),
    ],
)
def test_what_the_model_file_has_wrong_ends_with_an_error(more, code):
    with pytest.raises(BscError) as caught:
        fit(**more)
    assert caught.value.code == code


def test_a_changed_response_scale_is_refused_and_new_wording_is_flagged():
    rescaled = fit(config={**CONFIG, "items": items(response_scale="four", maximum=4.0)})
    assert rescaled.verdict.state == "failed" and not rescaled.fixed_effects
    assert rescaled.verdict.reasons[0].startswith("scores of buy_in cannot be compared between waves: q2 between T1 and T4")
    reworded = fit(config={**CONFIG, "items": items(wording="new")})
    assert reworded.verdict.state == "ok" and reworded.fixed_effects
    assert "wording" in reworded.verdict.reasons[0] and "wording" in reworded.notes[0]
    left_out = fit(config={**CONFIG, "items": items(response_scale="four")}, sample={"waves": ["T1", "T2"]})
    assert left_out.verdict.state == "ok" and not left_out.verdict.reasons


def test_a_rescaling_tied_to_a_source_is_seen_and_other_items_declared_for_a_wave_are_flagged():
    sources = {"first": {"wave": "T1"}, "second": {"wave": "T2"}, "late": {"wave": "T4"}}
    by_source = items(response_scale="four", maximum=4.0, waves="", sources="late")
    assert fit(config={**CONFIG, "items": by_source, "sources": sources}).verdict.state == "failed"
    scale = CONFIG["scales"][0]
    late = [{**item, "instrument": "late", "item": f"z{item['item']}"} for item in items()]
    rows = [{**scale, "waves": "T1 T2"}, {**scale, "instrument": "late", "items": "zq1 -zq2", "waves": "T4"}]
    declared = fit(config={**CONFIG, "items": items() + late, "scales": rows})
    assert declared.verdict.state == "ok" and "declared by the study as the same measure" in declared.verdict.reasons[0]


def test_center_predictors_are_scaled_over_centers_and_joined_by_center():
    centers = pd.DataFrame({"center_id": [f"C{k}" for k in range(8)], "dose": np.arange(8.0) ** 2})
    predictors = {"dose": {"column": "dose", "from": "center", "center": "grand", "scale": "sd"}}
    declared = spec(formula="score ~ dose + wave + (1 | center/person)", predictors=predictors, family="f", reference={})
    result = fit_model(declared, {"person": staff(), "center": centers}, CONFIG)
    assert result.predictors["dose"]["mean"] == centers["dose"].mean() and result.predictors["dose"]["over"] == "centers"
    dose = next(e for e in result.fixed_effects if e.term == "dose")
    assert (dose.df, dose.level, dose.in_family) == (6.0, "center_id", True)  # 8 - 1 - 1
    crossing = fit_model(
        {**declared, "formula": "score ~ dose * wave + (1 | center/person)"}, {"person": staff(), "center": centers}, CONFIG
    )
    labels = [e.label for e in crossing.fixed_effects if e.term in ("dose:wave[T2]", "dose:wave[T4]")]
    assert any(f"{labels[0]} and {labels[1]}: " in note and "no random slope" in note for note in crossing.notes)
    with pytest.raises(BscError, match="more than one row"):
        fit_model(declared, {"person": staff(), "center": pd.concat([centers, centers])}, CONFIG)


def test_within_center_predictors_have_mean_zero_in_every_center():
    frame = staff()
    frame["other_scale"] = frame["buy_in"] * 0.3 + np.arange(len(frame)) % 7
    predictors = {"z": {"column": "other_scale", "from": "person", "center": "within", "scale": "sd"}}
    result = fit(frame, formula="score ~ z + (1 | center/person)", predictors=predictors)
    within = frame["other_scale"] - frame.groupby("center_id")["other_scale"].transform("mean")
    assert result.predictors["z"]["sd"] == pytest.approx(within.std())


def test_rows_of_centers_without_groups_are_fitted_by_least_squares():
    centers = staff().groupby("center_id")["buy_in"].mean().reset_index().assign(x=np.arange(8.0))
    result = fit_model(spec(unit="center", formula="score ~ x", reference={}), {"center": centers}, CONFIG)
    slope, intercept = np.polyfit(centers["x"], centers["buy_in"], 1)
    assert [e.estimate for e in result.fixed_effects] == pytest.approx([intercept, slope])
    assert result.fixed_effects[1].df == 6 and result.estimator.startswith("OLS")


def test_steps_write_the_result_and_the_tables(tmp_path):
    write_table(staff(), tmp_path / "person.csv", key=["person_id", "wave"])
    contrast = [{"id": "change", "label": "T1 to T4", "compare": {"wave": ["T1", "T4"]}}]
    models = {
        "a": spec(id="a", family="f", contrasts=contrast),
        "b": spec(id="b", family="f", contrasts=contrast, sample={"waves": ["T1", "T4"]}),
    }
    models["c"] = spec(id="c", sample={"waves": ["T1"]})
    for name, model in models.items():
        config = {**CONFIG, "study": {"synthetic": True, "seed": 1}, "model": model}
        fit_step.run(Job({"person": tmp_path / "person.csv"}, {"fit": tmp_path / f"{name}.json"}, config, {"model": name}, 7))
    outputs = {"estimates": tmp_path / "estimates.csv", "fits": tmp_path / "fits.csv"}
    fits = [tmp_path / f"{name}.json" for name in models]
    collect_models.run(Job({"fits": fits}, outputs, {"study": {"synthetic": True}}, {}, 7))
    estimates, table = read_table(outputs["estimates"]), read_table(outputs["fits"]).set_index("model")
    assert table["state"].to_dict() == {"a": "ok", "b": "ok", "c": "failed"}
    assert "only one level" in table.loc["c", "reasons"] and set(estimates["model"]) == {"a", "b"}
    contrasts = estimates[estimates["kind"] == "contrast"]
    assert contrasts["p_adjusted"].tolist() == pytest.approx(holm(contrasts["p_value"].tolist()))
    assert estimates.loc[estimates["kind"] == "fixed", "p_adjusted"].isna().all()
    first = (tmp_path / "a.json").read_bytes()
    fit_step.run(
        Job(
            {"person": tmp_path / "person.csv"},
            {"fit": tmp_path / "a.json"},
            {**CONFIG, "study": {"synthetic": True}, "model": models["a"]},
            {},
            7,
        )
    )
    assert (tmp_path / "a.json").read_bytes() == first
    assert json.loads(first)["groups"]["center_id"] == 8


def test_a_study_without_estimable_models_still_has_tables():
    assert list(estimate_rows([]).columns)[:3] == ["model", "kind", "term"]
