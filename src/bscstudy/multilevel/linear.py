"""Fitting a linear mixed model: engine, optimum, and what the inference needs of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.covariance import CovarianceLayout, covariance_layout
from bscstudy.multilevel.criterion import Criterion, profiled_deviance
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.engine import prepare
from bscstudy.multilevel.expansion import BatchFits, Expansion

#: share of the response's sum of squares about 0 that rounding alone leaves where the fixed columns reproduce it
_EXACT = 1e-22


@dataclass(frozen=True)
class LinearFit:
    """A fitted linear mixed model.

    Attributes
    ----------
    design : Design
    layout : CovarianceLayout
    prepared : object
        The engine's own form of the design, its response being the rest after ``centre``; gives ``expand`` and ``fit_many``.
    reml : bool
    theta, entries : ndarray, shape (T,)
        Relative covariance factor and relative covariances at the optimum.
    sigma : float
        Residual standard deviation, units of the response.
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        sigma^2 (X' V^-1 X)^-1.
    deviance : float
        Minus twice ``log_likelihood`` (restricted where ``reml``).
    expansion : Expansion
        At the optimum, of the response less X ``centre``.
    criterion : Criterion
        At the optimum, derivatives in the entries.
    gradient, hessian : ndarray, shape (T,) and (T, T)
        Of the deviance in theta.
    boundary : tuple of str
        One sentence for each variance of 0 or correlation of 1; empty in the interior.
    evaluations : int
    converged : bool
    centre : ndarray, shape (p,)
        Coefficients whose prediction was taken off the response before ``expansion``: whatever they are, deviance, variances and
        covariances stay the same, but the digits of a response far from 0 would be lost in its squares.
    """

    design: Design
    layout: CovarianceLayout
    prepared: object
    reml: bool
    theta: np.ndarray
    entries: np.ndarray
    sigma: float
    beta: np.ndarray
    covariance: np.ndarray
    deviance: float
    expansion: Expansion
    criterion: Criterion
    gradient: np.ndarray
    hessian: np.ndarray
    boundary: tuple[str, ...]
    evaluations: int
    converged: bool
    centre: np.ndarray

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood, restricted where ``reml``."""
        return -self.deviance / 2

    @cached_property
    def blocks(self) -> object:
        """The numpy form of the design, for products with V^-1 and conditional modes (see ``solve``)."""
        from bscstudy.multilevel.blocks import prepare_blocks

        return prepare_blocks(self.design, self.layout)


def fit_linear(design: Design, *, reml: bool = True, start: np.ndarray | None = None) -> LinearFit:
    """Fit a linear mixed model by profiled deviance with exact gradient and Hessian.

    Parameters
    ----------
    design : Design
        Without factors the fit is ordinary (weighted) least squares.
    reml : bool
        Restricted maximum likelihood instead of maximum likelihood.
    start : ndarray, shape (T,), optional
        theta to start from; otherwise relative standard deviations of 1.

    Returns
    -------
    LinearFit

    Raises
    ------
    BscError
        BSC-LMM-101 where the fixed columns reproduce the response exactly, so that there is no variance left to divide.

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 3.
    Checked against: values polished by Newton's method and lme4 1.1-31 under tight tolerances, tests test_multilevel_reference.
    """
    layout = covariance_layout(design)
    centre = _least_squares(design)
    centred = replace(design, response=design.response - design.fixed @ centre)
    prepared = prepare(centred, layout)
    fits = prepared.fit_many(centred.response[:, None], layout.start() if start is None else np.asarray(start, float), reml=reml)
    return finish(design, layout, prepared, fits, reml, centre=centre)


def finish(design: Design, layout: CovarianceLayout, prepared: object, fits: BatchFits, reml: bool, *, centre: np.ndarray) -> LinearFit:
    """Return the fit at the optimum of the first response of ``fits``, which is that of ``prepared``.

    Parameters
    ----------
    centre : ndarray, shape (p,)
        Coefficients whose prediction was taken off the response of ``prepared``: zeros, or the ``centre`` of the fit it comes from.
    """
    theta = fits.theta[0]
    entries = layout.entries_from_theta(theta)
    expansion = prepared.expand(entries)
    criterion = profiled_deviance(expansion, design.n, reml=reml)
    criterion = replace(criterion, beta=criterion.beta + centre)
    gradient, hessian = layout.to_theta(theta, criterion.gradient, criterion.hessian)
    return LinearFit(
        design=design,
        layout=layout,
        prepared=prepared,
        reml=reml,
        theta=theta,
        entries=entries,
        sigma=criterion.sigma,
        beta=criterion.beta,
        covariance=criterion.sigma**2 * criterion.unscaled,
        deviance=criterion.value - float(np.sum(np.log(design.weights))),
        expansion=expansion,
        criterion=criterion,
        gradient=gradient,
        hessian=hessian,
        boundary=boundary_sentences(design, layout, theta),
        evaluations=int(fits.evaluations[0]),
        converged=bool(fits.converged[0]),
        centre=centre,
    )


def _least_squares(design: Design) -> np.ndarray:
    """Return the (weighted) least-squares coefficients (p,); refuses a response that they reproduce exactly (BSC-LMM-101).

    Normal equations of columns of length 1, solved a second time for what the first solution leaves.
    """
    data, _ = design.scaled()
    length = np.sqrt(np.einsum("ij,ij->j", data, data))
    size = np.where(length > 0, length, 1.0)[:-1]
    fixed, rest = data[:, :-1] / size, data[:, -1]
    cross, coefficients = fixed.T @ fixed, np.zeros(design.p)
    for _ in range(2):
        step = np.linalg.lstsq(cross, fixed.T @ rest, rcond=None)[0]
        coefficients, rest = coefficients + step, rest - fixed @ step
    if rest @ rest <= _EXACT * max(length[-1] ** 2, 1e-300):
        raise BscError(
            "BSC-LMM-101",
            "The fixed columns reproduce the response exactly.",
            f"column {design.response_name}",
            "No variance is left for a model to divide, and every standard error would be zero.",
            "Check that the response is not constant and not a copy or sum of the predictors.",
        )
    return coefficients / size


def boundary_sentences(design: Design, layout: CovarianceLayout, theta: np.ndarray) -> tuple[str, ...]:
    """Name each variance of 0 and each perfect correlation, judged at 1e-5 of the relative standard deviation.

    Notes
    -----
    lme4's isSingular uses 1e-4 on theta; here scalar variances reach 0 exactly and 1e-5 only concerns correlated columns.
    """
    found = []
    for factor_number, columns in layout.blocks:
        factor = design.factors[factor_number]
        lower = layout.factor_matrix(theta, factor_number)[np.ix_(columns, columns)]
        spread = np.sqrt(np.sum(lower**2, axis=1))
        flat = [factor.effect_names[c] for c, s in zip(columns, spread, strict=True) if s < 1e-5]
        found += [f"the variance of {name} between levels of {factor.name} is estimated as 0" for name in flat]
        live = spread >= 1e-5
        if live.sum() > 1 and np.linalg.matrix_rank(lower[live] / spread[live, None], tol=1e-4) < live.sum():
            names = " and ".join(factor.effect_names[c] for c, ok in zip(columns, live, strict=True) if ok)
            found.append(f"{names} are estimated as perfectly correlated between levels of {factor.name}")
    return tuple(found)
