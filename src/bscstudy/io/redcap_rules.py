"""The rules of a REDCap form: choices, validation types and limits, held against the records."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

from bscstudy.io.raw import Notice, RawTable, number_of
from bscstudy.io.redcap_dictionary import CHECKED, CHOSEN, Dictionary, Field

_DATE = r"\d{4}-\d{2}-\d{2}"
_FORMATS = {
    "date": (re.compile(_DATE), "%Y-%m-%d"),
    "datetime": (re.compile(_DATE + r" \d{2}:\d{2}"), "%Y-%m-%d %H:%M"),
    "datetime_seconds": (re.compile(_DATE + r" \d{2}:\d{2}:\d{2}"), "%Y-%m-%d %H:%M:%S"),
    "time": (re.compile(r"\d{2}:\d{2}"), "%H:%M"),
    "time_hh_mm_ss": (re.compile(r"\d{2}:\d{2}:\d{2}"), "%H:%M:%S"),
}
_PATTERNS = {
    "integer": re.compile(r"[+-]?\d+"),
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}"),
    "zipcode": re.compile(r"\d{5}(-\d{4})?"),
    "alpha_only": re.compile(r"[A-Za-z]+"),
    "phone": re.compile(r"(\+?1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}( ?(x|ext\.?) ?\d+)?", re.IGNORECASE),
}
_PLACES = re.compile(r"number_([1-4])dp")
_WORDS = {
    "date": "a date", "datetime": "a date with time", "datetime_seconds": "a date with time", "time": "a time",
    "time_hh_mm_ss": "a time", "integer": "a whole number", "email": "an email address", "zipcode": "a postal code",
    "alpha_only": "letters only", "phone": "a telephone number",
}  # fmt: skip
#: raw exports write dates as year, month, day, whatever the form shows
_ORDER = re.compile(r"_(ymd|mdy|dmy)$")


def rule_notices(table: RawTable, dictionary: Dictionary) -> tuple[list[Notice], dict[str, int]]:
    """Return the cells that break a rule of their form, and the validation types that are not judged with their numbers of fields.

    The form's own limits (REDCap only warns about them), its choices and its validation types are judged; a code for
    missing that the codebook knows is sorted out later, by `bscstudy.io.notices`.
    """
    notices, unknown = [], Counter()
    for field in dictionary.fields.values():
        kind = _ORDER.sub("", field.validation)
        if field.kind == "text" and kind and not _judged(kind):
            unknown[kind] += 1
        for column, code in field.columns.items():
            if column in table.frame.columns:
                notices += _column_notices(table, column, field, kind, set(CHECKED) if code else set(field.choices))
    return notices, dict(sorted(unknown.items()))


def _column_notices(table: RawTable, column: str, field: Field, kind: str, codes: set[str]) -> list[Notice]:
    cells = [cell.strip() for cell in table.frame[column]]
    broken = {cell: fault for cell in set(cells) if cell and (fault := _fault(cell, field, kind, codes))}
    found = []
    for fault in sorted(set(broken.values())):
        rows = tuple(int(row) for row, cell in zip(table.rows, cells, strict=True) if broken.get(cell) == fault)
        found.append(Notice("form_rule_broken", fault, column, rows))
    return found


def _judged(kind: str) -> bool:
    return kind in _FORMATS or kind in _PATTERNS or kind == "number" or bool(_PLACES.fullmatch(kind))


def _fault(cell: str, field: Field, kind: str, codes: set[str]) -> str:
    if field.kind in (*CHOSEN, "yesno", "truefalse"):
        return "" if cell in codes or not codes else "not a choice of its form"
    if field.kind in ("slider", "calc"):
        return "" if number_of(cell) is not None or field.kind == "calc" else "not a number although its form is a slider"
    if field.kind != "text" or not kind:
        return ""
    return _format_fault(cell, kind) or _limit_fault(cell, field, kind)


def _format_fault(cell: str, kind: str) -> str:
    if kind in _FORMATS:
        pattern, form = _FORMATS[kind]
        return "" if pattern.fullmatch(cell) and _is_moment(cell, form) else f"not {_WORDS[kind]} as its form demands"
    if kind == "number" or _PLACES.fullmatch(kind):
        places = _PLACES.fullmatch(kind)
        fits = number_of(cell) is not None and (not places or re.fullmatch(rf"[+-]?\d*\.\d{{{places[1]}}}", cell))
        return "" if fits else "not a number as its form demands"
    if kind in _PATTERNS:
        return "" if _PATTERNS[kind].fullmatch(cell) else f"not {_WORDS[kind]} as its form demands"
    return ""


def _is_moment(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _limit_fault(cell: str, field: Field, kind: str) -> str:
    if not (field.low or field.high) or not _judged(kind):
        return ""
    low, high = field.low, field.high
    if kind in _FORMATS:
        plain = [limit if _FORMATS[kind][0].fullmatch(limit) else "" for limit in (low, high)]
        outside = bool(plain[0] and cell < plain[0]) or bool(plain[1] and cell > plain[1])
    else:
        value, least, most = (number_of(text) for text in (cell, low, high))
        outside = value is not None and ((least is not None and value < least) or (most is not None and value > most))
    return "outside the limits of its form" if outside else ""
