"""Who a row belongs to: center, collaborative, role and core membership from the row itself, else from the registers."""

from __future__ import annotations

import pandas as pd

IDENTITY = ("center_id", "collaborative", "role", "core")


def add_identity(rows: pd.DataFrame, people: pd.DataFrame | None, centers: pd.DataFrame | None) -> pd.DataFrame:
    """Return rows with the columns ``wave person_id center_id collaborative role core``, as complete as the registers allow.

    Parameters
    ----------
    rows : DataFrame
        Rows of one ingested source; what a row says of itself is kept.
    people : DataFrame or None
        One row for each person and wave. A person's value is taken from the same wave, or from any wave if it never changes.
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
        for column in (c for c in IDENTITY if c in people.columns):
            known[column] = known[column].fillna(_from_people(known, people, column))
    if centers is not None and "collaborative" in centers.columns:
        by_center = centers.drop_duplicates("center_id").set_index("center_id")["collaborative"]
        known["collaborative"] = known["collaborative"].fillna(known["center_id"].map(by_center).astype("str"))
    return known


def _from_people(rows: pd.DataFrame, people: pd.DataFrame, column: str) -> pd.Series:
    told = people.dropna(subset=[column])
    same_wave = told.drop_duplicates(["person_id", "wave"]).set_index(["person_id", "wave"])[column]
    found = same_wave.reindex(pd.MultiIndex.from_frame(rows[["person_id", "wave"]])).to_numpy()
    found = pd.Series(found, index=rows.index, dtype="str")
    values = told.groupby("person_id")[column].agg(["nunique", "first"])
    constant = values.loc[values["nunique"] == 1, "first"]
    return found.fillna(rows["person_id"].map(constant).astype("str"))
