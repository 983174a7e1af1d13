"""The closed form of the variances in a balanced nested design: mean squares. A third way to the same numbers, used by `second_engine`."""

from __future__ import annotations

import numpy as np


def balanced_variances(y: np.ndarray, x: np.ndarray, groups: tuple[np.ndarray, ...]) -> np.ndarray | None:
    """Return REML variances (outermost first, residual last) from mean squares, or None where there is no closed form.

    There is one if every cluster of a level has the same number of units and each column of the design lies within one stratum.

    Parameters
    ----------
    y, x : ndarray, shape (n,) and (n, p)
    groups : tuple of ndarray, each of shape (n,)
        Outermost first, each nested in the one before.

    Source: Searle, Casella & McCulloch 1992, Variance Components, sections 3.8 and 4.6 (analysis-of-variance estimators equal REML
    where all are positive).
    Checked against: mean squares by hand for seven centers in tests/unit/test_models_second_engine.py.
    """
    sizes = [np.unique(codes, return_counts=True)[1] for codes in groups]
    if not groups or any(np.ptp(size) for size in sizes):
        return None
    inner = [np.unique(pair[:, 1], return_counts=True)[1] for pair in _pairs(groups)]
    if any(np.ptp(count) for count in inner):
        return None
    squares, free = _strata(y, x, groups)
    if free is None or np.any(free <= 0):
        return None
    means = squares / free
    variances = np.append(-np.diff(means) / [size[0] for size in sizes], means[-1])
    if np.all(variances >= 0):
        return variances
    return np.array([0.0, squares.sum() / free.sum()]) if len(groups) == 1 else None


def _pairs(groups: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Each inner group once with the group it lies in, level by level."""
    return [np.unique(np.column_stack([b, a]), axis=0) for a, b in zip(groups, groups[1:], strict=False)]


def _strata(y: np.ndarray, x: np.ndarray, groups: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray | None]:
    """Residual sums of squares and their degrees of freedom by stratum; None where a column lies in several strata."""
    both = np.column_stack([x, y])
    averages = [np.zeros_like(both)]
    for codes in groups:
        _, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
        total = np.zeros((len(counts), both.shape[1]))
        np.add.at(total, where, both)
        averages.append((total / counts[:, None])[where])
    averages.append(both)
    dimensions = np.diff(np.r_[0, [len(np.unique(g)) for g in groups], len(y)])
    squares, ranks = [], []
    for inner, outer in zip(averages[1:], averages, strict=False):
        part = inner - outer
        fitted, _, rank, _ = np.linalg.lstsq(part[:, :-1], part[:, -1], rcond=1e-10)
        ranks.append(rank)
        squares.append(float(np.sum((part[:, -1] - part[:, :-1] @ fitted) ** 2)))
    whole = sum(ranks) == x.shape[1]
    return np.array(squares), dimensions - np.array(ranks) if whole else None
