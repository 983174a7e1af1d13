"""Ratings of several coders as patterns and how often each occurs, in which every coefficient of agreement is a few products."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: a rating that was not given
NO_RATING = -1


@dataclass(frozen=True)
class RatingPatterns:
    """The distinct combinations of ratings of one unit and how many units of each cluster have them.

    Attributes
    ----------
    codes : ndarray of int, p patterns x r coders
        The place of each coder's rating in the list of categories, from 0; `NO_RATING` where the coder did not judge the unit.
    times : ndarray of float, g clusters x p patterns
        How many units of the cluster (a document, a visit) show the pattern.
    clusters : tuple
        What the clusters are called, sorted.
    """

    codes: np.ndarray
    times: np.ndarray
    clusters: tuple

    @property
    def total(self) -> np.ndarray:
        """How many units show each pattern, over all clusters (p)."""
        return self.times.sum(axis=0)


def rating_patterns(codes: np.ndarray, clusters: np.ndarray | None = None, times: np.ndarray | None = None) -> RatingPatterns:
    """Gather units into patterns.

    Parameters
    ----------
    codes : array of int, n units x r coders
        See `RatingPatterns`.
    clusters : array, n, optional
        The document (or visit) of each unit; each unit is one of its own if None.
    times : array of float, n, optional
        How many alike units a row stands for (the characters of a stretch); 1 if None.
    """
    codes = np.asarray(codes, int)
    clusters = np.arange(len(codes)) if clusters is None else np.asarray(clusters)
    names, index = np.unique(clusters, return_inverse=True)
    patterns, pattern = np.unique(codes, axis=0, return_inverse=True) if len(codes) else (codes, np.zeros(0, int))
    found = np.zeros((len(names), len(patterns)))
    np.add.at(found, (index, pattern.reshape(-1)), 1.0 if times is None else np.asarray(times, float))
    return RatingPatterns(patterns, found, tuple(names.tolist()))


def category_counts(codes: np.ndarray, n_categories: int) -> np.ndarray:
    """Return how many coders gave each category, p x q."""
    return (codes[:, :, None] == np.arange(n_categories)).sum(axis=1).astype(float)


def cluster_draws(n_clusters: int, draws: int, seed: int) -> np.ndarray:
    """Return how often each cluster is in each bootstrap sample: draws x n_clusters, rows summing to n_clusters.

    Source: Davison and Hinkley (1997), section 3.8: whole clusters are drawn with replacement.
    """
    return np.random.default_rng(seed).multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=draws).astype(float)


def percentile_limits(estimates: np.ndarray, confidence: float = 0.95, most_undefined: float = 0.05) -> tuple[float, float]:
    """Return the percentile interval of bootstrap estimates.

    NaN where more than `most_undefined` of the samples have no estimate (those left would be the easy ones), and where all estimates
    are the same, as when coders agree everywhere: such samples cannot tell how uncertain the coefficient is.
    """
    known = np.asarray(estimates, float)
    known = known[np.isfinite(known)]
    if len(known) < 2 or len(known) < (1 - most_undefined) * np.size(estimates) or np.ptp(known) < 1e-12:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
