"""Sample flow, descriptives and the other exhibits of counts: right sums, small counts masked."""

from dataclasses import asdict

import numpy as np
import pandas as pd
from exhibit_study import CONFIG, context, flow, scores

from bscstudy.exhibits import (
    data_quality,
    descriptives,
    fidelity,
    generalizability,
    observation,
    rater_agreement,
    rater_drift,
    report_words,
    run_charts,
    sample_flow,
)
from bscstudy.measures.agreement import Agreement
from bscstudy.measures.metric_charts import read_charts
from bscstudy.measures.metric_series import monthly_series


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
    people = pd.DataFrame({"person_id": list("abcdef") * 2, "wave": ["T1"] * 6 + ["T2"] * 6, "expected": 0, "responded": 1})
    people = people.assign(present=1, role="teacher", center_id="A1")
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
    assert list(shown.table["n"]) == ["12", "11"] and shown.table.loc[1, "No score"] == "1"


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
                "n_interview": 1 if v == "V1" else 0,
                "value": x,
                "why": y,
                "n_raters": 2,
                "scored_from": "primary",
            }
            for v, w, n, d, x, y in rows
        ]
    )
    shown = observation.build({"measures/observation": frame}, context())
    assert list(shown.table.iloc[0][["Visits", "With a score", "Mean", "Rests on"]]) == [
        "3",
        "2",
        "0.50",
        "4 of 8 indicators, 1 by interview",
    ]
    assert shown.notes["n"] == "3 visits, 3 of them coded by more than one rater, scored by the primary rater"
    both = pd.concat([frame, frame.assign(instrument="warmth_form", scored_from="mean")])
    told = observation.build({"measures/observation": both}, context()).notes["n"]
    assert told.endswith("rater, averaged (warmth form) and scored by the primary rater (form)"), "which instrument has which rule"
    assert shown.notes["Exclusions"] == "visits without a score: not applicable: 1"


def test_rater_agreement_shows_kappa_or_icc():
    found = [
        Agreement(9, 9, 45, 0.2, 0.9, kappa=0.7, kappa_low=0.4, kappa_high=1.0, ac1=0.8, statistic="Fleiss' kappa"),
        Agreement(
            20, 5, 45, 1 / 9, 0.5, 0.9, kappa=0.3, kappa_quadratic=0.6, ac1=0.4, icc=0.75, icc_low=0.2, icc_high=0.95, statistic="ICC"
        ),
        Agreement(n_visits=45),
    ]
    rows = [{"instrument": "form", "item": f"i{k}", **asdict(one)} for k, one in enumerate(found, start=1)]
    frame = pd.DataFrame(rows).assign(agreement_width=[np.nan, 0.2, np.nan], visits_needed=[np.nan, 80, np.nan])
    shown = rater_agreement.build({"measures/rater_agreement": frame}, context())
    columns = ["Item", "Visits coded twice", "Exact", "Kappa", "AC1", "ICC", "95% interval"]
    assert (
        list(shown.table.iloc[0][columns]) == ["i1", "9 of 45 (20%)", "90%", "0.70", "0.80", "–", "0.40 to 1.00"] and len(shown.table) == 2
    )
    assert list(shown.table.iloc[1][columns]) == ["i2", "5 of 45 (11%)", "50%", "0.60", "0.40", "0.75", "0.20 to 0.95"]
    assert shown.table.iloc[1]["Visits needed"] == "80" and shown.data["corrected"].tolist() == [0.7, 0.75]
    assert "means of a visit" in shown.notes["Exclusions"]  # the ICC leaves no segment out that only one rater scored


def test_rater_drift_compares_the_first_period_with_the_last_and_names_no_rater():
    rows = [("K7", "T1", 0.1, 4), ("K7", "T2", 0.4, 3), ("K9", "T1", -0.1, 4), ("K9", "", -0.4, 1)]
    frame = pd.DataFrame(rows, columns=["rater_id", "period", "deviation", "n_visits"])
    frame = frame.assign(instrument="form", score="key", low=frame["deviation"] - 0.2, high=frame["deviation"] + 0.2, reference="consensus")
    shown = rater_drift.build({"measures/rater_drift": frame}, context())
    first = shown.table.iloc[0]
    assert [first["Score"], first["Rater"], first["Visits"], first["Change"]] == ["Key practices", "Rater 1", "7", "+0.30"]
    assert first["Last period"] == "After" and first["Distance in the last period"] == "+0.40 (0.20 to 0.60)"
    assert "K7" not in str(shown.table) + str(shown.data) + "".join(shown.sentences)
    assert len(shown.figure.axes) == 1 and [tick.get_text() for tick in shown.figure.axes[0].get_xticklabels()] == [
        "Before",
        "After",
        "All visits",
    ]
    assert "no visit" in rater_drift.build({"measures/rater_drift": frame.head(0)}, context()).caption.lower()


def test_generalizability_says_what_a_dependable_score_takes():
    parts = [("classroom", 0.5), ("rater", 0.1), ("occasion", 0.0), ("residual", 0.4)]
    frame = pd.DataFrame(parts, columns=["component", "share"]).assign(
        instrument="form",
        score="key",
        n=60,
        n_levels=[20, 3, 3, 60],
        variance=1.0,
        low=np.nan,
        high=np.nan,
        note="part of the residual: two pairs",
    )
    rows = [(n, o, 0.5, 0.4, 0.8, 4, np.nan) for n in (1, 2) for o in (1, 2)]
    columns = ["n_raters", "n_occasions", "g", "phi", "target", "occasions_for_g", "occasions_for_phi"]
    tables = {
        "measures/generalizability": frame,
        "measures/decision_study": pd.DataFrame(rows, columns=columns).assign(instrument="form", score="key"),
    }
    shown = generalizability.build(tables, context())
    row = shown.table.iloc[0]
    assert [row["Classroom"], row["Classroom × rater"], row["G"], row["Phi"]] == ["50%", "–", "0.50", "0.40"]
    assert [row["Occasions for G, 1 rater"], row["Occasions for Phi, 2 raters"]] == ["4", "none is enough"]
    assert "Key practices: part of the residual: two pairs" in shown.notes["Exclusions"] and "0.80" in shown.notes["G and Phi"]
    assert "generalizability" in generalizability.build({**tables, "measures/generalizability": frame.head(0)}, context()).caption


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
    series = series.assign(value=series["numerator"] / 20, centre=0.325, useful=1, outside=0)
    series = series.assign(level="all", phase=1, kind="run", lower=np.nan, upper=np.nan)
    row = {
        "metric": "talk",
        "group": "all",
        "n_useful": 12,
        "centre": 0.325,
        "level": "all",
        "phase": 1,
        "kind": "run",
        "n_months": 12,
        "limits": "none",
        "n_outside": 0,
        "longest_run": 6,
        "run_limit": 7,
        "crossings": 1,
        "crossing_limit": 3,
        "signal": "crossings",
    }
    shown = run_charts.build({"measures/run_charts": series, "measures/run_chart_signals": pd.DataFrame([row])}, context())
    assert list(shown.table.iloc[0][["Centre", "Denominators", "Crossings (limit)"]]) == ["32%", "20", "1 (3)"]
    assert "unusually few crossings" in shown.sentences[0]


def test_data_quality_counts_by_what_was_done():
    rows = [("duplicate_key", "resolved", 2), ("out_of_range", "tolerated", 3), ("long_day", "report", 0)]
    summary = pd.DataFrame(
        [{"check": c, "label": c, "source": "staff", "severity": s, "n": n, "unit": "rows", "reason": "known"} for c, s, n in rows]
    )
    shown = data_quality.build({"checks/summary": summary}, context())
    assert list(shown.table["Found"]) == ["3", "2"]
    assert shown.sentences[0] == "The checks made 5 findings: 0 reported, 3 tolerated for a stated reason, 2 resolved by excluding records."


def test_single_centers_are_charted_only_where_the_study_allows_it():
    rows = pd.DataFrame(
        {"metric": "talk", "month": "2024-01", "center_id": ["A1", "B1"], "numerator": [2.0, 9.0], "denominator": [4.0, 90.0]}
    )
    series, signals = read_charts(monthly_series(rows, ["center_id"]), {})
    tables = {"measures/run_charts": series, "measures/run_chart_signals": signals, "centers": rows[["center_id"]]}
    plain = run_charts.build(tables, context())
    assert set(plain.data["group"]) == {"all"} and not plain.table["Group"].str.contains("Center").any()
    allowed = context(options={"by": "center"}, config={**CONFIG, "privacy": {"min_cell": 5, "show_centers": True}})
    shown = run_charts.build(tables, allowed)
    assert sorted(shown.data["group"]) == ["A", "B"] and "A1" not in shown.table.to_string() + shown.data.to_string()
    assert shown.data["denominator"].isna().all() and shown.data["value"].isna().sum() == 1  # sizes tell which center it is
