"""Where the search for the largest likelihood starts: the fit without random effects, and variances by moments of its scores.

Source: the method of moments of Breslow & Lin (1995), Biometrika 82, 81-91 (score at variance zero); Zeger, Liang & Albert (1988),
Biometrics 44, 1049-1060, for the attenuation of marginal coefficients. Only a start: the optimum does not depend on it.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.families import Family
from bscstudy.multilevel.laplace_structure import COLUMN, OFFSET, OUTCOME, ROW, TRIALS, WEIGHT, Problem
from bscstudy.multilevel.laplace_workspace import EFFECTS, FIRST, SECOND, Workspace

ITERATIONS = 15
LEAST_START, LARGEST_START = 0.15, 3.0
_ATTENUATION = {"logit": (16.0 * np.sqrt(3.0) / (15.0 * np.pi)) ** 2, "probit": 1.0, "cloglog": 0.6}


def rough_predictor(family: Family, problem: Problem) -> np.ndarray:
    """Return a linear predictor (n,) of each observation by itself, drawn towards the middle."""
    from scipy import special

    outcome, trials = problem.given[OUTCOME], problem.given[TRIALS]
    if not family.has_trials:
        return np.log(outcome + 0.5)
    share = (outcome + 0.5) / (trials + 1.0)
    if family.link == "probit":
        return special.ndtri(share)
    return np.log(-np.log1p(-share)) if family.link == "cloglog" else special.logit(share)


def fixed_start(problem: Problem, work: Workspace, family: Family, n_theta: int) -> np.ndarray:
    """Return parameters (d,) of the search with theta 0 and the fixed coefficients of the fit without random effects."""
    from bscstudy.multilevel.family_checks import starting_extra

    extra = starting_extra(family, problem.given[OUTCOME], problem.given[WEIGHT])
    coefficients = np.zeros(problem.fixed.shape[1])
    if not family.is_ordinal:
        coefficients = problem.fixed.T @ (rough_predictor(family, problem) - problem.given[OFFSET]) / len(problem.fixed)
    if family.is_ordinal:
        extra[1:] = np.log(np.diff(extra))
    return _newton(problem, work, np.concatenate([np.zeros(n_theta), coefficients, extra]), n_theta)


def _observed(problem: Problem, work: Workspace, parameters: np.ndarray) -> float:
    """Work out every observation without random effects (theta is 0); return the log-likelihood."""
    from bscstudy.multilevel.laplace_kernel import find_mode

    work.vectors[EFFECTS] = 0.0
    return find_mode(problem, work, parameters)[0]


def _newton(problem: Problem, work: Workspace, parameters: np.ndarray, n_theta: int) -> np.ndarray:
    """Newton's method for the fixed coefficients alone, extra parameters as they are."""
    fixed = problem.fixed
    value = _observed(problem, work, parameters)
    for _ in range(ITERATIONS if fixed.shape[1] else 0):
        weight = np.maximum(-work.tracks[SECOND], 1e-8)
        step = np.zeros(len(parameters))
        move = _solved((fixed.T * weight) @ fixed, fixed.T @ work.tracks[FIRST])
        step[n_theta : n_theta + fixed.shape[1]] = move * min(1.0, 3.0 / max(float(np.abs(move).max()), 1e-300))
        changed = _observed(problem, work, parameters + step)
        while not changed >= value - 1e-9 * abs(value) and np.abs(step).max() > 1e-6:
            step *= 0.5
            changed = _observed(problem, work, parameters + step)
        parameters, gain, value = parameters + step, changed - value, changed
        if not gain > 1e-2:
            break
    return parameters


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve a symmetric system; by least squares of its scaled form where weights out of all proportion leave it singular."""
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        size = np.sqrt(matrix.diagonal())
        size[size == 0.0] = 1.0
        return np.linalg.lstsq(matrix / size / size[:, None], right / size, rcond=1e-10)[0] / size


def moment_start(problem: Problem, work: Workspace, family: Family, parameters: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """Return the parameters with diagonal theta by moments of the scores at theta 0, and coefficients drawn out accordingly."""
    n_theta = len(diagonal)
    _observed(problem, work, parameters)
    spread = _ATTENUATION.get(family.link, 0.0)
    theta, total = np.zeros(n_theta), 0.0
    weight = np.maximum(-work.tracks[SECOND], 0.0)
    for r in np.flatnonzero(diagonal):
        column, level = problem.columns[:, problem.entries[ROW, r]], problem.position[:, problem.entries[COLUMN, r]]
        score = np.bincount(level, weights=work.tracks[FIRST] * column)
        information = np.bincount(level, weights=weight * column**2)
        variance = min(_variance_by_moments(score, information), LARGEST_START**2)
        variance = min(max(variance * (1.0 + spread * max(variance, 0.0)), LEAST_START**2), LARGEST_START**2)
        theta[r], total = np.sqrt(variance), total + variance
    drawn = np.sqrt(1.0 + spread * total)
    start = parameters.copy()
    start[:n_theta] = theta
    start[n_theta : n_theta + problem.fixed.shape[1]] *= drawn
    if family.is_ordinal:
        start[n_theta + problem.fixed.shape[1]] *= drawn
        start[n_theta + problem.fixed.shape[1] + 1 :] += np.log(drawn)
    return start


def _variance_by_moments(score: np.ndarray, information: np.ndarray) -> float:
    """Return the sum of score^2 - information over that of information^2, each divided by its largest first; 0 where there is none."""
    largest, size = float(np.abs(score).max(initial=0.0)), float(information.max(initial=0.0))
    if not (0.0 < largest < np.inf and 0.0 < size < np.inf):
        return 0.0
    ratio, share = largest / size, information / size
    variance = (ratio * ratio * float(np.sum((score / largest) ** 2)) - float(share.sum()) / size) / float(np.sum(share**2))
    return 0.0 if np.isnan(variance) else variance
