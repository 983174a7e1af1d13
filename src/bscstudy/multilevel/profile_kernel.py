"""Compiled: from the expansion pieces to the profiled deviance, its gradient and Hessian; many replicates side by side.

Layout of the arguments (all float64, C order; the last axis is always the lane, one replicate each; one lane is a single fit):
symmetric matrices of P = p + 1 rows are packed by rows of the lower triangle, entry (i, j <= i) at i (i + 1) / 2 + j, so that
the fixed columns come first and the row of y last.

    log_determinant (lanes), log_gradient (T, lanes)         log|V| and its first derivatives in the entries of G
    cross (P (P + 1) / 2, lanes)                             D' V^-1 D, D = [X y]
    cross_gradient (T, P (P + 1) / 2, lanes)                 its first derivatives
    curvature (T (T + 1) / 2, lanes)                         second derivatives of log|V| plus <weight, second derivatives of cross>
    weight (P, P, lanes)                                     derivative of the deviance in ``cross``, made by ``profile_value``

The order of use: ``profile_value``, then any way to make ``curvature`` from ``weight`` (``contract_curvature`` where the full second
derivatives are at hand), then ``profile_derivatives``. nu is n - p (REML) or n (ML).
Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), equations 34 and 42. Checked against: criterion.profiled_deviance,
test_multilevel_nested.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel


@kernel(fast=True)
def profile_value(p, nu, reml, log_determinant, cross, factor, inverse, beta, r2, value, weight):
    """Fill beta (p, lanes), r2 and value (lanes), weight (P, P, lanes); factor and inverse (p (p + 1) / 2, lanes) get L, L^-1.

    Where X'V^-1X is not positive definite or r squared is not positive the value is not a number or infinite.
    """
    _factor_fixed(p, cross, factor, inverse)
    _invert_factor(p, factor, inverse)
    _solve_fixed(p, cross, inverse, beta, r2)
    for lane in range(value.shape[0]):
        value[lane] = log_determinant[lane] + nu * (1.0 + np.log(2.0 * np.pi * r2[lane] / nu))
    if reml:
        for j in range(p):
            for lane in range(value.shape[0]):
                value[lane] -= 2.0 * np.log(inverse[j * (j + 3) // 2, lane])
    _deviance_weight(p, nu, reml, inverse, beta, r2, weight)


@kernel(fast=True)
def _factor_fixed(p, cross, factor, inverse):
    """Cholesky factor of the first p rows; the diagonal of ``inverse`` gets the reciprocals of its diagonal."""
    lanes = cross.shape[1]
    for i in range(p):
        for j in range(i + 1):
            here = i * (i + 1) // 2 + j
            for lane in range(lanes):
                factor[here, lane] = cross[here, lane]
            for k in range(j):
                left, right = i * (i + 1) // 2 + k, j * (j + 1) // 2 + k
                for lane in range(lanes):
                    factor[here, lane] -= factor[left, lane] * factor[right, lane]
            if i == j:
                for lane in range(lanes):
                    factor[here, lane] = np.sqrt(factor[here, lane])
                    inverse[here, lane] = 1.0 / factor[here, lane]
            else:
                for lane in range(lanes):
                    factor[here, lane] *= inverse[j * (j + 3) // 2, lane]


@kernel(fast=True)
def _invert_factor(p, factor, inverse):
    lanes = factor.shape[1]
    for i in range(p):
        own = i * (i + 3) // 2
        for j in range(i):
            here = i * (i + 1) // 2 + j
            for lane in range(lanes):
                inverse[here, lane] = 0.0
            for k in range(j, i):
                left, right = i * (i + 1) // 2 + k, k * (k + 1) // 2 + j
                for lane in range(lanes):
                    inverse[here, lane] -= factor[left, lane] * inverse[right, lane]
            for lane in range(lanes):
                inverse[here, lane] *= inverse[own, lane]


@kernel(fast=True)
def _solve_fixed(p, cross, inverse, beta, r2):
    """Generalized least squares: beta and r squared = y'V^-1y - |L^-1 X'V^-1y|^2 (``r2`` serves as the work row of L^-1 X'V^-1y)."""
    lanes = cross.shape[1]
    last = p * (p + 1) // 2
    for j in range(p):
        for lane in range(lanes):
            beta[j, lane] = 0.0
    for i in range(p):
        for lane in range(lanes):
            r2[lane] = 0.0
        for j in range(i + 1):
            for lane in range(lanes):
                r2[lane] += inverse[i * (i + 1) // 2 + j, lane] * cross[last + j, lane]
        for j in range(i + 1):
            for lane in range(lanes):
                beta[j, lane] += inverse[i * (i + 1) // 2 + j, lane] * r2[lane]
    for lane in range(lanes):
        r2[lane] = cross[last + p, lane]
    for j in range(p):
        for lane in range(lanes):
            r2[lane] -= beta[j, lane] * cross[last + j, lane]


@kernel(fast=True)
def _deviance_weight(p, nu, reml, inverse, beta, r2, weight):
    """Derivative of the deviance in D'V^-1D: (X'V^-1X)^-1 for REML, and nu / r2 times v v', v = (-beta, 1)."""
    lanes = beta.shape[1]
    for lane in range(lanes):
        weight[p, p, lane] = nu / r2[lane]
    for i in range(p):
        for lane in range(lanes):
            weight[p, i, lane] = -weight[p, p, lane] * beta[i, lane]
        for j in range(i + 1):
            for lane in range(lanes):
                weight[i, j, lane] = -weight[p, i, lane] * beta[j, lane]
            if reml:
                for k in range(i, p):
                    for lane in range(lanes):
                        weight[i, j, lane] += inverse[k * (k + 1) // 2 + i, lane] * inverse[k * (k + 1) // 2 + j, lane]
    for i in range(p + 1):
        for j in range(i):
            for lane in range(lanes):
                weight[j, i, lane] = weight[i, j, lane]


@kernel(fast=True)
def contract_curvature(weight, log_hessian, cross_hessian, curvature):
    """Fill curvature (pairs, lanes) from log_hessian (pairs, lanes) and cross_hessian (pairs, P (P + 1) / 2, lanes), pairs packed."""
    size = weight.shape[0]
    for pair in range(log_hessian.shape[0]):
        for lane in range(weight.shape[2]):
            curvature[pair, lane] = log_hessian[pair, lane]
        for i in range(size):
            for j in range(i + 1):
                times = 1.0 if i == j else 2.0
                for lane in range(weight.shape[2]):
                    curvature[pair, lane] += times * weight[i, j, lane] * cross_hessian[pair, i * (i + 1) // 2 + j, lane]


@kernel(fast=True)
def profile_derivatives(p, nu, reml, log_gradient, cross_gradient, curvature, inverse, beta, r2, weight, slopes, turned, gradient, hessian):
    """Fill gradient (T, lanes) and hessian (T (T + 1) / 2, lanes) of the deviance in the entries of G.

    ``slopes`` (T, p + 1, lanes) and ``turned`` (T, p, p, lanes) are work space: L^-1 X'-part of the derivative times v, then the
    derivative of r squared; and L^-1 Q_r L^-T (its lower triangle).
    """
    lanes = r2.shape[0]
    for r in range(gradient.shape[0]):
        _contract_gradient(log_gradient[r], cross_gradient[r], weight, gradient[r])
        _residual_slope(p, cross_gradient[r], inverse, beta, slopes[r])
        if reml:
            _turn(p, cross_gradient[r], inverse, turned[r])
        for s in range(r + 1):
            pair = r * (r + 1) // 2 + s
            for lane in range(lanes):
                hessian[pair, lane] = slopes[r, p, lane] * slopes[s, p, lane] / r2[lane]
            for j in range(p):
                for lane in range(lanes):
                    hessian[pair, lane] += 2.0 * slopes[r, j, lane] * slopes[s, j, lane]
            for lane in range(lanes):
                hessian[pair, lane] = curvature[pair, lane] - nu * hessian[pair, lane] / r2[lane]
            if reml:
                for i in range(p):
                    for j in range(i + 1):
                        times = 1.0 if i == j else 2.0
                        for lane in range(lanes):
                            hessian[pair, lane] -= times * turned[r, i, j, lane] * turned[s, i, j, lane]


@kernel(fast=True)
def _contract_gradient(log_gradient, cross_gradient, weight, gradient):
    size = weight.shape[0]
    for lane in range(gradient.shape[0]):
        gradient[lane] = log_gradient[lane]
    for i in range(size):
        for j in range(i + 1):
            times = 1.0 if i == j else 2.0
            for lane in range(gradient.shape[0]):
                gradient[lane] += times * weight[i, j, lane] * cross_gradient[i * (i + 1) // 2 + j, lane]


@kernel(fast=True)
def _residual_slope(p, cross_gradient, inverse, beta, slope):
    """L^-1 (Q_r v) in the first p rows of ``slope``, v'Q_r v in the last."""
    lanes = slope.shape[1]
    last = p * (p + 1) // 2
    for i in range(p + 1):
        for lane in range(lanes):
            slope[i, lane] = cross_gradient[last + i, lane]
        for j in range(p):
            here = i * (i + 1) // 2 + j if j <= i else j * (j + 1) // 2 + i
            for lane in range(lanes):
                slope[i, lane] -= cross_gradient[here, lane] * beta[j, lane]
    for j in range(p):
        for lane in range(lanes):
            slope[p, lane] -= slope[j, lane] * beta[j, lane]
    for back in range(p):
        i = p - 1 - back
        for lane in range(lanes):
            slope[i, lane] *= inverse[i * (i + 3) // 2, lane]
        for j in range(i):
            for lane in range(lanes):
                slope[i, lane] += inverse[i * (i + 1) // 2 + j, lane] * slope[j, lane]


@kernel(fast=True)
def _turn(p, cross_gradient, inverse, turned):
    """Lower triangle of L^-1 Q_r L^-T: rows first, in place from the last row up, then columns from the last column down."""
    lanes = turned.shape[2]
    for i in range(p):
        for j in range(p):
            here = i * (i + 1) // 2 + j if j <= i else j * (j + 1) // 2 + i
            for lane in range(lanes):
                turned[i, j, lane] = cross_gradient[here, lane]
    for back in range(p):
        i = p - 1 - back
        for j in range(p):
            for lane in range(lanes):
                turned[i, j, lane] *= inverse[i * (i + 3) // 2, lane]
            for k in range(i):
                for lane in range(lanes):
                    turned[i, j, lane] += inverse[i * (i + 1) // 2 + k, lane] * turned[k, j, lane]
    for i in range(p):
        for back in range(i + 1):
            j = i - back
            for lane in range(lanes):
                turned[i, j, lane] *= inverse[j * (j + 3) // 2, lane]
            for k in range(j):
                for lane in range(lanes):
                    turned[i, j, lane] += inverse[j * (j + 1) // 2 + k, lane] * turned[i, k, lane]
