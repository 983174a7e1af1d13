"""Compiled: second-order expansion of one component around its covariance, added to the sums of all components.

In the notation of ``general_block_kernel``, for the other columns: K2 = G2 (I + S G2)^-1 (``dense_gain``), N = I - S K2 (``dense_shrink``),
M22 = N S = Z2'V^-1 Z2 (``dense_middle``), U2 = Z2'V^-1 D = N right (``other_solved``), and for the blocks
Z1'V^-1 Z2 = B N', Z1'V^-1 Z1 = T C - B K2 B'. With E_r = dG / d entry r: d log|V| = tr(E_r M), d2 log|V| = -tr(E_r M E_s M),
d D'V^-1D = -U'E_r U, d2 D'V^-1D = U'E_r M E_s U and its transpose. Checked against: the n x n definition, test_multilevel_general.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_block_kernel import gain_of_links
from bscstudy.multilevel.general_dense_kernel import invert_positive, levels_times, square_product, thin_product, times_levels


@kernel
def invert_component(structure, covariance, work, sums, component):
    """Fill dense_gain K2 and add log|I + Lambda'S Lambda|; dense_shrink serves as work space."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    inner = work.dense_shrink
    for i in range(size):
        for j in range(size):
            inner[i, j] = work.schur[i, j]
    times_levels(inner, covariance.factor, structure, component, False)
    levels_times(covariance.factor, inner, structure, component, True)
    for i in range(size):
        inner[i, i] += 1.0
    sums.log_determinant[0] += invert_positive(inner, work.dense_gain, size)
    times_levels(work.dense_gain, covariance.factor, structure, component, True)
    levels_times(covariance.factor, work.dense_gain, structure, component, False)


@kernel
def fill_products(structure, work, component):
    """Fill dense_shrink N, dense_middle M22 and turned[r] = N pairs[r]."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    square_product(work.schur, work.dense_gain, work.dense_shrink, size)
    for i in range(size):
        for j in range(size):
            work.dense_shrink[i, j] = (1.0 if i == j else 0.0) - work.dense_shrink[i, j]
    square_product(work.dense_shrink, work.schur, work.dense_middle, size)
    for r in range(work.pairs.shape[0]):
        square_product(work.dense_shrink, work.pairs[r], work.turned[r], size)


@kernel
def solve_component(structure, work, sums, component):
    """Fill gained = K2 right and other_solved = U2, and subtract right'K2 right from cross."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    thin_product(work.dense_gain, work.right, work.gained, size)
    thin_product(work.schur, work.gained, work.other_solved, size)
    pair = 0
    for x in range(work.right.shape[0]):
        for i in range(size):
            work.other_solved[x, i] = work.right[x, i] - work.other_solved[x, i]
        for z in range(x + 1):
            total = 0.0
            for i in range(size):
                total += work.right[x, i] * work.gained[z, i]
            sums.cross[pair, 0] -= total
            pair += 1


@kernel
def _pair_trace(matrix, first, second, a, b, c, d):
    """tr(E_r X E_s X') of the block X of ``matrix`` at (first, second); E_r and E_s have their entries at (a, b) and (c, d)."""
    value = matrix[first + a, second + c] * matrix[first + b, second + d] + matrix[first + a, second + d] * matrix[first + b, second + c]
    if a == b:
        value *= 0.5
    return 2.0 * value if c != d else value


@kernel
def add_level_traces(structure, work, component):
    """Add the diagonal blocks of M22 to level_sums (F, k, k)."""
    for level in range(structure.level_start[component], structure.level_start[component + 1]):
        factor, first = structure.level_factor[level], structure.level_column[level]
        for a in range(structure.sizes[factor]):
            for b in range(a + 1):
                work.level_sums[factor, a, b] += work.dense_middle[first + a, first + b]


@kernel
def add_block_traces(structure, work, sums, component, exact):
    """Add the blocks' part of the first derivatives of log|V| to level_sums and, where exact, of the second."""
    k, count = structure.own.shape[1], work.pairs.shape[0]
    whole, gain = work.link_whole, work.link_gain
    for block in range(structure.block_start[component], structure.block_start[component + 1]):
        gain_of_links(structure, work, block)
        for a in range(k):
            for b in range(k):
                whole[a, b] = work.middle[block, a, b] - gain[a, b]
                work.level_sums[0, a, b] += whole[a, b]
        if exact:
            for r in range(count):
                for s in range(r + 1):
                    a, b, c, d = structure.entry_row[r], structure.entry_column[r], structure.entry_row[s], structure.entry_column[s]
                    value = _pair_trace(whole, 0, 0, a, b, c, d) - _pair_trace(gain, 0, 0, a, b, c, d)
                    sums.log_hessian[r * (r + 1) // 2 + s, 0] -= value


@kernel
def add_other_curvature(structure, work, sums, component):
    """Add minus tr(E_r M22 E_s M22) for parameters of the other factors."""
    first_entry, count = work.pairs.shape[0], structure.entry_row.shape[0]
    for level in range(structure.level_start[component], structure.level_start[component + 1]):
        factor, first = structure.level_factor[level], structure.level_column[level]
        for other in range(structure.level_start[component], structure.level_start[component + 1]):
            other_factor, second = structure.level_factor[other], structure.level_column[other]
            if other_factor > factor:
                continue
            for r in range(first_entry, count):
                if structure.entry_factor[r] != factor:
                    continue
                a, b = structure.entry_row[r], structure.entry_column[r]
                for s in range(first_entry, r + 1):
                    if structure.entry_factor[s] == other_factor:
                        value = _pair_trace(work.dense_middle, first, second, a, b, structure.entry_row[s], structure.entry_column[s])
                        sums.log_hessian[r * (r + 1) // 2 + s, 0] -= value


@kernel(fast=True)
def _row_product(left, right, i, j, size):
    total = 0.0
    for c in range(size):
        total += left[i, c] * right[j, c]
    return total


@kernel
def add_mixed_curvature(structure, work, sums, component):
    """Add minus tr(E_s N pairs[r] N') for r of the first factor and s of another."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    first_entry, count = work.pairs.shape[0], structure.entry_row.shape[0]
    for level in range(structure.level_start[component], structure.level_start[component + 1]):
        first = structure.level_column[level]
        for s in range(first_entry, count):
            if structure.entry_factor[s] == structure.level_factor[level]:
                a, b = first + structure.entry_row[s], first + structure.entry_column[s]
                times = 1.0 if a == b else 2.0
                for r in range(first_entry):
                    value = _row_product(work.turned[r], work.dense_shrink, a, b, size)
                    sums.log_hessian[s * (s + 1) // 2 + r, 0] -= times * value


@kernel
def add_block_curvature(structure, covariance, work, sums, component):
    """Add minus tr(K2 pairs[r] K2 pairs[s]) for parameters of the first factor; K2 pairs[r] = G2 turned[r]."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    for r in range(work.pairs.shape[0]):
        levels_times(covariance.relative, work.turned[r], structure, component, False)
        for s in range(r + 1):
            total = 0.0
            for i in range(size):
                for j in range(size):
                    total += work.turned[r, i, j] * work.turned[s, j, i]
            sums.log_hessian[r * (r + 1) // 2 + s, 0] -= total


@kernel
def finish_log_gradient(structure, work, sums):
    """Turn level_sums into the first derivatives of log|V|."""
    for r in range(structure.entry_row.shape[0]):
        a, b = structure.entry_row[r], structure.entry_column[r]
        sums.log_gradient[r, 0] = (1.0 if a == b else 2.0) * work.level_sums[structure.entry_factor[r], a, b]
