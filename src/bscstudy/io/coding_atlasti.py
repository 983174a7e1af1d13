"""ATLAS.ti: the quotations of a project as a table (.csv, .xlsx), and its codebook."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.coding_file import distinct_values, whole_number
from bscstudy.io.coding_headers import open_table
from bscstudy.io.coding_places import paragraph_places
from bscstudy.io.coding_rows import check_named, codebook_of, hand_over, make_project
from bscstudy.io.coding_split import split_codes
from bscstudy.io.coding_table import PATH_MARK, CodedProject
from bscstudy.io.raw import Notice, RawTable, places

PROGRAM = "atlasti"
#: a code and its category, as ATLAS.ti writes them in tables; `::` in older versions
_MARKS = ("::", ": ")


def read(path: Path, options: dict) -> RawTable:
    """Read ATLAS.ti's table of quotations or its codebook; ``options.table`` as in `bscstudy.io.coding_table`."""
    return hand_over(read_project(path, options), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read ATLAS.ti's quotations: one row for each, its codes in one cell, its place in paragraphs. No quotation is kept.

    Parameters
    ----------
    path : Path
        A ``.csv`` or ``.xlsx`` file with headers of `coding_headers.csv`.
    options : dict
        ``columns``: field -> column, where a header is not known; ``codebook``: path of the exported codebook, by which codes
        with commas in their names are told apart; those of delimited text or Excel.

    Raises
    ------
    BscError
        BSC-QUA-010, -020, -021 headers; -022, -023 the file; -024 a quotation without a document; -025 codes of one cell that
        cannot be told apart.
    """
    table, headers = open_table(path, PROGRAM, options)
    if headers.table == "codes":
        return codebook_of(path, table, headers, "ATLAS.ti", code_path)
    cells = {field: table.frame[column].to_numpy(dtype=object) for field, column in headers.columns.items()}
    check_named(path, table.rows, {"document": cells["document"]})
    counts = distinct_values(cells["n_codes"], whole_number) if "n_codes" in cells else [np.nan] * len(table.rows)
    book = set(_book(options["codebook"], options)) if options.get("codebook") else set()
    found, unclear = split_codes(list(cells["codes"]), counts, book)
    if unclear:
        raise _unclear(path, [int(table.rows[at]) for at in unclear])
    times = np.array([len(codes) for codes in found], dtype=int)
    blank = np.full(len(times), "", dtype=object)
    rows = {"document_id": cells["document"], "coder_id": cells.get("coder", blank)}
    rows |= paragraph_places(cells.get("first", blank), cells.get("last", blank))
    frame = pd.DataFrame({name: np.repeat(np.asarray(values, dtype=object), times) for name, values in rows.items()})
    frame["document_id"] = frame["document_id"].str.strip()
    paths = {code: code_path(code) for code in {code for codes in found for code in codes}}
    frame["code_path"] = [paths[code] for codes in found for code in codes]
    about = {**table.provenance, "program": "ATLAS.ti", "holds": "codings", "n_passages_uncoded": int((times == 0).sum())}
    documents = pd.DataFrame({"document_id": list(dict.fromkeys(name.strip() for name in cells["document"])), "kind": "text"})
    strange = sum(code not in book for codes in found for code in codes) if book else 0
    told = "the codebook does not know the code of a passage; it was told from the number of codes"
    notices = (*table.notices, *([Notice("file_notice", told, n=strange, unit="codings")] if strange else []))
    return make_project(frame.infer_objects(), documents=documents, about=about, notices=notices)


def code_path(name: str) -> str:
    """Return the full path of a code as ATLAS.ti writes it (``Category: Code`` or ``Category::Code``)."""
    for mark in _MARKS:
        name = PATH_MARK.join(part.strip() for part in name.split(mark))
    return name


def _book(path: Path, options: dict) -> list[str]:
    """Return the codes of a codebook as it writes them."""
    plain = {name: value for name, value in options.items() if name in ("encoding", "delimiter")}
    table, headers = open_table(path, PROGRAM, plain, "codes")
    return [name.strip() for name in table.frame[headers.columns["code"]]]


def _unclear(path: Path, rows: list[int]) -> BscError:
    return BscError(
        "BSC-QUA-025",
        f"{len(rows)} cell(s) hold several codes that cannot be told apart, or another number of codes than the file says.",
        places([f"{path}, row {row}" for row in rows]),
        "Passages would be counted under codes that do not exist.",
        "Export the codebook too and name it as `options.codebook`, or export the project as REFI-QDA (.qdpx).",
    )
