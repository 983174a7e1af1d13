"""The rule of fit, case by case, the joint display and the order of centers."""

import math

import pandas as pd
import pytest

from bscstudy.integrate.centers import center_themes, rank_centers
from bscstudy.integrate.joint import joint_display, propose_fit

NAN = float("nan")


@pytest.mark.parametrize(
    ("low", "high", "better", "net", "n_present", "fit"),
    [
        (0.1, 0.5, "higher", 0.5, 4, "confirm"),
        (0.1, 0.5, "higher", 1 / 3, 4, "confirm"),  # two to one is one-sided
        (0.1, 0.5, "higher", 0.2, 4, "expand"),
        (0.1, 0.5, "higher", -0.5, 4, "discord"),
        (-0.5, -0.1, "higher", -0.5, 4, "confirm"),
        (-0.5, -0.1, "lower", 0.5, 4, "confirm"),  # less turnover intention is wanted
        (0.1, 0.5, "lower", 0.5, 4, "discord"),
        (-0.1, 0.5, "higher", 0.5, 4, "complement"),
        (0.0, 0.5, "higher", 0.5, 4, "complement"),  # an interval that touches zero includes it
        (0.1, 0.5, "none", 0.5, 4, "complement"),
        (0.1, 0.5, "higher", NAN, 4, "expand"),  # raised, but neither as facilitator nor as barrier
        (0.1, 0.5, "higher", NAN, 0, "silent"),
        (NAN, NAN, "higher", 0.5, 4, "silent"),
    ],
)
def test_proposed_fit(low, high, better, net, n_present, fit):
    found = propose_fit(low, high, better, net, n_present)
    assert found.fit == fit and found.rule


CONFIG = {
    "waves": [{"id": "T1", "order": 1, "phase": "baseline"}, *({"id": w, "order": int(w[1]), "phase": "post"} for w in ("T3", "T4"))],
    "items": [{"instrument": "form", "item": "a", "type": "ordinal", "response_scale": "agree", "minimum": 1, "maximum": 5}],
    "themes": [{"theme": "a", "construct": "turnover"}],
    "scales": [{"scale": "leave", "better": "lower", "instrument": "form", "rule": "mean", "items": "a"}],
    "models": {
        "m": {
            "outcome": "leave", "unit": "person", "question": "change", "construct": "turnover",
            "contrasts": [{"id": "change_post", "label": "T1 to T3", "compare": {"wave": ["T1", "T3"]}}],
        }
    },
    "theory_of_change": {
        "constructs": [
            {"id": "spread", "label": "Spread", "level": "center", "block": "practice", "order": 2},
            {"id": "turnover", "label": "Turnover", "level": "individual", "block": "context", "order": 1, "scales": ["leave"],
             "observation": ["key"]},
        ]
    },
}  # fmt: skip
ESTIMATES = pd.DataFrame([("m", "contrast", "change_post", -0.3, -0.5, -0.1)], columns=["model", "kind", "term", "estimate", "low", "high"])
FITS = pd.DataFrame({"model": ["m"], "state": ["boundary"], "n": [20], "n_centers": [7]})
PRESENCE = pd.DataFrame(
    [("s1", 1, 1, 2, 0), ("s2", 1, 0, 0, 0), ("s3", 0, None, 0, 0)], columns=["unit_id", "asked", "present", "n_facilitator", "n_barrier"]
).assign(unit="session", theme="a", wave="T1", center_id="c1", collaborative="x", role="r", coded=1, n_mixed=0, n_codings=1)


@pytest.mark.parametrize(("p_adjusted", "fit"), [(0.049, "confirm"), (0.05, "complement")])
def test_a_change_that_is_not_clear_among_several_tests_confirms_nothing(p_adjusted, fit):
    assert propose_fit(0.1, 0.5, "higher", 0.5, 4, p_adjusted).fit == fit


def test_joint_display_has_every_construct_in_order_and_no_zero_for_silence():
    empty = pd.DataFrame(columns=["score", "wave", "center_id", "value", "index", "unit_id"])
    frame = joint_display(CONFIG, ESTIMATES, FITS, empty, empty, PRESENCE)
    assert frame["construct"].tolist() == ["turnover", "spread"]
    turnover, spread = frame.to_dict("records")
    assert (turnover["change"], turnover["n_asked"], turnover["n_present"], turnover["share"]) == (-0.3, 2, 1, 0.5)
    assert (turnover["low"], turnover["high"], turnover["fit_proposed"]) == (-0.5, -0.1, "confirm")
    assert turnover["share_low"] < 0.5 < turnover["share_high"]
    assert spread["fit_proposed"] == "silent" and all(math.isnan(spread[c]) for c in ("change", "share", "fidelity", "observation_change"))


@pytest.mark.parametrize(
    ("better", "expected"), [("higher", [3, 1.5, 1.5, None]), ("lower", [1, 2.5, 2.5, None]), ("none", [3, 1.5, 1.5, None])]
)
def test_the_most_wanted_change_ranks_first(better, expected):
    ranks = rank_centers(pd.Series([-0.2, 0.4, 0.4, None]), better)
    assert [None if math.isnan(rank) else rank for rank in ranks] == expected


def test_survey_and_observation_are_compared_over_the_same_waves():
    visits = pd.DataFrame({"wave": ["T1", "T3", "T4"], "value": [0.2, 0.5, 0.9], "center_id": "c1", "score": "key"})
    empty = pd.DataFrame(columns=["index", "wave", "center_id", "value", "unit_id"])
    row = joint_display(CONFIG, ESTIMATES, FITS, visits, empty, PRESENCE).iloc[0]
    assert row["contrast_waves"] == row["observation_waves"] == "T1 to T3" and row["observation_change"] == pytest.approx(0.3)


SCORES = pd.DataFrame(
    [("c1", "T1", 2.0), ("c1", "T3", 2.3), ("c1", "T4", 9), ("c2", "T1", 3.0), ("c2", "T3", 2.9), ("c2", "T4", 9)],
    columns=["center_id", "wave", "score"],
).assign(scale="leave", instrument="form", row_id="form:1")


def test_centers_without_interviews_stay_in_the_table():
    counts = {"n_asked": 2, "n_present": 1, "share": 0.5, "n_facilitator": 1, "n_barrier": 0, "net_direction": 1.0}
    theme_center = pd.DataFrame([{"theme": "a", "center_id": "c1", "wave": wave, **counts} for wave in ("T1", "all")])
    centers = pd.DataFrame({"center_id": ["c1", "c2"], "collaborative": ["x", "x"]})
    frame = center_themes(CONFIG, SCORES, theme_center, centers).set_index("center_id")
    assert frame["outcome_change"].tolist() == pytest.approx([0.3, -0.1]) and set(frame["outcome_waves"]) == {"T1 to T3"}
    assert frame["outcome_rank"].tolist() == [2, 1] and frame["n_asked"].tolist() == [2, 0]
    assert frame.loc["c1", "share"] == 0.5 and math.isnan(frame.loc["c2", "share"])


def test_a_contrast_that_compares_no_waves_leaves_baseline_to_last():
    other = {**CONFIG["models"]["m"], "contrasts": [{"id": "change_post", "label": "roles", "compare": {"role": ["r", "s"]}}]}
    theme_center = pd.DataFrame(
        columns=["theme", "center_id", "wave", *"n_asked n_present share n_facilitator n_barrier net_direction".split()]
    )
    centers = pd.DataFrame({"center_id": ["c1", "c2"], "collaborative": "x"})
    frame = center_themes({**CONFIG, "models": {"m": other}}, SCORES, theme_center, centers)
    assert set(frame["outcome_waves"]) == {"T1 to T4"} and frame["outcome_change"].tolist() == pytest.approx([7, 6])
