"""Comma-, semicolon- and tab-separated text: every cell stays text, every record keeps its line."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import RawTable, places, read_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read(path: Path, options: dict) -> RawTable:
    """Read a delimited text file whose first record holds the column names.

    Parameters
    ----------
    path : Path
        The file; ``.tsv`` means tabs unless ``delimiter`` says otherwise.
    options : dict
        ``encoding`` (utf-8 if absent; a byte-order mark is passed over), ``delimiter`` (comma if absent).

    Returns
    -------
    RawTable
        All cells str; ``NA`` is text like any other. Records without any content are passed over and counted.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -002 encoding, -003 no record, -004 a record of another length, -005 two columns of one
        name, -014 another delimiter, -015 an open quotation mark; BSC-CFG-006 an encoding that nobody knows.
    """
    records, lines, encoding = read_records(path, options)
    return table_of(path, records[0], records[1:], lines[1:], encoding=encoding)


def read_records(path: Path, options: dict) -> tuple[list[list[str]], list[int], str]:
    """Return the records of a text file, the line each starts on, and the encoding used."""
    text, encoding = _decoded(path, options.get("encoding"))
    delimiter = options.get("delimiter") or ("\t" if Path(path).suffix.lower() == ".tsv" else ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if delimiter in ("tab", "\\t") else delimiter, strict=True)
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
    if not records:
        raise _no_record(path, "The file has no line with content.")
    _check_delimiter(path, records, delimiter)
    return records, lines, encoding


def table_of(path: Path, header: list[str], records: list[list[str]], lines: list[int], *, encoding: str = "", **described) -> RawTable:
    """Make the table of a header and its records after checking that every record fits the header."""
    names = column_names(path, header)
    lengths = [len(record) for record in records]
    if any(length != len(names) for length in lengths):
        records = _fitted(path, records, lines, len(names))
    cells = np.empty((len(records), len(names)), dtype=object)
    if records:
        cells[:] = records
    filled = (cells != "").any(axis=1)
    if not filled.any():
        raise _no_record(path, "The file holds column names and no record.")
    frame = pd.DataFrame(cells[filled], columns=pd.Index(names, dtype=object))
    unnamed = [name for name, given in zip(names, header, strict=True) if not given.strip() and (frame[name] == "").all()]
    provenance = {"n_blank_records": int((~filled).sum()), **described.pop("provenance", {})}
    rows = np.asarray(lines, dtype=int)[filled]
    return RawTable(frame.drop(columns=unnamed), rows, encoding=encoding, provenance=provenance, **described)


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


def _decoded(path: Path, declared: str | None) -> tuple[str, str]:
    content = read_bytes(path)
    mark = next((name for start, name in _MARKS if content.startswith(start)), None)
    wanted = declared or "utf-8"
    try:
        plain = codecs.lookup(wanted).name
    except LookupError:
        raise BscError(
            "BSC-CFG-006",
            "The encoding is not one that is known.",
            f"config/sources.yaml, options.encoding of {path}",
            "The file cannot be read.",
            "Use for example utf-8, cp1252 or utf-16.",
        ) from None
    encoding = mark if mark and plain.startswith(mark.removesuffix("-sig")) else plain
    if mark and encoding != mark:
        raise _encoding_error(path, 1, plain, f"The file itself says that it is {mark.replace('-sig', '')}: declare that.")
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        hint = "Often the right one is cp1252 (Excel on Windows): declare it as options.encoding, or save the file as UTF-8."
        raise _encoding_error(path, line, encoding, hint) from None


def _encoding_error(path: Path, line: int, encoding: str, hint: str) -> BscError:
    return BscError(
        "BSC-SRC-002",
        f"The file is not text in the encoding {encoding}.",
        f"{path}, line {line}",
        "Names of places and answers would be garbled, and ids would not match.",
        hint,
    )


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
    other = [
        name for name, mark in (("a comma", ","), ("a semicolon", ";"), ("a tab", "\t")) if mark in records[0][0] and mark != delimiter
    ]
    if other:
        raise BscError(
            "BSC-SRC-014",
            "The first line is not split into columns by the delimiter in use.",
            f"{path}, line 1",
            "The whole record would be taken for one cell.",
            f"Declare the delimiter under `options` in config/sources.yaml; the line holds {' and '.join(other)}.",
        )


def _fitted(path: Path, records: list[list[str]], lines: list[int], width: int) -> list[list[str]]:
    ragged = [
        f"{path}, line {line}: {len(record)} cells, {width} columns"
        for record, line in zip(records, lines, strict=True)
        if len(record) < width or any(cell.strip() for cell in record[width:])
    ]
    if ragged:
        raise BscError(
            "BSC-SRC-004",
            f"{len(ragged)} record(s) have another number of cells than the file has columns.",
            places(ragged),
            "From the odd place on, cells stand in the wrong columns.",
            "Export the file again; a cell that holds the delimiter must be in quotation marks.",
        )
    return [record[:width] for record in records]
