"""Monthly metrics as series: months without a report kept as gaps, sums over centers, and what the centers differ by."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError, rows_said

ALL = "all"
LEVELS = {"collaborative": "collaborative", "center_id": "center"}
SERIES = ["metric", "group", "level", "month", "numerator", "denominator", "value", "n_centers", "center_mean", "center_sd"]


def month_names(values: pd.Series, rows: pd.Series | tuple = (), where: str = "config/measures.yaml, run_charts") -> pd.Series:
    """Return months as ``2024-03`` from ``2024-03`` or a date in ISO form; missing stays missing.

    ``rows`` holds the row of each value in its file; with ``where`` it says where a month cannot be read.

    Raises
    ------
    BscError
        BSC-DAT-281 for anything else.
    """
    text = values.astype("str").str.strip()
    found = text.str.extract(r"^(\d{4}-(?:0[1-9]|1[0-2]))(?:-\d{2}(?:[ T].*)?)?$")[0]
    unread = (found.isna() & values.notna()).to_numpy()
    if unread.any():
        raise BscError(
            "BSC-DAT-281",
            f"A month cannot be read in {int(unread.sum())} row(s).",
            f"{where}{rows_said(rows[unread] if len(rows) else ())}",
            "The points of a chart would stand in the wrong order, or a month without a report would go unseen.",
            "Write months as year and month, for example 2024-03, or as a date such as 2024-03-31.",
        )
    return found.where(values.notna())


def months_between(first: str, last: str) -> list[str]:
    """Return every calendar month from the first to the last, both included."""
    start, end = (12 * int(m[:4]) + int(m[5:7]) - 1 for m in (first, last))
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(start, end + 1)]


def monthly_series(rows: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Add up numerators and denominators of center-months that report both.

    Parameters
    ----------
    rows : DataFrame
        ``metric month center_id numerator denominator`` and the group columns, one row for each center and month.
    groups : list of str
        ``collaborative`` or ``center_id``: columns whose values become groups, beside ``all`` centers together.

    Returns
    -------
    DataFrame
        `SERIES` with value = numerator / denominator. Every group has every month from the metric's first to its last; a month
        without a report has NaN. A denominator of 0 gives NaN. ``n_centers`` reported the month; ``center_mean`` and ``center_sd``
        are over their own values (NaN below 2 centers).
    """
    usable = rows.dropna(subset=["metric", "month", "numerator", "denominator"])
    usable = usable.assign(ratio=usable["numerator"] / usable["denominator"].where(usable["denominator"] > 0))
    labelled = [usable.assign(group=ALL, level=ALL)]
    labelled += [usable.dropna(subset=[c]).assign(group=usable[c], level=LEVELS[c]) for c in groups]
    grouped = pd.concat(labelled, ignore_index=True).groupby(["metric", "group", "level", "month"], sort=True)
    series = grouped[["numerator", "denominator"]].sum()
    series["value"] = series["numerator"] / series["denominator"].where(series["denominator"] > 0)
    series["n_centers"] = grouped["center_id"].nunique()
    series[["center_mean", "center_sd"]] = grouped["ratio"].agg(["mean", "std"]).to_numpy()
    series = series.reset_index()
    return _with_gaps(series)[SERIES].sort_values(["metric", "group", "month"], ignore_index=True)


def _with_gaps(series: pd.DataFrame) -> pd.DataFrame:
    """Give every group of a metric every month from the metric's first to its last; nobody reported in those added."""
    if series.empty:
        return series
    months = [
        {"metric": metric, "month": month}
        for metric, part in series.groupby("metric", sort=True)["month"]
        for month in months_between(part.min(), part.max())
    ]
    places = series[["metric", "group", "level"]].drop_duplicates().merge(pd.DataFrame(months), on="metric")
    full = places.merge(series, on=["metric", "group", "level", "month"], how="left")
    return full.assign(n_centers=full["n_centers"].fillna(0).astype(int))
