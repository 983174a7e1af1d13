"""What was planted in the demonstration study is found, and what is true in it lies inside the intervals."""

import json

import pytest

from bscstudy.loading import load_study
from bscstudy.simulate.fidelity import logistic
from bscstudy.simulate.population import make_population
from bscstudy.simulate.truth import planted_defects, read_parameters, true_changes
from bscstudy.tables import read_table

pytestmark = pytest.mark.slow


def test_every_planted_defect_is_counted_exactly(demonstration):
    summary = read_table(demonstration / "data/derived/checks/summary.csv").set_index(["check", "source"])["n"]
    planted = planted_defects(read_parameters())
    assert len(planted) >= 15
    missed = {(d["check"], d["source"]): (d["n"], summary.get((d["check"], d["source"]))) for d in planted}
    assert {place: counts for place, counts in missed.items() if counts[0] != counts[1]} == {}


def test_no_severe_finding_is_left_and_tolerated_ones_carry_a_reason(demonstration):
    summary = read_table(demonstration / "data/derived/checks/summary.csv")
    found = summary[summary["n"] > 0]
    assert not (found["severity"] == "stop").any()
    assert found.loc[found["severity"] == "tolerated", "reason"].notna().all()


def test_true_changes_lie_inside_their_intervals(demonstration):
    estimates = read_table(demonstration / "data/derived/models/estimates.csv")
    contrasts = estimates[estimates["kind"] == "contrast"].set_index(["model", "term"])
    truths = {(t["scale"], t["core"], t["wave_from"], t["wave_to"]): t["change"] for t in true_changes(read_parameters())}
    inside = []
    for name, model in load_study(demonstration / "config")["models"].items():
        for contrast in model.get("contrasts", []):
            key = (model["outcome"], contrast.get("at", {}).get("core", "average"), *contrast["compare"].get("wave", ["", ""]))
            of_waves = set(contrast["compare"]) == {"wave"} and set(contrast.get("at", {})) <= {"core"}
            if model["unit"] == "person" and of_waves and key in truths:
                row = contrasts.loc[(name, contrast["id"])]
                inside.append(row["low"] <= truths[key] <= row["high"])
    print(f"{sum(inside)} of {len(inside)} true changes lie inside their 95 % interval")
    assert len(inside) >= 50
    # 95 % intervals: of 63 about 3 lie outside by chance; 8 or more would happen once in a hundred studies
    assert len(inside) - sum(inside) < 8


def test_pieces_of_time_hold_the_true_change_and_no_moderation_is_found_where_there_is_none(demonstration):
    fit = json.loads((demonstration / "data/derived/models/sustained_practice.json").read_text(encoding="utf-8"))
    found = {row["term"]: row for row in fit["fixed_effects"]}
    people = read_table(demonstration / "data/derived/analysis/person.csv").dropna(subset="sel_practice")
    core = float((people["core"] == "core").mean())
    changes = [t for t in true_changes(read_parameters()) if t["scale"] == "sel_practice"]
    truths = {(t["core"], t["wave_from"], t["wave_to"]): t["change"] for t in changes}
    for piece, waves in (("during", ("T1", "T3")), ("after", ("T3", "T4"))):
        truth = core * truths["core", *waves] + (1 - core) * truths["other", *waves]  # the model has one change for both
        assert found[piece]["low"] <= truth <= found[piece]["high"], piece
        # change does not hang on the center's coaching or resources in the simulator
        products = [found[f"{piece}:{name}_center"] for name in ("coaching", "resources")]
        assert all(product["low"] < 0 < product["high"] for product in products)


@pytest.mark.parametrize(("predictor", "sign"), [("leadership", 1), ("coaching", 1), ("resources", 0)])
def test_true_facilitators_are_told_from_a_construct_without_link(demonstration, predictor, sign):
    fit = json.loads((demonstration / "data/derived/models/facilitators_person.json").read_text(encoding="utf-8"))
    row = next(r for r in fit["fixed_effects"] if predictor in r["term"] and ":" not in r["term"])
    assert (row["low"] > 0) if sign else (row["low"] < 0 < row["high"])


def test_the_metrics_that_moved_give_a_signal_and_the_others_none(demonstration):
    signals = read_table(demonstration / "data/derived/measures/run_chart_signals.csv")
    overall = signals[signals["group"] == "all"].set_index("metric")["signal"]
    moved = [name for name in overall.index if overall[name] != "none"]
    assert sorted(moved) == ["challenging_behavior", "family_communication"]


def test_ties_to_other_centers_grow_as_planted_and_spoilt_names_are_none(demonstration):
    planted = read_parameters()["peers"]
    network = read_table(demonstration / "data/derived/measures/peer_network.csv").set_index(["level", "wave"])
    people = network.loc["person"]
    for wave, share in planted["cross_center"].items():
        found = people.loc[wave]
        # 99 % of binomial shares lie within 2.58 standard errors
        assert abs(found["cross_center"] - share) < 2.58 * (share * (1 - share) / found["n_ties"]) ** 0.5, wave
        assert found["n_unknown"] == planted["strangers"][wave], "a name in lower case is known, a stranger is not"
    assert people.loc["T1", "cross_center"] < people.loc["T4", "cross_center"] < people.loc["T3", "cross_center"]
    assert network.loc[("center", "T1"), "density"] < network.loc[("center", "T3"), "density"]


def test_rated_constructs_that_follow_engagement_distinguish_and_the_others_do_not(demonstration):
    planted = {name for name, (_, slope) in read_parameters()["construct_ratings"]["constructs"].items() if slope}
    found = read_table(demonstration / "data/derived/qual/distinguishing.csv").set_index("construct")
    assert set(found.index[found["label"].isin(["weak", "strong"])]) == planted
    assert (found.loc[sorted(planted), "p_value"] < 0.05).all() and (found.drop(index=planted)["p_value"] > 0.05).all()
    agreement = read_table(demonstration / "data/derived/qual/rater_reliability.csv").set_index(["construct", "coefficient"])
    assert agreement.loc[("all", "ordinal_alpha"), "estimate"] > 0.8, "raters add little noise of their own"


def test_planted_themes_come_up_as_often_and_on_the_side_that_was_planted(demonstration):
    """Sessions that raised a theme, of those asked, and its passages as a help, against the chances they were drawn with."""
    parameters = read_parameters()
    engagement = make_population(parameters).centers.set_index("center_id")["engagement"]
    presence = read_table(demonstration / "data/derived/qual/presence.csv")
    asked = presence[(presence["unit"] == "session") & (presence["asked"] == 1)]
    off = {}
    for theme, spec in parameters["interviews"]["themes"].items():
        rows = asked[asked["theme"] == theme]
        own = rows["center_id"].map(engagement)
        chance = logistic(spec["present"] + spec["engagement"] * own + 0.2 * (rows["wave"] == "T4"))
        off[theme, "raised"] = (rows["present"].sum() - chance.sum()) / ((chance * (1 - chance)).sum()) ** 0.5
        if rows["n_facilitator"].sum() and rows["n_barrier"].sum():  # others have one side only, or none
            n, helps = rows["n_codings"], logistic(spec["facilitator"] + spec["facilitator_engagement"] * own)
            off[theme, "helps"] = (rows["n_facilitator"].sum() - (helps * n).sum()) / ((helps * (1 - helps) * n).sum()) ** 0.5
    assert len(off) == 11 + 9
    # standard errors: of 20 one beyond 3.5 would happen once in a hundred studies
    assert {place: round(float(z), 2) for place, z in off.items() if abs(z) > 3.5} == {}
