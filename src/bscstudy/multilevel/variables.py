"""Columns of a table as numbers: numeric values, or codes of sorted levels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"}
_KINDS = {"i": "int64", "u": "int64", "f": "float64", "b": "bool"}


@dataclass(frozen=True)
class Variable:
    """One column.

    Attributes
    ----------
    name : str
    values : ndarray, shape (n,)
        float64 numbers, NaN where missing; for a category int64 codes of ``levels``, -1 where missing.
    levels : tuple or None
        The levels of a category, the reference first: the order of a pandas Categorical, else sorted.
    kind : str
        ``float64``, ``int64`` or ``bool``: what the numbers were.
    """

    name: str
    values: np.ndarray
    levels: tuple | None = None
    kind: str = "float64"

    @property
    def is_category(self) -> bool:
        """Whether the column holds levels, not numbers."""
        return self.levels is not None

    def missing(self) -> np.ndarray | None:
        """Return which rows are missing, shape (n,); None where none is."""
        found = self.values < 0 if self.is_category else np.isnan(self.values) if self.kind == "float64" else None
        return found if found is not None and found.any() else None

    def take(self, rows: np.ndarray) -> Variable:
        """Return the rows given by position or by a mask; levels stay as they are."""
        return replace(self, values=self.values[rows])

    def used(self) -> Variable:
        """Return the variable with the levels that occur."""
        if not self.is_category:
            return self
        counts = np.bincount(self.values, minlength=len(self.levels))
        if counts.all():
            return self
        position = np.cumsum(counts > 0) - 1
        levels = tuple(level for level, count in zip(self.levels, counts, strict=True) if count)
        return replace(self, values=position[self.values], levels=levels)

    def as_category(self) -> Variable:
        """Return numbers as levels in ascending order; a category as it is."""
        if self.is_category:
            return self
        codes, found = pd.factorize(self.values.astype(self.kind))
        order = np.argsort(found, kind="stable")
        return replace(self, values=_moved(codes, order), levels=tuple(found[order].tolist()), kind="float64")

    def column(self) -> np.ndarray | pd.Categorical:
        """Return the column as formulaic takes it."""
        if self.is_category:
            return pd.Categorical.from_codes(self.values, categories=list(self.levels))
        return self.values if self.kind == "float64" else self.values.astype(self.kind)


def read_variable(name: str, column: pd.Series | np.ndarray) -> Variable | None:
    """Return a column as numbers or codes; None where it is neither numbers nor text (dates, durations, complex numbers).

    Missing: NaN, None, NA. Text is sorted; an object column that holds numbers only is numeric.
    """
    values = getattr(column, "array", column)
    values = getattr(values, "_ndarray", values) if isinstance(values, pd.arrays.NumpyExtensionArray) else values
    if isinstance(values, pd.Categorical):
        return Variable(name, values.codes.astype(np.int64), tuple(values.categories.tolist()))
    kind = getattr(values.dtype, "kind", "O")
    if isinstance(values, np.ndarray) and kind in _KINDS:
        return Variable(name, values.astype(np.float64), kind=_KINDS[kind])
    if kind in "iufb":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return Variable(name, numbers, kind="float64" if np.isnan(numbers).any() else _KINDS[kind])
    if kind not in "OUTS" and not pd.api.types.is_string_dtype(values.dtype):
        return None
    return _from_objects(name, np.asarray(values, dtype=object), known_text=pd.api.types.is_string_dtype(values.dtype) and kind != "O")


def _from_objects(name: str, values: np.ndarray, *, known_text: bool) -> Variable | None:
    inferred = "string" if known_text else pd.api.types.infer_dtype(values, skipna=True)
    try:
        if inferred in _NUMBERS:
            return Variable(name, pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
        if inferred not in ("string", "mixed", "mixed-integer"):
            return None
        codes, found = pd.factorize(values)
    except (OverflowError, TypeError):  # whole numbers beyond any float; cells that hold lists
        return None
    found = found.tolist()
    order = np.array(sorted(range(len(found)), key=found.__getitem__ if inferred == "string" else lambda i: str(found[i])), dtype=np.int64)
    return Variable(name, _moved(codes, order), tuple(found[i] for i in order))


def _moved(codes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Recode after the levels have been put into ``order``; -1 stays."""
    position = np.empty(len(order) + 1, dtype=np.int64)
    position[order] = np.arange(len(order))
    position[-1] = -1
    return position[codes]


def rows_text(count: int) -> str:
    """Return such as ``1 row`` or ``3 rows``."""
    return f"{int(count)} row{'' if count == 1 else 's'}"


def level_label(level: object) -> str:
    """Return a level as text; whole numbers without a decimal point."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)
