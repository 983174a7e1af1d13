"""Compiled: the steps a recipe (nested_recipe) is made of, each on many small matrices at once.

All numbers of an evaluation lie in one ``memory``. A row is one entry of a small matrix for every unit and lane: ``width`` units times
``lanes`` numbers without gaps, unit after unit. Addresses in a step are for one lane and are multiplied by ``lanes``. So the inner loops
are vector code whether there are many units, many lanes, or both. The columns of a step are named in nested_recipe.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel


@kernel(fast=True)
def multiply(step, times, memory, lanes):
    """Make out = keep * out + times * left right in every unit and lane; operands have a first address, a row step and a column step."""
    cells = step[4] * lanes
    for i in range(step[1]):
        for j in range(step[3]):
            start = (step[11] + i * step[12] + j * step[13]) * lanes
            out = memory[start : start + cells]
            if step[14] == 0:
                for cell in range(cells):
                    out[cell] = 0.0
            for k in range(step[2]):
                one, other = (step[5] + i * step[6] + k * step[7]) * lanes, (step[8] + k * step[9] + j * step[10]) * lanes
                left, right = memory[one : one + cells], memory[other : other + cells]
                for cell in range(cells):
                    out[cell] += times * left[cell] * right[cell]


@kernel(fast=True)
def add_product(units, left, right, times, memory, out, lanes):
    """Add to the row of lanes at ``out`` the sum over units of times * left * right."""
    total = memory[out : out + lanes]
    if lanes == 1:
        one, other, value = memory[left : left + units], memory[right : right + units], 0.0
        for unit in range(units):
            value += one[unit] * other[unit]
        total[0] += times * value
        return
    for unit in range(units):
        one = memory[left + unit * lanes : left + (unit + 1) * lanes]
        other = memory[right + unit * lanes : right + (unit + 1) * lanes]
        for lane in range(lanes):
            total[lane] += times * one[lane] * other[lane]


@kernel
def cross(step, times, memory, lanes):
    """Add the packed lower triangle of times * left' right, plus its transpose where both; left and right are rows of P columns."""
    here, width = step[11] * lanes, step[4] * lanes
    left, right = step[5] * lanes, step[8] * lanes
    for i in range(step[1]):
        for j in range(i + 1):
            add_product(step[4], left + i * width, right + j * width, times, memory, here, lanes)
            if step[2] == 1:
                add_product(step[4], left + j * width, right + i * width, times, memory, here, lanes)
            here += lanes


@kernel(fast=True)
def spread(step, times, memory, lanes):
    """Copy a row of lanes into every unit of a row, or (source -1) fill the row with ``times``."""
    if step[5] < 0:
        out = memory[step[11] * lanes : (step[11] + step[4]) * lanes]
        for cell in range(step[4] * lanes):
            out[cell] = times
        return
    source = memory[step[5] * lanes : (step[5] + 1) * lanes]
    for unit in range(step[4]):
        out = memory[(step[11] + unit) * lanes : (step[11] + unit + 1) * lanes]
        for lane in range(lanes):
            out[lane] = source[lane]


@kernel(fast=True)
def load(step, memory, lanes, outcome):
    """Copy rows of the response's statistics (statistics, lanes) into one row, a unit each."""
    for unit in range(step[4]):
        out = memory[(step[11] + unit) * lanes : (step[11] + unit + 1) * lanes]
        for lane in range(lanes):
            out[lane] = outcome[step[5] + unit, lane]


@kernel(fast=True)
def weigh(step, memory, lanes):
    """Multiply the n x P matrix of each unit by the weight (P, P, lanes)."""
    for i in range(step[1]):
        for j in range(step[2]):
            first = (step[11] + (i * step[2] + j) * step[4]) * lanes
            out = memory[first : first + step[4] * lanes]
            for cell in range(step[4] * lanes):
                out[cell] = 0.0
            for k in range(step[2]):
                weight = memory[(step[8] + j * step[2] + k) * lanes : (step[8] + j * step[2] + k + 1) * lanes]
                add_weighted(step[4], weight, memory, (step[5] + (i * step[2] + k) * step[4]) * lanes, first, lanes)


@kernel(fast=True)
def add_weighted(units, weight, memory, source, out, lanes):
    """Add to each unit of the row at ``out`` the row at ``source`` times the weight of its lane."""
    if lanes == 1:
        one, target = memory[source : source + units], memory[out : out + units]
        for unit in range(units):
            target[unit] += weight[0] * one[unit]
        return
    for unit in range(units):
        one = memory[source + unit * lanes : source + (unit + 1) * lanes]
        target = memory[out + unit * lanes : out + (unit + 1) * lanes]
        for lane in range(lanes):
            target[lane] += weight[lane] * one[lane]


@kernel
def solve(step, memory, lanes):
    """Make F = (I + C G)^-1 and log|I + C G|; C and G are semidefinite. Up to two columns by the adjugate, more by elimination."""
    size, cells = step[1], step[4] * lanes
    square = size * size * cells
    c, g = memory[step[5] * lanes : step[5] * lanes + square], memory[step[8] * lanes : step[8] * lanes + square]
    reply = memory[step[11] * lanes : step[11] * lanes + square]
    determinant = memory[step[12] * lanes : step[12] * lanes + cells]
    if size == 1:
        for cell in range(cells):
            determinant[cell] = 1.0 + c[cell] * g[cell]
            reply[cell] = 1.0 / determinant[cell]
    elif size == 2:
        _solve_two(cells, c, g, reply, determinant)
    else:
        work = np.empty((size, 2 * size))
        for cell in range(cells):
            for i in range(size):
                for j in range(size):
                    work[i, size + j] = 1.0 if i == j else 0.0
                    work[i, j] = work[i, size + j]
                    for k in range(size):
                        work[i, j] += c[(i * size + k) * cells + cell] * g[(k * size + j) * cells + cell]
            determinant[cell] = _eliminate(size, work)
            for i in range(size):
                for j in range(size):
                    reply[(i * size + j) * cells + cell] = work[i, size + j]
    for cell in range(cells):
        determinant[cell] = np.log(determinant[cell])


@kernel(fast=True)
def _solve_two(cells, c, g, reply, determinant):
    """The adjugate; the determinant is 1 + trace + product of determinants, a sum of terms that are not negative."""
    for cell in range(cells):
        c0, c1, c3 = c[cell], c[cells + cell], c[3 * cells + cell]
        g0, g1, g3 = g[cell], g[cells + cell], g[3 * cells + cell]
        corner, last = c1 * g1 + c3 * g3, 1.0 + c0 * g0 + c1 * g1
        value = last + corner + max((c0 * c3 - c1 * c1) * (g0 * g3 - g1 * g1), 0.0)
        determinant[cell] = value
        reply[cell] = (1.0 + corner) / value
        reply[cells + cell] = -(c0 * g1 + c1 * g3) / value
        reply[2 * cells + cell] = -(c1 * g0 + c3 * g1) / value
        reply[3 * cells + cell] = last / value


@kernel
def _eliminate(size, work):
    """Gauss-Jordan elimination with row exchanges of work (size, 2 size), in place; returns the determinant."""
    determinant = 1.0
    for column in range(size):
        best = column
        for i in range(column + 1, size):
            if abs(work[i, column]) > abs(work[best, column]):
                best = i
        pivot = work[best, column]
        determinant *= pivot if best == column else -pivot
        for j in range(2 * size):
            work[column, j], work[best, j] = work[best, j], work[column, j]
        for j in range(2 * size):
            work[column, j] /= pivot
        for i in range(size):
            share = work[i, column]
            if i != column:
                for j in range(2 * size):
                    work[i, j] -= share * work[column, j]
    return determinant


@kernel(fast=True)
def subtract_moments(step, memory, lanes, moments, outcome):
    """Subtract from the packed rows at ``out`` the class moments weighted by a symmetric k x k matrix of each class."""
    k, size, row, fixed = step[1], step[2] + 1, 0, moments.shape[1]
    out = memory[step[11] * lanes : (step[11] + fixed + size) * lanes]
    for i in range(k):
        for j in range(i + 1):
            for unit in range(step[4]):
                at = (step[5] + (i * k + j) * step[4] + unit) * lanes
                share = memory[at : at + lanes]
                if lanes == 1:
                    for here in range(fixed):
                        out[here] -= share[0] * moments[row, here]
                else:
                    for here in range(fixed):
                        target = out[here * lanes : (here + 1) * lanes]
                        for lane in range(lanes):
                            target[lane] -= share[lane] * moments[row, here]
                for here in range(size):
                    target = out[(fixed + here) * lanes : (fixed + here + 1) * lanes]
                    for lane in range(lanes):
                        target[lane] -= share[lane] * outcome[1 + row * size + here, lane]
                row += 1


@kernel(fast=True)
def weigh_moments(step, memory, lanes, moments, outcome):
    """Make the symmetric k x k matrix of each class that is minus its moments contracted with the weight (P, P, lanes)."""
    k, p, row = step[1], step[2], 0
    for i in range(k):
        for j in range(i + 1):
            share = -1.0 if i == j else -0.5
            for unit in range(step[4]):
                at, mirror = (step[11] + (i * k + j) * step[4] + unit) * lanes, (step[11] + (j * k + i) * step[4] + unit) * lanes
                out, other = memory[at : at + lanes], memory[mirror : mirror + lanes]
                for lane in range(lanes):
                    out[lane] = 0.0
                for a in range(p + 1):
                    for b in range(a + 1):
                        start, times = (step[8] + a * (p + 1) + b) * lanes, share if a == b else 2.0 * share
                        weight = memory[start : start + lanes]
                        if a < p:
                            times *= moments[row, a * (a + 1) // 2 + b]
                            for lane in range(lanes):
                                out[lane] += times * weight[lane]
                        else:
                            for lane in range(lanes):
                                out[lane] += times * weight[lane] * outcome[1 + row * (p + 1) + b, lane]
                for lane in range(lanes):
                    other[lane] = out[lane]
                row += 1


@kernel(fast=True)
def subtract_pairs(step, memory, lanes, pairs, pair_sums, outcome):
    """Subtract, for every pair of group and class, units * (k2 x k2 of the class) and (k2 x k1 of the class) * (sums of A)."""
    k, p, above, classes, groups = step[1], step[2], step[3], step[4], step[13]
    for pair in range(pairs.shape[0]):
        group, unit = pairs[pair, 0], pairs[pair, 1]
        for row in range(above * above):
            source, target = (step[8] + row * classes + unit) * lanes, (step[11] + row * groups + group) * lanes
            add_multiple(-pair_sums[pair, 0], memory, source, target, lanes)
        for b in range(above):
            for a in range(k):
                source, target = (step[5] + (b * k + a) * classes + unit) * lanes, (step[12] + b * (p + 1) * groups + group) * lanes
                for i in range(p):
                    add_multiple(-pair_sums[pair, 1 + a * p + i], memory, source, target + i * groups * lanes, lanes)
                add_outcome(-1.0, outcome, step[14] + pair * k + a, memory, source, target + p * groups * lanes, lanes)


@kernel(fast=True)
def add_multiple(times, memory, source, target, lanes):
    """Add to the row of lanes at ``target`` times the row at ``source``."""
    one, out = memory[source : source + lanes], memory[target : target + lanes]
    for lane in range(lanes):
        out[lane] += times * one[lane]


@kernel(fast=True)
def add_outcome(times, outcome, row, memory, source, target, lanes):
    """Add to the row of lanes at ``target`` times the row at ``source`` times a statistic of the response."""
    one, out = memory[source : source + lanes], memory[target : target + lanes]
    for lane in range(lanes):
        out[lane] += times * outcome[row, lane] * one[lane]


@kernel(fast=True)
def collect_pairs(step, memory, lanes, pairs, pair_sums, outcome):
    """Add up over the groups of each class units * (k2 x k2 of the group) and (sums of A) * (k2 x P of the group)'."""
    k, p, above, classes, groups = step[1], step[2], step[3], step[4], step[13]
    for pair in range(pairs.shape[0]):
        group, unit = pairs[pair, 0], pairs[pair, 1]
        for row in range(above * above):
            source, target = (step[11] + row * groups + group) * lanes, (step[8] + row * classes + unit) * lanes
            add_multiple(pair_sums[pair, 0], memory, source, target, lanes)
        for b in range(above):
            for a in range(k):
                source, target = (step[12] + b * (p + 1) * groups + group) * lanes, (step[5] + (a * above + b) * classes + unit) * lanes
                for i in range(p):
                    add_multiple(pair_sums[pair, 1 + a * p + i], memory, source + i * groups * lanes, target, lanes)
                add_outcome(1.0, outcome, step[14] + pair * k + a, memory, source + p * groups * lanes, target, lanes)
