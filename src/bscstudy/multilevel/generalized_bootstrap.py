"""Parametric bootstrap of generalized and ordinal mixed models: likelihood-ratio tests and refits of simulated outcomes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.generalized import GeneralizedFit, refit_many, simulate
from bscstudy.multilevel.parametric_bootstrap import BootstrapSample, BootstrapTest, refuse_nothing, restricted_design

#: differences of two log-likelihoods below this are rounding of the inner optimum, so that a replicate ties with the data
_TIE = 1e-6
_CELLS_AT_ONCE = 1_000_000


def generalized_likelihood_ratio_bootstrap(
    fit: GeneralizedFit, contrasts: np.ndarray, refit: Callable, *, replicates: int = 1000, seed: int
) -> BootstrapTest:
    """Test contrasts of the fixed effects by the likelihood ratio and its parametric bootstrap distribution.

    Parameters
    ----------
    fit : GeneralizedFit
        The full model.
    contrasts : ndarray, shape (m, p)
        Tested to be all zero.
    refit : callable
        ``refit(design, start_theta)`` fits the same model to another design.
    replicates : int
        Data sets drawn from the model fitted under the null hypothesis.
    seed : int

    Returns
    -------
    BootstrapTest
        A replicate that cannot be fitted counts as at least as large as the data's ratio.

    Raises
    ------
    BscError
        BSC-LMM-109 with prior weights, under which outcomes cannot be drawn.

    Notes
    -----
    Source: Halekoh & Hojsgaard (2014), JSS 59(9), section 5; Davison & Hinkley (1997), section 4.4.
    Checked against: the chi-square distribution where it holds (cbpp), test_multilevel_generalized_bootstrap.
    """
    from scipy.special import chdtrc

    _refuse_weights(fit.design)
    null, rank = restricted_design(fit.design, contrasts)
    refuse_nothing(fit.design, rank, replicates)
    small = refit(null, fit.theta)
    statistic = max(2 * (fit.log_likelihood - small.log_likelihood), 0.0)
    rng, larger, failed = np.random.default_rng(seed), 0, 0
    for count in _portions(fit.design.n, replicates):
        outcomes = simulate(small, rng, count)
        restricted, full = refit_many(small, outcomes), refit_many(fit, outcomes)
        ratios = 2 * (full.log_likelihood - restricted.log_likelihood)
        known = restricted.converged & full.converged & np.isfinite(ratios)
        failed += int(np.sum(~known))
        larger += int(np.sum(~known | ~(ratios < statistic - _TIE)))
    smallest = 1 / (1 + replicates)
    p_value = (1 + larger) * smallest
    return BootstrapTest(statistic, rank, p_value, float(chdtrc(rank, statistic)), smallest, replicates, failed, seed)


def generalized_bootstrap_sample(fit: GeneralizedFit, *, replicates: int = 1000, seed: int) -> BootstrapSample:
    """Refit outcomes drawn from the fitted model itself; refits that fail are missing, ``sigma`` is 1."""
    _refuse_weights(fit.design)
    refuse_nothing(fit.design, 1, replicates)
    rng = np.random.default_rng(seed)
    parts = [refit_many(fit, simulate(fit, rng, count)) for count in _portions(fit.design.n, replicates)]
    converged = np.concatenate([part.converged for part in parts])
    beta, theta = (np.concatenate([getattr(part, name) for part in parts]) for name in ("beta", "theta"))
    beta[~converged] = theta[~converged] = np.nan
    diagonal = [r for r, e in enumerate(fit.layout.entries) if e.row == e.column]
    boundary = int(np.sum(np.any(np.abs(theta[:, diagonal]) < 1e-5, axis=1)))
    return BootstrapSample(beta, theta, np.ones(replicates), int(np.sum(~converged)), boundary, seed)


def _portions(n: int, replicates: int) -> list[int]:
    """Outcomes drawn at once, so that memory stays bounded; the rule depends on n alone, so a seed gives the same draws."""
    size = max(16, min(1024, _CELLS_AT_ONCE // n))
    whole, rest = divmod(replicates, size)
    return [size] * whole + ([rest] if rest else [])


def _refuse_weights(design: object) -> None:
    if np.any(design.weights != 1):
        raise BscError(
            "BSC-LMM-109",
            "There is no parametric bootstrap of a generalized model with prior weights.",
            "weights",
            "Weighted counts are not outcomes of the family, so none can be drawn.",
            "Fit without weights, with one row for each observation, or use likelihood_ratio.",
        )
