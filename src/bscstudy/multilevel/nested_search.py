"""Compiled: optima of many responses of one nested design; each lane works on one response and takes the next when it is done."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_kernel import run_steps
from bscstudy.multilevel.newton_kernel import (
    CONVERGED,
    EVALUATIONS,
    MOST_EVALUATIONS,
    N_CONTROLS,
    NEAR_BOUNDARY,
    PHI,
    R2,
    SEARCHING,
    STATUS,
    STOPPED,
    VALUE,
    advance,
    chain_to_parameters,
    entries_from_parameters,
)
from bscstudy.multilevel.profile_kernel import profile_derivatives, profile_value

IDLE = -1


class Parts(NamedTuple):
    """Expansion, profile and their work space for a set of lanes; shapes as in profile_kernel and newton_kernel."""

    log_determinant: np.ndarray  # (1, lanes)
    log_gradient: np.ndarray
    cross: np.ndarray
    cross_gradient: np.ndarray  # (T x packed, lanes)
    curvature: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray
    beta: np.ndarray
    scalars: np.ndarray  # (2, lanes): deviance, r squared
    weight: np.ndarray
    slopes: np.ndarray
    turned: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    jacobian: np.ndarray
    square: np.ndarray
    phi: np.ndarray
    entries: np.ndarray


class Lanes(NamedTuple):
    """State of the searches: one row for each lane."""

    task: np.ndarray  # (lanes, 2) int64: response (IDLE for none), attempt
    point: np.ndarray
    current: np.ndarray
    step: np.ndarray
    proposal: np.ndarray
    control: np.ndarray
    kept: np.ndarray  # (lanes, 1 + p) at ``point``: r squared, beta
    trial: np.ndarray  # (1, record)
    factor: np.ndarray  # (T, T)


def allocate_parts(count: int, p: int, lanes: int) -> Parts:
    """Return work space for T = ``count`` parameters and p fixed columns."""
    packed, fixed, pairs = (p + 1) * (p + 2) // 2, p * (p + 1) // 2, count * (count + 1) // 2
    shapes = ((1,), (count,), (packed,), (count * packed,), (pairs,), (fixed,), (fixed,), (p,), (2,), (p + 1, p + 1), (count, p + 1))
    shapes += ((count, p, p), (count,), (pairs,), (count, count), (count, count), (count,), (count,))
    return Parts(*(np.empty((*shape, lanes)) for shape in shapes))


def allocate_lanes(count: int, p: int, lanes: int) -> Lanes:
    """Return the state of ``lanes`` idle searches."""
    record = 1 + count + count * (count + 1) // 2
    shapes = (
        (lanes, count),
        (lanes, record),
        (lanes, count),
        (lanes, count),
        (lanes, N_CONTROLS),
        (lanes, 1 + p),
        (1, record),
        (count, count),
    )
    return Lanes(np.full((lanes, 2), IDLE), *(np.zeros(shape) for shape in shapes))


@kernel
def search_all(work, parts, parameters, state, nu, reml, outcome, outcomes, results):
    """Fill results (rows VALUE ... PHI, beta; B) for outcomes (statistics, B); outcome (statistics, lanes) is work space."""
    first, half, last = work.sizes[1], work.sizes[2], work.sizes[3]
    slope = parts.cross_gradient.reshape((parts.phi.shape[0], parts.cross.shape[0], outcome.shape[1]))
    p, waiting, working = work.sizes[0], 0 * first, min(outcome.shape[1], outcomes.shape[1])
    for lane in range(outcome.shape[1]):
        waiting = _take_next(waiting, lane, outcomes, outcome, parameters, state, results)
    while working > 0:
        for lane in range(outcome.shape[1]):
            for r in range(parts.phi.shape[0]):
                parts.phi[r, lane] = state.proposal[lane, r]
        entries_from_parameters(parameters.alone, parameters.products, parts.phi, parts.entries)
        run_steps(work, first, half, 1.0, outcome)
        value, r2, inverse, beta, weight = parts.scalars[0], parts.scalars[1], parts.inverse, parts.beta, parts.weight
        profile_value(p, nu, reml, parts.log_determinant[0], parts.cross, parts.factor, inverse, beta, r2, value, weight)
        run_steps(work, half, last, 1.0, outcome)
        gradient, hessian, space, turned = parts.gradient, parts.hessian, parts.slopes, parts.turned
        slopes, curvature = parts.log_gradient, parts.curvature
        profile_derivatives(p, nu, reml, slopes, slope, curvature, inverse, beta, r2, weight, space, turned, gradient, hessian)
        chain_to_parameters(parameters.alone, parameters.products, parts.phi, parts.jacobian, parts.square, gradient, hessian)
        for lane in range(outcome.shape[1]):
            if state.task[lane, 0] != IDLE:
                _fill_trial(lane, parts.scalars, gradient, hessian, state.trial)
                if _move(lane, parameters, parts.scalars, beta, state, results):
                    waiting = _take_next(waiting, lane, outcomes, outcome, parameters, state, results)
                    working -= 1 if state.task[lane, 0] == IDLE else 0


@kernel
def _take_next(waiting, lane, outcomes, outcome, parameters, state, results):
    """Load the next response into a lane; where none is left the lane idles on what it has."""
    state.task[lane, 0] = IDLE
    if waiting >= outcomes.shape[1]:
        return waiting
    for i in range(outcomes.shape[0]):
        outcome[i, lane] = outcomes[i, waiting]
    state.task[lane, 0] = waiting
    results[VALUE, waiting] = np.inf
    results[EVALUATIONS, waiting] = 0.0
    results[STATUS, waiting] = STOPPED
    _begin(lane, waiting - waiting, parameters.starts, state.task, state.current, state.proposal, state.control)
    return waiting + 1


@kernel
def _begin(lane, attempt, starts, task, current, proposal, control):
    task[lane, 1] = attempt
    current[lane, 0] = np.inf
    for r in range(starts.shape[1]):
        proposal[lane, r] = starts[attempt, r]
    for i in range(N_CONTROLS):
        control[lane, i] = 0.0


@kernel
def _fill_trial(lane, scalars, gradient, hessian, trial):
    trial[0, 0] = scalars[0, lane]
    for r in range(gradient.shape[0]):
        trial[0, 1 + r] = gradient[r, lane]
    for pair in range(hessian.shape[0]):
        trial[0, 1 + gradient.shape[0] + pair] = hessian[pair, lane]


@kernel
def _move(lane, parameters, scalars, beta, state, results):
    """Take one evaluated lane a step on; True when its response is done."""
    point, step, proposal, control = state.point[lane], state.step[lane], state.proposal[lane], state.control[lane]
    status = advance(parameters.alone, point, state.current[lane], step, proposal, state.trial[0], control, state.factor)
    if control[3] == 1.0:
        state.kept[lane, 0] = scalars[1, lane]
        for j in range(beta.shape[0]):
            state.kept[lane, 1 + j] = beta[j, lane]
    if control[1] >= MOST_EVALUATIONS and status == SEARCHING:
        status = STOPPED
    if status == SEARCHING:
        return False
    return _finish(lane, status, parameters, state, results)


@kernel
def _finish(lane, status, parameters, state, results):
    """Keep the best attempt; start another one where this one failed or ended on the boundary."""
    response, attempt, value, count = state.task[lane, 0], state.task[lane, 1], state.current[lane, 0], parameters.alone.shape[0]
    results[EVALUATIONS, response] += state.control[lane, 1]
    gain = results[VALUE, response] - value
    if gain > 1e-9 or (results[STATUS, response] != CONVERGED and status == CONVERGED and gain > -1e-6):
        results[VALUE, response] = value
        results[R2, response] = state.kept[lane, 0]
        results[STATUS, response] = status
        for r in range(count):
            results[PHI + r, response] = state.point[lane, r]
        for j in range(1, state.kept.shape[1]):
            results[PHI + count + j - 1, response] = state.kept[lane, j]
    again = status != CONVERGED or attempt > 0  # once begun, all starts are tried
    for r in range(count):
        if parameters.diagonal[r] == 1:
            again = again or (state.point[lane, r] <= 0.0 if parameters.alone[r] == 1 else abs(state.point[lane, r]) < NEAR_BOUNDARY)
    if again and attempt + 1 < parameters.starts.shape[0]:
        _begin(lane, attempt + 1, parameters.starts, state.task, state.current, state.proposal, state.control)
        return False
    return True
