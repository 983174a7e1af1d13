"""An independent check of a mixed-model fit: dense generalised least squares, a second optimiser, the balanced closed form.

Nothing here uses the cluster sums of `criterion` to recompute the estimates; only the second optimiser shares the criterion,
and that criterion is itself compared with the dense one and with that of statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.models.criterion import NestedData, Point, criterion
from bscstudy.models.mixed import MixedFit


@dataclass(frozen=True)
class IndependentCheck:
    """Differences between the fit and its recomputation; log-likelihoods in their own units, the rest relative.

    ``second_gain`` and ``statsmodels_gain``: how much higher the log-likelihood of another optimiser is (negative: lower).
    ``closed_form_difference`` is None where the design is not balanced.
    """

    criterion_difference: float
    statsmodels_difference: float
    gls_difference: float
    second_gain: float
    statsmodels_gain: float
    closed_form_difference: float | None


def check_fit(fit: MixedFit, data: NestedData) -> IndependentCheck:
    """Recompute a fit in other ways and return how far they lie apart.

    Parameters
    ----------
    fit : MixedFit
    data : NestedData
        The n sorted rows that were fitted, as `fit_mixed` returns them.
    """
    dense = dense_fit(data, fit.ratios, fit.reml)
    errors = np.sqrt(np.diag(fit.point.covariance))
    gls = max(
        float(np.max(np.abs(dense.estimates - fit.point.estimates) / errors)),
        float(np.max(np.abs(np.sqrt(np.diag(dense.covariance)) / errors - 1))),
    )
    second = second_optimum(data, fit.reml) if len(fit.ratios) else fit.point.log_likelihood
    closed = balanced_variances(data) if fit.reml else None
    own = np.r_[fit.variances, fit.point.sigma2]
    return IndependentCheck(
        criterion_difference=abs(dense.log_likelihood - fit.point.log_likelihood),
        statsmodels_difference=0.0
        if fit.statsmodels_log_likelihood is None
        else abs(fit.statsmodels_log_likelihood - fit.point.log_likelihood),
        gls_difference=gls,
        second_gain=second - fit.point.log_likelihood,
        statsmodels_gain=-(fit.powell_below_optimum or 0.0),
        closed_form_difference=None if closed is None else float(np.max(np.abs(closed - own)) / own.sum()),
    )


def dense_fit(data: NestedData, ratios: np.ndarray, reml: bool) -> Point:
    """Return generalised least squares with the covariance matrix of each top cluster written out and factored.

    Source: Searle, Casella & McCulloch 1992, Variance Components, sections 6.2 (ML) and 6.6 (REML).
    Checked against: the cluster sums of `criterion` in tests/unit/test_models_mixed.py, 1e-10.
    """
    rows = np.split(np.arange(data.n_rows), np.flatnonzero(np.diff(data.groups[0])) + 1) if data.groups else [np.arange(data.n_rows)]
    p = data.n_columns
    cross, right, square, log_det = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
    for r in rows:
        x, y = data.x[r], data.y[r]
        if data.groups:
            block = np.eye(len(r))
            for codes, ratio in zip(data.groups, ratios, strict=True):
                block += ratio * (codes[r][:, None] == codes[r][None, :])
            root = np.linalg.cholesky(block)
            white = np.linalg.solve(root, np.column_stack([x, y]))
            x, y = white[:, :p], white[:, p]
            log_det += 2 * np.log(np.diag(root)).sum()
        cross, right, square = cross + x.T @ x, right + x.T @ y, square + y @ y
    estimates = np.linalg.solve(cross, right)
    free = data.n_rows - (p if reml else 0)
    rss = square - right @ estimates
    minus_two = free * (1 + np.log(2 * np.pi * rss / free)) + log_det + (np.linalg.slogdet(cross)[1] if reml else 0.0)
    return Point(-minus_two / 2, estimates, rss / free * np.linalg.inv(cross), float(rss / free))


def second_optimum(data: NestedData, reml: bool) -> float:
    """Return the best log-likelihood of a derivative-free search (Nelder-Mead on standard-deviation ratios) from another start."""
    from scipy.optimize import minimize

    found = minimize(
        lambda roots: criterion(data, roots**2, reml),
        np.full(len(data.groups), 0.3),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-9, "maxfev": 600 * len(data.groups)},
    )
    return -float(found.fun) / 2


def balanced_variances(data: NestedData) -> np.ndarray | None:
    """Return REML variances (outermost first, residual last) from mean squares, or None where there is no closed form.

    There is one if every cluster of a level has the same number of units and each column of the design lies within one stratum.

    Source: Searle, Casella & McCulloch 1992, Variance Components, sections 3.8 and 4.6 (analysis-of-variance estimators equal REML
    where all are positive).
    Checked against: mean squares by hand for seven centers in tests/unit/test_models_mixed.py.
    """
    if not data.groups or any(len(np.unique(np.diff(np.r_[s, units]))) > 1 for s, units in zip(data.starts, _n_units(data), strict=True)):
        return None
    squares, free, sizes = _strata(data)
    if free is None or np.any(free <= 0):
        return None
    means = squares / free
    variances = np.append(-np.diff(means) / sizes, means[-1])
    if np.all(variances >= 0):
        return variances
    return np.array([0.0, squares.sum() / free.sum()]) if len(data.groups) == 1 else None


def _n_units(data: NestedData) -> list[int]:
    return [len(s) for s in data.starts[1:]] + [data.n_rows]


def _strata(data: NestedData) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Residual sums of squares and their degrees of freedom by stratum, and rows in a cluster of each level."""
    both = np.column_stack([data.x, data.y])
    averages, sizes = [np.zeros_like(both)], []
    for codes in data.groups:
        _, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
        total = np.zeros((len(counts), both.shape[1]))
        np.add.at(total, where, both)
        averages.append((total / counts[:, None])[where])
        sizes.append(counts[0])
    averages.append(both)
    dimensions = np.diff(np.r_[0, [len(np.unique(g)) for g in data.groups], data.n_rows])
    squares, ranks = [], []
    for inner, outer in zip(averages[1:], averages, strict=False):
        part = inner - outer
        fitted, _, rank, _ = np.linalg.lstsq(part[:, :-1], part[:, -1], rcond=1e-10)
        ranks.append(rank)
        squares.append(float(np.sum((part[:, -1] - part[:, :-1] @ fitted) ** 2)))
    whole = sum(ranks) == data.n_columns
    return np.array(squares), dimensions - np.array(ranks) if whole else None, np.array(sizes, dtype=float)
