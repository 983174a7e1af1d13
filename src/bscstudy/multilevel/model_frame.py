"""From a formula and a table to the numbers of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_table
from bscstudy.multilevel.column_refusals import (
    named_twice,
    no_numbers,
    not_one_a_row,
    not_positive,
    one_level,
    refuse_not_finite,
    unknown_columns,
    unusable,
)
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.design_refusals import refuse_design
from bscstudy.multilevel.formula import MixedFormula, parse_mixed_formula
from bscstudy.multilevel.formula_parts import FormulaPart, formula_part, term_texts
from bscstudy.multilevel.grouping import FactorPart, Levels, block_texts, factor_levels, grouping_factor, random_blocks, terms_by_factor
from bscstudy.multilevel.model_information import ModelInformation
from bscstudy.multilevel.response import ORDINAL_FAMILIES, Response, read_response, response_columns
from bscstudy.multilevel.term_columns import ColumnRecipe, part_columns
from bscstudy.multilevel.variables import Variable, read_variable, rows_text

_FAMILIES = ("gaussian", "binomial", "poisson", "negative_binomial", "beta_binomial", *ORDINAL_FAMILIES)
WEIGHTS, OFFSET = "(weights)", "(offset)"


@dataclass(frozen=True, eq=False)
class _Plan:
    """A formula with its parts parsed; ``places`` leads from each column to where it is used, ``sorting`` are those in the columns."""

    formula: MixedFormula
    fixed: FormulaPart
    places: dict[str, str]
    sorting: tuple[str, ...]
    categories: tuple[str, ...]


def build_design(
    formula: str,
    data: pd.DataFrame,
    *,
    family: str = "gaussian",
    weights: str | np.ndarray | None = None,
    offset: str | np.ndarray | None = None,
) -> Design:
    """Return the numbers of a model.

    Parameters
    ----------
    formula : str
        In lme4's grammar, see ``formula.parse_mixed_formula``; the fixed part and the random columns are formulaic's.
    data : DataFrame, one row for each observation
        Text is categorical with its levels sorted, the first being the reference; a pandas Categorical keeps its order.
    family : str
        gaussian, binomial (0/1, or counts on the left), poisson, negative_binomial, beta_binomial (counts), cumulative (ordered;
        ``ordinal`` is the same). An ordered outcome is coded 0 to K - 1 and has no constant column: the thresholds take its place.
    weights, offset : str or array of shape (n,), optional
        A column of the data or one value for each of its rows. Weights are inverse relative variances, positive and finite.

    Returns
    -------
    Design
        Rows with a missing value in any column used (weights and offset too) are left out; ``n_missing`` counts them by column and
        ``rows`` in all. Rows are sorted by factor levels (fewest levels first), variables and outcome, so that their order in the
        data cannot matter. ``information`` is a ``ModelInformation``.

    Raises
    ------
    BscError
        BSC-LMM-001 to 021, one for each cause; 119 for data that are no table.

    Notes
    -----
    Names, coding and rank of the columns are formulaic's; where a part is made of plain variables, the columns are worked out
    directly from its specification. Under ``||`` see ``formula`` and ``grouping.random_blocks``.
    Checked against: formulaic 1.2.2 get_model_matrix, test_multilevel_model_frame.
    """
    check_table(data)
    plan = _plan(str(formula))
    _check_family(family)
    variables = _read_columns(plan, data, weights, offset)
    variables, kept, n_missing = _complete(variables, len(data))
    _refuse_weights(variables.get(WEIGHTS))
    response = read_response(plan.formula, variables, family, np.arange(len(data)) if kept is None else kept)
    refuse_not_finite({name: v.values for name, v in variables.items() if not v.is_category and name != WEIGHTS})
    _refuse_single_levels(plan, variables)
    levels = sorted(
        (factor_levels(terms[0].group, variables) for terms in terms_by_factor(plan.formula).values()),
        key=lambda found: (-len(found.labels), found.name),
    )
    order = _canonical_order(plan, levels, variables, response)
    variables = {name: variable.take(order) for name, variable in variables.items()}
    levels = [replace(found, codes=found.codes[order]) for found in levels]
    design = _assembled(plan, levels, variables, _ordered(response, order), family)
    names = [value if isinstance(value, str) else None for value in (weights, offset)]
    information = replace(design.information, weights_name=names[0], offset_name=names[1])
    design = replace(design, rows=order if kept is None else kept[order], n_missing=n_missing, information=information)
    refuse_design(design, family)
    return design


@lru_cache(maxsize=256)
def _plan(text: str) -> _Plan:
    formula = parse_mixed_formula(text)
    fixed = formula_part(formula.fixed if formula.fixed else "1", formula.text)
    places, columns = {name: "left side" for name in response_columns(formula.response, formula.text)}, dict.fromkeys(fixed.variables)
    for name in fixed.variables:
        places.setdefault(name, "fixed part")
    for term in formula.random:
        where = f"random part ({term.effects} | {term.name})"
        for block in block_texts(term, formula.text):
            names = formula_part(block, formula.text).variables
            columns.update(dict.fromkeys(names))
            for name in names:
                places.setdefault(name, where)
        for name in term.group:
            places.setdefault(name, where)
    return _Plan(formula, fixed, places, tuple(columns), fixed.variables)


def _check_family(family: str) -> None:
    if family not in _FAMILIES:
        from bscstudy.multilevel.families import family_named

        family_named(family)


def _read_columns(plan: _Plan, data: pd.DataFrame, weights: object, offset: object) -> dict[str, Variable]:
    """Read every column used; weights and offset stand under names of their own."""
    known = data.columns
    places = dict(plan.places)
    for value, what in ((weights, "weights"), (offset, "offset")):
        if isinstance(value, str):
            places.setdefault(value, what)
    absent = {name: place for name, place in places.items() if name not in known}
    if absent:
        raise unknown_columns(absent, [str(name) for name in known])
    doubled = [f"{place}: {name}" for name, place in places.items() if getattr(data[name], "ndim", 1) != 1]
    if doubled:
        raise named_twice(doubled)
    found = {name: read_variable(name, data[name]) for name in places}
    for value, key, what in ((weights, WEIGHTS, "weights"), (offset, OFFSET, "offset")):
        if value is not None:
            found[key] = _additional(value, found, what, data)
    bad = [f"{places[name]}: {name}" for name, variable in found.items() if variable is None]
    if bad:
        raise unusable(bad)
    return found


def _additional(value: object, found: Mapping[str, Variable], what: str, data: pd.DataFrame) -> Variable:
    """Return weights or offset as numbers."""
    if isinstance(value, str):
        variable = found[value]
    else:
        column = value if hasattr(value, "dtype") else _array(value, what)
        if column.shape != (len(data),):
            raise not_one_a_row(f"{what}: shape {tuple(column.shape)} for {len(data)} rows")
        if isinstance(column, pd.Series) and not column.index.equals(data.index):
            raise not_one_a_row(f"{what}: a Series whose index is not that of the data")
        variable = read_variable(what, column)
    if variable is None or variable.is_category:
        raise no_numbers(f"{what}: not numeric")
    return replace(variable, kind="float64")


def _array(value: object, what: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        raise not_one_a_row(f"{what}: lists of different lengths within a list") from None


def _refuse_weights(weights: Variable | None) -> None:
    if weights is not None:
        bad = len(weights.values) - np.count_nonzero((weights.values > 0) & np.isfinite(weights.values))
        if bad:
            raise not_positive(f"weights: not positive and finite in {rows_text(bad)}")


def _complete(variables: dict[str, Variable], n: int) -> tuple[dict[str, Variable], np.ndarray | None, dict[str, int]]:
    """Leave out rows with a missing value; return the rest, their positions (None: all) and the counts."""
    lost, counts = None, {}
    for variable in variables.values():
        missing = variable.missing()
        if missing is not None:
            counts["rows (column)" if variable.name == "rows" else variable.name] = int(missing.sum())
            lost = missing if lost is None else lost | missing
    counts["rows"] = 0 if lost is None else int(lost.sum())
    if counts["rows"] == n:
        raise BscError(
            "BSC-LMM-007",
            "No row is left." if n else "The data have no rows.",
            tuple(f"{name}: {count} missing" for name, count in counts.items() if name != "rows") or "data",
            "There is nothing to fit.",
            "Check the columns named; a column that is always missing removes every row.",
        )
    if lost is None:
        return {name: variable.used() for name, variable in variables.items()}, None, counts
    kept = np.flatnonzero(~lost)
    return {name: variable.take(kept).used() for name, variable in variables.items()}, kept, counts


def _refuse_single_levels(plan: _Plan, variables: Mapping[str, Variable]) -> None:
    single = {v.name: v.levels for name in plan.sorting if (v := variables[name]).is_category and len(v.levels) < 2}
    if single:
        raise one_level(single)


def _canonical_order(plan: _Plan, levels: list[Levels], variables: Mapping[str, Variable], response: Response) -> np.ndarray:
    """Return the order by factor levels (fewest levels first), variables of the columns, outcome, trials, weights and offset."""
    keys = [variables[name].values for name in (OFFSET, WEIGHTS) if name in variables]
    keys += [] if response.trials is None else [response.trials]
    keys += [response.values, *(variables[name].values for name in reversed(plan.sorting)), *(found.codes for found in levels)]
    return np.lexsort(keys)


def _ordered(response: Response, order: np.ndarray) -> Response:
    return replace(response, values=response.values[order], trials=None if response.trials is None else response.trials[order])


def _fixed_columns(plan: _Plan, variables: Mapping[str, Variable], n: int, family: str) -> tuple[ColumnRecipe, np.ndarray]:
    if family not in ORDINAL_FAMILIES:
        return part_columns(plan.fixed, variables, n, plan.formula.text)
    others = [text for text in term_texts(plan.fixed) if text != "1"]
    with_constant = formula_part(" + ".join(["1", *others]), plan.formula.text)
    recipe, columns = part_columns(with_constant, variables, n, plan.formula.text)
    recipe = recipe.without_intercept()
    return recipe, np.ascontiguousarray(columns[:, list(recipe.kept)])


def _assembled(plan: _Plan, levels: list[Levels], variables: dict[str, Variable], response: Response, family: str) -> Design:
    n = len(response.values)
    fixed, columns = _fixed_columns(plan, variables, n, family)
    terms = terms_by_factor(plan.formula)
    blocks = [random_blocks(terms[frozenset(found.variables)], variables, n, plan.formula.text) for found in levels]
    parts = tuple(
        FactorPart(f.name, f.variables, f.levels, f.present, tuple(recipe for recipe, _ in made))
        for f, made in zip(levels, blocks, strict=True)
    )
    return Design(
        response.values,
        response.trials,
        columns,
        fixed.names,
        tuple(grouping_factor(found, made) for found, made in zip(levels, blocks, strict=True)),
        variables[WEIGHTS].values if WEIGHTS in variables else np.ones(n),
        variables[OFFSET].values if OFFSET in variables else np.zeros(n),
        np.empty(0, dtype=np.int64),
        information=ModelInformation(plan.formula, family, fixed, parts, variables, response.categories),
        response_name=plan.formula.response.text,
    )
