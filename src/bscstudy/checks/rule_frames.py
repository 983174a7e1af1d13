"""The table a declared rule looks at: its source, with columns of other sources joined and columns derived.

Dates are ISO text, so `where: DATE < '2024-01-31'` compares them rightly as text; a day count comes from the derive rule
``days`` or from the kind `compare`. A condition is never true where a value it needs is missing, except through
``COLUMN.isna()``.
"""

from __future__ import annotations

import re
import warnings

import pandas as pd

from bscstudy.checks.registry import WHY, Source
from bscstudy.errors import BscError, nearest

#: columns of every ingested table that are not data
BOOKKEEPING = ("row", "excluded")


def rule_error(code: str, rule: dict, what: str, hint: str = "") -> BscError:
    """Return the error for a rule of checks.yaml that cannot be carried out."""
    return BscError(
        code,
        f"The rule '{rule.get('id', '?')}' {what}",
        f"config/checks.yaml, rules, id {rule.get('id', '?')}",
        "A rule that cannot be carried out would be taken for one that found nothing.",
        f"{hint} The kinds and their settings are in docs/architecture.md, section 6.".strip(),
    )


def data_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a table that hold data: no row numbers, no exclusions, no reasons for missing."""
    return [c for c in frame.columns if c not in BOOKKEEPING and not c.endswith(WHY)]


def choose_columns(rule: dict, frame: pd.DataFrame, spec: dict, *, default_all: bool = False) -> list[str]:
    """Return the columns a rule names by `column`, `columns` or `pattern` (a regular expression that fits the whole name).

    Raises
    ------
    BscError
        BSC-CFG-071 if a column does not exist or a pattern fits none.
    """
    named = spec.get("columns", spec.get("column"))
    chosen = [] if named is None else [named] if isinstance(named, str) else list(named)
    for column in chosen:
        if column not in frame.columns:
            raise rule_error(
                "BSC-CFG-071", rule, f"names the column '{column}', which its table does not have.", nearest(column, list(frame.columns))
            )
    if "pattern" in spec:
        fitting = [c for c in data_columns(frame) if re.fullmatch(spec["pattern"], c)]
        if not fitting:
            raise rule_error("BSC-CFG-071", rule, "has a pattern that fits no column of its table.")
        chosen += [c for c in fitting if c not in chosen]
    if not chosen and default_all:
        chosen = data_columns(frame)
    if not chosen:
        raise rule_error("BSC-CFG-070", rule, "must name its columns by `column`, `columns` or `pattern`.")
    return chosen


def condition(rule: dict, frame: pd.DataFrame, expression: str | None) -> pd.Series:
    """Return where a condition holds, as booleans; without a condition, everywhere.

    Raises
    ------
    BscError
        BSC-CFG-071 for an unknown column, BSC-CFG-072 for an expression that cannot be read.
    """
    everywhere = pd.Series(True, index=frame.index)
    if not expression:
        return everywhere
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = frame.eval(expression, engine="python", local_dict={}, global_dict={})
    except pd.errors.UndefinedVariableError as fault:
        name = str(fault).split("'")[1]
        hint = nearest(name, list(frame.columns))
        raise rule_error("BSC-CFG-071", rule, f"has a condition with the column '{name}', which its table does not have.", hint) from None
    except Exception as fault:  # noqa: BLE001 - pandas raises whatever the expression provokes
        raise rule_error("BSC-CFG-072", rule, f"has a condition that cannot be worked out ({type(fault).__name__}): {expression}") from None
    if isinstance(found, pd.Series) and (found.dtype == bool or set(found.dropna().unique()) <= {True, False}):
        return found.astype("boolean").fillna(False).astype(bool)
    if isinstance(found, bool):
        return everywhere & found
    raise rule_error("BSC-CFG-072", rule, f"has a condition that is not true or false for each row: {expression}")


def rule_frame(rule: dict, tables: dict[str, Source]) -> pd.DataFrame:
    """Return the table of a rule's source with its joined and derived columns."""
    frame = tables[rule["source"]].frame
    for join in rule.get("join") or []:
        frame = _joined(rule, frame, tables[join["source"]].frame, join)
    derived = {name: derive(rule, frame, spec) for name, spec in (rule.get("derive") or {}).items()}
    return frame.assign(**derived) if derived else frame


def _joined(rule: dict, frame: pd.DataFrame, other: pd.DataFrame, join: dict) -> pd.DataFrame:
    by = join["by"] if isinstance(join["by"], dict) else {key: key for key in ([join["by"]] if isinstance(join["by"], str) else join["by"])}
    choose_columns(rule, frame, {"columns": list(by)})
    choose_columns(rule, other, {"columns": list(by.values())})
    taken = [c for c in choose_columns(rule, other, join) if c not in by.values()]
    taken += [c + WHY for c in taken if c + WHY in other.columns]
    part = other[[*by.values(), *taken]].dropna(subset=list(by.values()), how="any").drop_duplicates()
    if part.duplicated(list(by.values())).any():
        raise rule_error(
            "BSC-CFG-075", rule, f"joins '{join['source']}', which has several differing rows for one key.", "Join by more columns."
        )
    prefix = join.get("prefix", "")
    part = part.rename(columns={c: prefix + c for c in taken} | {right: left for left, right in by.items()})
    clash = sorted(set(part.columns) & set(frame.columns) - set(by))
    if clash:
        raise rule_error("BSC-CFG-075", rule, f"joins the column '{clash[0]}', which its own table has too.", "Give the join a `prefix`.")
    return frame.merge(part, how="left", on=list(by))


def numeric(values: pd.Series) -> pd.Series:
    """Return a column as numbers; text that is none becomes missing."""
    return pd.to_numeric(values, errors="coerce")


def _dates(values: pd.Series, form: str | None = None) -> pd.Series:
    return pd.to_datetime(values, format=form or "%Y-%m-%d", errors="coerce")


def _n_reason(frame: pd.DataFrame, columns: list[str], reasons: list[str]) -> pd.Series:
    whys = [c + WHY for c in columns if c + WHY in frame.columns]
    return frame[whys].isin(reasons).sum(axis=1)


#: rule -> function (table, columns, settings) -> a column
DERIVE = {
    "n_valid": lambda f, c, s: f[c].notna().sum(axis=1),
    "n_missing": lambda f, c, s: f[c].isna().sum(axis=1),
    "n_equal": lambda f, c, s: f[c].isin(s["values"]).sum(axis=1),
    "n_reason": lambda f, c, s: _n_reason(f, c, s["reasons"]),
    "n_distinct": lambda f, c, s: f[c].nunique(axis=1),
    "minimum": lambda f, c, s: f[c].apply(numeric).min(axis=1),
    "maximum": lambda f, c, s: f[c].apply(numeric).max(axis=1),
    "sum": lambda f, c, s: f[c].apply(numeric).sum(axis=1, min_count=1),
    "mean": lambda f, c, s: f[c].apply(numeric).mean(axis=1),
    "number": lambda f, c, s: numeric(f[c[0]]),
    "weekday": lambda f, c, s: _dates(f[c[0]]).dt.day_of_week,
    "days": lambda f, c, s: (_dates(f[c[0]]) - _dates(f[c[1]])).dt.days,
    "date": lambda f, c, s: _dates(f[c[0]], s["format"]).dt.strftime("%Y-%m-%d"),
    "seconds": lambda f, c, s: pd.to_timedelta(f[c[0]], errors="coerce").dt.total_seconds(),
    "extract": lambda f, c, s: f[c[0]].astype("str").str.extract(s["regex"], expand=False),
}
NEEDED = {"n_equal": "values", "n_reason": "reasons", "date": "format", "extract": "regex"}


def derive(rule: dict, frame: pd.DataFrame, spec: dict) -> pd.Series:
    """Return one derived column of a rule's table.

    `rule` of the spec is one of: ``n_valid``, ``n_missing``, ``n_equal`` {values}, ``n_reason`` {reasons}, ``n_distinct``,
    ``minimum``, ``maximum``, ``sum``, ``mean`` (over the columns of a row); ``number``, ``weekday`` (Monday 0),
    ``date`` {format}, ``seconds`` (of a clock time), ``extract`` {regex with one group} (of one column); ``days`` (first
    column minus second).
    """
    name = spec.get("rule")
    if name not in DERIVE:
        raise rule_error("BSC-CFG-070", rule, f"derives a column by '{name}', which is not known.", nearest(str(name), list(DERIVE)))
    if name in NEEDED and NEEDED[name] not in spec:
        raise rule_error("BSC-CFG-070", rule, f"derives a column by '{name}' without `{NEEDED[name]}`.")
    columns = choose_columns(rule, frame, spec)
    if name == "days" and len(columns) != 2:
        raise rule_error("BSC-CFG-070", rule, "derives days, which needs exactly two columns.")
    return DERIVE[name](frame, columns, spec)
