"""How many people and centers stand behind a comparison of groups: the smallest cell, by which exhibits decide what may be shown."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bscstudy.models.rows import ModelRows
from bscstudy.models.terms import Part

WAVE = "wave"


@dataclass(frozen=True)
class Cell:
    """The smallest cell of a comparison that holds anybody; None where no group is compared or centers are not known.

    ``people``: persons, or rows where a row is no person's; ``centers``: centers.
    """

    people: int | None = None
    centers: int | None = None


def cell_of_coefficient(parts: tuple[Part, ...], rows: ModelRows, unit: str) -> Cell:
    """Return the smallest cell among a coefficient's own groups and those it is compared with."""
    named = {name: [level, rows.levels[name][0]] for name, level in parts if level is not None and name in rows.levels}
    return smallest_cell(rows.frame, named, unit)


def cell_of_contrast(contrast: dict, rows: ModelRows, unit: str) -> Cell:
    """Return the smallest cell of a contrast's waves and of all levels of its other factors.

    All levels, as a change of all and of one of two groups gives away that of the other.
    """
    levels = {**contrast["compare"], **{name: [level] for name, level in (contrast.get("at") or {}).items()}}
    named = {name: list(map(str, own)) if name == WAVE else rows.levels[name] for name, own in levels.items() if name in rows.levels}
    return smallest_cell(rows.frame, named, unit)


def cells(frame: pd.DataFrame, factors: list[str], unit: str) -> pd.DataFrame:
    """Return people and centers of each combination of levels that occurs, indexed by the factors."""
    groups = frame.groupby(factors, observed=True)
    people = groups["person_id"].nunique() if unit == "person" and "person_id" in frame else groups.size()
    centers = groups["center_id"].nunique() if "center_id" in frame else people.map(lambda _: pd.NA)
    return pd.DataFrame({"people": people, "centers": centers})


def smallest_cell(frame: pd.DataFrame, levels: dict[str, list[str]], unit: str) -> Cell:
    """Return the smallest cell of these levels crossed; a combination without rows is none."""
    chosen = frame
    for name, own in levels.items():
        chosen = chosen[chosen[name].astype(str).isin(own)]
    if not levels or chosen.empty:
        return Cell()
    found = cells(chosen, list(levels), unit).min()
    return Cell(int(found["people"]), None if pd.isna(found["centers"]) else int(found["centers"]))
