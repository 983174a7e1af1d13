"""Shewhart control charts: centre line and limits of each point, for counts, shares, rates and measurements."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: expected range of two standard normal numbers, 2 / sqrt(pi); a mean moving range divided by it estimates a standard deviation
MEAN_RANGE_OF_TWO = 2 / math.sqrt(math.pi)
#: standard deviation of that range, sqrt(2 - 4 / pi)
SD_RANGE_OF_TWO = math.sqrt(2 - 4 / math.pi)


@dataclass(frozen=True)
class ControlLimits:
    """What a control chart draws; arrays of one number for each point.

    Attributes
    ----------
    values : ndarray
        What is plotted; NaN where nothing was reported.
    centre, lower, upper : ndarray
        Centre line and limits at three sigma. Limits of a count, share, range or standard deviation end at 0, of a share at 1.
    sigma : ndarray
        Standard deviation of a point that is due to common causes.
    outside : ndarray of bool
        The value lies beyond a limit.
    sigma_z : float
        Laney's factor of the charts p_prime and u_prime; NaN for others.
    """

    values: np.ndarray
    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    sigma: np.ndarray
    outside: np.ndarray
    sigma_z: float = math.nan


def c4(n: np.ndarray) -> np.ndarray:
    """Return the mean of the standard deviation of n normal numbers over their true one, sqrt(2 / (n - 1)) G(n / 2) / G((n - 1) / 2).

    NaN where n is below 2.
    """
    from scipy.special import gammaln

    n = np.asarray(n, float)
    size = np.where(n >= 2, n, np.nan)
    return np.sqrt(2 / (size - 1)) * np.exp(gammaln(size / 2) - gammaln((size - 1) / 2))


def control_limits(
    kind: str, values: np.ndarray, sizes: np.ndarray | None = None, spreads: np.ndarray | None = None, baseline: np.ndarray | None = None
) -> ControlLimits:
    """Work out the chart of one series in one phase.

    Parameters
    ----------
    kind : str
        p (shares), p_prime (Laney), u (rates), u_prime (Laney), c (counts), i (measurements), mr (their moving ranges),
        xbar (means of subgroups) or s (their standard deviations).
    values : ndarray
        In the order of time: share, rate, count, measurement or mean of the subgroup; the measurements for mr, the standard
        deviations for s. NaN where nothing was reported.
    sizes : ndarray, optional
        Denominators of p and u, sizes of the subgroups of xbar and s. A point without a size above 0 is not used.
    spreads : ndarray, optional
        Standard deviations within the subgroups of xbar.
    baseline : ndarray of bool, optional
        Points from which centre and sigma are estimated (a frozen baseline); all, if absent.

    Returns
    -------
    ControlLimits
        Limits are NaN where nothing can be estimated. A moving range spans two neighbouring points: none is taken across a gap.

    Raises
    ------
    ValueError
        For a kind that is not known.

    Notes
    -----
    Source: Montgomery (2009), chapters 6 and 7; Laney (2002) for the factor sigma z; moving ranges above their own limit are left out
    of the mean of a chart i, as in Nelson (1982); subgroups of unequal size: mean of s / c4(n), Burr (1969).
    Checked against R qicharts2 0.8.1 and the published charts of Montgomery (2009): tests/unit/test_measures_control_charts.py.
    """
    if kind not in CHARTS:
        raise ValueError(f"not a control chart: {kind}")
    values = np.asarray(values, float)
    sizes = np.ones_like(values) if sizes is None else np.asarray(sizes, float)
    used = np.isfinite(values) & (sizes > 0)
    base = used if baseline is None else used & np.asarray(baseline, bool)
    spreads = np.full_like(values, np.nan) if spreads is None else np.asarray(spreads, float)
    return CHARTS[kind](np.where(used, values, np.nan), np.where(sizes > 0, sizes, np.nan), spreads, base)


def _limits(
    values: np.ndarray, centre: np.ndarray | float, sigma: np.ndarray, *, floor=-np.inf, ceiling=np.inf, sigma_z=math.nan
) -> ControlLimits:
    """Put limits at three sigma, within what the values can be; rounding alone puts no point outside."""
    centre, sigma = np.broadcast_to(centre, values.shape).astype(float), np.broadcast_to(sigma, values.shape).astype(float)
    lower, upper = np.maximum(centre - 3 * sigma, floor), np.minimum(centre + 3 * sigma, ceiling)
    slack = 1e-9 * np.maximum(np.abs(centre), sigma)
    with np.errstate(invalid="ignore"):
        outside = (values < lower - slack) | (values > upper + slack)
    return ControlLimits(values, centre, lower, upper, sigma, outside, sigma_z)


def _pooled(values: np.ndarray, sizes: np.ndarray, base: np.ndarray) -> float:
    return float(np.average(values[base], weights=sizes[base])) if base.any() else math.nan


def _ranges(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return the differences of neighbours that are both in the baseline."""
    pairs = base[1:] & base[:-1]
    return np.abs(np.diff(values))[pairs]


def _sigma_z(values: np.ndarray, centre: float, sigma: np.ndarray, base: np.ndarray) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (values - centre) / sigma
    ranges = _ranges(scores, base)
    return float(ranges.mean() / MEAN_RANGE_OF_TWO) if len(ranges) else math.nan


def _shares(values, sizes, spreads, base) -> ControlLimits:
    centre = _pooled(values, sizes, base)
    return _limits(values, centre, np.sqrt(centre * (1 - centre) / sizes), floor=0, ceiling=1)


def _shares_prime(values, sizes, spreads, base) -> ControlLimits:
    plain = _shares(values, sizes, spreads, base)
    factor = _sigma_z(values, plain.centre[0], plain.sigma, base) if len(values) else math.nan
    return _limits(values, plain.centre, plain.sigma * factor, floor=0, ceiling=1, sigma_z=factor)


def _rates(values, sizes, spreads, base) -> ControlLimits:
    centre = _pooled(values, sizes, base)
    return _limits(values, centre, np.sqrt(centre / sizes), floor=0)


def _rates_prime(values, sizes, spreads, base) -> ControlLimits:
    plain = _rates(values, sizes, spreads, base)
    factor = _sigma_z(values, plain.centre[0], plain.sigma, base) if len(values) else math.nan
    return _limits(values, plain.centre, plain.sigma * factor, floor=0, sigma_z=factor)


def _counts(values, sizes, spreads, base) -> ControlLimits:
    centre = float(values[base].mean()) if base.any() else math.nan
    return _limits(values, centre, np.sqrt(centre), floor=0)


def _mean_range(values: np.ndarray, base: np.ndarray) -> float:
    """Return the mean moving range without those that lie above its own limit."""
    ranges = _ranges(values, base)
    if not len(ranges):
        return math.nan
    kept = ranges[ranges <= (1 + 3 * SD_RANGE_OF_TWO / MEAN_RANGE_OF_TWO) * ranges.mean()]
    return float(kept.mean())


def _individuals(values, sizes, spreads, base) -> ControlLimits:
    centre = float(values[base].mean()) if base.any() else math.nan
    return _limits(values, centre, _mean_range(values, base) / MEAN_RANGE_OF_TWO)


def _moving_ranges(values, sizes, spreads, base) -> ControlLimits:
    ranges = np.concatenate([[np.nan], np.abs(np.diff(values))]) if len(values) else values
    found = _ranges(values, base)
    centre = float(found.mean()) if len(found) else math.nan
    return _limits(ranges, centre, centre * SD_RANGE_OF_TWO / MEAN_RANGE_OF_TWO, floor=0)


def _within(sizes: np.ndarray, spreads: np.ndarray, base: np.ndarray) -> float:
    """Return the standard deviation within subgroups, the mean of s / c4(n)."""
    known = base & np.isfinite(spreads) & (sizes >= 2)
    return float((spreads[known] / c4(sizes[known])).mean()) if known.any() else math.nan


def _means(values, sizes, spreads, base) -> ControlLimits:
    return _limits(values, _pooled(values, sizes, base), _within(sizes, spreads, base) / np.sqrt(sizes))


def _spreads(values, sizes, spreads, base) -> ControlLimits:
    sigma, ratio = _within(sizes, values, base), c4(sizes)
    return _limits(values, ratio * sigma, sigma * np.sqrt(1 - ratio**2), floor=0)


CHARTS: dict[str, Callable[..., ControlLimits]] = {
    "p": _shares,
    "p_prime": _shares_prime,
    "u": _rates,
    "u_prime": _rates_prime,
    "c": _counts,
    "i": _individuals,
    "mr": _moving_ranges,
    "xbar": _means,
    "s": _spreads,
}
