"""Generalized and ordinal mixed models: the fit, its standard errors from the full Hessian, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout, covariance_layout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.families import Family, family_named, natural_extra, simulate_response
from bscstudy.multilevel.generalized_refusals import refuse_no_groups, refuse_no_start, refuse_runaway
from bscstudy.multilevel.laplace import Optimum, PreparedLaplace, prepare_laplace
from bscstudy.multilevel.quadrature import refuse_quadrature
from bscstudy.multilevel.solve import ConditionalModes

CONVERGED_DECREMENT = 1e-10
#: log size or log precision beyond which no over-dispersion is left to see
LARGEST_LOG_EXTRA = 12.0
FLAT_CURVATURE = 1e-10


@dataclass(frozen=True)
class GeneralizedFit:
    """A fitted generalized or ordinal mixed model.

    ``p`` fixed effects, ``T`` covariance parameters, ``m`` extra parameters, d = T + p + m in this order: theta, beta, extra.

    Attributes
    ----------
    design : Design
    layout : CovarianceLayout
    family : Family
    quadrature_points : int
        1 is the Laplace approximation.
    theta, entries : ndarray, shape (T,)
        Factor of the random effects' covariance and its entries, on the scale of the link.
    beta : ndarray, shape (p,)
        On the scale of the link; of ordered categories P(outcome <= k) = F(threshold_k - x beta).
    extra : ndarray, shape (m,)
        As the family's densities take them: thresholds themselves, log size, log precision. ``natural`` gives the units of reports.
    covariance : ndarray, shape (p, p)
        Of beta, from the inverse of the full Hessian (all d parameters).
    parameter_covariance : ndarray, shape (d, d)
        Of all parameters; zeros for one that ran to its limit.
    log_likelihood : float
        With all normalising constants (as glmer and glmmTMB by Laplace, and clmm; glmer with several points leaves some out).
    gradient, hessian : ndarray, shape (d,) and (d, d)
        Of the deviance.
    effects : ndarray, shape (q,)
        Spherical conditional modes, in the order of ``prepared.layout``.
    boundary : tuple of str
        One sentence for each variance of 0, correlation of 1, or over-dispersion of 0.
    evaluations : int
        Of the likelihood with its gradient.
    converged : bool
    prepared : PreparedLaplace
    """

    design: Design
    layout: CovarianceLayout
    family: Family
    quadrature_points: int
    theta: np.ndarray
    entries: np.ndarray
    beta: np.ndarray
    extra: np.ndarray
    covariance: np.ndarray
    parameter_covariance: np.ndarray
    log_likelihood: float
    gradient: np.ndarray
    hessian: np.ndarray
    effects: np.ndarray
    boundary: tuple[str, ...]
    evaluations: int
    converged: bool
    prepared: PreparedLaplace

    @property
    def deviance(self) -> float:
        """Minus twice the log-likelihood."""
        return -2.0 * self.log_likelihood

    @property
    def natural(self) -> dict[str, float]:
        """Extra parameters in the units of reports: thresholds by name, size, precision and indicator correlation."""
        return natural_extra(self.family, self.extra)

    @property
    def extra_std_error(self) -> np.ndarray:
        """Standard errors of ``extra``, shape (m,)."""
        return np.sqrt(np.diag(self.parameter_covariance)[len(self.theta) + len(self.beta) :])

    def conditional_modes(self) -> tuple[ConditionalModes, ...]:
        """Return Lambda u of each factor and Lambda H^-1 Lambda', parameters taken as known, on the scale of the link.

        Checked against: lme4 1.1-31 ranef(condVar = TRUE) and the dense definition, test_multilevel_laplace.
        """
        modes, variances = self.prepared.effects_at(self.theta, self.beta, self.extra)
        found = []
        for number, factor in enumerate(self.design.factors):
            lower = self.layout.factor_matrix(self.theta, number)
            spread = lower @ variances[number] @ lower.T
            found.append(ConditionalModes(factor.name, factor.labels, factor.effect_names, modes[number] @ lower.T, spread))
        return tuple(found)


def fit_generalized(
    design: Design, family: Family | str, *, link: str | None = None, quadrature_points: int = 1, start: np.ndarray | None = None
) -> GeneralizedFit:
    """Fit a generalized or ordinal mixed model by maximum likelihood.

    Parameters
    ----------
    design : Design
        At least one grouping factor. Ordered categories have no constant column. Weights multiply the log density.
    family : Family or str
        binomial, poisson, negative_binomial, beta_binomial, cumulative.
    link : str, optional
        The family's usual link where not given; not read where ``family`` is a Family.
    quadrature_points : int
        1 is the Laplace approximation; more for adaptive Gauss-Hermite quadrature with one random column.
    start : ndarray, shape (T,), optional
        theta to start from.

    Returns
    -------
    GeneralizedFit

    Raises
    ------
    BscError
        BSC-LMM-050, -051 quadrature that the model cannot have; -052 no grouping factor; -053 fixed effects that run away
        (separation); -054 a random standard deviation that runs away; -055 no finite likelihood to start from. What the family refuses
        of a response: BSC-LMM-005, -006, -019, -070, -071, -074. An optimum that was not reached is no error: ``converged`` is False.

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), and Kristensen et al. (2016), JSS 70(5), for the Laplace approximation.
    Checked against: glmmTMB 1.1.5, lme4 1.1-31 and ordinal 2022.11-16, test_multilevel_laplace, test_multilevel_quadrature.
    """
    from bscstudy.multilevel.family_checks import check_response

    family = _family(design, family, link)
    refuse_no_groups(design)
    refuse_quadrature(design, quadrature_points)
    check_response(family, design.response, design.trials, name=design.response_name, rows=design.rows)
    layout = covariance_layout(design)
    prepared = prepare_laplace(design, layout, family, int(quadrature_points))
    optimum = prepared.fit(start)
    refuse_no_start(design, optimum)
    return finish(prepared, optimum, int(quadrature_points))


def _family(design: Design, family: Family | str, link: str | None) -> Family:
    if isinstance(family, Family):
        return family
    if family != "cumulative":
        return family_named(family, link)
    named = tuple(getattr(design.information, "categories", ()) or ())
    return family_named(family, link, categories=named or tuple(str(k + 1) for k in range(int(design.response.max()) + 1)))


def finish(prepared: PreparedLaplace, optimum: Optimum, quadrature_points: int) -> GeneralizedFit:
    """Return the fit at an optimum, with its standard errors; refuses estimates that ran away."""
    from bscstudy.multilevel.linear import boundary_sentences

    design, layout, family = prepared.design, prepared.covariance, prepared.family
    n_theta, p, _ = prepared.sizes
    gone = _without_dispersion(family, optimum.extra)
    free = np.concatenate([np.ones(n_theta + p, bool), ~gone])
    covariance = _inverse(-optimum.hessian, free)
    refuse_runaway(design, layout, optimum, covariance[n_theta : n_theta + p, n_theta : n_theta + p])
    sentences = boundary_sentences(design, layout, optimum.theta)
    sentences += tuple(f"{name} runs to its limit: there is no over-dispersion to see" for name in np.array(family.extra_names)[gone])
    return GeneralizedFit(
        design=design,
        layout=layout,
        family=family,
        quadrature_points=quadrature_points,
        theta=optimum.theta,
        entries=layout.entries_from_theta(optimum.theta),
        beta=optimum.beta,
        extra=optimum.extra,
        covariance=covariance[n_theta : n_theta + p, n_theta : n_theta + p],
        parameter_covariance=covariance,
        log_likelihood=optimum.log_likelihood,
        gradient=np.where(free, -2.0 * optimum.gradient, 0.0),
        hessian=-2.0 * optimum.hessian * np.outer(free, free),
        effects=optimum.effects,
        boundary=sentences,
        evaluations=optimum.evaluations,
        converged=bool(optimum.decrement <= CONVERGED_DECREMENT),
        prepared=prepared,
    )


def _without_dispersion(family: Family, extra: np.ndarray) -> np.ndarray:
    return np.zeros(len(extra), bool) if family.is_ordinal else extra > LARGEST_LOG_EXTRA


def _inverse(information: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Inverse of the information over the free parameters, flat directions left out; zeros elsewhere."""
    part = information[np.ix_(free, free)]
    scale = np.sqrt(np.abs(part.diagonal()))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(part / np.outer(scale, scale))
    turned = vectors / scale[:, None]
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=np.abs(values) > FLAT_CURVATURE)
    whole = np.zeros_like(information)
    whole[np.ix_(free, free)] = (turned * inverse) @ turned.T
    return whole


def simulate(fit: GeneralizedFit, rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw responses from a fitted model, new random effects each time, shape (n, count), rows in the design's order."""
    design = fit.design
    link = np.repeat((design.fixed @ fit.beta + design.offset)[:, None], count, axis=1)
    for number, factor in enumerate(design.factors):
        lower = fit.layout.factor_matrix(fit.theta, number)
        effects = rng.standard_normal((count, factor.n_levels, factor.n_effects)) @ lower.T
        link += np.einsum("na,bna->nb", factor.columns, effects[:, factor.codes])
    return simulate_response(fit.family, link, rng, extra=fit.extra, trials=1.0 if design.trials is None else design.trials)


@dataclass(frozen=True)
class GeneralizedRefits:
    """Refits of B responses: theta (B, T), beta (B, p), extra (B, m), log_likelihood (B,), evaluations (B,), converged (B,)."""

    theta: np.ndarray
    beta: np.ndarray
    extra: np.ndarray
    log_likelihood: np.ndarray
    evaluations: np.ndarray
    converged: np.ndarray


def refit_many(fit: GeneralizedFit, responses: np.ndarray) -> GeneralizedRefits:
    """Fit the same model to other responses, each from the fit's own estimates and curvature.

    Parameters
    ----------
    fit : GeneralizedFit
    responses : ndarray, shape (n, B)
        Rows in the design's order.

    Returns
    -------
    GeneralizedRefits
        One that has no optimum within reach is not ``converged``; nothing is refused.

    Notes
    -----
    Checked against: ``fit_generalized`` on each response from its own start, test_multilevel_laplace.
    """
    prepared = prepare_laplace(fit.design, fit.layout, fit.family, fit.quadrature_points)
    found = [prepared.refit(response, fit) for response in np.asarray(responses, float).T]
    return GeneralizedRefits(
        theta=np.array([o.theta for o in found]),
        beta=np.array([o.beta for o in found]),
        extra=np.array([o.extra for o in found]),
        log_likelihood=np.array([o.log_likelihood for o in found]),
        evaluations=np.array([o.evaluations for o in found]),
        converged=np.array([o.decrement <= CONVERGED_DECREMENT for o in found], bool),
    )
