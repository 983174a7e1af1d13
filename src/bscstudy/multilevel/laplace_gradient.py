"""Compiled: exact gradient of the Laplace log-likelihood in (theta, beta, extra), by implicit differentiation of the mode.

With a_i = Lambda'z_i, H = I + A'WA, leverage s_i = a_i'H^-1 a_i, adjoint v = H^-1 sum s_i l'''_i a_i and t_i = a_i'v, every parameter
moves the log-likelihood through (l'_i + s_i l'''_i / 2 + t_i l''_i / 2) d eta_i at fixed u, and Lambda also through A itself.
Source: Kristensen, Nielsen, Berg, Skaug & Bell (2016), JSS 70(5), equations 4-6; checked against numerical differentiation of the
n x n definition, test_multilevel_laplace.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_dense_kernel import invert_from_factor
from bscstudy.multilevel.laplace_algebra import dense_of, set_zero
from bscstudy.multilevel.laplace_kernel import solve
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
    PREDICTOR,
    SCORE,
    SECOND,
    SPREAD,
    THIRD,
)


@kernel(fast=True)
def _spread_block(link_column, links, inverse, own, own_full, first, last):
    """Fill spread (links, k) = gain times the dense inverse, and own_full (k, k) = the block's square of H^-1."""
    k = own.shape[0]
    for a in range(k):
        for b in range(k):
            own_full[a, b] = own[a, b]
    for a in range(k):
        for link in range(first, last):
            row = link_column[link]
            total = 0.0
            for other in range(first, last):
                total += inverse[row, link_column[other]] * links[GAIN, other, a]
            links[SPREAD, link, a] = total
            for b in range(k):
                own_full[a, b] += total * links[GAIN, link, b]


@kernel(fast=True)
def _block_leverages(position, link, scaled, spread, own_full, inverse, solved, leverage, rows, first_column):
    """Fill solved (K,) = H^-1 a at the row's own effects, and the leverage a'H^-1 a, for the rows of one block."""
    k, slots = own_full.shape[0], position.shape[1]
    for i in range(rows[0], rows[1]):
        for s in range(k):
            total = 0.0
            for t in range(k):
                total += own_full[s, t] * scaled[i, t]
            for t in range(k, slots):
                total -= spread[link[i, t - k], s] * scaled[i, t]
            solved[i, s] = total
        for s in range(k, slots):
            total, place, row = 0.0, link[i, s - k], position[i, s] - first_column
            for t in range(k):
                total -= spread[place, t] * scaled[i, t]
            for t in range(k, slots):
                total += inverse[row, position[i, t] - first_column] * scaled[i, t]
            solved[i, s] = total
        total = 0.0
        for s in range(slots):
            total += solved[i, s] * scaled[i, s]
        leverage[i] = total


@kernel
def _fill_leverages(starts, block_starts, link_column, position, link, scaled, own, links, dense, solved, leverage):
    """Fill solved and leverage of every row from the factor of H."""
    full = own[own.shape[0] - 1]
    for component in range(starts.shape[1] - 1):
        inverse = dense_of(starts, dense[INVERSE], component)
        invert_from_factor(dense_of(starts, dense[FACTOR], component), inverse, inverse.shape[0])
        first_column = (own.shape[0] - 1) * own.shape[1] + starts[COLUMN_START, component]
        for block in range(starts[BLOCK_START, component], starts[BLOCK_START, component + 1]):
            first, last = block_starts[LINK_START, block], block_starts[LINK_START, block + 1]
            _spread_block(link_column, links, inverse, own[block], full, first, last)
            rows = (block_starts[ROW_START, block], block_starts[ROW_START, block + 1])
            _block_leverages(position, link, scaled, links[SPREAD], full, inverse, solved, leverage, rows, first_column)


@kernel
def _third_score(position, scaled, tracks, score):
    """Fill score = half the sum of leverage times third derivative times a."""
    set_zero(score)
    for i in range(position.shape[0]):
        value = 0.5 * tracks[LEVERAGE, i] * tracks[THIRD, i]
        for s in range(position.shape[1]):
            score[position[i, s]] += value * scaled[i, s]


@kernel
def _add_theta(entries, position, columns, solved, tracks, moved, effects, adjoint, gradient):
    """Add the gradient in theta; ``moved`` (n,) is what a change of each linear predictor moves."""
    for r in range(entries.shape[1]):
        slot, row = entries[COLUMN, r], entries[ROW, r]
        total = 0.0
        for i in range(position.shape[0]):
            place = position[i, slot]
            change = moved[i] * effects[place] + tracks[FIRST, i] * adjoint[place] + tracks[SECOND, i] * solved[i, slot]
            total += columns[i, row] * change
        gradient[r] = total


@kernel(fast=True)
def _add_fixed(fixed, moved, gradient):
    """Add the gradient in the fixed coefficients."""
    for i in range(fixed.shape[0]):
        for j in range(fixed.shape[1]):
            gradient[j] += moved[i] * fixed[i, j]


@kernel
def _fill_moved(position, scaled, tracks, extras, adjoint, moved, gradient):
    """Fill what each linear predictor moves, and add the gradient in the extra parameters."""
    for i in range(position.shape[0]):
        half, response = 0.5 * tracks[LEVERAGE, i], 0.0
        for s in range(position.shape[1]):
            response += scaled[i, s] * adjoint[position[i, s]]
        moved[i] = tracks[FIRST, i] + half * tracks[THIRD, i] + response * tracks[SECOND, i]
        for j in range(gradient.shape[0]):
            gradient[j] += extras[EXTRA_VALUE, i, j] + half * extras[EXTRA_SECOND, i, j] + response * extras[EXTRA_FIRST, i, j]


@kernel
def laplace_gradient(problem, work, gradient):
    """Fill the gradient of the log-likelihood at the mode; the factor of H and the derivatives must be those of the mode."""
    n_theta, p = problem.entries.shape[1], problem.fixed.shape[1]
    position, scaled, tracks = problem.position, work.scaled, work.tracks
    effects, score, adjoint, moved = work.vectors[EFFECTS], work.vectors[SCORE], work.vectors[ADJOINT], tracks[PREDICTOR]
    starts, block_starts, link_column = problem.component_starts, problem.block_starts, problem.link_column
    own, links, dense = work.own, work.links, work.dense
    _fill_leverages(starts, block_starts, link_column, position, problem.link, scaled, own, links, dense, work.solved, tracks[LEVERAGE])
    _third_score(position, scaled, tracks, score)
    solve(starts, block_starts[LINK_START], link_column, own, links[GAIN], dense[FACTOR], score, adjoint)
    set_zero(gradient)
    _fill_moved(position, scaled, tracks, work.extras, adjoint, moved, gradient[n_theta + p :])
    _add_theta(problem.entries, position, problem.columns, work.solved, tracks, moved, effects, adjoint, gradient)
    _add_fixed(problem.fixed, moved, gradient[n_theta : n_theta + p])
