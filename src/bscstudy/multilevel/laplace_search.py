"""The search for the largest likelihood: BFGS from a curvature worked out at the start, then Newton's method.

The curvature of the last steps, and so of the standard errors, comes from central differences of the exact gradient. The likelihood is
even in each column of Lambda, so a variance of 0 is always a stationary point: it is kept only where the curvature there is that of an
optimum. Source: Nocedal & Wright (2006), Numerical Optimization, chapters 3, 6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

DIFFERENCE = 1e-4
BFGS_ITERATIONS = 300
NEWTON_ITERATIONS = 12
LINE_SEARCHES = 30
BFGS_DECREMENT = 1e-12
NEWTON_DECREMENT = 1e-24
CURVATURE_DECREMENT = 1e-9
SMALLEST_CURVATURE = 1e-3
LARGEST_STEP = 1.5
FLAT_THETA = 1e-2
RESTART_THETA = 0.3
ZERO_THETA = 1e-5
ROUNDING_THETA = 1e-12


class Objective(NamedTuple):
    """What is made smallest.

    Attributes
    ----------
    value : callable
        ``value(parameters (d,)) -> (minus log-likelihood, gradient (d,))``; infinite where there is none.
    effects : ndarray, shape (q,)
        The random effects from which the next mode is sought; changed by ``value``.
    diagonal : ndarray of bool, shape (d,)
        Diagonal entries of Lambda.
    columns : ndarray of int64, shape (d,)
        Column of Lambda of each theta; -1 for the other parameters.
    """

    value: Callable
    effects: np.ndarray
    diagonal: np.ndarray
    columns: np.ndarray


class Point(NamedTuple):
    """Where the search stands: parameters (d,), value, gradient (d,), curvature (d, d), decrement promised, evaluations made."""

    parameters: np.ndarray
    value: float
    gradient: np.ndarray
    curvature: np.ndarray
    decrement: float
    evaluations: int


def direction(curvature: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the Newton direction, the decrement it promises, and the curvature it rests on.

    A curvature that is not positive definite is replaced: absolute eigenvalues after scaling the diagonal to 1, none below 1/1000.
    """
    from scipy.linalg.lapack import dposv

    _, step, fault = dposv(curvature, -gradient, lower=1)
    if fault or not np.all(np.isfinite(step)):
        scale = np.sqrt(np.abs(curvature.diagonal())) + 1e-4
        values, vectors = np.linalg.eigh(curvature / np.outer(scale, scale))
        turned = vectors * scale[:, None]
        curvature = turned * np.maximum(np.abs(values), SMALLEST_CURVATURE) @ turned.T
        step = np.linalg.solve(curvature, -gradient)
    return step, -float(gradient @ step), curvature


def _line_search(objective: Objective, point: Point, step: np.ndarray, slope: float) -> tuple[Point, float]:
    """Move along ``step`` until the value falls enough; length 0 where it never does."""
    length = min(1.0, LARGEST_STEP / max(float(np.abs(step).max(initial=0.0)), 1e-300))
    for attempt in range(1, LINE_SEARCHES + 1):
        trial = point.parameters + length * step
        value, gradient = objective.value(trial)
        if value <= point.value + 1e-4 * length * slope + 1e-13 * abs(point.value):
            found = point._replace(parameters=trial, value=value, gradient=gradient, evaluations=point.evaluations + attempt)
            return found, length
        bend = value - point.value - slope * length
        best = -0.5 * slope * length * length / bend if np.isfinite(bend) else 0.0
        length = min(max(best, 0.1 * length), 0.5 * length)
    return point._replace(evaluations=point.evaluations + LINE_SEARCHES), 0.0


def _updated(curvature: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """BFGS update of the curvature by a step and the change of the gradient over it."""
    product = curvature @ step
    along, bend = float(step @ change), float(step @ product)
    if not (along > 1e-10 * bend > 0.0):
        return curvature
    return curvature + np.outer(change / along, change) - np.outer(product / bend, product)


def descend(objective: Objective, point: Point) -> Point:
    """BFGS from the point's curvature until the promised decrement is below 1e-12."""
    for _ in range(BFGS_ITERATIONS):
        step, decrement, curvature = direction(point.curvature, point.gradient)
        point = point._replace(decrement=decrement, curvature=curvature)
        if not decrement > BFGS_DECREMENT:
            break
        found, length = _line_search(objective, point, step, -decrement)
        if length == 0.0:
            return found
        point = found._replace(curvature=_updated(point.curvature, length * step, found.gradient - point.gradient))
    return point


def central_curvature(objective: Objective, parameters: np.ndarray) -> np.ndarray:
    """Return the curvature by central differences of the exact gradient; the effects are left as they were."""
    size = len(parameters)
    curvature, held = np.empty((size, size)), objective.effects.copy()
    for column in range(size):
        moved = parameters.copy()
        objective.effects[:] = held
        moved[column] = parameters[column] + DIFFERENCE
        upper = objective.value(moved)[1]
        objective.effects[:] = 2.0 * held - objective.effects
        moved[column] = parameters[column] - DIFFERENCE
        curvature[:, column] = (upper - objective.value(moved)[1]) / (2.0 * DIFFERENCE)
    objective.effects[:] = held
    return 0.5 * (curvature + curvature.T)


def with_differences(objective: Objective, point: Point, columns: np.ndarray) -> Point:
    """Return the point with the given columns of its curvature replaced by forward differences of the gradient."""
    held, curvature = objective.effects.copy(), point.curvature.copy()
    for column in columns:
        moved = point.parameters.copy()
        moved[column] += DIFFERENCE
        value, gradient = objective.value(moved)
        objective.effects[:] = held
        change = (gradient - point.gradient) / DIFFERENCE
        if not np.isfinite(value):
            change = np.eye(len(moved))[column]
        curvature[column] = curvature[:, column] = change
    return point._replace(curvature=curvature, evaluations=point.evaluations + len(columns))


def _evaluated(objective: Objective, point: Point, parameters: np.ndarray) -> Point:
    value, gradient = objective.value(parameters)
    return point._replace(parameters=parameters, value=value, gradient=gradient, evaluations=point.evaluations + 1)


def positive(objective: Objective, parameters: np.ndarray) -> np.ndarray:
    """Turn the sign of each column of Lambda whose diagonal is negative."""
    negative = objective.columns[objective.diagonal & (parameters < 0.0)]
    return np.where(np.isin(objective.columns, negative), -parameters, parameters)


def settled(objective: Objective, point: Point) -> Point:
    """Turn signs, and put variances next to 0 at 0 where that loses nothing."""
    parameters = positive(objective, point.parameters)
    near = objective.diagonal & (parameters > 0.0) & (parameters < ZERO_THETA)
    if not near.any():
        return point if np.array_equal(parameters, point.parameters) else _evaluated(objective, point, parameters)
    found = _evaluated(objective, point, np.where(near, 0.0, parameters))
    return found if found.value <= point.value + 1e-9 else _evaluated(objective, point, parameters)


def on_saddle(objective: Objective, point: Point) -> np.ndarray:
    """Return which variances lie next to 0 although the criterion falls away from it, by the point's curvature."""
    return objective.diagonal & (np.abs(point.parameters) < FLAT_THETA) & (point.curvature.diagonal() < 0.0)


def leave_saddle(objective: Objective, point: Point, saddle: np.ndarray) -> Point:
    """Move the variances named off 0 and descend again."""
    curvature = np.where(saddle[:, None] | saddle[None, :], np.diag(saddle.astype(float)), point.curvature)
    moved = _evaluated(objective, point, np.where(saddle, RESTART_THETA, point.parameters))
    return settled(objective, descend(objective, moved._replace(curvature=curvature)))


def polish(objective: Objective, point: Point) -> Point:
    """Newton's method with the curvature by central differences, worked out anew while the steps are large."""
    for _ in range(NEWTON_ITERATIONS):
        curvature = central_curvature(objective, point.parameters)
        point = point._replace(curvature=curvature, evaluations=point.evaluations + 2 * len(curvature))
        saddle = on_saddle(objective, point)
        if saddle.any():
            point = leave_saddle(objective, point, saddle)
            continue
        first = None
        for _ in range(3):
            step, decrement, _ = direction(curvature, point.gradient)
            first = decrement if first is None else first
            point = point._replace(decrement=decrement)
            if not decrement > NEWTON_DECREMENT:
                break
            point, length = _line_search(objective, point, step, -decrement)
            if length == 0.0:
                break
        if first < CURVATURE_DECREMENT:
            break
    rounding = objective.diagonal & (np.abs(point.parameters) < ROUNDING_THETA)
    return point._replace(parameters=np.where(rounding, 0.0, point.parameters))
