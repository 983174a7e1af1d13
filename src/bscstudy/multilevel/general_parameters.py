"""Between theta of the user's columns and the parameters a search moves (random columns of mean square 1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.general_search_kernel import Parameters
from bscstudy.multilevel.newton_kernel import start_parameters

_ZERO = 1e-8  # diagonal Cholesky entry (random columns of mean square 1) taken for 0
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
