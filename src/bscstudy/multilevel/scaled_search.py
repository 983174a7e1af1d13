"""What the nested and the general engine share: searches with random columns of mean square 1 and orthonormal fixed columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.expansion import Expansion
from bscstudy.multilevel.newton_kernel import CONVERGED, EVALUATIONS, PHI, R2, STATUS, VALUE, Parameters, start_parameters

_ZERO = 1e-8  # diagonal Cholesky entry (random columns of mean square 1) taken for 0
EXACT = 1e-24  # residual sum of squares, relative, at which the fixed columns reproduce a response
_STARTS = (1.0, 0.1)


class Scales(NamedTuple):
    """Root mean square of the random columns: of each factor (k,), and of the row and the column of each entry (T,)."""

    columns: tuple[np.ndarray, ...]
    by_row: np.ndarray
    by_column: np.ndarray


def random_scales(design: Design, layout: CovarianceLayout) -> Scales:
    """Return the scales of a design's random columns."""
    squares = (np.mean(f.columns**2 * design.weights[:, None], axis=0) for f in design.factors)
    columns = tuple(np.where(s > 0, np.sqrt(s), 1.0) for s in squares)
    by_row, by_column = (np.array([columns[e.factor][getattr(e, name)] for e in layout.entries]) for name in ("row", "column"))
    return Scales(columns, by_row, by_column)


def search_parameters(layout: CovarianceLayout) -> Parameters:
    """What a search moves, and where it starts again: relative standard deviations of 1 and of 0.1, correlations of 0."""
    alone, products = layout.moved()
    diagonal = np.array([int(e.row == e.column) for e in layout.entries], np.int64)
    return Parameters(alone, products, diagonal, start_points(layout, alone, np.outer(_STARTS, diagonal)))


def start_points(layout: CovarianceLayout, alone: np.ndarray, thetas: np.ndarray) -> np.ndarray:
    """Turn thetas (B, T) of the scaled random columns into parameters (B, T)."""
    rows, columns = (np.array([getattr(e, name) for e in layout.entries], np.int64) for name in ("row", "column"))
    phi = np.empty(thetas.shape)
    for row, theta in zip(phi, np.ascontiguousarray(thetas, float), strict=True):
        start_parameters(alone, rows, columns, theta, row)
    return phi


def theta_of(layout: CovarianceLayout, scales: Scales, alone: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return theta (B, T) of parameters (T, B): diagonals that are not negative and, on the boundary, exactly 0."""
    theta = np.where(alone[:, None] == 1, np.sqrt(np.maximum(phi, 0.0)), phi)
    again = np.zeros(theta.shape[1], bool)
    for r, entry in enumerate(layout.entries):
        if alone[r] or entry.row != entry.column:
            continue
        below = [s for s, e in enumerate(layout.entries) if (e.factor, e.column) == (entry.factor, entry.column)]
        theta[below] *= np.where(theta[r] < 0, -1.0, 1.0)
        zero = theta[r] < _ZERO
        theta[r, zero] = 0.0
        again |= zero & np.any(theta[below[1:]] != 0.0, axis=0)
    theta = theta.T / scales.by_row
    for b in np.flatnonzero(again):
        theta[b] = layout.theta_from_entries(layout.entries_from_theta(theta[b]))
    return theta


def in_own_units(pieces: Expansion, upper: np.ndarray, coefficients: np.ndarray, inner: np.ndarray) -> Expansion:
    """Return an expansion in the user's columns.

    Parameters
    ----------
    pieces : Expansion
        In the scaled random columns, the orthonormal fixed columns and the response's residuals.
    upper : ndarray, shape (p, p)
        Triangle that turns the orthonormal columns into the fixed columns.
    coefficients : ndarray, shape (p,)
        Of the response on the orthonormal columns.
    inner : ndarray, shape (T,)
        Product of the scales of each entry's row and column.
    """
    change = np.eye(len(upper) + 1)
    change[:-1, :-1], change[:-1, -1] = upper, coefficients
    both = inner[:, None] * inner
    return Expansion(
        pieces.log_determinant,
        pieces.log_determinant_gradient * inner,
        pieces.log_determinant_hessian * both,
        change.T @ pieces.cross @ change,
        change.T @ (pieces.cross_gradient * inner[:, None, None]) @ change,
        change.T @ (pieces.cross_hessian * both[:, :, None, None]) @ change,
    )


def finished(
    results: np.ndarray, theta: np.ndarray, coefficients: np.ndarray, upper: np.ndarray, exact: np.ndarray, nu: float, reml: bool
) -> tuple:
    """Return the parts of BatchFits, in order.

    Parameters
    ----------
    results : ndarray, shape (PHI + T + p, B)
        Of the search.
    exact : ndarray of bool, shape (B,)
        Where the fixed columns reproduce the response.
    """
    count, p = theta.shape[1], len(upper)
    beta = np.linalg.solve(upper, results[PHI + count :] + coefficients).T if p else np.zeros((len(theta), 0))
    value = np.where(np.isfinite(results[VALUE]), results[VALUE], np.nan)
    if reml:
        value = value + 2 * np.sum(np.log(np.abs(np.diag(upper))))
    sigma = np.sqrt(results[R2] / nu)
    if exact.any():
        theta[exact], sigma[exact], value[exact] = 0.0, 0.0, -np.inf
        if p:
            beta[exact] = np.linalg.solve(upper, coefficients[:, exact]).T
    return theta, beta, sigma, value, results[EVALUATIONS].astype(np.int64), results[STATUS] == CONVERGED
