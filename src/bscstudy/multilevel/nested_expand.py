"""Compiled: the full expansion of a nested design at one covariance, second derivatives included."""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_kernel import allocate_nested, curve_nested, expand_nested


@kernel
def expand_fully(sums, outcome, entries, lanes):
    """Return the pieces of the expansion at entries (T,) for one outcome (statistics, 1), symmetric matrices packed.

    Second derivatives are curvatures under weights that pick one entry of D'V^-1D each, ``lanes`` of them at a time.

    Returns
    -------
    log|V| (), its gradient (T,), D'V^-1D (packed), its gradient (T, packed), Hessian of log|V| (pairs), Hessian of D'V^-1D (pairs, packed)
    """
    count, size = entries.shape[0], sums.sizes[2] + 1
    packed, pairs = size * (size + 1) // 2, count * (count + 1) // 2
    cross_hessian = np.empty((pairs, packed))
    zero = np.zeros((size, size, 1))
    value, slope, cross, cross_slope, log_hessian = _curve(sums, outcome, entries, zero, 1.0)
    for first in range(0, packed, lanes):
        weight = np.zeros((size, size, min(lanes, packed - first)))
        here = 0
        for i in range(size):
            for j in range(i + 1):
                if first <= here < first + weight.shape[2]:
                    weight[i, j, here - first] += 0.5
                    weight[j, i, here - first] += 0.5
                here += 1
        part = _curve(sums, outcome, entries, weight, 0.0)[4]
        for pair in range(pairs):
            for lane in range(weight.shape[2]):
                cross_hessian[pair, first + lane] = part[pair, lane]
    return value[0], slope[:, 0].copy(), cross[:, 0].copy(), cross_slope[:, :, 0].copy(), log_hessian[:, 0].copy(), cross_hessian


@kernel
def _curve(sums, outcome, entries, weight, log_share):
    """Expand one outcome in every lane, each under its own weight."""
    count, lanes = entries.shape[0], weight.shape[2]
    packed = weight.shape[0] * (weight.shape[0] + 1) // 2
    work = allocate_nested(sums, lanes)
    outcomes, covariances = np.empty((outcome.shape[0], lanes)), np.empty((count, lanes))
    for lane in range(lanes):
        outcomes[:, lane] = outcome[:, 0]
        covariances[:, lane] = entries
    value, slope = np.empty(lanes), np.empty((count, lanes))
    cross, cross_slope = np.empty((packed, lanes)), np.empty((count, packed, lanes))
    curvature = np.empty((count * (count + 1) // 2, lanes))
    expand_nested(sums, work, outcomes, covariances, value, slope, cross, cross_slope)
    curve_nested(sums, work, outcomes, weight, log_share, curvature)
    return value, slope, cross, cross_slope, curvature
