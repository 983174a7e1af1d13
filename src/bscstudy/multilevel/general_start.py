"""Starting values: variances from the expected squares of the random columns' sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.general_structure import Structure

_SMALLEST, _LARGEST = 1e-4, 1e6  # relative variances to start from
_LEAST_RESIDUAL = 1e-3  # share of the mean square that is left to sigma^2 at least


class Moments(NamedTuple):
    """What moment estimates need of a design.

    Attributes
    ----------
    kind : ndarray of int64, shape (columns,)
        Factor and random column of each column of Z, numbered 0 to m - 1 (factors in order).
    squares : ndarray, shape (columns,)
        z'z of each column.
    expected : ndarray, shape (m + 1, m + 1)
        Row i < m: sum of (z'e)^2 / z'z over the columns of kind i; last row: e'e. Columns: the weights that their expectations
        give to the m variances and to sigma^2. Covariances are left out, as is the fixed part but for its degrees of freedom.
    """

    kind: np.ndarray
    squares: np.ndarray
    expected: np.ndarray


def moments_of(structure: Structure, random: object, df: int) -> Moments:
    """Return the moments of a design; ``random`` is Z' (columns, n) in the order of the structure.

    Notes
    -----
    Source: Henderson (1953), Biometrics 9, 226-252, method 1, each square divided by its own weight.
    """
    begin, sizes = np.cumsum(structure.sizes) - structure.sizes, structure.sizes[structure.levels[:, 0]]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    n_blocks, k, _ = structure.own.shape
    kind = np.concatenate([np.tile(np.arange(k), n_blocks), np.repeat(begin[structure.levels[:, 0]], sizes) + within])
    products = (random @ random.T).tocoo()
    squares, count = products.diagonal(), int(structure.sizes.sum())
    share = products.data**2 / np.where(squares > 0, squares, np.inf)[products.row]
    cell = kind[products.row] * count + kind[products.col]
    expected = np.zeros((count + 1, count + 1))
    expected[:count, :count] = np.bincount(cell, share, count * count).reshape(count, count)
    expected[:count, count] = np.bincount(kind, squares > 0, count)
    expected[count, :count], expected[count, count] = np.bincount(kind, squares, count), df
    return Moments(kind, squares, expected)


def moment_start(structure: Structure, moments: Moments, statistics: np.ndarray) -> np.ndarray:
    """Return theta (B, T) of the scaled random columns: relative standard deviations by the method of moments, correlations of 0.

    Parameters
    ----------
    statistics : ndarray, shape (columns + P, B)
        Z'e, then the fixed columns' products with e, then e'e, for the residuals e of ordinary least squares. A response whose
        statistics are not finite starts at 1.
    """
    count, left = len(moments.expected) - 1, statistics[-1]
    share = statistics[: len(moments.kind)] ** 2 / np.where(moments.squares > 0, moments.squares, np.inf)[:, None]
    belongs = (moments.kind == np.arange(count)[:, None]).astype(float)
    observed = np.vstack([belongs @ share, left])
    good = np.all(np.isfinite(observed), axis=0)
    solved = np.linalg.lstsq(moments.expected, np.where(good, observed, 1.0), rcond=None)[0]
    residual = np.maximum(solved[-1], _LEAST_RESIDUAL * np.where(good, left, 1.0) / moments.expected[-1, -1])
    relative = np.where(good, np.clip(solved[:-1] / residual, _SMALLEST, _LARGEST), 1.0)
    factor, row, column = structure.entries.T
    begin, diagonal = np.cumsum(structure.sizes) - structure.sizes, row == column
    theta = np.zeros((statistics.shape[1], len(diagonal)))
    theta[:, diagonal] = np.sqrt(relative[(begin[factor] + row)[diagonal]]).T
    return theta
