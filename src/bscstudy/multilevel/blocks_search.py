"""The search of the numpy path: the same Newton steps as the compiled engines, on expansions made by ``blocks``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bscstudy.multilevel.blocks import PreparedBlocks
from bscstudy.multilevel.criterion import Criterion, profiled_deviance
from bscstudy.multilevel.expansion import BatchFits
from bscstudy.multilevel.newton_kernel import CONVERGED, MOST_EVALUATIONS, N_CONTROLS, SEARCHING, advance, start_parameters

_STARTS = (1.0, 0.1)


def search_blocks(prepared: PreparedBlocks, responses: np.ndarray, start_theta: np.ndarray, reml: bool) -> BatchFits:
    """Return the best optimum from the start given and from two relative standard deviations, for each response (n, B).

    Least squares are taken off each response first, which changes nothing but the digits kept of one far from 0.
    """
    layout, root = prepared.layout, np.sqrt(prepared.design.weights)
    starts = [np.asarray(start_theta, float), *(share * layout.start() for share in _STARTS)]
    scaled = (responses - prepared.design.offset[:, None]) * root[:, None]
    centres = np.linalg.lstsq(prepared.data[:, :-1], scaled, rcond=None)[0]
    rows = []
    for rest in (scaled - prepared.data[:, :-1] @ centres).T:
        own = replace(prepared, data=np.column_stack([prepared.data[:, :-1], rest]))
        found = [_search(own, start, reml) for start in starts]
        good = [f for f in found if f[3]] or found
        best = min(good, key=lambda f: f[1].value if np.isfinite(f[1].value) else np.inf)
        rows.append((*best[:2], sum(f[2] for f in found), best[3]))
    theta = np.array([r[0] for r in rows]).reshape(len(rows), layout.n_parameters)
    beta, sigma, value = ([getattr(r[1], name) for r in rows] for name in ("beta", "sigma", "value"))
    counts, converged = np.array([r[2] for r in rows], np.int64), np.array([r[3] for r in rows], bool)
    return BatchFits(theta, np.array(beta) + centres.T, np.array(sigma), np.array(value), counts, converged)


def _search(prepared: PreparedBlocks, start: np.ndarray, reml: bool) -> tuple[np.ndarray, Criterion, int, bool]:
    layout = prepared.layout
    alone, _ = layout.moved()
    rows, columns = (np.array([getattr(e, name) for e in layout.entries], np.int64) for name in ("row", "column"))
    count = layout.n_parameters
    point, proposal, step, control = np.zeros(count), np.empty(count), np.zeros(count), np.zeros(N_CONTROLS)
    work = np.zeros((count, count))
    current = np.zeros(1 + count + count * (count + 1) // 2)
    start_parameters(alone, rows, columns, start, proposal)
    status, evaluations = SEARCHING, 0
    while status == SEARCHING and evaluations < MOST_EVALUATIONS:
        trial = _record(prepared, alone, proposal, reml)
        evaluations += 1
        status = advance(alone, point, current, step, proposal, trial, control, work)
    theta = layout.theta_from_entries(layout.entries_from_theta(_theta(alone, point)))
    return theta, _criterion(prepared, theta, reml), evaluations, status == CONVERGED


def _record(prepared: PreparedBlocks, alone: np.ndarray, phi: np.ndarray, reml: bool) -> np.ndarray:
    layout = prepared.layout
    theta = _theta(alone, phi)
    found = _criterion(prepared, theta, reml)
    gradient, hessian = layout.to_theta(theta, found.gradient, found.hessian)
    single = alone == 1
    gradient[single] = found.gradient[single]
    hessian = _mixed_hessian(layout, theta, found, hessian, single)
    packed = hessian[np.tril_indices(len(phi))]
    return np.concatenate([[found.value], gradient, packed])


def _mixed_hessian(layout, theta: np.ndarray, found: Criterion, in_theta: np.ndarray, single: np.ndarray) -> np.ndarray:
    """Hessian with single variances in their own scale and Cholesky entries in theirs."""
    jacobian = np.where(single[None, :], np.eye(len(theta)), layout.jacobian(theta))
    mixed = jacobian.T @ found.hessian @ jacobian
    both = ~(single[:, None] | single[None, :])
    return np.where(both, in_theta, mixed)


def _criterion(prepared: PreparedBlocks, theta: np.ndarray, reml: bool) -> Criterion:
    with np.errstate(invalid="ignore", divide="ignore"):
        return profiled_deviance(prepared.expand(prepared.layout.entries_from_theta(theta)), prepared.design.n, reml=reml)


def _theta(alone: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.where(alone == 1, np.sqrt(np.maximum(phi, 0.0)), phi)
