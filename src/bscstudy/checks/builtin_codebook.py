"""Built-in checks of the codebook against the files: renamed and unknown columns, straight-lining, drift between waves."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.checks.compared import of_one_file, of_one_instrument
from bscstudy.checks.drift import item_drift
from bscstudy.checks.registry import WHY, Finding, Source, items_of, listed_ids, register, wave_by_row, waves_of, whole_finding

SCALE_BLOCK, SHARED_BLOCK = 4, 8


@register("unknown_column", "Column that the codebook does not describe", "report", "columns", compared_with=of_one_file)
def unknown_column(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Columns of a file that no item and no key of any source of that file reads; they are in no derived table."""
    unread: dict[str, set[str]] = {}
    for source in tables.values():
        names = set(map(str, source.extra.get("columns_unknown") or []))
        unread[source.file] = unread.get(source.file, names) & names
    first = {source.file: source for source in reversed(tables.values())}
    text = "in the file, not in the codebook; it is not read"
    return [
        whole_finding("unknown_column", first[file], c, 1, "columns", text) for file, names in sorted(unread.items()) for c in sorted(names)
    ]


@register("renamed_column", "Column renamed between files", "report", "columns", compared_with=of_one_instrument)
def renamed_column(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Items that one file of an instrument holds under another column name than the instrument's other files."""
    findings = []
    instruments = sorted({source.instrument for source in tables.values()})
    for instrument in instruments:
        sources = [s for s in tables.values() if s.instrument == instrument]
        names = {s.id: {row["item"]: row.get("column") or row["item"] for row in _specific_last(items_of(config, s))} for s in sources}
        for source in sources:
            for item, column in sorted(names[source.id].items()):
                others = [names[s.id][item] for s in sources if s.id != source.id and item in names[s.id]]
                if others and column not in others and (len(others) > 1 or column != item):
                    text = "holds an item under another column name than the instrument's other files"
                    findings.append(whole_finding("renamed_column", source, column, 1, "columns", text))
    return findings


def _specific_last(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: bool(listed_ids(row.get("sources"))))


@register("unanswered_item", "Item of a scale that nobody answered", "report", "items", reads=("scales",), reasons=True)
def unanswered_item(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Items of a scale that are asked in a file whose forms answer others of the scale's items, but never this one."""
    findings = []
    for source in tables.values():
        empty = set()
        for scale in config.get("scales", []):
            names = [re.sub(r"^-|=.*$", "", part) for part in listed_ids(scale["items"])]
            items = [i for i in names if i in source.frame.columns] if scale["instrument"] == source.instrument else []
            answered = {i for i in items if source.frame[i].notna().any()}
            empty |= {i for i in items if answered and i not in answered and _asked_of_some(source, i)}
        text = "no form answers it; its scales are scored from their other items"
        findings += [whole_finding("unanswered_item", source, item, 1, "items", text) for item in sorted(empty)]
    return findings


def _asked_of_some(source: Source, item: str) -> bool:
    whys = source.frame.get(item + WHY)
    return whys is None or bool((whys != "not_asked").any())


@dataclass(frozen=True)
class Block:
    """Items answered side by side: a scale with reversed items, or items that share a response scale."""

    name: str
    items: tuple[str, ...]
    smallest: int


@register("straight_lining", "One answer throughout blocks of items", "report", reads=("scales",), reasons=True)
def straight_lining(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Forms that give one code to at least eight items in complete blocks (as answered, before any reversal).

    A block is a scale of at least four items with one or more reverse-keyed, or at least eight ordinal items of an
    instrument with one response scale. Items not asked of the role or wave are left out of the block. A single
    block of four is not enough: an even-tempered answer gives it by chance. Observations are not forms and are passed over.
    """
    findings = []
    for source in tables.values():
        if "observation_id" in source.keys or "wave" not in source.frame.columns:
            continue
        waves = wave_by_row(source)
        for row, names in sorted(_straight_forms(source, config).items()):
            text = f"one answer throughout {len(names)} complete block(s) of items"
            findings.append(Finding("straight_lining", source.id, source.file, row, " ".join(names), waves[row], 1, "rows", text))
    return findings


def _straight_forms(source: Source, config: dict) -> dict[int, list[str]]:
    """Return row -> blocks, for the rows whose straight blocks with one code hold enough items."""
    found: dict[tuple[int, float], list[Block]] = {}
    for block in blocks_of(source, config):
        for row, code in straight_rows(source.frame, block).items():
            found.setdefault((row, code), []).append(block)
    enough = {row: blocks for (row, _), blocks in sorted(found.items()) if len({i for b in blocks for i in b.items}) >= SHARED_BLOCK}
    return {row: [block.name for block in blocks] for row, blocks in enough.items()}


def blocks_of(source: Source, config: dict) -> list[Block]:
    """Return the blocks in which a form of this source can be straight-lined."""
    blocks = []
    for scale in config.get("scales", []):
        parts = listed_ids(scale["items"])
        plain = not any("=" in part or part == "*" for part in parts)
        if scale["instrument"] == source.instrument and plain and len(parts) >= SCALE_BLOCK and any(p.startswith("-") for p in parts):
            blocks.append(Block(scale["scale"], tuple(p.lstrip("-") for p in parts), SCALE_BLOCK))
    shared: dict[str, list[str]] = {}
    for row in items_of(config, source):
        if row["type"] == "ordinal" and row.get("response_scale"):
            members = shared.setdefault(row["response_scale"], [])
            members += [row["item"]] if row["item"] not in members else []
    blocks += [Block(name, tuple(items), SHARED_BLOCK) for name, items in sorted(shared.items()) if len(items) >= SHARED_BLOCK]
    numbers = {name for name, cells in source.frame.items() if pd.api.types.is_numeric_dtype(cells) or cells.isna().all()}
    return [b for b in blocks if set(b.items) <= numbers]


def straight_rows(frame: pd.DataFrame, block: Block) -> dict[int, float]:
    """Return row -> code for the rows that gave one and the same code to every asked item of a block."""
    items = list(block.items)
    answers = frame[items].to_numpy(dtype=float, na_value=np.nan)
    lowest = np.fmin.reduce(answers, axis=1)
    alike = np.flatnonzero(lowest == np.fmax.reduce(answers, axis=1))
    unasked = [(frame[i + WHY].iloc[alike] == "not_asked").to_numpy(dtype=bool) for i in items if i + WHY in frame.columns]
    asked = len(items) - np.sum(unasked, axis=0) if unasked else np.full(len(alike), len(items))
    answered = (~np.isnan(answers[alike])).sum(axis=1)
    found = alike[(asked >= block.smallest) & (answered == asked)]
    return {int(row): float(code) for row, code in zip(frame["row"].iloc[found], lowest[found], strict=True)}


def _drift_findings(check: str, changes: tuple[str, ...], text: str):
    def found(tables: dict[str, Source], config: dict) -> list[Finding]:
        findings = []
        for row in item_drift(tables, config).itertuples(index=False):
            if row.change in changes or (check == "wording_changed" and "wording" in row.detail):
                source = next(s for s in tables.values() if s.instrument == row.instrument and row.wave_to in waves_of(s))
                message = text.format(row.wave_from, row.wave_to)
                findings.append(whole_finding(check, source, row.item, 1, "items", message, row.wave_to))
        return findings

    return found


_VERSIONS = {"reads": ("harmonisation",), "compared_with": of_one_instrument}
register("wording_changed", "Item worded otherwise than in the wave before", "report", "items", **_VERSIONS)(
    _drift_findings("wording_changed", ("reworded",), "the wording differs between {} and {}")
)
register("response_scale_changed", "Item with another response scale than in the wave before", "report", "items", **_VERSIONS)(
    _drift_findings("response_scale_changed", ("rescaled",), "the response scale or range differs between {} and {}")
)
