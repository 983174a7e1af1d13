"""Part of a formula -> its columns. formulaic decides names, coding and rank; plain products are then worked out directly."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from bscstudy.multilevel.column_refusals import not_evaluated, one_level
from bscstudy.multilevel.formula_parts import FormulaPart
from bscstudy.multilevel.variables import Variable

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class Coding:
    """One column of a ``C(variable, ...)``: ``values`` (L,) of its levels; ``numbers`` (L,) are the levels of a numeric variable."""

    values: np.ndarray
    numbers: np.ndarray | None


@dataclass(frozen=True)
class ColumnRecipe:
    """How one part of a formula makes columns.

    Attributes
    ----------
    names : tuple of str, length p
        ``(Intercept)`` for the constant, formulaic's names otherwise.
    terms : dict
        Term -> positions of its columns.
    spec : formulaic.ModelSpec
        The specification of all columns (the constant too where ``kept`` leaves it out).
    products : tuple or None
        For each column (scale, ((variable, what), ...)) where products suffice: the variable's numbers (what is None), the indicator
        of the level at that position, or a Coding.
    kept : tuple of int or None
        Positions of the columns of ``spec`` that are used; None for all.
    factors : dict
        Levels of each categorical variable, the reference of treatment coding first.
    """

    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    spec: object
    products: tuple | None
    variables: tuple[str, ...]
    kept: tuple[int, ...] | None = None
    factors: dict[str, tuple] = field(default_factory=dict)

    def columns(self, variables: Mapping[str, Variable], n: int) -> np.ndarray:
        """Return the columns, shape (n, p), C order, for variables with the levels that the recipe was made for."""
        if self.products is None:
            with np.errstate(all="ignore"):  # what is not finite is refused by name
                matrix = np.asarray(self.spec.get_model_matrix(_frame(self.variables, variables, n), context={}), dtype=float)
            return np.ascontiguousarray(matrix if self.kept is None else matrix[:, list(self.kept)])
        return _products(self.products, variables, n)

    def without_intercept(self) -> ColumnRecipe:
        """Return the recipe without the constant; the coding of the other columns stays."""
        kept = tuple(i for i, name in enumerate(self.names) if name != INTERCEPT)
        position = {old: new for new, old in enumerate(kept)}
        terms = {term: tuple(position[i] for i in at) for term, at in self.terms.items() if all(i in position for i in at)}
        products = None if self.products is None else tuple(self.products[i] for i in kept)
        return replace(self, names=tuple(self.names[i] for i in kept), terms=terms, products=products, kept=kept)


def part_columns(part: FormulaPart, variables: Mapping[str, Variable], n: int, whole: str) -> tuple[ColumnRecipe, np.ndarray]:
    """Return how a part makes its columns from these variables of n rows, and the columns, shape (n, p).

    Raises
    ------
    BscError
        BSC-LMM-016 for a category with one level, 017 where an expression cannot be worked out with these data.
    """
    if part.plain:
        recipe = _plain_recipe(part, tuple(_signature(variables[name], name in part.coded.values()) for name in part.variables))
        return recipe, recipe.columns(variables, n)
    matrix = _evaluated(part, _frame(part.variables, variables, n), whole)
    spec = matrix.model_spec
    levels = {name: variables[name].levels for name in part.variables if variables[name].is_category}
    return _recipe(part, spec, None, levels | _marked(spec, variables)), np.ascontiguousarray(matrix, dtype=float)


def _signature(variable: Variable, coded: bool) -> tuple:
    """What the coding of a variable depends on: (name, levels or None, their type, whether it is a category, kind of number)."""
    levels = variable.as_category().levels if coded else variable.levels
    return variable.name, levels, type(levels[0]) if levels else float, variable.is_category, variable.kind


@lru_cache(maxsize=256)
def _plain_recipe(part: FormulaPart, signature: tuple[tuple, ...]) -> ColumnRecipe:
    """Let formulaic code a small table with the same levels; products are kept where they reproduce its columns."""
    n = 2 + max([len(levels) for _, levels, *_ in signature if levels] or [0])
    trial = _trial(signature, n)
    frame = _frame(part.variables, trial, n)
    matrix = _evaluated(part, frame, part.text)
    spec = matrix.model_spec
    products = _plain_products(part, spec, signature)
    if not np.allclose(_products(products, trial, n), np.asarray(matrix, dtype=float), rtol=1e-14, atol=0):
        products = None
    return _recipe(part, spec, products, {row[0]: row[1] for row in signature if row[1] and (row[3] or row[0] not in part.plainly)})


def _trial(signature: tuple[tuple, ...], n: int) -> dict[str, Variable]:
    """Variables of n rows in which every level occurs."""
    generator, found = np.random.default_rng(1), {}
    for name, levels, _, is_category, kind in signature:
        codes = np.arange(n) % len(levels) if levels else None
        if is_category:
            found[name] = Variable(name, codes, levels)
        elif levels is not None:
            found[name] = Variable(name, np.asarray(levels, dtype=float)[codes], None, kind)
        else:
            values = generator.normal(size=n) if kind == "float64" else generator.integers(0, 2, n).astype(float)
            found[name] = Variable(name, values, None, kind)
    return found


def _recipe(part: FormulaPart, spec: object, products: tuple | None, factors: dict[str, tuple]) -> ColumnRecipe:
    names = tuple(INTERCEPT if str(term.term) == "1" else name for term in spec.structure for name in term.columns)
    terms = {INTERCEPT if str(term) == "1" else str(term): tuple(at) for term, at in spec.term_indices.items() if at}
    return ColumnRecipe(names, terms, spec, products, part.variables, None, factors)


def _evaluated(part: FormulaPart, frame: pd.DataFrame, whole: str) -> object:
    """Return formulaic's model matrix."""
    from formulaic import model_matrix
    from formulaic.errors import DataMismatchWarning

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", DataMismatchWarning)
            matrix = model_matrix(part.formula, frame, context={}, output="numpy", na_action="ignore")
    except Exception:
        raise not_evaluated(part.text, whole) from None
    states = {name: state[1]["categories"] for name, state in matrix.model_spec.encoder_state.items() if "categories" in state[1]}
    single = {name: levels for name, levels in states.items() if len(levels) < 2}
    if single:
        raise one_level(single)
    return matrix


def _frame(names: tuple[str, ...], variables: Mapping[str, Variable], n: int) -> pd.DataFrame:
    return pd.DataFrame({name: variables[name].column() for name in names}, index=range(n))


def _marked(spec: object, variables: Mapping[str, Variable]) -> dict[str, tuple]:
    """Levels of numeric variables that stand only in ``C(...)``."""
    found, elsewhere = {}, set()
    for factor in spec.factors:
        used = [name for name in spec.factor_variables.get(factor, ()) if str(name) in variables]
        state = spec.encoder_state.get(factor.expr)
        if state and state[0].value == "categorical" and len(used) == 1 and not variables[str(used[0])].is_category:
            found[str(used[0])] = tuple(state[1].get("categories", ()))
        else:
            elsewhere.update(str(name) for name in used)
    return {name: levels for name, levels in found.items() if name not in elsewhere}


def _plain_products(part: FormulaPart, spec: object, signature: tuple[tuple, ...]) -> tuple:
    """Columns of the terms in formulaic's order: the last variable of an interaction moves slowest."""
    known = {row[0]: row for row in signature}
    found = []
    for term in spec.structure:
        for scoped in term.scoped_terms:
            columns: list[tuple] = [()]
            for factor in scoped.factors:
                expression = factor.factor.expr
                if expression in part.coded:
                    name = part.coded[expression]
                    choices = _codings(spec.encoder_state[expression][1]["contrasts"], known[name], factor.reduced)
                else:
                    name, levels, _, is_category, _ = known[expression]
                    choices = range(1 if factor.reduced else 0, len(levels)) if is_category else [None]
                columns = [(*column, (name, choice)) for choice in choices for column in columns]
            found += [(float(scoped.scale), column) for column in columns]
    return tuple(found)


def _codings(contrasts: object, row: tuple, reduced: bool) -> list[Coding]:
    """Return the columns of ``C(...)`` level by level, in the order of the variable's own levels."""
    matrix = np.asarray(contrasts.get_coding_matrix(reduced_rank=reduced), dtype=float)
    place = {level: i for i, level in enumerate(contrasts.levels)}
    rows = matrix[[place[level] for level in row[1]]]
    numbers = None if row[3] else np.asarray(row[1], dtype=float)
    return [Coding(np.ascontiguousarray(column), numbers) for column in rows.T]


def _products(products: tuple, variables: Mapping[str, Variable], n: int) -> np.ndarray:
    matrix = np.empty((n, len(products)))
    for position, (scale, parts) in enumerate(products):
        if not parts:
            matrix[:, position] = scale
            continue
        column = None
        for name, what in parts:
            values = _values(variables[name].values, what)
            column = values if column is None else column * values
        matrix[:, position] = column if scale == 1.0 else scale * column
    return matrix


def _values(values: np.ndarray, what: int | Coding | None) -> np.ndarray:
    if what is None:
        return values
    if isinstance(what, Coding):
        return what.values[values if what.numbers is None else np.searchsorted(what.numbers, values)]
    return values == what
