"""Excel workbooks (.xlsx): one sheet, one or more header rows."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io.delimited import column_names
from bscstudy.io.excel_cells import cell_notices, layout_notices
from bscstudy.io.excel_layout import Layout, layout_of
from bscstudy.io.raw import UNREADABLE_ARCHIVE, RawTable, cell_text, places, read_bytes

_OLE = bytes.fromhex("D0CF11E0")
MOST_BYTES = 500_000_000


def read(path: Path, options: dict) -> RawTable:
    """Read one sheet of an Excel workbook.

    Parameters
    ----------
    path : Path
        An ``.xlsx`` file.
    options : dict
        ``sheet`` (name; the first if absent), ``header_row`` (the first row of the header, from 1; 1 if absent), ``header_rows``
        (how many; 1 if absent) and ``header_separator``, which joins what stands above each other; a cell merged over several
        columns stands above each of them.

    Returns
    -------
    RawTable
        Cells as Excel holds them (numbers, text, dates; the last computed value of a formula); ``rows`` are Excel's. Rows
        without content are passed over. Notices: hidden rows, columns and sheets (they are read), dates or numbers mixed
        with text, error cells.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -003 no record, -005 two columns of one name, -010 not readable or cut off,
        -011 encrypted or in the old format, -012 no such sheet, -013 formulas without a computed value, -068 merged cells
        among the records, -069 a header over more rows than declared.
    """
    content = read_bytes(path)
    _check_archive(path, content)
    sheet, sheets, cells = _cells_of(path, content, options.get("sheet"), formulas=False)
    layout = _layout(path, content, sheet)
    first = int(options.get("header_row") or 1)
    last = first + int(options.get("header_rows") or 1) - 1
    _check_merged(path, sheet, layout, cells, first, last)
    body = cells[last:]
    filled = [(number, row) for number, row in enumerate(body, start=last + 1) if any(cell_text(value).strip() for value in row)]
    if not filled:
        raise _no_record(path, sheet)
    header = _header(cells, layout, first, last, str(options.get("header_separator") or " "))
    used = _used_columns(header, filled)
    names = column_names(path, [header.get(column, "") for column in used])
    rows = [tuple(row[i] if i < len(row) else None for i in used) for _, row in filled]
    numbers = np.array([number for number, _ in filled])
    if layout.has_formulas:
        _check_formulas(path, content, sheet, dict(zip(numbers.tolist(), (dict(zip(used, row, strict=True)) for row in rows), strict=True)))
    frame = pd.DataFrame([[_plain(value) for value in row] for row in rows], columns=_named(names, used, header), dtype=object)
    provenance = {"sheet": sheet, "n_sheets": len(sheets), "n_blank_records": int(numbers[-1]) - last - len(rows)}
    notices = layout_notices(layout, frame, numbers, used, sheets, chosen=bool(options.get("sheet"))) + cell_notices(frame, numbers)
    return RawTable(frame, numbers, provenance=provenance, notices=tuple(notices))


def _layout(path: Path, content: bytes, sheet: str) -> Layout:
    try:
        return layout_of(content, sheet)
    except Exception:  # as for the cells: a damaged part fails in many ways
        raise _unreadable(path, "A part of it is damaged or absent.") from None


def _header(cells: list[tuple], layout: Layout, first: int, last: int, separator: str) -> dict[int, str]:
    """Return column -> name, the parts above each other joined; a merged cell counts in each column and once in each name."""
    parts: dict[int, list[str]] = {}
    spread = {place: (merged.row, merged.column) for merged in layout.merged for place in merged.places(last)}
    width = max((len(row) for row in cells[first - 1 : last]), default=0)
    for column in range(width):
        sources = dict.fromkeys(spread.get((row, column), (row, column)) for row in range(first, last + 1))
        texts = [" ".join(cell_text(_at(cells, *place)).split()) for place in sources]
        parts[column] = [text for text in texts if text]
    return {column: separator.join(texts) for column, texts in parts.items() if texts}


def _at(cells: list[tuple], row: int, column: int) -> object:
    return cells[row - 1][column] if 0 < row <= len(cells) and column < len(cells[row - 1]) else None


def _used_columns(header: dict[int, str], filled: list[tuple[int, tuple]]) -> list[int]:
    """Return the columns with a name or with content."""
    used = set(header)
    for _, row in filled:
        used |= {column for column, value in enumerate(row) if column not in used and cell_text(value).strip()}
    return sorted(used)


def _named(names: list[str], used: list[int], header: dict[int, str]) -> pd.Index:
    """A column without a name is called by its letter, as Excel shows it."""
    from openpyxl.utils import get_column_letter

    return pd.Index(
        [name if i in header else f"(column {get_column_letter(i + 1)})" for name, i in zip(names, used, strict=True)], dtype=object
    )


def _check_merged(path: Path, sheet: str, layout: Layout, cells: list[tuple], first: int, last: int) -> None:
    over = [
        merged for merged in layout.merged if first <= merged.row <= last and (merged.last_row > last or (first == last and merged.wide))
    ]
    if over:
        raise BscError(
            "BSC-SRC-069",
            "The header is spread over merged cells.",
            places([f"{path}, sheet '{sheet}', cells {merged.name}" for merged in over]),
            "Columns below a merged cell would have no name, or a row of the header would be taken for a record.",
            "Declare how many rows the header has as options.header_rows, and what joins them as options.header_separator.",
        )
    inside = [merged for merged in layout.merged if merged.row > last and cell_text(_at(cells, merged.row, merged.column)).strip()]
    if inside:
        raise BscError(
            "BSC-SRC-068",
            f"{len(inside)} group(s) of cells among the records are merged.",
            places([f"{path}, sheet '{sheet}', cells {merged.name}" for merged in inside]),
            "Excel keeps one value for the whole group; the other cells would be taken for blank.",
            "Take the merging away in Excel and fill in each cell.",
        )


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
    except UNREADABLE_ARCHIVE:
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


def _cells_of(path: Path, content: bytes, wanted: str | None, *, formulas: bool) -> tuple[str, list[str], list[tuple]]:
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
            return sheet.title, names, list(sheet.iter_rows(values_only=True))
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


def _plain(value: object) -> object:
    return cell_text(value) if isinstance(value, bool) else value


def _check_formulas(path: Path, content: bytes, sheet: str, computed: dict[int, dict]) -> None:
    from openpyxl.utils import get_column_letter

    _, _, written = _cells_of(path, content, sheet, formulas=True)
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
