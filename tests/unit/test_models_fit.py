"""From a model's declaration to its result: rows, refusals, labels, contrasts, verdicts, tables."""

import json

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.models.collect import TABLES, gathered
from bscstudy.models.fit import fit_model
from bscstudy.models.inputs import model_comparability, model_table
from bscstudy.multilevel.multiplicity import adjust
from bscstudy.steps import collect_models, settle_model_rows
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


def fit_declared(declared, tables, config=CONFIG):
    """Fit as the pipeline does: on the rows and columns that the model's file names, with the verdict on them."""
    own = {unit: model_table(declared, unit, table) for unit, table in tables.items()}
    return fit_model(declared, own, config, model_comparability(declared, own, config))


def fit(frame=None, config=CONFIG, **more):
    return fit_declared(spec(**more), {"person": staff() if frame is None else frame}, config)


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


def test_rows_left_out_are_counted_once_by_reason():
    frame = staff()
    frame.loc[:2, "buy_in"] = np.nan
    frame.loc[2:4, "role"] = None
    result = fit(frame, sample={"waves": ["T1", "T4"], "where": "center_id != 'C7'"})
    of_waves = frame[frame["wave"].isin(["T1", "T4"])]
    inside = of_waves[of_waves["center_id"] != "C7"]
    assert result.n_outside_sample == len(of_waves) - len(inside)
    no_score, no_role = inside["buy_in"].isna(), inside["role"].isna()
    assert result.n_excluded == {"no score": int(no_score.sum()), "no role": int((no_role & ~no_score).sum())}
    assert result.n == len(inside) - int((no_score | no_role).sum())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"formula": "score ~ wave + double + (1 | center)"}, "column double is a combination of wave\\[T4\\]|wave\\[T4\\]"),
        ({"sample": {"waves": ["T1"]}}, "wave has only one level"),
        ({"sample": {"where": "center_id == 'C1'"}}, "only one center;"),
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
        ({"formula": "score ~ wave + a1 + a2 + a3 + a4 + a5 + a6 + a7 + (1 | center)"}, "8 levels carry 5, the model has 7: a1, a2"),
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


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"outcome": "buyin"}, "BSC-MOD-012"),
        ({"formula": "score ~ wav + (1 | center)"}, "BSC-MOD-012"),
        ({"reference": {"wave": "T7"}}, "BSC-MOD-016"),
        ({"predictors": {"x": {"column": "nothing"}}, "formula": "score ~ x"}, "BSC-MOD-013"),
        ({"sample": {"where": "buy_in >"}}, "BSC-MOD-014"),
        ({"family": "binomial", "trials": "n_items"}, "BSC-MOD-012"),
        ({"family": "binomial", "trials": "core_size"}, "BSC-MOD-017"),
        ({"formula": "score ~ wave + (1 | person) + (1 | center:wave)", "df": "between_within"}, "BSC-MOD-018"),
    ],
)
def test_what_the_model_file_has_wrong_ends_with_an_error(more, code):
    with pytest.raises(BscError) as caught:
        fit(staff().assign(core_size=4), **more)
    assert caught.value.code == code


def same(**more) -> dict:
    """A row of the map between versions that takes something for the same."""
    row = dict.fromkeys(("item", "new_item", "scale", "waves", "recode"), "") | dict.fromkeys(("version", "new_version", "a", "b"))
    return {
        **row,
        "instrument": "staff",
        "rule": "identity",
        "reason": "read by two",
        "decided_by": "team",
        "decided_on": "2025-01-02",
        **more,
    }


def test_a_changed_item_is_refused_without_a_map_and_flagged_with_one():
    rescaled = fit(config={**CONFIG, "items": items(response_scale="four", maximum=4.0)})
    assert rescaled.verdict.state == "failed" and not rescaled.fixed_effects
    assert rescaled.verdict.reasons[0].startswith("scores of buy_in cannot be compared between waves: q2 between T1 and T4")
    reworded = {**CONFIG, "items": items(wording="new")}
    assert fit(config=reworded).verdict.state == "failed"
    mapped = fit(config={**reworded, "harmonisation": [same(item="q2", version=1, new_version=2)]})
    assert mapped.verdict.state == "ok" and mapped.fixed_effects
    assert "read by two" in mapped.verdict.reasons[0] and mapped.notes[0] == mapped.harmonised[0] == mapped.verdict.reasons[0]
    assert "read by two" in gathered("fits", [mapped.as_dict()])["harmonised"][0]
    left_out = fit(config={**CONFIG, "items": items(response_scale="four")}, sample={"waves": ["T1", "T2"]})
    assert left_out.verdict.state == "ok" and not left_out.verdict.reasons


def test_a_rescaling_tied_to_a_source_is_seen_and_another_instrument_needs_a_map():
    sources = {"first": {"wave": "T1"}, "second": {"wave": "T2"}, "late": {"wave": "T4"}}
    by_source = items(response_scale="four", maximum=4.0, waves="", sources="late")
    assert fit(config={**CONFIG, "items": by_source, "sources": sources}).verdict.state == "failed"
    scale = CONFIG["scales"][0]
    late = [{**item, "instrument": "late", "item": f"z{item['item']}"} for item in items()]
    rows = [{**scale, "waves": "T1 T2"}, {**scale, "instrument": "late", "items": "zq1 -zq2", "waves": "T4"}]
    changed = {**CONFIG, "items": items() + late, "scales": rows}
    assert fit(config=changed).verdict.state == "failed"
    mapped = fit(config={**changed, "harmonisation": [same(scale="buy_in", waves="T1 T2")]})
    assert mapped.verdict.state == "ok" and "scores of T1 T2 are taken as those of the other waves" in mapped.verdict.reasons[0]


def test_center_predictors_are_scaled_over_centers_and_joined_by_center():
    centers = pd.DataFrame({"center_id": [f"C{k}" for k in range(8)], "dose": np.arange(8.0) ** 2})
    predictors = {"dose": {"column": "dose", "from": "center", "center": "grand", "scale": "sd"}}
    declared = spec(formula="score ~ dose + wave + (1 | center/person)", predictors=predictors, hypotheses="f", reference={})
    result = fit_declared(declared, {"person": staff(), "center": centers})
    assert result.predictors["dose"]["mean"] == centers["dose"].mean() and result.predictors["dose"]["over"] == "centers"
    dose = next(e for e in result.fixed_effects if e.term == "dose")
    assert (dose.level, dose.in_family) == ("center_id", True)
    assert dose.df == pytest.approx(6, abs=0.1)  # 8 - 1 - 1; Satterthwaite in a design that is nearly balanced
    crossing = fit_declared({**declared, "formula": "score ~ dose * wave + (1 | center/person)"}, {"person": staff(), "center": centers})
    assert any("no random slope" in note for note in crossing.notes)
    exact = {row["term"]: row for row in crossing.ladder if row["rung"] == "exact"}
    assert "own coefficient of wave" in exact["dose:wave[T4]"]["method"] and exact["dose:wave[T4]"]["n_clusters"] == 8
    assert "does not apply" in exact["dose"]["note"]  # at one wave only
    with pytest.raises(BscError, match="more than one row"):
        fit_declared(declared, {"person": staff(), "center": pd.concat([centers, centers])})


def test_within_center_predictors_have_mean_zero_in_every_center():
    frame = staff()
    frame["other_scale"] = frame["buy_in"] * 0.3 + np.arange(len(frame)) % 7
    predictors = {"z": {"column": "other_scale", "from": "person", "center": "within", "scale": "sd"}}
    result = fit(frame, formula="score ~ z + (1 | center/person)", predictors=predictors)
    within = frame["other_scale"] - frame.groupby("center_id")["other_scale"].transform("mean")
    assert result.predictors["z"]["sd"] == pytest.approx(within.std())


def test_rows_of_centers_without_groups_are_fitted_by_least_squares():
    centers = staff().groupby("center_id")["buy_in"].mean().reset_index().assign(x=np.arange(8.0))
    result = fit_declared(spec(unit="center", formula="score ~ x", reference={}), {"center": centers})
    slope, intercept = np.polyfit(centers["x"], centers["buy_in"], 1)
    assert [e.estimate for e in result.fixed_effects] == pytest.approx([intercept, slope])
    assert result.fixed_effects[1].df == 6 and result.estimator == "ordinary least squares"


def test_steps_write_the_result_and_the_tables(tmp_path):
    write_table(staff(), tmp_path / "person.csv", key=["person_id", "wave"])
    contrast = [{"id": "change", "label": "T1 to T4", "compare": {"wave": ["T1", "T4"]}}]
    models = {
        "a": spec(id="a", hypotheses="f", contrasts=contrast),
        "b": spec(id="b", hypotheses="f", contrasts=contrast, sample={"waves": ["T1", "T4"]}),
    }
    models["c"] = spec(id="c", sample={"waves": ["T1"]})
    study = {**CONFIG, "study": {"synthetic": True, "seed": 1}}
    rows = tmp_path / "settled"
    inputs = {"tables": [tmp_path / "person.csv"], "aggregation": []}
    settle_model_rows.run(Job(inputs, {"index": rows / "index.json"}, {**study, "models": models}, {}, 7))
    for name, model in models.items():
        inputs = {"person": rows / name / "person.csv", "comparability": rows / name / "comparability.json"}
        fit_step.run(Job(inputs, {"fit": tmp_path / f"{name}.json"}, {**study, "model": model}, {"model": name}, 7))
    outputs = {name: tmp_path / f"{name}.csv" for name in TABLES}
    fits = [tmp_path / f"{name}.json" for name in models]
    collect_models.run(Job({"fits": fits}, outputs, {"study": {"synthetic": True}}, {}, 7))
    estimates, table = read_table(outputs["estimates"]), read_table(outputs["fits"]).set_index("model")
    assert table["state"].to_dict() == {"a": "ok", "b": "ok", "c": "failed"}
    assert "only one level" in table.loc["c", "reasons"] and set(estimates["model"]) == {"a", "b"}
    contrasts = estimates[estimates["kind"] == "contrast"]
    assert contrasts["p_adjusted"].tolist() == pytest.approx(adjust(contrasts["p_value"].tolist(), "holm"))
    assert estimates.loc[estimates["kind"] == "fixed", "p_adjusted"].isna().all()
    first = (tmp_path / "a.json").read_bytes()
    inputs = {"person": rows / "a" / "person.csv", "comparability": rows / "a" / "comparability.json"}
    fit_step.run(Job(inputs, {"fit": tmp_path / "a.json"}, {**study, "model": models["a"]}, {}, 7))
    assert (tmp_path / "a.json").read_bytes() == first
    assert json.loads(first)["groups"]["center_id"] == 8


CHANGE = [{"id": "change", "label": "T1 to T4", "compare": {"wave": ["T1", "T4"]}}]


def test_change_that_differs_between_centers_is_judged_by_centers():
    formula = FORMULA + " + (1 | center:wave)"
    expected = ["exact", "satterthwaite", "kenward_roger", "cr2", "wild_cluster_bootstrap", "parametric_bootstrap"]
    result = fit(formula=formula, contrasts=CHANGE, marginal_means=[["wave"], ["wave", "core"]], ladder=expected, draws=99)
    assert result.verdict.estimated and result.second_engine["agrees"], result.second_engine
    assert "statsmodels MixedLM" in result.second_engine["engine"]
    assert not any("no random slope" in note for note in result.notes)
    assert {c["group"] for c in result.variance_components} == {"center_id", "person_id", "center_id:wave"}
    assert sum(row["share"] for row in result.variance_partition) == pytest.approx(1)
    assert 0 < result.r2["marginal"] < result.r2["conditional"] < 1
    rungs = {row["rung"]: row for row in result.ladder}
    assert [row["rung"] for row in result.ladder] == expected and {row["term"] for row in result.ladder} == {"change"}
    assert rungs["satterthwaite"]["p_value"] == result.contrasts[0].p_value
    assert rungs["exact"]["smallest_p"] == 2 / 2**8 and rungs["parametric_bootstrap"]["smallest_p"] == 1 / 100
    means = {row["cell"]: row for row in result.marginal_means}
    assert means["T4"]["estimate"] - means["T1"]["estimate"] == pytest.approx(result.contrasts[0].estimate)
    assert means["T4:core"]["n"] == int(((staff()["wave"] == "T4") & (staff()["core"] == "core")).sum())
    without = {row["left_out"]: row for row in result.influence}
    assert sorted(without) == [f"C{k}" for k in range(8)] == [row["center_id"] for row in result.center_modes]
    frame = staff()
    again = fit(frame[frame["center_id"] != "C3"], formula=formula, contrasts=CHANGE, ladder=[])
    assert without["C3"]["estimate"] == pytest.approx(again.contrasts[0].estimate, abs=1e-7)  # two runs of the optimiser
    assert without["C3"]["high"] == pytest.approx(again.contrasts[0].high, abs=1e-5)
    json.dumps(result.as_dict(), allow_nan=False)


def test_the_order_of_rows_does_not_matter():
    frame = staff()
    plain, mixed = fit(frame, contrasts=CHANGE, draws=99), fit(frame.sample(frac=1, random_state=1), contrasts=CHANGE, draws=99)
    assert plain.as_dict() == mixed.as_dict()


def test_diagnostics_show_no_single_value():
    found = fit().diagnostics
    assert len(found["quantiles"]) == 50 and all(row["n"] in (0, 10) for row in found["quantiles"])
    assert all(row["n"] >= 10 for row in found["fitted"]) and sum(row["n"] for row in found["fitted"]) == fit().n
    first, last = found["quantiles"][0], found["quantiles"][-1]
    assert np.isnan(first["residual"]) and np.isnan(last["residual"])  # fewer than five of 180 rows lie beyond


@pytest.mark.parametrize("family", ["binomial", "cumulative"])
def test_other_families_carry_their_own_ladder_and_second_engine(family):
    frame = staff()
    frame["items"] = 6
    answer = (frame["buy_in"] * 1.2).round().clip(1, 6)
    frame["buy_in"] = answer / 6 if family == "binomial" else answer.clip(3, 5)
    more = {"trials": "items"} if family == "binomial" else {}
    result = fit(frame, config={**CONFIG, "scales": []}, family=family, formula="score ~ wave + (1 | center)", contrasts=CHANGE, **more)
    assert result.verdict.state == "ok", result.verdict
    assert "dense Laplace" in result.second_engine["engine"] and result.second_engine["agrees"]
    assert [row["rung"] for row in result.ladder] == ["between_within", "likelihood_ratio", "wald"]
    assert result.contrasts[0].estimate > 0 and result.contrasts[0].standardized is None and result.sigma2 is None
    json.dumps(result.as_dict(), allow_nan=False)


def test_an_optional_model_is_left_out_where_its_column_does_not_exist():
    result = fit(optional=True, formula="score ~ wave + language + (1 | center)")
    assert result.left_out and result.verdict.state == "failed" and "'language'" in result.notes[0]
    with pytest.raises(BscError):
        fit(formula="score ~ wave + language + (1 | center)")


def test_a_study_without_estimable_models_still_has_tables():
    for name, table in TABLES.items():
        assert list(gathered(name, []).columns) == [column.name for column in table.columns]
