"""Compiled: first and second derivatives of D'V^-1D, by solves with one component's matrices (never columns times columns times P).

For each parameter s the moved solution H_s = E_s U stands at the levels of its factor; X = Z'V^-1 Z H_s is one multiplication by S, K2 and
the links, and the second derivative is the sum over levels of H_r'X + X'H_r. Notation: ``general_expansion_kernel``.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_dense_kernel import thin_product


@kernel
def _add_pair(first, second, width, times, target):
    """Add times (first second' + second first') to the packed ``target``, for two rows of P numbers."""
    pair = 0
    for x in range(width):
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
def add_cross_gradient(structure, work, sums, component):
    """Subtract U'E_r U of every parameter."""
    width = work.right.shape[0]
    for r in range(structure.entry_row.shape[0]):
        a, b, factor = structure.entry_row[r], structure.entry_column[r], structure.entry_factor[r]
        times = -0.5 if a == b else -1.0
        if factor == 0:
            for block in range(structure.block_start[component], structure.block_start[component + 1]):
                _add_pair(work.solved[block, a], work.solved[block, b], width, times, sums.cross_gradient[r])
        else:
            for level in range(structure.level_start[component], structure.level_start[component + 1]):
                if structure.level_factor[level] == factor:
                    first = structure.level_column[level]
                    _add_columns(work.other_solved, work.other_solved, first + a, first + b, times, sums.cross_gradient[r])


@kernel
def _move_blocks(structure, work, component, s):
    """Fill block_moved (E_s U1) and moved = sum B'E_s U1 for a parameter of the first factor."""
    a, b = structure.entry_row[s], structure.entry_column[s]
    for block in range(structure.block_start[component], structure.block_start[component + 1]):
        for x in range(work.right.shape[0]):
            for c in range(structure.own.shape[1]):
                work.block_moved[block, c, x] = 0.0
            work.block_moved[block, a, x] = work.solved[block, b, x]
            work.block_moved[block, b, x] = work.solved[block, a, x]
        for link in range(structure.link_start[block], structure.link_start[block + 1]):
            column, left, right = structure.link_column[link], work.link_shrunk[link, a], work.link_shrunk[link, b]
            for x in range(work.right.shape[0]):
                value = left * work.block_moved[block, a, x]
                if a != b:
                    value += right * work.block_moved[block, b, x]
                work.moved[x, column] += value


@kernel
def _move_others(structure, work, component, s):
    """Fill other_moved (E_s U2) for a parameter of another factor."""
    a, b = structure.entry_row[s], structure.entry_column[s]
    for level in range(structure.level_start[component], structure.level_start[component + 1]):
        if structure.level_factor[level] == structure.entry_factor[s]:
            first = structure.level_column[level]
            for x in range(work.right.shape[0]):
                work.other_moved[x, first + a] = work.other_solved[x, first + b]
                work.other_moved[x, first + b] = work.other_solved[x, first + a]


@kernel
def _respond_others(structure, work, component, s):
    """Fill other_response = Z2'V^-1 Z H_s and moved_gained = K2 (Z2'V1^-1 Z H_s)."""
    size = structure.column_start[component + 1] - structure.column_start[component]
    for x in range(work.right.shape[0]):
        for i in range(size):
            work.moved[x, i] = 0.0
            work.other_moved[x, i] = 0.0
    if structure.entry_factor[s] == 0:
        _move_blocks(structure, work, component, s)
    else:
        _move_others(structure, work, component, s)
        thin_product(work.schur, work.other_moved, work.moved, size)
    thin_product(work.dense_gain, work.moved, work.moved_gained, size)
    thin_product(work.schur, work.moved_gained, work.other_response, size)
    for x in range(work.right.shape[0]):
        for i in range(size):
            work.other_response[x, i] = work.moved[x, i] - work.other_response[x, i]


@kernel
def _respond_block(structure, work, block, s):
    """Fill block_response = Z1'V^-1 Z H_s of one block."""
    k = structure.own.shape[1]
    for a in range(k):
        for x in range(work.right.shape[0]):
            total = 0.0
            if structure.entry_factor[s] == 0:
                for b in range(k):
                    total += work.middle[block, a, b] * work.block_moved[block, b, x]
            for link in range(structure.link_start[block], structure.link_start[block + 1]):
                column = structure.link_column[link]
                total += work.link_shrunk[link, a] * (work.other_moved[x, column] - work.moved_gained[x, column])
            work.block_response[a, x] = total


@kernel
def _add_block_responses(structure, work, sums, component, s):
    first_entry, width = work.pairs.shape[0], work.right.shape[0]
    for block in range(structure.block_start[component], structure.block_start[component + 1]):
        _respond_block(structure, work, block, s)
        for r in range(first_entry):
            a, b = structure.entry_row[r], structure.entry_column[r]
            pair = r * (r + 1) // 2 + s if s <= r else s * (s + 1) // 2 + r
            if s > r or structure.entry_factor[s] == 0 and s <= r:
                _add_pair(work.solved[block, b], work.block_response[a], width, 1.0, sums.cross_hessian[pair])
                if a != b:
                    _add_pair(work.solved[block, a], work.block_response[b], width, 1.0, sums.cross_hessian[pair])


@kernel
def add_cross_hessian(structure, work, sums, component):
    """Add U'E_r M E_s U and its transpose for every pair of parameters."""
    first_entry, count = work.pairs.shape[0], structure.entry_row.shape[0]
    for s in range(count):
        _respond_others(structure, work, component, s)
        _add_block_responses(structure, work, sums, component, s)
        for r in range(max(s, first_entry), count):
            a, b = structure.entry_row[r], structure.entry_column[r]
            target = sums.cross_hessian[r * (r + 1) // 2 + s]
            for level in range(structure.level_start[component], structure.level_start[component + 1]):
                if s >= first_entry and structure.level_factor[level] == structure.entry_factor[r]:
                    first = structure.level_column[level]
                    _add_columns(work.other_solved, work.other_response, first + b, first + a, 1.0, target)
                    if a != b:
                        _add_columns(work.other_solved, work.other_response, first + a, first + b, 1.0, target)
