"""Drift of raters: against the consensus, against each other, period by period."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.rater_drift import drift_by_period, rater_deviations, visit_periods

FORM = {"id": "form", "source": "visits"}
TWO = {"score": ["x", "-y"]}


def rows(values, **more):
    """Visit, rater, date, x, y."""
    frame = pd.DataFrame(values, columns=["observation_id", "rater_id", "visit_date", "x", "y"])
    return frame.assign(row=range(2, len(frame) + 2), wave="T1", **more)


PAIR = rows(
    [("v1", "a", "2024-01-05", 5, 2), ("v1", "b", "2024-01-05", 3, 2), ("v2", "a", "2024-03-05", 4, 1), ("v2", "b", "2024-03-05", 4, 3)]
)


def test_two_raters_mirror_each_other_and_reversed_items_count_the_other_way():
    found = rater_deviations(PAIR, FORM, TWO).pivot(index="observation_id", columns="rater_id", values="deviation")
    assert found.loc["v1"].tolist() == [1.0, -1.0]  # x: +2, y: 0
    assert found.loc["v2"].tolist() == [1.0, -1.0]  # x: 0, y: -2, reversed +2


def test_the_consensus_is_the_reference_where_there_is_one():
    both = rows([("v1", "both", "2024-01-05", 5, 2)])
    found = rater_deviations(pd.concat([PAIR, both], ignore_index=True), {**FORM, "consensus_rater": "both"}, TWO)
    known = found.set_index(["observation_id", "rater_id"])
    assert known.loc[("v1", "a"), "deviation"] == 0 and known.loc[("v1", "b"), "deviation"] == -1
    assert known["reference"].to_dict()[("v1", "a")] == "consensus" and known["reference"].to_dict()[("v2", "a")] == "other raters"
    assert "both" not in set(found["rater_id"])


def test_answers_with_nothing_to_compare_them_with_are_left_out():
    lonely = PAIR.assign(x=[5, np.nan, 4, 4])
    found = rater_deviations(lonely, FORM, {"s": ["x"]})
    assert set(found["observation_id"]) == {"v2"}
    assert rater_deviations(PAIR[PAIR["rater_id"] == "a"], FORM, TWO).empty


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, ["T1"] * 4),
        ({"drift_by": "month", "visit_date": "visit_date"}, ["2024-01", "2024-01", "2024-03", "no date"]),
        (
            {"drift_by": "training", "visit_date": "visit_date", "training_dates": ["2024-03-05", "2024-02-01"]},
            ["before 2024-02-01", "before 2024-02-01", "from 2024-03-05", "no date"],
        ),
    ],
)
def test_periods(form, expected):
    dated = PAIR.assign(visit_date=["2024-01-05", "2024-01-31", "2024-03-05", None])
    assert visit_periods(dated, {**FORM, **form}).tolist() == expected, "the day of a training begins its period"


def test_a_date_that_is_none_is_refused():
    with pytest.raises(BscError, match="BSC-DAT-260"):
        visit_periods(PAIR.assign(visit_date="soon"), {**FORM, "drift_by": "month", "visit_date": "visit_date"})


def test_a_planted_drift_is_found_in_its_period_and_nowhere_else():
    random = np.random.default_rng(3)
    planted = []
    for number in range(120):
        month, truth = 1 + number // 20, random.normal(4)
        for rater in ("a", "b", "c"):
            shift = 0.6 if rater == "c" and month > 3 else 0.0
            planted.append((f"v{number}", rater, f"2024-0{month}-10", truth + shift + random.normal() * 0.3, 1))
    form = {**FORM, "drift_by": "month", "visit_date": "visit_date"}
    found = drift_by_period(rater_deviations(rows(planted), form, {"s": ["x"]})).set_index(["rater_id", "period"])
    late = found.loc["c"].loc["2024-04":, "deviation"]
    assert late.to_numpy() == pytest.approx([0.6] * 3, abs=0.25)  # three standard errors: .3 * sqrt(1.5 / 20) each
    early = found.loc["c"].loc[:"2024-03"]
    assert ((early["low"] < 0) & (early["high"] > 0)).all() and (found["n_visits"] == 20).all()
    others = found.loc["a"].loc["2024-04":, "deviation"].mean()
    assert others == pytest.approx(-0.3, abs=0.15), "half of what the other two differ by: the reference is their mean"


def test_few_visits_and_visits_that_do_not_differ_have_no_interval():
    found = drift_by_period(rater_deviations(PAIR, FORM, TWO))
    assert found["n_visits"].tolist() == [2, 2] and found[["low", "high"]].isna().all(axis=None)
