"""Whose answers count where two raters coded a visit, and how many visits must be coded twice."""

import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.double_coding import (
    rater_rows,
    scored_rows,
    visits_needed_for_icc,
    visits_needed_for_share,
    wilson_width,
)
from bscstudy.measures.observation_tables import instrument_scores
from bscstudy.measures.rater_scores import rater_scores
from bscstudy.measures.rater_tables import agreement_rows, generalizability_rows

ITEMS = [f"i{k}" for k in range(6)]
FORM = {"id": "form", "kind": "indicators", "source": "visits", "parts": [{"id": "key", "items": ITEMS}]}
RULES = [
    {},
    {"double_coded": "mean"},
    {"double_coded": "primary", "primary_rater": {"order": ["K2", "K1", "K3"]}},
    {"double_coded": "primary", "primary_rater": {"where": "lead == 1"}},
    {"double_coded": "consensus", "consensus_rater": "both"},
]


def visits(seed=5, n=40, consensus=False):
    """Visits by one or two of three raters with yes, no and no opportunity; the first rater of a visit leads."""
    random, rows = np.random.default_rng(seed), []
    for visit in range(n):
        raters = list(random.permutation(["K1", "K2", "K3"])[: random.integers(1, 3)])
        raters += ["both"] if consensus and len(raters) == 2 else []
        for place, rater in enumerate(raters):
            answers = dict(zip(ITEMS, random.choice([1.0, 0.0, np.nan], size=6, p=[0.5, 0.3, 0.2]), strict=True))
            why = {f"{item}__why": "no_opportunity" if math.isnan(value) else None for item, value in answers.items()}
            rows.append({"row": len(rows) + 2, "observation_id": f"v{visit}", "rater_id": rater, "lead": int(place == 0), **answers, **why})
    return pd.DataFrame(rows).assign(center_id="c1", wave="T1")


@pytest.mark.parametrize("rule", RULES)
def test_counts_equal_counting_by_hand(rule):
    rows, form = visits(consensus="consensus_rater" in rule), {**FORM, **rule}
    found = instrument_scores(rows, form, None)[0].set_index("observation_id")
    for visit, part in rows.groupby("observation_id"):
        own = part[part["rater_id"] != "both"]
        if rule.get("double_coded") == "consensus" and len(own) > 1:
            own = part[part["rater_id"] == "both"]
        elif "order" in rule.get("primary_rater", {}) and len(own) > 1:
            own = own[own["rater_id"] == ("K2" if "K2" in set(own["rater_id"]) else "K1")]
        elif "where" in rule.get("primary_rater", {}) and len(own) > 1:
            own = own[own["lead"] == 1]
        answers = [[row[item] for item in ITEMS] for row in own.to_dict("records")]
        scored = [row for row in answers if not all(math.isnan(v) for v in row)]
        yes, of = (sum(sum(v in codes for v in row) for row in scored) / len(scored) for codes in ((1,), (0, 1)))
        assert found.loc[visit, ["numerator", "denominator"]].tolist() == [yes, of]
        assert found.at[visit, "value"] == pytest.approx(yes / of, abs=1e-12)
        assert found.at[visit, "n_no_opportunity"] == 6 - of and found.at[visit, "n_unanswered"] == 0
        assert found.at[visit, "n_raters"] == (part["rater_id"] != "both").sum(), "how many coded it, whoever counts"
        assert found.at[visit, "scored_from"] == ("single" if (part["rater_id"] != "both").sum() == 1 else rule.get("double_coded", "mean"))


@pytest.mark.parametrize("rule", RULES[2:])
def test_counts_stay_whole_where_one_rater_counts(rule):
    found = instrument_scores(visits(consensus="consensus_rater" in rule), {**FORM, **rule}, None)[0]
    assert (found[["numerator", "denominator"]] % 1 == 0).all(axis=None)
    halves = instrument_scores(visits(), FORM, None)[0]
    assert (halves[["numerator", "denominator"]] % 1 == 0.5).any(axis=None), "two raters' counts are halves by default"


@pytest.mark.parametrize(
    "rule",
    [
        {"double_coded": "primary", "primary_rater": {"order": ["K9"]}},
        {"double_coded": "primary", "primary_rater": {"where": "lead >= 0"}},
        {"double_coded": "consensus", "consensus_rater": "nobody"},
    ],
)
def test_a_visit_without_one_rater_that_counts_is_refused_with_all_others(rule):
    rows = visits()
    double = rows.groupby("observation_id")["rater_id"].nunique().gt(1).sum()
    with pytest.raises(BscError, match="BSC-KEY-260") as fault:
        scored_rows(rows, {**FORM, **rule})
    assert len(fault.value.where) == double


def test_a_condition_that_cannot_be_used_is_refused():
    with pytest.raises(BscError, match="BSC-CFG-260"):
        scored_rows(visits(), {**FORM, "double_coded": "primary", "primary_rater": {"where": "nothing == 1"}})


def test_a_consensus_is_no_rater():
    """Two raters who never agree and a consensus that repeats the first: agreement is 0, not a third or more."""
    rows = pd.DataFrame({"observation_id": [1, 1, 1, 2, 2, 2], "rater_id": ["a", "b", "both"] * 2, "i0": [1, 0, 1, 0, 1, 0]})
    form = {**FORM, "parts": [{"id": "key", "items": ["i0"]}], "consensus_rater": "both", "agreement_width": 0.3}
    (found,) = agreement_rows(rows, form)
    assert (found["exact"], found["n_pairs"], found["n_units"], found["n_visits"]) == (0.0, 2, 2, 2)
    assert len(rater_rows(rows, form)) == 4 and len(rater_rows(rows, FORM)) == 6
    alone = rater_scores(rows, form)
    assert alone[["observation_id", "rater_id", "value"]].to_numpy().tolist() == [
        [1, "a", 1.0],
        [1, "b", 0.0],
        [2, "a", 0.0],
        [2, "b", 1.0],
    ]


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("width", [0.1, 0.25])
def test_visits_needed_for_exact_agreement_is_the_first_that_is_narrow_enough(share, width):
    from statsmodels.stats.proportion import proportion_confint

    needed = int(visits_needed_for_share(share, width))
    widths = [np.diff(proportion_confint(share * n, n, method="wilson"))[0] for n in (needed - 1, needed)]
    assert widths[1] <= width < widths[0]
    assert wilson_width(share, needed) == pytest.approx(widths[1], abs=1e-9)  # another implementation


def test_visits_needed_for_an_icc_as_bonett_gives_them():
    assert visits_needed_for_icc(0.8, 0.2) == 55  # 51 by his formula, 55 with the addition he advises for two raters
    assert visits_needed_for_icc(0.5, 0.2, raters=3) == math.ceil(8 * 1.959963984540054**2 * 0.25 * 4 / (6 * 0.04) + 1)
    assert math.isnan(visits_needed_for_icc(math.nan, 0.2)) and math.isnan(visits_needed_for_share(math.nan, 0.2))


def test_the_icc_interval_is_about_as_wide_as_planned():
    from bscstudy.measures.intraclass import one_way_icc

    n = int(visits_needed_for_icc(0.6, 0.3))
    random = np.random.default_rng(7)
    widths = []
    for _ in range(200):
        values = np.repeat(random.normal(size=n) * np.sqrt(0.6), 2) + random.normal(size=2 * n) * np.sqrt(0.4)
        found = one_way_icc(values, np.repeat(np.arange(n), 2))
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(0.3, abs=0.02)  # the formula is an approximation


def test_a_decision_study_is_made_where_it_is_asked_for():
    rows = visits(n=60).assign(classroom_id=[f"c{int(v[1:]) % 20}" for v in visits(n=60)["observation_id"]])
    rows["wave"] = [f"T{int(v[1:]) // 20}" for v in rows["observation_id"]]
    scores = rater_scores(rows, FORM)
    assert generalizability_rows(scores, FORM) == ([], [])
    parts, decisions = generalizability_rows(scores, {**FORM, "generalizability": {}})
    assert {row["component"] for row in parts} >= {"classroom", "rater", "occasion", "residual"}
    assert [(row["n_raters"], row["n_occasions"], row["target"]) for row in decisions[:2]] == [(1, 1, 0.8), (1, 2, 0.8)]
    (none,), decisions = generalizability_rows(scores, {**FORM, "generalizability": {"occasion": ["visit"]}})
    assert none["component"] == "none" and "fewer than three classrooms" in none["note"] and decisions == []
