"""Exact tests on center means: sign flips, two-group permutation, permutation of a correlation, by full enumeration."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_draws, check_level, check_seed, no_seed
from bscstudy.multilevel.enumeration import drawn_orders, drawn_subsets, drawn_sums, orders, subsets, sums_of_size

#: enumerate up to about 4 million patterns: sign flips of 22 centers
_MOST_PATTERNS = 1 << 22
#: orders of 9 centers
_MOST_ORDERS = 362_880
#: statistics closer than this share of the largest possible one tie; the values' own rounding comes on top
_TIE, _ROUNDING = 1e-11, 1e-3


@dataclass(frozen=True)
class ExactTest:
    """A permutation test.

    Attributes
    ----------
    statistic : float
        Mean change, difference of two group means (first minus second), or correlation.
    p_value : float
        Two-sided by ``rule``: patterns at least as far from no difference as the data, ties counted.
    p_greater, p_less : float
        One-sided: patterns at least as large, or at most as large, as the data.
    p_doubled : float
        Twice the smaller one-sided p, at most 1: the other usual two-sided rule.
    smallest_p, smallest_p_doubled : float
        The smallest ``p_value`` and ``p_doubled`` that these values, ties among them included, could have given.
    n : int
        Centers.
    n_patterns : int
        Patterns compared, the data's own included.
    enumerated : bool
        All patterns, or a random part of them.
    rule : str
        The two-sided rule in words.
    level : float or None
    interval : tuple of (float, float) or None
        Values of the mean change that the two-sided test does not reject (sign flips only); infinite where nothing is rejected.
    """

    statistic: float
    p_value: float
    p_greater: float
    p_less: float
    p_doubled: float
    smallest_p: float
    smallest_p_doubled: float
    n: int
    n_patterns: int
    enumerated: bool
    rule: str
    level: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def method(self) -> str:
        """The method in words."""
        return f"{'exact' if self.enumerated else 'random'} permutation, {self.n_patterns} patterns, {self.rule}"


def sign_flip_test(
    changes: np.ndarray, *, null: float = 0.0, level: float = 0.95, draws: int = 99_999, seed: int | None = None
) -> ExactTest:
    """Test that the changes of G centers are symmetric about ``null``, by flipping their signs.

    Parameters
    ----------
    changes : ndarray, shape (G,)
        One change (or mean) a center, no missing values.
    null : float
    level : float
        Of the interval for the mean change.
    draws, seed : int
        Random patterns beyond 22 centers, where a seed is needed.

    Returns
    -------
    ExactTest

    Raises
    ------
    BscError
        BSC-LMM-044 missing values; 112 fewer than two; 047 too many patterns to enumerate and no seed; 048, 083, 111 draws, level or
        seed that are none.

    Notes
    -----
    Flipping the set S gives a sum at least as large exactly if the mean of S is at most ``null``, so the interval ends at order
    statistics of the means of all sets of centers (Hartigan's typical values).

    Source: Fisher (1935); Hartigan (1969), JASA 64.
    Checked against: loops over all patterns, test_multilevel_exact_tests.
    """
    changes = _values(changes)
    check_level(level)
    check_draws(draws, "draws")
    n = len(changes)
    enumerated = 1 << n <= _MOST_PATTERNS
    shifted = changes - null
    sums, sizes = subsets(shifted) if enumerated else drawn_subsets(shifted, draws, _seeded(seed, n))
    limit = np.abs(shifted).sum() + _ROUNDING * (np.abs(changes).sum() + n * abs(null))
    total = shifted.sum()
    parts = _tails(total - 2 * sums, total, limit)  # flipping the signs of a subset takes twice its sum away
    zeros = int(np.sum(np.abs(shifted) <= _TIE * limit))
    smallest = min(1.0, 2.0 ** (1 + zeros - n)) if enumerated else 2 / len(sums)
    interval = _interval(sums, sizes, 1 - level, null)
    rule = "two-sided by |mean change|, ties counted" if null == 0 else f"two-sided by |mean change - {null:g}|, ties counted"
    return ExactTest(float(changes.mean()), *parts, smallest, smallest, n, len(sums), enumerated, rule, level, interval)


def two_group_test(values: np.ndarray, first: np.ndarray, *, draws: int = 99_999, seed: int | None = None) -> ExactTest:
    """Test that two groups of centers do not differ in their means, by assigning the centers to the groups in all ways.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One mean a center, no missing values.
    first : ndarray of bool, shape (n,)
        Whether the center is in the first group; both groups must have centers.
    draws, seed : int
        Random assignments where there are more than 4 million, where a seed is needed.

    Returns
    -------
    ExactTest
        ``p_value`` by the absolute difference of means (with unequal groups ``p_doubled`` is another number).

    Raises
    ------
    BscError
        BSC-LMM-044 missing values; 112 fewer than two; 045 not two groups; 047 too many patterns and no seed; 048, 111 draws or seed
        that are none.

    Notes
    -----
    Source: Pitman (1937); Edgington & Onghena (2007), Randomization Tests.
    Checked against: StatXact's blood pressure example, test_multilevel_exact_tests.
    """
    values = _values(values)
    first = np.asarray(first)
    n, size = len(values), int(np.sum(first.astype(bool))) if first.dtype == bool else 0
    if first.shape != values.shape or not 0 < size < n:
        raise BscError(
            "BSC-LMM-045",
            "A two-group permutation test needs two groups.",
            "groups",
            "There is nothing to compare.",
            "Mark each center as true (first group) or false (second group), with at least one of either.",
        )
    check_draws(draws, "draws")
    n_patterns = comb(n, size)
    enumerated = n_patterns <= _MOST_PATTERNS
    centered = values - values.mean()
    sums = sums_of_size(centered, size) if enumerated else drawn_sums(centered, first, draws, _seeded(seed, n))
    scale = 1 / size + 1 / (n - size)
    statistic = float(centered[first].sum() * scale)
    limit = (np.abs(centered).sum() + _ROUNDING * np.abs(values).sum()) * scale
    parts = _tails(sums * scale, statistic, limit)
    smallest = _smallest(sums * scale, limit, enumerated)
    return ExactTest(statistic, *parts, *smallest, n, len(sums), enumerated, "two-sided by |difference of means|, ties counted")


def correlation_test(x: np.ndarray, y: np.ndarray, *, method: str = "spearman", draws: int = 99_999, seed: int | None = None) -> ExactTest:
    """Test that two values of n centers are unrelated, by pairing them in all ways.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        No missing values, neither constant.
    method : str
        ``spearman`` (mid-ranks), ``kendall`` (tau-b) or ``pearson``.
    draws, seed : int
        Random orders beyond 9 centers, where a seed is needed.

    Returns
    -------
    ExactTest

    Raises
    ------
    BscError
        BSC-LMM-044 missing values; 112 fewer than two; 113 constant values; 114 not as many x as y; 046 unknown method; 047 too many
        patterns and no seed; 048, 111 draws or seed that are none.

    Notes
    -----
    Source: Kendall & Gibbons (1990), Rank Correlation Methods; Pitman (1937).
    Checked against: published critical values for 7 and 8 centers, scipy.stats, test_multilevel_exact_tests.
    """
    x, y = _values(x), _values(y)
    _refuse_unpaired(x, y)
    check_draws(draws, "draws")
    n = len(x)
    enumerated = n <= 9
    pairings = orders(n) if enumerated else drawn_orders(n, draws, _seeded(seed, n))
    observed, statistics = _correlations(x, y, pairings, method)
    parts = _tails(statistics, observed, 1.0)
    smallest = _smallest(statistics, 1.0, enumerated)
    return ExactTest(observed, *parts, *smallest, n, len(pairings), enumerated, f"two-sided by |{method} correlation|, ties counted")


def _tails(statistics: np.ndarray, observed: float, limit: float) -> tuple[float, float, float, float]:
    """Two-sided, greater, less and doubled p of the observed among all statistics; ``limit`` bounds their size."""
    margin = _TIE * limit
    both = float(np.mean(np.abs(statistics) >= abs(observed) - margin))
    greater, less = float(np.mean(statistics >= observed - margin)), float(np.mean(statistics <= observed + margin))
    return both, greater, less, min(1.0, 2 * min(greater, less))


def _smallest(statistics: np.ndarray, limit: float, enumerated: bool) -> tuple[float, float]:
    """Smallest two-sided and doubled p that any of the patterns would have had as data."""
    if not enumerated:
        return 1 / len(statistics), min(1.0, 2 / len(statistics))
    high, low = statistics.max(), statistics.min()
    margin = _TIE * limit
    both = np.mean(np.abs(statistics) >= max(high, -low) - margin)
    one = min(np.mean(statistics >= high - margin), np.mean(statistics <= low + margin))
    return float(both), float(min(1.0, 2 * one))


def _interval(sums: np.ndarray, sizes: np.ndarray, alpha: float, null: float) -> tuple[float, float]:
    """Not rejected are values with 2 (empty subsets + means at most as large) / patterns > alpha, and the same from above."""
    some = sizes > 0
    means = sums[some] / sizes[some] + null
    rank = int(np.floor(alpha * len(sums) / 2 * (1 + 1e-12))) + 1 - int(np.sum(~some))
    if rank <= 0:
        return -np.inf, np.inf
    ends = np.partition(means, [rank - 1, len(means) - rank])
    return float(ends[rank - 1]), float(ends[len(means) - rank])


def _correlations(x: np.ndarray, y: np.ndarray, orders: np.ndarray, method: str) -> tuple[float, np.ndarray]:
    """The correlation of the data and of every order of y (rows sorted by x, then y, so that the data's order cannot matter)."""
    from scipy.stats import rankdata

    sorting = np.lexsort((y, x))
    x, y = x[sorting], y[sorting]
    if method == "kendall":
        signs = [np.sign(v[:, None] - v) for v in (x, y)]
        size = np.sqrt(np.sum(signs[0] ** 2) * np.sum(signs[1] ** 2)) / 2
        pairs = [(i, j) for i in range(len(x)) for j in range(i) if signs[0][i, j]]
        statistics = sum(signs[0][i, j] * signs[1][orders[:, i], orders[:, j]] for i, j in pairs) / size
    elif method in ("spearman", "pearson"):
        x, y = (rankdata(v) if method == "spearman" else v for v in (x, y))
        x, y = ((v - v.mean()) / np.linalg.norm(v - v.mean()) for v in (x, y))
        statistics = sum(x[i] * y[orders[:, i]] for i in range(len(x)))
    else:
        raise BscError(
            "BSC-LMM-046",
            f"There is no test of a correlation {method!r}.",
            "method",
            "Each correlation answers its own question.",
            "Use spearman, kendall or pearson.",
        )
    return float(statistics[0]), statistics


def _values(values: np.ndarray) -> np.ndarray:
    try:
        values = np.asarray(values, float)
    except (TypeError, ValueError):
        values = np.full(2, np.nan)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise BscError(
            "BSC-LMM-044",
            "The values of an exact test are missing or not finite numbers.",
            "values",
            "An exact test compares one value a center.",
            "Give one finite number for each center.",
        )
    if len(values) < 2:
        raise BscError(
            "BSC-LMM-112",
            "An exact test has fewer than two values.",
            "values",
            "One center by itself has nothing to be compared with.",
            "Give the values of at least two centers.",
        )
    return values


def _refuse_unpaired(x: np.ndarray, y: np.ndarray) -> None:
    if len(x) != len(y):
        raise BscError(
            "BSC-LMM-114",
            f"There are {len(x)} values of x and {len(y)} of y.",
            "x, y",
            "A correlation is one of pairs.",
            "Give both values of each center, in the same order.",
        )
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise BscError(
            "BSC-LMM-113",
            "All values to be correlated are equal.",
            "x" if np.ptp(x) == 0 else "y",
            "What does not vary is related to nothing, and no correlation exists.",
            "Use a property in which the centers differ.",
        )


def _seeded(seed: int | None, n: int) -> np.random.Generator:
    if seed is None:
        raise no_seed(n, "centers")
    check_seed(seed)
    return np.random.default_rng(seed)
