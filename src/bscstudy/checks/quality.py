"""The data-quality run: every check over all rows, then without the excluded ones, with its severity.

What the first pass finds and the second does not is `resolved` by an exclusion.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

import pandas as pd

from bscstudy.checks import builtin, builtin_codebook, builtin_files, raters, received  # noqa: F401 - they enter their checks
from bscstudy.checks.registry import REGISTRY, SEVERITIES, Check, Finding, Source
from bscstudy.checks.rules import check_rules, run_rule, sources_of
from bscstudy.errors import BscError, nearest

FINDING_COLUMNS = ["finding", "check", "severity", "source", "file", "row", "column", "wave", "n", "unit", "message"]
SUMMARY_COLUMNS = ["check", "label", "source", "severity", "n", "n_resolved", "unit", "reason"]


@dataclass(frozen=True)
class Quality:
    """All findings with their severities, and their counts by check and source.

    Attributes
    ----------
    findings : DataFrame
        One row a finding, columns as `FINDING_COLUMNS`.
    summary : DataFrame
        One row a check and source, columns as `SUMMARY_COLUMNS`; `n` counts over all rows, `n_resolved` the part that
        an exclusion removed. A check that found nothing anywhere has one row with a blank source; a study's own rule always
        has the row of its source.
    """

    findings: pd.DataFrame
    summary: pd.DataFrame


def run_checks(tables: dict[str, Source], config: dict, *, severe_only: bool = False) -> Quality:
    """Run the built-in checks and the study's own rules over the ingested sources.

    Parameters
    ----------
    tables : dict of str to Source
        Every ingested source, with its excluded rows.
    config : dict
        The sections `waves`, `register`, `sources`, `items`, `scales`, `checks` and, for rules that name a code
        for missing, `missing_codes`.
    severe_only : bool
        Whether only checks and rules that can stop the run are made, rules only where all sources they name are given, and of
        the checks only what they find in sources given together with all that they compare them with; the settings as a whole
        are then taken to be judged elsewhere, over all sources.

    Raises
    ------
    BscError
        BSC-CFG-070 to BSC-CFG-073 and BSC-CFG-075 for a rule that cannot be carried out; BSC-CFG-074 for a severity or tolerance
        of a check or source that does not exist, or two checks with one id.
    """
    made, rules = list(REGISTRY.values()), (config.get("checks") or {}).get("rules") or []
    if severe_only:
        made, rules = stopping(config)
        rules = [rule for rule in rules if set(sources_of(rule)) <= set(tables)]
    else:
        _check_settings(config, tables)
    check_rules(rules, tables)
    everything, counts = _one_pass(tables, made, rules, config)
    kept = {name: source.kept() for name, source in tables.items()}
    if any(kept[name] is not tables[name] for name in tables):
        remaining, counts_kept = _one_pass(kept, made, rules, config)
    else:
        remaining, counts_kept = everything, counts
    if severe_only:
        everything, remaining = (_judged(found, tables, config) for found in (everything, remaining))
    rated = _rated(everything, remaining, config)
    return Quality(_findings_frame(rated), _summary_frame(rated, rules, counts, counts_kept, config))


def _check_settings(config: dict, tables: dict[str, Source]) -> None:
    settings = config.get("checks") or {}
    own = [rule["id"] for rule in settings.get("rules") or []]
    known = [*REGISTRY, *own]
    faults = [f"rules: the id '{name}' is used {n} times" for name, n in sorted(Counter(known).items()) if n > 1]
    named = [("severity", name) for name in settings.get("severity") or {}]
    named += [("tolerated", entry["check"]) for entry in settings.get("tolerated") or []]
    faults += [f"{where}: no check '{name}'. {nearest(name, known)}".strip() for where, name in named if name not in known]
    sources = [entry.get("source") for entry in settings.get("tolerated") or []]
    faults += [f"tolerated: no source '{name}'. {nearest(name, list(tables))}".strip() for name in sources if name and name not in tables]
    if faults:
        raise BscError(
            "BSC-CFG-074",
            f"{len(faults)} setting(s) of the checks refer to what does not exist.",
            tuple(f"config/checks.yaml, {fault}" for fault in faults),
            "A tolerance that fits nothing would leave the run stopped, a severity that fits nothing would be passed over.",
            "Correct the names; the built-in checks are listed in docs/architecture.md, section 6.",
        )


def _one_pass(tables: dict[str, Source], made: list[Check], rules: list[dict], config: dict) -> tuple[list[Finding], dict[str, int]]:
    findings = [finding for check in made for finding in check.function(tables, config)]
    counts = {}
    for rule in rules:
        counted = run_rule(rule, tables, config)
        counts[rule["id"]] = counted.n
        findings += counted.findings
    return findings, counts


def stopping(config: dict) -> tuple[list[Check], list[dict]]:
    """Return the built-in checks and the study's own rules that can stop the run."""
    rules = (config.get("checks") or {}).get("rules") or []
    made = [check for check in REGISTRY.values() if severity_of(check.id, "", config)[0] == "stop"]
    return made, [rule for rule in rules if severity_of(rule["id"], rule["source"], config)[0] == "stop"]


def needs_reasons(config: dict) -> bool:
    """Return whether something that can stop the run may look at the reasons for missing answers."""
    made, rules = stopping(config)
    return bool(rules) or any(check.reasons for check in made)


def _judged(findings: list[Finding], tables: dict[str, Source], config: dict) -> list[Finding]:
    """Leave out what a check found in a source without having seen all that it compares the source with."""
    partial = {
        (check, source)
        for check, source in {(f.check, f.source) for f in findings if f.check in REGISTRY}
        if not REGISTRY[check].adds_up and not REGISTRY[check].compared_with(source, config) <= set(tables)
    }
    return [finding for finding in findings if (finding.check, finding.source) not in partial]


def severity_of(check: str, source: str, config: dict) -> tuple[str, str]:
    """Return the severity of a check for a source and, where it is tolerated, the reason the study gives."""
    settings = config.get("checks") or {}
    for entry in settings.get("tolerated") or []:
        if entry["check"] == check and entry.get("source") in (None, "", source):
            return "tolerated", str(entry.get("reason", ""))
    override = (settings.get("severity") or {}).get(check)
    rule = next((r for r in settings.get("rules") or [] if r["id"] == check), None)
    if rule is not None:
        return override or rule.get("severity", "report"), str(rule.get("reason", ""))
    return override or REGISTRY[check].severity, ""


def _rated(everything: list[Finding], remaining: list[Finding], config: dict) -> list[tuple[str, Finding]]:
    """Pair each finding with its severity; what only the second pass finds is kept too."""
    still = {finding.identity for finding in remaining}
    first = {finding.identity for finding in everything}
    rated = []
    for finding in everything + [f for f in remaining if f.identity not in first]:
        solved = finding.identity not in still or finding.check == "excluded_record"
        rated.append(("resolved" if solved else severity_of(finding.check, finding.source, config)[0], finding))
    return sorted(rated, key=lambda pair: _order(*pair))


def _order(severity: str, finding: Finding) -> tuple:
    row = -1 if finding.row is None else finding.row
    return (SEVERITIES.index(severity), finding.check, finding.source, finding.wave, row, finding.column, finding.message)


def _findings_frame(rated: list[tuple[str, Finding]]) -> pd.DataFrame:
    rows = [{"finding": i, "severity": severity, **asdict(finding)} for i, (severity, finding) in enumerate(rated, start=1)]
    frame = pd.DataFrame(rows, columns=FINDING_COLUMNS)
    return frame.astype({"row": "Int64"})


def _summary_frame(rated: list, rules: list[dict], counts: dict[str, int], counts_kept: dict[str, int], config: dict) -> pd.DataFrame:
    declared = {rule["id"] for rule in rules}
    total, solved, units = Counter(), Counter(), {}
    for severity, finding in rated:
        if finding.check not in declared:
            place = (finding.check, finding.source)
            total[place] += finding.n
            solved[place] += finding.n if severity == "resolved" else 0
            units[place] = finding.unit
    for rule in rules:
        place = (rule["id"], rule["source"])
        total[place], solved[place] = counts[rule["id"]], max(0, counts[rule["id"]] - counts_kept[rule["id"]])
        units[place] = str(rule.get("unit", "rows"))
    for check in set(REGISTRY) - {check for check, _ in total}:
        total[(check, "")], units[(check, "")] = 0, REGISTRY[check].unit
    labels = {**{c.id: c.label for c in REGISTRY.values()}, **{r["id"]: str(r.get("label") or r["id"]) for r in rules}}
    rows = []
    for (check, source), n in sorted(total.items()):
        severity, reason = severity_of(check, source, config)
        reason = _reasons_of_exclusion(source, config) if check == "excluded_record" else reason
        needs = REGISTRY[check].needs if check in REGISTRY else ""
        reason = f"Not checked: the study has no {needs}." if needs and not config.get(needs) else reason
        severity = "resolved" if 0 < n == solved[(check, source)] else severity
        rows.append(
            dict(
                zip(
                    SUMMARY_COLUMNS,
                    (check, labels[check], source, severity, n, solved[(check, source)], units[(check, source)], reason),
                    strict=True,
                )
            )
        )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def _reasons_of_exclusion(source: str, config: dict) -> str:
    return " ".join(dict.fromkeys(entry["reason"] for entry in config.get("exclusions") or [] if entry["source"] == source))
