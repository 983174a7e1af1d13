"""The columns that the fixed part of a formula makes, under treatment contrasts."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd


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
