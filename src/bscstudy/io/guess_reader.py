"""Which reader a raw file is for, by what it holds and not by what it is called."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.raw import UNREADABLE_ARCHIVE, read_bytes
from bscstudy.io.statistical_file import KINDS, kind_of

_OLD_EXCEL = bytes.fromhex("D0CF11E0")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_QUALTRICS = (b'{"ImportId"', b'{""ImportId""', b"ResponseID,ResponseSet", b'"ResponseID","ResponseSet"')


def guess_reader(path: Path, options: dict) -> str:
    """Return the reader of config/sources.yaml that fits a file.

    Parameters
    ----------
    path : Path
        The file.
    options : dict
        Options for the reader; a ``dictionary`` beside a text file means REDCap, ``columns`` a table of coded passages.

    Returns
    -------
    str
        A key of `bscstudy.io.readers.READERS`.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file; -045 a kind of file that is not read.
    """
    content = read_bytes(path)
    kind = kind_of(content)
    if kind or b"ENCRYPTEDSAV" in content[:64]:
        return KINDS[kind or "sav"][0]
    if content.startswith(_OLD_EXCEL):
        return "excel"
    if content.startswith(b"PK"):
        return _packed(path)
    if content.startswith(b"SQLite format 3"):
        return "qualcoder"
    if b"\x00" in content[:4096] and not content.startswith(_WIDE_MARKS):
        raise _unknown(path)
    if options.get("columns"):
        return "code_table"
    if options.get("dictionary"):
        return "redcap"
    if b"<CodeBook" in content[:4096]:
        return "refi"
    head = content[:20000].replace(b" ", b"")
    return "qualtrics" if any(mark in head for mark in _QUALTRICS) else "csv"


def sheets_of(path: Path) -> list[str]:
    """Return the names of a workbook's sheets; empty where it is none."""
    import openpyxl

    try:
        with contextlib.closing(openpyxl.load_workbook(path, read_only=True)) as book:
            return list(book.sheetnames)
    except Exception:  # whatever is wrong with it, the reader of workbooks says so
        return []


def _packed(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except UNREADABLE_ARCHIVE:
        return "refi" if Path(path).suffix.lower() == ".qdpx" else "excel"
    if any(name.lower().endswith(".qde") for name in names):
        return "refi"
    if any(name.startswith("xl/") for name in names):
        return "excel"
    raise _unknown(path)


def _unknown(path: Path) -> BscError:
    return BscError(
        "BSC-SRC-045",
        "The file is of no kind that is read here.",
        str(path),
        "Nothing can be said about what it holds.",
        "Save it as .csv, .xlsx, .sav, .dta, .sas7bdat, .xpt or .qdpx; if it is one of these, name it with --reader.",
    )
