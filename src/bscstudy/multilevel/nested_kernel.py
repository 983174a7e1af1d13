"""Compiled: the expansion of one or two nested factors, many replicates side by side.

Level 1 is the factor with more levels; its units fall into classes with the same C = Z'Z and the same coupling B = Z'Z_upper, of which
only class sums of products of A = Z'[X e] are needed. Level 2, where there is one, receives what level 1 leaves of its groups
(nested_upper). [X e] are orthonormal columns and the residual of their regression, so D'D is the identity with e'e in its corner.

With F = (I + C G)^-1, K = G F, M = F C (all per class and lane; G is never inverted):
    d K = F' E_r F,    d2 K = -F' (E_s M E_r + E_r M E_s) F,    d log|I + C G| = tr(M E_r),    d2 log|I + C G| = -tr(M E_s M E_r).
Second derivatives are only taken contracted with a weight (the derivative of the deviance in D'V^-1D), so that they cost little more
than one evaluation. Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 3; Harville (1977), JASA 72, 320 (derivatives).
Checked against: dense algebra, test_multilevel_nested.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_cells import add_directions, add_entries, add_products, multiply_cells, solve_cells, spread_covariance
from bscstudy.multilevel.nested_upper import contract_upper, expand_upper

COUNT, LOG_DETERMINANT = 0, 1  # single rows of ``level``: units of the class, log|I + C G|
PRODUCTS, COUPLINGS, COVARIANCE, REPLY, MIDDLE, SPARE, ADJOINT = 2, 3, 4, 5, 6, 7, 8  # C, B, G, F, M, work, weight on K
FULL = 9  # matrices of ``level`` from here: K and its derivatives, then B'K and derivatives, then B'K B and derivatives


class NestedWork(NamedTuple):
    """What the fixed side of a design comes to, and work space for a number of lanes.

    k1, k2 random columns (k2 = 0: one factor), T1 parameters of level 1. Matrix m of ``level`` begins at row m * max(k1, k2)^2.
    Symmetric matrices over random columns are packed by rows of the lower triangle, off-diagonal products counted in both orders.
    """

    sizes: np.ndarray  # (5,) int64: k1, k2, p, T1, classes
    directions: np.ndarray  # (T, 2) int64: row and column of each entry of G
    moments: np.ndarray  # (packed k1 x classes, p (p + 1) / 2): class sums of A A', fixed columns
    pairs: np.ndarray  # (pairs, 2) int64: group and class of each pair that occurs
    pair_sums: np.ndarray  # (pairs, 1 + k1 p): units, sums of A (fixed columns)
    level: np.ndarray  # (rows, classes x lanes): COUNT, PRODUCTS, COUPLINGS given
    squares: np.ndarray  # (rows, groups x lanes), k2 x k2 matrices of level 2, see nested_upper
    tables: np.ndarray  # (rows, groups x lanes), k2 x P matrices of level 2


@kernel
def expand_nested(work, outcome, entries, log_determinant, log_gradient, cross, cross_gradient):
    """Fill log|V| (1, lanes) and D'V^-1D (packed, lanes) with their first derivatives (T, ...) at the entries (T, lanes).

    outcome (statistics, lanes): e'e; class moments with e (packed k1 x classes x P); pair totals (pairs x k1); group totals (k2 x groups).
    """
    k, above, p, below = work.sizes[0], work.sizes[1], work.sizes[2], work.sizes[3]
    level, block = work.level, max(k, above) ** 2
    reply, middle, full = REPLY * block, MIDDLE * block, FULL * block
    _clear(p, outcome, log_determinant, log_gradient, cross, cross_gradient)
    spread_covariance(k, entries, work.directions, 0, below, level, COVARIANCE * block)
    solve_cells(k, level, PRODUCTS * block, COVARIANCE * block, reply, LOG_DETERMINANT)
    multiply_cells((k, k, k), level, (reply, k, 1), level, (PRODUCTS * block, k, 1), 1.0, 0.0, level, middle)
    multiply_cells((k, k, k), level, (COVARIANCE * block, k, 1), level, (reply, k, 1), 1.0, 0.0, level, full)
    add_products(level, LOG_DETERMINANT, level, COUNT, 1.0, log_determinant, 0)
    _subtract_moments(k, p, level, full, work.moments, outcome, cross, 0)
    for r in range(below):
        a, b, here = work.directions[r, 0], work.directions[r, 1], full + (1 + r) * block
        multiply_cells((k, 1, k), level, (reply + a * k, 1, 0), level, (reply + b * k, 0, 1), 1.0, 0.0, level, here)
        if a != b:
            multiply_cells((k, 1, k), level, (reply + b * k, 1, 0), level, (reply + a * k, 0, 1), 1.0, 1.0, level, here)
        add_entries(level, middle, k, a, b, level, COUNT, log_gradient, r)
        _subtract_moments(k, p, level, here, work.moments, outcome, cross_gradient, r * cross.shape[0])
    if above > 0:
        expand_upper(work, full, outcome, entries, log_determinant, log_gradient, cross, cross_gradient)


@kernel
def curve_nested(work, outcome, weight, log_share, curvature):
    """Fill curvature (T (T + 1) / 2, lanes): <weight, second derivatives of D'V^-1D> plus log_share * those of log|V|.

    After ``expand_nested`` at the same entries; weight (P, P, lanes) is symmetric.
    """
    k, above, below = work.sizes[0], work.sizes[1], work.sizes[3]
    level, block = work.level, max(k, above) ** 2
    reply, middle, spare, adjoint = REPLY * block, MIDDLE * block, SPARE * block, ADJOINT * block
    for pair in range(curvature.shape[0]):
        for lane in range(curvature.shape[1]):
            curvature[pair, lane] = 0.0
    _weigh_moments(k, work.sizes[2], work.moments, outcome, weight, level, adjoint)
    if above > 0:
        contract_upper(work, FULL * block, outcome, weight, log_share, curvature)
        _take_from_above(k, above, below, level, block, adjoint)
    multiply_cells((k, k, k), level, (reply, k, 1), level, (adjoint, k, 1), 1.0, 0.0, level, spare)
    multiply_cells((k, k, k), level, (spare, k, 1), level, (reply, 1, k), 2.0, 0.0, level, adjoint)
    multiply_cells((k * k, 1, 1), level, (middle, 1, 0), level, (COUNT, 0, 0), log_share, 1.0, level, adjoint)
    add_directions(k, level, adjoint, level, middle, work.directions, 0, below, curvature)


@kernel(fast=True)
def _clear(p, outcome, log_determinant, log_gradient, cross, cross_gradient):
    for lane in range(cross.shape[1]):
        log_determinant[0, lane] = 0.0
        for here in range(cross.shape[0]):
            cross[here, lane] = 0.0
        for here in range(cross_gradient.shape[0]):
            cross_gradient[here, lane] = 0.0
        for r in range(log_gradient.shape[0]):
            log_gradient[r, lane] = 0.0
        for j in range(p):
            cross[j * (j + 3) // 2, lane] = 1.0
        cross[p * (p + 3) // 2, lane] = outcome[0, lane]


@kernel(fast=True)
def _subtract_moments(k, p, level, first, moments, outcome, cross, cross_first):
    """Subtract from the packed rows of ``cross`` the moments weighted by the symmetric matrix at ``first`` of ``level``."""
    lanes, size, row = cross.shape[1], p + 1, 0
    last = cross_first + moments.shape[1]
    for i in range(k):
        for j in range(i + 1):
            at = first + i * k + j
            for unit in range(level.shape[1] // lanes):
                if lanes == 1:
                    for here in range(moments.shape[1]):
                        cross[cross_first + here, 0] -= level[at, unit] * moments[row, here]
                else:
                    for here in range(moments.shape[1]):
                        for lane in range(lanes):
                            cross[cross_first + here, lane] -= level[at, unit * lanes + lane] * moments[row, here]
                for here in range(size):
                    for lane in range(lanes):
                        cross[last + here, lane] -= level[at, unit * lanes + lane] * outcome[1 + row * size + here, lane]
                row += 1


@kernel(fast=True)
def _weigh_moments(k, p, moments, outcome, weight, level, first):
    """Fill the symmetric matrix at ``first`` with minus the moments contracted with the weight: the derivative of the deviance in K."""
    lanes, row = weight.shape[2], 0
    for i in range(k):
        for j in range(i + 1):
            at, other, share = first + i * k + j, first + j * k + i, -1.0 if i == j else -0.5
            for unit in range(level.shape[1] // lanes):
                start = 1 + row * (p + 1)
                for lane in range(lanes):
                    level[at, unit * lanes + lane] = share * weight[p, p, lane] * outcome[start + p, lane]
                for a in range(p):
                    for lane in range(lanes):
                        level[at, unit * lanes + lane] += 2.0 * share * weight[p, a, lane] * outcome[start + a, lane]
                    for b in range(a + 1):
                        times = (share if a == b else 2.0 * share) * moments[row, a * (a + 1) // 2 + b]
                        for lane in range(lanes):
                            level[at, unit * lanes + lane] += times * weight[a, b, lane]
                row += 1
            for cell in range(level.shape[1]):
                level[other, cell] = level[at, cell]


@kernel
def _take_from_above(k, above, below, level, block, adjoint):
    """Add to the weight on K what the upper level makes of it: Y B' + B Y' - B S B', with Y and S as ``contract_upper`` leaves them."""
    linear = (FULL + 1 + below) * block
    square, spare, couplings = linear + (1 + below) * block, SPARE * block, COUPLINGS * block
    multiply_cells((k, above, k), level, (linear, above, 1), level, (couplings, 1, above), 1.0, 1.0, level, adjoint)
    multiply_cells((k, above, k), level, (couplings, above, 1), level, (linear, 1, above), 1.0, 1.0, level, adjoint)
    multiply_cells((k, above, above), level, (couplings, above, 1), level, (square, above, 1), 1.0, 0.0, level, spare)
    multiply_cells((k, above, k), level, (spare, above, 1), level, (couplings, 1, above), -1.0, 1.0, level, adjoint)
