"""Compiled: exact gradient of the Laplace log-likelihood in (theta, beta, extra), by implicit differentiation of the mode.

With a_i = Lambda'z_i, H = I + A'WA, leverage s_i = a_i'H^-1 a_i, adjoint v = H^-1 sum s_i l'''_i a_i and t_i = a_i'v, every parameter
moves the log-likelihood through (l'_i + s_i l'''_i / 2 + t_i l''_i / 2) d eta_i at fixed u, and Lambda also through A itself.
Source: Kristensen, Nielsen, Berg, Skaug & Bell (2016), JSS 70(5), equations 4-6; checked against numerical differentiation of the
n x n definition, test_multilevel_laplace.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_kernel import dense_of, solve
from bscstudy.multilevel.laplace_structure import BLOCK_START, COLUMN, COLUMN_START, LINK_START, ROW, ROW_START
from bscstudy.multilevel.laplace_workspace import (
    ADJOINT,
    EFFECTS,
    EXTRA_FIRST,
    EXTRA_SECOND,
    EXTRA_VALUE,
    FACTOR,
    FIRST,
    GAIN,
    INVERSE,
    LEVERAGE,
    SCORE,
    SECOND,
    SPREAD,
    THIRD,
)


@kernel(fast=True)
def invert_from_factor(matrix, inverse, size):
    """Write the inverse of L L' into ``inverse``, both triangles; ``matrix`` holds L."""
    for j in range(size):
        inverse[j, j] = 1.0 / matrix[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for c in range(j, i):
                total += matrix[i, c] * inverse[j, c]
            inverse[j, i] = -total / matrix[i, i]
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for c in range(i, size):
                total += inverse[i, c] * inverse[j, c]
            inverse[i, j] = total
        for j in range(i):
            inverse[j, i] = inverse[i, j]


@kernel(fast=True)
def _spread_block(problem, work, inverse, block):
    """Fill spread (links, k) = gain times the dense inverse, and own_full (k, k) = the block's square of H^-1."""
    k = work.own.shape[1]
    first, last = problem.block_starts[LINK_START, block], problem.block_starts[LINK_START, block + 1]
    for a in range(k):
        for b in range(k):
            work.own[-1, a, b] = work.own[block, a, b]
    for link in range(first, last):
        row = problem.link_column[link]
        for a in range(k):
            total = 0.0
            for other in range(first, last):
                total += inverse[row, problem.link_column[other]] * work.links[GAIN, other, a]
            work.links[SPREAD, link, a] = total
            for b in range(k):
                work.own[-1, a, b] += total * work.links[GAIN, link, b]


@kernel
def _row_leverage(problem, work, inverse, first_column, i):
    """Fill solved (K,) = H^-1 a at the row's own effects, and its leverage."""
    k, slots = work.own.shape[1], problem.position.shape[1]
    leverage = 0.0
    for s in range(slots):
        total = 0.0
        for t in range(slots):
            if s < k and t < k:
                value = work.own[-1, s, t]
            elif s < k:
                value = -work.links[SPREAD, problem.link[i, t - k], s]
            elif t < k:
                value = -work.links[SPREAD, problem.link[i, s - k], t]
            else:
                value = inverse[problem.position[i, s] - first_column, problem.position[i, t] - first_column]
            total += value * work.scaled[i, t]
        work.solved[i, s] = total
        leverage += total * work.scaled[i, s]
    work.tracks[LEVERAGE, i] = leverage


@kernel
def fill_leverages(problem, work):
    """Fill solved and leverage of every row from the factor of H."""
    others = (work.own.shape[0] - 1) * work.own.shape[1]
    for component in range(problem.component_starts.shape[1] - 1):
        inverse = dense_of(problem, work.dense[INVERSE], component)
        invert_from_factor(dense_of(problem, work.dense[FACTOR], component), inverse, inverse.shape[0])
        first_column = others + problem.component_starts[COLUMN_START, component]
        for block in range(problem.component_starts[BLOCK_START, component], problem.component_starts[BLOCK_START, component + 1]):
            _spread_block(problem, work, inverse, block)
            for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
                _row_leverage(problem, work, inverse, first_column, i)


@kernel
def _fill_adjoint(problem, work):
    """Fill adjoint = half of H^-1 sum of leverage times third derivative times a."""
    work.vectors[SCORE, :] = 0.0
    for i in range(problem.position.shape[0]):
        value = 0.5 * work.tracks[LEVERAGE, i] * work.tracks[THIRD, i]
        for s in range(problem.position.shape[1]):
            work.vectors[SCORE, problem.position[i, s]] += value * work.scaled[i, s]
    solve(problem, work, work.vectors[SCORE], work.vectors[ADJOINT])


@kernel
def _add_row(problem, work, gradient, i):
    """Add one observation's part of the gradient in (theta, beta, extra)."""
    n_theta, p = problem.entries.shape[1], problem.fixed.shape[1]
    half, response = 0.5 * work.tracks[LEVERAGE, i], 0.0
    for s in range(problem.position.shape[1]):
        response += work.scaled[i, s] * work.vectors[ADJOINT, problem.position[i, s]]
    value = work.tracks[FIRST, i] + half * work.tracks[THIRD, i] + response * work.tracks[SECOND, i]
    for r in range(n_theta):
        slot = problem.entries[COLUMN, r]
        place = problem.position[i, slot]
        change = (
            value * work.vectors[EFFECTS, place]
            + work.tracks[FIRST, i] * work.vectors[ADJOINT, place]
            + work.tracks[SECOND, i] * work.solved[i, slot]
        )
        gradient[r] += problem.columns[i, problem.entries[ROW, r]] * change
    for j in range(p):
        gradient[n_theta + j] += value * problem.fixed[i, j]
    for j in range(work.extra.shape[0]):
        gradient[n_theta + p + j] += (
            work.extras[EXTRA_VALUE, i, j] + half * work.extras[EXTRA_SECOND, i, j] + response * work.extras[EXTRA_FIRST, i, j]
        )


@kernel
def laplace_gradient(problem, work, gradient):
    """Fill the gradient of the log-likelihood at the mode; the factor of H and the derivatives must be those of the mode."""
    fill_leverages(problem, work)
    _fill_adjoint(problem, work)
    gradient[:] = 0.0
    for i in range(problem.position.shape[0]):
        _add_row(problem, work, gradient, i)
