"""Agreement within centers and the decision to aggregate."""

import numpy as np
import pytest

from bscstudy.measures.aggregation import aggregation, r_wg


def test_r_wg_of_one_item_has_a_closed_form():
    answers = np.array([[4.0], [4.0], [5.0], [3.0]])  # variance 2/3 against a null variance of 2
    assert r_wg(answers, 5) == pytest.approx(1 - (2 / 3) / 2, abs=1e-12)


def test_r_wg_of_several_items_has_a_closed_form():
    answers = np.array([[4, 3, 5], [4, 4, 5], [5, 3, 4], [np.nan, 1, 1]])
    share = np.mean([1 / 3] * 3) / 2  # the incomplete row is dropped
    assert r_wg(answers, 5) == pytest.approx(3 * (1 - share) / (3 * (1 - share) + share), abs=1e-12)


def test_answers_that_vary_more_than_at_random_have_no_agreement():
    assert r_wg(np.array([[1.0], [5.0]]), 5) == 0.0
    assert np.isnan(r_wg(np.array([[3.0]]), 5))


def test_centers_that_differ_and_agree_may_be_averaged():
    keyed = np.array([[2.0, 2.0], [2.0, 3.0], [4.0, 4.0], [4.0, 5.0], [3.0, 3.0], [3.0, 4.0]])
    found = aggregation(keyed.mean(axis=1), np.array(["a", "a", "b", "b", "c", "c"]), keyed, 5)
    assert found.aggregate == "yes"
    # means 2.25, 4.25, 3.25: MSB = 2, MSW = .125
    assert [found.icc1, found.icc2] == pytest.approx([(2 - 0.125) / (2 + 0.125), (2 - 0.125) / 2], abs=1e-12)


def test_centers_alike_or_without_agreement_may_not():
    keyed = np.array([[1.0], [5.0], [1.0], [5.0]])
    found = aggregation(keyed[:, 0], np.array(["a", "a", "b", "b"]), keyed, 5)
    assert found.aggregate == "no" and "r_wg" in found.decision and "ICC(1)" in found.decision
    assert aggregation(keyed[:, 0], np.array(["a", "b", "c", "d"]), keyed, 5).aggregate == "no"
