"""Compiled: adaptive Gauss-Hermite quadrature for one scalar factor, value and exact gradient.

A level's integral is sum_k w_k f(y | u_k) phi(u_k) with u_k = mode + sd x_k, sd^2 = 1 / curvature at the mode; the gradient follows the
nodes as mode and sd move with the parameters. Source: Pinheiro & Bates (1995), JCGS 4, 12-35, equation 2.10 (their N_AGQ points);
checked against numerical integration and glmer, clmm with several points, test_multilevel_quadrature.
"""

from __future__ import annotations

import math

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_algebra import set_zero
from bscstudy.multilevel.laplace_kernel import observe
from bscstudy.multilevel.laplace_structure import LOG_WEIGHT, PLACE, ROW_START
from bscstudy.multilevel.laplace_workspace import EFFECTS, EXTRA_FIRST, EXTRA_SECOND, EXTRA_VALUE, FIRST, MODE, SECOND, THIRD, VALUE


@kernel
def _keep_node(row_starts, tracks, in_extra, effects, node_values, share, log_weight):
    """Keep one node's derivatives, and each level's log integrand."""
    for block in range(share.shape[0]):
        total = log_weight - 0.5 * effects[block] * effects[block]
        for i in range(row_starts[block], row_starts[block + 1]):
            total += tracks[VALUE, i]
            node_values[i, 0] = tracks[FIRST, i]
            for j in range(in_extra.shape[1]):
                node_values[i, 1 + j] = in_extra[i, j]
        share[block] = total


@kernel
def _level_integral(share, own):
    """Return the log integral of one level (points,) and turn its log integrands into shares that sum to 1."""
    top = -np.inf
    for value in share:
        top = max(top, value)
    total = 0.0
    for node in range(share.shape[0]):
        share[node] = math.exp(share[node] - top)
        total += share[node]
    for node in range(share.shape[0]):
        share[node] /= total
    return top + math.log(total) + 0.5 * math.log(own)


@kernel
def _level_pull(places, share, node_values, scaled, third, rows, mode, own):
    """Return what one level's integral gains from a shift of the mode, and 1 plus what it gains from a relative change of sd."""
    sd = math.sqrt(own)
    shift, stretch = 0.0, 1.0
    for node in range(places.shape[0]):
        score = -(mode + places[node] * sd)
        for i in range(rows[0], rows[1]):
            score += node_values[node, i, 0] * scaled[i, 0]
        shift += score * share[node]
        stretch += score * share[node] * places[node] * sd
    cubic = 0.0
    for i in range(rows[0], rows[1]):
        cubic += third[i] * scaled[i, 0] ** 3
    return shift + 0.5 * stretch * cubic * own, stretch


@kernel
def _add_row(places, share, node_values, tracks, extras, numbers, fixed, gradient, i):
    """Add one observation's part of the gradient; numbers are its scaled and given column, mode, own, pull and stretch."""
    scaled, column, mode, own, pull, stretch = numbers
    p, sd, mean, product = fixed.shape[1], math.sqrt(own), 0.0, 0.0
    for node in range(places.shape[0]):
        part = share[node] * node_values[node, i, 0]
        mean += part
        product += part * (mode + places[node] * sd)
    half, response = 0.5 * stretch * scaled * scaled * own, scaled * pull * own
    moved = half * tracks[THIRD, i] + response * tracks[SECOND, i]
    change = product + moved * mode + stretch * tracks[SECOND, i] * scaled * own + tracks[FIRST, i] * pull * own
    gradient[0] += column * change
    for j in range(p):
        gradient[1 + j] += (mean + moved) * fixed[i, j]
    for j in range(extras.shape[2]):
        total = half * extras[EXTRA_SECOND, i, j] + response * extras[EXTRA_FIRST, i, j]
        for node in range(places.shape[0]):
            total += share[node] * node_values[node, i, 1 + j]
        gradient[1 + p + j] += total


@kernel
def _fill_nodes(problem, work):
    """Observe every row at every node and once more at the mode."""
    tracks, effects, mode, own = work.tracks, work.vectors[EFFECTS], work.vectors[MODE], work.own
    points = problem.nodes.shape[1]
    for block in range(mode.shape[0]):
        mode[block] = effects[block]
    for node in range(points + 1):
        place = problem.nodes[PLACE, node] if node < points else 0.0
        for block in range(mode.shape[0]):
            effects[block] = mode[block] + place * math.sqrt(own[block, 0, 0])
        codes, extra = (problem.family_code, problem.link_code), work.extra
        observe(codes[0], codes[1], problem.given, problem.position, work.scaled, effects, extra, tracks, work.extras)
        if node < points:
            in_extra, share, log_weight = work.extras[EXTRA_VALUE], work.node_share[node], problem.nodes[LOG_WEIGHT, node]
            _keep_node(problem.block_starts[ROW_START], tracks, in_extra, effects, work.node_values[node], share, log_weight)


@kernel
def quadrature(problem, work, gradient):
    """Return the log-likelihood and fill its gradient in (theta, beta, extra); the factor of H must be that of the mode."""
    _fill_nodes(problem, work)
    places, values, tracks, scaled = problem.nodes[PLACE], work.node_values, work.tracks, work.scaled
    row_starts, mode = problem.block_starts[ROW_START], work.vectors[MODE]
    set_zero(gradient)
    total = 0.0
    share = np.empty(places.shape[0])
    for block in range(mode.shape[0]):
        own = work.own[block, 0, 0]
        for node in range(places.shape[0]):
            share[node] = work.node_share[node, block]
        total += _level_integral(share, own)
        rows = (row_starts[block], row_starts[block + 1])
        pull, stretch = _level_pull(places, share, values, scaled, tracks[THIRD], rows, mode[block], own)
        for i in range(rows[0], rows[1]):
            numbers = (scaled[i, 0], problem.columns[i, 0], mode[block], own, pull, stretch)
            _add_row(places, share, values, tracks, work.extras, numbers, problem.fixed, gradient, i)
    return total
