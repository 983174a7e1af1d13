"""NVivo: a matrix of documents by codes, a codebook, or a coding comparison, as tables (.xlsx, .csv)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.io.coding_file import distinct_values, notices_about, read_cells, whole_number
from bscstudy.io.coding_headers import Headers, open_table
from bscstudy.io.coding_rows import UNPLACED, check_named, codebook_of, hand_over, make_project, numbers, refuse_cells
from bscstudy.io.coding_table import PATH_MARK, CodedProject
from bscstudy.io.raw import RawTable

PROGRAM = "nvivo"
MOST_CODINGS = 5_000_000
_ROW, _COLUMN = re.compile(r"\d+\s*:\s*(.+)", re.DOTALL), re.compile(r"[A-Z]{1,3}\s*:\s*(.+)", re.DOTALL)
_TOP = re.compile(r"(?:Codes|Nodes|Files|Cases|Themes|Internals)\\\\", re.IGNORECASE)

#: columns of a coding comparison, which NVivo computed from characters and two groups of users
COMPARISON = {
    "code_path": "Code with its parents",
    "document_id": "Document",
    "kappa": "Cohen's kappa by character",
    "agreement": "Percent of characters on which both groups agree",
    "both": "Percent that both coded",
    "neither": "Percent that neither coded",
    "disagreement": "Percent on which they disagree",
    "only_first": "Percent that only group A coded",
    "only_second": "Percent that only group B coded",
}


def read(path: Path, options: dict) -> RawTable:
    """Read a table that NVivo exported.

    A coding comparison holds no codings, but agreement as NVivo computed it: columns of `COMPARISON`, to put beside one's own.

    Raises
    ------
    BscError
        As `read_project`.
    """
    table, headers = _opened(path, options)
    if headers is not None and headers.table == "comparison":
        return _comparison(path, table, headers, options.get("decimal") or ".")
    return hand_over(_project(path, table, headers), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read NVivo's matrix (one coding for each reference it counts, without place or coder) or codebook.

    Parameters
    ----------
    path : Path
        A ``.xlsx`` or ``.csv`` file. A matrix has rows ``1 : name`` (documents) and columns ``A : name`` (codes), and counts coding
        references.
    options : dict
        ``columns``: field -> column, where a header is not known; those of delimited text or Excel.

    Raises
    ------
    BscError
        BSC-QUA-010, -020, -021 headers; -022, -023 the file; -024 a cell of a matrix that is no count, a row without a name, or a
        coding comparison where codings are wanted.
    """
    table, headers = _opened(path, options)
    if headers is not None and headers.table == "comparison":
        refuse_cells(path, ["header: a coding comparison"], "agreement and no codings", "Export a matrix, or the project as REFI-QDA.")
    return _project(path, table, headers)


def code_path(name: str) -> str:
    """Return the full path of a code as NVivo writes it (``Codes\\\\Parent\\Code``)."""
    return PATH_MARK.join(part.strip() for part in _TOP.sub("", name.strip(), count=1).split(PATH_MARK) if part.strip())


def _opened(path: Path, options: dict) -> tuple[RawTable, Headers | None]:
    """Return the cells, and which column holds what; nothing of a matrix, whose headers are codes."""
    table = read_cells(path, options)
    if not _matrix_columns(table):
        return open_table(path, PROGRAM, options)
    return replace(table, notices=notices_about(path, table, set(table.frame.columns))), None


def _matrix_columns(table: RawTable) -> dict[str, str]:
    """Return column -> code where a table is a matrix, else nothing."""
    others = list(table.frame.columns)[1:]
    found = {column: match[1] for column in others if (match := _COLUMN.fullmatch(column))}
    return found if others and len(found) == len(others) else {}


def _project(path: Path, table: RawTable, headers: Headers | None) -> CodedProject:
    if headers is not None:
        return codebook_of(path, table, headers, "NVivo", code_path)
    codes = {column: code_path(name) for column, name in _matrix_columns(table).items()}
    twice = [f"column '{column}'" for column, code in codes.items() if list(codes.values()).count(code) > 1]
    refuse_cells(path, twice, "the name of a code that another column has", "Export the matrix with full names of codes.")
    found = [_ROW.fullmatch(cell.strip()) for cell in table.frame.iloc[:, 0]]
    wrong = [f"row {row}: name" for row, match in zip(table.rows, found, strict=True) if match is None]
    refuse_cells(path, wrong, "no name of a document as a matrix has it ('1 : name')", "Export the matrix with its names of rows.")
    documents = np.array([match[1].strip() for match in found], dtype=object)
    again = [f"row {row}: name" for row, repeated in zip(table.rows, pd.Series(documents).duplicated(), strict=True) if repeated]
    refuse_cells(path, again, "the name of a document that another row has", "Give each document its own name.")
    times = np.array([distinct_values(table.frame[c].to_numpy(dtype=object), _count) for c in codes], dtype=float).T
    wrong = [f"row {table.rows[r]}, column {c + 2}" for r, c in np.argwhere(np.isnan(times))]
    if times.size and not wrong and times.sum() > MOST_CODINGS:
        wrong = [f"{int(times.sum())} codings in all"]
    refuse_cells(path, wrong, "no count of coding references", "Let the matrix show coding references, and export it again.")
    at, column = np.nonzero(times)
    n = times[at, column].astype(int)
    paths = np.array(list(codes.values()), dtype=object)
    frame = pd.DataFrame({"document_id": documents[at].repeat(n), "code_path": paths[column].repeat(n)}, dtype=object)
    frame = frame.assign(offset_status=UNPLACED, unit="")
    about = {**table.provenance, "program": "NVivo", "holds": "codings"}
    listed = pd.DataFrame({"document_id": documents, "kind": "text"})
    return make_project(frame, documents=listed, about=about, notices=table.notices)


def _count(cell: str) -> float:
    return whole_number(cell) if cell.strip() else 0.0


def _comparison(path: Path, table: RawTable, headers: Headers, decimal: str) -> RawTable:
    cells = {field: table.frame[column].to_numpy(dtype=object) for field, column in headers.columns.items()}
    check_named(path, table.rows, {"document": cells["document"], "code": cells["code"]})
    named = {"code_path": [code_path(cell) for cell in cells["code"]], "document_id": [cell.strip() for cell in cells["document"]]}
    frame = pd.DataFrame(named, dtype=object)
    for name in list(COMPARISON)[2:]:
        plain = np.array([cell.strip().removesuffix("%").strip() for cell in cells.get(name, [""] * len(frame))], dtype=object)
        frame[name] = numbers(path, table.rows, name, plain, decimal)
    about = {**table.provenance, "program": "NVivo", "holds": "comparison"}
    return RawTable(frame, table.rows, own_columns=tuple(COMPARISON), provenance=about)
