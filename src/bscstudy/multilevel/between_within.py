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

from bscstudy.errors import BscError
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.hypotheses import ContrastTests, JointTest, f_test, t_tests
from bscstudy.multilevel.wald import wald_f

METHOD = "between-within"


@dataclass(frozen=True)
class BetweenWithin:
    """Estimates with between-within degrees of freedom.

    Attributes
    ----------
    estimate, covariance : ndarray, shape (p,) and (p, p)
        Fixed effects and their covariance.
    by_column : ndarray, shape (p,)
        Degrees of freedom of each fixed column; 0 or less where none is left (p-values are then missing).
    level : ndarray of int, shape (p,)
        Level of each fixed column, 0 the outermost grouping.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    by_column: np.ndarray
    level: np.ndarray

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the smallest degrees of freedom among the columns each contrast (m, p) uses, shape (m,); missing if it uses none."""
        used = np.abs(np.atleast_2d(contrasts)) > 1e-10
        smallest = np.min(np.where(used, self.by_column, np.inf), axis=1, initial=np.inf)
        return np.where(used.any(axis=1), smallest, np.nan)

    def tests(self, contrasts: np.ndarray) -> ContrastTests:
        """Return t tests of contrasts (m, p) against zero."""
        contrasts = np.atleast_2d(contrasts)
        error = np.sqrt(np.einsum("mi,ij,mj->m", contrasts, self.covariance, contrasts))
        return t_tests(contrasts @ self.estimate, error, self.df(contrasts), METHOD)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Return the Wald F test of contrasts (m, p) all zero, with the smallest degrees of freedom of the columns used."""
        contrasts = np.atleast_2d(contrasts)
        statistic, rank = wald_f(contrasts, self.estimate, self.covariance)
        return f_test(statistic, rank, float(np.min(self.df(contrasts))), METHOD)


def between_within(fit: object) -> BetweenWithin:
    """Return the estimates of a fit with between-within degrees of freedom.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
        With nested grouping factors, or none (then n - p for all).

    Raises
    ------
    BscError
        BSC-LMM-082 where grouping factors are crossed, which the rule does not cover.

    Notes
    -----
    Source: Schluchter & Elashoff (1990), Journal of Statistical Computation and Simulation 37, for one level (SAS DDFM=BW);
    generalised to nested levels as in Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, page 91, except for the
    intercept, see the module.
    Checked against: Kenward-Roger (pbkrtest 0.5.2) where the design is balanced and both are exact, test_multilevel_between_within.
    Not for: crossed factors; a between-group term estimated mostly from a few unequal groups (use Kenward-Roger);
    a change that varies between centers: with 7 of them 7 of 100 true nulls are rejected (benchmarks/rejection_rates.py).
    """
    design = fit.design
    by_column, level = degrees_of_freedom(design.fixed, terms_of(design), nested_groups(design))
    return BetweenWithin(fit.beta[: design.p], fit.covariance[: design.p, : design.p], by_column, level)


def degrees_of_freedom(
    fixed: np.ndarray, terms: dict[str, tuple[int, ...]], groups: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the degrees of freedom and the level of each fixed column.

    Parameters
    ----------
    fixed : ndarray, shape (n, p)
        Full column rank.
    terms : dict
        Columns of each term; the constant is ``(Intercept)``.
    groups : tuple of ndarray, each of shape (n,)
        Group number of each row, outermost level first, nested; empty gives n - p for all.
    """
    counts = np.array([1] + [len(np.unique(g)) for g in groups] + [len(fixed)])
    level = np.zeros(fixed.shape[1], dtype=int)
    for name, columns in terms.items():
        if name != "(Intercept)":
            level[list(columns)] = _level(fixed[:, list(columns)], groups)
    used = np.bincount(np.delete(level, list(terms.get("(Intercept)", ()))), minlength=len(groups) + 1)
    return (np.diff(counts) - used)[level].astype(float), level


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


def nested_groups(design: Design) -> tuple[np.ndarray, ...]:
    """Return the group numbers of the factors, outermost first, one for each different partition of the rows.

    Raises
    ------
    BscError
        BSC-LMM-082 where two factors are crossed.
    """
    groups: list[np.ndarray] = []
    names: list[str] = []
    for factor in sorted(design.factors, key=lambda f: (f.n_levels, f.name)):
        if groups:
            pairs = len(np.unique(factor.codes * (groups[-1].max() + 1) + groups[-1]))
            if pairs > factor.n_levels:
                raise _crossed(names[-1], factor.name)
            if factor.n_levels == len(np.unique(groups[-1])):
                continue
        groups.append(factor.codes)
        names.append(factor.name)
    return tuple(groups)


def _crossed(first: str, second: str) -> BscError:
    return BscError(
        "BSC-LMM-082",
        f"Between-within degrees of freedom do not exist here: {first} and {second} are crossed.",
        f"grouping factors {first} and {second}",
        "The rule counts the groups of one level within another; with crossed factors a term has no single level.",
        "Use satterthwaite or kenward_roger (linear models), likelihood_ratio or parametric_bootstrap.",
    )


def terms_of(design: Design) -> dict[str, tuple[int, ...]]:
    """Return the fixed columns of each term of the formula, the constant as ``(Intercept)``; each column for itself where unknown."""
    terms = getattr(design.information, "terms", None)
    if terms:
        return {name: tuple(columns) for name, columns in terms.items()}
    return {name: (i,) for i, name in enumerate(design.fixed_names)}
