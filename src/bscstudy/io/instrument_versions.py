"""Versions of an item: the hash of its wording, and whether its dates agree with the waves that use it."""

from __future__ import annotations

import hashlib
import unicodedata

from bscstudy.errors import BscError
from bscstudy.io.codebook import item_versions


def wording_hash(wording: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a wording, blank for a blank one.

    The wording is brought to Unicode NFC and every run of white space to one blank first, so that a line broken elsewhere gives the
    same hash. A study may keep a copyrighted wording outside and only its hash in the codebook.
    """
    text = " ".join(unicodedata.normalize("NFC", wording or "").split())
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def wording_of(row: dict) -> str:
    """Return the hash by which the wording of a codebook row is compared: as given, else of its wording, blank without either."""
    return row.get("wording_hash") or wording_hash(row.get("wording") or "")


def check_versions(study: dict) -> None:
    """Refuse versions that contradict themselves or the waves.

    Parameters
    ----------
    study : dict
        Sections ``items``, ``waves``, ``sources``.

    Raises
    ------
    BscError
        BSC-CFG-083 if the effective dates of a version leave out a day of a wave that uses it, or end before they begin; BSC-CFG-084
        if a wording hash is not that of the wording beside it.
    """
    hashes = [
        f"{_place(number)}, item {row['item']}: the hash of this wording is {wording_hash(row['wording'])}."
        for number, row in enumerate(study["items"], start=2)
        if row.get("wording") and row.get("wording_hash") and row["wording_hash"] != wording_hash(row["wording"])
    ]
    if hashes:
        raise BscError(
            "BSC-CFG-084",
            f"The wording hash of {len(hashes)} row(s) is not that of the wording.",
            tuple(hashes),
            "One of the two is not the version that was asked, and changes between waves would be missed or invented.",
            "Correct the wording, or leave `wording_hash` blank; it is worked out.",
        )
    dates = [finding for number, row in enumerate(study["items"], start=2) for finding in _date_findings(row, number, study)]
    if dates:
        raise BscError(
            "BSC-CFG-083",
            f"The effective dates of {len(dates)} version(s) contradict the waves that use them.",
            tuple(dates),
            "Answers of such a wave would be taken for answers to another version.",
            "Correct `effective_from` and `effective_to`, the row's `waves`, or `start` and `end` of the wave.",
        )


def _place(number: int) -> str:
    return f"config/codebook/items.csv, row {number}"


def _date_findings(row: dict, number: int, study: dict) -> list[str]:
    first, last = row.get("effective_from") or "", row.get("effective_to") or ""
    where = f"{_place(number)}, item {row['item']}"
    if not first and not last:
        return []
    if first and last and first > last:
        return [f"{where}: it ends before it begins."]
    found = []
    for wave in study["waves"]:
        if not _used_in(row, wave["id"], study):
            continue
        if first and wave.get("start") and str(wave["start"]) < first:
            found.append(f"{where}: wave {wave['id']} begins before effective_from.")
        if last and wave.get("end") and str(wave["end"]) > last:
            found.append(f"{where}: wave {wave['id']} ends after effective_to.")
    return found


def _used_in(row: dict, wave: str, study: dict) -> bool:
    """Whether the row is the one that holds in a wave for any source of its instrument."""
    items = [r for r in study["items"] if r["instrument"] == row["instrument"] and r["item"] == row["item"]]
    feeding = [
        name for name, source in study["sources"].items() if source["instrument"] == row["instrument"] and wave in source_waves(source)
    ]
    return any(item_versions(items, wave, [name]).get(row["item"]) is row for name in feeding)


def source_waves(source: dict) -> list[str]:
    """Return the waves a source declares: its one wave, or those its column is mapped to."""
    wave = source.get("wave")
    return [] if wave is None else [wave] if isinstance(wave, str) else sorted({str(w) for w in wave.get("map", {}).values()})
