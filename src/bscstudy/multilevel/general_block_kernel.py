"""Compiled: elimination of the blocks (levels of the first factor) from one component, and the way back to them.

With Z1, G1, C = Z1'Z1 of a block: gain K = G1 (I + C G1)^-1, shrink T = I - C K, middle M = T C (Z1'V1^-1 Z1, V1 = I + Z1 G1 Z1');
shrunk links B = T Z1'Z2 (Z1'V1^-1 Z2). What is left for the other columns is S = Z2'Z2 - sum Z2'Z1 K Z1'Z2 (``schur``) and
Z2'V1^-1 D (``right``). G1 is never inverted, so that variances may be 0. Source: Henderson (1984), Applications of Linear Models,
chapter 5 (absorption); checked against the n x n definition, test_multilevel_general.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_dense_kernel import invert_positive, mirror_lower


@kernel
def _shrink_vector(structure, covariance, work, block):
    """Fill gain, shrink and middle of a block of several columns; return log|I + C G1|."""
    k = structure.own.shape[1]
    own, factor = structure.own[block], covariance.factor[0]
    gain, shrink, middle = work.gain[block], work.shrink[block], work.middle[block]
    for a in range(k):  # shrink holds C Lambda, middle I + Lambda'C Lambda and then its factor
        for b in range(k):
            total = 0.0
            for c in range(k):
                total += own[a, c] * factor[c, b]
            shrink[a, b] = total
    for a in range(k):
        for b in range(k):
            total = 1.0 if a == b else 0.0
            for c in range(k):
                total += factor[c, a] * shrink[c, b]
            middle[a, b] = total
    logarithm = invert_positive(middle, gain, k)
    for a in range(k):
        for b in range(k):
            total = 0.0
            for c in range(k):
                total += factor[a, c] * gain[c, b]
            shrink[a, b] = total
    for a in range(k):
        for b in range(k):
            total = 0.0
            for c in range(k):
                total += shrink[a, c] * factor[b, c]
            gain[a, b] = total
    return logarithm


@kernel
def _shrink_from_gain(own, gain, shrink, middle):
    k = own.shape[0]
    for a in range(k):
        for b in range(k):
            total = 1.0 if a == b else 0.0
            for c in range(k):
                total -= own[a, c] * gain[c, b]
            shrink[a, b] = total
    for a in range(k):
        for b in range(a + 1):
            total = 0.0
            for c in range(k):
                total += 0.5 * (shrink[a, c] * own[c, b] + shrink[b, c] * own[c, a])
            middle[a, b] = total
            middle[b, a] = total


@kernel
def shrink_block(structure, covariance, work, block):
    """Fill gain, shrink and middle of a block; return log|I + C G1|."""
    if structure.own.shape[1] > 1:
        logarithm = _shrink_vector(structure, covariance, work, block)
        _shrink_from_gain(structure.own[block], work.gain[block], work.shrink[block], work.middle[block])
        return logarithm
    own, variance = structure.own[block, 0, 0], covariance.relative[0, 0, 0]
    shrink = 1.0 / (1.0 + variance * own)
    work.shrink[block, 0, 0] = shrink
    work.gain[block, 0, 0] = variance * shrink
    work.middle[block, 0, 0] = own * shrink
    return np.log1p(variance * own)


@kernel(fast=True)
def _absorb_block(structure, data, work, block):
    """Subtract the block from schur (lower triangle) and right, and fill its shrunk links."""
    k, width = structure.own.shape[1], data.block_totals.shape[2]
    gained = work.gained_link
    for link in range(structure.link_start[block], structure.link_start[block + 1]):
        row = structure.link_column[link]
        for a in range(k):
            total, shrunk = 0.0, 0.0
            for b in range(k):
                total += work.gain[block, a, b] * structure.link_value[link, b]
                shrunk += work.shrink[block, a, b] * structure.link_value[link, b]
            gained[a] = total
            work.link_shrunk[link, a] = shrunk
        for a in range(k):
            value = gained[a]
            for other in range(structure.link_start[block], link + 1):
                work.schur[row, structure.link_column[other]] -= value * structure.link_value[other, a]
            for x in range(width):
                work.right[x, row] -= value * data.block_totals[block, a, x]


@kernel(fast=True)
def _absorb_cross(data, work, sums, block):
    """Subtract the block's part of D'D: D'Z1 K Z1'D."""
    k, width = data.block_totals.shape[1], data.block_totals.shape[2]
    for a in range(k):
        for b in range(k):
            gain = work.gain[block, a, b]
            pair = 0
            for x in range(width):
                value = gain * data.block_totals[block, a, x]
                for z in range(x + 1):
                    sums.cross[pair, 0] -= value * data.block_totals[block, b, z]
                    pair += 1


@kernel
def _load_component(structure, data, work, component):
    first = structure.column_start[component]
    size = structure.column_start[component + 1] - first
    for i in range(size):
        for j in range(i + 1):
            work.schur[i, j] = 0.0
        for x in range(work.right.shape[0]):
            work.right[x, i] = data.other_totals[first + i, x]
    for item in range(structure.product_start[component], structure.product_start[component + 1]):
        work.schur[structure.product_row[item], structure.product_column[item]] = structure.product_value[item]


@kernel
def eliminate_blocks(structure, covariance, data, work, sums, component):
    """Fill schur and right of a component, subtract its blocks from cross, add their log-determinant."""
    _load_component(structure, data, work, component)
    logarithm = 0.0
    for block in range(structure.block_start[component], structure.block_start[component + 1]):
        logarithm += shrink_block(structure, covariance, work, block)
        _absorb_block(structure, data, work, block)
        _absorb_cross(data, work, sums, block)
    sums.log_determinant[0] += logarithm
    mirror_lower(work.schur, structure.column_start[component + 1] - structure.column_start[component])


@kernel(fast=True)
def pair_links(structure, work, component):
    """Fill pairs[r] = sum over blocks of B' E_r B, for each parameter r of the first factor."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    for r in range(work.pairs.shape[0]):
        a, b = structure.entry_row[r], structure.entry_column[r]
        pairs = work.pairs[r]
        for i in range(size):
            for j in range(i + 1):
                pairs[i, j] = 0.0
        for block in range(structure.block_start[component], structure.block_start[component + 1]):
            for link in range(structure.link_start[block], structure.link_start[block + 1]):
                row, left, right = structure.link_column[link], work.link_shrunk[link, a], work.link_shrunk[link, b]
                for other in range(structure.link_start[block], link + 1):
                    value = left * work.link_shrunk[other, b]
                    if a != b:
                        value += right * work.link_shrunk[other, a]
                    pairs[row, structure.link_column[other]] += value
        mirror_lower(pairs, size)


@kernel(fast=True)
def gain_of_links(structure, work, block):
    """Fill link_gain (k, k) = B K2 B' of a block, symmetric."""
    k = structure.own.shape[1]
    for a in range(k):
        for b in range(k):
            work.link_gain[a, b] = 0.0
    first = structure.link_start[block]
    for link in range(first, structure.link_start[block + 1]):
        row = structure.link_column[link]
        for b in range(k):
            total = 0.5 * work.dense_gain[row, row] * work.link_shrunk[link, b]
            for other in range(first, link):
                total += work.dense_gain[row, structure.link_column[other]] * work.link_shrunk[other, b]
            for a in range(k):
                value = work.link_shrunk[link, a] * total
                work.link_gain[a, b] += value
                work.link_gain[b, a] += value


@kernel(fast=True)
def solve_blocks(structure, data, work, component):
    """Fill solved (blocks, k, P) = Z1'V^-1 D = T Z1'D - B K2 right; ``gained`` holds K2 right."""
    k, width = data.block_totals.shape[1], data.block_totals.shape[2]
    for block in range(structure.block_start[component], structure.block_start[component + 1]):
        for a in range(k):
            for x in range(width):
                work.solved[block, a, x] = 0.0
            for b in range(k):
                value = work.shrink[block, a, b]
                for x in range(width):
                    work.solved[block, a, x] += value * data.block_totals[block, b, x]
            for link in range(structure.link_start[block], structure.link_start[block + 1]):
                value, column = work.link_shrunk[link, a], structure.link_column[link]
                for x in range(width):
                    work.solved[block, a, x] -= value * work.gained[x, column]
