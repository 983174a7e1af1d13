"""Compiled: algebra of many small matrices at once, the building blocks of the nested engine.

A table has one column for each cell (one unit in one lane, at unit * lanes + lane) and, for each matrix, as many rows as the matrix has
entries: entry (i, j) of an n x m matrix that begins at row ``first`` is in row first + i m + j. Rows run over memory without gaps, so
the inner loops are vector code whether there are many units, many lanes, or both. One table may hold operands and result.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel


@kernel(fast=True)
def multiply_cells(shape, left, left_place, right, right_place, times, keep, out, out_first):
    """Make out = keep * out + times * left right in every cell, shape (n, inner, m), n x m.

    A place is (first, row step, column step): entry (i, j) of the operand is in row first + i * row step + j * column step, so that
    a transpose is a swap of steps and a matrix of one row (steps 0) multiplies all entries of another.
    """
    for i in range(shape[0]):
        for j in range(shape[2]):
            here = out_first + i * shape[2] + j
            if keep == 0.0:
                for cell in range(out.shape[1]):
                    out[here, cell] = 0.0
            for k in range(shape[1]):
                a = left_place[0] + i * left_place[1] + k * left_place[2]
                b = right_place[0] + k * right_place[1] + j * right_place[2]
                for cell in range(out.shape[1]):
                    out[here, cell] += times * left[a, cell] * right[b, cell]


@kernel(fast=True)
def add_products(left, i, right, j, times, out, here):
    """Add to row ``here`` of out (rows, lanes) the sum over units of times * left[i] * right[j]."""
    lanes = out.shape[1]
    if lanes == 1:
        total = 0.0
        for cell in range(left.shape[1]):
            total += left[i, cell] * right[j, cell]
        out[here, 0] += times * total
        return
    for unit in range(left.shape[1] // lanes):
        for lane in range(lanes):
            out[here, lane] += times * left[i, unit * lanes + lane] * right[j, unit * lanes + lane]


@kernel
def add_crosses(size, left, left_row, right, right_row, times, both, out, first):
    """Add to the packed rows of ``out`` from ``first`` the lower triangle of times * left' right, plus its transpose where ``both``."""
    here = first
    for i in range(size):
        for j in range(i + 1):
            add_products(left, left_row + i, right, right_row + j, times, out, here)
            if both:
                add_products(right, right_row + i, left, left_row + j, times, out, here)
            here += 1


@kernel
def add_entries(table, first, size, row, column, weights, weights_row, out, here):
    """Add to row ``here`` of out (rows, lanes) tr(A E) summed over units by weight, E the direction of entry (row, column) of G."""
    add_products(table, first + row * size + column, weights, weights_row, 1.0, out, here)
    if row != column:
        add_products(table, first + column * size + row, weights, weights_row, 1.0, out, here)


@kernel
def add_directions(size, left, left_first, middle, middle_first, directions, start, stop, out):
    """Add to the packed curvature minus the sum over units of tr(left E_s middle E_r), r and s from ``start`` to ``stop`` of one factor."""
    for r in range(start, stop):
        for s in range(start, r + 1):
            here = r * (r + 1) // 2 + s
            for turn in range(4):
                a, b = directions[r, turn & 1], directions[r, 1 - (turn & 1)]
                c, d = directions[s, turn >> 1], directions[s, 1 - (turn >> 1)]
                if (a != b or turn & 1 == 0) and (c != d or turn >> 1 == 0):
                    add_products(left, left_first + b * size + c, middle, middle_first + d * size + a, -1.0, out, here)


@kernel(fast=True)
def spread_covariance(size, entries, directions, start, stop, out, first):
    """Fill the matrices from row ``first`` with the relative covariance of each cell's lane, from rows start to stop of entries (T, lanes)."""
    lanes = entries.shape[1]
    for here in range(first, first + size * size):
        for cell in range(out.shape[1]):
            out[here, cell] = 0.0
    for r in range(start, stop):
        for turn in range(2):
            here = first + directions[r, turn] * size + directions[r, 1 - turn]
            for unit in range(out.shape[1] // lanes):
                for lane in range(lanes):
                    out[here, unit * lanes + lane] = entries[r, lane]


@kernel
def solve_cells(size, table, products, covariance, reply, determinant):
    """Make reply = (I + C G)^-1 and the row ``determinant`` = log|I + C G|; C and G are semidefinite."""
    if size <= 2:
        _solve_small(size, table, products, covariance, reply, determinant)
        return
    work = np.empty((size, 2 * size))
    for cell in range(table.shape[1]):
        for i in range(size):
            for j in range(size):
                work[i, size + j] = 1.0 if i == j else 0.0
                work[i, j] = work[i, size + j]
                for k in range(size):
                    work[i, j] += table[products + i * size + k, cell] * table[covariance + k * size + j, cell]
        table[determinant, cell] = np.log(_eliminate(size, work))
        for i in range(size):
            for j in range(size):
                table[reply + i * size + j, cell] = work[i, size + j]


@kernel(fast=True)
def _solve_small(size, table, products, covariance, reply, determinant):
    """One or two columns: the adjugate; the determinant is 1 + trace + product of determinants, a sum of terms that are not negative."""
    for cell in range(table.shape[1]):
        c, g = table[products, cell], table[covariance, cell]
        value = 1.0 + c * g
        if size == 1:
            table[reply, cell] = 1.0 / value
        else:
            c1, c2, c3 = table[products + 1, cell], table[products + 2, cell], table[products + 3, cell]
            g1, g2, g3 = table[covariance + 1, cell], table[covariance + 2, cell], table[covariance + 3, cell]
            corner = c2 * g1 + c3 * g3
            last = value + c1 * g2
            value = last + corner + max((c * c3 - c1 * c2) * (g * g3 - g1 * g2), 0.0)
            table[reply, cell] = (1.0 + corner) / value
            table[reply + 1, cell] = -(c * g1 + c1 * g3) / value
            table[reply + 2, cell] = -(c2 * g + c3 * g2) / value
            table[reply + 3, cell] = last / value
        table[determinant, cell] = np.log(value)


@kernel
def _eliminate(size, work):
    """Gauss-Jordan elimination with row exchanges of work (size, 2 size), in place; returns the determinant."""
    determinant = 1.0
    for column in range(size):
        best = column
        for i in range(column + 1, size):
            if abs(work[i, column]) > abs(work[best, column]):
                best = i
        for j in range(2 * size):
            work[column, j], work[best, j] = work[best, j], work[column, j]
        pivot = work[column, column]
        determinant *= pivot if best == column else -pivot
        for j in range(2 * size):
            work[column, j] /= pivot
        for i in range(size):
            share = work[i, column]
            if i != column:
                for j in range(2 * size):
                    work[i, j] -= share * work[column, j]
    return determinant
