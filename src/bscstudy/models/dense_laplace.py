"""A generalized or ordinal fit against the likelihood written out densely: its value, its gradient and curvature by differences.

Used by `second_engine`. The value comes from `bscstudy.multilevel.laplace_dense`, which the engine's kernels do not use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: random effects and parameters up to which the curvature by differences is worked out
MOST_EFFECTS, MOST_PARAMETERS = 400, 16
#: steps in standard errors of each parameter; errors of differences are of order step^2 and rounding / step^2
_GRADIENT_STEP, _CURVATURE_STEP = 1e-3, 2e-2
#: a parameter of the random part below this lies on the boundary and is held there
_BOUNDARY = 1e-5


@dataclass(frozen=True)
class DenseComparison:
    """``log_likelihood`` written out; ``gain`` log-likelihood one Newton step would add; ``shift`` (p,) that step in the fixed effects, in
    standard errors; ``ratio`` (p,) standard errors from the curvature by differences over the engine's."""

    log_likelihood: float
    gain: float
    shift: np.ndarray
    ratio: np.ndarray


def small_enough(fit: object) -> bool:
    """Tell whether the dense likelihood can be differentiated in reasonable time."""
    effects = sum(f.n_levels * f.n_effects for f in fit.design.factors)
    return effects <= MOST_EFFECTS and len(fit.parameter_covariance) <= MOST_PARAMETERS


def dense_comparison(fit: object) -> DenseComparison:
    """Return how a fit looks to the likelihood written out.

    Parameters
    ----------
    fit : bscstudy.multilevel.generalized.GeneralizedFit
        By the Laplace approximation.
    """
    from bscstudy.multilevel.laplace_dense import dense_laplace

    point = np.concatenate([fit.theta, fit.beta, fit.extra])
    n_theta, p = len(fit.theta), len(fit.beta)
    spread = np.sqrt(np.diag(fit.parameter_covariance))
    free = np.flatnonzero((spread > 0) & ((np.abs(point) > _BOUNDARY) | (np.arange(len(point)) >= n_theta)))

    def value(shift: np.ndarray) -> float:
        moved = point.copy()
        moved[free] += shift * spread[free]
        parts = moved[:n_theta], moved[n_theta : n_theta + p], moved[n_theta + p :]
        return dense_laplace(fit.design, fit.layout, fit.family, *parts)[0]

    unit = np.eye(len(free))
    centre = value(np.zeros(len(free)))
    gradient = np.array([(value(_GRADIENT_STEP * e) - value(-_GRADIENT_STEP * e)) / (2 * _GRADIENT_STEP) for e in unit])
    curvature = -_second_differences(value, unit, centre)
    inverse = np.linalg.inv(curvature)
    step = inverse @ gradient
    fixed = [int(np.flatnonzero(free == n_theta + k)[0]) for k in range(p)]
    return DenseComparison(centre, float(gradient @ step / 2), step[fixed], np.sqrt(np.diag(inverse))[fixed])


def _second_differences(value: object, unit: np.ndarray, centre: float) -> np.ndarray:
    """Second derivatives by central differences at two distances, extrapolated."""
    near, far = (_plain_differences(value, k * _CURVATURE_STEP * unit, centre) / (k * _CURVATURE_STEP) ** 2 for k in (1, 2))
    return (4 * near - far) / 3


def _plain_differences(value: object, steps: np.ndarray, centre: float) -> np.ndarray:
    count = len(steps)
    up, down = [value(s) for s in steps], [value(-s) for s in steps]
    found = np.diag([up[i] + down[i] - 2 * centre for i in range(count)])
    for i in range(count):
        for j in range(i):
            both = value(steps[i] + steps[j]) + value(-steps[i] - steps[j])
            found[i, j] = found[j, i] = (both - up[i] - down[i] - up[j] - down[j] + 2 * centre) / 2
    return found
