"""A study's own checks, declared in config/checks.yaml: what each kind counts and which rows it points to.

Every rule has `id`, `source`, `kind` and may have `label`, `severity`, `reason`, `unit`, `where`, `join` and `derive` (see
:mod:`bscstudy.checks.rule_frames`). `count` is ``rows`` (default), ``distinct`` (of the rule's own columns) or a list of columns whose
distinct combinations are counted among the rows found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from bscstudy.checks.registry import WHY, Finding, Source, row_findings, whole_finding
from bscstudy.checks.rule_frames import BOOKKEEPING, choose_columns, condition, data_columns, numeric, rule_error, rule_frame
from bscstudy.checks.rule_groups import count_groups, count_small_cells
from bscstudy.errors import BscError, nearest
from bscstudy.io.raw import number_of

COMMON = {"id", "label", "source", "kind", "severity", "reason", "unit", "where", "join", "derive", "count"}
COLUMNS = {"column", "columns", "pattern"}
#: kind -> settings it knows beyond the common ones
KINDS = {
    "rows": set(),
    "distinct": COLUMNS | {"ignore_case"},
    "cells": COLUMNS | {"code", "reason_is", "blank", "below", "above"},
    "not_in": COLUMNS | {"other_source", "other_column", "other_where"},
    "repeated": COLUMNS | {"exact"},
    "straight": COLUMNS,
    "constant_columns": COLUMNS | {"except"},
    "compare": {"left", "operator", "right", "days", "other_source", "by"},
    "mojibake": COLUMNS,
    "small_cells": {"by", "below"},
    "groups": {"by", "stack", "aggregates", "having"},
}
REQUIRED = {
    "compare": {"left", "operator", "right"},
    "not_in": {"other_source"},
    "small_cells": {"by", "below"},
    "groups": {"by", "having"},
}
OPERATORS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
#: Above this many rows a rule becomes one finding with a count, so that a description of thousands of rows does not bury the faults.
LISTED_AT_MOST = 500


@dataclass(frozen=True)
class Counted:
    """What a rule found: how many, of what, and the findings that stand in findings.csv."""

    n: int
    findings: list[Finding]


def sources_of(rule: dict) -> list[str | None]:
    """Return the sources a rule names: its own first, then those it compares or joins with."""
    others = (rule.get("other_source"), *(join.get("source") for join in rule.get("join") or []))
    return [rule.get("source"), *(name for name in others if name)]


def check_rules(rules: list[dict], tables: dict[str, Source]) -> None:
    """Raise for every rule with an unknown kind, setting or source at once, before any check runs.

    Raises
    ------
    BscError
        BSC-CFG-070 for unknown or missing settings, BSC-CFG-073 where only sources are unknown.
    """
    faults = [fault for rule in rules for fault in _faults(rule, tables)]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        where = tuple(f"{fault.where}: {fault.what} {fault.todo.split(' The kinds and')[0]}".strip() for fault in faults)
        raise replace(
            faults[0], code=min(f.code for f in faults), what=f"{len(faults)} settings of own rules are not understood.", where=where
        )


def _faults(rule: dict, tables: dict[str, Source]) -> list[BscError]:
    kind = rule.get("kind")
    if kind not in KINDS:
        return [rule_error("BSC-CFG-070", rule, f"has the unknown kind '{kind}'.", nearest(str(kind), list(KINDS)))]
    known = COMMON | KINDS[kind]
    faults = [
        rule_error("BSC-CFG-070", rule, f"has the setting '{name}', which the kind '{kind}' does not know.", nearest(name, sorted(known)))
        for name in sorted(set(rule) - known)
    ]
    wanted = REQUIRED.get(kind, set()) | ({"by"} if "other_source" in rule and kind == "compare" else set())
    faults += [rule_error("BSC-CFG-070", rule, f"of kind '{kind}' needs the setting '{name}'.") for name in sorted(wanted - set(rule))]
    faults += [
        rule_error("BSC-CFG-073", rule, f"names the source '{name}', which the study does not have.", nearest(str(name), list(tables)))
        for name in sources_of(rule)
        if name not in tables
    ]
    if kind == "compare" and rule.get("operator") not in (*OPERATORS, "same", "differs"):
        faults.append(rule_error("BSC-CFG-070", rule, f"has the unknown operator '{rule.get('operator')}'."))
    return faults


def run_rule(rule: dict, tables: dict[str, Source], config: dict) -> Counted:
    """Carry out one declared rule.

    Returns
    -------
    Counted
        `n` as the rule's `count` says; one finding for each row, or a single one where the rule has no rows or more than
        `LISTED_AT_MOST`.
    """
    source = tables[rule["source"]]
    frame = rule_frame(rule, tables)
    if rule["kind"] == "groups":
        n, rows = count_groups(rule, frame)
    elif rule["kind"] == "small_cells":
        n, rows = count_small_cells(rule, frame)
    elif rule["kind"] == "constant_columns":
        return _constant_columns(rule, frame, source)
    else:
        frame = frame[condition(rule, frame, rule.get("where"))]
        n, rows = _ROW_KINDS[rule["kind"]](rule, frame, tables, config)
    return Counted(int(n), _findings(rule, int(n), rows, source))


def _findings(rule: dict, n: int, rows: pd.DataFrame, source: Source) -> list[Finding]:
    label, unit = str(rule.get("label") or rule["id"]), str(rule.get("unit", "rows"))
    column = " ".join(filter(None, [str(rule.get(k, "")) for k in ("column", "left")]))
    if not n:
        return []
    if len(rows) > LISTED_AT_MOST or (rule["kind"] == "rows" and not rule.get("where")):
        return [whole_finding(rule["id"], source, column, n, unit, f"{label}: {n} {unit} (rows not listed one by one)")]
    rows = rows.drop_duplicates("row").sort_values("row")
    return row_findings(rule["id"], source, rows, column, label, unit)


def _number(rule: dict, rows: pd.DataFrame, own: list[str]) -> int:
    """Return the count a rule asks for among the rows it found."""
    count = rule.get("count", "rows")
    if count == "rows":
        return len(rows)
    columns = own if count == "distinct" else choose_columns(rule, rows, {"columns": count})
    return len(rows[columns].dropna(how="any").drop_duplicates())


def _rows(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    return _number(rule, frame, []), frame


def _distinct(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    columns = choose_columns(rule, frame, rule)
    values = frame[columns].dropna(how="any")
    if rule.get("ignore_case"):
        values = values.apply(lambda v: v.astype("str").str.casefold())
    return len(values.drop_duplicates()), frame.iloc[:0]


def _cells(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    columns = choose_columns(rule, frame, rule)
    found = pd.DataFrame(False, index=frame.index, columns=columns)
    for column in columns:
        found[column] = _cell_found(rule, frame, column, tables[rule["source"]].instrument, config)
    rows = frame[found.any(axis=1)]
    return (int(found.to_numpy().sum()) if rule.get("count", "cells") == "cells" else _number(rule, rows, columns)), rows


def _cell_found(rule: dict, frame: pd.DataFrame, column: str, instrument: str, config: dict) -> pd.Series:
    values = frame[column]
    found = pd.Series(False, index=frame.index)
    reasons = {rule["reason_is"]} if "reason_is" in rule else set()
    if "code" in rule:
        codes = [str(c) for c in (rule["code"] if isinstance(rule["code"], list) else [rule["code"]])]
        numbers = [number for c in codes if (number := number_of(c)) is not None]
        found |= values.isin(numbers if pd.api.types.is_numeric_dtype(values) else codes)
        reasons |= _reasons_of(codes, column, _instruments(rule, instrument, config), config["missing_codes"])
    if reasons and column + WHY in frame.columns:
        found |= frame[column + WHY].isin(reasons)
    if "below" in rule:
        found |= numeric(values) < rule["below"]
    if "above" in rule:
        found |= numeric(values) > rule["above"]
    return found | values.isna() if rule.get("blank") else found


def _reasons_of(codes: list[str], column: str, instruments: set[str], missing_codes: list[dict]) -> set[str]:
    """Return the reasons that stand for codes of missing_codes.csv; a row for the item goes before one for all items."""
    found = [r for r in missing_codes if r["instrument"] in instruments and r["code"] in codes and (r.get("item") or column) == column]
    specific = {r["code"] for r in found if r.get("item")}
    return {r["reason"] for r in found if r.get("item") or r["code"] not in specific}


def _instruments(rule: dict, own: str, config: dict) -> set[str]:
    joined = {config["sources"][join["source"]]["instrument"] for join in rule.get("join") or []} if config.get("sources") else set()
    return joined | {own}


def _not_in(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    columns = choose_columns(rule, frame, rule)
    other = tables[rule["other_source"]].frame
    other = other[condition(rule, other, rule.get("other_where"))]
    others = choose_columns(rule, other, {"columns": rule.get("other_column", columns)})
    known = set(other[others].dropna(how="any").itertuples(index=False, name=None))
    present = frame[frame[columns].notna().all(axis=1)]
    rows = present[[values not in known for values in present[columns].itertuples(index=False, name=None)]]
    return _number(rule, rows, columns), rows


def _repeated(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    if rule.get("exact"):
        columns = [c for c in frame.columns if c not in BOOKKEEPING]
        rows = frame[frame.duplicated(columns)]
    else:
        columns = choose_columns(rule, frame, rule)
        rows = frame[frame.duplicated(columns) & frame[columns].notna().all(axis=1)]
    return _number(rule, rows, columns), rows


def _straight(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    block = frame[choose_columns(rule, frame, rule)]
    rows = frame[block.notna().all(axis=1) & block.eq(block.iloc[:, 0], axis=0).all(axis=1)]
    return _number(rule, rows, list(block.columns)), rows


def _constant_columns(rule: dict, frame: pd.DataFrame, source: Source) -> Counted:
    frame = frame[condition(rule, frame, rule.get("where"))]
    left_out = {*source.keys, "wave", *(rule.get("except") or [])}
    columns = [c for c in choose_columns(rule, frame, rule, default_all=True) if c not in left_out and c in data_columns(frame)]
    constant = [c for c in columns if frame[c].notna().any() and frame[c].nunique(dropna=False) == 1]
    message = str(rule.get("label") or rule["id"])
    return Counted(len(constant), [whole_finding(rule["id"], source, c, 1, "columns", message) for c in constant])


def _compare(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    left, right = rule["left"], rule["right"]
    if "other_source" in rule:
        other = {"source": rule["other_source"], "by": rule["by"], "columns": [right], "prefix": "other_"}
        frame = rule_frame(
            {**rule, "join": [other], "derive": {}, "source": rule["source"]}, {**tables, rule["source"]: Source(rule["source"], frame)}
        )
        right = f"other_{right}"
    choose_columns(rule, frame, {"columns": [left, right]})
    a, b = frame[left], frame[right]
    if "days" in rule:
        shifted = pd.to_datetime(b, format="%Y-%m-%d", errors="coerce") + pd.to_timedelta(rule["days"], unit="D")
        a, b = pd.to_datetime(a, format="%Y-%m-%d", errors="coerce"), shifted
    same = (a == b) | (a.isna() & b.isna())
    if rule["operator"] in ("same", "differs"):
        found = same if rule["operator"] == "same" else ~same
    else:
        found = a.notna() & b.notna() & getattr(a, OPERATORS[rule["operator"]])(b).fillna(False)
    rows = frame[found.astype(bool)]
    return _number(rule, rows, [rule["left"]]), rows


def _mojibake(rule: dict, frame: pd.DataFrame, tables: dict[str, Source], config: dict) -> tuple[int, pd.DataFrame]:
    columns = choose_columns(rule, frame, rule)
    broken = {c: {text for text in frame[c].dropna().unique() if doubly_encoded(str(text))} for c in columns}
    rows = frame[pd.DataFrame({c: frame[c].isin(broken[c]) for c in columns}).any(axis=1)]
    return _number(rule, rows, columns), rows


def doubly_encoded(text: str) -> bool:
    """Return whether a text is UTF-8 that was read as Latin-1 or Windows-1252 (``Ã©`` for an accented e)."""
    for encoding in ("latin-1", "cp1252"):
        try:
            if text.encode(encoding).decode("utf-8") != text:
                return True
        except UnicodeError:
            continue
    return False


_ROW_KINDS = {
    "rows": _rows, "distinct": _distinct, "cells": _cells, "not_in": _not_in, "repeated": _repeated,
    "straight": _straight, "compare": _compare, "mojibake": _mojibake,
}  # fmt: skip
