"""The interval of a share whose units come from the same few centers: the beta-binomial's design effect in Jeffreys' interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np


@dataclass(frozen=True)
class ClusteredShare:
    """How much units of one center resemble each other (0 to 1), what that costs, and the interval that allows for it.

    `design_effect` is the number of units that weigh as one independent unit, at least 1. All NaN with fewer than two centers;
    `correlation` is NaN where no center has two units.
    """

    correlation: float
    design_effect: float
    low: float
    high: float


UNKNOWN = ClusteredShare(nan, nan, nan, nan)


def clustered_share(n_present: np.ndarray, n_asked: np.ndarray, confidence: float = 0.95) -> ClusteredShare:
    """Return the interval of a share over centers.

    Parameters
    ----------
    n_present, n_asked : array of int, one for each center
        Centers with nobody asked do not enter.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    ClusteredShare
        Jeffreys' interval itself where no center has two units. A share of 0 or 1 has design effect 1.

    Notes
    -----
    Source: the correlation is the analysis-of-variance estimator for binary data (Fleiss, Levin and Paik 2003, Statistical methods for
    rates and proportions, section 15.3; Ridout, Demetrio and Firth 1999, Biometrics 55, equation 3), kept within 0 and 1; the design
    effect of the beta-binomial is 1 + (sum n_i^2 / sum n_i - 1) x correlation; units and successes divided by it enter Jeffreys'
    interval (Korn and Graubard 1998, Survey Methodology 24, in the form of Brown, Cai and DasGupta 2001).
    Checked against sums of squares from statsmodels' analysis of variance, closed forms, and shares drawn from a beta-binomial:
    tests/unit/test_qual_theme_measures.py.
    """
    from scipy.special import betaincinv

    n = np.asarray(n_asked, float)
    x, n = np.asarray(n_present, float)[n > 0], n[n > 0]
    total, k = n.sum(), len(n)
    if k < 2:
        return UNKNOWN
    share = x.sum() / total
    correlation = nan if total == k else _correlation(x, n)
    effect = 1.0 if total == k else 1 + ((n**2).sum() / total - 1) * correlation
    tail = (1 - confidence) / 2
    a, b = x.sum() / effect + 0.5, (total - x.sum()) / effect + 0.5
    low = 0.0 if share == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if share == 1 else float(betaincinv(a, b, 1 - tail))
    return ClusteredShare(float(correlation), float(effect), low, high)


def _correlation(x: np.ndarray, n: np.ndarray) -> float:
    """Return how alike two units of one center are, 0 to 1, from the mean squares between and within centers."""
    total, k = n.sum(), len(n)
    share = x.sum() / total
    typical = (total - (n**2).sum() / total) / (k - 1)
    between = (n * (x / n - share) ** 2).sum() / (k - 1)
    within = (x * (1 - x / n)).sum() / (total - k)
    spread = between + (typical - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 0.0
