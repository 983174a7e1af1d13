"""What the columns of an ingested table are, and which columns of the raw file nobody described."""

from __future__ import annotations

import pandas as pd

from bscstudy.io.codebook import ItemVersion, columns_of_instrument
from bscstudy.io.keys import columns_text, key_columns
from bscstudy.io.raw import RawTable
from bscstudy.io.selection import Slice, query_columns
from bscstudy.tables import Column


def unknown_columns(raw: RawTable, source: dict, codebook: dict, slices: list[Slice]) -> list[str]:
    """Return the raw columns that neither the codebook (in any wave or version) nor the source's entry nor the program explains."""
    known = columns_of_instrument(source, codebook) | set(key_columns(source)) | set(raw.own_columns)
    if source.get("keep_where"):
        known |= set(query_columns(source["keep_where"]))
    return sorted({column for part in slices for name, column in part.columns.items() if not {name, column} & known})


def describe_columns(frame: pd.DataFrame, used: dict[str, list[ItemVersion]], source: dict, raw: RawTable, turn: list[str]) -> list[Column]:
    """Return what each column of an ingested frame holds.

    Parameters
    ----------
    frame : DataFrame
        The ingested frame.
    used : dict
        Item -> its versions in use, best first; label, type and levels are those of the first.
    source, raw : dict, RawTable
        The source's entry and its raw table (for the labels of codes the codebook does not name).
    turn : list of str
        The key that repeated columns add, if any.
    """
    described = [Column("row", "Row in the raw file", "integer"), Column("excluded", "Why the record is left out")]
    described += [Column(key, key, source_item=columns_text(spec)) for key, spec in (source.get("keys") or {}).items()]
    described += [Column(key, key) for key in turn]
    declared = source.get("wave")
    described += [Column("wave", "wave", source_item=columns_text(declared) if isinstance(declared, dict) else "")] if declared else []
    for item, known in used.items():
        described += _described_item(item, known, declared if isinstance(declared, str) else "", raw, f"{item}__why" in frame.columns)
    return described


def _described_item(item: str, known: list[ItemVersion], wave: str, raw: RawTable, has_why: bool) -> list[Column]:
    version = known[0]
    levels = {"1": "yes", "0": "no"} if version.type == "yes_no" else version.scale or raw.levels.get(version.column, {})
    columns = " ".join(dict.fromkeys(v.column for v in known))
    values = Column(item, version.label, version.stored_type, version.units, columns, wave, dict(levels))
    return [values, Column(f"{item}__why", f"Why missing: {version.label}", source_item=columns, wave=wave)] if has_why else [values]
