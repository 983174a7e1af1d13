"""The full expansion of a nested design at one covariance, second derivatives included."""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.expansion import Expansion
from bscstudy.multilevel.nested_kernel import run_steps
from bscstudy.multilevel.nested_plan import NestedPlan

_CELLS = 16384  # small matrices worked on at once


def expand_fully(plan: NestedPlan, outcome: np.ndarray, entries: np.ndarray) -> Expansion:
    """Return the expansion for one outcome (statistics, 1) at the entries (T,), in the units of ``plan.sums``.

    Second derivatives are curvatures under weights that pick one entry of D'V^-1D each, many of them side by side.
    """
    count, size = len(entries), int(plan.sums.sizes[2]) + 1
    packed = size * (size + 1) // 2
    width = int(np.clip(_CELLS // plan.sums.n_cells, 1, packed))
    pieces = _curve(plan, outcome, entries, np.zeros((size, size, 1)), 1.0)
    rows, columns = np.tril_indices(size)
    curvatures = []
    for first in range(0, packed, width):
        chosen = np.arange(first, min(first + width, packed))
        weight = np.zeros((size, size, len(chosen)))
        weight[rows[chosen], columns[chosen], chosen - first] += 0.5
        weight[columns[chosen], rows[chosen], chosen - first] += 0.5
        curvatures.append(_curve(plan, outcome, entries, weight, 0.0)[4])
    matrix, pairs = _full_index(size), _full_index(count)
    return Expansion(
        float(pieces[0][0, 0]),
        pieces[1][:, 0],
        pieces[4][:, 0][pairs],
        pieces[2][:, 0][matrix],
        pieces[3][:, 0].reshape(count, packed)[:, matrix],
        np.concatenate(curvatures, axis=1)[:, matrix][pairs],
    )


def _curve(plan: NestedPlan, outcome: np.ndarray, entries: np.ndarray, weight: np.ndarray, log_share: float) -> tuple[np.ndarray, ...]:
    """Expand one outcome in every lane, each lane under its own weight (P, P, lanes)."""
    board, lanes = plan.board, weight.shape[2]
    work, outcomes = plan.work(lanes), np.repeat(outcome, lanes, axis=1)
    plan.view(work, board.entries, entries.shape)[:] = entries[:, None]
    plan.view(work, board.weight, weight.shape[:2])[:] = weight
    _, first, half, last = (int(size) for size in plan.sizes)
    run_steps(work, first, half, log_share, outcomes)
    run_steps(work, half, last, log_share, outcomes)
    return tuple(
        plan.view(work, matrix, (-1,))
        for matrix in (board.log_determinant, board.log_gradient, board.cross, board.cross_gradient, board.curvature)
    )


def _full_index(size: int) -> np.ndarray:
    """Positions in the packed lower triangle, shape (size, size)."""
    i, j = np.indices((size, size))
    i, j = np.maximum(i, j), np.minimum(i, j)
    return i * (i + 1) // 2 + j
