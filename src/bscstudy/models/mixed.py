"""Linear models with nested random intercepts: statsmodels MixedLM by Powell, finished on the exact criterion.

Used by `fit_model`. MixedLM alone may stop early where a variance is near zero (0.07 log-likelihood units in real data), so
its optimum is the start of a Newton search on the profiled (restricted) likelihood of `criterion`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bscstudy.models.criterion import NestedData, Point, criterion, curvature, gradient, nested_data, point_at

FULL_POWELL_GROUPS, FULL_POWELL_ROWS = 60, 1200  # MixedLM's cost grows with both: beyond them it makes one coarse run
POWELL_TOLERANCE = {"full": 1e-10, "coarse": 1e-2}
SMALLEST_RATIO = 1e-9  # MixedLM cannot evaluate its criterion at a ratio of exactly zero


@dataclass(frozen=True)
class MixedFit:
    """A finished fit; variances and ratios outermost group first, in squared units of the score."""

    point: Point
    ratios: np.ndarray
    variances: np.ndarray
    group_names: tuple[str, ...]
    reml: bool
    estimator: str
    decrement: float
    smallest_curvature: float | None
    powell_below_optimum: float | None
    statsmodels_log_likelihood: float | None

    @property
    def finite(self) -> bool:
        """Whether log-likelihood and covariance are finite and the residual variance is above zero."""
        return bool(np.isfinite(self.point.log_likelihood) and np.isfinite(self.point.covariance).all() and self.point.sigma2 > 0)


@dataclass(frozen=True)
class PowellFit:
    """What MixedLM found: variance ratios (outermost first), its log-likelihood, and its own criterion as a function.

    ``finished`` is False where it stopped on a singular matrix; the ratios are then only a start.
    """

    ratios: np.ndarray
    log_likelihood: float
    log_likelihood_at: Callable[[np.ndarray], float]
    finished: bool = True


def fit_mixed(
    y: np.ndarray, x: np.ndarray, groups: tuple[np.ndarray, ...], group_names: tuple[str, ...], *, reml: bool = True
) -> tuple[MixedFit, NestedData]:
    """Fit a linear model with zero to three levels of nested random intercepts.

    Parameters
    ----------
    y : (n,) float, no missing values
    x : (n, p) float, full column rank, with an intercept
    groups : tuple of (n,) integers, outermost level first, each nested in the one before; empty for least squares
    reml : bool
        Restricted or full maximum likelihood; without groups the residual variance divides by n - p or n.

    Returns
    -------
    tuple of MixedFit and NestedData

    Source: Laird & Ware 1982, Biometrics 38; profiled criterion as in Bates et al. 2015, J. Stat. Softw. 67(1).
    Checked against: lme4 1.1-31 on 44 GTI models, dyestuff, dyestuff2, pastes, sim3, sim3u (tests/unit/test_models_*.py).
    Not for: crossed grouping factors, random slopes, weights.
    """
    data = nested_data(y, x, groups)
    if not groups:
        none = np.zeros(0)
        return MixedFit(point_at(data, none, reml), none, none, (), reml, "OLS (ordinary least squares)", 0.0, None, None, None), data
    powell = powell_fit(data, reml)
    ratios = polish(data, powell.ratios, reml)
    point = point_at(data, ratios, reml)
    free = _free(data, ratios, reml)
    decrement, smallest = _optimality(data, ratios, free, reml)
    fit = MixedFit(
        point,
        ratios,
        ratios * point.sigma2,
        group_names,
        reml,
        _estimator(powell, reml),
        decrement,
        smallest,
        point.log_likelihood - powell.log_likelihood if powell.finished else None,
        powell.log_likelihood_at(ratios),
    )
    return fit, data


def _estimator(powell: PowellFit, reml: bool) -> str:
    engine = (
        "statsmodels MixedLM, powell; polished" if powell.finished else "own search; statsmodels MixedLM stopped with a singular matrix"
    )
    return f"{'REML' if reml else 'ML'} ({engine})"


def powell_fit(data: NestedData, reml: bool) -> PowellFit:
    """Fit by statsmodels: the top level as groups, deeper levels as variance components."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    top = data.groups[0]
    n_deeper = len(data.groups) - 1
    model = MixedLM(data.y, data.x, top, exog_re=np.ones((data.n_rows, 1)), exog_vc=_components(data) if n_deeper else None)
    tolerance = POWELL_TOLERANCE["full" if top.max() < FULL_POWELL_GROUPS and data.n_rows <= FULL_POWELL_ROWS else "coarse"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = model.fit(reml=reml, method="powell", ftol=tolerance)
        except np.linalg.LinAlgError:  # its Hessian is singular at a variance of zero; the criterion is still usable
            result = None

    def log_likelihood_at(ratios: np.ndarray) -> float:
        model.reml, model.cov_pen, model.fe_pen = reml, None, None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(model.loglike(np.sqrt(np.maximum(ratios, SMALLEST_RATIO))))

    if result is None:
        start = np.full(len(data.groups), 0.1)
        return PowellFit(start, log_likelihood_at(start), log_likelihood_at, finished=False)
    ratios = np.r_[result.cov_re_unscaled.ravel(), result.vcomp / result.scale]
    return PowellFit(np.asarray(ratios, dtype=float), float(result.llf), log_likelihood_at)


def _components(data: NestedData):
    from statsmodels.regression.mixed_linear_model import VCSpec

    top = data.groups[0]
    rows = np.split(np.arange(data.n_rows), np.flatnonzero(np.diff(top)) + 1)
    names, columns, matrices = [], [], []
    for level, codes in enumerate(data.groups[1:], start=1):
        inside = [np.unique(codes[r]) for r in rows]
        names.append(f"level{level}")
        columns.append([[str(c) for c in found] for found in inside])
        matrices.append([(codes[r][:, None] == found[None, :]).astype(float) for r, found in zip(rows, inside, strict=True)])
    return VCSpec(names, columns, matrices)


def polish(data: NestedData, start: np.ndarray, reml: bool) -> np.ndarray:
    """Return the variance ratios at the optimum next to a start: L-BFGS-B inside the bounds, then Newton steps."""
    from scipy.optimize import minimize

    found = minimize(
        lambda ratios: criterion(data, ratios, reml),
        np.maximum(start, 0),
        jac=lambda ratios: gradient(data, ratios, reml),
        method="L-BFGS-B",
        bounds=[(0, None)] * len(start),
        options={"ftol": 1e-14, "gtol": 1e-8},
    )
    ratios = np.asarray(found.x)
    for _ in range(20):
        moved = _newton_step(data, _at_zero_if_better(data, ratios, reml), reml)
        if np.max(np.abs(moved - ratios)) <= 1e-11 * (1 + np.max(ratios)):
            return moved
        ratios = moved
    return ratios


def _free(data: NestedData, ratios: np.ndarray, reml: bool) -> np.ndarray:
    """Variances that are not held at zero by a criterion rising away from it."""
    return (ratios > 0) | (gradient(data, ratios, reml) < 0)


def _at_zero_if_better(data: NestedData, ratios: np.ndarray, reml: bool) -> np.ndarray:
    """Set a variance to exactly zero where the criterion is no higher there."""
    for k in np.flatnonzero(ratios > 0):
        trial = ratios.copy()
        trial[k] = 0.0
        if criterion(data, trial, reml) <= criterion(data, ratios, reml):
            ratios = trial
    return ratios


def _newton_step(data: NestedData, ratios: np.ndarray, reml: bool) -> np.ndarray:
    free = _free(data, ratios, reml)
    if not free.any():
        return ratios
    slope, hessian = gradient(data, ratios, reml), curvature(data, ratios, reml)
    step = np.zeros(len(ratios))
    step[free] = np.linalg.lstsq(hessian[np.ix_(free, free)], -slope[free], rcond=None)[0]
    if slope @ step > 0:  # not curved upwards here: a small step downhill instead
        step[free] = -slope[free] / (np.abs(np.diag(hessian)[free]) + 1e-300)
    now = criterion(data, ratios, reml)
    for _ in range(30):
        moved = np.maximum(ratios + step, 0)
        if criterion(data, moved, reml) <= now + 1e-11 * (1 + abs(now)):
            return moved
        step = step / 2
    return ratios


def _optimality(data: NestedData, ratios: np.ndarray, free: np.ndarray, reml: bool) -> tuple[float, float | None]:
    """Return half the Newton decrement (log-likelihood still to be gained) and the smallest scaled eigenvalue of the Hessian."""
    if not free.any():
        return 0.0, None
    slope = gradient(data, ratios, reml)[free]
    hessian = curvature(data, ratios, reml)[np.ix_(free, free)]
    scale = 1 / np.sqrt(np.abs(np.diag(hessian)) + 1e-300)
    smallest = float(np.linalg.eigvalsh(hessian * np.outer(scale, scale)).min())
    decrement = float(abs(slope @ np.linalg.lstsq(hessian, slope, rcond=None)[0]) / 4)
    return decrement, smallest
