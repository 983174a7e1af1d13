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
from bscstudy.multilevel.laplace_structure import (
    BLOCK_START,
    COLUMN,
    COLUMN_START,
    DENSE_START,
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
def scale_columns(problem, work, parameters):
    """Fill scaled = Lambda' z of every row."""
    for i in range(problem.columns.shape[0]):
        for s in range(problem.columns.shape[1]):
            work.scaled[i, s] = 0.0
        for r in range(problem.entries.shape[1]):
            work.scaled[i, problem.entries[COLUMN, r]] += parameters[r] * problem.columns[i, problem.entries[ROW, r]]


@kernel(fast=True)
def fixed_part(problem, work, coefficients):
    """Fill base = offset + fixed part."""
    for i in range(problem.fixed.shape[0]):
        total = problem.given[OFFSET, i]
        for j in range(problem.fixed.shape[1]):
            total += problem.fixed[i, j] * coefficients[j]
        work.tracks[BASE, i] = total


@kernel
def observe(problem, work):
    """Work out every observation at the present effects; return the sum of log densities minus half the squared effects."""
    for i in range(problem.position.shape[0]):
        total = work.tracks[BASE, i]
        for s in range(problem.position.shape[1]):
            total += work.scaled[i, s] * work.vectors[EFFECTS, problem.position[i, s]]
        work.tracks[PREDICTOR, i] = total
    observation_derivatives(
        problem.family_code,
        problem.link_code,
        problem.given[OUTCOME],
        problem.given[TRIALS],
        problem.given[WEIGHT],
        work.tracks[PREDICTOR],
        work.extra,
        work.tracks[VALUE],
        work.tracks[FIRST],
        work.tracks[SECOND],
        work.tracks[THIRD],
        work.extras[EXTRA_VALUE],
        work.extras[EXTRA_FIRST],
        work.extras[EXTRA_SECOND],
    )
    total, penalty = 0.0, 0.0
    for i in range(work.tracks.shape[1]):
        total += work.tracks[VALUE, i]
    for j in range(work.vectors.shape[1]):
        penalty += work.vectors[EFFECTS, j] * work.vectors[EFFECTS, j]
    return total - 0.5 * penalty


@kernel
def invert_small(matrix, size):
    """Replace a positive definite matrix (lower triangle given) by its inverse; return the log-determinant, nan where not positive."""
    if size == 1:
        pivot = matrix[0, 0]
        matrix[0, 0] = 1.0 / pivot
        return np.log(pivot) if pivot > 0.0 else np.nan
    logarithm = 0.0
    for i in range(size):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    for c in range(size):
        pivot = matrix[c, c]
        if not pivot > 0.0:
            return np.nan
        logarithm += np.log(pivot)
        matrix[c, c] = 1.0
        for j in range(size):
            matrix[c, j] /= pivot
        for i in range(size):
            if i != c:
                value = matrix[i, c]
                matrix[i, c] = 0.0
                for j in range(size):
                    matrix[i, j] -= value * matrix[c, j]
    return logarithm


@kernel(fast=True)
def cholesky_lower(matrix, size):
    """Replace the lower triangle by its Cholesky factor; return the log-determinant, nan where not positive."""
    logarithm = 0.0
    for i in range(size):
        for j in range(i):
            total = matrix[i, j]
            for c in range(j):
                total -= matrix[i, c] * matrix[j, c]
            matrix[i, j] = total / matrix[j, j]
        total = matrix[i, i]
        for c in range(i):
            total -= matrix[i, c] * matrix[i, c]
        if not total > 0.0:
            return np.nan
        matrix[i, i] = np.sqrt(total)
        logarithm += np.log(total)
    return logarithm


@kernel(fast=True)
def solve_lower(matrix, vector, size):
    """Solve L L' x = vector in place; ``matrix`` holds L in its lower triangle."""
    for i in range(size):
        total = vector[i]
        for c in range(i):
            total -= matrix[i, c] * vector[c]
        vector[i] = total / matrix[i, i]
    for i in range(size - 1, -1, -1):
        value = vector[i] / matrix[i, i]
        vector[i] = value
        for c in range(i):
            vector[c] -= matrix[i, c] * value


@kernel
def _collect_block(problem, work, dense, first_column, block, least):
    """Add the rows of a block to its own square, its links and the dense square."""
    k, slots = work.own.shape[1], problem.position.shape[1]
    for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
        weight = -work.tracks[SECOND, i]
        if not weight > least:
            continue
        for s in range(slots):
            value = weight * work.scaled[i, s]
            if s < k:
                for t in range(s + 1):
                    work.own[block, s, t] += value * work.scaled[i, t]
                continue
            link, column = problem.link[i, s - k], problem.position[i, s] - first_column
            for t in range(k):
                work.links[LINK, link, t] += value * work.scaled[i, t]
            for t in range(k, s + 1):
                other = problem.position[i, t] - first_column
                dense[max(column, other), min(column, other)] += value * work.scaled[i, t]


@kernel(fast=True)
def _absorb_block(problem, work, dense, block):
    """Invert the block, fill its gains and take its part off the dense square; return its log-determinant."""
    k = work.own.shape[1]
    logarithm = invert_small(work.own[block], k)
    first = problem.block_starts[LINK_START, block]
    for link in range(first, problem.block_starts[LINK_START, block + 1]):
        row = problem.link_column[link]
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += work.own[block, a, b] * work.links[LINK, link, b]
            work.links[GAIN, link, a] = total
            for other in range(first, link + 1):
                dense[row, problem.link_column[other]] -= total * work.links[LINK, other, a]
    return logarithm


@kernel
def dense_of(problem, storage, component):
    """Return the dense square of a component."""
    size = problem.component_starts[COLUMN_START, component + 1] - problem.component_starts[COLUMN_START, component]
    return storage[problem.component_starts[DENSE_START, component] : problem.component_starts[DENSE_START, component + 1]].reshape(
        (size, size)
    )


@kernel
def factorize(problem, work, least):
    """Factor I + A'WA; return its log-determinant, nan where it is not positive definite (weights not above ``least`` as 0)."""
    k = work.own.shape[1]
    others = (work.own.shape[0] - 1) * k
    work.own[:, :, :] = 0.0
    work.links[LINK, :, :] = 0.0
    work.dense[FACTOR, :] = 0.0
    for block in range(work.own.shape[0] - 1):
        for a in range(k):
            work.own[block, a, a] = 1.0
    logarithm = 0.0
    for component in range(problem.component_starts.shape[1] - 1):
        dense = dense_of(problem, work.dense[FACTOR], component)
        for c in range(dense.shape[0]):
            dense[c, c] = 1.0
        for block in range(problem.component_starts[BLOCK_START, component], problem.component_starts[BLOCK_START, component + 1]):
            _collect_block(problem, work, dense, others + problem.component_starts[COLUMN_START, component], block, least)
            logarithm += _absorb_block(problem, work, dense, block)
        logarithm += cholesky_lower(dense, dense.shape[0])
    return logarithm


@kernel
def solve(problem, work, right, solution):
    """Fill ``solution`` with (I + A'WA)^-1 ``right`` (both of the length of u), from the factor."""
    k = work.own.shape[1]
    others = (work.own.shape[0] - 1) * k
    for component in range(problem.component_starts.shape[1] - 1):
        dense = dense_of(problem, work.dense[FACTOR], component)
        first = others + problem.component_starts[COLUMN_START, component]
        part = solution[first : first + dense.shape[0]]
        for c in range(dense.shape[0]):
            part[c] = right[first + c]
        for block in range(problem.component_starts[BLOCK_START, component], problem.component_starts[BLOCK_START, component + 1]):
            for link in range(problem.block_starts[LINK_START, block], problem.block_starts[LINK_START, block + 1]):
                for a in range(k):
                    part[problem.link_column[link]] -= work.links[GAIN, link, a] * right[block * k + a]
        solve_lower(dense, part, dense.shape[0])
        for block in range(problem.component_starts[BLOCK_START, component], problem.component_starts[BLOCK_START, component + 1]):
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += work.own[block, a, b] * right[block * k + b]
                for link in range(problem.block_starts[LINK_START, block], problem.block_starts[LINK_START, block + 1]):
                    total -= work.links[GAIN, link, a] * part[problem.link_column[link]]
                solution[block * k + a] = total


@kernel
def penalized_score(problem, work, score):
    """Fill score = A' (first derivatives) - u."""
    for j in range(score.shape[0]):
        score[j] = -work.vectors[EFFECTS, j]
    for i in range(problem.position.shape[0]):
        for s in range(problem.position.shape[1]):
            score[problem.position[i, s]] += work.tracks[FIRST, i] * work.scaled[i, s]


@kernel
def largest(vector):
    """Return the largest absolute value."""
    size = 0.0
    for value in vector:
        if not abs(value) <= size:
            size = abs(value)
    return size


@kernel
def _set_parameters(problem, work, parameters):
    """Spread the parameters: scaled columns, fixed part, and the extra parameters as the families know them."""
    n_theta, p = problem.entries.shape[1], problem.fixed.shape[1]
    scale_columns(problem, work, parameters)
    fixed_part(problem, work, parameters[n_theta:])
    for j in range(work.extra.shape[0]):
        value = parameters[n_theta + p + j]
        if problem.family_code == CUMULATIVE and j > 0:
            value = work.extra[j - 1] + math.exp(min(value, LARGEST_LOG_STEP))
        work.extra[j] = value


@kernel
def _step(problem, work, joint):
    """Move along the step, halved until the penalised log-likelihood does not fall; return it, nan where it always falls."""
    length = 1.0
    for _ in range(HALVINGS):
        for j in range(work.vectors.shape[1]):
            work.vectors[EFFECTS, j] += length * work.vectors[STEP, j]
        changed = observe(problem, work)
        if changed >= joint - 1e-11 * (1.0 + abs(joint)) or not np.isfinite(joint):
            return changed
        for j in range(work.vectors.shape[1]):
            work.vectors[EFFECTS, j] -= length * work.vectors[STEP, j]
        length *= 0.5
    return np.nan


@kernel
def find_mode(problem, work, parameters):
    """Newton's method from the present effects. Return (penalised log-likelihood, log-determinant of H), nan where there is no mode.

    ``parameters`` (d,): theta, fixed coefficients, extra (of ordered categories the first threshold and the logs of the steps).
    """
    _set_parameters(problem, work, parameters)
    work.vectors[STEP, :] = 0.0
    joint, least = -np.inf, -np.inf
    for _ in range(MODE_ITERATIONS):
        joint = _step(problem, work, joint)
        if not np.isfinite(joint):
            break
        logarithm = factorize(problem, work, least)
        if not np.isfinite(logarithm):
            if least == 0.0:
                break
            least = 0.0
            work.vectors[STEP, :] = 0.0
            continue
        penalized_score(problem, work, work.vectors[SCORE])
        solve(problem, work, work.vectors[SCORE], work.vectors[STEP])
        size = largest(work.vectors[STEP])
        if size <= MODE_TOLERANCE * (1.0 + largest(work.vectors[EFFECTS])):
            return joint, logarithm if least < 0.0 else np.nan
        least = -np.inf
    return np.nan, np.nan
