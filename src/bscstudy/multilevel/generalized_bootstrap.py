"""Parametric bootstrap of generalized and ordinal mixed models: likelihood-ratio tests and refits of simulated outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.families import Family, simulate_response
from bscstudy.multilevel.parametric_bootstrap import BootstrapSample, BootstrapTest, restricted_design

#: differences of two log-likelihoods below this are rounding of the inner optimum, so that a replicate ties with the data
_TIE = 1e-6


def simulated_outcomes(fit: object, family: Family, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Draw outcomes from a fitted model, new random effects each time, one array (n,) after the other in the design's order."""
    design = fit.design
    fixed = design.fixed @ fit.beta[: design.p] + design.offset
    lowers = [fit.layout.factor_matrix(fit.theta, number) for number in range(len(design.factors))]
    trials = 1.0 if design.trials is None else design.trials
    for _ in range(count):
        link = fixed.copy()
        for factor, lower in zip(design.factors, lowers, strict=True):
            effects = rng.standard_normal((factor.n_levels, factor.n_effects)) @ lower.T
            link += np.sum(factor.columns * effects[factor.codes], axis=1)
        yield simulate_response(family, link, rng, extra=fit.extra, trials=trials)


def generalized_likelihood_ratio_bootstrap(
    fit: object, family: Family, contrasts: np.ndarray, refit: Callable, *, replicates: int = 1000, seed: int
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
        BSC-LMM-097 with prior weights, under which outcomes cannot be drawn.

    Notes
    -----
    Source: Halekoh & Hojsgaard (2014), JSS 59(9), section 5; Davison & Hinkley (1997), section 4.4.
    Checked against: the chi-square distribution where it holds (cbpp), test_multilevel_generalized_bootstrap.
    """
    from scipy.special import chdtrc

    _refuse_weights(fit.design)
    null, rank = restricted_design(fit.design, contrasts)
    small = refit(null, fit.theta)
    statistic = max(2 * (fit.log_likelihood - small.log_likelihood), 0.0)
    larger = failed = 0
    for outcome in simulated_outcomes(small, family, np.random.default_rng(seed), replicates):
        ratio = _ratio(fit, small, outcome, refit)
        failed += not np.isfinite(ratio)
        larger += not ratio < statistic - _TIE
    smallest = 1 / (1 + replicates)
    p_value = (1 + larger) * smallest
    return BootstrapTest(statistic, rank, p_value, float(chdtrc(rank, statistic)), smallest, replicates, failed, seed)


def _ratio(fit: object, small: object, outcome: np.ndarray, refit: Callable) -> float:
    """The likelihood ratio of one simulated outcome; missing where a model cannot be fitted to it."""
    try:
        restricted = refit(replace(small.design, response=outcome), small.theta)
        full = refit(replace(fit.design, response=outcome), small.theta)
    except BscError:
        return np.nan
    return 2 * (full.log_likelihood - restricted.log_likelihood) if full.converged and restricted.converged else np.nan


def generalized_bootstrap_sample(fit: object, family: Family, refit: Callable, *, replicates: int = 1000, seed: int) -> BootstrapSample:
    """Refit outcomes drawn from the fitted model itself; refits that fail are missing."""
    _refuse_weights(fit.design)
    p, count = fit.design.p, len(fit.theta)
    beta, theta = np.full((replicates, p), np.nan), np.full((replicates, count), np.nan)
    for row, outcome in enumerate(simulated_outcomes(fit, family, np.random.default_rng(seed), replicates)):
        try:
            part = refit(replace(fit.design, response=outcome), fit.theta)
        except BscError:
            continue
        if part.converged:
            beta[row], theta[row] = part.beta[:p], part.theta
    failed = int(np.sum(np.isnan(beta).any(axis=1)))
    diagonal = [r for r, e in enumerate(fit.layout.entries) if e.row == e.column]
    boundary = int(np.sum(np.any(np.abs(theta[:, diagonal]) < 1e-5, axis=1)))
    return BootstrapSample(beta, theta, np.ones(replicates), failed, boundary, seed)


def _refuse_weights(design: object) -> None:
    if np.any(design.weights != 1):
        raise BscError(
            "BSC-LMM-097",
            "There is no parametric bootstrap of a generalized model with prior weights.",
            "weights",
            "Weighted counts are not outcomes of the family, so none can be drawn.",
            "Fit without weights, with one row for each observation, or use likelihood_ratio.",
        )
