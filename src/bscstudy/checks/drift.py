"""Drift of items between waves, and whether a scale may be compared across waves at all."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bscstudy.checks.registry import Source, listed_ids, ordered_waves, waves_of
from bscstudy.io.codebook import item_versions

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

    Within one row of scales.csv every item must be asked in all waves with the same response scale and range. Where the study gives a
    scale different rows for different waves, it declares that they measure the same: other items are then a caution, but a score
    that is made another way, or from items with another range, is still refused, since its points would be of another size.

    Parameters
    ----------
    scale : dict or list of dict
        The scale's row of scales.csv, or all its rows where instruments or items differ between waves.
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
        Each wave is compared with the first.
    """
    rows = [scale] if isinstance(scale, dict) else list(scale)
    used = [(wave, *_scored_items(rows, wave, items, sources or {})) for wave in waves]
    absent = [wave for wave, _, found in used if not found]
    if absent:
        return Comparability(False, tuple(f"the scale has no items in {wave}" for wave in absent))
    reasons: list[str] = []
    cautions: list[str] = []
    (first, first_row, base), *others = used
    for wave, row, found in others:
        between = f"between {first} and {wave}"
        refused, told = _same_row(base, found, between) if row is first_row else _declared_rows((first_row, base), (row, found), between)
        reasons += refused
        cautions += told
    return Comparability(not reasons, tuple(reasons), tuple(cautions))


def _same_row(base: dict[str, dict], found: dict[str, dict], between: str) -> tuple[list[str], list[str]]:
    """Return (reasons, cautions) where one row of scales.csv scores both waves."""
    if set(base) != set(found):
        return [f"scored from other items {between}: {' '.join(sorted(set(base) ^ set(found)))}"], []
    changes = {item: compare_versions(base[item], found[item]) for item in sorted(base)}
    said = {
        kind: [f"{item} {between}: {detail}" for item, (c, detail) in changes.items() if c == kind] for kind in ("rescaled", "reworded")
    }
    return said["rescaled"], said["reworded"]


def _declared_rows(before: tuple[dict, dict], after: tuple[dict, dict], between: str) -> tuple[list[str], list[str]]:
    """Return (reasons, cautions) where the study scores the two waves by different rows of scales.csv."""
    (row, base), (other, found) = before, after
    if row.get("rule") != other.get("rule"):
        return [f"the rule differs {between}: {row.get('rule')} -> {other.get('rule')}"], []
    if _points(row, base) != _points(other, found):
        return [f"the response scales or ranges of the items differ {between}"], []
    if row.get("rule", "mean") != "mean" and len(base) != len(found):
        return [f"the number of items counted differs {between}: {len(base)} -> {len(found)}"], []
    if set(base) != set(found):
        return [], [f"scored from other items {between}, declared by the study as the same measure"]
    reasons, cautions = _same_row(base, found, between)
    return ([], reasons + cautions) if all(_keyed(row).get(i) and _keyed(other).get(i) for i in base) else (reasons, cautions)


def _scored_items(rows: list[dict], wave: str, items: list[dict], sources: dict) -> tuple[dict, dict[str, dict]]:
    """Return the row that scores this wave, one that names the wave first, and its items as they are in this wave."""
    for row in sorted(rows, key=lambda row: not listed_ids(row.get("waves"))):
        if listed_ids(row.get("waves")) and wave not in listed_ids(row["waves"]):
            continue
        feeding = [name for name, source in sources.items() if source.get("wave") == wave or isinstance(source.get("wave"), dict)]
        versions = item_versions([i for i in items if i["instrument"] == row["instrument"]], wave, feeding)
        named = list(_keyed(row))
        found = versions if named == ["*"] else {item: versions[item] for item in named if item in versions}
        if found:
            return row, found
    return {}, {}


def _keyed(row: dict) -> dict[str, bool]:
    """Return item -> whether only some of its answers count, as 1, for a row of scales.csv."""
    return {part.lstrip("-").split("=")[0]: "=" in part for part in listed_ids(row["items"])}


def _points(row: dict, items: dict[str, dict]) -> set[tuple]:
    """Return what one item can add to the score: its response scale and range, or 0 to 1 where single answers count."""
    keyed = dict.fromkeys(items, True) if row.get("rule") == "count_missing" else _keyed(row)
    return {("0 to 1",) if keyed.get(i) else (v.get("response_scale") or "", _range(v), v["type"]) for i, v in items.items()}
