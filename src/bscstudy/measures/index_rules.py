"""The declared rules of fidelity indices: how the rows of a source become one number for each unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

#: rules whose value is 0 for a unit the source is silent about (a log without a row records no activity)
ZERO_WITHOUT_ROWS = ("count", "distinct", "largest_group", "sum", "completeness")


def matching(rows: pd.DataFrame, condition: str | None, index: str) -> pd.Series:
    """Return which rows meet a condition (all, if there is none).

    A comparison with a missing value is not met, as in pandas.

    Raises
    ------
    BscError
        BSC-CFG-204 if the condition cannot be read or names an unknown column.
    """
    if not condition:
        return pd.Series(True, index=rows.index)
    try:
        met = rows.eval(condition, engine="python")
        if not (isinstance(met, pd.Series) and len(met) == len(rows)):
            raise TypeError("not one truth value for each row")
        return met.fillna(False).astype(bool)
    except Exception as fault:
        raise BscError(
            "BSC-CFG-204",
            f"A condition of '{index}' cannot be used: {type(fault).__name__}.",
            f"config/measures.yaml, {index}: {condition}",
            "The wrong rows would be counted.",
            "Write a pandas query on columns of the source's derived table, for example `present == 1 and role == 'teacher'`.",
        ) from None


def check_columns(rows: pd.DataFrame, columns: Iterable[str], where: str) -> None:
    """Raise BSC-CFG-242 with every column that a source does not have."""
    absent = sorted(set(columns) - set(rows.columns))
    if absent:
        raise BscError(
            "BSC-CFG-242",
            f"The source has no column {', '.join(absent)}.",
            where,
            "Nothing can be counted by it.",
            "Name items or keys of the source, or fields under `derive` that stand before.",
        )


def index_table(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    """Work out one index.

    Parameters
    ----------
    rows : DataFrame
        The source's ingested rows; the columns ``by`` are not missing.
    spec : dict
        ``id``, ``rule`` and the rule's own keys (docs/architecture.md, section 3).
    by : list of str
        Columns that name a unit.

    Returns
    -------
    DataFrame
        Indexed by ``by``; ``numerator denominator value``. ``divided_by`` is the denominator of a count or sum. Where there is a
        denominator, value = numerator / denominator, NaN if it is 0. Missing values of ``column`` enter no sum and no mean; a sum of
        missing values only is NaN.

    Raises
    ------
    BscError
        BSC-CFG-204 for a condition, -205 for a column that is no number, -206 for more groups than expected, -242 for a column that is
        not there.
    """
    rule = RULES[spec["rule"]]
    groups = [spec["group"]] if "group" in spec else []
    check_columns(rows, [*groups, *spec.get("per", []), *spec.get("valid_if_any", [])], f"config/measures.yaml, fidelity, {spec['id']}")
    grouped_index = rows.groupby(by, sort=True).size().index
    result = rule(rows, spec, by).reindex(grouped_index)
    if "divided_by" in spec:
        result = result.drop(columns="value").assign(denominator=float(spec["divided_by"]))
    if "value" not in result:
        result["value"] = result["numerator"] / result["denominator"].where(result["denominator"] > 0)
    return result[["numerator", "denominator", "value"]].astype(float)


def _tally(chosen: pd.Series, rows: pd.DataFrame, by: list[str]) -> pd.Series:
    return chosen.groupby([rows[c] for c in by], sort=True).sum().astype(float)


def _numbers(rows: pd.DataFrame, spec: dict) -> pd.Series:
    column = spec["column"]
    if column not in rows.columns or not pd.api.types.is_numeric_dtype(rows[column]):
        raise BscError(
            "BSC-CFG-205",
            f"The column of the fidelity index '{spec['id']}' is not a number of its source.",
            f"config/measures.yaml, fidelity, {spec['id']}: {column}",
            "Only numbers can be summed or averaged.",
            "Name a number or integer item of the source, or a field under `derive`.",
        )
    return rows[column].where(matching(rows, spec.get("where"), spec["id"])) * float(spec.get("weight", 1))


def _summed(values: pd.Series, rows: pd.DataFrame, by: list[str]) -> pd.Series:
    return values.groupby([rows[c] for c in by], sort=True).sum(min_count=1)


def _plain(numerator: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"numerator": numerator, "denominator": np.nan, "value": numerator})


def _count(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    return _plain(_tally(matching(rows, spec.get("where"), spec["id"]), rows, by))


def _share(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    within = matching(rows, spec.get("within"), spec["id"])
    met = matching(rows, spec.get("where"), spec["id"]) & within
    return pd.DataFrame({"numerator": _tally(met, rows, by), "denominator": _tally(within, rows, by)})


def _sum(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    values, met = _numbers(rows, spec), matching(rows, spec.get("where"), spec["id"])
    total = _summed(values, rows, by)
    return _plain(total.where(_tally(met, rows, by) > 0, 0.0))


def _mean(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    values = _numbers(rows, spec)
    return pd.DataFrame({"numerator": _summed(values, rows, by), "denominator": _tally(values.notna(), rows, by)})


def _distinct(rows: pd.DataFrame, chosen: pd.Series, by: list[str], keys: list[str]) -> pd.Series:
    kept = rows.loc[chosen, [*by, *(k for k in keys if k not in by)]].dropna().drop_duplicates()
    counts = kept.groupby(by, sort=True).size()
    return counts.reindex(rows.groupby(by, sort=True).size().index, fill_value=0).astype(float)


def _distinct_values(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    return _plain(_distinct(rows, matching(rows, spec.get("where"), spec["id"]), by, list(spec["per"])))


def _largest_group(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    """Count the rows of each group and keep the most, such as the cycles of the longest ramp."""
    kept = rows[matching(rows, spec.get("where"), spec["id"])].dropna(subset=[spec["group"]])
    sizes = kept.groupby([*by, spec["group"]], sort=True).size().groupby(level=by, sort=True).max()
    return _plain(sizes.reindex(rows.groupby(by, sort=True).size().index, fill_value=0).astype(float))


def _share_of_groups(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    unit = [*by, spec["group"]]
    known = rows.dropna(subset=[spec["group"]])
    conditions = pd.DataFrame({str(i): matching(known, where, spec["id"]) for i, where in enumerate(spec["where_each"])})
    met = conditions.groupby([known[c] for c in unit], sort=True).any().all(axis=1)
    shares = met.groupby(level=by, sort=True).agg(["sum", "size"])
    return pd.DataFrame({"numerator": shares["sum"].astype(float), "denominator": shares["size"].astype(float)})


def _rate(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    if "column" in spec:
        numerator = _summed(_numbers(rows, spec), rows, by)
    else:
        numerator = _tally(matching(rows, spec.get("where"), spec["id"]), rows, by)
    denominator = _distinct(rows, matching(rows, spec.get("within"), spec["id"]), by, list(spec["per"]))
    return pd.DataFrame({"numerator": numerator, "denominator": denominator})


def _completeness(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    found = _distinct(rows, matching(rows, spec.get("where"), spec["id"]), by, [spec["group"]])
    if (found > spec["expected"]).any():
        raise BscError(
            "BSC-CFG-206",
            f"The fidelity index '{spec['id']}' finds more groups than were expected.",
            f"config/measures.yaml, fidelity, {spec['id']}: expected {spec['expected']:g}, found up to {found.max():g}",
            "A share of what was due would exceed 1.",
            "Correct `expected`, or the spelling of the groups in the source.",
        )
    return pd.DataFrame({"numerator": found, "denominator": float(spec["expected"])})


def _prorated_sum(rows: pd.DataFrame, spec: dict, by: list[str]) -> pd.DataFrame:
    """Sum times rows / rows with any valid item, written as (sum x rows) / valid rows."""
    valid = rows[list(spec["valid_if_any"])].notna().any(axis=1)
    n_rows = rows.groupby(by, sort=True).size().astype(float)
    total = _summed(_numbers(rows, spec), rows, by)
    n_valid = _tally(valid, rows, by)
    return pd.DataFrame({"numerator": total.where(total.notna() | (n_valid == 0), 0.0) * n_rows, "denominator": n_valid})


RULES: dict[str, Callable[[pd.DataFrame, dict, list[str]], pd.DataFrame]] = {
    "count": _count,
    "distinct": _distinct_values,
    "largest_group": _largest_group,
    "share": _share,
    "sum": _sum,
    "mean": _mean,
    "share_of_groups": _share_of_groups,
    "rate": _rate,
    "completeness": _completeness,
    "prorated_sum": _prorated_sum,
}
