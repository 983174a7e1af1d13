"""Compiled: optima of many responses of one nested design; each lane works on one response and takes the next when it is done."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_kernel import allocate_nested, curve_nested, expand_nested
from bscstudy.multilevel.newton_kernel import (
    CONVERGED,
    N_CONTROLS,
    SEARCHING,
    STOPPED,
    advance,
    chain_to_parameters,
    entries_from_parameters,
)
from bscstudy.multilevel.profile_kernel import profile_derivatives, profile_value

_MOST_EVALUATIONS = 200
_NEAR_BOUNDARY = 1e-4  # a diagonal Cholesky entry below it (random columns have mean square 1) calls for other starts


class Parameters(NamedTuple):
    """How phi is made up (newton_kernel) and where searches start."""

    alone: np.ndarray  # (T,)
    products: np.ndarray  # (m, 3)
    diagonal: np.ndarray  # (T,) int64: 1 where the entry is a variance
    starts: np.ndarray  # (attempts, T): phi; attempts after the first are made where the one before ended on the boundary or failed


class Optima(NamedTuple):
    """Results, one column for each response."""

    phi: np.ndarray  # (T, B)
    beta: np.ndarray  # (p, B)
    r2: np.ndarray  # (B,)
    value: np.ndarray  # (B,)
    evaluations: np.ndarray  # (B,) float64
    status: np.ndarray  # (B,) int64: newton_kernel's CONVERGED or STOPPED


class Derivatives(NamedTuple):
    """Expansion, profile and their work space for a set of lanes."""

    log_determinant: np.ndarray
    log_gradient: np.ndarray
    cross: np.ndarray
    cross_gradient: np.ndarray
    curvature: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray
    beta: np.ndarray
    r2: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    slopes: np.ndarray
    turned: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    jacobian: np.ndarray
    square: np.ndarray
    entries: np.ndarray


class Lanes(NamedTuple):
    """State of the searches: one row for each lane."""

    response: np.ndarray  # (lanes,) int64: which response, -1 for none
    attempt: np.ndarray  # (lanes,) int64
    point: np.ndarray
    current: np.ndarray
    step: np.ndarray
    proposal: np.ndarray
    control: np.ndarray
    beta: np.ndarray  # (lanes, p) at ``point``
    r2: np.ndarray  # (lanes,)


@kernel
def allocate_derivatives(count, p, lanes):
    """Return work space for T = count parameters and p fixed columns."""
    packed, fixed, pairs = (p + 1) * (p + 2) // 2, p * (p + 1) // 2, count * (count + 1) // 2
    return Derivatives(
        np.empty(lanes),
        np.empty((count, lanes)),
        np.empty((packed, lanes)),
        np.empty((count, packed, lanes)),
        np.empty((pairs, lanes)),
        np.empty((fixed, lanes)),
        np.empty((fixed, lanes)),
        np.empty((p, lanes)),
        np.empty(lanes),
        np.empty(lanes),
        np.empty((p + 1, p + 1, lanes)),
        np.empty((count, p + 1, lanes)),
        np.empty((count, p, p, lanes)),
        np.empty((count, lanes)),
        np.empty((pairs, lanes)),
        np.empty((count, count, lanes)),
        np.empty((count, count, lanes)),
        np.empty((count, lanes)),
    )


@kernel
def _allocate_lanes(count, p, lanes):
    record = 1 + count + count * (count + 1) // 2
    return Lanes(
        np.full(lanes, -1, np.int64),
        np.zeros(lanes, np.int64),
        np.zeros((lanes, count)),
        np.zeros((lanes, record)),
        np.zeros((lanes, count)),
        np.zeros((lanes, count)),
        np.zeros((lanes, N_CONTROLS)),
        np.zeros((lanes, p)),
        np.zeros(lanes),
    )


@kernel
def evaluate(sums, work, parts, outcome, parameters, phi, nu, reml):
    """Deviance with gradient and Hessian in phi (T, lanes), into ``parts``."""
    p = sums.sizes[2]
    entries_from_parameters(parameters.alone, parameters.products, phi, parts.entries)
    expand_nested(sums, work, outcome, parts.entries, parts.log_determinant, parts.log_gradient, parts.cross, parts.cross_gradient)
    profile_value(
        p, nu, reml, parts.log_determinant, parts.cross, parts.factor, parts.inverse, parts.beta, parts.r2, parts.value, parts.weight
    )
    curve_nested(sums, work, outcome, parts.weight, 1.0, parts.curvature)
    profile_derivatives(
        p,
        nu,
        reml,
        parts.log_gradient,
        parts.cross_gradient,
        parts.curvature,
        parts.inverse,
        parts.beta,
        parts.r2,
        parts.weight,
        parts.slopes,
        parts.turned,
        parts.gradient,
        parts.hessian,
    )
    chain_to_parameters(parameters.alone, parameters.products, phi, parts.jacobian, parts.square, parts.gradient, parts.hessian)


@kernel
def search_all(sums, outcomes, parameters, nu, reml, lanes, optima):
    """Fill ``optima`` for outcomes (statistics, B)."""
    count, p, responses = parameters.alone.shape[0], sums.sizes[2], outcomes.shape[1]
    work, parts, state = allocate_nested(sums, lanes), allocate_derivatives(count, p, lanes), _allocate_lanes(count, p, lanes)
    outcome, phi = np.zeros((outcomes.shape[0], lanes)), np.zeros((count, lanes))
    outcome[0] = 1.0
    trial, factor = np.zeros(state.current.shape[1]), np.zeros((count, count))
    waiting = 0
    for lane in range(lanes):
        waiting = _take_next(waiting, lane, outcomes, outcome, parameters, state, optima)
    working = min(lanes, responses)
    while working > 0:
        for lane in range(lanes):
            for r in range(count):
                phi[r, lane] = state.proposal[lane, r]
        evaluate(sums, work, parts, outcome, parameters, phi, nu, reml)
        for lane in range(lanes):
            if state.response[lane] >= 0 and _move(lane, parameters, parts, state, trial, factor, optima):
                if waiting >= responses:
                    working -= 1
                waiting = _take_next(waiting, lane, outcomes, outcome, parameters, state, optima)


@kernel
def _take_next(waiting, lane, outcomes, outcome, parameters, state, optima):
    """Load the next response into a lane; where none is left the lane idles on what it has."""
    state.response[lane] = -1
    if waiting >= outcomes.shape[1]:
        return waiting
    for i in range(outcomes.shape[0]):
        outcome[i, lane] = outcomes[i, waiting]
    state.response[lane] = waiting
    optima.value[waiting] = np.inf
    optima.evaluations[waiting] = 0.0
    optima.status[waiting] = STOPPED
    _begin(lane, 0, parameters, state)
    return waiting + 1


@kernel
def _begin(lane, attempt, parameters, state):
    state.attempt[lane] = attempt
    state.current[lane, 0] = np.inf
    for r in range(parameters.alone.shape[0]):
        state.proposal[lane, r] = parameters.starts[attempt, r]
    for i in range(N_CONTROLS):
        state.control[lane, i] = 0.0


@kernel
def _move(lane, parameters, parts, state, trial, factor, optima):
    """Take one evaluated lane a step on; True when its response is done."""
    count = parameters.alone.shape[0]
    trial[0] = parts.value[lane]
    for r in range(count):
        trial[1 + r] = parts.gradient[r, lane]
    for pair in range(parts.hessian.shape[0]):
        trial[1 + count + pair] = parts.hessian[pair, lane]
    point, current, control = state.point[lane], state.current[lane], state.control[lane]
    status = advance(parameters.alone, point, current, state.step[lane], state.proposal[lane], trial, control, factor)
    if control[3] == 1.0:
        state.r2[lane] = parts.r2[lane]
        for j in range(parts.beta.shape[0]):
            state.beta[lane, j] = parts.beta[j, lane]
    if control[1] >= _MOST_EVALUATIONS and status == SEARCHING:
        status = STOPPED
    if status == SEARCHING:
        return False
    return _finish(lane, status, parameters, state, optima)


@kernel
def _finish(lane, status, parameters, state, optima):
    """Keep the best attempt; start another one where this one failed or ended on the boundary."""
    response, point = state.response[lane], state.point[lane]
    optima.evaluations[response] += state.control[lane, 1]
    gain = optima.value[response] - state.current[lane, 0]
    if gain > 1e-9 or (optima.status[response] != CONVERGED and status == CONVERGED and gain > -1e-6):
        optima.value[response] = state.current[lane, 0]
        optima.status[response] = status
        optima.r2[response] = state.r2[lane]
        for r in range(point.shape[0]):
            optima.phi[r, response] = point[r]
        for j in range(state.beta.shape[1]):
            optima.beta[j, response] = state.beta[lane, j]
    again = status != CONVERGED
    for r in range(point.shape[0]):
        if parameters.diagonal[r] == 1:
            again = again or (point[r] <= 0.0 if parameters.alone[r] == 1 else abs(point[r]) < _NEAR_BOUNDARY)
    if state.attempt[lane] > 0:
        again = True  # once begun, all starts are tried
    if again and state.attempt[lane] + 1 < parameters.starts.shape[0]:
        _begin(lane, state.attempt[lane] + 1, parameters, state)
        return False
    return True
