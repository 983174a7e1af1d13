"""Built-in check of observers: visits by a rater who held no certificate for the instrument on that day."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.registry import Finding, Source, register, row_findings

NOT_LISTED, NO_DATE, BEFORE, AFTER = (
    "the rater is on no list of certified raters of this instrument",
    "the visit has no date, so that the rater's certificate cannot be judged",
    "the visit was made before the rater was certified",
    "the rater's certificate had ended on the day of the visit",
)


def lists_of_raters(source: str, config: dict) -> set[str]:
    """Return the sources that list the certified raters of the instruments observed in a source."""
    listed = [i["certification"]["source"] for i in config.get("observation") or [] if i["source"] == source and i.get("certification")]
    return set(listed)


@register(
    "uncertified_rater",
    "Visit by a rater without a certificate on that day",
    "report",
    reads=("observation",),
    compared_with=lists_of_raters,
)
def uncertified_rater(tables: dict[str, Source], config: dict) -> list[Finding]:
    """First row of each visit and rater for which no certificate of the instrument covers the day; first and last day count."""
    findings = []
    for instrument in config.get("observation") or []:
        listed, visits = instrument.get("certification"), tables.get(instrument["source"])
        if not listed or visits is None or listed["source"] not in tables or "rater_id" not in visits.frame.columns:
            continue
        rows = visits.frame[visits.frame["rater_id"].notna()].drop_duplicates(["observation_id", "rater_id"])
        rows = rows[rows["rater_id"] != instrument.get("consensus_rater")]
        certificates = _certificates(tables[listed["source"]].frame, listed, instrument["id"])
        reasons = [_reason(row["rater_id"], row[instrument["visit_date"]], certificates) for row in rows.to_dict("records")]
        said = pd.Series(reasons, index=rows.index, dtype=object)
        for reason in (NOT_LISTED, NO_DATE, BEFORE, AFTER):
            findings += row_findings("uncertified_rater", visits, rows[said == reason], "rater_id", reason)
    return findings


def _certificates(frame: pd.DataFrame, listed: dict, instrument: str) -> dict[str, list[tuple]]:
    """Return rater -> first and last day of each certificate of this instrument; a last day that is missing is an open end."""
    kept = frame if "excluded" not in frame.columns else frame[frame["excluded"].isna()]
    if "instrument_item" in listed:
        kept = kept[kept[listed["instrument_item"]].astype(str) == str(listed.get("instrument_code", instrument))]
    starts = pd.to_datetime(kept[listed["certified_on"]], errors="coerce")
    ends = pd.to_datetime(kept[listed["expires_on"]], errors="coerce") if "expires_on" in listed else pd.Series(pd.NaT, index=kept.index)
    found: dict[str, list[tuple]] = {}
    for rater, start, end in zip(kept["rater_id"], starts, ends, strict=True):
        if not pd.isna(start):
            found.setdefault(rater, []).append((start, end))
    return found


def _reason(rater: str, day: object, certificates: dict[str, list[tuple]]) -> str:
    date = pd.to_datetime(day, errors="coerce")
    own = certificates.get(rater)
    if not own:
        return NOT_LISTED
    if pd.isna(date):
        return NO_DATE
    if any(start <= date and (pd.isna(end) or date <= end) for start, end in own):
        return ""
    return AFTER if any(end < date for _, end in own) else BEFORE
