"""Where passages stand, as tables say it: paragraph numbers, times, or characters."""

from __future__ import annotations

import re

import numpy as np

from bscstudy.io.coding_file import distinct_values, whole_number
from bscstudy.io.coding_rows import UNPLACED

NAN = float("nan")
_TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?")
_CHARACTERS = re.compile(r"(\d{1,12})\s*[-\u2013]\s*(\d{1,12})")
_ON_PAGE = re.compile(r"(?:page|p\.?)\s*(\d{1,6})\s*:?\s*(?:(\d+)\s*[-\u2013]\s*(\d+))?", re.IGNORECASE)


def paragraph_places(first: np.ndarray, last: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns of the codings from the paragraphs (from 1), or times, at which passages begin and end.

    A place that is neither, or ends before it begins, is ``unplaced``. Characters are never made of paragraphs: `start` and `end`
    stay blank.
    """
    ends = [np.array(distinct_values(cells, _place), dtype=float).reshape(-1, 2) for cells in (first, last)]
    paragraphs, times = (np.stack([end[:, kind] for end in ends], axis=1) for kind in (0, 1))
    in_order = paragraphs[:, 0] <= paragraphs[:, 1]
    heard = times[:, 0] <= times[:, 1]
    paragraphs[~in_order], times[~heard] = NAN, NAN
    status = np.where(in_order, "paragraphs", np.where(heard, "not_text", UNPLACED)).astype(object)
    unit = np.where(in_order, "paragraphs", np.where(heard, "milliseconds", "")).astype(object)
    return {
        "offset_status": status,
        "unit": unit,
        "first_paragraph": paragraphs[:, 0],
        "last_paragraph": paragraphs[:, 1],
        "begin_ms": times[:, 0],
        "end_ms": times[:, 1],
    }


def _place(cell: str) -> tuple[float, float]:
    """Return (paragraph, milliseconds) of a cell, NaN for what it is not."""
    number = whole_number(cell)
    return (number, NAN) if number >= 1 else (NAN, milliseconds(cell))


def milliseconds(cell: str) -> float:
    """Return the milliseconds of ``h:mm:ss.mmm`` or ``mm:ss``, or NaN."""
    match = _TIME.fullmatch(cell.strip())
    if not match or int(match[3]) > 59 or (match[1] and int(match[2]) > 59):
        return NAN
    return float(((int(match[1] or 0) * 60 + int(match[2])) * 60 + int(match[3])) * 1000 + int((match[4] or "0").ljust(3, "0")))


def range_places(cells: np.ndarray) -> dict[str, np.ndarray]:
    """Return columns of the codings from ranges: ``120-185`` (characters from 0), ``Page 3: 10-60``, ``0:01:10-0:02:05``.

    Characters of a page do not count in the whole text, so that only the page is kept of them.
    """
    found = distinct_values(cells, _range)
    names = ("start", "end", "page", "begin_ms", "end_ms", "offset_status", "unit")
    return {name: np.array([one[at] for one in found], dtype=object) for at, name in enumerate(names)}


def _range(cell: str) -> tuple:
    text = cell.strip()
    if (match := _CHARACTERS.fullmatch(text)) and int(match[1]) <= int(match[2]):
        return int(match[1]), int(match[2]), NAN, NAN, NAN, "as_received", "characters"
    if match := _ON_PAGE.fullmatch(text):
        return NAN, NAN, int(match[1]), NAN, NAN, UNPLACED, ""
    ends = [milliseconds(part) for part in re.split(r"\s*[-\u2013]\s*", text)]
    if len(ends) == 2 and ends[0] <= ends[1]:
        return NAN, NAN, NAN, *ends, "not_text", "milliseconds"
    return NAN, NAN, NAN, NAN, NAN, UNPLACED, ""
