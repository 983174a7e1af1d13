"""Built-in checks of rows and ids: keys, registers, codes, ranges, dates, what was expected, what was excluded."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.compared import of_one_instrument, of_one_wave, of_the_study
from bscstudy.checks.flow import sample_flow
from bscstudy.checks.registry import Finding, Source, items_of, register, row_findings, wave_by_row, waves_of, whole_finding
from bscstudy.io.spelling import spell

GRACE_DAYS = 60
#: keys whose spellings are compared between sources
SPELLED_KEYS = ("person_id", "center_id")
#: what ids have in common that may be one id written in two ways
LOOSEST = {"case": "lower", "separators": "dash", "leading_zeros": "drop"}


@register("duplicate_key", "Two rows for one key", "stop", compared_with=of_one_wave, adds_up=True)
def duplicate_key(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows that repeat the key of an earlier row; for people also across files of one instrument and wave."""
    findings = []
    for group in _same_instrument(tables):
        key = _key_columns(group[0])
        if not key:
            continue
        wanted = ["row", "wave", *key]
        parts = [source.frame[source.frame.columns.intersection(wanted)].assign(_source=source.id) for source in group]
        rows = pd.concat(parts, ignore_index=True)
        rows = rows[rows[key].notna().all(axis=1)]
        first = rows.groupby(key, sort=False)[["row", "_source"]].transform("first")
        again = rows.duplicated(key)
        for index in rows.index[again]:
            source = tables[rows.at[index, "_source"]]
            there = first.at[index, "_source"]
            earlier = f"row {int(first.at[index, 'row'])}" + ("" if there == source.id else f" of {there}")
            message = f"repeats the key ({', '.join(key)}) of {earlier}"
            findings += row_findings("duplicate_key", source, rows.loc[[index]], " ".join(key), message)
    return findings


def _key_columns(source: Source) -> list[str]:
    declared = list(source.settings.get("key") or [])
    key = declared + (["wave"] if "person_id" in declared and "wave" not in declared and source.settings.get("wave") else [])
    return [c for c in key if c in source.frame.columns]


def _same_instrument(tables: dict[str, Source]) -> list[list[Source]]:
    """Group the sources within which a key must be unique: each alone, those keyed by person and wave by instrument."""
    groups: dict[tuple, list[Source]] = {}
    for name, source in sorted(tables.items()):
        key = _key_columns(source)
        shared = "person_id" in key and "wave" in key
        groups.setdefault((source.instrument, *key) if shared else (name,), []).append(source)
    return list(groups.values())


@register("missing_key", "Part of the key is blank", "report")
def missing_key(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows whose declared key is not complete, so that repeats of them cannot be seen, and rows that name no center."""
    findings = []
    for source in tables.values():
        key = _key_columns(source)
        for column in dict.fromkeys([*key, *source.frame.columns.intersection(["center_id"])]):
            blank = int(source.frame[column].isna().sum())
            if blank:
                then = "a repeat of these cannot be seen" if column in key else "these count for no center"
                text = f"{column} is blank in {blank} rows; {then}"
                findings.append(whole_finding("missing_key", source, column, blank, "rows", text))
    return findings


@register("unknown_center", "Center that is not in the register", "stop")
def unknown_center(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows that point to a center the register does not list."""
    name = config["register"]["centers"]
    return _not_registered(tables, "unknown_center", "center_id", name)


@register("unknown_person", "Person who is not in the register", "report")
def unknown_person(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows of a person whom the register of people does not list; nothing where there is no such register."""
    name = config["register"].get("people")
    return _not_registered(tables, "unknown_person", "person_id", name) if name else []


def _not_registered(tables: dict[str, Source], check: str, key: str, name: str) -> list[Finding]:
    if name not in tables or key not in tables[name].frame.columns:
        return []
    known = set(tables[name].frame[key].dropna())
    findings = []
    for source in tables.values():
        if source.id != name and key in source.frame.columns:
            strange = source.frame[source.frame[key].notna() & ~source.frame[key].isin(known)]
            message = f"{key} is not in the register {name}"
            findings += row_findings(check, source, strange.drop_duplicates("row"), key, message)
    return findings


def _undeclared(check: str, key: str, section: str):
    """Return the check for groups that config.yaml does not declare; nothing where it declares none."""

    def found(tables: dict[str, Source], config: dict) -> list[Finding]:
        known = {str(entry["id"]) for entry in config.get(section) or []}
        findings = []
        for source in tables.values() if known else ():
            if key in source.frame.columns:
                strange = source.frame[source.frame[key].notna() & ~source.frame[key].astype(str).isin(known)]
                message = f"{key} is not declared under {section} of config.yaml"
                findings += row_findings(check, source, strange.drop_duplicates("row"), key, message)
        return findings

    return found


register("unknown_role", "Role that is not declared", "stop")(_undeclared("unknown_role", "role", "roles"))
register("unknown_collaborative", "Collaborative that is not declared", "stop")(
    _undeclared("unknown_collaborative", "collaborative", "collaboratives")
)


#: kind of problem noted by ingest -> what it means, without the value
PROBLEMS = {
    "out_of_range": "value outside the range of the codebook",
    "unknown_code": "code that the codebook does not list",
    "not_a_number": "text where the codebook expects a number",
    "invalid_date": "date that does not exist or is written otherwise than declared",
}


def _problems(kind: str):
    """Return the check for one kind of problem; a number that is no code of the item's response scale is an unknown code."""

    def found(tables: dict[str, Source], config: dict) -> list[Finding]:
        findings = []
        for source in tables.values():
            waves = wave_by_row(source)
            coded = {row["item"] for row in items_of(config, source) if row.get("response_scale")}
            for entry in source.extra.get("problems") or []:
                off_scale = entry["kind"] == "out_of_range" and entry.get("item") in coded
                if ("unknown_code" if off_scale else entry["kind"]) == kind:
                    wave = waves.get(entry.get("row"), "")
                    row = None if entry.get("row") is None else int(entry["row"])
                    column = str(entry.get("column") or entry.get("item") or "")
                    findings.append(Finding(kind, source.id, source.file, row, column, wave, 1, "cells", PROBLEMS[kind]))
        return findings

    return found


for _kind, _label in (
    ("out_of_range", "Value out of range"), ("unknown_code", "Code not in the codebook"),
    ("not_a_number", "Not a number"), ("invalid_date", "Impossible date"),
):  # fmt: skip
    register(_kind, _label, "stop", "cells")(_problems(_kind))


@register("date_outside_wave", "Date outside its wave", "stop", "cells")
def date_outside_wave(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Dates more than `grace_days` before the start or after the end of the row's wave.

    All items of type date are looked at, in sources whose rows have a wave; `date_items` {source: [items]} of checks.yaml
    names them instead for a source that also holds dates of another kind (birth, hiring).
    """
    settings = config.get("checks") or {}
    grace = pd.Timedelta(days=settings.get("grace_days", GRACE_DAYS))
    waves = {wave["id"]: wave for wave in config.get("waves", [])}
    findings = []
    for source in tables.values():
        if "wave" not in source.frame.columns or source.frame["wave"].isna().all():
            continue
        start = _bound(source.frame["wave"], waves, "start") - grace
        end = _bound(source.frame["wave"], waves, "end") + grace
        dates = {row["item"] for row in items_of(config, source) if row["type"] == "date"}
        wanted = (settings.get("date_items") or {}).get(source.id, sorted(dates))
        for item in [i for i in wanted if i in source.frame.columns]:
            found = pd.to_datetime(source.frame[item], format="%Y-%m-%d", errors="coerce")
            outside = source.frame[(found < start) | (found > end)]
            message = f"more than {grace.days} days outside the dates of its wave"
            findings += row_findings("date_outside_wave", source, outside.drop_duplicates("row"), item, message, "cells")
    return findings


def _bound(wave: pd.Series, waves: dict[str, dict], side: str) -> pd.Series:
    return pd.to_datetime(wave.map({name: settings.get(side) for name, settings in waves.items()}), errors="coerce")


@register("id_spelling_changed", "Id written in another way", "report", compared_with=of_the_study)
def id_spelling_changed(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Ids that ingest had to rewrite, and ids that differ from the more usual spelling only in case, separators or leading zeros."""
    findings = []
    for source in tables.values():
        changed: dict[int, set[tuple[str, str]]] = {}
        for entry in source.extra.get("id_changes") or []:
            changed.setdefault(entry["row"], set()).add((str(entry["key"]), str(entry.get("kind", "spelling"))))
        for number, changes in sorted(changed.items()):
            kinds = ", ".join(sorted({kind for _, kind in changes}))
            message = f"written otherwise ({kinds}) and brought to the declared form"
            row = source.frame[source.frame["row"] == number].head(1)
            findings += row_findings("id_spelling_changed", source, row, " ".join(sorted({key for key, _ in changes})), message)
    for key in SPELLED_KEYS:
        findings += _rare_spellings(tables, key)
    return findings


def _rare_spellings(tables: dict[str, Source], key: str) -> list[Finding]:
    holding = [source for source in tables.values() if key in source.frame.columns]
    if not holding:
        return []
    ids = pd.concat([source.frame[key].dropna().astype("str") for source in holding])
    uses = ids.value_counts().rename_axis("id").reset_index(name="n")
    uses["plain"] = [spell(text, LOOSEST) for text in uses["id"].tolist()]
    uses = uses.sort_values(["plain", "n", "id"], ascending=[True, False, True])
    rare = set(uses.loc[uses.duplicated("plain"), "id"])
    findings = []
    for source in holding if rare else []:
        rows = source.frame[source.frame[key].isin(rare)].drop_duplicates("row")
        message = f"{key} differs from its usual spelling only in case, separators or leading zeros"
        findings += row_findings("id_spelling_changed", source, rows, key, message)
    return findings


@register(
    "unused_crosswalk_row", "Row of the crosswalk that renamed nobody", "report", reads=("ids", "crosswalks"), compared_with=of_the_study
)
def unused_crosswalk_row(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows of a crosswalk whose old id no source has where the row holds: a misspelled id, or a row that is no longer needed."""
    findings = []
    for key, rows in (config.get("crosswalks") or {}).items():
        used = {number for source in tables.values() for number in (source.extra.get("crosswalk_rows") or {}).get(key, [])}
        file = config["ids"][key]["crosswalk"]
        message = f"no record has this {key} where the row holds"
        findings += [
            Finding("unused_crosswalk_row", row["source"], file, number, "old_id", row["from_wave"], 1, "rows", message)
            for number, row in enumerate(rows, start=2)
            if number not in used
        ]
    return findings


@register("excluded_record", "Record excluded by the study", "report")
def excluded_record(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Rows that an exclusion of config.yaml leaves out, with the reason given there."""
    findings = []
    for source in tables.values():
        if "excluded" in source.frame.columns:
            out = source.frame[source.frame["excluded"].notna()].drop_duplicates("row")
            for reason, rows in out.groupby("excluded"):
                findings += row_findings("excluded_record", source, rows, "", f"excluded: {reason}")
    return findings


@register("missing_expected", "Expected form not received", "report", "forms", reads=("scales",), compared_with=of_one_instrument)
def missing_expected(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Forms that the register of people lets expect and that did not come, by instrument and wave."""
    flow = sample_flow(tables, config)
    flow = flow[flow["expected"].notna()]
    findings = []
    for (instrument, wave), part in flow.groupby(["instrument", "wave"]):
        lacking = int((part["expected"] - part["received"]).clip(lower=0).sum())
        source = next(s for s in tables.values() if s.instrument == instrument and wave in waves_of(s))
        if lacking:
            text = (
                f"{lacking} of {int(part['expected'].sum())} expected forms were not received or are excluded; by center in checks/flow.csv"
            )
            findings.append(whole_finding("missing_expected", source, instrument, lacking, "forms", text, str(wave)))
    return findings
