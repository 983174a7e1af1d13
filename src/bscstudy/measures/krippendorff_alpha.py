"""Krippendorff's alpha of units judged by any number of coders, some of whom may have left units out."""

from __future__ import annotations

import numpy as np

from bscstudy.measures.rating_patterns import category_counts

METRICS = ("nominal", "ordinal", "interval", "ratio")


def krippendorff_alpha(codes: np.ndarray, times: np.ndarray, values: np.ndarray, metric: str = "nominal") -> np.ndarray:
    """Return 1 - observed / expected disagreement.

    Parameters
    ----------
    codes : ndarray of int, p patterns x r coders
        See `bscstudy.measures.rating_patterns.RatingPatterns`. Units with fewer than two ratings do not enter.
    times : ndarray, ... x p
        How many units show each pattern; leading axes (bootstrap samples) are kept.
    values : array of float, q
        The categories' values in ascending order; only their order matters for ``nominal`` (not even that) and ``ordinal``.
    metric : one of `METRICS`

    Returns
    -------
    ndarray
        At most 1, 0 by chance; NaN without a unit judged twice, and where all ratings are the same (expected disagreement 0).

    Raises
    ------
    ValueError
        An unknown metric, or values below 0 with the metric ``ratio``.

    Notes
    -----
    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability, sections C to E.
    Checked against Krippendorff's 4 coders x 12 units (four metrics), the package krippendorff 0.9.0, and pairs counted one by one:
    tests/unit/test_measures_krippendorff_alpha.py.
    """
    counts = category_counts(codes, len(values))
    raters = counts.sum(axis=1)
    counts, raters, times = counts[raters >= 2], raters[raters >= 2], np.asarray(times, float)[..., raters >= 2]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    coincidences = np.einsum("...p,pij->...ij", times, pairs / (raters - 1)[:, None, None])
    totals = coincidences.sum(axis=-1)
    n = totals.sum(axis=-1)
    distance = squared_differences(metric, np.asarray(values, float), totals)
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = np.einsum("...i,...ij,...j->...", totals, distance, totals)
    return 1 - (n - 1) * observed / np.where(expected > 0, expected, np.nan)


def squared_differences(metric: str, values: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Return the squared difference of each two categories, ... x q x q.

    Parameters
    ----------
    values : ndarray of float, q
    totals : ndarray, ... x q
        How often each category was given; the ordinal difference of two categories is the number of ratings between them, their own
        counted half.
    """
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(len(values)), (*totals.shape, len(values)))
    if metric == "ordinal":
        rank = totals.cumsum(axis=-1) - totals / 2
        return (rank[..., :, None] - rank[..., None, :]) ** 2
    difference, total = values[:, None] - values[None, :], values[:, None] + values[None, :]
    if metric == "interval":
        return np.broadcast_to(difference**2, (*totals.shape, len(values)))
    if metric != "ratio" or (values < 0).any():
        raise ValueError(f"the metric {metric} does not exist, or does not allow values below 0")
    return np.broadcast_to((difference / np.where(total > 0, total, 1)) ** 2, (*totals.shape, len(values)))
