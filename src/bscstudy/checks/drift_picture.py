"""The wave-by-item picture of each construct: asked, same, reworded, rescaled, dropped, added."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.drift import item_drift
from bscstudy.checks.registry import Source, ordered_waves
from bscstudy.io.instrument_versions import source_waves

#: states that ask a reader to look; `asked` is the first wave, `same` is unchanged, blank means not asked
CHANGED = ("reworded", "rescaled", "dropped", "added")
COLUMNS = ["construct", "label", "instrument", "item", "wave", "state", "harmonised", "detail"]
NO_SCALE = "items in no scale"


def drift_picture(drift: pd.DataFrame, config: dict) -> pd.DataFrame:
    """Return one row for each construct, instrument, item and wave in which the instrument was used.

    Parameters
    ----------
    drift : DataFrame
        As `item_drift` gives it.
    config : dict
        Sections ``waves``, ``scales`` and, where there is one, ``theory_of_change``.

    Returns
    -------
    DataFrame
        Columns as `COLUMNS`, in the order of scales.csv, items and waves. ``state`` is asked (in the instrument's first wave), same,
        reworded, rescaled, dropped, added, or blank where the item is not asked. Of items in no scale only those that changed appear.
    """
    order = {wave: place for place, wave in enumerate(ordered_waves(config))}
    labels = {c["id"]: c["label"] for c in (config.get("theory_of_change") or {}).get("constructs", [])}
    rows = []
    for (construct, instrument), items in _items_of_constructs(drift, config).items():
        pairs = drift[drift["instrument"] == instrument]
        used = sorted({*pairs["wave_from"], *pairs["wave_to"]}, key=lambda wave: order.get(wave, len(order)))
        for item in items:
            states = _states(pairs[pairs["item"] == item].to_dict("records"), used)
            rows += [(construct, labels.get(construct, construct), instrument, item, wave, *states[wave]) for wave in used]
    return pd.DataFrame(rows, columns=COLUMNS)


def _items_of_constructs(drift: pd.DataFrame, config: dict) -> dict[tuple[str, str], list[str]]:
    """Return (construct, instrument) -> its items, in the order of scales.csv; a scale without a construct stands for itself."""
    known = {name: sorted(set(part["item"])) for name, part in drift.groupby("instrument")}
    found: dict[tuple[str, str], list[str]] = {}
    for scale in config["scales"]:
        instrument, tokens = scale["instrument"], scale["items"].split()
        items = known.get(instrument, []) if tokens == ["*"] else [token.lstrip("-").split("=")[0] for token in tokens]
        place = found.setdefault((scale.get("construct") or scale["scale"], instrument), [])
        place += [item for item in items if item in known.get(instrument, []) and item not in place]
    _add_predecessors(found, known, config.get("harmonisation") or [])
    scored = {(instrument, item) for (_, instrument), items in found.items() for item in items}
    for instrument, item in drift.loc[drift["change"].isin(CHANGED), ["instrument", "item"]].drop_duplicates().itertuples(index=False):
        if (instrument, item) not in scored:
            found.setdefault((NO_SCALE, instrument), []).append(item)
    return {place: items for place, items in found.items() if items}


def _add_predecessors(found: dict[tuple[str, str], list[str]], known: dict[str, list[str]], harmonisation: list[dict]) -> None:
    """Put an item that the map takes for another one beside it."""
    for row in harmonisation:
        for (_, instrument), items in found.items():
            old = row.get("item") or ""
            if instrument == row["instrument"] and row.get("new_item") in items and old in known.get(instrument, []) and old not in items:
                items.insert(items.index(row["new_item"]), old)


def _states(pairs: list[dict], used: list[str]) -> dict[str, tuple[str, str, str]]:
    """Return wave -> (state, rule of the map, detail) of one item."""
    by_end = {row["wave_to"]: row for row in pairs}
    first = next((row for row in pairs if used and row["wave_from"] == used[0]), None)
    states = {wave: ("", "", "") for wave in used}
    if first is not None and first["change"] != "added":
        states[used[0]] = ("asked", "", "")
    for wave, row in by_end.items():
        state = "same" if row["change"] in ("same", "renamed") else row["change"]
        states[wave] = (state, _text(row.get("harmonised")), _text(row.get("detail")))
    return states


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def declared_drift(study: dict) -> pd.DataFrame:
    """Return the drift of items as a configuration declares it, before any file is read."""
    tables = {name: Source(name, pd.DataFrame({"wave": source_waves(source)}), source) for name, source in study["sources"].items()}
    return item_drift(tables, study)


def picture_text(picture: pd.DataFrame) -> str:
    """Return the picture for a terminal: a block for each construct and instrument, and a line that counts the changes."""
    blocks = []
    for (_, label, instrument), part in picture.groupby(["construct", "label", "instrument"], sort=False):
        waves = list(dict.fromkeys(part["wave"]))
        cells = [["", *waves]]
        for item, rows in part.groupby("item", sort=False):
            states = {row.wave: f"{row.state} ({row.harmonised})" if row.harmonised else row.state for row in rows.itertuples()}
            cells.append([item, *(states.get(wave) or "-" for wave in waves)])
        widths = [max(len(row[k]) for row in cells) for k in range(len(waves) + 1)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
        blocks.append("\n".join([f"{label} ({instrument})", *(f"  {line}" for line in lines)]))
    return "\n\n".join([*blocks, _counted(picture)])


def _counted(picture: pd.DataFrame) -> str:
    changed = picture[picture["state"].isin(CHANGED)].drop_duplicates(["instrument", "item", "wave"])
    mapped = int((changed["harmonised"] != "").sum())
    return (
        f"{len(changed)} change(s) of items between waves; {mapped} brought together by config/codebook/harmonisation.csv (the rule stands "
        "in brackets). Scores across the others are not compared."
    )
