"""The gate: sources with severe findings are not scored, and one message lists them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from bscstudy.checks.quality import run_checks, stopping
from bscstudy.checks.registry import Source
from bscstudy.checks.rules import sources_of
from bscstudy.errors import BscError, rows_said
from bscstudy.io.inventory import files_of


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
    jobs.

    Parameters
    ----------
    tables : dict of str to Source
        The sources with their excluded rows, the registers their keys refer to and what `sources_compared` names.
    config : dict
        The sections `run_checks` needs, of those of `sections_read` at least what it names.

    Raises
    ------
    BscError
        BSC-DAT-001 with every severe finding in these sources.
    """
    quality = run_checks(tables, config, severe_only=True)
    pass_gate(quality.findings, quality.summary)


def sources_compared(names: list[str], config: dict) -> list[str]:
    """Return the further sources that checks and own rules that can stop the run compare these with."""
    checks, rules = stopping(config)
    found = {other for check in checks for name in names for other in check.compared_with(name, config)}
    found |= {other for rule in rules if rule["source"] in names for other in sources_of(rule)}
    return sorted(found & set(config["sources"]) - set(names))


def sections_read(names: list[str], config: dict) -> dict[str, str]:
    """Return local name -> address of the further sections that checks that can stop the run read to judge these sources."""
    sections = {name for check in stopping(config)[0] for name in (*check.reads, check.needs) if name}
    addresses = {name: name for name in sorted(sections)}
    if "manifest" in addresses:
        files = sorted({file for name in names for file in files_of(config["sources"][name])})
        addresses["manifest"] = f"manifest[file={'|'.join(files)}]"
    return addresses


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
    where = rows_said(rows["row"].dropna()) or f", {int(rows['n'].sum())} {rows['unit'].iloc[0]}"
    column = f", column {column}" if column else ""
    return f"{check} ({labels.get(check, check)}): {source}, {file}{column}{where}"
