"""Compiled: information in the fixed coefficients at given covariance, X'WX - X'WA H^-1 A'WX, the curvature a search starts from.

Source: Bates (2009), Computational methods for mixed models, section 5 (penalised iteratively reweighted least squares).
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_kernel import solve
from bscstudy.multilevel.laplace_workspace import RESPONSES, SCORE, SECOND


@kernel
def _fill_responses(problem, work):
    """Fill responses (p, length of u): how the mode answers to each fixed coefficient, H^-1 A'W x."""
    for j in range(problem.fixed.shape[1]):
        work.vectors[SCORE, :] = 0.0
        for i in range(problem.fixed.shape[0]):
            value = max(-work.tracks[SECOND, i], 0.0) * problem.fixed[i, j]
            for s in range(problem.position.shape[1]):
                work.vectors[SCORE, problem.position[i, s]] += value * work.scaled[i, s]
        solve(problem, work, work.vectors[SCORE], work.vectors[RESPONSES + j])


@kernel
def _fill_information(problem, work, information):
    """Fill information = X'WX - X'WA H^-1 A'WX."""
    p = problem.fixed.shape[1]
    left = np.empty(p)
    information[:, :] = 0.0
    for i in range(problem.fixed.shape[0]):
        weight = max(-work.tracks[SECOND, i], 0.0)
        for j in range(p):
            left[j] = problem.fixed[i, j]
            for s in range(problem.position.shape[1]):
                left[j] -= work.scaled[i, s] * work.vectors[RESPONSES + j, problem.position[i, s]]
        for j in range(p):
            for c in range(j + 1):
                information[j, c] += weight * problem.fixed[i, j] * left[c]
    for j in range(p):
        for c in range(j):
            information[c, j] = information[j, c]


@kernel
def fixed_information(problem, work, information):
    """Fill the curvature (p, p) of the penalised log-likelihood in the fixed coefficients; the factor of H must be there."""
    _fill_responses(problem, work)
    _fill_information(problem, work, information)
