"""The error of a theme's share in a center, where a few sessions stand for all that might have been held.

Called by the rule `link_themes`. Three sessions of four are not a share of .75 known for certain; what follows from shares must say
how far their error reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.integrate.rank_links import NAN
from bscstudy.qual.clustered_shares import clustered_share

#: share of the differences between centers' shares that must be more than chance for a slope to be corrected
LEAST_RELIABILITY = 0.3


@dataclass(frozen=True)
class CalibratedShares:
    """Shares drawn towards their mean as far as chance made them differ.

    Attributes
    ----------
    shares : ndarray, shape (n_centers,)
        Expected true share of each center, given its sessions; empty where `reliability` is nan.
    reliability : float
        Share of the variance of observed shares that is between centers, at the mean number of sessions; nan where the shares differ
        no more than chance would make them, or where no center has two sessions.
    """

    shares: np.ndarray
    reliability: float


def rho_under_share_error(
    n_present: np.ndarray, n_asked: np.ndarray, outcome: np.ndarray, seed: int, draws: int = 4000, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of Spearman's rho when the shares are drawn from what the sessions leave open.

    Parameters
    ----------
    n_present, n_asked : ndarray of int, shape (n_centers,)
        Sessions that raised the theme, of those asked (at least 1).
    outcome : ndarray, shape (n_centers,)
    seed, draws : int
        Each center's share is drawn from its own Jeffreys posterior, Beta(x + 1/2, n - x + 1/2).
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        Quantiles of rho. Drawing adds the error of the shares a second time to what they hold already, so the interval lies nearer to
        zero than rho: it says how little of the order of the centers is certain, and is no confidence interval of an association.
    """
    from scipy.stats import rankdata

    if len(outcome) < 2 or np.ptp(outcome) == 0:
        return NAN, NAN
    generator = np.random.default_rng(seed)
    shares = generator.beta(n_present + 0.5, n_asked - n_present + 0.5, size=(draws, len(outcome)))
    ranks = rankdata(shares, axis=1) - (len(outcome) + 1) / 2
    against = rankdata(outcome) - (len(outcome) + 1) / 2
    rhos = ranks @ against / np.sqrt(np.sum(ranks**2, axis=1) * (against @ against))
    tail = (1 - confidence) / 2
    low, high = np.quantile(rhos, [tail, 1 - tail])
    return float(low), float(high)


def calibrate_shares(n_present: np.ndarray, n_asked: np.ndarray) -> CalibratedShares:
    """Return the expected true share of each center under a beta-binomial model of its sessions (regression calibration).

    Parameters
    ----------
    n_present, n_asked : ndarray of int, shape (n_centers,)
        Sessions that raised the theme, of those asked (at least 1).

    Notes
    -----
    With prior weight M = (1 - r) / r in sessions, r how alike sessions of one center are
    (`bscstudy.qual.clustered_shares`) and p the share over all sessions, the share of a center is (M p + x) / (M + n).

    Source: Carroll, Ruppert, Stefanski and Crainiceanu 2006, Measurement Error in Nonlinear Models, chapter 4 (regression calibration,
    exact for linear models).
    Checked against: simulation, tests/unit/test_integrate_share_error.py.
    """
    x, n = np.asarray(n_present, dtype=float), np.asarray(n_asked, dtype=float)
    alike = clustered_share(x, n).correlation
    if not alike > 0:
        return CalibratedShares(np.zeros(0), NAN)
    weight = (1 - alike) / alike
    size = n.mean()
    return CalibratedShares((weight * x.sum() / n.sum() + x) / (weight + n), float(size * alike / (1 + (size - 1) * alike)))
