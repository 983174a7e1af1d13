"""Compiled: from responses to the few sums the nested engine needs of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel

_WIDTH = 64  # responses reduced side by side
_BUFFER = 4_000_000  # residuals held at a time


class NestedRows(NamedTuple):
    """The rows of a design, sorted by group and unit; all columns multiplied by root weight."""

    order: np.ndarray  # (n,) row of the design
    root: np.ndarray  # (n,) root weight
    offset: np.ndarray  # (n,) offset times root weight
    fixed: np.ndarray  # (n, p) orthonormal
    random: np.ndarray  # (n, k1)
    upper_random: np.ndarray  # (n, k2)
    starts: np.ndarray  # (units + 1,) first row of each unit
    classes: np.ndarray  # (units,)
    pairs: np.ndarray  # (units,)
    groups: np.ndarray  # (units,)
    totals: np.ndarray  # (units k1, p): A, fixed columns
    counts: np.ndarray  # (3,): number of classes, pairs, groups


@kernel
def reduce_responses(rows, responses, first, width, outcomes, coefficients, raw):
    """Reduce the responses (n, B) from column ``first`` on, ``width`` of them, to outcomes (statistics, width).

    Also their least squares coefficients on the orthonormal columns (p, width) and weighted sums of squares, raw (width,); all three
    come filled with zeros.
    """
    n, p = rows.fixed.shape
    block = max(1, min(width, min(_WIDTH, _BUFFER // max(n, 1))))
    residual = np.empty((n, block))
    totals = np.empty((rows.random.shape[1], block))
    for start in range(0, width, block):
        count = min(block, width - start)
        _take_responses(rows, responses, first + start, count, residual)
        _regress(rows.fixed, start, count, residual, coefficients, raw)
        _sum_units(rows, start, count, residual, totals, outcomes)


@kernel(fast=True)
def _take_responses(rows, responses, first, count, residual):
    for row in range(residual.shape[0]):
        source, out = responses[rows.order[row], first : first + count], residual[row]
        root, offset = rows.root[row], rows.offset[row]
        for lane in range(count):
            out[lane] = root * source[lane] - offset


@kernel(fast=True)
def _regress(fixed, start, count, residual, coefficients, raw):
    """Take the fixed columns out of ``residual``, in place."""
    if count == 1:
        _regress_one(fixed, start, residual, coefficients, raw)
        return
    squares = raw[start : start + count]
    for row in range(fixed.shape[0]):
        own = residual[row]
        add_multiple(1.0, own, own, count, squares)
        for j in range(fixed.shape[1]):
            add_column(fixed[row, j], own, count, coefficients[j, start : start + count])
    for row in range(fixed.shape[0]):
        for j in range(fixed.shape[1]):
            add_column(-fixed[row, j], coefficients[j, start : start + count], count, residual[row])


@kernel(fast=True)
def _regress_one(fixed, start, residual, coefficients, raw):
    for row in range(fixed.shape[0]):
        raw[start] += residual[row, 0] * residual[row, 0]
        for j in range(fixed.shape[1]):
            coefficients[j, start] += fixed[row, j] * residual[row, 0]
    for row in range(fixed.shape[0]):
        for j in range(fixed.shape[1]):
            residual[row, 0] -= fixed[row, j] * coefficients[j, start]


@kernel(fast=True)
def add_column(times, source, count, out):
    """Add times * source to the first ``count`` numbers of out."""
    for lane in range(count):
        out[lane] += times * source[lane]


@kernel(fast=True)
def add_multiple(times, left, right, count, out):
    """Add times * left * right to the first ``count`` numbers of out."""
    for lane in range(count):
        out[lane] += times * left[lane] * right[lane]


@kernel
def _sum_units(rows, start, count, residual, totals, outcomes):
    """Sums of the residuals by unit, and from them the statistics in the order ``nested_sums.NestedSums`` states."""
    classes, pairs, groups = rows.counts[0], rows.counts[1], rows.counts[2]
    k, stop = rows.random.shape[1], start + count
    pair_first = 1 + k * (k + 1) // 2 * classes * (rows.fixed.shape[1] + 1)
    for unit in range(rows.classes.shape[0]):
        for a in range(k):
            for lane in range(count):
                totals[a, lane] = 0.0
        if count == 1:
            _sum_one(rows, unit, start, residual, totals, outcomes, pair_first + pairs * k)
        for row in range(rows.starts[unit], rows.starts[unit + 1] if count > 1 else 0):
            own = residual[row]
            add_multiple(1.0, own, own, count, outcomes[0, start:stop])
            for a in range(k):
                add_column(rows.random[row, a], own, count, totals[a])
            for b in range(rows.upper_random.shape[1]):
                here = pair_first + pairs * k + b * groups + rows.groups[unit]
                add_column(rows.upper_random[row, b], own, count, outcomes[here, start:stop])
        if pairs > 0:
            for a in range(k):
                add_column(1.0, totals[a], count, outcomes[pair_first + rows.pairs[unit] * k + a, start:stop])
        _add_moments(rows, unit, start, stop, totals, outcomes)


@kernel(fast=True)
def _sum_one(rows, unit, start, residual, totals, outcomes, group_first):
    for row in range(rows.starts[unit], rows.starts[unit + 1]):
        outcomes[0, start] += residual[row, 0] * residual[row, 0]
        for a in range(rows.random.shape[1]):
            totals[a, 0] += rows.random[row, a] * residual[row, 0]
        for b in range(rows.upper_random.shape[1]):
            outcomes[group_first + b * rows.counts[2] + rows.groups[unit], start] += rows.upper_random[row, b] * residual[row, 0]


@kernel
def _add_moments(rows, unit, start, stop, totals, outcomes):
    k, size, count = rows.random.shape[1], rows.fixed.shape[1] + 1, stop - start
    for a in range(k):
        for b in range(a + 1):
            first = 1 + ((a * (a + 1) // 2 + b) * rows.counts[0] + rows.classes[unit]) * size
            for i in range(size - 1):
                add_column(rows.totals[unit * k + a, i], totals[b], count, outcomes[first + i, start:stop])
                if a != b:
                    add_column(rows.totals[unit * k + b, i], totals[a], count, outcomes[first + i, start:stop])
            times = 1.0 if a == b else 2.0
            add_multiple(times, totals[a], totals[b], count, outcomes[first + size - 1, start:stop])
