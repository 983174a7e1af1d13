"""What is marked on the charts of monthly metrics: learning sessions, PDSA cycles and events of the study's own."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.measures.metric_series import ALL, LEVELS, month_names

EVENTS = ["label", "kind", "group", "level", "month", "name", "n"]
#: stands for the month of rows without a date
UNDATED = "undated"


def chart_events(annotations: list[dict], tables: dict[str, pd.DataFrame], groups: list[str]) -> pd.DataFrame:
    """Return what each group's charts are marked with.

    Parameters
    ----------
    annotations : list of dict
        ``label`` and either ``month`` (an event of all groups) or ``source`` and ``date``; with ``each`` (a column) one mark for every
        value of it, else the rows of a month are counted.
    tables : dict
        Source -> its rows with ``center_id`` and ``collaborative``.
    groups : list of str
        ``collaborative`` or ``center_id``: groups beside ``all``.

    Returns
    -------
    DataFrame
        `EVENTS`: ``kind`` is mark or count, ``name`` the value of ``each`` (blank for counts and events), ``n`` the rows. Rows
        without a date have the month `UNDATED`.

    Raises
    ------
    BscError
        BSC-CFG-281 for a column that its source does not have, BSC-DAT-281 for a date that cannot be read.
    """
    _require_columns(annotations, tables)
    parts = []
    for spec in annotations:
        if "month" in spec:
            event = {"label": spec["label"], "kind": "mark", "group": ALL, "level": ALL, "month": spec["month"], "name": "", "n": 1}
            parts.append(pd.DataFrame([event]))
            continue
        rows = tables[spec["source"]]
        months = month_names(rows[spec["date"]], rows.get("row", ()), f"source {spec['source']}, column {spec['date']}")
        rows = rows.assign(month=months.fillna(UNDATED), label=spec["label"], kind="mark" if "each" in spec else "count", name="")
        if "each" in spec:
            rows = rows.dropna(subset=[spec["each"]]).assign(name=rows[spec["each"]].astype("str"))
        stacked = [rows.assign(group=ALL, level=ALL)]
        stacked += [rows.dropna(subset=[c]).assign(group=rows[c], level=LEVELS[c]) for c in groups]
        by = ["label", "kind", "group", "level", "month", "name"]
        parts.append(pd.concat(stacked).groupby(by, sort=True).size().rename("n").reset_index())
    events = pd.concat(parts, ignore_index=True)[EVENTS] if parts else pd.DataFrame(columns=EVENTS)
    return events.sort_values(["label", "group", "month", "name"], ignore_index=True)


def _require_columns(annotations: list[dict], tables: dict[str, pd.DataFrame]) -> None:
    absent = tuple(
        f"config/measures.yaml, run_charts, annotations, {spec['label']}: {spec[key]}"
        for spec in annotations
        for key in ("date", "each")
        if key in spec and spec[key] not in tables[spec["source"]].columns
    )
    if absent:
        raise BscError(
            "BSC-CFG-281",
            f"The charts are to be marked by {len(absent)} column(s) that the source does not have.",
            absent,
            "Learning sessions or cycles would be missing from the charts.",
            "Name an item or key of the source in `date` and `each`.",
        )
