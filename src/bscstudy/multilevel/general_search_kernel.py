"""Compiled: optima of many responses of one design whose components are small, one response after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.general_kernel import add_small_components, fill_covariance
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
from bscstudy.multilevel.profile_kernel import contract_curvature, profile_derivatives, profile_value


class Parts(NamedTuple):
    """Profiled deviance at one point and its work space; shapes as in profile_kernel and newton_kernel, one lane."""

    curvature: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray
    beta: np.ndarray
    scalars: np.ndarray  # (2, 1): deviance, r squared
    weight: np.ndarray
    slopes: np.ndarray
    turned: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    jacobian: np.ndarray
    square: np.ndarray
    phi: np.ndarray
    values: np.ndarray


class State(NamedTuple):
    """One search (newton_kernel)."""

    point: np.ndarray
    current: np.ndarray
    step: np.ndarray
    proposal: np.ndarray
    trial: np.ndarray
    control: np.ndarray
    factor: np.ndarray
    kept: np.ndarray  # (1 + p,) at ``point``: r squared, beta


def allocate_parts(count: int, p: int) -> Parts:
    """Return work space for T = ``count`` parameters and p fixed columns."""
    fixed, pairs = p * (p + 1) // 2, count * (count + 1) // 2
    shapes = ((pairs,), (fixed,), (fixed,), (p,), (2,), (p + 1, p + 1), (count, p + 1), (count, p, p))
    shapes += ((count,), (pairs,), (count, count), (count, count), (count,), (count,))
    return Parts(*(np.empty((*shape, 1)) for shape in shapes))


def allocate_state(count: int, p: int) -> State:
    """Return the state of an idle search."""
    record = 1 + count + count * (count + 1) // 2
    return State(*(np.zeros(shape) for shape in (count, record, count, count, record, N_CONTROLS, (count, count), 1 + p)))


@kernel
def _load_response(outcomes, response, block_totals, other_totals, cross):
    """Put one column of the statistics (blocks, others, last row of D'D) into the last column of the totals."""
    width, place = block_totals.shape[2], 0
    for block in range(block_totals.shape[0]):
        for a in range(block_totals.shape[1]):
            block_totals[block, a, width - 1] = outcomes[place, response]
            place += 1
    for i in range(other_totals.shape[0]):
        other_totals[i, width - 1] = outcomes[place, response]
        place += 1
    for x in range(width):
        cross[width * (width - 1) // 2 + x, 0] = outcomes[place, response]
        place += 1


@kernel
def _begin(start, state):
    for r in range(start.shape[0]):
        state.proposal[r] = start[r]
    for i in range(state.control.shape[0]):
        state.control[i] = 0.0
    state.current[0] = np.inf


@kernel
def _judge(alone, parts, state):
    """Hand the point just evaluated to the search; keep r squared and beta where it moves there; return the status."""
    trial, count, control = state.trial, parts.phi.shape[0], state.control
    trial[0] = parts.scalars[0, 0]
    for r in range(count):
        trial[1 + r] = parts.gradient[r, 0]
    for pair in range(parts.hessian.shape[0]):
        trial[1 + count + pair] = parts.hessian[pair, 0]
    status = advance(alone, state.point, state.current, state.step, state.proposal, trial, control, state.factor)
    if control[3] == 1.0:
        state.kept[0] = parts.scalars[1, 0]
        for x in range(parts.beta.shape[0]):
            state.kept[1 + x] = parts.beta[x, 0]
    if control[1] >= MOST_EVALUATIONS and status == SEARCHING:
        return STOPPED
    return status


@kernel
def _finish(alone, diagonal, state, status, response, results):
    """Keep the better of this attempt and those before; True where another start should be tried."""
    count, gain = alone.shape[0], results[VALUE, response] - state.current[0]
    results[EVALUATIONS, response] += state.control[1]
    if gain > 1e-9 or (results[STATUS, response] != CONVERGED and status == CONVERGED and gain > -1e-6):
        results[VALUE, response] = state.current[0]
        results[R2, response] = state.kept[0]
        results[STATUS, response] = status
        for r in range(count):
            results[PHI + r, response] = state.point[r]
        for x in range(1, state.kept.shape[0]):
            results[PHI + count + x - 1, response] = state.kept[x]
    again = status != CONVERGED
    for r in range(count):
        if diagonal[r] == 1:
            again = again or (state.point[r] <= 0.0 if alone[r] == 1 else abs(state.point[r]) < NEAR_BOUNDARY)
    return again


@kernel
def search_responses(structure, covariance, totals, work, sums, parts, parameters, state, nu, reml, first, outcomes, results):
    """Fill results (rows VALUE ... PHI, beta; B) for outcomes (statistics, B) and first starts (B, T).

    Where a search failed or ended on the boundary, all other starts are tried too.
    """
    p, phi, alone, products = parts.beta.shape[0], parts.phi, parameters.alone, parameters.products
    value, r2, beta, factor, inverse = parts.scalars[0], parts.scalars[1], parts.beta, parts.factor, parts.inverse
    weight, curvature, gradient, hessian = parts.weight, parts.curvature, parts.gradient, parts.hessian
    slopes, turned, slope, log_gradient = parts.slopes, parts.turned, sums.cross_gradient, sums.log_gradient
    for response in range(outcomes.shape[1]):
        _load_response(outcomes, response, totals.block_totals, totals.other_totals, totals.cross)
        results[VALUE, response], results[STATUS, response], results[EVALUATIONS, response] = np.inf, float(STOPPED), 0.0
        again = False
        for attempt in range(1 + parameters.starts.shape[0]):
            if attempt > 0 and not again:
                break
            _begin(first[response] if attempt == 0 else parameters.starts[attempt - 1], state)
            status = SEARCHING
            while status == SEARCHING:
                for r in range(phi.shape[0]):
                    phi[r, 0] = state.proposal[r]
                entries_from_parameters(alone, products, phi, parts.values)
                fill_covariance(structure.entries, alone, phi, parts.values, covariance.relative, covariance.factor)
                add_small_components(structure, covariance, totals, work, sums, work.dense.shape[1])
                profile_value(p, nu, reml, sums.log_determinant, sums.cross, factor, inverse, beta, r2, value, weight)
                contract_curvature(weight, sums.log_hessian, sums.cross_hessian, curvature)
                profile_derivatives(
                    p, nu, reml, log_gradient, slope, curvature, inverse, beta, r2, weight, slopes, turned, gradient, hessian
                )
                chain_to_parameters(alone, products, phi, parts.jacobian, parts.square, gradient, hessian)
                status = _judge(alone, parts, state)
            again = _finish(alone, parameters.diagonal, state, status, response, results) or again
