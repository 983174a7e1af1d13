"""Compiled: the conditional mode of the random effects and the factor of its curvature I + A'WA, where A = Z Lambda.

The levels of the first factor are eliminated block by block (own = inverse of the block, gain = own times the links), what is left
for the other factors is dense within each connected component. Lambda is never inverted, so variances may be 0.
Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 3; Pinheiro & Chao (2006), JCGS 15, 58-81 (multilevel Laplace).
"""

from __future__ import annotations

import math

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.family_kernel import CUMULATIVE, observation_derivatives
from bscstudy.multilevel.laplace_algebra import cholesky_lower, dense_of, invert_small, largest, set_zero, solve_lower
from bscstudy.multilevel.laplace_structure import (
    BLOCK_START,
    COLUMN,
    COLUMN_START,
    LINK_START,
    OFFSET,
    OUTCOME,
    ROW,
    ROW_START,
    TRIALS,
    WEIGHT,
)
from bscstudy.multilevel.laplace_workspace import (
    BASE,
    EFFECTS,
    EXTRA_FIRST,
    EXTRA_SECOND,
    EXTRA_VALUE,
    FACTOR,
    FIRST,
    GAIN,
    LINK,
    PREDICTOR,
    SCORE,
    SECOND,
    STEP,
    THIRD,
    VALUE,
)

MODE_TOLERANCE = 1e-11
MODE_ITERATIONS = 200
HALVINGS = 40
LARGEST_LOG_STEP = 50.0


@kernel
def _scale_columns(entries, columns, parameters, scaled):
    """Fill scaled = Lambda' z of every row."""
    for i in range(columns.shape[0]):
        for s in range(columns.shape[1]):
            scaled[i, s] = 0.0
        for r in range(entries.shape[1]):
            scaled[i, entries[COLUMN, r]] += parameters[r] * columns[i, entries[ROW, r]]


@kernel(fast=True)
def _fixed_part(given, fixed, coefficients, base):
    """Fill base = offset + fixed part."""
    for i in range(fixed.shape[0]):
        total = given[OFFSET, i]
        for j in range(fixed.shape[1]):
            total += fixed[i, j] * coefficients[j]
        base[i] = total


@kernel
def _predict(position, scaled, effects, tracks):
    """Fill the linear predictor at the present effects; return minus half the squared effects."""
    for i in range(position.shape[0]):
        total = tracks[BASE, i]
        for s in range(position.shape[1]):
            total += scaled[i, s] * effects[position[i, s]]
        tracks[PREDICTOR, i] = total
    penalty = 0.0
    for effect in effects:
        penalty += effect * effect
    return -0.5 * penalty


@kernel
def observe(family_code, link_code, given, position, scaled, effects, extra, tracks, extras):
    """Work out every observation at the present effects; return the sum of log densities minus half the squared effects."""
    joint = _predict(position, scaled, effects, tracks)
    observation_derivatives(
        family_code,
        link_code,
        given[OUTCOME],
        given[TRIALS],
        given[WEIGHT],
        tracks[PREDICTOR],
        extra,
        tracks[VALUE],
        tracks[FIRST],
        tracks[SECOND],
        tracks[THIRD],
        extras[EXTRA_VALUE],
        extras[EXTRA_FIRST],
        extras[EXTRA_SECOND],
    )
    for value in tracks[VALUE]:
        joint += value
    return joint


@kernel
def _collect_block(position, link, scaled, second, own, links, dense, rows, first_column, least):
    """Add the rows of a block to its own square, its links and the dense square."""
    k = own.shape[0]
    for i in range(rows[0], rows[1]):
        weight = -second[i]
        if not weight > least:
            continue
        for s in range(k):
            value = weight * scaled[i, s]
            for t in range(s + 1):
                own[s, t] += value * scaled[i, t]
        for s in range(k, position.shape[1]):
            value = weight * scaled[i, s]
            place, column = link[i, s - k], position[i, s] - first_column
            for t in range(k):
                links[LINK, place, t] += value * scaled[i, t]
            for t in range(k, s + 1):
                other = position[i, t] - first_column
                dense[max(column, other), min(column, other)] += value * scaled[i, t]


@kernel(fast=True)
def _absorb_block(link_column, own, links, dense, first, last):
    """Fill the gains of a block, whose inverse is ``own``, and take its part off the dense square."""
    k = own.shape[0]
    for link in range(first, last):
        row = link_column[link]
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += own[a, b] * links[LINK, link, b]
            links[GAIN, link, a] = total
            for other in range(first, link + 1):
                dense[row, link_column[other]] -= total * links[LINK, other, a]


@kernel
def _clear(own, links, dense):
    """Set the blocks to the identity, links and dense squares to zero."""
    for block in range(own.shape[0]):
        for a in range(own.shape[1]):
            for b in range(own.shape[1]):
                own[block, a, b] = 1.0 if a == b else 0.0
    for link in range(links.shape[1]):
        for a in range(own.shape[1]):
            links[LINK, link, a] = 0.0
    for c in range(dense.shape[1]):
        dense[FACTOR, c] = 0.0


@kernel
def factorize(starts, block_starts, link_column, position, link, scaled, second, own, links, dense_storage, least):
    """Factor I + A'WA; return its log-determinant, nan where it is not positive definite (weights not above ``least`` as 0)."""
    k = own.shape[1]
    others = (own.shape[0] - 1) * k
    _clear(own, links, dense_storage)
    logarithm = 0.0
    for component in range(starts.shape[1] - 1):
        dense = dense_of(starts, dense_storage[FACTOR], component)
        for c in range(dense.shape[0]):
            dense[c, c] = 1.0
        first_column = others + starts[COLUMN_START, component]
        for block in range(starts[BLOCK_START, component], starts[BLOCK_START, component + 1]):
            rows = (block_starts[ROW_START, block], block_starts[ROW_START, block + 1])
            _collect_block(position, link, scaled, second, own[block], links, dense, rows, first_column, least)
            logarithm += invert_small(own[block], k)
            _absorb_block(link_column, own[block], links, dense, block_starts[LINK_START, block], block_starts[LINK_START, block + 1])
        logarithm += cholesky_lower(dense, dense.shape[0])
    return logarithm


@kernel
def _gather_blocks(link_column, link_starts, gain, right, part, k, first, last):
    """Take the blocks' share off the right-hand side of a component."""
    for block in range(first, last):
        for link in range(link_starts[block], link_starts[block + 1]):
            for a in range(k):
                part[link_column[link]] -= gain[link, a] * right[block * k + a]


@kernel
def _spread_blocks(link_column, link_starts, gain, own, right, part, solution, first, last):
    """Fill the blocks' solution from that of their component."""
    k = own.shape[1]
    for block in range(first, last):
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += own[block, a, b] * right[block * k + b]
            for link in range(link_starts[block], link_starts[block + 1]):
                total -= gain[link, a] * part[link_column[link]]
            solution[block * k + a] = total


@kernel
def solve(starts, link_starts, link_column, own, gain, factor, right, solution):
    """Fill ``solution`` with (I + A'WA)^-1 ``right`` (both of the length of u), from the factor."""
    k = own.shape[1]
    for component in range(starts.shape[1] - 1):
        dense = dense_of(starts, factor, component)
        begin = (own.shape[0] - 1) * k + starts[COLUMN_START, component]
        part = solution[begin : begin + dense.shape[0]]
        for c in range(dense.shape[0]):
            part[c] = right[begin + c]
        first, last = starts[BLOCK_START, component], starts[BLOCK_START, component + 1]
        _gather_blocks(link_column, link_starts, gain, right, part, k, first, last)
        solve_lower(dense, part, dense.shape[0])
        _spread_blocks(link_column, link_starts, gain, own, right, part, solution, first, last)


@kernel
def _penalized_score(position, scaled, first, effects, score):
    """Fill score = A' (first derivatives) - u."""
    for j in range(score.shape[0]):
        score[j] = -effects[j]
    for i in range(position.shape[0]):
        for s in range(position.shape[1]):
            score[position[i, s]] += first[i] * scaled[i, s]


@kernel
def _set_extra(parameters, extra, ordered):
    """Fill the extra parameters as the families know them, from the last parameters of the search."""
    first = parameters.shape[0] - extra.shape[0]
    for j in range(extra.shape[0]):
        value = parameters[first + j]
        if ordered and j > 0:
            value = extra[j - 1] + math.exp(min(value, LARGEST_LOG_STEP))
        extra[j] = value


@kernel
def _step(codes, given, position, scaled, effects, step, extra, tracks, extras, joint):
    """Move along the step, halved until the penalised log-likelihood does not fall; return it, nan where it always falls."""
    length = 1.0
    for _ in range(HALVINGS):
        for j in range(effects.shape[0]):
            effects[j] += length * step[j]
        changed = observe(codes[0], codes[1], given, position, scaled, effects, extra, tracks, extras)
        if changed >= joint - 1e-11 * (1.0 + abs(joint)) or not np.isfinite(joint):
            return changed
        for j in range(effects.shape[0]):
            effects[j] -= length * step[j]
        length *= 0.5
    return np.nan


@kernel
def find_mode(problem, work, parameters):
    """Newton's method from the present effects. Return (penalised log-likelihood, log-determinant of H), nan where there is no mode.

    ``parameters`` (d,): theta, fixed coefficients, extra (of ordered categories the first threshold and the logs of the steps).
    """
    tracks, scaled, own, links, dense = work.tracks, work.scaled, work.own, work.links, work.dense
    effects, score, step = work.vectors[EFFECTS], work.vectors[SCORE], work.vectors[STEP]
    position, given, starts = problem.position, problem.given, problem.component_starts
    link_column, block_starts = problem.link_column, problem.block_starts
    codes = (problem.family_code, problem.link_code)
    _scale_columns(problem.entries, problem.columns, parameters, scaled)
    _fixed_part(given, problem.fixed, parameters[problem.entries.shape[1] :], tracks[BASE])
    _set_extra(parameters, work.extra, problem.family_code == CUMULATIVE)
    set_zero(step)
    joint, least = -np.inf, -np.inf
    for _ in range(MODE_ITERATIONS):
        joint = _step(codes, given, position, scaled, effects, step, work.extra, tracks, work.extras, joint)
        if not np.isfinite(joint):
            break
        logarithm = factorize(starts, block_starts, link_column, position, problem.link, scaled, tracks[SECOND], own, links, dense, least)
        if not np.isfinite(logarithm):
            if least == 0.0:
                break
            least = 0.0
            set_zero(step)
            continue
        _penalized_score(position, scaled, tracks[FIRST], effects, score)
        solve(starts, block_starts[LINK_START], link_column, own, links[GAIN], dense[FACTOR], score, step)
        if largest(step) <= MODE_TOLERANCE * (1.0 + largest(effects)):
            return joint, logarithm if least < 0.0 else np.nan
        least = -np.inf
    return np.nan, np.nan
