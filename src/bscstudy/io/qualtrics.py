"""Qualtrics CSV exports with their two or three header rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.raw import RawTable, places

_IMPORT_ID = '{"ImportId"'
_LEGACY = {"ResponseID", "ResponseSet"}
_OWN = (
    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId",
    "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude", "LocationLongitude",
    "LocationAccuracy", "DistributionChannel", "UserLanguage", *(f"V{number}" for number in range(1, 11)),
)  # fmt: skip


def read(path: Path, options: dict) -> RawTable:
    """Read a Qualtrics export: names, question texts and import ids (or, from old accounts, names and texts).

    Parameters
    ----------
    path : Path
        The CSV file as exported.
    options : dict
        ``encoding``, ``delimiter`` as for delimited text.

    Returns
    -------
    RawTable
        As a delimited file, without the header rows; labels are the question texts. ``rows`` are lines of the file, also
        where a cell holds line breaks.

    Raises
    ------
    BscError
        BSC-SRC-009 if the header rows were changed or a second export was pasted below; those of a delimited file.
    """
    records, lines, encoding = delimited.read_records(path, options)
    n_headers = _header_rows(path, records)
    repeated = [line for record, line in zip(records[n_headers:], lines[n_headers:], strict=True) if _is_import_row(record)]
    if repeated:
        raise _error("A second export was pasted into the file.", places([f"{path}, line {line}" for line in repeated]))
    names = delimited.column_names(path, records[0])
    texts = {name: " ".join(text.split()) for name, text in zip(names, records[1], strict=False)}
    body, starts = records[n_headers:], lines[n_headers:]
    table = delimited.table_of(path, records[0], body, starts, encoding=encoding, labels=texts, provenance={"n_header_rows": n_headers})
    return replace(table, own_columns=tuple(name for name in table.frame.columns if name in _OWN))


def _is_import_row(record: list[str]) -> bool:
    filled = [cell.replace(" ", "") for cell in record if cell.strip()]
    return bool(filled) and all(cell.startswith(_IMPORT_ID) for cell in filled)


def _header_rows(path: Path, records: list[list[str]]) -> int:
    if len(records) > 2 and _is_import_row(records[2]):
        return 3
    if len(records) > 1 and _LEGACY <= set(records[1]):
        return 2
    raise _error("The header rows are not those of a Qualtrics export (names, question texts, import ids).", f"{path}, lines 1 to 3")


def _error(what: str, where: str | tuple[str, ...]) -> BscError:
    return BscError(
        "BSC-SRC-009",
        what,
        where,
        "A header row that is taken for an answer, or an answer taken for a header, changes every count.",
        "Export the file again from Qualtrics (CSV) and do not open and save it in a spreadsheet.",
    )
