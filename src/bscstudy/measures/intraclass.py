"""Intraclass correlation of scores in groups (persons in centers, ratings of visits)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Intraclass:
    """An intraclass correlation of one value and of a mean, with the interval of the first; NaN where it cannot be computed."""

    single: float
    average: float
    low: float
    high: float


@dataclass(frozen=True)
class IntraclassForm:
    """One of the six forms of Shrout and Fleiss, with its interval.

    Attributes
    ----------
    form : str
        ``ICC(1,1) ICC(2,1) ICC(3,1)`` of one rater, ``ICC(1,k) ICC(2,k) ICC(3,k)`` of the mean over k raters. Form 1: each visit has
        raters of its own; 2: raters are a sample, their levels count (absolute agreement); 3: these raters only, their levels do
        not count (consistency).
    estimate, low, high : float
        At most 1; may be negative. NaN where undefined.
    """

    form: str
    estimate: float
    low: float
    high: float


FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")


def one_way_icc(values: np.ndarray, groups: np.ndarray, confidence: float = 0.95) -> Intraclass:
    """Return the one-way random-effects ICC of one value and of a group's mean.

    Parameters
    ----------
    values : array of float, n
        Any units; NaN are dropped.
    groups : array, n
        The group of each value; groups may differ in size.
    confidence : float in (0, 1)

    Returns
    -------
    Intraclass
        ``single`` = (MSB - MSW) / (MSB + (k - 1) MSW), ``average`` = (MSB - MSW) / MSB, both may be negative; k is the number of
        values per group, for unequal groups (N - sum(n^2)/N) / (G - 1). NaN with fewer than two groups, without any group of
        two, or without any variance. The interval of ``single`` is exact for equal groups.

    Notes
    -----
    Source: Shrout and Fleiss (1979), case 1; for unequal groups Snedecor and Cochran (1989), section 13.3.
    Checked against Shrout and Fleiss' table (and pingouin 0.7): tests/unit/test_measures_agreement.py.
    """
    from scipy.special import fdtri

    values, groups = np.asarray(values, float), np.asarray(groups)
    keep = ~np.isnan(values)
    values = values[keep]
    _, index, sizes = np.unique(groups[keep], return_inverse=True, return_counts=True)
    n, n_groups = len(values), len(sizes)
    size = (n - (sizes**2).sum() / n) / (n_groups - 1) if n_groups > 1 else math.nan
    undefined = Intraclass(math.nan, math.nan, math.nan, math.nan)
    if n_groups < 2 or n <= n_groups:
        return undefined
    means = np.bincount(index, weights=values) / sizes
    between = (sizes * (means - values.mean()) ** 2).sum() / (n_groups - 1)
    within = ((values - means[index]) ** 2).sum() / (n - n_groups)
    if between + within <= 1e-24 * max(1.0, float((values**2).max())):
        return undefined
    single = (between - within) / (between + (size - 1) * within)
    average = (between - within) / between if between > 0 else math.nan
    tail = (1 - confidence) / 2
    ratio = between / within if within > 0 else math.inf
    bounds = [ratio / fdtri(n_groups - 1, n - n_groups, p) for p in (1 - tail, tail)]
    low, high = ((b - 1) / (b + size - 1) if math.isfinite(b) else 1.0 for b in bounds)
    return Intraclass(float(single), float(average), float(low), float(high))


def six_icc(ratings: np.ndarray, confidence: float = 0.95) -> tuple[IntraclassForm, ...]:
    """Return the six intraclass correlations of Shrout and Fleiss with their intervals, in the order of `FORMS`.

    Parameters
    ----------
    ratings : ndarray, n units x k raters
        The same raters in the same columns throughout; no missing values, any units.
    confidence : float in (0, 1)

    Returns
    -------
    tuple of IntraclassForm
        All NaN with fewer than two units or raters, or without any variance.

    Notes
    -----
    Source: Shrout and Fleiss (1979); the interval of form 2 as McGraw and Wong (1996), table 7.
    Checked against Shrout and Fleiss' table, R irr 0.84 (anxiety) and pingouin 0.7: tests/unit/test_measures_rater_icc.py.
    """
    ratings = np.asarray(ratings, float)
    n, k = ratings.shape
    total = ratings - ratings.mean() if ratings.size else ratings
    if min(n, k) < 2 or (total**2).sum() <= 1e-24 * max(1.0, float((ratings**2).max())):
        return tuple(IntraclassForm(form, math.nan, math.nan, math.nan) for form in FORMS)
    units, raters = total.mean(axis=1), total.mean(axis=0)
    error = total - units[:, None] - raters[None, :]
    between, columns = k * (units**2).sum() / (n - 1), n * (raters**2).sum() / (k - 1)
    residual = (error**2).sum() / ((n - 1) * (k - 1))
    within = ((total - units[:, None]) ** 2).sum() / (n * (k - 1))
    tail = (1 - confidence) / 2
    one_way = _consistency(between, within, (n - 1, n * (k - 1)), k, tail)
    two_way = _absolute(between, columns, residual, (n, k), tail)
    fixed = _consistency(between, residual, (n - 1, (n - 1) * (k - 1)), k, tail)
    averages = [_of_mean(one_way, k), _of_mean(two_way, k), _of_mean(fixed, k)]
    return tuple(IntraclassForm(form, *found) for form, found in zip(FORMS, [one_way, two_way, fixed, *averages], strict=True))


def _consistency(between: float, within: float, df: tuple[int, int], k: int, tail: float) -> tuple[float, float, float]:
    """Return (between - within) / (between + (k - 1) within) and its exact limits."""
    from scipy.special import fdtri

    if within <= 0:
        return 1.0, 1.0, 1.0
    ratio = between / within
    low, high = (ratio / fdtri(*df, p) for p in (1 - tail, tail))
    return tuple(float((f - 1) / (f + k - 1)) for f in (ratio, low, high))


def _absolute(between: float, columns: float, residual: float, size: tuple[int, int], tail: float) -> tuple[float, float, float]:
    """Return the two-way ICC of one rater for absolute agreement; its limits rest on Satterthwaite's degrees of freedom."""
    from scipy.special import fdtri

    n, k = size
    divisor = between + (k - 1) * residual + k * (columns - residual) / n
    if divisor <= 0:
        return math.nan, math.nan, math.nan
    icc = (between - residual) / divisor
    if residual <= 0 and columns <= 0:
        return 1.0, 1.0, 1.0
    rest = n * (1 + (k - 1) * icc) - k * icc
    level = k * icc * columns
    df = (k - 1) * (n - 1) * (level + rest * residual) ** 2 / ((n - 1) * level**2 + (rest * residual) ** 2)
    upper, lower = float(fdtri(n - 1, df, 1 - tail)), float(fdtri(df, n - 1, 1 - tail))
    spread = k * columns + (k * n - k - n) * residual
    low = n * (between - upper * residual) / (upper * spread + n * between)
    high = n * (lower * between - residual) / (spread + n * lower * between)
    return float(icc), float(low), float(high)


def _of_mean(single: tuple[float, float, float], k: int) -> tuple[float, float, float]:
    """Return the reliability of the mean over k raters (Spearman and Brown); NaN where the single one is too low for it."""
    return tuple(k * value / (1 + (k - 1) * value) if 1 + (k - 1) * value > 0 else math.nan for value in single)


def crossed_icc(ratings: np.ndarray) -> Intraclass:
    """Return the two-way random-effects ICC for absolute agreement, for the same raters throughout.

    Parameters
    ----------
    ratings : ndarray, n units x k raters
        No missing values.

    Returns
    -------
    Intraclass
        ``single`` is ICC(2,1), also called ICC(A,1), ``average`` ICC(2,k).

    Notes
    -----
    Source and checks: see `six_icc`.
    """
    forms = {form.form: form for form in six_icc(ratings)}
    single = forms["ICC(2,1)"]
    return Intraclass(single.estimate, forms["ICC(2,k)"].estimate, single.low, single.high)
