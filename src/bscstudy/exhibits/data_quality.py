"""What the checks of the data found, how each finding was dealt with, and what changed in the instruments between waves."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels
from bscstudy.exhibits.base import Context, Exhibit

TABLES = ("checks/summary", "checks/drift")
FIGURE = False
HEADINGS = {
    "stop": "Stopped the run",
    "report": "Reported: the rows stay in the results",
    "tolerated": "Tolerated, with a reason given in the configuration",
    "resolved": "Resolved: the records are left out with a reason",
}
DRIFT = {"reworded": "reworded", "rescaled": "answered on another scale", "dropped": "no longer asked", "added": "asked for the first time"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each check and source with a finding, and one for each kind of change in an instrument."""
    summary = tables["checks/summary"]
    summary = summary[summary["n"].fillna(0) > 0]
    drift = tables.get("checks/drift", pd.DataFrame(columns=["instrument", "change", "wave_from", "wave_to", "item"]))
    rows = [*_finding_rows(summary), *_drift_rows(drift, context)]
    table = pd.DataFrame(
        rows or [{"State": "", "Check": "No check found anything.", "Source": "", "Found": "", "Counted in": "", "Reason": ""}]
    )
    return Exhibit(
        table=table,
        caption="What the checks found in the files as received, and what was done about it",
        notes={
            "Estimator": "counts; nothing is estimated",
            "n": f"{numbers.plural(len(summary), 'kind')} of finding in {numbers.plural(summary['source'].nunique(), 'source')}",
            "Exclusions": _excluded(summary),
        },
        sentences=tuple(_sentences(summary, drift)),
        group_by="State",
    )


def _finding_rows(summary: pd.DataFrame) -> list[dict]:
    rows = []
    for severity in (*HEADINGS, *sorted(set(summary["severity"]) - set(HEADINGS))):
        for row in summary[summary["severity"] == severity].sort_values(["check", "source"], kind="stable").to_dict("records"):
            rows.append(
                {
                    "State": HEADINGS.get(severity, str(severity)),
                    "Check": labels.check_label(row),
                    "Source": labels.words(row["source"]) if not numbers.is_missing(row["source"]) else "",
                    "Found": numbers.count(row["n"]),
                    "Counted in": numbers.text(row["unit"]),
                    "Reason": numbers.text(row["reason"]),
                }
            )
    return rows


def _drift_rows(drift: pd.DataFrame, context: Context) -> list[dict]:
    waves = context.labels("waves")
    changed = drift[drift["change"].isin(list(DRIFT) + ["renamed"])]
    rows = []
    for (instrument, change, first, second), part in changed.groupby(["instrument", "change", "wave_from", "wave_to"], sort=True):
        rows.append(
            {
                "State": "Changes in the instruments between waves",
                "Check": f"Items {DRIFT.get(change, 'in a column of another name')}",
                "Source": labels.words(instrument),
                "Found": numbers.count(part["item"].nunique()),
                "Counted in": "items",
                "Reason": f"{waves.get(str(first), first)} to {waves.get(str(second), second)}",
            }
        )
    return rows


def _excluded(summary: pd.DataFrame) -> str:
    n = int(summary.loc[summary["check"] == "excluded_record", "n"].sum())
    return f"{numbers.plural(n, 'record')} left out by the configuration, each with a reason" if n else "no record was left out"


def _sentences(summary: pd.DataFrame, drift: pd.DataFrame) -> list[str]:
    n = {s: int(summary.loc[summary["severity"] == s, "n"].sum()) for s in HEADINGS}
    said = [
        f"The checks made {numbers.plural(int(summary['n'].sum()), 'finding')}: {numbers.count(n['report'])} reported, "
        f"{numbers.count(n['tolerated'])} tolerated for a stated reason, {numbers.count(n['resolved'])} resolved by excluding records."
    ]
    for change in ("reworded", "rescaled"):
        items = drift.loc[drift["change"] == change, ["instrument", "item"]].drop_duplicates()
        if len(items):
            said.append(
                f"{numbers.plural(len(items), 'item')} {'was' if len(items) == 1 else 'were'} {DRIFT[change]} from one wave to the next."
            )
    return said
