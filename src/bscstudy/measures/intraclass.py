"""Intraclass correlation of scores in groups (persons in centers, ratings of visits)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Intraclass:
    """An intraclass correlation with its interval; NaN where it cannot be computed."""

    single: float
    average: float
    low: float
    high: float


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


def crossed_icc(ratings: np.ndarray) -> Intraclass:
    """Return the two-way random-effects ICC for absolute agreement, for the same raters throughout.

    Parameters
    ----------
    ratings : ndarray, n units x k raters
        No missing values.

    Returns
    -------
    Intraclass
        ``single`` is ICC(A,1), ``average`` ICC(A,k).

    Notes
    -----
    Source: McGraw and Wong (1996), case 2A; computed by pingouin.
    Checked against R irr 0.84 (anxiety) and Shrout and Fleiss' table: tests/unit/test_measures_agreement.py.
    """
    import pandas as pd
    import pingouin

    n, k = ratings.shape
    long = pd.DataFrame({"unit": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "value": ratings.ravel()})
    table = pingouin.intraclass_corr(long, targets="unit", raters="rater", ratings="value").set_index("Type")
    single, average = _named(table, "single", "ICC2", "ICC(A,1)"), _named(table, "average", "ICC2k", "ICC(A,k)")
    low, high = (float(v) for v in single["CI95"])
    return Intraclass(float(single["ICC"]), float(average["ICC"]), low, high)


def _named(table, what: str, *names: str):
    for name in names:
        if name in table.index:
            return table.loc[name]
    raise LookupError(f"pingouin gives no {what}-rater ICC under the names {names}")
