"""A result as plain text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

SIGNIFICANT = 12


def summary_text(result: object) -> str:
    """Return the result as text: model, rows, groups, verdict, fixed effects, variances.

    Estimates of an unreliable fit carry the word in every row; a failed fit shows none.
    """
    lines = _heading(result)
    state = result.verdict.state
    lines += [f"Verdict: {state}", *(f"  - {reason}" for reason in result.verdict.reasons), ""]
    if state == "failed":
        return "\n".join([*lines, "No estimates: the fit failed.", ""])
    flag = "" if result.verdict.estimated else " - unreliable, not to be reported"
    fixed = result.to_frame().drop(columns=["verdict", "method"])
    components = result.variance_components.drop(columns="correlation").assign(correlation=result.variance_components["correlation"])
    method = result.fixed_effects.attrs["method"]
    lines += [f"Fixed effects ({method}){flag}", *_table(fixed, flag), "", f"Variances{flag}", *_table(components, flag), ""]
    extra = result.extra_parameters
    if len(extra):
        lines += [f"Other parameters{flag}", *_table(extra, flag), ""]
    return "\n".join(lines)


def _heading(result: object) -> list[str]:
    design = result.fit.design
    lost = design.n_missing.get("rows", 0)
    by_column = ", ".join(f"{name} {count}" for name, count in sorted(design.n_missing.items()) if name != "rows" and count)
    groups = ", ".join(f"{f.name} {f.n_levels}" for f in reversed(design.factors)) or "none"
    rows = f"Rows: {design.n}; lost to missing values: {lost}" + (f" ({by_column})" if by_column else "")
    return [
        f"{result.title}, {result.estimator}",
        f"Formula: {result.formula}",
        rows,
        f"Groups: {groups}",
        f"{'Restricted log' if result.restricted else 'Log'}-likelihood: {result.log_likelihood:.6g} on {result.n_parameters} parameters",
    ]


def _table(frame: pd.DataFrame, flag: str) -> list[str]:
    """Lines of a table, numbers to 5 significant digits, columns set flush."""
    shown = frame.copy()
    if flag:
        shown["verdict"] = "unreliable"
    cells = [
        [str(c) for c in shown.columns],
        *([_cell(v, name) for v, name in zip(row, shown.columns, strict=True)] for row in shown.values),
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells[0] else []
    words = [all(isinstance(v, str) for v in shown[name]) for name in shown.columns]
    return ["  " + "  ".join(v.ljust(w) if t else v.rjust(w) for v, w, t in zip(row, widths, words, strict=True)).rstrip() for row in cells]


def _cell(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    number = float(value)
    if np.isnan(number):
        return ""
    if name.startswith("p_") or name.endswith("_p"):
        return "<0.0001" if number < 1e-4 else f"{number:.4f}"
    return f"{number:.5g}"


def to_json(content: Mapping) -> str:
    """Return nested mappings, sequences, tables and numbers as JSON: keys sorted, 12 significant digits, missing as null."""
    return json.dumps(_plain(content), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, pd.DataFrame):
        return [_plain(dict(zip(value.columns, row, strict=True))) for row in value.itertuples(index=False, name=None)]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _number(float(value))
    return None if value is None else str(value)


def _number(value: float) -> object:
    if np.isnan(value):
        return None
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(f"{value:.{SIGNIFICANT}g}") + 0.0
