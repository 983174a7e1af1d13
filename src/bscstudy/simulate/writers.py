"""Writers of the raw files as other programs would export them, with every date inside a file fixed so that bytes repeat."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from bscstudy.tables import write_bytes, write_text

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
SAV_DATE = slice(92, 109)


def write_csv(frame: pd.DataFrame, path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write a plain text table."""
    write_bytes(path, frame.to_csv(index=False, sep=delimiter, lineterminator="\n").encode(encoding))
    return path


def write_sav(frame: pd.DataFrame, path: Path, *, labels: dict, value_labels: dict, missing_ranges: dict) -> Path:
    """Write an SPSS file; the creation date in its header is replaced by a fixed one."""
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / path.name
        pyreadstat.write_sav(
            frame,
            str(part),
            column_labels=[labels.get(c, c) for c in frame.columns],
            variable_value_labels=value_labels,
            missing_ranges=missing_ranges,
        )
        content = bytearray(part.read_bytes())
    content[SAV_DATE] = b"01 Jan 0000:00:00"
    write_bytes(path, bytes(content))
    return path


def write_xlsx(frame: pd.DataFrame, path: Path, *, sheet: str) -> Path:
    """Write a workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    page.title = sheet
    page.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        page.append([None if pd.isna(v) else v for v in row])
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as written:
        members = {name: written.read(name) for name in written.namelist()}
    core = members["docProps/core.xml"].decode("utf-8")
    members["docProps/core.xml"] = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2025-01-01T00:00:00Z", core).encode("utf-8")
    write_zip(members, path)
    return path


def write_zip(members: dict[str, bytes], path: Path) -> Path:
    """Write a zip archive whose members all carry the same date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, FIXED_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    write_bytes(path, buffer.getvalue())
    return path


def write_qualtrics(frame: pd.DataFrame, path: Path, *, questions: dict[str, str]) -> Path:
    """Write a Qualtrics export: byte order mark, three header rows (names, questions, ImportId), then the forms."""
    identifiers = {c: json.dumps({"ImportId": f"QID_{c}" if c.startswith("Q") else c[0].lower() + c[1:]}) for c in frame.columns}
    heads = pd.DataFrame([{c: questions.get(c, c) for c in frame.columns}, identifiers])
    body = pd.concat([heads, frame.astype(object)], ignore_index=True)
    write_text(path, "\ufeff" + body.to_csv(index=False, lineterminator="\n"))
    return path
