"""What a model's data cannot carry, said before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.column_refusals import refuse_not_finite
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.term_columns import INTERCEPT

RANK_TOLERANCE = 1e-10  # what a column of length 1 has of its own; rounding leaves about 1e-15
_SHARE = 1e-7  # coefficient of a unit-length column worth naming


def refuse_design(design: Design, family: str) -> None:
    """Refuse what the data cannot tell apart.

    Parameters
    ----------
    design : Design
    family : str

    Raises
    ------
    BscError
        BSC-LMM-006 infinite columns, 009 a factor with one level, 010 as many random effects as rows (gaussian), 011 dependent fixed
        columns, 012 more group-level columns than the groups carry, 013 a random column twice, 014 random columns whose variances
        cannot be told apart, 020 no more rows than fixed columns,
        021 no fixed column.
    """
    if not design.p and family not in ("cumulative", "ordinal"):
        raise _no_fixed_column()
    _refuse_infinite_columns(design)
    _refuse_few_levels(design)
    _refuse_repeated_columns(design)
    if family == "gaussian":
        _refuse_few_rows(design)
        _refuse_many_effects(design)
    _refuse_group_level_columns(design)
    dependent = dependent_columns(design.fixed, design.fixed_names)
    if dependent:
        raise _rank_deficient(dependent)
    _refuse_redundant_covariances(design)


def _refuse_infinite_columns(design: Design) -> None:
    everything = [design.fixed, *(factor.columns for factor in design.factors)]
    if all(np.isfinite(block).all() for block in everything):
        return
    names = [*design.fixed_names, *(f"{name} | {factor.name}" for factor in design.factors for name in factor.effect_names)]
    refuse_not_finite(dict(zip(names, np.hstack(everything).T, strict=True)))


def _refuse_few_levels(design: Design) -> None:
    places = tuple(f"{factor.name}: {factor.n_levels} level" for factor in design.factors if factor.n_levels < 2)
    if places:
        raise BscError(
            "BSC-LMM-009",
            "A grouping factor has fewer than 2 levels in the rows of the model.",
            places,
            "A variance between groups needs at least two groups.",
            "Leave this random part out, or use rows from more groups.",
        )


def _refuse_repeated_columns(design: Design) -> None:
    places = []
    for factor in design.factors:
        twice = sorted({name for name in factor.effect_names if factor.effect_names.count(name) > 1})
        places += [f"{factor.name}: {name}" for name in twice]
    if places:
        raise BscError(
            "BSC-LMM-013",
            "The same random column stands twice for one grouping factor.",
            tuple(places),
            "Two variances of one column cannot be told apart.",
            "Write it once; (x | g) holds an intercept of its own, (0 + x | g) does not.",
        )


def _no_fixed_column() -> BscError:
    return BscError(
        "BSC-LMM-021",
        "The fixed part has no column.",
        "fixed part",
        "Random effects vary around a mean; without one they would vary around 0.",
        "Leave out the 0, or keep a predictor.",
    )


def _refuse_few_rows(design: Design) -> None:
    if design.n <= design.p:
        raise BscError(
            "BSC-LMM-020",
            f"There are {design.n} rows for {design.p} fixed columns.",
            "fixed part",
            "Nothing is left over to estimate the residual from.",
            "Leave out predictors, or use more rows.",
        )


def blocks_of(factor: GroupingFactor) -> list[list[int]]:
    """Return the sets of random columns that are correlated with each other."""
    if factor.free[:, 0].all():
        return [list(range(factor.n_effects))]
    found: list[list[int]] = []
    for column in range(factor.n_effects):
        home = next((block for block in found if factor.free[column, block[0]]), None)
        if home is None:
            found.append([column])
        else:
            home.append(column)
    return found


def _refuse_many_effects(design: Design) -> None:
    places = []
    for factor in design.factors:
        for block in blocks_of(factor):
            if factor.n_levels * len(block) >= design.n:
                names = " + ".join(factor.effect_names[i] for i in block)
                places.append(f"{names} | {factor.name}: {factor.n_levels} x {len(block)} random effects, {design.n} rows")
    if places:
        raise BscError(
            "BSC-LMM-010",
            "A random part has as many random effects as there are rows, or more.",
            tuple(places),
            "Its variance and the residual's cannot be told apart; any division between them fits equally well.",
            "Leave this random part out, or use fewer random columns; more rows in each group would also do.",
        )


def dependent_columns(matrix: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return a sentence for each column that is a combination of earlier ones; none where the columns are independent.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
    names : sequence of str, length p

    Notes
    -----
    Columns are brought to length 1 first, so units do not matter. The rank is that of a pivoted QR decomposition.
    """
    from scipy.linalg import lapack

    if matrix.shape[1] == 0:
        return []
    lengths = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    if not lengths.all():
        return [f"{name} is zero in every row" for name, length in zip(names, lengths, strict=True) if length == 0]
    triangle = np.linalg.qr(matrix / lengths, mode="r")
    pivots = np.abs(np.diag(lapack.dgeqp3(triangle)[0]))
    if len(pivots) == matrix.shape[1] and pivots.min() > RANK_TOLERANCE:
        return []
    return _combinations(triangle, names)


def _combinations(triangle: np.ndarray, names: Sequence[str]) -> list[str]:
    kept, found = [], []
    for column, name in enumerate(names):
        target = triangle[:, column]
        shares = np.linalg.lstsq(triangle[:, kept], target, rcond=None)[0] if kept else np.zeros(0)
        if np.linalg.norm(target - triangle[:, kept] @ shares) > RANK_TOLERANCE:
            kept.append(column)
        else:
            parts = [names[k] for k, share in zip(kept, shares, strict=True) if abs(share) > _SHARE]
            found.append(f"{name} is a combination of {', '.join(parts)}")
    return found or ["the columns together are too close to dependent to be told apart"]


def _rank_deficient(places: list[str]) -> BscError:
    return BscError(
        "BSC-LMM-011",
        "Fixed columns depend on each other in the rows of the model.",
        tuple(places),
        "Their coefficients have no single value; any split between them fits equally well.",
        "Leave out one variable of each combination, or join levels that never occur together. Beside an intercept cr() and cc() need "
        "constraints='center'.",
    )


def _refuse_redundant_covariances(design: Design) -> None:
    places = [f"{f.name}: {', '.join(f.effect_names)}" for f in design.factors if f.n_effects > 1 and _redundant(f)]
    for position, first in enumerate(design.factors):
        for second in design.factors[position + 1 :]:
            shared = [name for name in first.effect_names if name in second.effect_names]
            if shared and first.n_levels == second.n_levels and _within(first, second):
                places.append(f"{first.name} and {second.name} divide the rows alike: {', '.join(shared)}")
    if places:
        raise BscError(
            "BSC-LMM-014",
            "Random columns depend on each other, so that their variances and covariances have no single value.",
            tuple(places),
            "Any split between them fits equally well.",
            "Leave one out: with all levels of a category, write (0 + category | g) without an intercept; drop one of two like factors.",
        )


def _redundant(factor: GroupingFactor) -> bool:
    """Tell whether two different sets of free covariances give all pairs of rows the same covariance."""
    lengths = np.sqrt(np.einsum("ij,ij->j", factor.columns, factor.columns))
    if not lengths.all():
        return True
    triangle = np.linalg.qr(factor.columns / lengths, mode="r")
    left, values, right = np.linalg.svd(triangle)
    rank = int(np.sum(values > RANK_TOLERANCE))
    if rank == factor.n_effects:
        return False
    rows = values[:rank, None] * right[:rank]
    forms = [np.outer(rows[:, a], rows[:, b]) for a, b in zip(*np.nonzero(factor.free), strict=True)]
    flat = np.array([(form + form.T).ravel() for form in forms])
    return int(np.linalg.matrix_rank(flat, tol=RANK_TOLERANCE)) < len(flat)


def _refuse_group_level_columns(design: Design) -> None:
    """A factor that no other holds carries fewer columns of its own, the constant included, than its levels minus 1."""
    places = []
    for factor in design.factors:
        fewer = [other for other in design.factors if other.n_levels < factor.n_levels]
        if factor.n_levels - 1 > design.p or any(_within(factor, other) for other in fewer):
            continue
        own = constant_columns(design.fixed, factor)
        covariates = [design.fixed_names[i] for i in own if design.fixed_names[i] != INTERCEPT]
        allowed = factor.n_levels - 2
        if covariates and len(own) > max(allowed, 0):
            room = max(allowed - (len(own) - len(covariates)), 0)
            places.append(f"{factor.name}: {factor.n_levels} levels carry {room}, the model has {len(covariates)}: {', '.join(covariates)}")
    if places:
        raise BscError(
            "BSC-LMM-012",
            "More group-level columns than the groups can carry: columns that are constant within every group.",
            tuple(places),
            "Groups are the units such columns are judged by; with as many columns as groups every difference fits perfectly.",
            "Keep the few that the question needs, chosen before seeing the data.",
        )


def constant_columns(fixed: np.ndarray, factor: GroupingFactor) -> list[int]:
    """Return the columns of ``fixed`` (n, p) that are constant within each level of a factor."""
    first = np.empty(factor.n_levels, dtype=np.int64)
    first[factor.codes[::-1]] = np.arange(len(factor.codes) - 1, -1, -1)
    return np.flatnonzero((fixed == fixed[first[factor.codes]]).all(axis=0)).tolist()


def _within(factor: GroupingFactor, other: GroupingFactor) -> bool:
    """Tell whether each level of a factor lies in one level of another."""
    home = np.empty(factor.n_levels, dtype=np.int64)
    home[factor.codes] = other.codes
    return bool((home[factor.codes] == other.codes).all())
