"""Kendall's tau-b with its exact permutation distribution, ties on either side included."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, product
from math import comb, factorial, nan, prod

import numpy as np

#: most combinations of units still to be placed that are gone through; a longer list of one kind of tie has no exact p
MOST_STATES = 100_000


@dataclass(frozen=True)
class KendallTau:
    """Tau-b (-1 to 1) of `n` pairs, its exact two-sided p, and the smallest p that these ties allow; NaN where not defined."""

    n: int
    tau: float
    p_value: float
    smallest_p: float


def kendall_tau_b(first: np.ndarray, second: np.ndarray) -> KendallTau:
    """Return tau-b and its exact p over all orders of one side against the other.

    Parameters
    ----------
    first, second : array of float, n
        Pairs with a missing value on either side do not enter.

    Returns
    -------
    KendallTau
        NaN where fewer than two pairs are left or a side is all tied; only `tau` where the distribution has more than `MOST_STATES` states.

    Notes
    -----
    Two-sided p: the share of the n! orders whose concordant minus discordant pairs are at least as far from 0 as those observed.
    Source: Kendall (1970), Rank correlation methods, chapters 3 and 5.
    Checked against scipy.stats.kendalltau (tau-b; exact p without ties), all orders gone through one by one with ties, the rank
    sum test for two groups, and Kendall's appendix table 1: tests/unit/test_qual_kendall.py.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    known = np.isfinite(first) & np.isfinite(second)
    first, second = first[known], second[known]
    n = len(first)
    x, y = (np.unique(side, return_counts=True)[1] for side in (first, second))
    if n < 2 or len(x) < 2 or len(y) < 2:
        return KendallTau(n, nan, nan, nan)
    score = _concordance(first, second)
    pairs = comb(n, 2)
    free = [pairs - sum(comb(int(size), 2) for size in sizes) for sizes in (x, y)]
    tau = score / (free[0] * free[1]) ** 0.5
    shares = concordance_distribution(x.tolist(), y.tolist())
    if shares is None:
        return KendallTau(n, tau, nan, nan)
    far = sum(share for value, share in shares.items() if abs(value) >= abs(score))
    most = max(abs(value) for value in shares)
    smallest = sum(share for value, share in shares.items() if abs(value) == most)
    return KendallTau(n, tau, min(1.0, far), min(1.0, smallest))


def _concordance(first: np.ndarray, second: np.ndarray) -> int:
    signs = np.sign(first[:, None] - first[None, :]) * np.sign(second[:, None] - second[None, :])
    return int(signs.sum()) // 2


def concordance_distribution(x: list[int], y: list[int]) -> dict[int, float] | None:
    """Return concordant minus discordant pairs -> its share of all orders.

    Parameters
    ----------
    x, y : list of int
        How many units are tied at each value of either side, lowest value first; both add up to n.

    Returns
    -------
    dict or None
        None where more than `MOST_STATES` states would have to be gone through.

    Notes
    -----
    The values of `y` are handed out from the lowest: how many of each value of `x` get it is hypergeometric, and each unit so placed
    is concordant with those of a higher `x` that are still to come and discordant with those of a lower one.
    """
    if len(x) > len(y):  # tau is symmetric; fewer values make fewer states
        x, y = y, x
    pairs = comb(sum(x), 2)
    if len(x) == sum(x):
        return {pairs - 2 * k: share for k, share in enumerate(_inversions(len(x)))}
    if prod(size + 1 for size in x) > MOST_STATES:
        return None
    start = np.zeros(2 * pairs + 1)
    start[pairs] = 1.0
    reached = {tuple(x): start}
    for size in y:
        following: dict[tuple[int, ...], np.ndarray] = {}
        for left, shares in reached.items():
            for taken in _compositions(size, left):
                rest = tuple(have - take for have, take in zip(left, taken, strict=True))
                chance = prod(comb(have, take) for have, take in zip(left, taken, strict=True)) / comb(sum(left), size)
                gained = sum(take * (sum(rest[i + 1 :]) - sum(rest[:i])) for i, take in enumerate(taken))
                into = following.setdefault(rest, np.zeros_like(start))
                into += chance * np.roll(shares, gained)  # nothing comes around: no sum of pairs exceeds all pairs
        reached = following
    shares = reached[(0,) * len(x)]
    return {int(place) - pairs: float(shares[place]) for place in np.flatnonzero(shares)}


def _inversions(n: int) -> list[float]:
    """Return the share of the n! orders with 0, 1, 2, ... inversions: one unit is added after the other (Kendall 1970, section 5.2)."""
    counts = [1]
    for size in range(2, n + 1):
        sums = [0, *accumulate([*counts, *[0] * (size - 1)])]
        counts = [sums[k + 1] - sums[max(0, k + 1 - size)] for k in range(len(counts) + size - 1)]
    return [count / factorial(n) for count in counts]


def _compositions(size: int, left: tuple[int, ...]):
    """Give the ways to take `size` units out of groups of which so many are left."""
    if size == 1:
        for place, have in enumerate(left):
            if have:
                yield tuple(int(i == place) for i in range(len(left)))
        return
    for taken in product(*(range(min(size, have) + 1) for have in left[:-1])):
        last = size - sum(taken)
        if 0 <= last <= left[-1]:
            yield (*taken, last)
