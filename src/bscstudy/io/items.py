"""One item of one turn of columns: each row typed by the version of its wave, after harmonising codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.io.cells import CellFormat, TypedCells, missing_reason, type_cells
from bscstudy.io.codebook import ItemVersion
from bscstudy.io.raw import RawTable, code_text


@dataclass(frozen=True)
class TypedItem:
    """One item's values, reasons and kinds of problem (see `TypedCells`).

    ``unasked``: rows that hold an answer although their role or wave is not asked; the answer is kept. ``columns``: the raw
    column of each row.
    """

    values: np.ndarray
    why: np.ndarray
    kind: np.ndarray
    unasked: np.ndarray
    columns: np.ndarray


def type_item(known: list[ItemVersion], names: dict[str, str], raw: RawTable, keys: dict[str, np.ndarray], options: dict) -> TypedItem:
    """Type one item.

    Parameters
    ----------
    known : list of ItemVersion
        The item's versions in use, best first; a row takes the first one of its wave.
    names : dict
        The codebook's column -> the raw column of this turn.
    raw : RawTable
        n records.
    keys : dict
        Key, and ``wave`` where the source has one -> array of length n.
    options : dict
        ``decimal`` and ``date_format`` of the source.

    Returns
    -------
    TypedItem
        A blank cell of a row whose role or wave is not asked, or to which the form itself did not show the question
        (`RawTable.not_asked`), is missing as ``not_asked``.
    """
    chosen, asked = _chosen(known, keys, len(raw.rows))
    typed = [_typed_version(version, names[version.column], raw, keys, options) for version in known]
    values, why, kind, blank = (_picked([getattr(t, part) for t in typed], chosen) for part in ("values", "why", "kind", "blank"))
    columns = np.array([names[version.column] for version in known], dtype=object)[chosen]
    hidden = (~asked | _not_shown(raw, columns)) & blank
    if hidden.any():
        values = np.where(hidden, np.nan if values.dtype == float else None, values)
        why = np.where(hidden, "not_asked", why)
    return TypedItem(
        values=values,
        why=why,
        kind=kind,
        unasked=~asked & ~blank,
        columns=columns,
    )


def _not_shown(raw: RawTable, columns: np.ndarray) -> np.ndarray:
    flags = np.zeros(len(columns), dtype=bool)
    for column in set(pd.unique(columns)) & set(raw.not_asked) if raw.not_asked else ():
        flags |= (columns == column) & raw.not_asked[column]
    return flags


def _chosen(known: list[ItemVersion], keys: dict[str, np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's version (its place in `known`) and whether the row is asked at all."""
    chosen, asked = np.zeros(n, dtype=int), np.ones(n, dtype=bool)
    if "wave" in keys and any(version.waves for version in known):
        codes, waves = pd.factorize(keys["wave"])
        places = [next((i for i, version in enumerate(known) if version.in_wave(wave)), None) for wave in waves]
        chosen = np.array([place or 0 for place in places], dtype=int)[codes]
        asked = np.array([place is not None for place in places], dtype=bool)[codes]
    if "role" in keys and any(version.roles for version in known):
        codes, roles = pd.factorize(keys["role"], use_na_sentinel=False)
        for place, version in enumerate(known):
            if version.roles:
                asked &= ~((chosen == place) & ~np.isin(roles.astype(str), [*version.roles, "None"])[codes])
    return chosen, asked


def _typed_version(version: ItemVersion, column: str, raw: RawTable, keys: dict, options: dict) -> TypedCells:
    cells = raw.frame[column].to_numpy(dtype=object)
    if version.recodes:
        cells = _recoded(cells, version, keys)
    ranges = tuple(raw.user_missing.get(column, ()))
    return type_cells(cells, version, CellFormat(options.get("decimal") or ".", options.get("date_format") or "", ranges))


def _recoded(cells: np.ndarray, version: ItemVersion, keys: dict) -> np.ndarray:
    """Replace codes as received, all at once; a recode for one place or wave goes before one for all."""
    codes, distinct = pd.factorize(cells)
    spelled = np.array([("" if missing_reason(c, version) else code_text(c)) for c in distinct] + [""], dtype=object)[codes]
    new = cells.copy()
    for recode in sorted(version.recodes, key=lambda r: bool(r.get("where_key"))):
        hit = (spelled == code_text(recode["code"])) & (spelled != "")
        if recode.get("where_key"):
            hit &= keys[recode["where_key"]] == str(recode.get("where_value", ""))
        new[hit] = recode.get("new_code") or ""
    return new


def _picked(arrays: list[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    if len(arrays) == 1:
        return arrays[0]
    if len({a.dtype for a in arrays}) > 1:
        arrays = [a.astype(object) for a in arrays]
    return np.stack(arrays)[chosen, np.arange(len(chosen))]
