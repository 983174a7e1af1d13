"""Where the variance lies: variance components, intraclass correlation by level with intervals, R squared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design

_FLAT = 1e-5  # a relative standard deviation below this is zero, as in the fit's own sentences


@dataclass(frozen=True)
class VarianceComponent:
    """One variance or covariance.

    Attributes
    ----------
    group : str
        Grouping factor, or ``Residual``.
    term, term2 : str
        Random columns; ``term2`` is empty for a variance.
    variance : float
        Squared units of the response (of the link for generalized models); the covariance where ``term2`` is named.
    correlation : float
        Missing for a variance, and where one of the two variances is 0.
    sd : float
        Missing for a covariance.
    """

    group: str
    term: str
    term2: str
    variance: float
    correlation: float
    sd: float


def variance_components(
    design: Design, layout: CovarianceLayout, entries: np.ndarray, sigma: float | None
) -> tuple[VarianceComponent, ...]:
    """Return variances and covariances factor by factor (variances first), the residual variance last.

    Parameters
    ----------
    entries : ndarray, shape (T,)
        Relative covariances.
    sigma : float or None
        Residual standard deviation; None for families without one (relative covariances are then absolute).
    """
    scale = 1.0 if sigma is None else sigma**2
    rows = []
    for number, factor in enumerate(design.factors):
        covariance = scale * layout.covariance_matrix(entries, number)
        spread = np.sqrt(np.diag(covariance))
        names = factor.effect_names
        rows += [VarianceComponent(factor.name, names[a], "", covariance[a, a], np.nan, spread[a]) for a in range(len(names))]
        for entry in layout.entries:
            if entry.factor == number and entry.row != entry.column:
                a, b = entry.column, entry.row
                known = min(spread[a], spread[b]) > _FLAT * np.sqrt(scale)
                correlation = covariance[a, b] / (spread[a] * spread[b]) if known else np.nan
                rows.append(VarianceComponent(factor.name, names[a], names[b], covariance[a, b], correlation, np.nan))
    if sigma is not None:
        rows.append(VarianceComponent("Residual", "", "", sigma**2, np.nan, sigma))
    return tuple(VarianceComponent(r.group, r.term, r.term2, *(float(v) for v in (r.variance, r.correlation, r.sd))) for r in rows)


@dataclass(frozen=True)
class LevelShare:
    """The part of the random variance that lies between the groups of one level.

    Attributes
    ----------
    group : str
        Grouping factor, or ``Residual``.
    n_groups : int
    variance : float
        Mean over the rows of the variance of what the groups of this level contribute (with slopes it differs between rows).
    share, share_lower, share_upper : float
        Of the total of random and residual variance, 0 to 1.
    icc, icc_lower, icc_upper : float
        Correlation expected of two rows in one group of this level: its share and those of the levels it lies within. Equal to
        ``share`` for crossed factors and for the outermost level.
    note : str
        What has to be said with the interval.
    """

    group: str
    n_groups: int
    variance: float
    share: float
    share_lower: float
    share_upper: float
    icc: float
    icc_lower: float
    icc_upper: float
    note: str = ""


def mean_weights(design: Design, layout: CovarianceLayout) -> np.ndarray:
    """Return what each relative covariance adds to the mean variance of a row, shape (F, T).

    Notes
    -----
    Source: Johnson (2014), Methods in Ecology and Evolution 5(9), equations 10 and 11: the trace of Z G Z' over n.
    """
    weights = np.zeros((len(design.factors), layout.n_parameters))
    for r, entry in enumerate(layout.entries):
        columns = design.factors[entry.factor].columns
        twice = 1.0 if entry.row == entry.column else 2.0
        weights[entry.factor, r] = twice * np.mean(columns[:, entry.row] * columns[:, entry.column])
    return weights


def shares_of(weights: np.ndarray, entries: np.ndarray, residual: float) -> np.ndarray:
    """Return the share of each factor, shape (..., F), from relative covariances (..., T) and the relative residual variance."""
    parts = np.maximum(entries @ weights.T, 0.0)
    return parts / (parts.sum(axis=-1, keepdims=True) + residual)


def variance_partition(fit: object, *, residual: float | None = None, level: float = 0.95, draws: np.ndarray | None = None) -> tuple:
    """Return the share of each level in the random variance, with intervals.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
    residual : float, optional
        Residual variance relative to the scale of ``fit.entries``: by default the mean of 1 / weight (linear models); for generalized
        models the family's variance on the scale of the link.
    level : float
        Between 0 and 1.
    draws : ndarray, shape (B, T), optional
        theta of parametric bootstrap refits: intervals are their percentiles instead of the delta method.

    Returns
    -------
    tuple of LevelShare
        Outermost level first, ``Residual`` last.

    Notes
    -----
    The delta method works on the logit of the share, with the inverse Hessian of the deviance in theta (``residual`` is taken as
    known). Where a variance is estimated
    as 0 its lower limit is 0 and its upper limit is missing: the curvature there says nothing, the bootstrap does.
    Source: Nakagawa & Schielzeth (2010), Biological Reviews 85; Goldstein, Browne & Rasbash (2002), Understanding Statistics 1.
    Checked against: the exact F-based interval in balanced data and lme4 1.1-31 variances, test_multilevel_variance_partition.
    Not for: fewer than about ten groups with the delta method alone; use the bootstrap.
    """
    design, layout = fit.design, fit.layout
    if residual is None:
        residual = float(np.mean(1 / design.weights))
    weights = mean_weights(design, layout)
    sums = _level_sums(design)
    shares = shares_of(weights, fit.entries, residual)
    values = sums @ shares
    if draws is None:
        limits = _delta_limits(fit, weights, sums, residual, level)
    else:
        limits = _percentiles(layout, weights, sums, residual, level, draws)
    scale = 1.0 if getattr(fit, "sigma", None) is None else fit.sigma**2
    variances = scale * (fit.entries @ weights.T)
    return _level_rows(design, scale * residual, variances, values, limits, sums)


def _level_sums(design: Design) -> np.ndarray:
    """Which shares add up to which quantity, shape (2 F + 1, F): each share, each icc, and the sum of all random shares."""
    from bscstudy.multilevel.engine import nested_in

    factors = design.factors
    own = np.eye(len(factors))
    within = np.array(
        [[float(i == j or nested_in(f.codes, g.codes, f.n_levels)) for j, g in enumerate(factors)] for i, f in enumerate(factors)]
    )
    within = within.reshape(len(factors), len(factors))
    return np.concatenate([own, within, np.ones((1, len(factors)))])


def _delta_limits(fit: object, weights: np.ndarray, sums: np.ndarray, residual: float, level: float) -> np.ndarray:
    """Return limits by the delta method on the logit, shape (quantities, 2)."""
    from scipy.special import ndtri

    count = fit.layout.n_parameters
    parts = fit.entries @ weights.T
    total = parts.sum() + residual
    slopes = (weights - np.outer(parts / total, weights.sum(axis=0))) / total
    slopes = sums @ slopes @ fit.layout.jacobian(fit.theta)
    covariance = curved_inverse(np.asarray(fit.hessian)[:count, :count], np.asarray(fit.hessian))
    values = sums @ (parts / total)
    limits = np.full((len(values), 2), np.nan)
    reach = ndtri((1 + level) / 2)
    for i, value in enumerate(values):
        if value < 1e-10:
            limits[i, 0] = 0.0
        elif value < 1:
            error = np.sqrt(2 * slopes[i] @ covariance @ slopes[i]) / (value * (1 - value))
            limits[i] = 1 / (1 + np.exp(-np.log(value / (1 - value)) - np.array([-1, 1]) * reach * error))
    return limits


def curved_inverse(own: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the block of the inverse Hessian that belongs to its first parameters, leaving flat and boundary directions out.

    Parameters
    ----------
    own : ndarray, shape (T, T)
        Gives the size of the block.
    whole : ndarray, shape (m, m)
        Hessian in all parameters, the covariance parameters first.
    """
    scale = np.sqrt(np.maximum(np.diag(whole), 0.0))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(whole / np.outer(scale, scale))
    keep = values > 1e-10 * max(values.max(initial=0.0), 1e-300)
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T / np.outer(scale, scale)
    return inverse[: len(own), : len(own)]


def _percentiles(
    layout: CovarianceLayout, weights: np.ndarray, sums: np.ndarray, residual: float, level: float, draws: np.ndarray
) -> np.ndarray:
    known = draws[np.all(np.isfinite(draws), axis=1)]
    entries = np.array([layout.entries_from_theta(theta) for theta in known])
    values = shares_of(weights, entries, residual) @ sums.T
    return np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0).T


def _level_rows(
    design: Design, residual: float, variances: np.ndarray, values: np.ndarray, limits: np.ndarray, sums: np.ndarray
) -> tuple[LevelShare, ...]:
    count = len(design.factors)
    rows = []
    for i in reversed(range(count)):
        factor = design.factors[i]
        zero = "the variance is estimated as 0: no upper limit from the curvature" if values[i] < 1e-10 else ""
        note = zero if np.isnan(limits[i, 1]) else ""
        share, icc = (values[i], *limits[i]), (values[count + i], *limits[count + i])
        rows.append(LevelShare(factor.name, factor.n_levels, *(float(v) for v in (variances[i], *share, *icc)), note))
    rest = 1 - values[-1], *(1 - limits[-1][::-1])
    rows.append(LevelShare("Residual", design.n, residual, *(float(v) for v in rest), np.nan, np.nan, np.nan))
    return tuple(rows)


@dataclass(frozen=True)
class RSquared:
    """Variance explained, 0 to 1.

    Attributes
    ----------
    marginal : float
        By the fixed effects.
    conditional : float
        By fixed and random effects together.
    fixed, random, residual : float
        The three variances, in squared units of the response (of the link for generalized models).
    """

    marginal: float
    conditional: float
    fixed: float
    random: float
    residual: float


def r_squared(fit: object, *, residual: float | None = None) -> RSquared:
    """Return marginal and conditional R squared.

    Parameters
    ----------
    residual : float, optional
        As in ``variance_partition``.

    Notes
    -----
    The variance of the fixed part is that of X beta over the rows (divisor n - 1, as R's var); offsets take no part.
    Source: Nakagawa & Schielzeth (2013), Methods in Ecology and Evolution 4(2), equations 26 and 30; Johnson (2014) for slopes;
    Nakagawa, Johnson & Schielzeth (2017), Journal of the Royal Society Interface 14, for generalized models.
    Checked against: the definition from lme4 1.1-31 estimates, test_multilevel_variance_partition.
    """
    design = fit.design
    scale = 1.0 if getattr(fit, "sigma", None) is None else fit.sigma**2
    rest = scale * (float(np.mean(1 / design.weights)) if residual is None else residual)
    fixed = float(np.var(design.fixed @ fit.beta[: design.p], ddof=1))
    random = float(scale * np.sum(mean_weights(design, fit.layout) @ fit.entries))
    total = fixed + random + rest
    return RSquared(fixed / total, (fixed + random) / total, fixed, random, rest)


def row_variances(design: Design, layout: CovarianceLayout, entries: np.ndarray) -> np.ndarray:
    """Return the random variance of each row relative to the scale of ``entries``: the diagonal of Z G Z', shape (n,)."""
    total = np.zeros(design.n)
    for number, factor in enumerate(design.factors):
        total += np.einsum("nk,kl,nl->n", factor.columns, layout.covariance_matrix(entries, number), factor.columns)
    return total
