"""Compiled: exact Newton minimisation of the deviance, one replicate at a time; the way from entries of G to the parameters moved.

The parameters phi (T of them, in the order of the entries): a variance that stands alone in its block is moved itself
(gamma = theta^2 >= 0, an active set at 0); a larger block is moved by the entries of its Cholesky factor, without bounds.

    alone (T,) int64            1 where phi is a variance, 0 where it is a Cholesky entry
    products (m, 3) int64       entry, left, right: entries[entry] += phi[left] * phi[right], for Cholesky entries only
    phi, entries, gradient (T, lanes); hessian (T (T + 1) / 2, lanes), packed by rows of the lower triangle
    record (1 + T + T (T + 1) / 2,)   value, gradient and packed Hessian in phi at one point of one replicate

A minimisation of one replicate: ``start_parameters`` into ``proposal``, ``control[:] = 0``; then again and again evaluate at
``proposal``, ``chain_to_parameters``, put the result into ``trial`` and call ``advance`` until it returns another status than SEARCHING.
The optimum is ``point`` with ``current`` its record.
Source: Nocedal & Wright (2006), Numerical Optimization, chapters 3 and 6; Bertsekas (1982), SIAM J. Control Optim. 20, 221 (bounds).
Checked against: polished optima, test_multilevel_nested.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.compiled import kernel

SEARCHING, CONVERGED, STOPPED = 0, 1, 2
N_CONTROLS = 4  # share of the step tried, evaluations so far, polishing steps so far, 1 where the last trial was taken

MOST_EVALUATIONS = 200
NEAR_BOUNDARY = 1e-4  # a diagonal Cholesky entry below it (random columns have mean square 1) calls for other starts
VALUE, R2, STATUS, EVALUATIONS, PHI = 0, 1, 2, 3, 4  # rows of the results; beta follows phi

_SMALL_DECREMENT = 1e-9  # below it the quadratic model is trusted: full steps without comparing values
_FINAL_DECREMENT = 1e-21  # gradient' H^-1 gradient at which the search ends: a gradient of about 1e-9
_POLISHING_STEPS = 4
_STATIONARY = 1e-12  # decrement small enough to call a point that no step improves an optimum


class Parameters(NamedTuple):
    """How phi is made up and where searches start."""

    alone: np.ndarray  # (T,) int64
    products: np.ndarray  # (m, 3) int64
    diagonal: np.ndarray  # (T,) int64: 1 where the entry is a variance
    starts: np.ndarray  # (attempts, T): phi of each attempt; the later ones are made where one failed or ended on the boundary


@kernel
def start_parameters(alone, rows, columns, theta, phi):
    """Turn theta (T,) into phi (T,); a zero on the diagonal of a larger block could not be left by the search, so it starts at 0.05."""
    for r in range(alone.shape[0]):
        if alone[r] == 1:
            phi[r] = theta[r] * theta[r]
        elif rows[r] == columns[r] and abs(theta[r]) < 0.05:
            phi[r] = 0.05
        else:
            phi[r] = theta[r]


@kernel(fast=True)
def entries_from_parameters(alone, products, phi, entries):
    """Fill the entries of G (T, lanes)."""
    for r in range(alone.shape[0]):
        for lane in range(phi.shape[1]):
            entries[r, lane] = phi[r, lane] if alone[r] == 1 else 0.0
    for m in range(products.shape[0]):
        r, left, right = products[m, 0], products[m, 1], products[m, 2]
        for lane in range(phi.shape[1]):
            entries[r, lane] += phi[left, lane] * phi[right, lane]


@kernel(fast=True)
def chain_to_parameters(alone, products, phi, jacobian, turned, gradient, hessian):
    """Carry gradient and hessian from entries over to phi, in place; jacobian and turned (T, T, lanes) are work space."""
    count, lanes = phi.shape
    if products.shape[0] == 0:
        return
    _fill_jacobian(alone, products, phi, jacobian)
    for r in range(count):
        for v in range(count):
            for lane in range(lanes):
                turned[r, v, lane] = 0.0
            for s in range(count):
                pair = r * (r + 1) // 2 + s if s <= r else s * (s + 1) // 2 + r
                for lane in range(lanes):
                    turned[r, v, lane] += hessian[pair, lane] * jacobian[s, v, lane]
    for u in range(count):
        for v in range(u + 1):
            pair = u * (u + 1) // 2 + v
            for lane in range(lanes):
                hessian[pair, lane] = 0.0
            for r in range(count):
                for lane in range(lanes):
                    hessian[pair, lane] += jacobian[r, u, lane] * turned[r, v, lane]
    for m in range(products.shape[0]):
        r, left, right = products[m, 0], max(products[m, 1], products[m, 2]), min(products[m, 1], products[m, 2])
        times = 2.0 if left == right else 1.0
        for lane in range(lanes):
            hessian[left * (left + 1) // 2 + right, lane] += times * gradient[r, lane]
    _turn_gradient(jacobian, turned, gradient)


@kernel(fast=True)
def _fill_jacobian(alone, products, phi, jacobian):
    """Fill d entry / d phi, shape (T, T, lanes)."""
    for r in range(alone.shape[0]):
        for u in range(alone.shape[0]):
            for lane in range(phi.shape[1]):
                jacobian[r, u, lane] = 1.0 if r == u and alone[r] == 1 else 0.0
    for m in range(products.shape[0]):
        r, left, right = products[m, 0], products[m, 1], products[m, 2]
        for lane in range(phi.shape[1]):
            jacobian[r, left, lane] += phi[right, lane]
        for lane in range(phi.shape[1]):
            jacobian[r, right, lane] += phi[left, lane]


@kernel(fast=True)
def _turn_gradient(jacobian, work, gradient):
    count, lanes = gradient.shape
    for u in range(count):
        for lane in range(lanes):
            work[0, u, lane] = 0.0
        for r in range(count):
            for lane in range(lanes):
                work[0, u, lane] += jacobian[r, u, lane] * gradient[r, lane]
    for u in range(count):
        for lane in range(lanes):
            gradient[u, lane] = work[0, u, lane]


@kernel
def newton_step(alone, point, record, step, factor):
    """Fill step (T,) with the Newton step over the free parameters; factor (T, T) is work space.

    Returns
    -------
    decrement : float
        Minus gradient times step: twice the predicted gain.
    shift : float
        What was added to the Hessian's diagonal, relative to it, to make it positive definite; 0 near an ordinary minimum.
    """
    count = point.shape[0]
    shift = 0.0
    while not _shifted_factor(alone, point, record, shift, factor):
        if shift > 1e12:
            return np.nan, shift
        shift = 1e-3 if shift == 0.0 else (10.0 * shift if shift < 0.05 else max(1.5, 2.0 * shift))
    for i in range(count):
        held = alone[i] == 1 and point[i] <= 0.0 and record[1 + i] >= 0.0
        total = 0.0 if held else -record[1 + i]
        for k in range(i):
            total -= factor[i, k] * step[k]
        step[i] = total / factor[i, i]
    for back in range(count):
        i = count - 1 - back
        for k in range(i + 1, count):
            step[i] -= factor[k, i] * step[k]
        step[i] /= factor[i, i]
    decrement = 0.0
    for i in range(count):
        decrement -= record[1 + i] * step[i]
    return decrement, shift


@kernel
def _shifted_factor(alone, point, record, shift, factor):
    """Cholesky factor of the shifted Hessian without the held parameters (variance 0, deviance rising); False where not definite."""
    count = point.shape[0]
    for i in range(count):
        held = alone[i] == 1 and point[i] <= 0.0 and record[1 + i] >= 0.0
        for j in range(i + 1):
            other = held or (alone[j] == 1 and point[j] <= 0.0 and record[1 + j] >= 0.0)
            total = record[1 + count + i * (i + 1) // 2 + j]
            if other:
                total = 1.0 if i == j else 0.0
            elif i == j:
                total += shift * (abs(total) + 1e-8)
            size = abs(total)
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i != j:
                factor[i, j] = total / factor[j, j]
            elif total > 1e-11 * size:
                factor[i, i] = np.sqrt(total)
            else:
                return False
    return True


@kernel
def propose(alone, point, step, share, proposal):
    """Fill proposal (T,) = point + share * step: variances stay in 0 to 4 gamma + 1, Cholesky entries move by at most 1 + their size."""
    longest = 1.0
    for i in range(point.shape[0]):
        if alone[i] == 0:
            longest = max(longest, abs(share * step[i]) / (1.0 + abs(point[i])))
    for i in range(point.shape[0]):
        if alone[i] == 1:
            proposal[i] = min(max(point[i] + share * step[i], 0.0), 4.0 * point[i] + 1.0)
        else:
            proposal[i] = point[i] + share * step[i] / longest


@kernel
def advance(alone, point, current, step, proposal, trial, control, factor):
    """Judge the trial record at ``proposal``, move there or shorten the step, and fill the next proposal; return the status.

    point, step, proposal (T,); current, trial are records; control (N_CONTROLS,); factor (T, T) is work space.
    """
    first = control[1] == 0.0
    control[1] += 1.0
    control[3] = 1.0 if _accepted(point, current, proposal, trial, first, control[2] > 0.0) else 0.0
    if control[3] == 0.0:
        return _shorten(alone, point, current, step, proposal, control)
    for i in range(point.shape[0]):
        point[i] = proposal[i]
    for i in range(current.shape[0]):
        current[i] = trial[i]
    decrement, shift = newton_step(alone, point, current, step, factor)
    if not decrement >= 0.0:
        return STOPPED
    if decrement <= _FINAL_DECREMENT or control[2] >= _POLISHING_STEPS:
        return CONVERGED if shift < 0.05 else STOPPED
    if decrement <= _SMALL_DECREMENT and shift < 0.05:
        control[2] += 1.0
    control[0] = 1.0
    propose(alone, point, step, 1.0, proposal)
    return SEARCHING


@kernel
def _accepted(point, current, proposal, trial, first, polishing):
    """Sufficient decrease (Armijo); when polishing, only no visible rise."""
    if first:
        return np.isfinite(trial[0])
    if polishing:
        return trial[0] <= current[0] + 1e-10 * (1.0 + abs(current[0]))
    predicted = 0.0
    for i in range(point.shape[0]):
        predicted += current[1 + i] * (proposal[i] - point[i])
    return trial[0] <= current[0] + 1e-4 * min(predicted, 0.0) + 1e-13 * abs(current[0])


@kernel
def _shorten(alone, point, current, step, proposal, control):
    if control[1] == 1.0:
        return STOPPED
    control[0] *= 0.5
    decrement = 0.0
    for i in range(point.shape[0]):
        decrement -= current[1 + i] * step[i]
    if control[0] < 1e-9:
        return CONVERGED if decrement <= _STATIONARY else STOPPED
    propose(alone, point, step, control[0], proposal)
    return SEARCHING
