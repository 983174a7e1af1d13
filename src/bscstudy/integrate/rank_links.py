"""How the order of a handful of centers by a theme agrees with their order by an outcome: rank correlations with exact p.

Called by the rule `link_themes`. A correlation over 7 to 23 centers says that two things are associated across them, never that one
leads to the other; one center can make it, so the range without each center stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from bscstudy.multilevel.exact_tests import correlation_test, two_group_test
from bscstudy.qual.kendall import kendall_tau_b

NAN = float("nan")
FEWEST_CENTERS = 4
HALF = 0.5
#: sessions asked from which a center is called high or low: what one or two people said is not told of a center
FEWEST_SESSIONS = 3
SPLIT_RULES = {
    "share": f"high: at least half of the sessions asked raised the theme; low: fewer; neither: fewer than {FEWEST_SESSIONS} asked",
    "presence": f"high: a session raised the theme; low: none did; neither: fewer than {FEWEST_SESSIONS} asked",
}


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation over centers; nan where it does not exist.

    Attributes
    ----------
    estimate : float
        Spearman's rho or Kendall's tau-b, -1 to 1.
    p_value : float
        Two-sided, by absolute size, ties counted.
    p_error : float
        Standard error of ``p_value`` from drawing orders at random; 0 where all orders were compared.
    smallest_p : float
        The smallest p that these values, ties included, can give.
    without_low, without_high : float
        Range of the estimate when each center in turn is left out.
    n_patterns : int
        Orders compared; 0 where the null distribution was counted in closed form.
    """

    estimate: float
    p_value: float
    p_error: float
    smallest_p: float
    without_low: float
    without_high: float
    n_patterns: int


@dataclass(frozen=True)
class GroupDifference:
    """Mean outcome of the high group minus that of the low group, with the exact p of a permutation test; nan with an empty group."""

    difference: float
    p_value: float
    p_doubled: float
    smallest_p: float
    n_high: int
    n_low: int
    mean_high: float
    mean_low: float


def correlate_ranks(x: np.ndarray, y: np.ndarray, method: str, seed: int, draws: int = 99_999) -> RankCorrelation:
    """Return a rank correlation of two values of each center.

    Parameters
    ----------
    x, y : ndarray, shape (n_centers,)
        One value of each center, none missing. Fewer than four centers, or no difference between them, give nan.
    method : {'spearman', 'kendall'}
    seed, draws : int
        Of the random orders beyond 9 centers. Kendall's tau needs none unless many centers are tied
        (`bscstudy.qual.kendall`).

    Source: Kendall and Gibbons 1990, Rank Correlation Methods, chapters 4 and 5.
    Checked against: published critical values for 7 and 8 centers, all orders one by one, scipy 1.17.1 in
    tests/unit/test_integrate_theme_links.py.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) < FEWEST_CENTERS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return RankCorrelation(NAN, NAN, NAN, NAN, NAN, NAN, 0)
    without = leave_one_out(x, y, method)
    if method == "kendall" and len(x) > 9:
        exact = kendall_tau_b(x, y)
        if exact.p_value >= 0:
            return RankCorrelation(exact.tau, exact.p_value, 0.0, exact.smallest_p, *without, 0)
    test = correlation_test(x, y, method=method, draws=draws, seed=seed)
    error = 0.0 if test.enumerated else sqrt(test.p_value * (1 - test.p_value) / test.n_patterns)
    return RankCorrelation(test.statistic, test.p_value, error, test.smallest_p, *without, test.n_patterns)


def rank_correlation(x: np.ndarray, y: np.ndarray, method: str) -> float:
    """Return Spearman's rho (of mid-ranks) or Kendall's tau-b; nan where a value does not differ between centers."""
    from scipy.stats import rankdata

    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return NAN
    if method == "kendall":
        signs = [np.sign(np.subtract.outer(v, v)) for v in (x, y)]
        return float(np.sum(signs[0] * signs[1]) / np.sqrt(np.sum(signs[0] ** 2) * np.sum(signs[1] ** 2)))
    ranks = [rankdata(v) - (len(v) + 1) / 2 for v in (x, y)]
    return float(ranks[0] @ ranks[1] / np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))


def leave_one_out(x: np.ndarray, y: np.ndarray, method: str) -> tuple[float, float]:
    """Return the lowest and the highest correlation when each center in turn is left out; nan where one of them does not exist."""
    each = [rank_correlation(np.delete(x, i), np.delete(y, i), method) for i in range(len(x))]
    return min(each), max(each)


def is_high(shares: np.ndarray) -> np.ndarray:
    """Return which centers are high: at least half of the sessions asked raised the theme."""
    return np.asarray(shares, dtype=float) >= HALF - 1e-12


def split_high_low(shares: np.ndarray, outcome: np.ndarray, seed: int) -> GroupDifference:
    """Compare the outcome of the centers where at least half of the sessions raised the theme with that of the others.

    Parameters
    ----------
    shares : ndarray, shape (n_centers,)
        Share of the sessions asked that raised the theme, 0 to 1; not missing.
    outcome : ndarray, shape (n_centers,)
        Not missing.
    seed : int
        Of the random assignments where there are more than 4 million (24 centers or more).

    Returns
    -------
    GroupDifference
        p by the absolute difference of means over all assignments to groups of these sizes; ``p_doubled`` is twice the smaller
        one-sided p, the other usual rule, which differs where the groups do.

    Source: Pitman 1937; see `bscstudy.multilevel.exact_tests.two_group_test`.
    Checked against: 2/70 for 4 and 4 centers, 1/35 for 4 and 3, in tests/unit/test_integrate_theme_links.py.
    """
    high = is_high(shares)
    outcome = np.asarray(outcome, dtype=float)
    n_high, n_low = int(high.sum()), int((~high).sum())
    if not n_high or not n_low:
        mean = float(outcome.mean()) if len(outcome) else NAN
        return GroupDifference(NAN, NAN, NAN, NAN, n_high, n_low, mean if n_high else NAN, mean if n_low else NAN)
    test = two_group_test(outcome, high, seed=seed)
    means = float(outcome[high].mean()), float(outcome[~high].mean())
    return GroupDifference(test.statistic, test.p_value, test.p_doubled, test.smallest_p, n_high, n_low, *means)
