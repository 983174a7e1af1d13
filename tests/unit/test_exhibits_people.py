"""Sample flow, descriptives and the other exhibits of counts: right sums, small counts masked."""

import numpy as np
import pandas as pd
from exhibit_study import context, flow, scores

from bscstudy.exhibits import (
    data_quality,
    descriptives,
    fidelity,
    observation,
    rater_agreement,
    reliability,
    report_words,
    run_charts,
    sample_flow,
)


def test_flow_adds_up_and_masks_small_groups():
    shown = sample_flow.build({"checks/flow": flow()}, context(options={"by": "role"}))
    assert list(shown.table["Wave"]) == ["Before", "Before: Director", "Before: Teacher"]
    assert list(shown.table["Expected"]) == ["21", "<5", "hidden"]  # 2 directors could be had from 21 - 19
    assert shown.table.loc[0, "Response"] == "90%" and shown.table.loc[1, "Response"] == "–"
    assert "19 of 21 expected forms were received (90%)" in shown.sentences[0]


def test_a_small_wave_is_masked_wherever_the_flow_says_it():
    few = flow().assign(received=[1] * len(flow())).iloc[:3]
    shown = sample_flow.build({"checks/flow": few}, context(options={"by": "none"}))
    assert shown.table.loc[0, "Received"] == "<5" and list(shown.data["received"]) == ["<5"]
    said = " ".join([*shown.sentences, shown.alt, *report_words.who_took_part(context().config, few)])
    assert "<5 received of" in said and "fewer than 5 forms at some wave" in said and " 3 " not in said


def test_a_wave_that_the_register_does_not_cover_is_told_apart():
    late = flow().assign(wave="T2", expected=pd.NA)
    said = report_words.who_took_part(context().config, pd.concat([flow(), late]))
    assert "waves with a register of people: 19 of 21" in said[1] and "other waves: 19 received; the number asked is not known" in said[2]
    people = pd.DataFrame({"person_id": list("abcdef") * 2, "wave": ["T1"] * 6 + ["T2"] * 6, "expected": 0, "status": "stayer"})
    assert "no register lists people" in sample_flow.turnover_text(people, context())
    listed = people.assign(expected=[1] * 6 + [0] * 6)
    assert sample_flow.turnover_text(listed, context()).endswith(
        "for After the register lists nobody, and who did not answer counts as gone"
    )
    assert sample_flow.turnover_text(people.iloc[:2], context()).startswith("of <5 people")


def test_flow_never_shows_a_center():
    shown = sample_flow.build({"checks/flow": flow()}, context())
    assert not shown.table.astype(str).map(lambda text: "A1" in text or "B1" in text).any().any()
    assert list(shown.table["Wave"]) == ["Before", "Before: Alder", "Before: Birch"]


def test_descriptives_are_those_of_numpy():
    data = scores()
    shown = descriptives.build({"measures/scores": data}, context())
    first = data[data["wave"] == "T1"]["score"].to_numpy()
    assert shown.table.loc[0, "Mean"] == f"{first.mean():.2f}" and shown.table.loc[0, "SD"] == f"{np.std(first, ddof=1):.2f}"
    assert list(shown.table["n"]) == ["12", "11"] and shown.table.loc[1, "No score"] == "<5"


def test_scores_of_several_scales_are_not_called_forms():
    both = pd.concat([scores(), scores().assign(scale="stress")], ignore_index=True)
    text = descriptives.build({"measures/scores": both}, context()).notes["Exclusions"]
    assert "of 48 scores are missing" in text and "forms have" not in text  # 24 forms, each asked two scales


def test_descriptives_of_a_small_group_are_not_shown():
    shown = descriptives.build({"measures/scores": scores()}, context(options={"by": "role"}))
    director = shown.table[shown.table["Wave"] == "Before: Director"].iloc[0]
    assert director["n"] == "<5" and director["Mean"] == "–" and director["Median"] == "–"
    assert shown.data is None


def test_descriptives_notes_give_no_small_wave_away():
    data = scores()
    assert " of " in descriptives.build({"measures/scores": data}, context()).notes["Exclusions"].split("forms")[0]
    few = pd.concat([data[data["wave"] == "T1"], data[data["wave"] == "T2"].head(3)])
    assert " of " not in descriptives.build({"measures/scores": few}, context()).notes["Exclusions"].split("forms")[0]


def test_reliability_of_few_people_is_not_shown():
    row = {"scale": "buy_in", "k": 4, "alpha": 0.65, "alpha_low": 0.5, "alpha_high": 0.75, "omega": 0.6, "floor": 0.25, "ceiling": 0.0}
    data = pd.DataFrame([{**row, "wave": "T1", "n": 4}, {**row, "wave": "T2", "n": 40}])
    together = {
        "scale": "buy_in",
        "wave": "T1",
        "n_centers": 2,
        "icc1": 0.1,
        "icc2": 0.5,
        "r_wg_median": 0.8,
        "aggregate": "no",
        "decision": "few",
    }
    shown = reliability.build({"measures/reliability": data, "measures/aggregation": pd.DataFrame([together])}, context())
    assert list(shown.table["n"]) == ["<5", "40"] and list(shown.table["At lowest"]) == ["–", "25%"]
    none = reliability.build({"measures/reliability": data.head(1), "measures/aggregation": pd.DataFrame([together])}, context())
    assert none.figure is None and none.sentences == ("No scale has an alpha that can be computed.",)
    assert list(shown.table["Alpha"]) == ["–", "0.65"] and shown.table.loc[0, "ICC(1)"] == "–" and "Privacy" in shown.notes


def test_reliability_joins_agreement_within_centers():
    row = {
        "scale": "buy_in",
        "n": 40,
        "k": 4,
        "alpha": 0.65,
        "alpha_low": 0.5,
        "alpha_high": 0.75,
        "omega": np.nan,
        "floor": 0.0,
        "ceiling": 0.1,
    }
    together = {
        "scale": "buy_in",
        "wave": "T1",
        "n": 40,
        "n_centers": 7,
        "icc1": 0.1,
        "icc2": 0.5,
        "r_wg_median": 0.8,
        "aggregate": "no",
        "decision": "few",
    }
    tables = {
        "measures/reliability": pd.DataFrame([{**row, "wave": w} for w in ("T2", "T1")]),
        "measures/aggregation": pd.DataFrame([together]),
    }
    shown = reliability.build(tables, context())
    assert list(shown.table["Wave"]) == ["Before", "After"] and list(shown.table["ICC(1)"]) == ["0.10", "–"]
    assert (
        "below .70 at some wave for Buy-in" in shown.sentences[0] and shown.notes["Not averaged because"] == "few"
    )  # each reason once, though waves join theirs by ;
    assert "below 0.70 the mean of a single center is imprecise" in shown.notes["Center mean"]


def test_observation_counts_what_a_score_rests_on():
    rows = [("V1", "T1", 3, 4, 0.75, None), ("V2", "T1", 1, 4, 0.25, None), ("V3", "T1", np.nan, 0, np.nan, "not_applicable")]
    frame = pd.DataFrame(
        [
            {
                "instrument": "form",
                "score": "key",
                "observation_id": v,
                "wave": w,
                "center_id": v,
                "numerator": n,
                "denominator": d,
                "value": x,
                "why": y,
                "n_raters": 1,
            }
            for v, w, n, d, x, y in rows
        ]
    )
    shown = observation.build({"measures/observation": frame}, context())
    assert list(shown.table.iloc[0][["Visits", "With a score", "Mean", "Rests on"]]) == ["3", "2", "0.50", "4 of 8 indicators"]
    assert shown.notes["Exclusions"] == "visits without a score: not applicable: 1"


def test_rater_agreement_shows_kappa_or_icc():
    rows = [
        {
            "instrument": "form",
            "item": "i1",
            "n_pairs": 9,
            "n_units": 9,
            "exact": 0.9,
            "adjacent": np.nan,
            "kappa": 0.7,
            "icc": np.nan,
            "statistic": "Fleiss' kappa",
        },
        {
            "instrument": "form",
            "item": "i2",
            "n_pairs": 0,
            "n_units": 0,
            "exact": np.nan,
            "adjacent": np.nan,
            "kappa": np.nan,
            "icc": np.nan,
            "statistic": None,
        },
    ]
    shown = rater_agreement.build({"measures/rater_agreement": pd.DataFrame(rows).assign(icc_low=np.nan, icc_high=np.nan)}, context())
    assert list(shown.table.iloc[0][["Item", "Exact", "Kappa", "ICC"]]) == ["i1", "90%", "0.70", "–"] and len(shown.table) == 1
    assert "means of a visit" in shown.notes["Exclusions"]  # the ICC leaves no segment out that only one rater scored


def test_fidelity_shares_are_percentages_over_centers():
    frame = pd.DataFrame(
        {"index": "attendance", "label": "Attendance", "element": "shared_learning", "level": "center",
         "unit_id": list("abcd"), "center_id": list("abcd"),
         "collaborative": ["alder", "alder", "birch", "birch"], "wave": None, "value": [0.2, 0.4, 0.6, np.nan]}
    )  # fmt: skip
    shown = fidelity.build({"measures/fidelity": frame}, context())
    assert list(shown.table["Index"]) == ["Attendance", "Attendance: Alder", "Attendance: Birch"]
    assert list(shown.table.iloc[0][["Units", "Median", "No value"]]) == ["3", "40%", "1"]
    assert "at least half of the 3 centers reached 40%" in shown.sentences[0]  # with ties it is more than half


def test_run_charts_name_the_signal_and_the_denominators():
    series = pd.DataFrame(
        {"metric": "talk", "group": "all", "month": [f"2024-{m:02d}" for m in range(1, 13)], "numerator": range(1, 13), "denominator": 20.0}
    )
    series = series.assign(value=series["numerator"] / 20, median=0.325, useful=1)
    row = {
        "metric": "talk",
        "group": "all",
        "n_useful": 12,
        "median": 0.325,
        "longest_run": 6,
        "run_limit": 7,
        "crossings": 1,
        "crossing_limit": 3,
        "signal": "crossings",
    }
    shown = run_charts.build({"measures/run_charts": series, "measures/run_chart_signals": pd.DataFrame([row])}, context())
    assert list(shown.table.iloc[0][["Median", "Denominators", "Crossings (limit)"]]) == ["32%", "20", "1 (3)"]
    assert "unusually few crossings" in shown.sentences[0]


def test_data_quality_counts_by_what_was_done():
    rows = [("duplicate_key", "resolved", 2), ("out_of_range", "tolerated", 3), ("long_day", "report", 0)]
    summary = pd.DataFrame(
        [{"check": c, "label": c, "source": "staff", "severity": s, "n": n, "unit": "rows", "reason": "known"} for c, s, n in rows]
    )
    shown = data_quality.build({"checks/summary": summary}, context())
    assert list(shown.table["Found"]) == ["3", "2"]
    assert shown.sentences[0] == "The checks made 5 findings: 0 reported, 3 tolerated for a stated reason, 2 resolved by excluding records."
