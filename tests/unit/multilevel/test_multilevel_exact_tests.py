"""Exact tests: published p values, loops over all patterns, intervals that agree with the test, refusals."""

from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bscstudy.errors import BscError
from bscstudy.multilevel.exact_tests import correlation_test, sign_flip_test, two_group_test

DATA = Path(__file__).parents[2] / "reference" / "data"
CHANGES = np.array([0.4, -0.1, 0.7, 0.3, 0.0, 0.3, 1.2])


def test_blood_pressure_equals_statxact():
    data = pd.read_csv(DATA / "mixed" / "coin_bloodp.csv")
    test = two_group_test(data["bp"], (data["group"] == "group1").to_numpy())
    # StatXact's printed digits, through the R package coin
    assert test.n_patterns == 1365 and round(test.p_value, 7) == 0.1040293 and round(min(test.p_greater, test.p_less), 8) == 0.05641026


@pytest.mark.parametrize(
    ("method", "order", "correlation", "p"),
    [  # no ties; correlation and two-sided p as in Kendall & Gibbons' and Zar's tables
        ("spearman", [3, 2, 1, 5, 4, 7, 6], 0.786, 0.048),
        ("spearman", [4, 3, 2, 1, 6, 5, 7, 8], 0.738, 0.046),
        ("kendall", [2, 1, 4, 3, 6, 5, 7], 0.714, 0.030),
        ("kendall", [3, 2, 1, 5, 4, 7, 6, 8], 0.643, 0.031),
    ],
)
def test_critical_values_of_rank_correlations(method, order, correlation, p):
    test = correlation_test(np.arange(len(order)), np.array(order), method=method)
    assert round(test.statistic, 3) == correlation and round(test.p_value, 3) == p
    if method == "kendall":
        assert test.p_value == pytest.approx(stats.kendalltau(np.arange(len(order)), order, method="exact").pvalue, rel=1e-12)


def test_smallest_attainable_p_of_the_usual_center_counts():
    assert sign_flip_test(np.arange(1, 8)).smallest_p == sign_flip_test(np.arange(1, 8)).p_value == 2 / 128
    uneven = two_group_test(np.array([9.0, 8.0, 7.0, 6.5, 1.0, 0.0, 0.5]), np.arange(7) < 4)
    assert uneven.smallest_p == uneven.p_value == 1 / 35 and uneven.smallest_p_doubled == uneven.p_doubled == 2 / 35
    # equal spacing: the four lowest and the four highest differ equally much from the rest, so that 1/35 cannot be reached
    assert two_group_test(np.arange(7.0), np.arange(7) < 4).smallest_p == 2 / 35
    assert two_group_test(np.arange(8.0), np.arange(8) < 4).smallest_p == 2 / 70


@pytest.mark.parametrize("null", [0.0, 0.3, -0.2])
def test_sign_flips_equal_a_loop_with_zeros_and_ties(null):
    shifted = CHANGES - null
    sums = np.array([np.dot(signs, shifted) for signs in product([1, -1], repeat=7)])
    test = sign_flip_test(CHANGES, null=null)
    near = 1e-9  # far above rounding, far below any difference of these one-digit changes
    assert test.p_value == np.mean(np.abs(sums) >= abs(shifted.sum()) - near)
    assert test.p_greater == np.mean(sums >= shifted.sum() - near) and test.p_less == np.mean(sums <= shifted.sum() + near)
    assert test.smallest_p == np.mean(np.abs(sums) >= np.abs(shifted).sum() - near)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_holds_what_the_sign_flip_test_does_not_reject(level):
    changes = np.random.default_rng(2).normal(0.5, 1, 8)
    low, high = sign_flip_test(changes, level=level).interval
    if level == 0.99:  # 2/256 is below .01, so that there is an end, at the outermost mean
        assert (low, high) == pytest.approx((changes.min(), changes.max()))
    for null in np.concatenate([np.linspace(-3, 4, 200), [low - 1e-6, low + 1e-6, high - 1e-6, high + 1e-6]]):
        assert (sign_flip_test(changes, null=null).p_value > 1 - level) == (low <= null <= high)


def test_five_centers_exclude_nothing():
    assert sign_flip_test(np.arange(1, 6)).interval == (-np.inf, np.inf)


def test_two_groups_equal_a_loop_with_ties():
    values, first = np.array([1, 1, 2, 4, 4, 7, 3.0]), np.array([1, 0, 1, 0, 0, 0, 1], bool)
    picks = [list(c) for c in combinations(range(7), 3)]
    differences = np.array([values[c].mean() - np.delete(values, c).mean() for c in picks])
    test = two_group_test(values, first)
    observed = values[first].mean() - values[~first].mean()
    assert test.statistic == pytest.approx(observed)
    assert test.p_value == np.mean(np.abs(differences) >= abs(observed) - 1e-9)
    assert test.p_less == np.mean(differences <= observed + 1e-9)
    assert test.smallest_p == np.mean(np.abs(differences) >= np.abs(differences).max() - 1e-9)


@pytest.mark.parametrize(
    ("method", "reference"), [("spearman", stats.spearmanr), ("kendall", stats.kendalltau), ("pearson", stats.pearsonr)]
)
def test_correlations_equal_a_loop_with_ties(method, reference):
    x, y = np.array([3, 1, 2, 2, 5.0, 4]), np.array([2, 2, 1, 3, 6, 3.5])
    every = np.array([reference(x, y[list(order)])[0] for order in permutations(range(6))])
    test = correlation_test(x, y, method=method)
    assert test.statistic == pytest.approx(reference(x, y)[0])
    assert test.p_value == np.mean(np.abs(every) >= abs(test.statistic) - 1e-9)
    assert test.p_greater == np.mean(every >= test.statistic - 1e-9)
    assert test.smallest_p == np.mean(np.abs(every) >= np.abs(every).max() - 1e-9)


def _random_tests(order):
    """Each test beyond its limit of enumeration, on rows in another order."""
    draw = np.random.default_rng(8)
    changes, x, y = draw.normal(0.4, 1, 26), draw.normal(size=30), draw.normal(size=30)
    first, y = np.arange(30) < 12, y + 0.4 * x
    order = np.arange(30) if order is None else np.random.default_rng(order).permutation(30)
    tests = [
        sign_flip_test(changes[order[order < 26]], seed=1),
        two_group_test((x + first)[order], first[order], seed=1, draws=40_000),
        correlation_test(x[order], y[order], method="pearson", seed=1),
    ]
    return tests, [stats.ttest_1samp(changes, 0), stats.ttest_ind(x[first] + 1, x[~first]), stats.pearsonr(x, y)]


def test_random_patterns_repeat_agree_with_large_sample_tests_and_ignore_row_order():
    tests, usual = _random_tests(None)
    again, _ = _random_tests(4)
    for test, other, reference in zip(tests, again, usual, strict=True):
        assert test.p_value == other.p_value and not test.enumerated
        # normal data: the permutation p is near that of t; four standard errors of 40,000 draws and as much for the approximation
        assert abs(test.p_value - reference.pvalue) < 0.01
    low, high = tests[0].interval
    assert np.allclose([low, high], usual[0].confidence_interval(), atol=0.05)


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("BSC-LMM-044", lambda: sign_flip_test(np.array([1.0, np.nan, 2.0]))),
        ("BSC-LMM-044", lambda: two_group_test(["low", "high"], np.array([True, False]))),
        ("BSC-LMM-112", lambda: sign_flip_test(np.array([1.0]))),
        ("BSC-LMM-113", lambda: correlation_test(np.ones(5), np.arange(5))),
        ("BSC-LMM-113", lambda: correlation_test(np.arange(5), np.ones(5))),
        ("BSC-LMM-114", lambda: correlation_test(np.arange(6), np.arange(5))),
        ("BSC-LMM-045", lambda: two_group_test(np.arange(5), np.ones(5, bool))),
        ("BSC-LMM-045", lambda: two_group_test(np.arange(5), np.array([1, 2, 1, 2, 1]))),
        ("BSC-LMM-046", lambda: correlation_test(np.arange(5), np.arange(5), method="tau")),
        ("BSC-LMM-047", lambda: sign_flip_test(np.arange(23))),
        ("BSC-LMM-047", lambda: two_group_test(np.arange(30), np.arange(30) < 15)),
        ("BSC-LMM-047", lambda: correlation_test(np.arange(10), np.arange(10))),
        ("BSC-LMM-083", lambda: sign_flip_test(np.arange(5), level=95)),
        ("BSC-LMM-048", lambda: sign_flip_test(np.arange(5), draws=0)),
        ("BSC-LMM-048", lambda: correlation_test(np.arange(5), np.arange(5), draws="many")),
        ("BSC-LMM-111", lambda: sign_flip_test(np.arange(23), seed="a")),
    ],
)
def test_refusals_name_their_cause(code, act):
    with pytest.raises(BscError) as raised:
        act()
    assert raised.value.code == code
