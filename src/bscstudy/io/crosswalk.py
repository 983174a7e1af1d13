"""Renamed ids: the rows of a crosswalk, judged before anything is read, and carried out record by record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.io.raw import places
from bscstudy.io.spelling import spell


@dataclass(frozen=True)
class Crosswalk:
    """The rows of one key's crosswalk that concern one source, all ids in the declared spelling.

    ``renames``: (number of the row in its file, old id, new id, waves in which it holds or None for all records). ``spellings``:
    (number of the row, spelling as in the file) that a row declares to be another way to write its new id.
    """

    renames: tuple[tuple[int, str, str, tuple[str, ...] | None], ...] = ()
    spellings: tuple[tuple[int, str], ...] = ()


def crosswalk_of(rows: list[dict], rule: dict, source: str) -> Crosswalk:
    """Return a key's crosswalk for one source; a row whose two ids agree in the declared spelling names a spelling, not a rename."""
    renames, spellings = [], []
    for number, row in enumerate(rows, start=2):
        if row.get("source") in (None, "", source):
            old, new = spell(row["old_id"], rule), spell(row["new_id"], rule)
            if old == new:
                spellings.append((number, row["old_id"].strip()))
            else:
                renames.append((number, old, new, tuple(row["waves"]) if row.get("from_wave") else None))
    return Crosswalk(tuple(renames), tuple(spellings))


def rename(ids: np.ndarray, wave: np.ndarray | None, crosswalk: Crosswalk) -> tuple[np.ndarray, list[int]]:
    """Return the ids after the crosswalk and the numbers of the rows that were used.

    Parameters
    ----------
    ids : ndarray of object
        In the declared spelling, None where blank.
    wave : ndarray or None
        The wave of each record. A row with `from_wave` holds for records of this wave and later ones; records without a wave keep
        the old id.
    crosswalk : Crosswalk
    """
    renamed, used = ids.copy(), []
    for number, old, new, waves in crosswalk.renames:
        hit = ids == old
        if waves is not None:
            hit = hit & (False if wave is None else np.isin(wave.astype(str), waves))
        if hit.any():
            renamed[hit] = new
            used.append(number)
    return renamed, used


def check_crosswalks(crosswalks: dict[str, list[dict]], ids: dict) -> None:
    """Refuse crosswalks in which the order of the rows would decide.

    Parameters
    ----------
    crosswalks : dict
        Key -> rows of its file.
    ids : dict
        Section `ids`.

    Raises
    ------
    BscError
        BSC-SRC-081 if a new id is the old id of another row (a chain, or a cycle); BSC-SRC-082 if two rows rename one old id
        in the same source.
    """
    chains, doubled = [], []
    for key, rows in crosswalks.items():
        rule = ids[key]
        pairs = [(number, spell(r["old_id"], rule), spell(r["new_id"], rule), r) for number, r in enumerate(rows, start=2)]
        pairs = [pair for pair in pairs if pair[1] != pair[2]]
        first = {}
        for number, old, _, _ in reversed(pairs):
            first[old] = number
        chains += [f"{rule['crosswalk']}, rows {number} and {first[new]}" for number, _, new, _ in pairs if new in first]
        doubled += [f"{rule['crosswalk']}, rows {a} and {b}" for a, b in _doubled(pairs)]
    if chains:
        raise BscError(
            "BSC-SRC-081",
            f"In {len(chains)} place(s) a new id of the crosswalk is the old id of another row.",
            places(chains),
            "Which id a record ends with would hang on the order of the rows, or on nothing where they run in a circle.",
            "Give every old id its last id in one step; where the ids of two people were swapped, correct the records at their origin.",
        )
    if doubled:
        raise BscError(
            "BSC-SRC-082",
            f"In {len(doubled)} place(s) two rows of the crosswalk rename one old id in the same source.",
            places(doubled),
            "One of two people would be chosen by chance.",
            "Keep one row, or name the source each is for in `source`.",
        )


def _doubled(pairs: list[tuple]) -> list[tuple[int, int]]:
    found, seen = [], {}
    for number, old, _, row in pairs:
        source = row.get("source") or ""
        for other, where in seen.get(old, []):
            if source == where or not source or not where:
                found.append((other, number))
        seen.setdefault(old, []).append((number, source))
    return found
