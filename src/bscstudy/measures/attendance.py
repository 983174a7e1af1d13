"""Who came to the learning sessions: people expected and present by session, day, role and mode."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError, rows_said

ALL = "all"
KEY = ["session", "day", "date", "collaborative", "role", "mode"]
COLUMNS = [*KEY, "n_expected", "n_present", "n_unknown", "n_centers", "n_centers_present"]


def attendance_counts(rows: pd.DataFrame, spec: dict) -> pd.DataFrame:
    """Count people by session, day and role, for each collaborative and all together.

    Parameters
    ----------
    rows : DataFrame
        One row for each person, session and day that was due, with ``center_id collaborative role``.
    spec : dict
        Names of columns: ``session``, ``present`` (1, 0 or missing) and, where the study has them, ``day``, ``date`` and ``mode``.

    Returns
    -------
    DataFrame
        `COLUMNS`. ``role`` and ``mode`` are `ALL` or one of the values; ``day`` is blank where none is declared. ``n_expected`` counts
        rows, ``n_present`` those with 1, ``n_unknown`` those without an entry, which count as neither present nor absent. Rows of a
        single mode are there for `ALL` roles, and count who was there in that mode.

    Raises
    ------
    BscError
        BSC-CFG-285 for a column that the source does not have; BSC-DAT-284 for entries other than 1 and 0.
    """
    named = {name: spec[name] for name in ("session", "present", "day", "date", "mode") if spec.get(name)}
    absent = [column for column in named.values() if column not in rows.columns]
    if absent:
        raise BscError(
            "BSC-CFG-285",
            f"The table of attendance has no column {', '.join(absent)}.",
            f"config/measures.yaml, attendance, source {spec['source']}",
            "Who came to which session cannot be counted.",
            "Name items or keys of the source.",
        )
    entries = rows[spec["present"]].dropna()
    others = entries.index[~entries.isin([0, 1])]
    if len(others):
        raise BscError(
            "BSC-DAT-284",
            f"{len(others)} entries of attendance are neither 1 nor 0.",
            f"source {spec['source']}, item {spec['present']}{rows_said(rows.loc[others].get('row', ()))}",
            "People who were there would count as absent.",
            "Declare the item as `yes_no` in the codebook, or recode it.",
        )
    blank = {name: "" for name in ("day", "date", "mode") if name not in named}
    told = rows[["center_id", "collaborative", "role"]].assign(**{name: rows[column] for name, column in named.items()}, **blank)
    told = told.dropna(subset=["session"]).astype({name: "str" for name in ("session", "day", "date", "mode")})
    told["date"] = told.groupby(["session", "day"])["date"].transform("min")
    told = pd.concat([told.assign(collaborative=ALL), told.dropna(subset=["collaborative"])], ignore_index=True)
    by_role = pd.concat([told.assign(role=ALL), told.dropna(subset=["role"])], ignore_index=True)
    parts = [_counts(by_role.assign(mode=ALL))]
    if "mode" in named:
        parts.append(_counts(told.assign(role=ALL).query("mode != '' and present == 1").dropna(subset=["mode"])))
    return pd.concat(parts, ignore_index=True).sort_values(KEY, ignore_index=True)[COLUMNS]


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    present = rows["present"] == 1
    marked = rows.assign(n_present=present.astype(int), n_unknown=rows["present"].isna().astype(int), here=rows["center_id"].where(present))
    grouped = marked.groupby(KEY, sort=True)
    counted = grouped.agg(
        n_expected=("present", "size"), n_present=("n_present", "sum"), n_unknown=("n_unknown", "sum"),
        n_centers=("center_id", "nunique"), n_centers_present=("here", "nunique"),
    )  # fmt: skip
    return counted.reset_index()
