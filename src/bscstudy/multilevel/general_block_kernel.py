"""Compiled: elimination of the blocks (levels of the first factor) of one component, and the way back to them.

With Z1, G1, C = Z1'Z1 of a block: gain K = G1 (I + C G1)^-1, shrink T = I - C K, middle M = T C (Z1'V1^-1 Z1, V1 = I + Z1 G1 Z1');
shrunk links B = T Z1'Z2 (Z1'V1^-1 Z2). What is left for the other columns is S = Z2'Z2 - sum Z2'Z1 K Z1'Z2 (``schur``) and
Z2'V1^-1 D (``right``, (P, q)). G1 is never inverted, so that variances may be 0. Source: Henderson (1984), Applications of Linear
Models in Animal Breeding, chapter 5 (absorption). Checked against: the n x n definition, test_multilevel_general.

Arrays of blocks (gain, shrink, middle, own, block_totals, ...) and ``link_start`` are those of the component's blocks, links those of all.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_dense_kernel import clear, invert_positive


@kernel
def _gain_of_vector(own, factor, gain, shrink, middle):
    """Fill the gain of a block of several columns, with shrink and middle for work space; return log|I + C G1|."""
    k = own.shape[0]
    for a in range(k):  # shrink: C Lambda
        for b in range(k):
            shrink[a, b] = 0.0
            for c in range(k):
                shrink[a, b] += own[a, c] * factor[c, b]
    for a in range(k):  # middle: I + Lambda'C Lambda
        for b in range(k):
            middle[a, b] = 1.0 if a == b else 0.0
            for c in range(k):
                middle[a, b] += factor[c, a] * shrink[c, b]
    logarithm = invert_positive(middle, gain, k)
    for a in range(k):
        for b in range(k):
            shrink[a, b] = 0.0
            for c in range(k):
                shrink[a, b] += factor[a, c] * gain[c, b]
    for a in range(k):
        for b in range(k):
            gain[a, b] = 0.0
            for c in range(k):
                gain[a, b] += shrink[a, c] * factor[b, c]
    return logarithm


@kernel
def _shrink_from_gain(own, gain, shrink, middle):
    k = own.shape[0]
    for a in range(k):
        for b in range(k):
            shrink[a, b] = 1.0 if a == b else 0.0
            for c in range(k):
                shrink[a, b] -= own[a, c] * gain[c, b]
    for a in range(k):
        for b in range(a + 1):
            total = 0.0
            for c in range(k):
                total += 0.5 * (shrink[a, c] * own[c, b] + shrink[b, c] * own[c, a])
            middle[a, b] = total
            middle[b, a] = total


@kernel
def shrink_blocks(own, relative, factor, gain, shrink, middle):
    """Fill gain, shrink and middle of the blocks; return the sum of log|I + C G1|."""
    logarithm = 0.0
    for block in range(own.shape[0]):
        if own.shape[1] > 1:
            logarithm += _gain_of_vector(own[block], factor, gain[block], shrink[block], middle[block])
            _shrink_from_gain(own[block], gain[block], shrink[block], middle[block])
        else:
            ratio = relative[0, 0] * own[block, 0, 0]
            shrink[block, 0, 0] = 1.0 / (1.0 + ratio)
            gain[block, 0, 0] = relative[0, 0] * shrink[block, 0, 0]
            middle[block, 0, 0] = own[block, 0, 0] * shrink[block, 0, 0]
            logarithm += np.log1p(ratio)
    return logarithm


@kernel
def load_component(place, value, other_totals, schur, right):
    """Begin schur (lower triangle) with Z2'Z2 and right with Z2'D."""
    for i in range(other_totals.shape[0]):
        for j in range(i + 1):
            schur[i, j] = 0.0
        for x in range(right.shape[0]):
            right[x, i] = other_totals[i, x]
    for item in range(place.shape[0]):
        schur[place[item, 0], place[item, 1]] = value[item]


@kernel
def absorb_links(link_start, link_column, link_value, gain, shrink, block_totals, link_shrunk, schur, right):
    """Subtract the blocks from schur (lower triangle) and right, and fill the shrunk links."""
    k = gain.shape[1]
    for block in range(gain.shape[0]):
        begin = link_start[block]
        for link in range(begin, link_start[block + 1]):
            row = link_column[link]
            for a in range(k):
                gained, shrunk = 0.0, 0.0
                for b in range(k):
                    gained += gain[block, a, b] * link_value[link, b]
                    shrunk += shrink[block, a, b] * link_value[link, b]
                link_shrunk[link, a] = shrunk
                for other in range(begin, link + 1):
                    schur[row, link_column[other]] -= gained * link_value[other, a]
                for x in range(right.shape[0]):
                    right[x, row] -= gained * block_totals[block, a, x]


@kernel
def absorb_totals(gain, block_totals, cross):
    """Subtract the blocks' D'Z1 K Z1'D from the packed ``cross``."""
    k = gain.shape[1]
    for block in range(gain.shape[0]):
        for a in range(k):
            for b in range(k):
                pair = 0
                for x in range(block_totals.shape[2]):
                    value = gain[block, a, b] * block_totals[block, a, x]
                    for z in range(x + 1):
                        cross[pair, 0] -= value * block_totals[block, b, z]
                        pair += 1


@kernel
def pair_links(link_start, link_column, link_shrunk, a, b, size, pairs):
    """Fill the lower triangle of ``pairs`` = sum over blocks of B'E B, where E has its entries at (a, b) and (b, a)."""
    for i in range(size):
        for j in range(i + 1):
            pairs[i, j] = 0.0
    for block in range(link_start.shape[0] - 1):
        for link in range(link_start[block], link_start[block + 1]):
            row, left, right = link_column[link], link_shrunk[link, a], link_shrunk[link, b] if a != b else 0.0
            for other in range(link_start[block], link + 1):
                pairs[row, link_column[other]] += left * link_shrunk[other, b] + right * link_shrunk[other, a]


@kernel
def solve_blocks(link_start, link_column, link_shrunk, shrink, block_totals, gained, solved):
    """Fill solved (blocks, k, P) = Z1'V^-1 D = T Z1'D - B K2 right; ``gained`` (P, q) holds K2 right."""
    k = shrink.shape[1]
    for block in range(shrink.shape[0]):
        for a in range(k):
            for x in range(gained.shape[0]):
                total = 0.0
                for b in range(k):
                    total += shrink[block, a, b] * block_totals[block, b, x]
                for link in range(link_start[block], link_start[block + 1]):
                    total -= link_shrunk[link, a] * gained[x, link_column[link]]
                solved[block, a, x] = total


@kernel
def gain_of_links(link_column, link_shrunk, begin, end, dense_gain, link_gain):
    """Fill link_gain (k, k) = B K2 B' of one block, whose links are ``begin`` to ``end``."""
    k = link_gain.shape[0]
    clear(link_gain)
    for link in range(begin, end):
        row = link_column[link]
        for b in range(k):
            total = 0.5 * dense_gain[row, row] * link_shrunk[link, b]
            for other in range(begin, link):
                total += dense_gain[row, link_column[other]] * link_shrunk[other, b]
            for a in range(k):
                value = link_shrunk[link, a] * total
                link_gain[a, b] += value
                link_gain[b, a] += value
