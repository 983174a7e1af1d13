"""The left side of a formula -> response, trials, category labels; refused where the family cannot have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.family_checks import check_values
from bscstudy.multilevel.formula import MixedFormula, ResponsePart
from bscstudy.multilevel.formula_parts import formula_part
from bscstudy.multilevel.term_columns import part_columns
from bscstudy.multilevel.variables import Variable, level_label

ORDINAL_FAMILIES = ("cumulative", "ordinal")
TRIAL_FAMILIES = ("binomial", "beta_binomial")


@dataclass(frozen=True)
class Response:
    """``values`` (n,); ``trials`` (n,) or None; ``categories`` of an ordered outcome, lowest first, or None."""

    values: np.ndarray
    trials: np.ndarray | None = None
    categories: tuple[str, ...] | None = None


def response_columns(part: ResponsePart, whole: str) -> tuple[str, ...]:
    """Return the columns of the data that the left side uses."""
    if part.column:
        return (part.column,)
    if part.successes and part.failures:
        return (part.successes, part.failures)
    if part.successes:
        return (part.successes, part.trials)
    return formula_part(f"0 + {part.text}", whole).variables


def read_response(formula: MixedFormula, variables: Mapping[str, Variable], family: str, rows: np.ndarray | None = None) -> Response:
    """Return the outcome of the complete rows.

    Parameters
    ----------
    formula : MixedFormula
    variables : mapping
        The columns without missing rows.
    family : str
        gaussian, binomial, poisson, negative_binomial, beta_binomial, cumulative (or ordinal).
    rows : ndarray of int, shape (n,), optional
        Position of each complete row in the data as given, for messages.

    Returns
    -------
    Response

    Raises
    ------
    BscError
        BSC-LMM-003 where the left side has the wrong form for the family, 004 where it is not numeric, 005 for values that the
        family cannot have, 019 where all values are the same.
    """
    part = formula.response
    if part.successes and family in TRIAL_FAMILIES:
        response = _counts(part, variables)
    elif part.is_ratio and family not in ORDINAL_FAMILIES:
        response = Response(_ratio(part, variables))
    elif part.successes:
        raise _wrong_form(part, family, "gives numbers of successes, which only binomial and beta_binomial outcomes are.")
    elif family == "beta_binomial":
        raise _wrong_form(part, family, "gives one column; over-dispersion needs a number of trials for each row.")
    elif family in ORDINAL_FAMILIES:
        response = _ordered(part, variables)
    else:
        response = Response(_numbers(part, formula.text, variables, family))
    check_values(response.values, response.trials, family, part.text, categories=response.categories, rows=rows)
    return response


def _counts(part: ResponsePart, variables: Mapping[str, Variable]) -> Response:
    successes = _numeric(variables[part.successes])
    second = _numeric(variables[part.failures or part.trials])
    return Response(successes, successes + second if part.failures else second)


def _ratio(part: ResponsePart, variables: Mapping[str, Variable]) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _numeric(variables[part.successes]) / _numeric(variables[part.trials])


def _numbers(part: ResponsePart, whole: str, variables: Mapping[str, Variable], family: str) -> np.ndarray:
    if part.column:
        return _numeric(variables[part.column])
    pieces = formula_part(f"0 + {part.text}", whole)
    for name in pieces.variables:
        _numeric(variables[name])
    recipe, columns = part_columns(pieces, variables, len(next(iter(variables.values())).values), whole)
    if len(recipe.names) != 1:
        raise _wrong_form(part, family, f"makes {len(recipe.names)} columns.")
    return columns[:, 0]


def _numeric(variable: Variable) -> np.ndarray:
    if not variable.is_category:
        return variable.values
    raise BscError(
        "BSC-LMM-004",
        f"The outcome column '{variable.name}' holds text or categories, not numbers.",
        f"{variable.name}: such as {', '.join(repr(level_label(level)) for level in variable.levels[:3])}",
        "Which value counts as more would be a guess.",
        "Give it as numbers (0 and 1 for yes/no), or fit an ordered outcome with family='cumulative'.",
    )


def _ordered(part: ResponsePart, variables: Mapping[str, Variable]) -> Response:
    if not part.column:
        raise _wrong_form(part, "cumulative", "is an expression; an ordered outcome is one column.")
    column = variables[part.column].as_category().used()
    return Response(column.values.astype(float), None, tuple(level_label(level) for level in column.levels))


def _wrong_form(part: ResponsePart, family: str, what: str) -> BscError:
    return BscError(
        "BSC-LMM-003",
        f"The left side of the formula does not fit the family '{family}': it {what}",
        part.text,
        "The model would be another one than meant.",
        "Use cbind(successes, failures) with binomial or beta_binomial, and one column with all other families.",
    )
