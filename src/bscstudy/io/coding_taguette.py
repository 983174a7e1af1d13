"""Taguette: highlights as a table (.csv, .xlsx), one row for each tag on each highlight, and its codebook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.io.coding_file import distinct_values
from bscstudy.io.coding_headers import open_table
from bscstudy.io.coding_rows import UNPLACED, check_named, codebook_of, hand_over, make_project
from bscstudy.io.coding_table import CodedProject
from bscstudy.io.raw import RawTable, repeated_record

PROGRAM = "taguette"


def read(path: Path, options: dict) -> RawTable:
    """Read Taguette's highlights or codebook; ``options.table`` as in `bscstudy.io.coding_table`."""
    return hand_over(read_project(path, options), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read Taguette's highlights. They say neither who coded nor where the passage stands; tags have no parents.

    Parameters
    ----------
    path : Path
        A ``.csv`` or ``.xlsx`` file with headers of `coding_headers.csv`.
    options : dict
        ``columns``: field -> column, where a header is not known; those of delimited text or Excel.

    Raises
    ------
    BscError
        BSC-QUA-010, -020, -021 headers; -022, -023 the file; -024 a highlight without a document; BSC-SRC-062 a highlight that
        has one tag twice.
    """
    table, headers = open_table(path, PROGRAM, options)
    if headers.table == "codes":
        return codebook_of(path, table, headers, "Taguette")
    ids, documents, codes = (
        np.array(distinct_values(table.frame[headers.columns[field]].to_numpy(dtype=object), str.strip), dtype=object)
        for field in ("id", "document", "code")
    )
    check_named(path, table.rows, {"document": documents, "number of the highlight": ids})
    tagged = codes != ""
    frame = pd.DataFrame({"document_id": documents, "code_path": codes, "highlight": ids}, dtype=object)[tagged].reset_index(drop=True)
    twice = table.rows[tagged][frame.duplicated().to_numpy()]
    if len(twice):
        raise repeated_record(path, [f"row {row}" for row in twice])
    frame = frame.drop(columns="highlight").assign(offset_status=UNPLACED, unit="")
    about = {**table.provenance, "program": "Taguette", "holds": "codings", "n_passages_uncoded": int((~tagged).sum())}
    listed = pd.DataFrame({"document_id": list(dict.fromkeys(documents)), "kind": "text"})
    return make_project(frame, documents=listed, about=about, notices=table.notices)
