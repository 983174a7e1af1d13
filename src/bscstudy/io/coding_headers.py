"""What the columns of a program's table of codings are called, in its languages: `coding_headers.csv`, and the study's own names."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bscstudy.errors import BscError, nearest
from bscstudy.io.coding_file import notices_about, read_cells
from bscstudy.io.raw import RawTable, places

_TABLE = Path(__file__).with_name("coding_headers.csv")
#: letters that no accent makes
_PLAIN = str.maketrans({"ł": "l", "ß": "ss", "ø": "o", "đ": "d"})


@dataclass(frozen=True)
class Headers:
    """Which table a file is (``codings``, ``codes``, ...) and which column holds what.

    ``columns``: field -> column of the file. ``families``: field -> {what stands for the ``*`` of its header: column}.
    """

    table: str
    columns: dict[str, str]
    families: dict[str, dict[str, str]]

    @property
    def used(self) -> set[str]:
        """All columns that are known."""
        return {*self.columns.values(), *(name for family in self.families.values() for name in family.values())}


def open_table(path: Path, program: str, options: dict, only: str = "") -> tuple[RawTable, Headers]:
    """Return the cells of a program's table and which column holds what.

    Raises
    ------
    BscError
        As `bscstudy.io.coding_file.read_cells` and `find_headers`; BSC-QUA-023 an error of Excel in a column that is read.
    """
    table = read_cells(path, options)
    headers = find_headers(path, program, list(table.frame.columns), options.get("columns") or {}, only)
    read = headers.used - {headers.columns.get("text", "")}
    return replace(table, notices=notices_about(path, table, read)), headers


@cache
def known_headers(program: str) -> dict[str, dict[str, tuple[bool, tuple[str, ...]]]]:
    """Return table -> field -> (whether the table needs it, its headers in all languages) of a program."""
    found: dict[str, dict[str, tuple[bool, tuple[str, ...]]]] = {}
    with open(_TABLE, encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["program"] == program:
                fields = found.setdefault(row["table"], {})
                required, names = fields.get(row["field"], (row["required"] == "1", ()))
                fields[row["field"]] = (required, (*names, row["header"]))
    return found


def plain_header(name: str) -> str:
    """Return a header without capitals, accents, marks at its end and doubled spaces, so that a lost accent loses no column."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", str(name).casefold()) if not unicodedata.combining(c))
    return " ".join(bare.translate(_PLAIN).split()).rstrip(" :")


def find_headers(path: Path, program: str, present: list[str], declared: dict[str, str], only: str = "") -> Headers:
    """Return which of a program's tables a file is, and its columns.

    Parameters
    ----------
    path : Path
        The file, for errors.
    program : str
        A program of `coding_headers.csv`.
    present : list of str
        Columns of the file.
    declared : dict
        ``options.columns``: field -> column; it goes before the known names, and for ``code_*`` families a header with one ``*``.
    only : str
        The table it must be; any if blank.

    Raises
    ------
    BscError
        BSC-QUA-010 where ``options.columns`` names a field or column that does not exist; -020 where a column that is needed is
        under no known name; -021 where two columns have names of one field.
    """
    tables = known_headers(program)
    check_declared(path, declared, {field for fields in tables.values() for field in fields}, present)
    fits, twice = [], []
    for table, fields in ((name, tables[name]) for name in tables if only in ("", name)):
        columns, families, doubled = _columns(fields, present, declared)
        missing = [field for field, (required, _) in fields.items() if required and field not in columns and field not in families]
        fits.append((len(missing), -len(columns) - len(families), table, missing, Headers(table, columns, families)))
        twice += [(table, field, names) for field, names in doubled.items()]
    n_missing, _, table, missing, found = min(fits, key=lambda fit: fit[:2])
    if n_missing:
        raise _unknown(path, tables[table], missing)
    doubled = [f"{path}, {' and '.join(repr(n) for n in names)} for {field}" for of, field, names in twice if of == table]
    if doubled:
        raise BscError(
            "BSC-QUA-021",
            "Several columns have a name by which a program calls one thing.",
            places(doubled),
            "It cannot be known which of them is meant.",
            "Say which as `options.columns` of the source: {document: ..., code: ...}.",
        )
    return found


def _columns(fields: dict, present: list[str], declared: dict[str, str]) -> tuple[dict, dict, dict]:
    """Return the columns, the families of columns, and the fields with more than one column."""
    named: dict[str, list[str]] = {}
    for name in present:
        named.setdefault(plain_header(name), []).append(name)
    columns, families, doubled = {}, {}, {}
    for field, (_, headers) in fields.items():
        own = declared.get(field)
        patterns = [header for header in ([own] if own else headers) if "*" in header]
        if patterns:
            family: dict[str, list[str]] = {}
            for part, name in ((_starred(pattern, name), name) for pattern in patterns for name in present):
                family.setdefault(part, []).append(name)
            families |= {field: {part: found[0] for part, found in family.items() if part}} if set(family) - {""} else {}
            doubled |= {f"{field} '{part}'": found for part, found in family.items() if part and len(found) > 1}
            continue
        found = [own] if own else [name for header in dict.fromkeys(map(plain_header, headers)) for name in named.get(header, [])]
        columns |= {field: found[0]} if found else {}
        doubled |= {field: found} if len(found) > 1 else {}
    return columns, families, doubled


def _starred(pattern: str, name: str) -> str:
    """Return what stands for the ``*`` of a header in a column's name, or blank."""
    before, after = pattern.split("*", 1)
    text = " ".join(name.split())
    match = re.fullmatch(f"{re.escape(before)}(.+?){re.escape(after)}", text, re.IGNORECASE)
    return match[1].strip() if match else ""


def check_declared(path: Path, declared: dict, fields: Iterable[str], present: list[str], required: tuple[str, ...] = ()) -> None:
    """Check ``options.columns`` against the fields that it may name and the columns of the file.

    Raises
    ------
    BscError
        BSC-QUA-010 with everything in it that does not exist, and the required fields that it does not name.
    """
    fields = sorted(fields)
    found = [f"options.columns of {path}: '{key}' is not declared" for key in required if key not in declared]
    found += [f"options.columns of {path}: '{key}' is not one of {', '.join(fields)}" for key in declared if key not in fields]
    found += [
        f"{path}, no column '{column}' for {key}. {nearest(column, present)}".strip()
        for key, column in declared.items()
        if "*" not in column and column not in present
    ]
    if found:
        raise BscError(
            "BSC-QUA-010",
            "The columns of a table of coded passages are not as declared.",
            places(found),
            "Codes could not be told from documents.",
            "Correct options.columns in config/sources.yaml: {document: ..., code: ..., coder: ..., start: ..., end: ...}.",
        )


def _unknown(path: Path, fields: dict, missing: list[str]) -> BscError:
    return BscError(
        "BSC-QUA-020",
        f"{len(missing)} column(s) of the program's table are under no name that is known.",
        places([f"{path}, header: no column for {field} (known: {', '.join(fields[field][1])})" for field in missing]),
        "Codes could not be told from documents.",
        "Name them as `options.columns` of the source ({document: Dokument, code: Kode}), or export the table of coded passages.",
    )
