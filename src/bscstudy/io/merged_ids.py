"""Two people never become one in silence: ids of one file and wave that a declared spelling or the crosswalk would make the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.keys import Keys
from bscstudy.io.raw import places


def refuse_merged(keys: Keys, rows: np.ndarray, kept: np.ndarray, source: dict) -> None:
    """Refuse a source in which two different ids of one wave became one.

    Judged for persons everywhere, and for another key in the source that lists it (whose rows it names alone); elsewhere many
    records share an id and may each write it in their own way.

    Parameters
    ----------
    keys : Keys
    rows : ndarray of int
        Row of each record in its file.
    kept : ndarray of bool
        Which records no exclusion leaves out.
    source : dict
        The source's entry.

    Raises
    ------
    BscError
        BSC-SRC-080 two spellings become one id, unless a row of the crosswalk says that they are one person; BSC-SRC-083 two ids
        become one by the crosswalk (in a source without waves only where it lists them, as a person may have had both in turn).
    """
    spelled_same, renamed_same = [], []
    for key, trail in keys.trails.items():
        lists = [k for k in source.get("key") or [] if k != "wave"] == [key]
        if key != "person_id" and not lists:
            continue
        wave = np.full(len(rows), "", dtype=object) if keys.wave is None else keys.wave
        table = pd.DataFrame({"row": rows, "wave": wave, "written": trail.written, "spelled": trail.spelled, "id": keys.values[key]})
        table = table[kept & table["id"].notna().to_numpy()]
        undeclared = table[~table["written"].isin({text for _, text in trail.crosswalk.spellings})]
        place = f"{source['file']}, key '{key}'"
        spelled_same += _clashes(undeclared, "written", "spelled", place)
        renamed_same += _clashes(table, "spelled", "id", place) if lists or keys.wave is not None else []
    _refuse(spelled_same, renamed_same)


def _clashes(table: pd.DataFrame, before: str, after: str, place: str) -> list[str]:
    """Return one place for each wave and id that several ids became, with the first row of each."""
    firsts = table.drop_duplicates(["wave", before, after])
    clash = firsts[firsts.duplicated(["wave", after], keep=False)]
    found = []
    for (wave, _), part in clash.groupby(["wave", after], sort=False):
        numbers = ", ".join(str(row) for row in sorted(part["row"]))
        found.append(f"{place}, rows {numbers}" + (f", wave {wave}" if wave else ""))
    return found


def _refuse(spelled_same: list[str], renamed_same: list[str]) -> None:
    if spelled_same:
        raise BscError(
            "BSC-SRC-080",
            f"In {len(spelled_same)} place(s) ids that one file writes differently in one wave become one id by the spelling under `ids`.",
            places(spelled_same),
            "Two people may be taken for one, and their answers for one person's.",
            "If they are two people, declare less under `ids` in config/config.yaml, or exclude the records with a reason. If they are "
            "one, say so in the crosswalk: the spelling to be changed as old_id, the id it stands for as new_id.",
        )
    if renamed_same:
        raise BscError(
            "BSC-SRC-083",
            f"In {len(renamed_same)} place(s) two ids of one file and wave become one id by the crosswalk.",
            places(renamed_same),
            "A person has one id in a wave; two people may be taken for one.",
            "Correct the crosswalk (`from_wave` and `source` limit a row), or exclude the surplus records with a reason.",
        )
