"""One number of each strand for a construct, computed by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.integrate.strands import contrast_waves, fidelity_mean, mean_center_change, observation_change, survey_change, theme_counts

CONSTRUCT = {"id": "practice", "scales": ["sel", "sel_b"], "observation": ["never_seen", "key"], "fidelity": ["coaching"]}


def model(outcome: str, *contrasts: str, unit: str = "person", question: str = "change", construct: str = "practice") -> dict:
    named = [{"id": c, "label": f"label of {c}"} for c in contrasts]
    return {"outcome": outcome, "unit": unit, "question": question, "construct": construct, "contrasts": named}


MODELS = {
    "a_second_scale": model("sel_b", "change_post"),
    "b_first_scale": model("sel", "change_total", "change_post"),
    "c_observed": model("sel", "change_post", unit="visit"),
    "d_other": model("sel", "change_post", construct="climate"),
}
ESTIMATES = pd.DataFrame(
    [("b_first_scale", "contrast", "change_post", 0.4, 0.1, 0.7), ("b_first_scale", "contrast", "change_total", 9, 8, 10),
     ("b_first_scale", "fixed", "change_post", 5, 4, 6), ("a_second_scale", "contrast", "change_post", 7, 6, 8)],
    columns=["model", "kind", "term", "estimate", "low", "high"],
)  # fmt: skip
FITS = pd.DataFrame({"model": ["a_second_scale", "b_first_scale"], "state": "ok", "n": [10, 20], "n_centers": [7, 8]})


def test_the_first_scale_and_change_post_are_the_main_survey_change():
    row = survey_change(MODELS, CONSTRUCT, ESTIMATES, FITS)
    assert (row["model"], row["contrast"], row["change"], row["low"], row["n_centers"]) == ("b_first_scale", "change_post", 0.4, 0.1, 8)


def test_a_model_that_was_not_estimated_gives_no_number_and_is_not_replaced():
    row = survey_change(MODELS, CONSTRUCT, ESTIMATES, FITS.assign(state="unreliable"))
    assert row["change_state"] == "unreliable" and row["model"] == "b_first_scale" and math.isnan(row["change"]) and math.isnan(row["low"])


def test_the_first_declared_contrast_stands_in_and_no_model_is_said():
    assert survey_change({"m": model("sel", "x", "y")}, CONSTRUCT, ESTIMATES, FITS)["contrast"] == "x"
    assert survey_change({"c": MODELS["c_observed"]}, CONSTRUCT, ESTIMATES, FITS)["change_state"] == "no_model"


def test_t_interval_over_centers_agrees_with_scipy():
    from scipy.stats import ttest_1samp

    values = np.array([0.2, -0.1, 0.4, np.nan, 0.3])
    found = mean_center_change(values)
    expected = ttest_1samp(values[~np.isnan(values)], 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)  # same formula
    assert found.n_centers == 4 and math.isnan(mean_center_change(np.array([1.0])).low)


VISITS = [("c1", "T1", 0.2), ("c1", "T1", 0.4), ("c1", "T4", 0.7), ("c2", "T1", 0.5), ("c2", "T3", 0.6), ("c2", "T4", 0.7), ("c3", "T4", 1)]


@pytest.mark.parametrize(
    ("compared", "waves", "change", "n"),
    [
        (None, "T1 to T4", 0.3, 2),  # c1: .7 - .3 = .4; c2: .7 - .5 = .2; c3 has no first wave
        (("T1", "T3"), "T1 to T3", 0.1, 1),  # c2 alone: .6 - .5
        (("T4", "T1"), "T4 to T1", -0.3, 2),  # the contrast's own direction
        (("T1", "T2"), "T1 to T4", 0.3, 2),  # nobody was observed at T2: first and last, and said so
    ],
)
def test_observation_is_compared_over_the_waves_of_the_contrast(compared, waves, change, n):
    observation = pd.DataFrame(VISITS, columns=["center_id", "wave", "value"]).assign(score="key")
    found = observation_change(observation, CONSTRUCT, ["T1", "T2", "T3", "T4"], compared)
    assert (found["observation_score"], found["observation_waves"], found["observation_n_centers"]) == ("key", waves, n)
    assert found["observation_change"] == pytest.approx(change)


def test_waves_of_the_contrast_that_is_shown():
    shown = {"id": "change_post", "label": "l", "compare": {"wave": ["T1", "T3"]}}
    other = {"id": "change_total", "label": "l", "compare": {"wave": ["T1", "T4"]}}
    models = {"m": {**model("sel"), "contrasts": [other, shown]}}
    assert contrast_waves(models, CONSTRUCT) == ("T1", "T3")
    assert survey_change(models, CONSTRUCT, ESTIMATES, FITS)["contrast_waves"] == "T1 to T3"
    assert contrast_waves({"m": {**model("sel"), "contrasts": [{**shown, "compare": {"role": ["a", "b"]}}]}}, CONSTRUCT) is None
    assert contrast_waves({}, CONSTRUCT) is None


def test_fidelity_counts_each_center_once():
    fidelity = pd.DataFrame(
        [("p1", "c1", None, 1.0), ("p2", "c1", None, 3.0), ("p3", "c2", None, 6.0), ("p3", "c2", "T1", 99.0)],
        columns=["unit_id", "center_id", "wave", "value"],
    ).assign(index="coaching")
    found = fidelity_mean(fidelity, CONSTRUCT)
    assert found == {"fidelity_index": "coaching", "fidelity": 4.0, "fidelity_n_centers": 2}  # (2 + 6) / 2
    assert math.isnan(fidelity_mean(fidelity, {"id": "x"})["fidelity"])


def test_a_session_that_raised_two_themes_of_a_construct_counts_once():
    presence = pd.DataFrame(
        [("s1", "a", 1, 1, 1, 0), ("s1", "b", 1, 1, 1, 0), ("s2", "a", 1, 0, 0, 0), ("s2", "b", 0, None, 0, 0)],
        columns=["unit_id", "theme", "asked", "present", "n_facilitator", "n_barrier"],
    ).assign(unit="session", wave="T2", center_id="c1", collaborative="x", role="r", coded=1, n_mixed=0, n_codings=1)
    row = theme_counts(presence, [{"theme": "a", "construct": "k"}, {"theme": "b", "construct": "k"}]).iloc[0]
    assert (row["construct"], row["n_asked"], row["n_present"], row["n_facilitator"]) == ("k", 2, 1, 1)
