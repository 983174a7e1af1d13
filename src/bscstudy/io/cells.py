"""Raw cells to typed values: what a cell holds, or the reason why it holds nothing.

Every distinct cell of a column is judged once, however often it occurs.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.io.codebook import ItemVersion
from bscstudy.io.raw import cell_text, code_text, number_of

YES = {"1", "yes", "y", "true", "checked"}
NO = {"0", "no", "n", "false", "unchecked"}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?Z?")


@dataclass(frozen=True)
class CellFormat:
    """How a source writes its cells: decimal mark, date format (blank = ISO), ranges the file declares missing."""

    decimal: str = "."
    date_format: str = ""
    user_missing: tuple[tuple, ...] = ()


@dataclass(frozen=True)
class TypedCells:
    """One column after typing, all arrays of its length.

    ``values``: float (NaN missing) or object (None missing). ``why``: reason of a missing value, else blank. ``kind``: kind of
    the problem where a cell could not be used, else blank. ``blank``: the cell was empty.
    """

    values: np.ndarray
    why: np.ndarray
    kind: np.ndarray
    blank: np.ndarray


def type_cells(cells: np.ndarray, item: ItemVersion, form: CellFormat) -> TypedCells:
    """Give each cell of a column its value or its reason for being missing.

    Parameters
    ----------
    cells : ndarray of object, shape (n,)
        Text, numbers, dates; blank, None or NaN for empty.
    item : ItemVersion
        Type, response scale, limits and missing codes.
    form : CellFormat
        How the source writes numbers and dates.

    Returns
    -------
    TypedCells
        A blank cell is ``skipped`` (free text: 0). A code of missing_codes.csv, alone or in a range, gets its reason. A number
        outside the response scale or the limits, or a fraction where whole numbers are due, is missing as ``out_of_range``; what
        cannot be read is missing as ``invalid`` (kinds not_a_number, invalid_date, unknown_code). A code that only the file
        itself declares missing is ``invalid`` with kind unknown_code, because nobody said what it stands for.
    """
    codes, distinct = pd.factorize(cells)
    judged = [_judge(cell, item, form) for cell in distinct] + [_judge("", item, form)]
    numeric = item.stored_type in ("integer", "number")
    values = [np.nan if numeric and v is None else v for v, _, _ in judged]
    blank = [not cell_text(cell).strip() for cell in distinct] + [True]
    return TypedCells(
        values=np.array(values, dtype=float if numeric else object)[codes],
        why=np.array([w for _, w, _ in judged], dtype=object)[codes],
        kind=np.array([k for _, _, k in judged], dtype=object)[codes],
        blank=np.array(blank)[codes],
    )


def missing_reason(cell: object, item: ItemVersion) -> str:
    """Return the reason that missing_codes.csv gives a cell's code, by itself or within a range, or blank."""
    code = code_text(cell)
    reason = item.missing.get(cell_text(cell).strip()) or item.missing.get(code, "")
    if reason or not item.missing_ranges or code in item.scale:
        return reason
    number = number_of(code)
    return next((why for low, high, why in item.missing_ranges if number is not None and low <= number <= high), "")


def _judge(cell: object, item: ItemVersion, form: CellFormat) -> tuple[object, str, str]:
    text = cell_text(cell).strip()
    if not text:
        return (0.0, "", "") if item.type == "free_text" else (None, "skipped", "")
    reason = missing_reason(cell, item)
    if reason:
        return None, reason, ""
    if declared_missing(cell, form.user_missing) and code_text(cell) not in item.scale:
        return None, "invalid", "unknown_code"
    value, kind = _CONVERT[item.type](cell, text, item, form)
    return (value, "", "") if not kind else (None, "out_of_range" if kind == "out_of_range" else "invalid", kind)


def declared_missing(cell: object, ranges: Iterable[tuple]) -> bool:
    """Return whether a cell lies in one of the (low, high) ranges that its file declares missing; text and numbers never meet."""
    kind = str if isinstance(cell, str) else (int, float, np.number)
    value = cell.strip() if isinstance(cell, str) else cell
    return isinstance(cell, kind) and any(isinstance(low, kind) and low <= value <= high for low, high in ranges)


def _number(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[float | None, str]:
    held = isinstance(cell, (int, float, np.number)) and not isinstance(cell, (bool, np.bool_))
    value = float(cell) if held else number_of(text, form.decimal)
    if value is None:
        return None, "not_a_number"
    codes = [number for code in item.scale if (number := number_of(code)) is not None]
    lows = [limit for limit in (item.low, min(codes, default=None)) if limit is not None]
    highs = [limit for limit in (item.high, max(codes, default=None)) if limit is not None]
    inside = all(value >= low for low in lows) and all(value <= high for high in highs)
    return (value, "") if inside else (None, "out_of_range")


def _whole(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[float | None, str]:
    value, kind = _number(cell, text, item, form)
    if kind:
        return value, kind
    known = {code_text(code) for code in item.scale}
    fits = value == int(value) and (not known or cell_text(value) in known)
    return (value, "") if fits else (None, "out_of_range")


def _yes_no(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[float | None, str]:
    word = code_text(cell).lower()
    labels = {code_text(code): label.strip().lower() for code, label in item.scale.items()}
    meant = labels.get(code_text(cell), word)
    word = meant if meant in YES | NO else word
    if word in YES:
        return 1.0, ""
    if word in NO:
        return 0.0, ""
    return None, "unknown_code" if number_of(word) is None else "out_of_range"


def _nominal(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[object, str]:
    if not item.scale:
        return text, ""
    code = text if text in item.scale else next((c for c in item.scale if code_text(c) == code_text(cell)), None)
    if code is None:
        return None, "unknown_code"
    return (float(code) if item.stored_type == "integer" else code), ""


def _date(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[str | None, str]:
    try:
        if isinstance(cell, datetime.date):
            return cell.isoformat()[:10], ""
        if form.date_format:
            return datetime.datetime.strptime(text, form.date_format).date().isoformat(), ""
        if _ISO.fullmatch(text):
            return datetime.datetime.fromisoformat(text.removesuffix("Z")).date().isoformat(), ""
    except ValueError:
        pass
    return None, "invalid_date"


def _text(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[str, str]:
    return text, ""


def _filled(cell: object, text: str, item: ItemVersion, form: CellFormat) -> tuple[float, str]:
    return 1.0, ""


_CONVERT: dict[str, Callable] = {
    "ordinal": _whole,
    "integer": _whole,
    "number": _number,
    "yes_no": _yes_no,
    "nominal": _nominal,
    "date": _date,
    "text": _text,
    "free_text": _filled,
}
