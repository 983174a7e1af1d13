"""Compiled: information in the fixed coefficients at given covariance, X'WX - X'WA H^-1 A'WX, the curvature a search starts from.

Source: Bates (2009), Computational methods for mixed models, section 5 (penalised iteratively reweighted least squares).
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_algebra import set_zero
from bscstudy.multilevel.laplace_kernel import solve
from bscstudy.multilevel.laplace_structure import LINK_START
from bscstudy.multilevel.laplace_workspace import FACTOR, GAIN, RESPONSES, SCORE, SECOND


@kernel
def _weighted_column(position, scaled, second, fixed, j, score):
    """Fill score = A'W x for one fixed column."""
    set_zero(score)
    for i in range(position.shape[0]):
        value = max(-second[i], 0.0) * fixed[i, j]
        for s in range(position.shape[1]):
            score[position[i, s]] += value * scaled[i, s]


@kernel
def _fill_products(fixed, position, scaled, second, responses, information):
    """Fill information = X'WX - X'WA (responses), where ``responses`` (p, q) is H^-1 A'WX."""
    p = fixed.shape[1]
    left = np.empty(p)
    for j in range(p):
        set_zero(information[j])
    for i in range(fixed.shape[0]):
        weight = max(-second[i], 0.0)
        for j in range(p):
            left[j] = fixed[i, j]
            for s in range(position.shape[1]):
                left[j] -= scaled[i, s] * responses[j, position[i, s]]
        for j in range(p):
            for c in range(p):
                information[j, c] += 0.5 * weight * (fixed[i, j] * left[c] + fixed[i, c] * left[j])


@kernel
def fixed_information(problem, work, information):
    """Fill the curvature (p, p) of the penalised log-likelihood in the fixed coefficients; the factor of H must be there."""
    position, scaled, second, score = problem.position, work.scaled, work.tracks[SECOND], work.vectors[SCORE]
    starts, link_starts, gain, factor = problem.component_starts, problem.block_starts[LINK_START], work.links[GAIN], work.dense[FACTOR]
    for j in range(problem.fixed.shape[1]):
        _weighted_column(position, scaled, second, problem.fixed, j, score)
        solve(starts, link_starts, problem.link_column, work.own, gain, factor, score, work.vectors[RESPONSES + j])
    _fill_products(problem.fixed, position, scaled, second, work.vectors[RESPONSES:], information)
