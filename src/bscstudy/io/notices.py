"""What a reader noticed, as the sidecar of the ingested table keeps it."""

from __future__ import annotations

import pandas as pd

from bscstudy.io.codebook import ItemVersion
from bscstudy.io.keys import key_columns
from bscstudy.io.raw import RawTable
from bscstudy.io.selection import Slice, query_columns

#: notices about single cells that say nothing new where the codebook has judged the cell itself
JUDGED_BY_CODEBOOK = ("form_rule_broken", "error_cell")


def notices_of(
    raw: RawTable, kept: RawTable, source: dict, used: dict[str, list[ItemVersion]], slices: list[Slice], frame: pd.DataFrame
) -> list[dict]:
    """Return the notices that concern what is kept, one entry for each row or, without rows, for each notice.

    Parameters
    ----------
    raw, kept : RawTable
        As received, and after `keep_where`; a notice about a row that is not kept is dropped.
    source : dict
        The source's entry in config/sources.yaml; an error in a column that neither it nor an item reads is dropped.
    used : dict
        Item -> its versions in use.
    slices : list of Slice
        Where each item stands in each turn of repeated columns.
    frame : DataFrame
        The ingested table. A notice that a cell breaks a rule of its form is dropped where the codebook already reports the
        cell, or gives its code a reason for being missing.

    Returns
    -------
    list of dict
        ``check, message, column, row, n, unit`` (row None: the file or column as a whole), in order of check, row and column.
    """
    rows = {int(row) for row in kept.rows}
    judged = _missing_cells(used, slices, frame) if any(notice.check in JUDGED_BY_CODEBOOK for notice in raw.notices) else set()
    columns = {part.columns[v.column] for part in slices for known in used.values() for v in known}
    columns |= {*key_columns(source), *(query_columns(source["keep_where"]) if source.get("keep_where") else ())}
    found = []
    for notice in raw.notices:
        if notice.check == "error_cell" and notice.column not in columns:
            continue
        entry = {"check": notice.check, "message": notice.message, "column": notice.column}
        if not notice.rows:
            found.append({**entry, "row": None, "n": notice.n, "unit": notice.unit})
        passed = judged if notice.check in JUDGED_BY_CODEBOOK else set()
        found += [
            {**entry, "row": row, "n": 1, "unit": notice.unit}
            for row in map(int, notice.rows)
            if row in rows and (notice.column, row) not in passed
        ]
    return sorted(found, key=lambda e: (e["check"], e["row"] is not None, e["row"] or 0, e["column"], e["message"]))


def _missing_cells(used: dict[str, list[ItemVersion]], slices: list[Slice], frame: pd.DataFrame) -> set[tuple[str, int]]:
    """Return (raw column, row) of the cells that ingest made missing."""
    missing = set()
    for part in slices:
        here = frame
        for key, value in part.key.items():
            here = here[here[key] == value]
        for item, known in used.items():
            if f"{item}__why" in here.columns:
                rows = here.loc[here[f"{item}__why"].notna(), "row"]
                missing |= {(part.columns[version.column], int(row)) for version in known for row in rows}
    return missing
