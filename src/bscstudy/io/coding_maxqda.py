"""MAXQDA: the table of coded segments (.xlsx, .csv), one row for each code on each segment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.coding_file import distinct_values
from bscstudy.io.coding_headers import open_table
from bscstudy.io.coding_places import paragraph_places
from bscstudy.io.coding_rows import check_named, hand_over, make_project, numbers
from bscstudy.io.coding_table import PATH_MARK, CodedProject
from bscstudy.io.raw import RawTable, places

PROGRAM = "maxqda"


def read(path: Path, options: dict) -> RawTable:
    """Read MAXQDA's table of coded segments; ``options.table`` as in `bscstudy.io.coding_table`."""
    return hand_over(read_project(path, options), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read MAXQDA's coded segments: full code path, place in paragraphs, weight, who coded. No segment is kept.

    Parameters
    ----------
    path : Path
        A ``.xlsx`` or ``.csv`` file with headers of `coding_headers.csv`; the old ``.xls`` must be saved as ``.xlsx``.
    options : dict
        ``columns``: field -> column, where a header is not known; ``document_id_from``: ``name`` (default) or ``group_and_name``;
        ``decimal``; those of delimited text or Excel.

    Raises
    ------
    BscError
        BSC-QUA-010, -020, -021 headers; -022, -023 the file; -024 a row without document or code, or a weight that is no number;
        -026 documents of one name in several groups.
    """
    table, headers = open_table(path, PROGRAM, options)
    cells = {field: table.frame[column].to_numpy(dtype=object) for field, column in headers.columns.items()}
    check_named(path, table.rows, {"document": cells["document"], "code": cells["code"]})
    blank = np.full(len(table.rows), "", dtype=object)
    names = np.array(distinct_values(cells["document"], str.strip), dtype=object)
    groups = np.array(distinct_values(cells.get("document_group", blank), str.strip), dtype=object)
    documents = _documents(path, names, groups, options.get("document_id_from") or "name")
    frame = pd.DataFrame({"document_id": documents, "coder_id": distinct_values(cells.get("coder", blank), str.strip)}, dtype=object)
    frame["code_path"] = distinct_values(cells["code"], code_path)
    for name, values in paragraph_places(cells.get("first", blank), cells.get("last", blank)).items():
        frame[name] = values
    frame["weight"] = numbers(path, table.rows, "weight", cells.get("weight", blank), options.get("decimal") or ".")
    pairs = dict.fromkeys((group, document) for group, document in zip(groups, documents, strict=True) if group)
    sets = [{"set_name": group, "kind": "document", "member": document} for group, document in pairs]
    about = {**table.provenance, "program": "MAXQDA", "holds": "codings"}
    return make_project(frame, about=about, notices=table.notices, sets=sets)


def code_path(cell: str) -> str:
    """Return the full path of a code as MAXQDA writes it: ``A > B`` in newer versions, a backslash in older ones."""
    parts = cell.split(" > ") if " > " in cell else cell.split(PATH_MARK)
    return PATH_MARK.join(part.strip() for part in parts)


def _documents(path: Path, names: np.ndarray, groups: np.ndarray, way: str) -> np.ndarray:
    if way == "group_and_name":
        return np.array([f"{group}{PATH_MARK}{name}" if group else name for group, name in zip(groups, names, strict=True)], dtype=object)
    of: dict[str, set[str]] = {}
    for group, name in dict.fromkeys(zip(groups, names, strict=True)):
        of.setdefault(name, set()).add(group)
    several = [f"{path}, document '{name}': {len(found)} groups" for name, found in sorted(of.items()) if len(found) > 1]
    if several:
        raise BscError(
            "BSC-QUA-026",
            f"{len(several)} document name(s) occur in several groups of documents.",
            places(several),
            "Different documents would be counted as one.",
            "Set `options.document_id_from: group_and_name`, or give each document its own name.",
        )
    return names
