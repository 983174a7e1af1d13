"""Drift of items between waves: what stayed the same, what changed, and what the map between versions says of it."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.registry import Source, ordered_waves, waves_of
from bscstudy.io.codebook import item_versions
from bscstudy.io.comparability import compare_versions
from bscstudy.io.harmonisation import HarmonisedItem, harmonised_items

DRIFT_COLUMNS = ["instrument", "item", "wave_from", "wave_to", "change", "detail", "harmonised"]


def item_drift(tables: dict[str, Source], config: dict) -> pd.DataFrame:
    """Compare every item of every instrument between each wave and the next in which the instrument was used.

    Returns
    -------
    DataFrame
        Columns as `DRIFT_COLUMNS`, one row an item and pair of waves; `change` is same, reworded, rescaled, dropped,
        added or renamed. An item both reworded and rescaled is rescaled and `detail` names both. `harmonised` is the
        rule of the map that brings the two versions together, blank where none does.
    """
    order = ordered_waves(config)
    rows = []
    for instrument in sorted({source.instrument for source in tables.values()}):
        feeding = {wave: {s.id for s in tables.values() if s.instrument == instrument and wave in waves_of(s)} for wave in order}
        used = [wave for wave in order if feeding[wave]]
        items = [row for row in config.get("items", []) if row["instrument"] == instrument]
        for before, after in zip(used, used[1:], strict=False):
            first, second = item_versions(items, before, feeding[before]), item_versions(items, after, feeding[after])
            mapped = [harmonised_items(found, items, config.get("harmonisation") or []) for found in (first, second)]
            for item in sorted(set(first) | set(second)):
                if item in first and item in second:
                    change, detail = compare_versions(first[item], second[item])
                else:
                    change, detail = ("dropped", f"asked in {before} only") if item in first else ("added", f"not asked in {before}")
                rows.append((instrument, item, before, after, change, detail, _mapped(item, change, *mapped)))
    return pd.DataFrame(rows, columns=DRIFT_COLUMNS)


def _mapped(item: str, change: str, before: dict[str, HarmonisedItem], after: dict[str, HarmonisedItem]) -> str:
    """Return the rule that makes the versions of two waves one, the strongest of several; blank where none is needed or none does."""
    if change in ("same", "renamed"):
        return ""
    for name in sorted(set(before) & set(after)):
        pair = before[name], after[name]
        reached = compare_versions(pair[0].definition, pair[1].definition)[0] in ("same", "renamed")
        rules = {step.row["rule"] for found in pair for step in found.steps}
        if item in (pair[0].item, pair[1].item) and reached and rules:
            return next(rule for rule in ("recode", "linear", "identity") if rule in rules)
    return ""
