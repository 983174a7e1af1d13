"""Compiled: log|V| and its derivatives, one component added to the sums of all.

In the notation of ``general_block_kernel``, for the other columns: K2 = G2 (I + S G2)^-1 (``dense_gain``), N = I - S K2 (``dense_shrink``),
M22 = N S = Z2'V^-1 Z2 (``dense_middle``), and for the blocks Z1'V^-1 Z2 = B N', Z1'V^-1 Z1 = T C - B K2 B'. With E_r = dG / d entry r:
d log|V| = tr(E_r M), d2 log|V| = -tr(E_r M E_s M). ``entries`` (T, 3) holds factor, row and column of each parameter; those of the first
factor come first, as many as ``pairs`` has matrices; second derivatives are packed. Checked against: the n x n definition,
test_multilevel_general.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_block_kernel import gain_of_links
from bscstudy.multilevel.general_dense_kernel import invert_positive, levels_times, square_product, times_levels


@kernel
def invert_component(factor, levels, sizes, size, schur, inner, gain):
    """Fill ``gain`` = K2 and return log|I + Lambda'S Lambda|; ``inner`` is work space."""
    for i in range(size):
        for j in range(size):
            inner[i, j] = schur[i, j]
    times_levels(inner, factor, levels, sizes, size, False)
    levels_times(factor, inner, levels, sizes, size, True)
    for i in range(size):
        inner[i, i] += 1.0
    logarithm = invert_positive(inner, gain, size)
    times_levels(gain, factor, levels, sizes, size, True)
    levels_times(factor, gain, levels, sizes, size, False)
    return logarithm


@kernel
def fill_products(schur, gain, pairs, size, shrink, middle, turned):
    """Fill N, M22 and turned[r] = N pairs[r]."""
    square_product(schur, gain, shrink, size)
    for i in range(size):
        for j in range(size):
            shrink[i, j] = (1.0 if i == j else 0.0) - shrink[i, j]
    square_product(shrink, schur, middle, size)
    for r in range(pairs.shape[0]):
        square_product(shrink, pairs[r], turned[r], size)


@kernel
def _pair_trace(matrix, first, second, a, b, c, d):
    """tr(E_r X E_s X') of the block X of ``matrix`` at (first, second); E_r and E_s have their entries at (a, b) and (c, d)."""
    value = matrix[first + a, second + c] * matrix[first + b, second + d] + matrix[first + a, second + d] * matrix[first + b, second + c]
    if a == b:
        value *= 0.5
    return 2.0 * value if c != d else value


@kernel
def add_level_traces(levels, sizes, middle, level_sums):
    """Add the diagonal blocks of M22 to level_sums (F, k, k)."""
    for level in range(levels.shape[0]):
        factor, first = levels[level, 0], levels[level, 1]
        for a in range(sizes[factor]):
            for b in range(a + 1):
                level_sums[factor, a, b] += middle[first + a, first + b]


@kernel
def add_block_traces(link_start, link_column, link_shrunk, middle, dense_gain, entries, count, work, level_sum, log_hessian):
    """Add the blocks' Z1'V^-1 Z1 to level_sum (k, k), and to log_hessian what the first ``count`` parameters need block by block."""
    k = middle.shape[1]
    whole, gain = work[0], work[1]
    for block in range(middle.shape[0]):
        gain_of_links(link_column, link_shrunk, link_start[block], link_start[block + 1], dense_gain, gain)
        for a in range(k):
            for b in range(k):
                whole[a, b] = middle[block, a, b] - gain[a, b]
                level_sum[a, b] += whole[a, b]
        for r in range(count):
            for s in range(r + 1):
                a, b, c, d = entries[r, 1], entries[r, 2], entries[s, 1], entries[s, 2]
                value = _pair_trace(whole, 0, 0, a, b, c, d) - _pair_trace(gain, 0, 0, a, b, c, d)
                log_hessian[r * (r + 1) // 2 + s, 0] -= value


@kernel
def add_other_curvature(levels, entries, begin, middle, log_hessian):
    """Add minus tr(E_r M22 E_s M22) for the parameters from ``begin``, those of the other factors."""
    for level in range(levels.shape[0]):
        for r in range(begin, entries.shape[0]):
            if entries[r, 0] != levels[level, 0]:
                continue
            for other in range(levels.shape[0]):
                for s in range(begin, r + 1):
                    if entries[s, 0] == levels[other, 0]:
                        first, second = levels[level, 1], levels[other, 1]
                        value = _pair_trace(middle, first, second, entries[r, 1], entries[r, 2], entries[s, 1], entries[s, 2])
                        log_hessian[r * (r + 1) // 2 + s, 0] -= value


@kernel(fast=True)
def add_mixed_curvature(levels, entries, turned, shrink, size, log_hessian):
    """Add minus tr(E_s N pairs[r] N') for r of the first factor and s of another; ``turned`` holds N pairs[r]."""
    for level in range(levels.shape[0]):
        for s in range(turned.shape[0], entries.shape[0]):
            if entries[s, 0] == levels[level, 0]:
                a, b = levels[level, 1] + entries[s, 1], levels[level, 1] + entries[s, 2]
                for r in range(turned.shape[0]):
                    total = 0.0
                    for c in range(size):
                        total += turned[r, a, c] * shrink[b, c]
                    log_hessian[s * (s + 1) // 2 + r, 0] -= total if a == b else 2.0 * total


@kernel
def add_block_curvature(relative, levels, sizes, turned, size, log_hessian):
    """Add minus tr(K2 pairs[r] K2 pairs[s]) for parameters of the first factor: K2 pairs[r] = G2 turned[r], formed in place."""
    for r in range(turned.shape[0]):
        levels_times(relative, turned[r], levels, sizes, size, False)
        for s in range(r + 1):
            total = 0.0
            for i in range(size):
                for j in range(size):
                    total += turned[r, i, j] * turned[s, j, i]
            log_hessian[r * (r + 1) // 2 + s, 0] -= total


@kernel
def finish_log_gradient(entries, level_sums, log_gradient):
    """Turn level_sums into the first derivatives of log|V|."""
    for r in range(entries.shape[0]):
        factor, a, b = entries[r, 0], entries[r, 1], entries[r, 2]
        log_gradient[r, 0] = (1.0 if a == b else 2.0) * level_sums[factor, a, b]
