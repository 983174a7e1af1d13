"""Compiled: adaptive Gauss-Hermite quadrature for one scalar factor, value and exact gradient.

A level's integral is sum_k w_k f(y | u_k) phi(u_k) with u_k = mode + sd x_k, sd^2 = 1 / curvature at the mode; the gradient follows the
nodes as mode and sd move with the parameters. Source: Pinheiro & Bates (1995), JCGS 4, 12-35, equation 2.10 (their N_AGQ points);
checked against numerical integration and glmer, clmm with several points, test_multilevel_quadrature.
"""

from __future__ import annotations

import math

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_kernel import observe
from bscstudy.multilevel.laplace_structure import LOG_WEIGHT, PLACE, ROW_START
from bscstudy.multilevel.laplace_workspace import EFFECTS, EXTRA_FIRST, EXTRA_SECOND, EXTRA_VALUE, FIRST, MODE, SECOND, THIRD, VALUE


@kernel
def _fill_node(problem, work, node):
    """Observe every row at one node; keep the derivatives and each level's log integrand."""
    for block in range(work.node_share.shape[1]):
        work.vectors[EFFECTS, block] = work.vectors[MODE, block] + problem.nodes[PLACE, node] * math.sqrt(work.own[block, 0, 0])
    observe(problem, work)
    for block in range(work.node_share.shape[1]):
        total = problem.nodes[LOG_WEIGHT, node] - 0.5 * work.vectors[EFFECTS, block] * work.vectors[EFFECTS, block]
        for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
            total += work.tracks[VALUE, i]
            work.node_values[node, i, 0] = work.tracks[FIRST, i]
            for j in range(work.extra.shape[0]):
                work.node_values[node, i, 1 + j] = work.extras[EXTRA_VALUE, i, j]
        work.node_share[node, block] = total


@kernel
def _level_integral(work, block):
    """Return the log integral of one level and turn its log integrands into shares that sum to 1."""
    top = -np.inf
    for node in range(work.node_share.shape[0]):
        top = max(top, work.node_share[node, block])
    total = 0.0
    for node in range(work.node_share.shape[0]):
        work.node_share[node, block] = math.exp(work.node_share[node, block] - top)
        total += work.node_share[node, block]
    for node in range(work.node_share.shape[0]):
        work.node_share[node, block] /= total
    return top + math.log(total) + 0.5 * math.log(work.own[block, 0, 0])


@kernel
def _level_pull(problem, work, block):
    """Return what one level's integral gains from a shift of the mode, and 1 plus what it gains from a relative change of sd."""
    sd = math.sqrt(work.own[block, 0, 0])
    shift, stretch = 0.0, 1.0
    for node in range(problem.nodes.shape[1]):
        score = -(work.vectors[MODE, block] + problem.nodes[PLACE, node] * sd)
        for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
            score += work.node_values[node, i, 0] * work.scaled[i, 0]
        score *= work.node_share[node, block]
        shift += score
        stretch += score * problem.nodes[PLACE, node] * sd
    cubic = 0.0
    for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
        cubic += work.tracks[THIRD, i] * work.scaled[i, 0] ** 3
    return shift + 0.5 * stretch * cubic * work.own[block, 0, 0], stretch


@kernel
def _add_row(problem, work, gradient, block, i, pull, stretch):
    """Add one observation's part of the gradient in (theta, beta, extra)."""
    p, own, scaled = problem.fixed.shape[1], work.own[block, 0, 0], work.scaled[i, 0]
    sd = math.sqrt(own)
    mean, product = 0.0, 0.0
    for node in range(problem.nodes.shape[1]):
        part = work.node_share[node, block] * work.node_values[node, i, 0]
        mean += part
        product += part * (work.vectors[MODE, block] + problem.nodes[PLACE, node] * sd)
    half, response = 0.5 * stretch * scaled * scaled * own, scaled * pull * own
    moved = half * work.tracks[THIRD, i] + response * work.tracks[SECOND, i]
    change = (
        product + moved * work.vectors[MODE, block] + stretch * work.tracks[SECOND, i] * scaled * own + work.tracks[FIRST, i] * pull * own
    )
    gradient[0] += problem.columns[i, 0] * change
    for j in range(p):
        gradient[1 + j] += (mean + moved) * problem.fixed[i, j]
    for j in range(work.extra.shape[0]):
        total = half * work.extras[EXTRA_SECOND, i, j] + response * work.extras[EXTRA_FIRST, i, j]
        for node in range(problem.nodes.shape[1]):
            total += work.node_share[node, block] * work.node_values[node, i, 1 + j]
        gradient[1 + p + j] += total


@kernel
def quadrature(problem, work, gradient):
    """Return the log-likelihood and fill its gradient in (theta, beta, extra); the factor of H must be that of the mode."""
    work.vectors[MODE, :] = work.vectors[EFFECTS]
    for node in range(problem.nodes.shape[1]):
        _fill_node(problem, work, node)
    work.vectors[EFFECTS, :] = work.vectors[MODE]
    observe(problem, work)
    gradient[:] = 0.0
    value = 0.0
    for block in range(work.node_share.shape[1]):
        value += _level_integral(work, block)
        pull, stretch = _level_pull(problem, work, block)
        for i in range(problem.block_starts[ROW_START, block], problem.block_starts[ROW_START, block + 1]):
            _add_row(problem, work, gradient, block, i, pull, stretch)
    return value
