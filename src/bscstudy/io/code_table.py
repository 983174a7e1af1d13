"""A coder's export from a program for coding text, as a table with one coded passage a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io import delimited, excel
from bscstudy.io.raw import RawTable, places, texts_of

#: name in ``options.columns`` -> column of the table handed over
COLUMNS = {"document": "document_id", "code": "code_path", "coder": "coder_id", "start": "start", "end": "end"}


def read(path: Path, options: dict) -> RawTable:
    """Read a table of coded passages; only the columns named are kept, so no quotation travels on.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.tsv`` or ``.xlsx`` file.
    options : dict
        ``columns``: which column holds ``document`` and ``code`` (required), ``coder``, ``start`` and ``end``; beside the
        options of delimited text or Excel.

    Returns
    -------
    RawTable
        Columns document_id, coder_id, code_path, start, end (blank where not named), offset_status (``as_received`` or
        ``document`` where no place in the text is given).

    Raises
    ------
    BscError
        BSC-QUA-010 if a column is not declared or not in the file; those of the underlying reader.
    """
    reader = excel.read if Path(path).suffix.lower() == ".xlsx" else delimited.read
    table = reader(path, options)
    declared = options.get("columns") or {}
    _check_columns(path, declared, [str(name) for name in table.frame.columns])
    blank = pd.Series("", index=table.frame.index, dtype=object)
    frame = pd.DataFrame({name: table.frame[declared[key]] if key in declared else blank for key, name in COLUMNS.items()})
    frame["offset_status"] = ["as_received" if text.strip() else "document" for text in texts_of(frame["start"])]
    order = ["document_id", "coder_id", "code_path", "start", "end", "offset_status"]
    passed_over = sorted(str(name) for name in table.frame.columns if name not in declared.values())
    return replace(table, frame=frame[order], provenance={**table.provenance, "columns_passed_over": passed_over})


def _check_columns(path: Path, declared: dict, present: list[str]) -> None:
    found = [f"options.columns of {path}: '{key}' is not declared" for key in ("document", "code") if key not in declared]
    found += [f"options.columns of {path}: '{key}' is not one of {', '.join(COLUMNS)}" for key in declared if key not in COLUMNS]
    found += [
        f"{path}, no column '{column}' for {key}. {nearest(column, present)}".strip()
        for key, column in declared.items()
        if column not in present
    ]
    if found:
        raise BscError(
            "BSC-QUA-010",
            "The columns of a table of coded passages are not as declared.",
            places(found),
            "Codes could not be told from documents.",
            "Correct options.columns in config/sources.yaml: {document: ..., code: ..., coder: ..., start: ..., end: ...}.",
        )
