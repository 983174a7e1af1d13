"""The gate: sources with severe findings are not scored, and one message lists them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.errors import BscError

SHOWN_ROWS = 20


@dataclass(frozen=True)
class Gate:
    """What the checks amount to: counts of findings by severity, and what is tolerated with its reason."""

    n_stop: int
    n_report: int
    n_tolerated: int
    n_resolved: int
    tolerated: tuple[dict, ...]


def pass_gate(findings: pd.DataFrame, summary: pd.DataFrame) -> Gate:
    """Return the verdict over all findings.

    Raises
    ------
    BscError
        BSC-DAT-001 with every finding of severity stop, by check, source and file, with their rows.
    """
    severe = findings[findings["severity"] == "stop"]
    if len(severe):
        raise _refusal(severe, summary)
    n = Counter(findings["severity"])
    tolerated = summary[(summary["severity"] == "tolerated") & (summary["n"] > 0)]
    named = tuple(
        {"check": row.check, "source": row.source, "n": int(row.n), "unit": row.unit, "reason": "" if pd.isna(row.reason) else row.reason}
        for row in tolerated.itertuples(index=False)
    )
    return Gate(0, n["report"], n["tolerated"], n["resolved"], named)


def require_sound(tables: dict[str, Source], config: dict) -> None:
    """Raise if some of a study's sources hold a severe finding.

    Every step that scores sources asks this of its own ones, so that nothing is computed from them whatever the order of
    jobs. Own rules count that name none but these sources.

    Parameters
    ----------
    tables : dict of str to Source
        The sources with their excluded rows, and the registers their keys refer to.
    config : dict
        The sections `run_checks` needs.

    Raises
    ------
    BscError
        BSC-DAT-001 with every severe finding in these sources.
    """
    settings = config.get("checks") or {}
    rules = [rule for rule in settings.get("rules") or [] if rule.get("severity") == "stop" and _sources_of(rule) <= set(tables)]
    tolerated = [entry for entry in settings.get("tolerated") or [] if entry.get("source") in (None, "", *tables)]
    known = {**settings, "rules": rules, "tolerated": tolerated, "severity": _of_known(settings, rules)}
    quality = run_checks(tables, {**config, "checks": known}, severe_only=True)
    pass_gate(quality.findings, quality.summary)


def _sources_of(rule: dict) -> set[str]:
    named = [rule["source"], rule.get("other_source"), *(join["source"] for join in rule.get("join") or [])]
    return {name for name in named if name}


def _of_known(settings: dict, rules: list[dict]) -> dict:
    """Return the severities of built-in checks and of these rules; the whole list is judged in `run_checks` over all sources."""
    others = {rule["id"] for rule in settings.get("rules") or []} - {rule["id"] for rule in rules}
    return {check: severity for check, severity in (settings.get("severity") or {}).items() if check not in others}


def _refusal(severe: pd.DataFrame, summary: pd.DataFrame) -> BscError:
    labels = dict(zip(summary["check"], summary["label"], strict=True))
    places = [
        _place(keys, rows, labels) for keys, rows in severe.fillna({"column": ""}).groupby(["check", "source", "file", "column"], sort=True)
    ]
    checks = severe["check"].nunique()
    return BscError(
        "BSC-DAT-001",
        f"{len(severe)} finding(s) of {checks} check(s) are severe.",
        tuple(places),
        "A wrong key, code or date would change results without anyone seeing it. Nothing was scored.",
        "Correct the files; or leave records out under `exclusions` in config/config.yaml, or accept a finding under `tolerated` in "
        "config/checks.yaml, each with a reason. Every finding is in data/derived/checks/findings.csv.",
    )


def _place(keys: tuple, rows: pd.DataFrame, labels: dict) -> str:
    check, source, file, column = keys
    numbers = sorted({int(row) for row in rows["row"].dropna()})
    shown = ", ".join(str(row) for row in numbers[:SHOWN_ROWS])
    more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
    where = f", {'row' if len(numbers) == 1 else 'rows'} {shown}{more}" if numbers else f", {int(rows['n'].sum())} {rows['unit'].iloc[0]}"
    column = f", column {column}" if column else ""
    return f"{check} ({labels.get(check, check)}): {source}, {file}{column}{where}"
