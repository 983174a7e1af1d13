"""What a raw file holds, column by column: types, labels, kinds of missing, likely keys."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from bscstudy.io.cells import NO, YES, declared_missing
from bscstudy.io.column_kinds import is_identifying, is_key_name, is_wave_name, kind_of_values, looks_ordered, reason_of_label
from bscstudy.io.raw import RawTable, code_text, number_of, texts_of

#: a range is shown where at least so many different values occur
LEAST_DISTINCT = 5
#: in fewer rows anything differs by chance
LEAST_ROWS = 5
#: the columns among which pairs are tried as a key
MOST_CANDIDATES = 12
#: codes that programs and people write for a missing answer
_USUAL_CODES = {-99.0, -98.0, -97.0, -9.0, -8.0, -7.0, 97.0, 98.0, 99.0, 997.0, 998.0, 999.0, -997.0, -998.0, -999.0, 9999.0, -9999.0}


@dataclass(frozen=True)
class MissingCode:
    """A code that stands for a missing answer; ``declared`` by the file itself, or only by its label. ``code`` may be a range."""

    code: str
    label: str
    n: int
    reason: str
    declared: bool


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    ``kind``: a type of items.csv, or ``identifying``. ``codes``: (code, label, n) of the labelled answers. ``low`` and ``high``:
    range as text, blank where it is not shown. ``suspects``: usual codes for missing (code, n) that the file does not declare,
    far from the other values.
    """

    name: str
    label: str
    kind: str
    n: int
    n_missing: int
    n_distinct: int
    codes: tuple[tuple[str, str, int], ...] = ()
    missing: tuple[MissingCode, ...] = ()
    low: str = ""
    high: str = ""
    suspects: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Inspection:
    """A file: its columns in order, columns or pairs that differ in each row, columns that may name the wave.

    ``nearly``: columns named like a key that repeat in a few rows only, with the number of these rows. ``own``: columns that the
    exporting program adds by itself.
    """

    n: int
    columns: tuple[ColumnFacts, ...]
    keys: tuple[tuple[str, ...], ...]
    waves: tuple[str, ...]
    nearly: tuple[tuple[str, int], ...] = ()
    own: tuple[str, ...] = ()


def inspect_table(raw: RawTable, decimal: str = ".") -> Inspection:
    """Describe a raw table.

    Parameters
    ----------
    raw : RawTable
        n records of any reader.
    decimal : str
        Decimal mark of numbers held as text.

    Returns
    -------
    Inspection
        Blank cells, declared missing codes and codes whose label says so count as missing.
    """
    ordered = {labels for labels, times in Counter(_answers(raw, str(name)) for name in raw.frame.columns).items() if labels and times > 1}
    columns = tuple(_column(raw, str(name), decimal, ordered) for name in raw.frame.columns)
    keys = likely_keys(raw.frame, columns)
    own = tuple(name for name in raw.own_columns if name in raw.frame.columns)
    return Inspection(len(raw.frame), columns, keys, _likely_waves(columns), () if keys else _near_keys(columns), own)


def _likely_waves(columns: tuple[ColumnFacts, ...]) -> tuple[str, ...]:
    return tuple(c.name for c in columns if 2 <= c.n_distinct <= 12 and is_wave_name(c.name) and (c.codes or c.n_missing == 0))


def _near_keys(columns: tuple[ColumnFacts, ...]) -> tuple[tuple[str, int], ...]:
    fit = [c for c in columns if c.kind in ("text", "integer", "identifying") and is_key_name(c.name)]
    repeats = [(c.name, c.n - c.n_missing - c.n_distinct) for c in fit]
    return tuple((name, n) for name, n in repeats if 0 < n <= columns[0].n // 20)


def _answers(raw: RawTable, name: str) -> tuple:
    """Return the labelled codes of a column that are answers."""
    ranges = raw.user_missing.get(name, ())
    return tuple((c, label) for c, label in raw.levels.get(name, {}).items() if not _is_missing(c, ranges) and not reason_of_label(label))


def _is_missing(code: str, ranges: list[tuple]) -> bool:
    number = number_of(code)
    return declared_missing(code, ranges) or (number is not None and declared_missing(number, ranges))


def _column(raw: RawTable, name: str, decimal: str, ordered: set) -> ColumnFacts:
    texts = texts_of(raw.frame[name])
    distinct, counts = np.unique([text.strip() for text in texts], return_counts=True)
    held = {str(text): int(n) for text, n in zip(distinct, counts, strict=True) if text}
    levels, ranges = raw.levels.get(name, {}), raw.user_missing.get(name, [])
    missing = _missing_codes(held, levels, ranges)
    absent = {code_text(code.code) for code in missing}
    answers = {text: n for text, n in held.items() if code_text(text) not in absent and not _is_missing(text, ranges)}
    label, labelled = raw.labels.get(name, ""), _answers(raw, name)
    kind = _kind(name, label, answers, labelled, decimal, ordered, raw.frame[name])
    n_missing = len(texts) - sum(answers.values())
    given: Counter = Counter()
    for text, n in answers.items():
        given[code_text(text)] += n
    codes = tuple((code, said, given[code_text(code)]) for code, said in labelled)
    known = {code_text(code) for code, _, _ in codes}
    suspects = _suspects(answers, decimal, known) if known or kind in ("integer", "number") else ()
    plain = {text: n for text, n in answers.items() if code_text(text) not in {code for code, _ in suspects}}
    low, high = _range(plain, kind, decimal) if not codes and kind in ("integer", "number", "date") else ("", "")
    return ColumnFacts(name, label, kind, len(texts), n_missing, len(answers), codes, missing, low, high, suspects)


def _missing_codes(held: dict[str, int], levels: dict[str, str], ranges: list[tuple]) -> tuple[MissingCode, ...]:
    """Return the codes for missing: those of the file's ranges that are labelled or occur, and labelled ones whose label says so."""
    labels = {code_text(code): label for code, label in levels.items()}
    counts: Counter = Counter()
    for text, n in held.items():
        counts[code_text(text)] += n
    single = {code_text(low) for low, high in ranges if low == high}
    found = {code for code in {*labels, *counts, *single} if _is_missing(code, ranges)}
    whole = {code for code in found if not re.search(r"\d\.\d", code)}
    codes = [
        MissingCode(code, labels.get(code, ""), counts[code], reason_of_label(labels.get(code, "")) or "no_answer", True) for code in whole
    ]
    inside = {limits: sum(_is_missing(code, [limits]) for code in whole) for limits in ranges if limits[0] != limits[1]}
    wide = [limits for limits, n in inside.items() if n < limits[1] - limits[0] + 1]
    codes += [MissingCode(_range_text(low, high), "", 0, "no_answer", True) for low, high in wide]
    said = {code: reason for code, label in labels.items() if code not in found and (reason := reason_of_label(label))}
    codes += [MissingCode(code, labels[code], counts[code], reason, False) for code, reason in said.items()]
    return tuple(sorted(codes, key=lambda c: (number_of(c.code) is None, number_of(c.code) or 0, c.code)))


def _range_text(low: float, high: float) -> str:
    ends = ["LO" if low == -np.inf or low < -1e300 else code_text(low), "HI" if high == np.inf or high > 1e300 else code_text(high)]
    return " THRU ".join(ends)


def _kind(name: str, label: str, answers: dict, labelled: tuple, decimal: str, ordered: set, cells: pd.Series) -> str:
    if labelled:
        words = {said.strip().lower() for _, said in labelled}
        whole = all((number := number_of(code)) is not None and number == int(number) for code, _ in labelled)
        known = {code_text(code) for code, _ in labelled}
        if answers and not {code_text(text) for text in answers} & known and len(answers) > len(labelled):
            return kind_of_values(answers, cells, decimal)  # a number with a few labelled ends
        if len(labelled) == 2 and words <= YES | NO and words & YES and words & NO:
            return "yes_no"
        return "ordinal" if whole and len(labelled) > 2 and (labelled in ordered or looks_ordered(words)) else "nominal"
    if is_identifying(name, label):
        return "identifying"
    return kind_of_values(answers, cells, decimal)


def _range(answers: dict[str, int], kind: str, decimal: str) -> tuple[str, str]:
    if len(answers) < LEAST_DISTINCT:
        return "", ""
    if kind == "date":
        days = [text[:10] for text in answers if text[:4].isdigit()]
        return min(days), max(days)
    numbers = [number for text in answers if (number := number_of(text, decimal)) is not None]
    return code_text(min(numbers)), code_text(max(numbers))


def _suspects(answers: dict[str, int], decimal: str, known: set[str]) -> tuple[tuple[str, int], ...]:
    found = [(text, n) for text, n in answers.items() if code_text(text) not in known]
    numbers = {number: n for text, n in found if (number := number_of(text, decimal)) is not None}
    if known:
        return tuple((code_text(number), n) for number, n in sorted(numbers.items()) if number in _USUAL_CODES)
    plain = [number for number in numbers if number not in _USUAL_CODES]
    if not plain:
        return ()
    low, high = min(plain), max(plain)
    reach = max(high - low, 1.0)
    return tuple((code_text(c), n) for c, n in sorted(numbers.items()) if c in _USUAL_CODES and (c > high + reach or (c < 0 <= low)))


def likely_keys(frame: pd.DataFrame, columns: tuple[ColumnFacts, ...]) -> tuple[tuple[str, ...], ...]:
    """Return columns that differ in every row and are never missing; where there is none, the first pairs that do, else the
    first threes.

    Texts of several words, numbers with fractions, dates and answers on labelled scales are no keys.
    """
    n = len(frame)
    fit = [c for c in columns if c.kind in ("integer", "text", "nominal", "identifying") or (c.kind == "ordinal" and is_wave_name(c.name))]
    fit = [c for c in fit if c.n_missing == 0 and n >= LEAST_ROWS]
    first = columns[0].name if columns else ""
    single = [c for c in fit if c.n_distinct == n and (c.kind != "integer" or c.name == first or is_key_name(c.name))]
    if single:
        return tuple((c.name,) for c in single)
    named = [c for c in fit if c.n_distinct > 1 and (is_key_name(c.name) or is_wave_name(c.name) or c.name == first)]
    codes = {c.name: pd.factorize(texts_of(frame[c.name]))[0].astype(np.int64) for c in named[:MOST_CANDIDATES]}
    for size in (2, 3):
        unique = [names for names in combinations(codes, size) if _differs([codes[name] for name in names])]
        if unique:
            return tuple(unique[:3])
    return ()


def _differs(codes: list[np.ndarray]) -> bool:
    joined = codes[0]
    for more in codes[1:]:
        joined = np.unique(joined, return_inverse=True)[1] * (more.max() + 1) + more
    return len(np.unique(joined)) == len(joined)
