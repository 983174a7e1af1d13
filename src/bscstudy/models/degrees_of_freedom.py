"""Between-within degrees of freedom for nested designs.

The rule, exactly. Levels are numbered from the outermost grouping (1) to the single row (L + 1); level i has m_i groups, m_{L+1} is
the number of rows, and m_0 = 1 for the intercept. A term of the formula (all columns of a factor or interaction together) belongs to
the innermost level at which it varies: level i if it is constant within every group of level i but not within every group of
level i - 1. With p_i columns belonging to level i, all terms of that level get m_i - m_{i-1} - p_i degrees of freedom. The intercept
gets those of level 1 (nlme would give it those of the rows). A contrast gets the smallest of the terms it uses.
A term that varies within even one group belongs to the finer level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BetweenWithin:
    """``by_column`` (p,) degrees of freedom of each design column; ``level`` (p,) its level, 0 the outermost grouping."""

    by_column: np.ndarray
    level: np.ndarray

    def of_contrast(self, weights: np.ndarray) -> float:
        """Return the smallest degrees of freedom among the columns with a non-zero weight."""
        used = np.abs(weights) > 1e-10
        return float(self.by_column[used].min()) if used.any() else float("nan")


def between_within(x: np.ndarray, terms: dict[str, tuple[int, ...]], groups: tuple[np.ndarray, ...]) -> BetweenWithin:
    """Return between-within degrees of freedom.

    Parameters
    ----------
    x : (n, p) design with full column rank
    terms : columns of each term; ``(Intercept)`` is one of them
    groups : group number of each row, outermost level first, nested; empty gives n - p for all

    Source: Schluchter & Elashoff 1990, J. Stat. Comput. Simul. 37, for one level (SAS DDFM=BW); generalised to nested levels as in
    Pinheiro & Bates 2000, Mixed-Effects Models in S and S-PLUS, page 91 (nlme), except for the intercept, see the module.
    Checked against: Kenward-Roger (pbkrtest 0.5.2) where the design is balanced and both are exact: sleepstudy intercept 17,
    dyestuff 5, pastes 9, tests/unit/test_models_degrees_of_freedom.py.
    Not for: crossed factors; designs where a between-group term is estimated mostly from a few unequal groups (Kenward-Roger).
    """
    counts = np.array([1] + [len(np.unique(g)) for g in groups] + [len(x)])
    level = np.zeros(x.shape[1], dtype=int)
    for name, columns in terms.items():
        if name != "(Intercept)":
            level[list(columns)] = _level(x[:, list(columns)], groups)
    used = np.bincount(np.delete(level, list(terms.get("(Intercept)", ()))), minlength=len(groups) + 1)
    by_level = np.diff(counts) - used
    return BetweenWithin(by_level[level].astype(float), level)


def _level(columns: np.ndarray, groups: tuple[np.ndarray, ...]) -> int:
    """Return the outermost level whose groups all hold the columns constant."""
    reach = np.ptp(columns, axis=0) + 1e-300
    for number, codes in enumerate(groups):
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        spread = np.maximum.reduceat(columns[order], starts) - np.minimum.reduceat(columns[order], starts)
        if np.all(spread <= 1e-12 * reach):
            return number
    return len(groups)
