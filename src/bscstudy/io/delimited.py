"""Comma-, semicolon- and tab-separated text: every cell stays text, every record keeps its line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.encodings import read_text
from bscstudy.io.raw import Notice, RawTable, places

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
LONGEST_CELL = 50_000_000
_FILLED_LINE = re.compile(r"[^\r\n]*[^\s\ufeff][^\r\n]*")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class Records:
    """The records of a text file, the line each starts on, and how they were read."""

    cells: list[list[str]]
    lines: list[int]
    encoding: str
    delimiter: str
    notices: tuple[Notice, ...] = ()


def read(path: Path, options: dict) -> RawTable:
    """Read a delimited text file whose first record holds the column names.

    Parameters
    ----------
    path : Path
        The file.
    options : dict
        ``encoding`` (utf-8 if absent; a byte-order mark is passed over), ``delimiter`` (if absent, the one of comma, semicolon,
        tab and bar that splits every record into as many cells as the header has), ``decimal``.

    Returns
    -------
    RawTable
        All cells str; ``NA`` is text like any other. Records without any content are passed over and counted.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -002 encoding, -003 no record, -004 a record of another length, -005 two columns of one
        name, -014 another delimiter, -015 an open quotation mark, -060 several delimiters fit, -061 NUL bytes; BSC-CFG-006 an
        encoding that nobody knows.
    """
    found = read_records(path, options)
    table = table_of(path, found, 1)
    return replace(table, notices=table.notices + _thousands(table.frame)) if options.get("decimal") == "," else table


def read_records(path: Path, options: dict) -> Records:
    """Return the records of a text file, header rows among them (errors as of `read`, but for those about columns)."""
    text, encoding, doubts = read_text(path, options.get("encoding"))
    declared = {"tab": "\t", "\\t": "\t"}.get(options.get("delimiter"), options.get("delimiter"))
    if declared:
        delimiter, (records, lines) = declared, _split(path, text, declared)
    else:
        delimiter, (records, lines) = _sniffed(path, text)
    if not records:
        raise _no_record(path, "The file has no line with content.")
    _check_delimiter(path, records, delimiter)
    return Records(records, lines, encoding, delimiter, doubts + _cut_off(text, records) + _swallowed(records, lines, delimiter))


def _split(path: Path, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, lines, start = [], [], 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error:
        raise BscError(
            "BSC-SRC-015",
            "A record cannot be split into cells: a quotation mark is not closed, or stands inside a cell.",
            f"{path}, the record that starts on line {start}",
            "Cells would end up in the wrong columns.",
            "Export the file again, or correct the quotation marks of that record.",
        ) from None
    return records, lines


def _sniffed(path: Path, text: str) -> tuple[str, tuple[list[list[str]], list[int]]]:
    """Return the delimiter by which every record has as many cells as the header, with the records; a comma where none occurs."""
    first = _FILLED_LINE.search(text)
    candidates = [mark for mark in DELIMITERS if first and mark in first[0]] or [","]
    split, faults = {}, []
    for mark in candidates:
        try:
            split[mark] = _split(path, text, mark)
        except BscError as fault:
            faults.append(fault)
    if not split:
        raise faults[0]
    if not all(records for records, _ in split.values()):
        return candidates[0], ([], [])
    wide = {mark: found for mark, found in split.items() if len(found[0][0]) > 1} or split
    fitting = [mark for mark, (records, _) in wide.items() if all(len(record) == len(records[0]) for record in records)]
    if len(fitting) > 1:
        raise BscError(
            "BSC-SRC-060",
            f"The delimiter is in doubt: {' and '.join(DELIMITERS[mark] for mark in fitting)} each split every record alike.",
            str(path),
            "By the wrong one, cells are cut in two or glued together.",
            "Declare the right one as options.delimiter in config/sources.yaml.",
        )
    best = fitting[0] if fitting else max(wide, key=lambda mark: sum(len(r) == len(wide[mark][0][0]) for r in wide[mark][0]))
    return best, wide[best]


def _cut_off(text: str, records: list[list[str]]) -> tuple[Notice, ...]:
    if len(records) < 2 or text.endswith(("\n", "\r")):
        return ()
    return (Notice("file_notice", "the last line does not end with a line break: the file may have been cut off there", unit="files"),)


def _swallowed(records: list[list[str]], lines: list[int], delimiter: str) -> tuple[Notice, ...]:
    """Return a notice about cells with line breaks in which a line splits like a whole record: a stray pair of quotation marks."""
    width = len(records[0])
    found = []
    for record, start, after in zip(records, lines, [*lines[1:], lines[-1] + 2], strict=True):
        broken = [cell for cell in record if "\n" in cell or "\r" in cell] if after - start > 1 and width > 2 else []
        if any(line.count(delimiter) >= width - 1 for cell in broken for line in cell.splitlines()):
            found.append(start)
    text = "a quoted cell holds what looks like whole records; its quotation marks may be astray"
    return (Notice("file_notice", text, n=len(found), unit="rows"),) if found else ()


def _thousands(frame: pd.DataFrame) -> tuple[Notice, ...]:
    """Return a notice for each column in which every comma stands before exactly three digits although it is declared decimal."""
    found = []
    for column in frame.columns:
        commas = [cell for cell in frame[column] if "," in cell]
        if len(commas) > 2 and all(_THOUSANDS.fullmatch(cell.strip()) for cell in commas):
            text = "every comma stands before exactly three digits: it may mark thousands, and is read as the decimal mark"
            found.append(Notice("file_notice", text, str(column), n=len(commas)))
    return tuple(found)


def table_of(path: Path, found: Records, n_headers: int, **described) -> RawTable:
    """Make the table of a header and the records below its rows after checking that every record fits the header."""
    header, records, lines = found.cells[0], found.cells[n_headers:], found.lines[n_headers:]
    names = column_names(path, header)
    lengths = [len(record) for record in records]
    if any(length != len(names) for length in lengths):
        records = _fitted(path, records, lines, len(names))
    cells = np.empty((len(records), len(names)), dtype=object, order="F")  # a column side by side, as pandas holds it
    if records:
        cells[:] = records
    filled = np.array([any(record) for record in records], dtype=bool)
    if not filled.any():
        raise _no_record(path, "The file holds column names and no record.")
    frame = pd.DataFrame(cells if filled.all() else cells[filled], columns=pd.Index(names, dtype=object), dtype=object, copy=False)
    unnamed = [name for name, given in zip(names, header, strict=True) if not given.strip() and (frame[name] == "").all()]
    provenance = {"delimiter": found.delimiter, "n_blank_records": int((~filled).sum()), **described.pop("provenance", {})}
    rows = np.asarray(lines, dtype=int)[filled]
    frame = frame.drop(columns=unnamed)
    return RawTable(frame, rows, encoding=found.encoding, provenance=provenance, notices=found.notices, **described)


def column_names(path: Path, header: list) -> list[str]:
    """Return the column names, stripped; a column without a name gets its number (BSC-SRC-005 for a repeated name)."""
    names = [str(name).strip() or f"(column {number})" for number, name in enumerate(header, start=1)]
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise BscError(
            "BSC-SRC-005",
            f"{len(repeated)} column name(s) occur more than once.",
            places([f"{path}, column '{name}': columns {_numbers(names, name)}" for name in repeated]),
            "It cannot be known which of them is meant.",
            "Rename the columns at their origin and export again.",
        )
    return names


def _numbers(names: list[str], wanted: str) -> str:
    return ", ".join(str(number) for number, name in enumerate(names, start=1) if name == wanted)


def _no_record(path: Path, what: str) -> BscError:
    return BscError(
        "BSC-SRC-003",
        what,
        str(path),
        "A source without records would make its measures vanish without a word.",
        "Check the export; if there really is no record, remove the source from config/sources.yaml.",
    )


def _check_delimiter(path: Path, records: list[list[str]], delimiter: str) -> None:
    if len(records[0]) > 1:
        return
    other = [name for mark, name in DELIMITERS.items() if mark in records[0][0] and mark != delimiter]
    if other:
        raise BscError(
            "BSC-SRC-014",
            "The first line is not split into columns by the delimiter in use.",
            f"{path}, line 1",
            "The whole record would be taken for one cell.",
            f"Declare the delimiter under `options` in config/sources.yaml; the line holds {' and '.join(other)}.",
        )


def _fitted(path: Path, records: list[list[str]], lines: list[int], width: int) -> list[list[str]]:
    """Cut empty cells off that every record alike has beyond the header; anything else is ragged."""
    lengths = {len(record) for record in records}
    if len(lengths) == 1 and min(lengths) > width and not any(cell.strip() for record in records for cell in record[width:]):
        return [record[:width] for record in records]
    ragged = [
        f"{path}, line {line}: {len(record)} cells, {width} columns"
        for record, line in zip(records, lines, strict=True)
        if len(record) != width
    ]
    raise BscError(
        "BSC-SRC-004",
        f"{len(ragged)} record(s) have another number of cells than the file has columns.",
        places(ragged),
        "From the odd place on, cells stand in the wrong columns.",
        "Export the file again; a cell that holds the delimiter must be in quotation marks.",
    )
