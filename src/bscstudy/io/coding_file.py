"""The cells of a table that a program for coding text exported, opened with distrust: it may come from anywhere."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io import delimited, excel
from bscstudy.io.raw import UNREADABLE_ARCHIVE, Notice, RawTable, check_file, places, read_bytes, texts_of
from bscstudy.io.refi_archive import MOST_MEMBERS, is_too_dense, path_fault

MOST_FILE_BYTES = 500_000_000
#: unpacked; workbooks are held as cells, which take several times as much
MOST_PART_BYTES = 200_000_000
_DOCUMENT_TYPE = b"<!DOCTYPE"


def read_cells(path: Path, options: dict) -> RawTable:
    """Return a table's cells as text, from a workbook (.xlsx) or delimited text, which of them its content says.

    Returns
    -------
    RawTable
        Cells str, unstripped; ``rows`` as Excel or an editor counts them.

    Raises
    ------
    BscError
        BSC-QUA-022 a file or part that is far too large, leads out, is protected or declares a document type; those of
        `bscstudy.io.excel.read` and `bscstudy.io.delimited.read`.
    """
    check_file(path)
    if Path(path).stat().st_size > MOST_FILE_BYTES:
        raise _refused(f"{path}: the file is larger than any table of codings")
    with open(path, "rb") as handle:
        head = handle.read(4)
    packed = head == b"PK\x03\x04"
    if packed:
        _check_workbook(path)
    reader = excel if packed or head == b"\xd0\xcf\x11\xe0" else delimited
    table = reader.read(path, options)
    frame = table.frame
    if reader is excel:
        frame = pd.DataFrame({name: texts_of(frame[name]) for name in frame.columns}, dtype=object)
    return replace(table, frame=frame, notices=table.notices + _repeated(frame))


def notices_about(path: Path, table: RawTable, columns: set[str]) -> tuple[Notice, ...]:
    """Return what a person should look at, as notices about the whole file, since a row may hold several codings.

    Raises
    ------
    BscError
        BSC-QUA-023 cells of the columns in which Excel shows an error.
    """
    errors = [n for n in table.notices if n.check == "error_cell"]
    found = [f"{path}, column '{n.column}', row {row}" for n in errors if n.column in columns for row in n.rows]
    if found:
        raise BscError(
            "BSC-QUA-023",
            f"{len(found)} cell(s) of a table of codings show an error of Excel.",
            places(found),
            "What stood there is lost.",
            "Export the table again and do not open it in Excel before it is read.",
        )
    others = [n for n in table.notices if n.check != "error_cell"]
    return tuple(replace(n, rows=(), n=len(n.rows), unit="rows") if n.rows else n for n in others)


def _repeated(frame: pd.DataFrame) -> tuple[Notice, ...]:
    n = len(frame) - len(set(map(hash, zip(*(frame[name] for name in frame.columns), strict=True))))
    told = "a row repeats another one in every cell; it is read like the others, so that its passage counts twice"
    return (Notice("file_notice", told, n=n, unit="rows"),) if n else ()


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            members = archive.infolist()
            found = [f"{path}, member {number}: {fault}" for number, m in enumerate(members, start=1) if (fault := _fault_of(m))]
            names = [m.filename.lower() for m in members]
            found += [f"{path}: two members of one name"] if len(names) != len(set(names)) else []
            found += [f"{path}: it holds more members than a workbook"] if len(members) > MOST_MEMBERS else []
            found += [f"{path}: unpacked it is too large"] if sum(m.file_size for m in members) > 2 * MOST_PART_BYTES else []
            if not found:
                found = [f"{path}: a part declares a document type" for m in members if _declares_type(archive, m)][:1]
    except UNREADABLE_ARCHIVE:
        return  # the reader of workbooks says what is wrong
    if found:
        raise _refused(*found)


def _fault_of(member: zipfile.ZipInfo) -> str:
    fault = path_fault(member)
    too_large = member.file_size > MOST_PART_BYTES or is_too_dense(member.file_size, member.compress_size)
    return fault or ("unpacked it is too large" if too_large else "")


def _declares_type(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Whether a part of the workbook starts with a document type, which no program writes."""
    if not member.filename.lower().endswith((".xml", ".rels")):
        return False
    with archive.open(member) as handle:
        return _DOCUMENT_TYPE in handle.read(4096).upper().replace(b"\x00", b"")


def _refused(*where: str) -> BscError:
    return BscError(
        "BSC-QUA-022",
        "The table of codings holds something that is not read.",
        places(list(where)),
        "No code of it can be counted.",
        "Do not use this file; ask for a fresh export.",
    )


def whole_number(text: str) -> float:
    """Return the whole number that a cell holds, 0 or more, or NaN."""
    plain = text.strip().removesuffix(".0")
    return float(plain) if plain.isascii() and plain.isdigit() and len(plain) < 16 else float("nan")


def distinct_values(texts: np.ndarray, convert) -> list:
    """Return what a function makes of each text, called once for each distinct one."""
    cells = list(texts)
    made = {text: convert(text) for text in set(cells)}
    return [made[text] for text in cells]
