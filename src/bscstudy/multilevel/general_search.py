"""The search for the optimum of one response with large components: exact gradient, average information or exact Hessian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.criterion import Criterion, profiled_deviance
from bscstudy.multilevel.expansion import Expansion
from bscstudy.multilevel.general_kernel import Covariance, Sums, Totals, Work, allocate_sums, allocate_work, fill_covariance
from bscstudy.multilevel.general_large import LARGEST_EXACT, fill_sums
from bscstudy.multilevel.general_structure import Structure
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
    Parameters,
    advance,
    chain_to_parameters,
    entries_from_parameters,
)

_LEAST_CURVATURE = 1e-8  # relative size of the denominator from which a rank-one correction is taken


@dataclass(frozen=True)
class Problem:
    """One response of one design, with work space."""

    structure: Structure
    totals: Totals
    parameters: Parameters
    work: Work
    sums: Sums
    n: int
    reml: bool
    exact: bool


@dataclass(frozen=True)
class Point:
    """Deviance at one set of parameters phi (T,): gradient and Hessian in phi."""

    phi: np.ndarray
    criterion: Criterion
    gradient: np.ndarray
    hessian: np.ndarray

    def record(self, correction: np.ndarray) -> np.ndarray:
        """Value, gradient and packed Hessian, as ``newton_kernel.advance`` takes them."""
        hessian = (self.hessian + correction)[np.tril_indices(len(self.phi))]
        return np.concatenate([[self.criterion.value], self.gradient, hessian])


def unpacked(sums: Sums, width: int) -> Expansion:
    """Return packed sums as an expansion."""
    count = len(sums.log_gradient)
    place, pair = _positions(width), _positions(count)
    return Expansion(
        float(sums.log_determinant[0]),
        sums.log_gradient[:, 0].copy(),
        sums.log_hessian[:, 0][pair],
        sums.cross[:, 0][place],
        sums.cross_gradient[:, :, 0][:, place],
        sums.cross_hessian[:, :, 0][pair][:, :, place],
    )


def _positions(size: int) -> np.ndarray:
    """Where each entry of a symmetric matrix stands in its packed lower triangle."""
    place = np.zeros((size, size), np.int64)
    place[np.tril_indices(size)] = np.arange(size * (size + 1) // 2)
    return np.maximum(place, place.T)


def search_large(structure: Structure, totals: Totals, parameters: Parameters, first: np.ndarray, n: int, reml: bool) -> np.ndarray:
    """Return the results (rows as in general_search_kernel) of one response, from ``first`` (T,) or the best of all starts."""
    width, count = totals.other_totals.shape[1], len(parameters.alone)
    results = np.full(PHI + count + width - 1, np.nan)
    results[VALUE], results[STATUS], results[EVALUATIONS] = np.inf, STOPPED, 0
    exact = structure.n_columns.max() <= LARGEST_EXACT
    problem = Problem(structure, totals, parameters, allocate_work(structure, width), allocate_sums(count, width), n, reml, bool(exact))
    again = False
    for attempt, start in enumerate([first, *parameters.starts]):
        if attempt > 0 and not again:
            break
        best, status, evaluations = _search(problem, start)
        results[EVALUATIONS] += evaluations
        if best is not None and (best.criterion.value < results[VALUE] - 1e-9 or (status == CONVERGED) > (results[STATUS] == CONVERGED)):
            found = best.criterion
            results[VALUE], results[R2], results[STATUS] = found.value, found.sigma**2 * found.nu, status
            results[PHI : PHI + count], results[PHI + count :] = best.phi, found.beta
        diagonal = parameters.diagonal == 1
        limit = np.where(parameters.alone[diagonal] == 1, 0.0, NEAR_BOUNDARY)
        again = again or status != CONVERGED or bool(np.any(np.abs(results[PHI : PHI + count][diagonal]) <= limit))
    return results


def _search(problem: Problem, start: np.ndarray) -> tuple[Point | None, int, int]:
    """Return the last point taken, the status, and the number of evaluations."""
    count = len(start)
    proposal, step, control, factor = start.copy(), np.zeros(count), np.zeros(N_CONTROLS), np.zeros((count, count))
    position, current = np.zeros(count), np.zeros(1 + count + count * (count + 1) // 2)
    correction, taken = np.zeros((count, count)), None
    status, evaluations = SEARCHING, 0
    while status == SEARCHING and evaluations < MOST_EVALUATIONS:
        trial = evaluate(problem, proposal.copy())
        evaluations += 1
        if taken is not None and not problem.exact:
            correction = _corrected(correction, taken, trial)
        record = trial.record(correction)
        status = advance(problem.parameters.alone, position, current, step, proposal, record, control, factor)
        if control[3] == 1.0:
            taken = trial
    return taken, STOPPED if status == SEARCHING else status, evaluations


def evaluate(problem: Problem, phi: np.ndarray) -> Point:
    """Return the deviance at ``phi`` (T,) with the exact gradient, and the exact or average-information Hessian."""
    structure, parameters, count = problem.structure, problem.parameters, len(phi)
    moved, entries = np.ascontiguousarray(phi[:, None]), np.empty((count, 1))
    entries_from_parameters(parameters.alone, parameters.products, moved, entries)
    covariance = Covariance(*np.zeros((2, len(structure.sizes), structure.sizes.max(), structure.sizes.max())))
    fill_covariance(structure.entries, parameters.alone, moved, entries, covariance.relative, covariance.factor)
    fill_sums(structure, covariance, problem.totals, problem.work, problem.sums, exact=problem.exact)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = profiled_deviance(unpacked(problem.sums, problem.totals.other_totals.shape[1]), problem.n, reml=problem.reml)
    hessian = found.hessian if problem.exact else _average_information(found)
    gradient, packed = found.gradient[:, None].copy(), hessian[np.tril_indices(count)][:, None].copy()
    jacobian, square = np.empty((2, count, count, 1))
    chain_to_parameters(parameters.alone, parameters.products, moved, jacobian, square, gradient, packed)
    return Point(phi, found, gradient[:, 0], packed[:, 0][_positions(count)])


def _average_information(found: Criterion) -> np.ndarray:
    """nu (y'P V_r P V_s P y / r2 - (y'P V_r P y) (y'P V_s P y) / r2^2), never indefinite."""
    r2, first, second = found.residual
    return found.nu * (second / (2 * r2) - np.outer(first, first) / r2**2)


def _corrected(correction: np.ndarray, old: Point, new: Point) -> np.ndarray:
    """Symmetric rank-one update of what the average information lacks, from the change of the exact gradient."""
    step = new.phi - old.phi
    missing = new.gradient - old.gradient - ((old.hessian + new.hessian) / 2 + correction) @ step
    denominator = missing @ step
    if not abs(denominator) > _LEAST_CURVATURE * np.linalg.norm(missing) * np.linalg.norm(step):
        return correction
    return correction + np.outer(missing, missing) / denominator
