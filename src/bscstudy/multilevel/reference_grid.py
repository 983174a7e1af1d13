"""The reference grid: every combination of the factors, covariates at one value, as rows of the fixed part."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import check_places, one_of

WEIGHTS = ("equal", "proportional", "cells")


@dataclass(frozen=True)
class FixedPart:
    """How rows of data become fixed columns.

    Attributes
    ----------
    data : DataFrame, n rows
        Variables of the fixed part in the rows of the fit.
    factors : dict
        Levels of each categorical variable, the reference first.
    columns : callable
        DataFrame of m rows with these variables to the fixed columns, shape (m, p).
    """

    data: pd.DataFrame
    factors: dict[str, tuple]
    columns: Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class ReferenceGrid:
    """Combinations of the variables of the fixed part.

    Attributes
    ----------
    frame : DataFrame, m rows
        One column a variable.
    columns : ndarray, shape (m, p)
        The fixed columns at each combination.
    choices : dict
        The values each variable takes.
    counts : ndarray, shape (m,)
        Rows of the data in each combination of the variables with several values, all others disregarded.
    """

    frame: pd.DataFrame
    columns: np.ndarray
    choices: dict[str, tuple]
    counts: np.ndarray


def reference_grid(part: FixedPart, at: Mapping[str, object] | None = None) -> ReferenceGrid:
    """Cross all levels of the factors with one value of each covariate.

    Parameters
    ----------
    part : FixedPart
    at : mapping, optional
        Values to use instead: one value or a list of them for each variable named.

    Returns
    -------
    ReferenceGrid

    Raises
    ------
    BscError
        BSC-LMM-086 for a variable that the fixed part does not have, 103 for a level that a factor does not have, 122 for an ``at``
        that is no mapping, 124 for a value of a numeric variable that is not a finite number.

    Notes
    -----
    Categorical variables take all their levels; numeric variables their mean over the rows of the fit, except that a variable with
    two values takes both, so that means do not depend on whether a yes/no variable is written as words or as 0 and 1.
    Source: Searle, Speed & Milliken (1980), The American Statistician 34; the defaults are those of R's emmeans.
    Checked against: emmeans 1.8.4-1, test_multilevel_marginal_means.
    """
    at = check_places(at)
    _refuse_unknown(part, at)
    choices = {name: _values(part, name, at) for name in part.data.columns}
    frame = pd.DataFrame(list(itertools.product(*choices.values())), columns=list(choices))
    for name, levels in part.factors.items():
        frame[name] = pd.Categorical(frame[name], categories=list(levels))
    several = [name for name, values in choices.items() if len(values) > 1 and _counted(part, name, values)]
    return ReferenceGrid(frame, part.columns(frame), choices, _counts(part.data, frame, several))


def _refuse_unknown(part: FixedPart, at: Mapping[str, object]) -> None:
    known = list(part.data.columns)
    for name, values in at.items():
        if name not in known:
            raise _unknown("BSC-LMM-086", f"The fixed part has no variable '{name}'.", name, known)
        if name in part.factors:
            missing = [v for v in _listed(values) if not isinstance(v, Hashable) or v not in part.factors[name]]
            if missing:
                what = f"The variable '{name}' has no level '{missing[0]}' in the rows of the fit."
                raise _unknown("BSC-LMM-103", what, missing[0], list(part.factors[name]))
        elif not _all_finite(_listed(values)):
            raise BscError(
                "BSC-LMM-124",
                f"The variable '{name}' is numeric, but a value given for it is not a finite number.",
                "at",
                "A mean at a value the model knows nothing of would be made up.",
                "Give one finite number or a list of them.",
            )


def _unknown(code: str, what: str, word: object, known: list) -> BscError:
    return BscError(
        code,
        what,
        "reference grid (over, by, at, variable)",
        "A mean at a value the model knows nothing of would be made up.",
        f"Use one of: {', '.join(str(k) for k in known) or '(none)'}. {nearest(str(word), [str(k) for k in known])}".rstrip(),
    )


def _all_finite(values: list) -> bool:
    try:
        return bool(np.all(np.isfinite(np.asarray(values, dtype=float)))) and np.ndim(values) == 1
    except (OverflowError, TypeError, ValueError):
        return False


def _listed(values: object) -> list:
    return list(values) if isinstance(values, (list, tuple, np.ndarray, pd.Series, range)) else [values]


def _values(part: FixedPart, name: str, at: Mapping[str, object]) -> tuple:
    if name in at:
        return tuple(_listed(at[name]))
    if name in part.factors:
        return tuple(part.factors[name])
    values = part.data[name].to_numpy(float)
    different = np.unique(values)
    return tuple(float(v) for v in different) if len(different) == 2 else (float(values.mean()),)


def _counted(part: FixedPart, name: str, values: tuple) -> bool:
    """Tell whether the rows of the data can be counted by this variable: they take only the values of the grid."""
    return name in part.factors or bool(np.isin(part.data[name].to_numpy(float), np.asarray(values, float)).all())


def _counts(data: pd.DataFrame, frame: pd.DataFrame, several: list[str]) -> np.ndarray:
    if not several:
        return np.ones(len(frame))
    found = data[several].astype(object).value_counts()
    keys = list(frame[several].astype(object).itertuples(index=False, name=None))
    table = {(key if isinstance(key, tuple) else (key,)): count for key, count in found.items()}
    return np.array([float(table.get(key, 0)) for key in keys])


def averaged(grid: ReferenceGrid, shown: Sequence[str], weights: str = "equal") -> tuple[pd.DataFrame, np.ndarray]:
    """Average the rows of a grid over the variables that are not shown.

    Parameters
    ----------
    shown : sequence of str
        Variables that stay, in the order of the table.
    weights : str
        ``equal``: every combination of the others counts the same. ``proportional``: by the number of rows with that combination of
        the others in the data, whatever the variables shown. ``cells``: by the number of rows with that combination of all variables.

    Returns
    -------
    (DataFrame, ndarray)
        The combinations shown (r rows) and the linear functions of the fixed effects, shape (r, p).

    Raises
    ------
    BscError
        BSC-LMM-086 for an unknown variable, BSC-LMM-087 for unknown weights.
    """
    for name in shown:
        if name not in grid.choices:
            raise _unknown("BSC-LMM-086", f"The fixed part has no variable '{name}'.", name, list(grid.choices))
    if not one_of(weights, WEIGHTS):
        raise BscError(
            "BSC-LMM-087",
            f"There are no weights '{weights}'.",
            "weights",
            "A marginal mean depends on how the combinations behind it are weighed.",
            f"Use one of {', '.join(WEIGHTS)}.",
        )
    shape = tuple(len(v) for v in grid.choices.values())
    names = list(grid.choices)
    kept = [names.index(name) for name in shown]
    rest = [i for i in range(len(names)) if i not in kept]
    order = [*kept, *rest]
    columns = grid.columns.reshape(*shape, -1).transpose(*order, len(names))
    share = np.ones(shape).transpose(order)
    if weights != "equal":
        share = grid.counts.reshape(shape).transpose(order)
    if weights == "proportional":
        share = np.broadcast_to(share.sum(axis=tuple(range(len(kept))), keepdims=True), share.shape)
    groups = int(np.prod([shape[i] for i in kept], dtype=int))
    share, columns = share.reshape(groups, -1), columns.reshape(groups, -1, grid.columns.shape[1])
    with np.errstate(invalid="ignore"):  # no row in any cell: no weights, a missing mean
        linear = np.einsum("gw,gwp->gp", share / share.sum(axis=1, keepdims=True), columns)
    values = list(itertools.product(*(grid.choices[name] for name in shown)))
    return pd.DataFrame(values, columns=list(shown)), np.where(np.abs(linear) < 1e-13, 0.0, linear)
