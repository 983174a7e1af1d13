"""What every reader hands over: the cells of a raw file as received, with what the file says about them."""

from __future__ import annotations

import datetime
import hashlib
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.inventory import fault_of

MOST_PLACES = 20
#: what a damaged archive makes its library raise
UNREADABLE_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Notice:
    """Something about a file that its reader noticed and a person should look at; it never holds a cell's content.

    Parameters
    ----------
    check : str
        The check that reports it, one of `bscstudy.checks.builtin_files.NOTICES`.
    message : str
        What was noticed, in words.
    column : str
        The column, blank where it concerns the whole file.
    rows : tuple of int
        The rows concerned, as in `RawTable.rows`; each becomes a finding. Empty where it concerns the file or column as a whole.
    n : int
        How many of `unit` it concerns, where no row is named.
    unit : str
        What is counted.
    """

    check: str
    message: str
    column: str = ""
    rows: tuple[int, ...] = ()
    n: int = 1
    unit: str = "cells"


@dataclass(frozen=True)
class RawTable:
    """A raw file as received.

    Parameters
    ----------
    frame : DataFrame
        One row for each record; text files hold str, other kinds also float, int, bool and dates. Blank is ``""`` or NaN.
    rows : ndarray of int
        The record's row as the file's own program shows it (line, Excel row or case number).
    labels : dict
        Column -> label or question text.
    levels : dict
        Column -> {code as text: label}.
    user_missing : dict
        Column -> list of (low, high) ranges that the file itself declares missing.
    encoding : str
        Encoding of a text file, blank where the format has its own.
    own_columns : tuple of str
        Columns that the exporting program adds by itself, so that they are no surprise.
    provenance : dict
        Counts of what was found and what was passed over; no cell values.
    not_asked : dict
        Column -> array of bool, one for each record: the form itself did not ask it there, so that a blank is no skipped answer.
    notices : tuple of Notice
        What a person should look at.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    labels: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    user_missing: dict[str, list[tuple]] = field(default_factory=dict)
    encoding: str = ""
    own_columns: tuple[str, ...] = ()
    provenance: dict = field(default_factory=dict)
    not_asked: dict[str, np.ndarray] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def only(self, mask: np.ndarray) -> RawTable:
        """Return the table with only the records that a mask selects."""
        if mask.all():
            return self
        hidden = {column: flags[mask] for column, flags in self.not_asked.items()}
        return replace(self, frame=self.frame[mask].reset_index(drop=True), rows=self.rows[mask], not_asked=hidden)


def cell_text(value: object) -> str:
    """Return a cell as text: blank for missing, ``1`` for 1.0, ISO for dates; nothing stripped from text."""
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(float(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def number_of(text: str, decimal: str = ".") -> float | None:
    """Return the number a text holds, or None; ``nan``, ``inf`` and thousands marks are no numbers."""
    plain = text.replace(decimal, ".") if decimal != "." else text
    if decimal != "." and "." in text:
        return None
    return float(plain) if _NUMBER.fullmatch(plain) else None


def code_text(value: object) -> str:
    """Return a code in one spelling, so that ``1``, ``1.0`` and `` 1`` are the same code."""
    text = cell_text(value).strip()
    number = number_of(text)
    return text if number is None else cell_text(number)


def texts_of(cells: pd.Series) -> np.ndarray:
    """Return a column's cells as an object array of text, unstripped, blank for missing."""
    codes, distinct = pd.factorize(cells.to_numpy(dtype=object))
    spelled = np.array([cell_text(v) for v in distinct] + [""], dtype=object)
    return spelled[codes]


def blank_cells(cells: pd.Series) -> np.ndarray:
    """Return where a column's cells are empty or hold only spaces."""
    codes, distinct = pd.factorize(cells.to_numpy(dtype=object))
    return np.array([not cell_text(v).strip() for v in distinct] + [True])[codes]


def places(found: list[str]) -> tuple[str, ...]:
    """Return the places for an error, at most twenty and the number of the rest."""
    rest = len(found) - MOST_PLACES
    return tuple(found[:MOST_PLACES]) + ((f"and {rest} more",) if rest > 0 else ())


def repeated_record(path: Path, rows: list[str]) -> BscError:
    """Return the error about records that an export holds more than once."""
    return BscError(
        "BSC-SRC-062",
        f"{len(rows)} record(s) have an identity that the export gives to one record only.",
        places([f"{path}, {row}" for row in rows]),
        "Answers would be counted twice, or those of two people would be mixed up.",
        "Export the file again; do not paste exports together.",
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a raw file, so that a derived table says which bytes it came from."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_file(path: Path) -> None:
    """Check that a raw file is there and has content, before a reader opens it.

    Raises
    ------
    BscError
        BSC-SRC-001 if it is missing, not a file or has no content.
    """
    fault = fault_of(path)
    if fault:
        raise BscError(
            "BSC-SRC-001",
            "A raw file cannot be used.",
            f"{path}: {fault}",
            "Every number that rests on it would be absent.",
            "Put the file as received into the study's folder, or correct `file` in config/sources.yaml.",
        )


def read_bytes(path: Path) -> bytes:
    """Return a raw file's bytes; errors as `check_file`."""
    check_file(path)
    return Path(path).read_bytes()
