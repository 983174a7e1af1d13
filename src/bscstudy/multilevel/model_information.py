"""What reference grids and predictions need to know of a formula: how new rows become columns and levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.formula import MixedFormula
from bscstudy.multilevel.grouping import FactorPart, matching_codes
from bscstudy.multilevel.term_columns import ColumnRecipe
from bscstudy.multilevel.variables import Variable, level_label, read_variable


@dataclass(frozen=True, eq=False)
class ModelInformation:
    """The formula's own description of a design.

    Attributes
    ----------
    formula : MixedFormula
    family : str
    fixed : ColumnRecipe
        ``fixed.spec`` is formulaic's ModelSpec of the fixed part.
    parts : tuple of FactorPart
        One for each factor of the design, in its order.
    variables : dict
        Every column that the formula uses, of the rows of the design and in its order, by name.
    categories : tuple of str, or None
        Labels of an ordered outcome, lowest first.
    weights_name, offset_name : str or None
        Where weights and offset are columns of the data.
    """

    formula: MixedFormula
    family: str
    fixed: ColumnRecipe
    parts: tuple[FactorPart, ...]
    variables: dict[str, Variable]
    categories: tuple[str, ...] | None = None
    weights_name: str | None = None
    offset_name: str | None = None

    @property
    def terms(self) -> dict[str, tuple[int, ...]]:
        """Term of the fixed part, ``(Intercept)`` for the constant -> positions of its columns."""
        return self.fixed.terms

    @property
    def factors(self) -> dict[str, tuple]:
        """Levels of each categorical variable of the fixed part, the reference of treatment coding first."""
        return self.fixed.factors

    @property
    def means(self) -> dict[str, float]:
        """Mean over the rows of each numeric variable of the fixed part."""
        return {n: float(self.variables[n].values.mean()) for n in self.fixed.variables if n not in self.factors}

    @cached_property
    def data(self) -> pd.DataFrame:
        """The variables of the fixed part in the rows of the design, n rows."""
        n = len(next(iter(self.variables.values())).values)
        columns = {}
        for name in self.fixed.variables:
            variable = self.variables[name]
            marked = name in self.factors and not variable.is_category
            columns[name] = pd.Categorical(variable.column(), categories=list(self.factors[name])) if marked else variable.column()
        return pd.DataFrame(columns, index=range(n))

    def group_labels(self, name: str) -> np.ndarray:
        """Return the labels of a grouping column in the rows of the design, shape (n,), as text."""
        category = self.variables[name].as_category()
        return np.array([level_label(level) for level in category.levels], dtype=object)[category.values]

    def columns_for(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the fixed columns of new rows, shape (m, p).

        Raises
        ------
        BscError
            BSC-LMM-018 where a variable is absent, a value missing or not finite, or a level unknown to the fit.
        """
        columns = self.fixed.columns(self._matched(frame, self.fixed.variables, self.factors), len(frame))
        undefined = [name for name, fine in zip(self.fixed.names, np.isfinite(columns).all(axis=0), strict=True) if not fine]
        if undefined:
            raise _new_rows(tuple(f"{name}: infinite or undefined" for name in undefined))
        return columns

    def random_columns_for(self, frame: pd.DataFrame) -> tuple[np.ndarray, ...]:
        """Return the random columns of new rows for each factor, each of shape (m, k); refuses as ``columns_for`` does."""
        found = []
        for part in self.parts:
            names = dict.fromkeys(name for recipe in part.recipes for name in recipe.variables)
            factors = {name: levels for recipe in part.recipes for name, levels in recipe.factors.items()}
            found.append(part.random_columns(self._matched(frame, names, factors), len(frame)))
        return tuple(found)

    def codes_for(self, frame: pd.DataFrame) -> tuple[np.ndarray, ...]:
        """Return the level of each new row for each factor, each of shape (m,); -1 for a level that the fit does not know.

        Raises
        ------
        BscError
            BSC-LMM-018 where a grouping column is absent.
        """
        names = dict.fromkeys(name for part in self.parts for name in part.variables)
        columns = _read(frame, names)
        return tuple(part.codes(columns) for part in self.parts)

    def _matched(self, frame: pd.DataFrame, names: Iterable[str], factors: Mapping[str, tuple]) -> dict[str, Variable]:
        """Read new rows with the kinds and levels of the rows of the fit."""
        given, matched, places = _read(frame, names), {}, []
        for name, variable in given.items():
            known = self.variables[name]
            if name in factors:
                codes = matching_codes(variable, factors[name])
                places += _unmatched(variable, codes, factors[name])
                numbers = factors[name] if not known.is_category else None
                values = codes if numbers is None else np.asarray(numbers, dtype=float)[codes]
                matched[name] = Variable(name, values, factors[name] if numbers is None else None, known.kind)
            elif variable.is_category or not np.isfinite(variable.values).all():
                places.append(f"{name}: text, missing or infinite where the fit had finite numbers")
            else:
                matched[name] = variable if variable.kind == known.kind else Variable(name, variable.values)
        if places:
            raise _new_rows(tuple(places))
        return matched


def _read(frame: pd.DataFrame, names: Iterable[str]) -> dict[str, Variable]:
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise _new_rows(tuple(f"{name}: no such column. {nearest(name, list(frame.columns))}".rstrip() for name in absent))
    found = {name: read_variable(name, frame[name]) for name in names}
    if None in found.values():
        raise _new_rows(tuple(f"{name}: neither numbers nor text" for name, variable in found.items() if variable is None))
    return found


def _unmatched(variable: Variable, codes: np.ndarray, levels: tuple) -> list[str]:
    if (codes >= 0).all():
        return []
    category = variable.as_category()
    unknown = sorted({"(missing)" if code < 0 else repr(category.levels[code]) for code in category.values[codes < 0].tolist()})
    known = ", ".join(level_label(level) for level in levels[:10])
    return [f"{variable.name}: {', '.join(unknown[:5])}; the fit knows {known}{', ...' if len(levels) > 10 else ''}"]


def _new_rows(places: tuple[str, ...]) -> BscError:
    return BscError(
        "BSC-LMM-018",
        "New rows do not have what the model was fitted with.",
        places,
        "A prediction for a value that the model knows nothing of would be made up.",
        "Give every variable of the model, none missing, with levels that occurred in the rows of the fit.",
    )
