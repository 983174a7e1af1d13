"""Drift of items between waves, and whether a scale may be compared across waves at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from bscstudy.checks.registry import Source, listed_ids, ordered_waves, waves_of

DRIFT_COLUMNS = ["instrument", "item", "wave_from", "wave_to", "change", "detail"]


@dataclass(frozen=True)
class Comparability:
    """Whether scores of one scale mean the same in several waves.

    Attributes
    ----------
    comparable : bool
        False if an item changed its response scale or range, or the scale is scored from other items.
    reasons : tuple of str
        Why not, one sentence a cause.
    cautions : tuple of str
        What does not forbid the comparison but belongs beside it: reworded items.
    """

    comparable: bool
    reasons: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


def item_versions(items: Iterable[dict], wave: str, sources: Iterable[str] = ()) -> dict[str, dict]:
    """Return the codebook row of each item that holds in a wave.

    A row holds if its `waves` are blank or name the wave, and its `sources` are blank or name one of `sources` (where
    these are given). Of several the highest version wins, then the one that names its wave or source, as in ingest.
    """
    chosen: dict[str, tuple] = {}
    sources = set(sources)
    for row in items:
        waves, of_sources = listed_ids(row.get("waves")), listed_ids(row.get("sources"))
        if (waves and wave not in waves) or (of_sources and sources and not sources & set(of_sources)):
            continue
        rank = (row.get("version") or 1, bool(waves) + bool(of_sources))
        if row["item"] not in chosen or rank > chosen[row["item"]][0]:
            chosen[row["item"]] = (rank, row)
    return {item: row for item, (_, row) in chosen.items()}


def compare_versions(before: dict, after: dict) -> tuple[str, str]:
    """Return (change, detail) between two codebook rows of one item: same, renamed, reworded or rescaled."""
    details = []
    if before.get("response_scale", "") != after.get("response_scale", ""):
        details.append(f"response scale {before.get('response_scale') or 'none'} -> {after.get('response_scale') or 'none'}")
    if (before.get("minimum"), before.get("maximum")) != (after.get("minimum"), after.get("maximum")):
        details.append(f"range {_range(before)} -> {_range(after)}")
    if before["type"] != after["type"]:
        details.append(f"type {before['type']} -> {after['type']}")
    change = "rescaled" if details else "same"
    versions = (before.get("version") or 1, after.get("version") or 1)
    worded = before.get("wording", "") != after.get("wording", "")
    if worded or (versions[0] != versions[1] and not details):
        details.append(f"wording of version {versions[0]} -> {versions[1]}")
        change = "reworded" if change == "same" else change
    if (before.get("column") or before["item"]) != (after.get("column") or after["item"]):
        details.append(f"column {before.get('column') or before['item']} -> {after.get('column') or after['item']}")
        change = "renamed" if change == "same" else change
    return change, "; ".join(details)


def _range(row: dict) -> str:
    low, high = ("open" if v is None or v == "" else f"{float(v):g}" for v in (row.get("minimum"), row.get("maximum")))
    return f"{low} to {high}"


def item_drift(tables: dict[str, Source], config: dict) -> pd.DataFrame:
    """Compare every item of every instrument between each wave and the next in which the instrument was used.

    Returns
    -------
    DataFrame
        Columns as `DRIFT_COLUMNS`, one row an item and pair of waves; `change` is same, reworded, rescaled, dropped,
        added or renamed. An item both reworded and rescaled is rescaled and `detail` names both.
    """
    order = ordered_waves(config)
    rows = []
    for instrument in sorted({source.instrument for source in tables.values()}):
        feeding = {wave: {s.id for s in tables.values() if s.instrument == instrument and wave in waves_of(s)} for wave in order}
        used = [wave for wave in order if feeding[wave]]
        items = [row for row in config.get("items", []) if row["instrument"] == instrument]
        for before, after in zip(used, used[1:], strict=False):
            first, second = item_versions(items, before, feeding[before]), item_versions(items, after, feeding[after])
            for item in sorted(set(first) | set(second)):
                if item in first and item in second:
                    change, detail = compare_versions(first[item], second[item])
                else:
                    change, detail = ("dropped", f"asked in {before} only") if item in first else ("added", f"not asked in {before}")
                rows.append((instrument, item, before, after, change, detail))
    return pd.DataFrame(rows, columns=DRIFT_COLUMNS)


def comparable(scale: dict | list[dict], waves: list[str], items: list[dict], sources: dict | None = None) -> Comparability:
    """Tell whether scores of a scale can be compared across waves.

    Parameters
    ----------
    scale : dict or list of dict
        The scale's row of scales.csv, or its rows where instruments differ between waves.
    waves : list of str
        The waves to be compared, in time order.
    items : list of dict
        The codebook's item rows.
    sources : dict, optional
        The section `sources`; needed only where a codebook row is tied to a source and not to a wave. A row tied to sources whose
        wave is read from the file holds in every wave it names.

    Returns
    -------
    Comparability
        Each wave is compared with the first. Where instruments differ between waves, the items have other ids and only their
        number, response scales and ranges are compared.
    """
    rows = [scale] if isinstance(scale, dict) else list(scale)
    used = [(wave, _scored_items(rows, wave, items, sources or {})) for wave in waves]
    absent = [wave for wave, found in used if not found]
    if absent:
        return Comparability(False, tuple(f"the scale has no items in {wave}" for wave in absent))
    reasons: list[str] = []
    cautions: list[str] = []
    (first, base), *others = used
    for wave, found in others:
        if set(base) == set(found):
            for item in sorted(base):
                change, detail = compare_versions(base[item], found[item])
                if change == "rescaled":
                    reasons.append(f"{item} between {first} and {wave}: {detail}")
                elif change == "reworded":
                    cautions.append(f"{item} between {first} and {wave}: {detail}")
        elif _same_instrument(base, found):
            reasons.append(f"scored from other items in {wave} than in {first}: {' '.join(sorted(set(base) ^ set(found)))}")
        elif _ranges(base) != _ranges(found):
            reasons.append(f"the number of items or their response scales differ between {first} and {wave}")
    return Comparability(not reasons, tuple(reasons), tuple(cautions))


def _scored_items(rows: list[dict], wave: str, items: list[dict], sources: dict) -> dict[str, dict]:
    """Return the items of the scale's row that scores this wave, as they are in this wave."""
    for row in sorted(rows, key=lambda row: not listed_ids(row.get("waves"))):
        if listed_ids(row.get("waves")) and wave not in listed_ids(row["waves"]):
            continue
        feeding = [name for name, source in sources.items() if source.get("wave") == wave or isinstance(source.get("wave"), dict)]
        versions = item_versions([i for i in items if i["instrument"] == row["instrument"]], wave, feeding)
        named = [part.lstrip("-").split("=")[0] for part in listed_ids(row["items"])]
        found = versions if named == ["*"] else {item: versions[item] for item in named if item in versions}
        if found:
            return found
    return {}


def _same_instrument(a: dict[str, dict], b: dict[str, dict]) -> bool:
    return {row["instrument"] for row in a.values()} == {row["instrument"] for row in b.values()}


def _ranges(items: dict[str, dict]) -> list[tuple]:
    return sorted((row.get("response_scale") or "", _range(row), row["type"]) for row in items.values())
