"""Qualtrics CSV exports with their two or three header rows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.qualtrics_responses import check_distinct, drop_responses
from bscstudy.io.raw import RawTable, places

_LEGACY = {"ResponseID", "ResponseSet"}
#: what Qualtrics itself records of a response: role -> spellings as column name, import id or (old accounts) second header
SYSTEM = {
    "response_id": ("ResponseId", "ResponseID", "_recordId", "responseId"),
    "status": ("Status", "status"),
    "finished": ("Finished", "finished"),
    "channel": ("DistributionChannel", "distributionChannel"),
}
_OWN = (
    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId",
    "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude", "LocationLongitude",
    "LocationAccuracy", "DistributionChannel", "UserLanguage", *(f"V{number}" for number in range(1, 11)),
)  # fmt: skip
#: kinds of column that Qualtrics adds to the questions -> pattern of the name
_ADDED = {
    "timing": re.compile(r".+[ _](First Click|Last Click|Page Submit|Click Count)"),
    "display_order": re.compile(r".+_DO(_\d+|_Q\d+)?"),
    "browser": re.compile(r".+_(Browser|Version|Operating System|Resolution)"),
    "text_analysis": re.compile(r".+ - (Parent Topics|Topics|Topic Hierarchy.*|Sentiment.*|Topic Sentiment.*|Actionability.*|Effort.*)"),
    "fraud_detection": re.compile(r"Q_(Recaptcha|RelevantID|Duplicate|BallotBox|TotalDuration).*"),
}


def read(path: Path, options: dict) -> RawTable:
    """Read a Qualtrics export: names, question texts and import ids (or, from old accounts, names and texts).

    Parameters
    ----------
    path : Path
        The CSV file as exported.
    options : dict
        ``encoding``, ``delimiter`` as for delimited text; ``drop``: which responses are left out and counted, of ``preview``,
        ``test``, ``spam``, ``unfinished`` (by `Status` and `Finished`, as codes or English labels).

    Returns
    -------
    RawTable
        As a delimited file, without the header rows and the dropped responses; labels are the question texts. ``rows`` are
        lines of the file, also where a cell holds line breaks. Columns that Qualtrics or the survey flow adds (display order,
        timing, embedded data, ...) are own columns; their numbers are in the provenance.

    Raises
    ------
    BscError
        BSC-SRC-009 if the header rows were changed or a second export was pasted below, -062 a response twice, -066 a rule of
        `drop` that cannot be judged, -067 no response left; those of a delimited file.
    """
    found = delimited.read_records(path, options)
    n_headers = _header_rows(path, found)
    header, texts = (found.cells[row] for row in (0, 1))
    names = delimited.column_names(path, header)
    ids = [_import_id(cell) for cell in found.cells[2]] if n_headers == 3 else []
    odd = [row + 1 for row in range(1, n_headers) if len(found.cells[row]) != len(header)]
    if odd:
        raise _error("The header rows do not have the same number of cells.", places([f"{path}, header row {row}" for row in odd]))
    table = delimited.table_of(path, found, n_headers, labels=_texts(names, texts), provenance={"n_header_rows": n_headers})
    added = _added_columns(names, ids)
    own = {name for kind in added.values() for name in kind} | set(_OWN)
    counts = {f"columns_{kind}": len(columns) for kind, columns in added.items() if columns}
    zones = sorted({zone for cell in found.cells[2] if (zone := _parsed(cell).get("timeZone"))}) if n_headers == 3 else []
    table = replace(
        table,
        own_columns=tuple(name for name in table.frame.columns if name in own),
        provenance={**table.provenance, **counts, **({"time_zone": " ".join(map(str, zones))} if zones else {})},
    )
    system = _system_columns(names, ids, texts if n_headers == 2 else [])
    check_distinct(path, table, system)
    return drop_responses(path, table, system, options.get("drop") or [])


def _texts(names: list[str], texts: list[str]) -> dict[str, str]:
    return {name: " ".join(text.split()) for name, text in zip(names, texts, strict=False)}


def _parsed(cell: str) -> dict:
    try:
        parsed = json.loads(cell)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _import_id(cell: str) -> str:
    return str(_parsed(cell).get("ImportId", ""))


def _is_import_row(record: list[str]) -> bool:
    filled = [cell for cell in record if cell.strip()]
    return bool(filled) and all(_import_id(cell) for cell in filled)


def _holds_import_id(record: list[str]) -> bool:
    return any("ImportId" in cell and cell.lstrip().startswith("{") for cell in record)


def _header_rows(path: Path, found: delimited.Records) -> int:
    records, n_headers = found.cells, 0
    if len(records) > 2 and _is_import_row(records[2]):
        n_headers = 3
    elif len(records) > 1 and set(records[1]) >= _LEGACY:
        n_headers = 2
    if not n_headers:
        raise _error("The header rows are not those of a Qualtrics export (names, question texts, import ids).", f"{path}, lines 1 to 3")
    repeated = [line for record, line in zip(records[n_headers:], found.lines[n_headers:], strict=True) if _holds_import_id(record)]
    if repeated:
        raise _error("A second export was pasted into the file.", places([f"{path}, line {line}" for line in repeated]))
    return n_headers


def _added_columns(names: list[str], ids: list[str]) -> dict[str, list[str]]:
    """Return the columns that are no questions, by kind; embedded data are those whose import id is of no question."""
    added = {kind: [name for name in names if pattern.fullmatch(name)] for kind, pattern in _ADDED.items()}
    known = {name for columns in added.values() for name in columns} | set(_OWN)
    embedded = [name for name, mark in zip(names, ids, strict=False) if mark and "QID" not in mark and name not in known]
    return {**added, "embedded": embedded}


def _system_columns(names: list[str], ids: list[str], legacy: list[str]) -> dict[str, str]:
    """Return role -> column for what Qualtrics records of a response, by name, import id or second header row."""
    found = {}
    roles = {spelling: role for role, spellings in SYSTEM.items() for spelling in spellings}
    for marks in (legacy, ids, names):
        for name, mark in zip(names, marks, strict=False):
            if mark in roles:
                found[roles[mark]] = name
    return found


def _error(what: str, where: str | tuple[str, ...]) -> BscError:
    return BscError(
        "BSC-SRC-009",
        what,
        where,
        "A header row that is taken for an answer, or an answer taken for a header, changes every count.",
        "Export the file again from Qualtrics (CSV) and do not open and save it in a spreadsheet.",
    )
