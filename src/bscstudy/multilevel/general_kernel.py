"""Compiled: the expansion as a sum over components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_block_kernel import absorb_links, absorb_totals, load_component, pair_links, shrink_blocks, solve_blocks
from bscstudy.multilevel.general_cross_kernel import (
    add_block_responses,
    add_cross_gradient,
    add_other_responses,
    move_blocks,
    move_others,
    respond_blocks,
    respond_others,
    solve_component,
)
from bscstudy.multilevel.general_dense_kernel import clear, mirror_lower, thin_product
from bscstudy.multilevel.general_expansion_kernel import (
    add_block_curvature,
    add_block_traces,
    add_level_traces,
    add_mixed_curvature,
    add_other_curvature,
    fill_products,
    finish_log_gradient,
    invert_component,
)
from bscstudy.multilevel.general_structure import Structure

GAIN, SHRINK, MIDDLE = 0, 1, 2  # of a block; MIDDLE also of a component
SCHUR = 3
SOLVED, MOVED, RESPONSE = 0, 1, 2
RIGHT, GAINED, MOVED_GAINED, PLACED = 3, 4, 5, 6


class Totals(NamedTuple):
    """Sums of D = [X y] that the expansion needs; the response comes last among the P columns."""

    block_totals: np.ndarray  # (J, k, P): Z1'D
    other_totals: np.ndarray  # (q, P): Z2'D
    cross: np.ndarray  # (P (P + 1) / 2, 1): D'D, packed


class Covariance(NamedTuple):
    """Relative covariance of each factor, padded to the largest k."""

    relative: np.ndarray  # (F, k, k): G
    factor: np.ndarray  # (F, k, k): Lambda


class Sums(NamedTuple):
    """The expansion, packed by rows of lower triangles, one lane (see profile_kernel)."""

    log_determinant: np.ndarray  # (1,)
    log_gradient: np.ndarray  # (T, 1)
    log_hessian: np.ndarray  # (T (T + 1) / 2, 1)
    cross: np.ndarray  # (packed, 1)
    cross_gradient: np.ndarray  # (T, packed, 1)
    cross_hessian: np.ndarray  # (T (T + 1) / 2, packed, 1)


class Work(NamedTuple):
    """Work space; q is the largest component. The capital names above number the first axis."""

    blocks: np.ndarray  # (3, J, k, k): GAIN, SHRINK, MIDDLE
    sides: np.ndarray  # (3, J, k, P): SOLVED, MOVED, RESPONSE
    link_shrunk: np.ndarray  # (links, k)
    small: np.ndarray  # (2, k, k)
    dense: np.ndarray  # (4, q, q): GAIN, SHRINK, MIDDLE, SCHUR
    pairs: np.ndarray  # (parameters of the first factor, q, q)
    turned: np.ndarray
    thin: np.ndarray  # (7, P, q): SOLVED, MOVED, RESPONSE, RIGHT, GAINED, MOVED_GAINED, PLACED
    level_sums: np.ndarray  # (F, k, k)


def allocate_work(structure: Structure, width: int) -> Work:
    """Return work space for P = ``width``; pages of the large matrices take memory only when they are used."""
    (n_blocks, k, _), q = structure.own.shape, int(structure.n_columns.max())
    own, largest = int(np.sum(structure.entries[:, 0] == 0)), int(structure.sizes.max())
    shapes = [(3, n_blocks, k, k), (3, n_blocks, k, width), structure.link_value.shape, (2, k, k)]
    shapes += [(4, q, q), (own, q, q), (own, q, q), (7, width, q), (len(structure.sizes), largest, largest)]
    return Work(*(np.empty(shape) for shape in shapes))


def allocate_sums(count: int, width: int) -> Sums:
    """Return an empty expansion for T = ``count`` and P = ``width``."""
    pairs, packed = count * (count + 1) // 2, width * (width + 1) // 2
    shapes = ((1,), (count, 1), (pairs, 1), (packed, 1), (count, packed, 1), (pairs, packed, 1))
    return Sums(*(np.zeros(shape) for shape in shapes))


@kernel
def eliminate_blocks(structure: Structure, covariance, totals, work, sums, component):
    """Fill schur and right of a component, subtract its blocks from cross, add their log-determinant."""
    first, last = structure.starts[component], structure.starts[component + 1]
    own, link_start = structure.own[first[0] : last[0]], structure.link_start[first[0] : last[0] + 1]
    gain, shrink, middle = (
        work.blocks[GAIN, first[0] : last[0]],
        work.blocks[SHRINK, first[0] : last[0]],
        work.blocks[MIDDLE, first[0] : last[0]],
    )
    schur, right, block_totals = work.dense[SCHUR], work.thin[RIGHT], totals.block_totals[first[0] : last[0]]
    products = structure.product_place[first[3] : last[3]]
    load_component(products, structure.product_value[first[3] : last[3]], totals.other_totals[first[1] : last[1]], schur, right)
    sums.log_determinant[0] += shrink_blocks(own, covariance.relative[0], covariance.factor[0], gain, shrink, middle)
    link_shrunk = work.link_shrunk
    absorb_links(link_start, structure.link_column, structure.link_value, gain, shrink, block_totals, link_shrunk, schur, right)
    absorb_totals(gain, block_totals, sums.cross)
    mirror_lower(schur, last[1] - first[1])


@kernel
def fill_pairs(structure, work, component):
    """Fill pairs[r] = sum over blocks of B'E_r B, for each parameter of the first factor."""
    first, last = structure.starts[component], structure.starts[component + 1]
    link_start, size = structure.link_start[first[0] : last[0] + 1], last[1] - first[1]
    for r in range(work.pairs.shape[0]):
        a, b = structure.entries[r, 1], structure.entries[r, 2]
        pair_links(link_start, structure.link_column, work.link_shrunk, a, b, size, work.pairs[r])
        mirror_lower(work.pairs[r], size)


@kernel
def add_block_side(structure, work, sums, component, exact):
    """Add the blocks' part of the derivatives of log|V|: the first to level_sums, the second where ``exact``."""
    first, last = structure.starts[component], structure.starts[component + 1]
    middle, link_start = work.blocks[MIDDLE, first[0] : last[0]], structure.link_start[first[0] : last[0] + 1]
    count = work.pairs.shape[0] if exact else 0
    level_sum, entries, gain = work.level_sums[0], structure.entries, work.dense[GAIN]
    add_block_traces(
        link_start, structure.link_column, work.link_shrunk, middle, gain, entries, count, work.small, level_sum, sums.log_hessian
    )


@kernel
def add_curvature(structure, covariance, work, sums, component):
    """Add the second derivatives of log|V| that need the products of matrices."""
    first, last = structure.starts[component], structure.starts[component + 1]
    levels, size, entries, count = structure.levels[first[2] : last[2]], last[1] - first[1], structure.entries, work.pairs.shape[0]
    add_other_curvature(levels, entries, count, work.dense[MIDDLE], sums.log_hessian)
    add_mixed_curvature(levels, entries, work.turned, work.dense[SHRINK], size, sums.log_hessian)
    add_block_curvature(covariance.relative, levels, structure.sizes, work.turned, size, sums.log_hessian)


@kernel
def add_data_side(structure, totals, work, sums, component):
    """Add what depends on D: cross and its derivatives."""
    first, last = structure.starts[component], structure.starts[component + 1]
    size, levels, entries = last[1] - first[1], structure.levels[first[2] : last[2]], structure.entries
    link_start, link_column, link_shrunk = structure.link_start[first[0] : last[0] + 1], structure.link_column, work.link_shrunk
    thin, schur, gain, count = work.thin, work.dense[SCHUR], work.dense[GAIN], work.pairs.shape[0]
    shrink, middle = work.blocks[SHRINK, first[0] : last[0]], work.blocks[MIDDLE, first[0] : last[0]]
    solved, moved, response = (
        work.sides[SOLVED, first[0] : last[0]],
        work.sides[MOVED, first[0] : last[0]],
        work.sides[RESPONSE, first[0] : last[0]],
    )
    solve_component(schur, gain, thin[RIGHT], size, thin[GAINED], thin[SOLVED], sums.cross)
    solve_blocks(link_start, link_column, link_shrunk, shrink, totals.block_totals[first[0] : last[0]], thin[GAINED], solved)
    add_cross_gradient(levels, entries, solved, thin[SOLVED], sums.cross_gradient)
    for s in range(entries.shape[0]):
        a, b = entries[s, 1], entries[s, 2]
        if s < count:
            clear(thin[MOVED])
            move_blocks(link_start, link_column, link_shrunk, solved, a, b, moved, thin[MOVED])
        else:
            clear(thin[PLACED])
            move_others(levels, thin[SOLVED], entries[s, 0], a, b, thin[PLACED])
            thin_product(schur, thin[PLACED], thin[MOVED], size)
        respond_others(schur, gain, thin[MOVED], size, thin[MOVED_GAINED], thin[RESPONSE])
        if s < count:
            respond_blocks(link_start, link_column, link_shrunk, middle, moved, thin[MOVED_GAINED], response)
            add_block_responses(entries, s, count, solved, response, sums.cross_hessian)
        add_other_responses(levels, entries, s, count, thin[SOLVED], thin[RESPONSE], sums.cross_hessian)


@kernel
def start_sums(start, log_determinant, log_hessian, cross, cross_gradient, cross_hessian, level_sums):
    """Begin an expansion: no random effects yet, D'D = ``start`` (packed, 1)."""
    log_determinant[0] = 0.0
    for pair in range(log_hessian.shape[0]):
        log_hessian[pair, 0] = 0.0
        for place in range(start.shape[0]):
            cross_hessian[pair, place, 0] = 0.0
    for place in range(start.shape[0]):
        cross[place, 0] = start[place, 0]
        for r in range(cross_gradient.shape[0]):
            cross_gradient[r, place, 0] = 0.0
    for factor in range(level_sums.shape[0]):
        clear(level_sums[factor])


@kernel
def add_small_components(structure, covariance, totals, work, sums, limit):
    """Begin the expansion, add every component of at most ``limit`` columns, and finish the first derivatives of log|V| of these."""
    start_sums(totals.cross, sums.log_determinant, sums.log_hessian, sums.cross, sums.cross_gradient, sums.cross_hessian, work.level_sums)
    for component in range(structure.starts.shape[0] - 1):
        first, last = structure.starts[component], structure.starts[component + 1]
        size, levels = last[1] - first[1], structure.levels[first[2] : last[2]]
        if size <= limit:
            schur, gain, shrink, middle = work.dense[SCHUR], work.dense[GAIN], work.dense[SHRINK], work.dense[MIDDLE]
            eliminate_blocks(structure, covariance, totals, work, sums, component)
            fill_pairs(structure, work, component)
            sums.log_determinant[0] += invert_component(covariance.factor, levels, structure.sizes, size, schur, shrink, gain)
            fill_products(schur, gain, work.pairs, size, shrink, middle, work.turned)
            add_level_traces(levels, structure.sizes, middle, work.level_sums)
            add_block_side(structure, work, sums, component, True)
            add_curvature(structure, covariance, work, sums, component)
            add_data_side(structure, totals, work, sums, component)
    finish_log_gradient(structure.entries, work.level_sums, sums.log_gradient)


@kernel
def fill_covariance(entries, alone, phi, values, relative, factor):
    """Fill G and Lambda (F, k, k) from the parameters moved and the entries of G, both (T, 1)."""
    for f in range(relative.shape[0]):
        clear(relative[f])
        clear(factor[f])
    for r in range(alone.shape[0]):
        f, row, column = entries[r, 0], entries[r, 1], entries[r, 2]
        relative[f, row, column] = values[r, 0]
        relative[f, column, row] = values[r, 0]
        factor[f, row, column] = np.sqrt(max(phi[r, 0], 0.0)) if alone[r] == 1 else phi[r, 0]
