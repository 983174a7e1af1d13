"""The profiled (restricted) likelihood of a linear model with nested random intercepts, from sums over clusters.

Used by `mixed` to finish a fit and by `check` to confirm it. No n x n matrix is ever formed: each cluster is one
Sherman-Morrison update, the innermost level first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COMPLEX_STEP = 1e-30


@dataclass(frozen=True)
class NestedData:
    """Score and design, rows sorted so that every cluster is one run of rows.

    ``basis`` (n, p) is an orthonormal basis of the design times sqrt(n), ``residual`` (n,) the score minus its least-squares fit;
    ``starts`` holds, outermost level first, where each cluster starts among the units of the next finer level.
    """

    y: np.ndarray
    x: np.ndarray
    groups: tuple[np.ndarray, ...]
    joint: np.ndarray
    triangle: np.ndarray
    least_squares: np.ndarray
    starts: tuple[np.ndarray, ...]

    @property
    def n_rows(self) -> int:
        """Number of scores n."""
        return self.x.shape[0]

    @property
    def n_columns(self) -> int:
        """Number of fixed estimates p."""
        return self.x.shape[1]


@dataclass(frozen=True)
class Point:
    """The fit at given variance ratios: log-likelihood, fixed estimates (p,), their covariance (p, p), residual variance."""

    log_likelihood: float
    estimates: np.ndarray
    covariance: np.ndarray
    sigma2: float


def nested_data(y: np.ndarray, x: np.ndarray, groups: tuple[np.ndarray, ...]) -> NestedData:
    """Sort rows by cluster and take the sums that the criterion needs.

    Parameters
    ----------
    y : (n,) float; x : (n, p) float of full column rank
    groups : whole numbers (n,), outermost level first, each nested in the one before
    """
    order = np.lexsort(tuple(reversed(groups))) if groups else np.arange(len(y))
    y, x, groups = y[order], x[order], tuple(g[order] for g in groups)
    q, r = np.linalg.qr(x)
    scale = np.sqrt(len(y))
    coefficients = np.linalg.solve(r, q.T @ y)
    joint = np.column_stack([q * scale, y - x @ coefficients])
    first_rows = [np.flatnonzero(np.r_[True, np.diff(g) != 0]) for g in groups]
    starts = [np.searchsorted(finer, coarser) for coarser, finer in zip(first_rows, first_rows[1:], strict=False)]
    return NestedData(y, x, groups, joint, r / scale, coefficients, tuple(starts + first_rows[-1:]))


def _products(data: NestedData, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return A'V^-1 A for A = (basis, residual), and log det V, with V = I + sum of ratio Z Z'.

    One Sherman-Morrison update for each cluster, innermost level first; analytic in the ratios, which may be complex.
    """
    sums, weights = data.joint, np.ones(data.n_rows)
    products, log_det = data.joint.T @ data.joint, 0.0
    for starts, ratio in zip(reversed(data.starts), ratios[::-1], strict=True):
        sums, weights = np.add.reduceat(sums, starts, axis=0), np.add.reduceat(weights, starts)
        divisor = 1 + ratio * weights
        products = products - (sums.T * (ratio / divisor)) @ sums
        log_det = log_det + np.log(divisor).sum()
        sums, weights = sums / divisor[:, None], weights / divisor
    return products, log_det


def criterion(data: NestedData, ratios: np.ndarray, reml: bool) -> float:
    """Return minus twice the profiled log-likelihood (ML or REML), a function of the variance ratios only.

    Source: Bates, Maechler, Bolker & Walker 2015, J. Stat. Softw. 67(1), equations 34 (ML) and 39 (REML).
    Checked against: lme4 1.1-31, 44 fits of the GTI data, tests/unit/test_models_gti.py, 1e-6.
    """
    products, log_det = _products(data, np.asarray(ratios, dtype=float))
    p = data.n_columns
    cross = products[:p, :p]
    rss = products[p, p] - products[:p, p] @ np.linalg.solve(cross, products[:p, p])
    free = data.n_rows - (p if reml else 0)
    extra = np.linalg.slogdet(cross)[1] + 2 * np.log(np.abs(np.diag(data.triangle))).sum() if reml else 0.0
    return float(free * (1 + np.log(2 * np.pi * rss / free)) + log_det + extra)


def gradient(data: NestedData, ratios: np.ndarray, reml: bool) -> np.ndarray:
    """Return the derivative of `criterion` by complex step: exact to rounding."""
    p = data.n_columns
    free = data.n_rows - (p if reml else 0)
    found = []
    for k in range(len(ratios)):
        stepped = np.asarray(ratios, dtype=complex)
        stepped[k] += 1j * COMPLEX_STEP
        products, log_det = _products(data, stepped)
        slope, value = products.imag / COMPLEX_STEP, products.real
        inner = np.linalg.solve(value[:p, :p], value[:p, p])
        vector = np.r_[-inner, 1.0]
        rss = value[p, p] - value[:p, p] @ inner
        trace = np.trace(np.linalg.solve(value[:p, :p], slope[:p, :p])) if reml else 0.0
        found.append(log_det.imag / COMPLEX_STEP + free * (vector @ slope @ vector) / rss + trace)
    return np.array(found)


def curvature(data: NestedData, ratios: np.ndarray, reml: bool) -> np.ndarray:
    """Return the Hessian of `criterion`, central differences of the exact gradient."""
    rows = []
    for k, ratio in enumerate(ratios):
        step = np.zeros(len(ratios))
        step[k] = 1e-6 * (1e-2 + ratio)
        rows.append((gradient(data, ratios + step, reml) - gradient(data, ratios - step, reml)) / (2 * step[k]))
    hessian = np.array(rows).reshape(len(ratios), len(ratios))
    return (hessian + hessian.T) / 2


def point_at(data: NestedData, ratios: np.ndarray, reml: bool) -> Point:
    """Return the generalised least-squares fit at given variance ratios."""
    products, _ = _products(data, np.asarray(ratios, dtype=float))
    p = data.n_columns
    shift = np.linalg.solve(products[:p, :p], products[:p, p])
    rss = products[p, p] - products[:p, p] @ shift
    sigma2 = rss / (data.n_rows - (p if reml else 0))
    back = np.linalg.inv(data.triangle)
    covariance = sigma2 * back @ np.linalg.inv(products[:p, :p]) @ back.T
    return Point(-criterion(data, ratios, reml) / 2, data.least_squares + back @ shift, (covariance + covariance.T) / 2, float(sigma2))
