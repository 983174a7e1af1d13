"""Exhibits of reliability, agreement within centers, informant gaps and invariance: what is shown and what is withheld."""

import numpy as np
import pandas as pd
import pytest
from exhibit_study import CONFIG, context

from bscstudy.exhibits import aggregation, informant_gaps, invariance, reliability
from bscstudy.measures.invariance import TOO_SMALL

RELIABLE = {
    "scale": "buy_in", "wave": "T1", "n": 40, "k": 4, "n_complete": 38, "alpha": 0.65, "alpha_low": 0.5, "alpha_high": 0.75,
    "alpha_ordinal": 0.7, "omega": np.nan, "floor": 0.25, "ceiling": 0.0, "missing_skipped": 0.02, "missing_coded": 0.01,
    "missing_not_possible": 0.0,
}  # fmt: skip
AGREED = {
    "scale": "buy_in", "wave": "T1", "n": 40, "n_centers": 7, "n_judged": 6, "icc1": 0.1, "icc2": 0.5, "r_wg_median": 0.8,
    "r_wg_skewed_median": 0.6, "n_low_agreement": 2, "ad_median": 0.7, "ad_limit": 0.83, "n_wide": 1, "null": "uniform",
    "aggregate": "yes", "decision": "fine",
}  # fmt: skip
GAP = {
    "gap": "lead", "wave": "T1", "n_centers": 7, "n_one_sided": 1, "n_leader": 7, "n_staff": 60, "leader": 4.0, "staff": 3.5,
    "difference": 0.5, "sd": 0.4, "low": 0.1, "high": 0.9, "p_value": 0.031, "smallest_p": 0.016, "method": "exact permutation",
}  # fmt: skip
STEP = {
    "model": "cfa", "across": "", "step": "model", "decision": "fits", "reason": None, "n": 301, "n_groups": 1, "smallest_group": 301,
    "n_parameters": 30, "chi2": 85.3, "df": 24, "cfi": 0.931, "rmsea": 0.092, "rmsea_low": 0.071, "rmsea_high": 0.114, "srmr": 0.065,
    "cfi_change": np.nan, "rmsea_change": np.nan,
}  # fmt: skip


def declared(**sections):
    return context(config={**CONFIG, **sections})


def reliable(*rows):
    tables = {"measures/reliability": pd.DataFrame([{**RELIABLE, **row} for row in rows]), "measures/aggregation": pd.DataFrame([AGREED])}
    return reliability.build(tables, context())


def test_reliability_stands_in_the_order_of_waves():
    shown = reliable({"wave": "T2"}, {"wave": "T1"})
    assert list(shown.table["Wave"]) == ["Before", "After"] and list(shown.table["Center mean"]) == ["yes", ""]
    assert list(shown.table["Ordinal alpha"]) == ["0.70", "0.70"] and list(shown.table["Not answered"]) == ["3%", "3%"]
    assert "below .70 at some wave for Buy-in" in shown.sentences[0]


def test_reliability_of_few_people_is_not_shown():
    shown = reliable({"n": 4, "n_complete": 4}, {"wave": "T2"})
    assert list(shown.table["n"]) == ["<5", "40"] and list(shown.table["At lowest"]) == ["–", "25%"]
    assert list(shown.table["Alpha"]) == ["–", "0.65"] and "Privacy" in shown.notes
    few_complete = reliable({"n_complete": 4}).table.iloc[0]
    assert (few_complete["Alpha"], few_complete["Ordinal alpha"], few_complete["At lowest"]) == ("–", "–", "25%")
    none = reliable({"n": 4, "n_complete": 4})
    assert none.figure is None and none.sentences == ("No scale has an alpha that can be computed.",)


def agreed(*rows):
    return aggregation.build({"measures/aggregation": pd.DataFrame([{**AGREED, **row} for row in rows])}, context())


def test_agreement_within_centers():
    against = {"wave": "T2", "aggregate": "no", "decision": "median r_wg below 0.70; ICC(1) below 0.05"}
    shown = agreed(against, {}, {"scale": "stress", "n_judged": 0, "icc1": np.nan, "aggregate": "no", "decision": "few"})
    assert list(shown.table["Wave"]) == ["Before", "After"] and list(shown.table["Centers below 0.70"]) == ["2 of 6", "2 of 6"]
    assert shown.notes["Not averaged because"] == "ICC(1) below 0.05; median r_wg below 0.70"
    assert shown.notes["Exclusions"].endswith("Stress") and shown.sentences[0].endswith("for Buy-in.")
    assert agreed({}).sentences[0].startswith("The evidence supports")


def test_agreement_of_few_people_is_not_shown():
    row = agreed({"n": 4}, {"wave": "T2"}).table.iloc[0]
    assert row["n"] == "<5" and {row[c] for c in ("ICC(1)", "ICC(2)", "r_wg", "AD", "Centers below 0.70", "Centers above limit")} == {"–"}


def test_pictures_ordered_by_a_center_mean_say_where_the_evidence_is_against_it():
    data = pd.DataFrame([AGREED, {**AGREED, "wave": "T2", "aggregate": "no", "decision": "median r_wg below 0.70"}])
    note = aggregation.mean_note("buy_in", {"measures/aggregation": data})
    assert note == {"Center mean": "not supported by agreement within centers at T2: median r_wg below 0.70"}
    assert aggregation.mean_note("buy_in", {}) == aggregation.mean_note("stress", {"measures/aggregation": data}) == {}


def gaps(*rows):
    config = declared(informant_gaps=[{"id": "lead", "label": "Leadership", "leader": {"scale": "buy_in"}, "staff": {"scale": "stress"}}])
    return informant_gaps.build({"measures/informant_gap_tests": pd.DataFrame([{**GAP, **row} for row in rows])}, config)


def test_gaps_over_centers_are_shown_with_their_interval():
    shown = gaps({"wave": "T2", "difference": -0.2, "low": -0.6, "high": 0.2}, {})
    assert list(shown.table["Difference"]) == ["+0.50", "−0.20"] and list(shown.table["95% interval"])[0] == "0.10 to 0.90"
    assert shown.sentences == ("Leadership, Before: leaders report more than staff, by 0.50 (0.10 to 0.90) points.",)
    assert "below .016" in shown.notes["Smallest p"] and shown.figure is not None


@pytest.mark.parametrize("side", ["n_leader", "n_staff"])
def test_reports_of_few_people_are_withheld(side):
    shown = gaps({side: 4})
    assert {shown.table.loc[0, c] for c in ("Mean of leaders", "Mean of staff", "Difference", "95% interval", "p")} == {"–"}
    assert shown.data["difference"].isna().all() and shown.figure is None and not shown.sentences and "Privacy" in shown.notes


def test_steps_of_invariance_and_what_was_too_small():
    by_wave = [
        {"across": "wave", "step": s, "decision": d, "n_groups": 2} for s, d in [("metric", "does not hold"), ("configural", "holds")]
    ]
    small = {
        "across": "role",
        "step": "configural",
        "decision": TOO_SMALL,
        "reason": "fewer than 100 complete forms",
        "n": 4,
    } | dict.fromkeys(("chi2", "df", "cfi", "rmsea", "rmsea_low", "rmsea_high", "srmr"), np.nan)
    data = pd.DataFrame([{**STEP, **row} for row in ({}, *by_wave, small)])
    shown = invariance.build(
        {"measures/invariance": data}, declared(factor_models=[{"id": "cfa", "label": "Climate", "scales": ["buy_in"]}])
    )
    assert list(shown.table["Step"]) == ["All together", "By role: same factors", "By wave: same factors", "By wave: equal loadings"]
    assert shown.table.loc[0, "RMSEA (90%)"] == "0.092 (0.071 to 0.114)" and shown.table.loc[0, "χ² (df)"] == "85.3 (24)"
    assert shown.table.loc[1, "Decision"] == f"{TOO_SMALL} [a]" and shown.table.loc[1, "n"] == "<5"
    assert shown.footnotes == ("fewer than 100 complete forms",)
    assert shown.sentences == ("Climate, by role: not tested, n too small.", "Climate, by wave: same factors can be held.")


@pytest.mark.parametrize("kind", [informant_gaps, invariance])
def test_a_study_that_declares_nothing_says_so(kind):
    assert kind.build({}, context()).caption.startswith("The study declares no")
