"""The Laplace log-likelihood written down as it is defined, with n x n and q x q matrices: the oracle of the compiled kernels."""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.families import Family

MODE_ITERATIONS = 200
MODE_TOLERANCE = 1e-12


def dense_random(design: Design, layout: CovarianceLayout, theta: np.ndarray) -> np.ndarray:
    """Return Z Lambda, shape (n, q): factors in order, levels of each in order, columns of each level."""
    parts = []
    for number, factor in enumerate(design.factors):
        lower = layout.factor_matrix(theta, number)
        part = np.zeros((design.n, factor.n_levels, factor.n_effects))
        part[np.arange(design.n), factor.codes] = factor.columns @ lower
        parts.append(part.reshape(design.n, -1))
    return np.hstack(parts)


def row_derivatives(design: Design, family: Family, extra: np.ndarray, predictor: np.ndarray) -> np.ndarray:
    """Return log density and its first two derivatives in the linear predictor, shape (3, n)."""
    from bscstudy.multilevel.family_kernel import observation_derivatives

    n, extra = design.n, np.array(extra, float)
    trials = np.ones(n) if design.trials is None else design.trials
    found, parts = np.zeros((4, n)), np.zeros((3, n, len(extra)))
    given = (np.asarray(design.response, float), np.asarray(trials, float), np.asarray(design.weights, float))
    observation_derivatives(family.code, family.link_code, *given, predictor, extra, *found, *parts)
    return found[:3]


def dense_laplace(
    design: Design, layout: CovarianceLayout, family: Family, theta: np.ndarray, beta: np.ndarray, extra: np.ndarray = ()
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the Laplace log-likelihood, the spherical mode u (q,) and H = I + A'WA (q, q), A = Z Lambda.

    Parameters
    ----------
    design, layout, family
        As for ``fit_generalized``.
    theta, beta, extra : ndarray
        As in ``GeneralizedFit``.

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 3: sum log f - |u|^2 / 2 - log|H| / 2 at the mode.
    """
    scaled = dense_random(design, layout, theta)
    base = design.fixed @ np.asarray(beta, float) + design.offset
    effects = np.zeros(scaled.shape[1])

    def joint(u: np.ndarray) -> tuple[float, np.ndarray]:
        rows = row_derivatives(design, family, extra, base + scaled @ u)
        return float(rows[0].sum() - 0.5 * u @ u), rows

    value, rows = joint(effects)
    for _ in range(MODE_ITERATIONS):
        curvature = np.eye(len(effects)) - (scaled.T * rows[2]) @ scaled
        safe = np.eye(len(effects)) + (scaled.T * np.maximum(-rows[2], 0.0)) @ scaled
        step = np.linalg.solve(safe if np.linalg.eigvalsh(curvature)[0] <= 0 else curvature, scaled.T @ rows[1] - effects)
        changed, moved = joint(effects + step)
        while changed < value - 1e-11 * (1 + abs(value)):
            step = step / 2
            changed, moved = joint(effects + step)
        effects, value, rows = effects + step, changed, moved
        if np.abs(step).max() < MODE_TOLERANCE * (1 + np.abs(effects).max()):
            break
    curvature = np.eye(len(effects)) - (scaled.T * rows[2]) @ scaled
    return value - 0.5 * np.linalg.slogdet(curvature)[1], effects, curvature
