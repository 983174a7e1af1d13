"""Correlation of the normal variables behind two ordered answers, by the two steps of maximum likelihood."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

#: correlations beyond this are taken to have no maximum: cells are empty where the answers cannot disagree
HIGHEST = 0.999
#: an item with more different answers is not treated as ordered categories
MOST_ANSWERS = 20


def polychoric_correlations(answers: np.ndarray) -> np.ndarray:
    """Return the polychoric correlations of k items.

    Parameters
    ----------
    answers : ndarray, n x k
        Ordered answers, any numbers; rows with a missing answer are dropped.

    Returns
    -------
    ndarray, k x k
        Unit diagonal; NaN where an item has one answer or more than `MOST_ANSWERS`, and where the likelihood rises up to a correlation
        of `HIGHEST`. Nothing is added to empty cells.

    Notes
    -----
    Thresholds come from each item's own shares, then each pair's correlation maximises the likelihood of its table.

    Source: Olsson (1979), Psychometrika 44, the two-step method.
    Checked against: R polycor 0.8-1 and psych 2.2.9, and the closed form of two items split at the median (sine of half pi times phi):
    tests/unit/test_measures_polychoric.py.
    """
    complete = answers[~np.isnan(answers).any(axis=1)]
    k = complete.shape[1]
    found = np.eye(k)
    columns = np.ascontiguousarray(complete.T)
    codes = [np.searchsorted(np.unique(column), column) for column in columns]
    for second in range(k):
        for first in range(second):
            found[first, second] = found[second, first] = _correlation(codes[first], codes[second])
    return found


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    from scipy.optimize import brentq
    from scipy.special import ndtri

    rows, columns = int(first.max(initial=0)) + 1, int(second.max(initial=0)) + 1
    if not 2 <= rows <= MOST_ANSWERS or not 2 <= columns <= MOST_ANSWERS:
        return math.nan
    counts = np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns).astype(float)
    cuts = [ndtri(np.cumsum(counts.sum(axis=axis))[:-1] / counts.sum()) for axis in (1, 0)]

    def slope(correlation: float) -> float:
        """Derivative of the log-likelihood; cells without answers do not enter."""
        share = _rectangles(_normal_below(*cuts, correlation), *cuts)
        rise = _rectangles(_density(*cuts, correlation), *cuts, margins=False)
        seen = counts > 0
        return float((counts[seen] * rise[seen] / np.maximum(share[seen], 1e-300)).sum())

    low, high = slope(-HIGHEST), slope(HIGHEST)
    return float(brentq(slope, -HIGHEST, HIGHEST, xtol=1e-10)) if low > 0 > high else math.nan


def _rectangles(at_cuts: np.ndarray, first: np.ndarray, second: np.ndarray, margins: bool = True) -> np.ndarray:
    """Return the share of each cell (or its derivative, without margins) from the values below each pair of cuts."""
    from scipy.special import ndtr

    full = np.zeros((len(first) + 2, len(second) + 2))
    full[1:-1, 1:-1] = at_cuts
    if margins:
        full[1:-1, -1], full[-1, 1:-1], full[-1, -1] = ndtr(first), ndtr(second), 1.0
    return np.diff(np.diff(full, axis=0), axis=1)


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(48)


def _normal_below(first: np.ndarray, second: np.ndarray, correlation: float) -> np.ndarray:
    """Return the share of a bivariate normal distribution below each pair of cuts (Drezner and Wesolowsky 1990, equation 1)."""
    from scipy.special import ndtr

    nodes, weights = _nodes()
    half = math.asin(correlation) / 2
    angles = half * (nodes + 1)
    a, b = first[:, None, None], second[None, :, None]
    inside = np.exp(-(a**2 + b**2 - 2 * a * b * np.sin(angles)) / (2 * np.cos(angles) ** 2))
    return np.outer(ndtr(first), ndtr(second)) + half * (inside @ weights) / (2 * math.pi)


def _density(first: np.ndarray, second: np.ndarray, correlation: float) -> np.ndarray:
    """Return the bivariate normal density at each pair of cuts, which is the derivative of the share below them (Plackett 1954)."""
    rest = 1 - correlation**2
    a, b = first[:, None], second[None, :]
    return np.exp(-(a**2 + b**2 - 2 * correlation * a * b) / (2 * rest)) / (2 * math.pi * math.sqrt(rest))
