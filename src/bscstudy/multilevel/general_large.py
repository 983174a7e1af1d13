"""Components too large for compiled loops: their dense algebra by LAPACK.

The trace part of the Hessian costs products of matrices as large as the component. Above ``LARGEST_EXACT`` columns the search replaces it
by its average information, y'P V_r P V_s P y / sigma^2 (Gilmour, Thompson & Cullis 1995, Biometrics 51, 1440), plus a symmetric rank-one
correction learnt from the exact gradients (Nocedal & Wright 2006, section 6.2); the optimum is where the exact gradient is zero.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.general_dense_kernel import levels_times, mirror_lower, times_levels
from bscstudy.multilevel.general_expansion_kernel import add_level_traces, finish_log_gradient
from bscstudy.multilevel.general_kernel import (
    GAIN,
    MIDDLE,
    SCHUR,
    SHRINK,
    Covariance,
    Sums,
    Totals,
    Work,
    add_block_side,
    add_curvature,
    add_data_side,
    add_small_components,
    allocate_sums,
    allocate_work,
    eliminate_blocks,
    fill_pairs,
)
from bscstudy.multilevel.general_structure import Structure

LARGEST_COMPILED = 64  # columns of a component up to which compiled loops are faster than calls of LAPACK
LARGEST_EXACT = 400  # columns up to which the search uses the exact Hessian
_WELL_CONDITIONED = 1e-3  # diagonal of Lambda (random columns of mean square 1) that may be divided by
_VISIBLE = 1e-3  # least diagonal of I - A^-1 from which M22 may be recovered


def expand_exactly(structure: Structure, covariance: Covariance, totals: Totals) -> Sums:
    """Return the full expansion at one covariance."""
    width = totals.other_totals.shape[1]
    work, sums = allocate_work(structure, width), allocate_sums(len(structure.entries), width)
    fill_sums(structure, covariance, totals, work, sums, exact=True)
    return sums


def fill_sums(structure: Structure, covariance: Covariance, totals: Totals, work: Work, sums: Sums, *, exact: bool) -> None:
    """Fill the expansion; where not ``exact``, log_hessian is left without meaning."""
    add_small_components(structure, covariance, totals, work, sums, LARGEST_COMPILED)
    for component in np.flatnonzero(structure.n_columns > LARGEST_COMPILED):
        eliminate_blocks(structure, covariance, totals, work, sums, component)
        inner = _invert(structure, covariance, work, sums, component)
        if exact:
            fill_pairs(structure, work, component)
            _fill_products(structure, covariance, work, component, inner)
            add_level_traces(_levels(structure, component), structure.sizes, work.dense[MIDDLE], work.level_sums)
        else:
            _add_level_traces_only(structure, covariance, work, component, inner)
        add_block_side(structure, work, sums, component, exact)
        if exact:
            add_curvature(structure, covariance, work, sums, component)
        add_data_side(structure, totals, work, sums, component)
    finish_log_gradient(structure.entries, work.level_sums, sums.log_gradient)


def _levels(structure: Structure, component: int) -> np.ndarray:
    """Factor and first column of the component's other levels, shape (levels, 2)."""
    return structure.levels[structure.starts[component, 2] : structure.starts[component + 1, 2]]


def _invert(structure: Structure, covariance: Covariance, work: Work, sums: Sums, component: int) -> np.ndarray:
    """Fill dense_gain, add the log-determinant, and return A^-1 (q, q), A = I + Lambda'S Lambda."""
    from scipy.linalg.lapack import dpotrf, dpotri

    size, levels = structure.n_columns[component], _levels(structure, component)
    inner = work.dense[SCHUR, :size, :size].copy()
    times_levels(inner, covariance.factor, levels, structure.sizes, size, False)
    levels_times(covariance.factor, inner, levels, structure.sizes, size, True)
    inner[np.diag_indices(size)] += 1.0
    lower, failed = dpotrf(inner.T, lower=0, overwrite_a=1, clean=0)
    if failed:
        sums.log_determinant[0] = np.nan
        work.dense[GAIN, :size, :size] = np.nan
        return np.full((size, size), np.nan)
    sums.log_determinant[0] += 2.0 * np.sum(np.log(np.diag(lower)))
    inverse = dpotri(lower, lower=0, overwrite_c=1)[0].T
    mirror_lower(inverse, size)
    gain = inverse.copy()
    times_levels(gain, covariance.factor, levels, structure.sizes, size, True)
    levels_times(covariance.factor, gain, levels, structure.sizes, size, False)
    work.dense[GAIN, :size, :size] = gain
    return inverse


def _divisible(structure: Structure, covariance: Covariance) -> np.ndarray:
    """Tell for each factor whether its Lambda may be divided by, shape (F,)."""
    diagonals = (np.abs(np.diag(m)[:k]) for m, k in zip(covariance.factor, structure.sizes, strict=True))
    return np.array([d.min() > _WELL_CONDITIONED * max(d.max(), 1.0) for d in diagonals])


def _inverse_factors(structure: Structure, covariance: Covariance, divisible: np.ndarray) -> np.ndarray:
    """Lambda^-1 of the divisible factors, zero for the others, shape (F, k, k)."""
    inverse = np.zeros_like(covariance.factor)
    for factor in np.flatnonzero(divisible):
        k = structure.sizes[factor]
        inverse[factor, :k, :k] = np.linalg.inv(covariance.factor[factor, :k, :k])
    return inverse


def _fill_products(structure: Structure, covariance: Covariance, work: Work, component: int, inner: np.ndarray) -> None:
    """Fill dense_shrink N, dense_middle M22 and turned[r] = N pairs[r], without products for N and M22 where Lambda allows it."""
    size, levels = structure.n_columns[component], _levels(structure, component)
    schur, gain = work.dense[SCHUR, :size, :size], work.dense[GAIN, :size, :size]
    present = np.unique(levels[:, 0])
    divisible = _divisible(structure, covariance)
    if divisible[present].all() and 1.0 - np.diag(inner).max() > _VISIBLE:
        inverse = _inverse_factors(structure, covariance, divisible)
        shrink, middle = inner.copy(), np.eye(size) - inner
        times_levels(shrink, covariance.factor, levels, structure.sizes, size, True)
        levels_times(inverse, shrink, levels, structure.sizes, size, True)
        times_levels(middle, inverse, levels, structure.sizes, size, False)
        levels_times(inverse, middle, levels, structure.sizes, size, True)
    else:
        shrink = np.eye(size) - schur @ gain
        middle = shrink @ schur
    work.dense[SHRINK, :size, :size], work.dense[MIDDLE, :size, :size] = shrink, middle
    for r in range(len(work.pairs)):
        work.turned[r, :size, :size] = shrink @ work.pairs[r, :size, :size]


def _add_level_traces_only(structure: Structure, covariance: Covariance, work: Work, component: int, inner: np.ndarray) -> None:
    """Add the diagonal blocks of M22 to level_sums: M22 Lambda = S Lambda A^-1, or S - S K2 S where Lambda may not be divided by."""
    size, levels = structure.n_columns[component], _levels(structure, component)
    schur, moved, divisible = work.dense[SCHUR, :size, :size], inner, _divisible(structure, covariance)
    levels_times(covariance.factor, moved, levels, structure.sizes, size, False)
    inverse = _inverse_factors(structure, covariance, divisible)
    for factor in np.unique(levels[:, 0]):
        k = structure.sizes[factor]
        first = levels[levels[:, 0] == factor, 1]
        columns = [first + a for a in range(k)]
        if divisible[factor]:
            block = np.array([[np.einsum("ij,ji->", schur[a], moved[:, b]) for b in columns] for a in columns])
            block = block @ inverse[factor, :k, :k]
        else:
            taken = [work.dense[GAIN, :size, :size] @ schur[:, b] for b in columns]
            block = np.array(
                [[np.sum(schur[a, b]) - np.einsum("ij,ji->", schur[a], t) for b, t in zip(columns, taken, strict=True)] for a in columns]
            )
        work.level_sums[factor, :k, :k] += (block + block.T) / 2
