"""Records of two readings of one instrument compared: the same, overlapping, or corrected - counted, never shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from bscstudy.io.raw import cell_text

_NOT_CONTENT = ("row", "excluded", "wave")


@dataclass(frozen=True)
class Changes:
    """What a corrected file changes: records and, of those in both files, cells by column."""

    n_before: int
    n_after: int
    n_common: int
    n_added: int
    n_removed: int
    n_changed: int
    cells: dict[str, int] = field(default_factory=dict)


def same_records(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Tell whether two ingested tables hold the same records, in whatever order and whichever wave they are said to be of."""
    content = [c for c in first.columns if c not in _NOT_CONTENT and not c.endswith("__why")]
    other = [c for c in second.columns if c not in _NOT_CONTENT and not c.endswith("__why")]
    shared = [c for c in content if c in other]
    if len(first) != len(second) or not shared or len(shared) < 0.8 * max(len(content), len(other)):
        return False
    return _records(first, shared) == _records(second, shared)


def n_overlapping(first: pd.DataFrame, second: pd.DataFrame, key: list[str]) -> int:
    """Return how many records of the second table are in the first, by their key, or as a whole where they have none."""
    columns = key or [c for c in second.columns if c in first.columns and c not in _NOT_CONTENT]
    return sum((_records(first, columns) & _records(second, columns)).values())


def changes(before: pd.DataFrame, after: pd.DataFrame, key: list[str]) -> Changes:
    """Count what differs between an earlier and a corrected reading of one source.

    Parameters
    ----------
    before, after : DataFrame
        Ingested by the same entry of sources.yaml.
    key : list of str
        What names a record. Without one records are compared as a whole: a changed record counts as removed and added.
        Records whose key repeats are compared in the order of the file.
    """
    columns = key or [c for c in after.columns if c in before.columns and c not in _NOT_CONTENT]
    old, new = _numbered(before, columns), _numbered(after, columns)
    common = old.index.intersection(new.index)
    values = [c for c in dict.fromkeys([*before.columns, *after.columns]) if c not in (*_NOT_CONTENT[:2], *columns)]
    differs = pd.DataFrame(
        {c: _texts(old, c).loc[common].to_numpy() != _texts(new, c).loc[common].to_numpy() for c in values}, index=common, dtype=bool
    )
    differs = _without_reasons(differs)
    return Changes(
        n_before=len(before),
        n_after=len(after),
        n_common=len(common),
        n_added=len(new) - len(common),
        n_removed=len(old) - len(common),
        n_changed=int(differs.any(axis=1).sum()) if len(differs.columns) else 0,
        cells={column: int(n) for column, n in differs.sum().items() if n},
    )


def _without_reasons(differs: pd.DataFrame) -> pd.DataFrame:
    """Count a value and its reason for being missing as one cell, under the item's name."""
    for why in [c for c in differs.columns if c.endswith("__why")]:
        item = why.removesuffix("__why")
        flags = differs.pop(why)
        differs[item] = differs[item] | flags if item in differs.columns else flags
    return differs


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame.columns:
        return pd.Series("", index=frame.index)
    return frame[column].map(lambda value: cell_text(value) if not pd.isna(value) else "")


def _records(frame: pd.DataFrame, columns: list[str]) -> Counter:
    return Counter(zip(*(_texts(frame, column) for column in columns), strict=True)) if columns else Counter()


def _numbered(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Index the records by their key and, where it repeats, their turn."""
    keys = pd.DataFrame({c: _texts(frame, c) for c in columns})
    turn = keys.groupby(columns, sort=False).cumcount()
    return frame.set_index(pd.MultiIndex.from_arrays([*(keys[c] for c in columns), turn]))
