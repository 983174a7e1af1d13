"""Who a row belongs to, by one rule for surveys, records, observation and interviews (docs/adr, who a row belongs to)."""

from __future__ import annotations

import pandas as pd

IDENTITY = ("center_id", "collaborative", "role", "core")


def unchanging(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return person_id -> value for the persons who have the same value wherever any is stated; nobody else is in it."""
    told = rows.dropna(subset=["person_id", column])
    values = told.groupby("person_id")[column].agg(["nunique", "first"])
    return values.loc[values["nunique"] == 1, "first"]


def add_identity(rows: pd.DataFrame, people: pd.DataFrame | None, centers: pd.DataFrame | None) -> pd.DataFrame:
    """Return rows with the columns ``wave person_id center_id collaborative role core``, as complete as the registers allow.

    What a row says of itself is kept. What it leaves blank is what the people table says of the person in the same wave, else the
    value that the person has in every wave. A person who moved or took another role has no value in a wave about which nothing
    is known. The collaborative is that of the row's center where the register of centers knows it.

    Parameters
    ----------
    rows : DataFrame
        Rows of one ingested source.
    people : DataFrame or None
        One row for each person and wave.
    centers : DataFrame or None
        One row for each center; gives the collaborative.

    Returns
    -------
    DataFrame
        The same rows in the same order; what nobody knows is NA.
    """
    known = rows.copy()
    for column in ("wave", "person_id", *IDENTITY):
        known[column] = known[column].astype("str") if column in known.columns else pd.Series(pd.NA, index=known.index, dtype="str")
    if people is not None and len(people):
        for column in (c for c in ("center_id", "role", "core") if c in people.columns):
            known[column] = known[column].fillna(_from_people(known, people, column))
    if centers is not None and "collaborative" in centers.columns:
        by_center = centers.drop_duplicates("center_id").set_index("center_id")["collaborative"]
        known["collaborative"] = known["collaborative"].fillna(known["center_id"].map(by_center).astype("str"))
    if people is not None and len(people) and "collaborative" in people.columns:
        known["collaborative"] = known["collaborative"].fillna(_from_people(known, people, "collaborative"))
    return known


def _from_people(rows: pd.DataFrame, people: pd.DataFrame, column: str) -> pd.Series:
    told = people.dropna(subset=[column])
    same_wave = told.drop_duplicates(["person_id", "wave"]).set_index(["person_id", "wave"])[column]
    found = same_wave.reindex(pd.MultiIndex.from_frame(rows[["person_id", "wave"]])).to_numpy()
    found = pd.Series(found, index=rows.index, dtype="str")
    return found.fillna(rows["person_id"].map(unchanging(told, column)).astype("str"))
