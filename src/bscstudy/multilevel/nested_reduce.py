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

    Also their least squares coefficients on the orthonormal columns (p, width) and weighted sums of squares, raw (width,).
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
        here, root, offset = rows.order[row], rows.root[row], rows.offset[row]
        for lane in range(count):
            residual[row, lane] = root * responses[here, first + lane] - offset


@kernel(fast=True)
def _regress(fixed, start, count, residual, coefficients, raw):
    """Take the fixed columns out of ``residual``, in place."""
    n, p = fixed.shape
    for lane in range(count):
        raw[start + lane] = 0.0
    for j in range(p):
        for lane in range(count):
            coefficients[j, start + lane] = 0.0
    for row in range(n):
        for lane in range(count):
            raw[start + lane] += residual[row, lane] * residual[row, lane]
        for j in range(p):
            for lane in range(count):
                coefficients[j, start + lane] += fixed[row, j] * residual[row, lane]
    for row in range(n):
        for j in range(p):
            for lane in range(count):
                residual[row, lane] -= fixed[row, j] * coefficients[j, start + lane]


@kernel(fast=True)
def _sum_units(rows, start, count, residual, totals, outcomes):
    """Sums of the residuals by unit, and from them the statistics in the order ``expand_nested`` states."""
    classes, pairs, groups = rows.counts
    k, size = rows.random.shape[1], rows.fixed.shape[1] + 1
    pair_first = 1 + k * (k + 1) // 2 * classes * size
    group_first = pair_first + pairs * k
    for row in range(outcomes.shape[0]):
        for lane in range(count):
            outcomes[row, start + lane] = 0.0
    for unit in range(rows.classes.shape[0]):
        for a in range(k):
            for lane in range(count):
                totals[a, lane] = 0.0
        for row in range(rows.starts[unit], rows.starts[unit + 1]):
            for lane in range(count):
                outcomes[0, start + lane] += residual[row, lane] * residual[row, lane]
            for a in range(k):
                for lane in range(count):
                    totals[a, lane] += rows.random[row, a] * residual[row, lane]
            for b in range(rows.upper_random.shape[1]):
                here = group_first + b * groups + rows.groups[unit]
                for lane in range(count):
                    outcomes[here, start + lane] += rows.upper_random[row, b] * residual[row, lane]
        if pairs > 0:
            for a in range(k):
                for lane in range(count):
                    outcomes[pair_first + rows.pairs[unit] * k + a, start + lane] += totals[a, lane]
        _add_moments(rows, unit, start, count, totals, outcomes)


@kernel(fast=True)
def _add_moments(rows, unit, start, count, totals, outcomes):
    k, size = rows.random.shape[1], rows.fixed.shape[1] + 1
    for a in range(k):
        for b in range(a + 1):
            first = 1 + ((a * (a + 1) // 2 + b) * rows.counts[0] + rows.classes[unit]) * size
            times = 1.0 if a == b else 2.0
            for i in range(size - 1):
                for lane in range(count):
                    outcomes[first + i, start + lane] += rows.totals[unit * k + a, i] * totals[b, lane]
                if a != b:
                    for lane in range(count):
                        outcomes[first + i, start + lane] += rows.totals[unit * k + b, i] * totals[a, lane]
            for lane in range(count):
                outcomes[first + size - 1, start + lane] += times * totals[a, lane] * totals[b, lane]
