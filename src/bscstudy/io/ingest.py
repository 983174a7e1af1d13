"""A raw table to an ingested one: keys, wave, typed items, reasons for missing values. Pure; nothing is read or written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io.codebook import ItemVersion, versions_of
from bscstudy.io.describe import describe_columns, unknown_columns
from bscstudy.io.items import type_item
from bscstudy.io.keys import Keys, key_columns, read_keys
from bscstudy.io.merged_ids import refuse_merged
from bscstudy.io.notices import notices_of
from bscstudy.io.raw import RawTable, blank_cells, places
from bscstudy.io.selection import Slice, exclusion_reasons, keep_rows, query_columns, slices_of
from bscstudy.tables import TEXT, Column


@dataclass(frozen=True)
class Ingested:
    """An ingested source.

    ``frame``: row, keys, wave (where the source declares one), excluded, each item, each ``<item>__why`` that says anything.
    ``key``: what names a row. ``extra``: counts, problems, unknown columns and changed ids for the sidecar.
    """

    frame: pd.DataFrame
    key: list[str]
    columns: list[Column]
    extra: dict


@dataclass(frozen=True)
class _Part:
    """One turn of the repeated columns after typing; without reshape the whole source is one turn."""

    columns: dict[str, np.ndarray]
    why: dict[str, np.ndarray]
    problems: list[dict]
    unasked: Counter
    n_blank: int


def ingest(raw: RawTable, source: dict, sections: dict) -> Ingested:
    """Turn a raw table into the typed, keyed table of its source.

    Parameters
    ----------
    raw : RawTable
        As a reader hands it over.
    source : dict
        The source's entry in config/sources.yaml with its ``id``.
    sections : dict
        ``waves``, ``ids``, ``crosswalks``, ``exclusions``, ``items``, ``response_scales``, ``missing_codes``, ``recodes``.

    Returns
    -------
    Ingested
        One row for each record kept (with reshape: for each record and turn that has any content).

    Raises
    ------
    BscError
        BSC-SRC-020 listing every column that is missing; -021 undeclared waves or mapped keys; -022 filter; -023 exclusions;
        -024 reshape, -025 no item among the repeated columns; -080 and -083 two people of one wave who would become one;
        BSC-CFG-007 a recode on a key the source has not, or an item named like a key.
    """
    slices = slices_of([str(name) for name in raw.frame.columns], source.get("reshape"))
    versions = versions_of(source, sections)
    absent = _absent_base(raw, source)
    kept = raw if absent else _kept(raw, source)
    keys = None if absent else read_keys(kept, source, sections)
    used = _used_versions(versions, source, keys)
    _check_columns(source, absent, used, slices)
    _check_names(source["file"], used, keys, slices)
    parts = [_ingest_slice(part, used, kept, keys, source.get("options") or {}) for part in slices]
    turn = list(slices[0].key)
    frame = _joined(parts)
    reasons = exclusion_reasons(frame, [e for e in sections["exclusions"] if e["source"] == source["id"]], sections["ids"], source["file"])
    refuse_merged(keys, kept.rows, np.isin(kept.rows, frame.loc[[r is None for r in reasons], "row"]), source)
    frame.insert(1 + len(keys.values) + len(turn) + (keys.wave is not None), "excluded", reasons)
    extra = _extra(raw, kept, keys, source, parts)
    extra["columns_unknown"] = unknown_columns(raw, source, sections, slices)
    extra["notices"] = notices_of(raw, kept, source, used, slices, frame)
    extra["labels_received"] = {v.column: raw.levels[v.column] for known in used.values() for v in known if v.column in raw.levels}
    return Ingested(frame, ["row", *turn], describe_columns(frame, used, source, raw, turn), extra)


def _extra(raw: RawTable, kept: RawTable, keys: Keys, source: dict, parts: list[_Part]) -> dict:
    return {
        "file": source["file"],
        "reader": source["reader"],
        "encoding": raw.encoding,
        "n_rows_raw": len(raw.rows),
        "n_rows_filtered": len(raw.rows) - len(kept.rows),
        "n_rows_blank": sum(part.n_blank for part in parts),
        "problems": sorted((p for part in parts for p in part.problems), key=lambda p: (p["row"], p["column"], p["item"])),
        "id_changes": keys.changes,
        "crosswalk_rows": {key: list(trail.used) for key, trail in keys.trails.items() if trail.used},
        "answered_not_asked": dict(sorted(sum((part.unasked for part in parts), Counter()).items())),
        "provenance": raw.provenance,
    }


def _absent_base(raw: RawTable, source: dict) -> list[str]:
    wanted = key_columns(source) + (query_columns(source["keep_where"]) if source.get("keep_where") else [])
    return [column for column in dict.fromkeys(wanted) if column not in raw.frame.columns]


def _kept(raw: RawTable, source: dict) -> RawTable:
    if not source.get("keep_where"):
        return raw
    return raw.only(keep_rows(raw.frame, source["keep_where"], source["file"]))


def _used_versions(versions: dict[str, list[ItemVersion]], source: dict, keys: Keys | None) -> dict[str, list[ItemVersion]]:
    """Return, for each item asked in the waves that occur, its versions in use."""
    if isinstance(source.get("wave"), str):
        waves: list[str | None] = [source["wave"]]
    else:
        waves = [None] if keys is None or keys.wave is None else sorted(set(keys.wave))
    used = {}
    for item, known in versions.items():
        first = [next((v for v in known if v.in_wave(wave)), None) for wave in waves]
        chosen = [v for v in known if any(v is f for f in first)]
        if chosen:
            used[item] = chosen
    return used


def _check_columns(source: dict, absent: list[str], used: dict[str, list[ItemVersion]], slices: list[Slice]) -> None:
    present = slices[0].columns
    wanted = {v.column: f"item '{item}'" for item, known in used.items() for v in known if v.column not in present}
    wanted |= {column: "a key, the wave or keep_where" for column in absent}
    if wanted:
        file = source["file"]
        found = [
            f"{file}, header: no column '{column}' for {use}. {nearest(column, list(present))}".strip()
            for column, use in sorted(wanted.items())
        ]
        raise BscError(
            "BSC-SRC-020",
            f"{len(wanted)} column(s) that the configuration names are not in the file.",
            places(found),
            "Answers would be taken for missing, or records could not be told apart.",
            "If a column was renamed, add a row with the new `column` for this source or wave to config/codebook/items.csv "
            "(keys: config/sources.yaml); if it was never asked, limit the item's `waves` or `sources`.",
        )
    repeated = any(present[v.column] != v.column for known in used.values() for v in known)
    if source.get("reshape") and not repeated:
        raise BscError(
            "BSC-SRC-025",
            "No item of the codebook is among the repeated columns that `reshape.pattern` finds.",
            source["file"],
            "Every turn would be taken for empty.",
            "Describe the items in config/codebook/items.csv by what the group `item` of the pattern captures.",
        )


def _check_names(file: str, used: dict[str, list[ItemVersion]], keys: Keys, slices: list[Slice]) -> None:
    taken = {"row", "wave", "excluded", *keys.values, *slices[0].key}
    found = [f"config/codebook/items.csv, item '{item}' ({file})" for item in used if item in taken]
    known = {"wave", *keys.values} if keys.wave is not None else set(keys.values)
    asked = {(item, r["where_key"]) for item, versions in used.items() for v in versions for r in v.recodes if r.get("where_key")}
    found += [f"config/codebook/recodes.csv, item '{item}', where_key '{key}' ({file})" for item, key in sorted(asked) if key not in known]
    if found:
        raise BscError(
            "BSC-CFG-007",
            "An item is named like a key, or a recode asks for a key that the source does not have.",
            tuple(found),
            "One column would overwrite the other, or a code would stay as it is in one place.",
            "Rename the item (with `column` for its name in the file), or add the key to the source.",
        )


def _ingest_slice(part: Slice, used: dict[str, list[ItemVersion]], raw: RawTable, keys: Keys, options: dict) -> _Part:
    mask = _filled_rows(part, used, raw)
    raw = raw.only(mask)
    named = {key: values[mask] for key, values in keys.values.items()}
    named |= {key: np.full(len(raw.rows), value, dtype=object) for key, value in part.key.items()}
    if keys.wave is not None:
        named["wave"] = keys.wave[mask]
    columns, why, problems, unasked = {"row": raw.rows, **named}, {}, [], Counter()
    for item, known in used.items():
        typed = type_item(known, part.columns, raw, named, options)
        columns[item], why[item] = typed.values, typed.why
        unasked[item] = int(typed.unasked.sum())
        found = np.flatnonzero(typed.kind != "")
        problems += [{"row": int(raw.rows[at]), "column": typed.columns[at], "item": item, "kind": typed.kind[at]} for at in found]
    return _Part(columns, why, problems, +unasked, int((~mask).sum()))


def _filled_rows(part: Slice, used: dict[str, list[ItemVersion]], raw: RawTable) -> np.ndarray:
    """With reshape, a turn without any content in its repeated columns is no record."""
    if not part.key:
        return np.ones(len(raw.rows), dtype=bool)
    repeated = {part.columns[v.column] for known in used.values() for v in known if part.columns[v.column] != v.column}
    return ~np.logical_and.reduce([blank_cells(raw.frame[name]) for name in sorted(repeated)])


def _joined(parts: list[_Part]) -> pd.DataFrame:
    joined: dict[str, np.ndarray | pd.arrays.StringArray] = {}
    for name in parts[0].columns:
        joined[name] = np.concatenate([part.columns[name] for part in parts])
        if name in parts[0].why:
            why = np.concatenate([part.why[name] for part in parts])
            given = why != ""
            if given.any():
                why[~given] = np.nan
                joined[f"{name}__why"] = pd.arrays.StringArray(why, dtype=TEXT)
    return pd.DataFrame(joined)
