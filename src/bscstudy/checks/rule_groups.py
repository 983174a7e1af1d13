"""Declared rules that count groups of rows: by key, by item, by cell of a table."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.rule_frames import choose_columns, condition, numeric, rule_error
from bscstudy.errors import nearest

#: rule -> a number or text for each group, from a grouped column
AGGREGATES = {
    "n_distinct": lambda grouped: grouped.nunique(),
    "n_valid": lambda grouped: grouped.count(),
    "minimum": lambda grouped: grouped.min(),
    "maximum": lambda grouped: grouped.max(),
    "sum": lambda grouped: grouped.sum(min_count=1),
    "mean": lambda grouped: grouped.mean(),
    "first": lambda grouped: grouped.first(),
}


def count_groups(rule: dict, frame: pd.DataFrame) -> tuple[int, pd.DataFrame]:
    """Count the groups whose aggregates fulfil the condition `having`.

    `by` names the columns that make a group. `stack` {columns or pattern} first turns these columns into rows
    with `item` and `value` (missing cells left out), so that `item` can be grouped by. `aggregates` maps a name to {rule,
    column, where} or to {rule: distinct_rows, columns or pattern}, the number of differing rows; `n` is the number of
    rows. `where` of the rule filters rows before, `having` groups after.

    Returns
    -------
    tuple of int and DataFrame
        The number of groups and the first row of each.
    """
    frame = frame[condition(rule, frame, rule.get("where"))]
    if "stack" in rule:
        frame = _stacked(rule, frame)
    by = choose_columns(rule, frame, {"columns": rule["by"]})
    frame = frame.dropna(subset=by)
    found = frame.groupby(by, sort=True).size().to_frame("n")
    for name, spec in (rule.get("aggregates") or {}).items():
        found[name] = _aggregate(rule, frame, by, spec).reindex(found.index)
    chosen = found[condition(rule, found, rule["having"])]
    first = frame.drop_duplicates(by)
    keys = pd.MultiIndex.from_frame(first[by]) if len(by) > 1 else pd.Index(first[by[0]])
    return len(chosen), first[keys.isin(chosen.index)]


def _stacked(rule: dict, frame: pd.DataFrame) -> pd.DataFrame:
    columns = choose_columns(rule, frame, rule["stack"])
    kept = [c for c in frame.columns if c not in columns]
    return frame.melt(id_vars=kept, value_vars=columns, var_name="item", value_name="value").dropna(subset=["value"])


def _aggregate(rule: dict, frame: pd.DataFrame, by: list[str], spec: dict) -> pd.Series:
    frame = frame[condition(rule, frame, spec.get("where"))]
    columns = choose_columns(rule, frame, spec)
    if spec.get("rule") == "distinct_rows":
        return frame[[*by, *columns]].drop_duplicates().groupby(by).size()
    if spec.get("rule") not in AGGREGATES:
        known = [*AGGREGATES, "distinct_rows"]
        raise rule_error("BSC-CFG-070", rule, f"has the unknown aggregate '{spec.get('rule')}'.", nearest(str(spec.get("rule")), known))
    values = numeric(frame[columns[0]]) if spec["rule"] in ("sum", "mean") else frame[columns[0]]
    return AGGREGATES[spec["rule"]](values.groupby([frame[c] for c in by]))


def count_small_cells(rule: dict, frame: pd.DataFrame) -> tuple[int, pd.DataFrame]:
    """Count the combinations of `by` with at least one and fewer than `below` rows; no row is pointed to."""
    frame = frame[condition(rule, frame, rule.get("where"))]
    by = choose_columns(rule, frame, {"columns": rule["by"]})
    sizes = frame.dropna(subset=by).groupby(by).size()
    return int((sizes < rule["below"]).sum()), frame.iloc[:0]
