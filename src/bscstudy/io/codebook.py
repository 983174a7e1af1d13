"""Which description of an item holds for which source, wave and role."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bscstudy.io.raw import code_text, number_of

_RANGE = re.compile(r"(\S+) +(?:thru|through) +(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class ItemVersion:
    """One row of items.csv with the codes that belong to it.

    ``scale`` maps the codes of its response scale to labels, ``missing`` codes to reasons, ``missing_ranges`` are
    (low, high, reason) of the codes written as a range; ``recodes`` are rows of recodes.csv.
    Empty ``waves`` or ``roles`` mean all.
    """

    item: str
    label: str
    type: str
    column: str
    version: int = 1
    units: str = ""
    waves: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    scale: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    missing_ranges: tuple[tuple[float, float, str], ...] = ()
    recodes: tuple[dict, ...] = ()

    def in_wave(self, wave: str | None) -> bool:
        """Return whether the row holds in a wave; without a wave (None) every row does."""
        return wave is None or not self.waves or wave in self.waves

    @property
    def stored_type(self) -> str:
        """Type of the derived column: text, integer, number or date."""
        if self.type == "nominal":
            whole = bool(self.scale) and all(code.lstrip("-").isdigit() and code == code_text(code) for code in self.scale)
            return "integer" if whole else "text"
        return {"number": "number", "date": "date", "text": "text"}.get(self.type, "integer")


def versions_of(source: dict, codebook: dict) -> dict[str, list[ItemVersion]]:
    """Return the versions of each item that a source can hold, best first.

    Parameters
    ----------
    source : dict
        The source's entry, with its ``id`` and ``instrument``.
    codebook : dict
        Lists of rows: ``items``, ``response_scales``, ``missing_codes``, ``recodes``.

    Returns
    -------
    dict
        Item -> versions. Where several hold for a wave the first counts: the highest version, then the one that names its
        source or waves.
    """
    instrument = source["instrument"]
    found: dict[str, list[tuple]] = {}
    for row in codebook["items"]:
        sources = (row.get("sources") or "").split()
        if row["instrument"] != instrument or (sources and source["id"] not in sources):
            continue
        version = _version(row, instrument, codebook)
        rank = (-version.version, -bool(sources) - bool(version.waves))
        found.setdefault(version.item, []).append((rank, version))
    return {item: [version for _, version in sorted(ranked, key=lambda pair: pair[0])] for item, ranked in found.items()}


def item_versions(items: Iterable[dict], wave: str, sources: Iterable[str] = ()) -> dict[str, dict]:
    """Return the codebook row of each item that holds in a wave.

    A row holds if its `waves` are blank or name the wave, and its `sources` are blank or name one of `sources` (where
    these are given). Of several the highest version wins, then the one that names its wave or source, as in `versions_of`.
    """
    chosen: dict[str, tuple] = {}
    sources = set(sources)
    for row in items:
        waves, of_sources = (row.get("waves") or "").split(), (row.get("sources") or "").split()
        if (waves and wave not in waves) or (of_sources and sources and not sources & set(of_sources)):
            continue
        rank = (row.get("version") or 1, bool(waves) + bool(of_sources))
        if row["item"] not in chosen or rank > chosen[row["item"]][0]:
            chosen[row["item"]] = (rank, row)
    return {item: row for item, (_, row) in chosen.items()}


def columns_of_instrument(source: dict, codebook: dict) -> set[str]:
    """Return every raw column the codebook knows for the instrument, of whatever source, wave and version."""
    return {row.get("column") or row["item"] for row in codebook["items"] if row["instrument"] == source["instrument"]}


def _version(row: dict, instrument: str, codebook: dict) -> ItemVersion:
    item = row["item"]
    scale_id = row.get("response_scale") or ""
    scale = {str(r["code"]).strip(): r["label"] for r in codebook["response_scales"] if scale_id and r["response_scale"] == scale_id}
    codes = [r for r in codebook["missing_codes"] if r["instrument"] == instrument and (r.get("item") or item) == item]
    missing = {spelling: r["reason"] for r in sorted(codes, key=lambda r: bool(r.get("item"))) for spelling in _spellings(r["code"])}
    own_first = sorted(codes, key=lambda r: not r.get("item"))
    ranges = tuple((*found, r["reason"]) for r in own_first if (found := code_range(r["code"])))
    recodes = tuple(r for r in codebook["recodes"] if r["instrument"] == instrument and r["item"] == item)
    return ItemVersion(
        item=item,
        label=row["label"],
        type=row["type"],
        column=row.get("column") or item,
        version=int(row.get("version") or 1),
        units=row.get("units") or "",
        waves=tuple((row.get("waves") or "").split()),
        roles=tuple((row.get("roles") or "").split()),
        low=_limit(row.get("minimum")),
        high=_limit(row.get("maximum")),
        scale=scale,
        missing=missing,
        missing_ranges=ranges,
        recodes=recodes,
    )


def code_range(code: object) -> tuple[float, float] | None:
    """Return the limits of a range of codes (``-9 THRU -1``, ``LO THRU 0``, ``900 THRU HI``), or None for a single code."""
    found = _RANGE.fullmatch(str(code).strip())
    if not found:
        return None
    low = -math.inf if found[1].upper() in ("LO", "LOWEST") else number_of(found[1])
    high = math.inf if found[2].upper() in ("HI", "HIGHEST") else number_of(found[2])
    return None if low is None or high is None else (low, high)


def _spellings(code: object) -> set[str]:
    return {str(code).strip(), code_text(code)}


def _limit(value: object) -> float | None:
    return None if value in (None, "") else float(value)
