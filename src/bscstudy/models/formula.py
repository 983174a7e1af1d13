"""Model formulas in lme4 style: what they say, what this engine cannot fit, and the columns they make.

Used by the rule `fit_model`. A formula is a fixed part and random intercepts, ``score ~ wave * core + (1 | center/person)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

ID_COLUMNS = {
    "center": "center_id",
    "person": "person_id",
    "classroom": "classroom_id",
    "observation": "observation_id",
    "session": "session_id",
    "rater": "rater_id",
}
_RANDOM = re.compile(r"\(([^()|]*)(\|\|?)([^()|]*)\)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True)
class ModelFormula:
    """A parsed formula.

    ``variables`` are the columns of the fixed part; ``groupings`` the random intercepts in the order written, each a tuple
    of the columns that together name a group: ``(1 | center/person)`` gives ``(center_id,)`` and ``(center_id, person_id)``.
    """

    text: str
    fixed: str
    variables: tuple[str, ...]
    groupings: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DesignMatrix:
    """The columns of the fixed part.

    ``values`` is (n_rows, n_columns); ``names`` such as ``wave[T4]:core[core]``; ``terms`` maps a term to its column numbers;
    ``parts`` gives for each column its (variable, level) pairs, level None for a numeric variable.
    """

    values: np.ndarray
    names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    parts: tuple[tuple[tuple[str, str | None], ...], ...]
    specification: object


def parse_formula(text: str, where: str) -> ModelFormula:
    """Read a formula.

    Raises
    ------
    BscError
        BSC-MOD-010 where the formula cannot be read; BSC-MOD-011 where it asks for what this engine cannot fit
        (random slopes, no intercept, functions inside the formula).
    """
    left, tilde, right = str(text).partition("~")
    if not tilde or left.strip() != "score":
        raise _unreadable(text, where, "A formula starts with `score ~`.")
    groupings: list[tuple[str, ...]] = []
    for effects, bar, factors in _RANDOM.findall(right):
        if effects.strip() != "1" or bar != "|":
            raise _refused(text, where, f"the random part '({effects.strip()} {bar} {factors.strip()})' asks for a random slope")
        groupings += [path for path in _paths(factors, text, where) if path not in groupings]
    fixed = re.sub(r"\s+", " ", _RANDOM.sub(" ", right))
    fixed = re.sub(r"(\+\s*)+", "+ ", fixed).strip(" +") or "1"
    _check_fixed(fixed, text, where)
    variables = tuple(dict.fromkeys(_NAME.findall(fixed)))
    return ModelFormula(str(text), fixed, variables, tuple(groupings))


def design_matrix(fixed: str, frame: pd.DataFrame, levels: dict[str, list[str]]) -> DesignMatrix:
    """Return the columns of the fixed part under treatment contrasts.

    Parameters
    ----------
    frame : DataFrame
        One row for each score, no missing values in the variables of the formula.
    levels : dict
        For each factor its levels, the reference level first.
    """
    from formulaic import model_matrix

    matrix = model_matrix(fixed, _as_factors(frame, levels), na_action="raise")
    parts = tuple(_parts(column) for column in matrix.columns)
    names = tuple(_name(part) for part in parts)
    slices = matrix.model_spec.term_slices
    terms = {("(Intercept)" if str(term) == "1" else str(term)): tuple(range(s.start, s.stop)) for term, s in slices.items()}
    return DesignMatrix(matrix.to_numpy(dtype=float), names, terms, parts, matrix.model_spec)


def design_rows(design: DesignMatrix, frame: pd.DataFrame, levels: dict[str, list[str]]) -> np.ndarray:
    """Return the same columns for further rows, such as a reference grid."""
    return design.specification.get_model_matrix(_as_factors(frame, levels)).to_numpy(dtype=float)


def _as_factors(frame: pd.DataFrame, levels: dict[str, list[str]]) -> pd.DataFrame:
    return frame.assign(**{name: pd.Categorical(frame[name].astype(object), categories=list(known)) for name, known in levels.items()})


def _paths(factors: str, text: str, where: str) -> list[tuple[str, ...]]:
    """Expand ``a/b`` to ``a`` and ``a:b``."""
    steps = [part.strip() for part in factors.split("/")]
    paths, so_far = [], ()
    for step in steps:
        names = [name.strip() for name in step.split(":")]
        if not all(_NAME.fullmatch(name) for name in names):
            raise _unreadable(text, where, f"'{factors.strip()}' after the bar is no list of names joined by / or :.")
        so_far = so_far + tuple(ID_COLUMNS.get(name, name) for name in names)
        paths.append(so_far)
    return paths


def _check_fixed(fixed: str, text: str, where: str) -> None:
    if "|" in fixed:
        raise _unreadable(text, where, "A random part is written (1 | center) or (1 | center/person).")
    if re.search(r"(^|[+\s(])0(\s|\+|$)|-", fixed):
        raise _refused(text, where, "it leaves out the intercept or a term by '0 +' or '-'")
    if re.search(r"[A-Za-z0-9_.]\s*\(", fixed):
        raise _refused(text, where, "it calls a function; put a transformed variable under `predictors`")
    if re.search(r"[^A-Za-z0-9_.+*:()\s]", fixed) or fixed.count("(") != fixed.count(")"):
        raise _unreadable(text, where, "Only names joined by + * : and round brackets may stand in the fixed part.")


def _parts(column: str) -> tuple[tuple[str, str | None], ...]:
    if column == "Intercept":
        return ()
    found = []
    for piece in re.findall(r"[^:\[]+(?:\[[^\]]*\])?", column):
        name, _, level = piece.strip(":").partition("[")
        found.append((name, re.sub(r"^T\.", "", level[:-1]) if level else None))
    return tuple(found)


def _name(parts: tuple[tuple[str, str | None], ...]) -> str:
    return ":".join(name if level is None else f"{name}[{level}]" for name, level in parts) or "(Intercept)"


def _unreadable(text: str, where: str, what: str) -> BscError:
    return BscError(
        "BSC-MOD-010",
        f"The formula '{text}' cannot be read. {what}",
        where,
        "A formula read in a way its author did not mean would answer another question.",
        "Write it as in `score ~ wave * core + (1 | center/person)`.",
    )


def _refused(text: str, where: str, what: str) -> BscError:
    return BscError(
        "BSC-MOD-011",
        f"The formula '{text}' cannot be fitted here: {what}.",
        where,
        "This engine fits an intercept, fixed terms and nested random intercepts only; anything else would be silently another model.",
        "Use random intercepts such as (1 | center/person), or leave this model out.",
    )
