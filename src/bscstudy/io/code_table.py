"""Any table with one coded passage a row, its columns declared: for programs that have no reader of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from bscstudy.io.coding_file import notices_about, read_cells
from bscstudy.io.coding_headers import check_declared
from bscstudy.io.raw import RawTable

#: name in ``options.columns`` -> column of the table handed over
COLUMNS = {"document": "document_id", "code": "code_path", "coder": "coder_id", "start": "start", "end": "end"}
#: handed over only where they are named
MORE_COLUMNS = {"first_paragraph": "first_paragraph", "last_paragraph": "last_paragraph", "weight": "weight"}


def read(path: Path, options: dict) -> RawTable:
    """Read a table of coded passages; only the columns named are kept, so no quotation travels on.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.tsv`` or ``.xlsx`` file.
    options : dict
        ``columns``: which column holds ``document`` and ``code`` (required), ``coder``, ``start`` and ``end`` (characters), or
        ``first_paragraph``, ``last_paragraph`` and ``weight``; beside the options of delimited text or Excel.

    Returns
    -------
    RawTable
        Columns document_id, coder_id, code_path, start, end (blank where not named), offset_status (``as_received`` or
        ``document`` where no place in the text is given); ``rows`` are the file's own.

    Raises
    ------
    BscError
        BSC-QUA-010 if a column is not declared or not in the file; -023 an error of Excel in one of them; those of
        `bscstudy.io.coding_file.read_cells`.
    """
    table = read_cells(path, options)
    declared = options.get("columns") or {}
    check_declared(path, declared, {**COLUMNS, **MORE_COLUMNS}, list(table.frame.columns), ("document", "code"))
    blank = pd.Series("", index=table.frame.index, dtype=object)
    frame = pd.DataFrame({name: table.frame[declared[key]] if key in declared else blank for key, name in COLUMNS.items()})
    frame["offset_status"] = ["as_received" if text.strip() else "document" for text in frame["start"]]
    order = ["document_id", "coder_id", "code_path", "start", "end", "offset_status"]
    more = {name: table.frame[declared[key]] for key, name in MORE_COLUMNS.items() if key in declared}
    passed_over = sorted(name for name in table.frame.columns if name not in declared.values())
    about = {**table.provenance, "columns_passed_over": passed_over}
    notices = notices_about(path, table, set(declared.values()))
    return replace(table, frame=frame[order].assign(**more), provenance=about, own_columns=tuple(more), notices=notices)
