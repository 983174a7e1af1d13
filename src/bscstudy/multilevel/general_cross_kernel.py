"""Compiled: D'V^-1D and its derivatives by solves, one component added to the sums of all (never columns times columns times P).

U = Z'V^-1 D: ``solved`` (blocks, k, P) and ``other_solved`` (P, q). First derivatives are -U'E_r U. For each parameter s the moved
solution H_s = E_s U stands at the levels of its factor; X = Z'V^-1 Z H_s is one multiplication by S, K2 and the links, and the second
derivative is the sum over levels of (E_r U)'X + X'(E_r U). Notation and ``entries``: ``general_expansion_kernel``; symmetric P x P
matrices are packed. Checked against: the n x n definition, test_multilevel_general.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_dense_kernel import thin_product


@kernel
def solve_component(schur, gain, right, size, gained, other_solved, cross):
    """Fill gained = K2 right and other_solved = right - S K2 right, and subtract right'K2 right from cross."""
    thin_product(gain, right, gained, size)
    thin_product(schur, gained, other_solved, size)
    pair = 0
    for x in range(right.shape[0]):
        for i in range(size):
            other_solved[x, i] = right[x, i] - other_solved[x, i]
        for z in range(x + 1):
            total = 0.0
            for i in range(size):
                total += right[x, i] * gained[z, i]
            cross[pair, 0] -= total
            pair += 1


@kernel
def _add_rows(first, second, times, target):
    """Add times (first second' + second first') of two rows (P,) to the packed ``target``."""
    pair = 0
    for x in range(first.shape[0]):
        for z in range(x + 1):
            target[pair, 0] += times * (first[x] * second[z] + second[x] * first[z])
            pair += 1


@kernel
def _add_columns(left, right, a, b, times, target):
    """Add times (left[:, a] right[:, b]' + right[:, b] left[:, a]') to the packed ``target``."""
    pair = 0
    for x in range(left.shape[0]):
        for z in range(x + 1):
            target[pair, 0] += times * (left[x, a] * right[z, b] + right[x, b] * left[z, a])
            pair += 1


@kernel
def add_cross_gradient(levels, entries, solved, other_solved, cross_gradient):
    """Subtract U'E_r U of every parameter."""
    for r in range(entries.shape[0]):
        a, b, target = entries[r, 1], entries[r, 2], cross_gradient[r]
        times = -0.5 if a == b else -1.0
        if entries[r, 0] == 0:
            for block in range(solved.shape[0]):
                _add_rows(solved[block, a], solved[block, b], times, target)
        else:
            for level in range(levels.shape[0]):
                if levels[level, 0] == entries[r, 0]:
                    _add_columns(other_solved, other_solved, levels[level, 1] + a, levels[level, 1] + b, times, target)


@kernel
def move_blocks(link_start, link_column, link_shrunk, solved, a, b, block_moved, moved):
    """Fill block_moved = E_s U1 and add B'E_s U1 to moved (P, q), for a parameter of the first factor."""
    for block in range(solved.shape[0]):
        for x in range(moved.shape[0]):
            for c in range(solved.shape[1]):
                block_moved[block, c, x] = 0.0
            block_moved[block, a, x] = solved[block, b, x]
            block_moved[block, b, x] = solved[block, a, x]
        for link in range(link_start[block], link_start[block + 1]):
            left, right = link_shrunk[link, a], link_shrunk[link, b] if a != b else 0.0
            for x in range(moved.shape[0]):
                moved[x, link_column[link]] += left * block_moved[block, a, x] + right * block_moved[block, b, x]


@kernel
def move_others(levels, other_solved, factor, a, b, other_moved):
    """Write E_s U2 into other_moved (P, q), for a parameter of another factor."""
    for level in range(levels.shape[0]):
        if levels[level, 0] == factor:
            for x in range(other_solved.shape[0]):
                other_moved[x, levels[level, 1] + a] = other_solved[x, levels[level, 1] + b]
                other_moved[x, levels[level, 1] + b] = other_solved[x, levels[level, 1] + a]


@kernel
def respond_others(schur, gain, moved, size, moved_gained, response):
    """Fill moved_gained = K2 moved and response = Z2'V^-1 Z H_s = moved - S K2 moved, for moved = Z2'V1^-1 Z H_s."""
    thin_product(gain, moved, moved_gained, size)
    thin_product(schur, moved_gained, response, size)
    for x in range(moved.shape[0]):
        for i in range(size):
            response[x, i] = moved[x, i] - response[x, i]


@kernel
def respond_blocks(link_start, link_column, link_shrunk, middle, block_moved, moved_gained, response):
    """Fill response (blocks, k, P) = Z1'V^-1 Z H_s for a parameter of the first factor."""
    k = middle.shape[1]
    for block in range(middle.shape[0]):
        for a in range(k):
            for x in range(moved_gained.shape[0]):
                total = 0.0
                for b in range(k):
                    total += middle[block, a, b] * block_moved[block, b, x]
                for link in range(link_start[block], link_start[block + 1]):
                    total -= link_shrunk[link, a] * moved_gained[x, link_column[link]]
                response[block, a, x] = total


@kernel
def add_block_responses(entries, s, count, solved, response, cross_hessian):
    """Add the pairs (r, s) of the first factor's ``count`` parameters, r >= s."""
    for r in range(s, count):
        a, b, target = entries[r, 1], entries[r, 2], cross_hessian[r * (r + 1) // 2 + s]
        for block in range(solved.shape[0]):
            _add_rows(solved[block, b], response[block, a], 1.0, target)
            if a != b:
                _add_rows(solved[block, a], response[block, b], 1.0, target)


@kernel
def add_other_responses(levels, entries, s, count, other_solved, response, cross_hessian):
    """Add the pairs (r, s) for parameters r >= s of the other factors, those from ``count``."""
    for r in range(max(s, count), entries.shape[0]):
        target = cross_hessian[r * (r + 1) // 2 + s]
        for level in range(levels.shape[0]):
            if levels[level, 0] == entries[r, 0]:
                a, b = levels[level, 1] + entries[r, 1], levels[level, 1] + entries[r, 2]
                _add_columns(other_solved, response, b, a, 1.0, target)
                if a != b:
                    _add_columns(other_solved, response, a, b, 1.0, target)
