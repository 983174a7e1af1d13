"""Kendall's tau-b and its exact p: scipy, all orders gone through one by one, and Kendall's own table."""

from itertools import permutations

import numpy as np
import pytest

from bscstudy.qual.kendall import concordance_distribution, kendall_tau_b

EXACT = 1e-10  # sums of a few hundred shares, double precision

TIED = [
    ([2, 2, 1, 0, 0, -1, -2], [5, 1, 4, 3, 3, 2, 0]),
    ([1, 1, 1, 0, 0, 0], [3, 3, 2, 2, 1, 1]),
    ([2, 2, 2, -1, 1, 1], [1, 2, 3, 4, 5, 6]),
]


@pytest.mark.parametrize(("x", "y"), TIED)
def test_exact_p_with_ties_is_that_of_all_orders(x, y):
    def score(order):
        return sum(np.sign(x[i] - x[j]) * np.sign(order[i] - order[j]) for i in range(len(x)) for j in range(i))

    scores = [score(order) for order in permutations(y)]
    found = kendall_tau_b(x, y)
    assert found.p_value == pytest.approx(np.mean(np.abs(scores) >= abs(score(y))), abs=EXACT)
    assert found.smallest_p == pytest.approx(np.mean(np.abs(scores) == np.abs(scores).max()), abs=EXACT)


@pytest.mark.parametrize("n", [5, 9, 15])
def test_without_ties_it_is_scipys_exact_p(n):
    from scipy.stats import kendalltau

    x, y = np.arange(n), np.random.default_rng(n).permutation(n)
    found, known = kendall_tau_b(x, y), kendalltau(x, y, method="exact")
    assert (found.tau, found.p_value) == pytest.approx((known.statistic, known.pvalue), abs=EXACT)


def test_ratings_of_23_centers_have_the_p_of_random_orders():
    random = np.random.default_rng(3)
    x, y = random.integers(-2, 3, 23), random.standard_normal(23)
    sign = np.sign(np.subtract.outer(x, x))
    orders = [np.sign(np.subtract.outer(z, z)) for z in (random.permutation(y) for _ in range(20_000))]
    scores = np.abs([(sign * order).sum() for order in orders])
    observed = abs((sign * np.sign(np.subtract.outer(y, y))).sum())
    # four standard errors of a share among 20,000 orders
    assert kendall_tau_b(x, y).p_value == pytest.approx((scores >= observed).mean(), abs=0.014)


#: Kendall (1970), appendix table 1: n, concordant minus discordant pairs, share of orders with at least so many
KENDALL = [(4, 6, 0.042), (5, 8, 0.042), (6, 11, 0.028), (7, 13, 0.035), (7, 15, 0.015), (8, 16, 0.031), (8, 18, 0.016), (9, 20, 0.022)]


@pytest.mark.parametrize(("n", "score", "share"), KENDALL)
def test_shares_are_those_of_kendalls_table(n, score, share):
    found = concordance_distribution([1] * n, [1] * n)
    assert sum(part for value, part in found.items() if value >= score) == pytest.approx(share, abs=5e-4)  # printed to three digits


def test_two_groups_give_the_shares_of_the_rank_sum_test():
    # with two values on a side, concordant minus discordant pairs are twice Mann and Whitney's U less m n
    from scipy.stats import mannwhitneyu

    x, y = [1, 1, 1, 1, 0, 0, 0], [9, 7, 6, 3, 5, 2, 1]
    known = mannwhitneyu([9, 7, 6, 3], [5, 2, 1], method="exact").pvalue
    assert kendall_tau_b(x, y).p_value == pytest.approx(known, abs=EXACT)


def test_where_it_is_not_defined_it_is_missing():
    assert np.isnan(kendall_tau_b([1, 1, 1], [1, 2, 3]).p_value)
    assert np.isnan(kendall_tau_b([1], [2]).tau)
    assert kendall_tau_b([1, np.nan, 2, 0], [1, 5, 2, np.nan]).n == 2
    many = np.arange(60) % 6
    assert np.isnan(kendall_tau_b(many, np.arange(60)).p_value) and not np.isnan(kendall_tau_b(many, np.arange(60)).tau)
