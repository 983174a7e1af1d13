"""Excel workbooks (.xlsx): one sheet, one header row."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io.delimited import column_names
from bscstudy.io.raw import RawTable, cell_text, places, read_bytes

_OLE = bytes.fromhex("D0CF11E0")
MOST_BYTES = 500_000_000


def read(path: Path, options: dict) -> RawTable:
    """Read one sheet of an Excel workbook.

    Parameters
    ----------
    path : Path
        An ``.xlsx`` file.
    options : dict
        ``sheet`` (name; the first if absent), ``header_row`` (from 1; 1 if absent).

    Returns
    -------
    RawTable
        Cells as Excel holds them (numbers, text, dates; the last computed value of a formula); ``rows`` are Excel's.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -003 no record, -005 two columns of one name, -010 not readable or cut off,
        -011 encrypted or in the old format, -012 no such sheet, -013 formulas without a computed value.
    """
    content = read_bytes(path)
    _check_archive(path, content)
    sheet, cells = _cells_of(path, content, options.get("sheet"), formulas=False)
    first = int(options.get("header_row") or 1)
    if len(cells) <= first:
        raise _no_record(path, sheet)
    names, used = _header(path, cells[first - 1])
    rows = [(number, tuple(row[i] if i < len(row) else None for i in used)) for number, row in enumerate(cells[first:], start=first + 1)]
    kept = [(number, row) for number, row in rows if any(cell_text(value).strip() for value in row)]
    if not kept:
        raise _no_record(path, sheet)
    if _has_formulas(content):
        _check_formulas(path, content, sheet, {number: dict(zip(used, row, strict=True)) for number, row in kept})
    frame = pd.DataFrame([[_plain(value) for value in row] for _, row in kept], columns=pd.Index(names, dtype=object), dtype=object)
    provenance = {"sheet": sheet, "n_blank_records": len(rows) - len(kept)}
    return RawTable(frame, np.array([number for number, _ in kept]), provenance=provenance)


def _check_archive(path: Path, content: bytes) -> None:
    if content.startswith(_OLE):
        raise BscError(
            "BSC-SRC-011",
            "The workbook is protected with a password, or is in the old format .xls.",
            str(path),
            "It cannot be read.",
            "Open it in Excel, take the password away, and save it as .xlsx.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise _unreadable(path, "Unpacked it would be larger than any workbook of a study.")
    except zipfile.BadZipFile:
        raise _unreadable(path, "It is cut off, or is no .xlsx file.") from None


def _unreadable(path: Path, detail: str) -> BscError:
    return BscError(
        "BSC-SRC-010",
        f"The workbook cannot be read. {detail}",
        str(path),
        "Records would be lost.",
        "Copy the file again from its origin, or save it as .xlsx in Excel.",
    )


def _no_record(path: Path, sheet: str) -> BscError:
    return BscError(
        "BSC-SRC-003",
        "The sheet holds no record below its header row.",
        f"{path}, sheet '{sheet}'",
        "A source without records would make its measures vanish without a word.",
        "Check `sheet` and `header_row` under `options` in config/sources.yaml.",
    )


def _cells_of(path: Path, content: bytes, wanted: str | None, *, formulas: bool) -> tuple[str, list[tuple]]:
    import warnings

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=not formulas)
            names = [sheet.title for sheet in book.worksheets]
            if (wanted or names[0]) not in names:
                raise _no_sheet(path, wanted, names)
            sheet = book[wanted or names[0]]
            sheet.reset_dimensions()
            return sheet.title, list(sheet.iter_rows(values_only=True))
    except BscError:
        raise
    except Exception:  # a damaged part inside a sound archive fails in many ways, all of them the same to the reader
        raise _unreadable(path, "A part of it is damaged or absent.") from None


def _no_sheet(path: Path, wanted: str | None, names: list[str]) -> BscError:
    return BscError(
        "BSC-SRC-012",
        f"The workbook has no sheet '{wanted}'. {nearest(str(wanted), names)}".strip(),
        f"{path}, sheets: {', '.join(names)}",
        "The source cannot be read.",
        "Correct options.sheet in config/sources.yaml.",
    )


def _header(path: Path, cells: tuple) -> tuple[list[str], list[int]]:
    used = [i for i, value in enumerate(cells) if cell_text(value).strip()]
    return column_names(path, [cell_text(cells[i]) for i in used]), used


def _plain(value: object) -> object:
    return cell_text(value) if isinstance(value, bool) else value


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        return any(b"<f>" in xml or b"<f " in xml for xml in map(archive.read, sheets))


def _check_formulas(path: Path, content: bytes, sheet: str, computed: dict[int, dict]) -> None:
    from openpyxl.utils import get_column_letter

    _, written = _cells_of(path, content, sheet, formulas=True)
    empty = [
        f"{path}, sheet '{sheet}', cell {get_column_letter(column + 1)}{number}"
        for number, row in computed.items()
        for column, value in row.items()
        if value is None and column < len(written[number - 1]) and written[number - 1][column] is not None
    ]
    if empty:
        raise BscError(
            "BSC-SRC-013",
            f"{len(empty)} formula(s) hold no computed value.",
            places(empty),
            "Their cells would be taken for blank.",
            "Open the workbook in Excel, let it calculate, and save it.",
        )
