"""Cells of the codebook that a new wave needs: items, scales, recodes and maps that are limited to waves or sources."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bscstudy.io.raw import RawTable, blank_cells
from bscstudy.io.selection import slices_of
from bscstudy.waves.matching import rows_in_force

ITEMS = "config/codebook/items.csv"
SCALES = "config/codebook/scales.csv"
RECODES = "config/codebook/recodes.csv"
MAP = "config/codebook/harmonisation.csv"


@dataclass
class CodebookEdits:
    """Cells to change (place of the row -> column -> text) and rows to add, by file, with a line in words for each."""

    changed: dict[str, dict[int, dict[str, str]]] = field(default_factory=lambda: {ITEMS: {}, SCALES: {}, MAP: {}})
    added: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {ITEMS: [], RECODES: []})
    said: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def extend(self, file: str, place: int, row: dict, column: str, new: str) -> bool:
        """Add an id to a cell that lists ids; a blank cell means all and stays blank. Returns whether anything changed."""
        cell = self.changed[file].get(place, {}).get(column, row.get(column) or "")
        if not cell or new in cell.split():
            return False
        self.changed[file].setdefault(place, {})[column] = f"{cell} {new}"
        return True


@dataclass(frozen=True)
class Decisions:
    """What the user decided: item -> its column in the new file, items that were not asked, scales whose map holds in the new wave too."""

    renamed: dict[str, str] = field(default_factory=dict)
    not_asked: tuple[str, ...] = ()
    map_holds: tuple[str, ...] = ()


def edit_items(edits: CodebookEdits, source: dict, like: dict, raw: RawTable, study: dict, wave: str, decisions: Decisions) -> None:
    """Propose the cells of items.csv that a new source of one wave needs.

    Parameters
    ----------
    edits : CodebookEdits
        Gets the proposals.
    source, like : dict
        The new source's entry and the earlier one it continues, each with its ``id``.
    raw : RawTable
        The new file.
    study : dict
        The configuration as it is.
    wave : str
        The new wave.
    """
    present = slices_of([str(name) for name in raw.frame.columns], source.get("reshape"))[0].columns
    rows = {place: row for place, row in enumerate(study["items"]) if row["instrument"] == source["instrument"]}
    force = rows_in_force(like, study)
    for item in dict.fromkeys(row["item"] for row in rows.values()):
        own = {place: row for place, row in rows.items() if row["item"] == item}
        current = next((place for place, row in own.items() if row is force.get(item)), None)
        with_column = [place for place, row in own.items() if (row.get("column") or item) in present]
        if current is not None and current in with_column:
            _hold(edits, current, own[current], source["id"], wave, "")
        elif with_column:
            again = "asked again" if current is None else f"in the column of {own[with_column[-1]]['waves'] or 'earlier waves'}"
            _hold(edits, with_column[-1], own[with_column[-1]], source["id"], wave, again)
        elif current is not None:
            _without_column(edits, current, own[current], source, study, wave, decisions)


def _hold(edits: CodebookEdits, place: int, row: dict, source: str, wave: str, note: str) -> None:
    changed = edits.extend(ITEMS, place, row, "waves", wave)
    changed |= edits.extend(ITEMS, place, row, "sources", source)
    if changed:
        column = f", column {row['column']}" if row.get("column") else ""
        edits.said.append(f"{ITEMS}, row {place + 2}: {row['item']}{column} holds in {wave} too{f' ({note})' if note else ''}")


def _without_column(edits: CodebookEdits, place: int, row: dict, source: dict, study: dict, wave: str, decisions: Decisions) -> None:
    item = row["item"]
    if item in decisions.renamed:
        column = decisions.renamed[item]
        cells = _cells(row)
        edits.added[ITEMS].append({**cells, "waves": wave, "sources": source["id"], "column": column})
        edits.said.append(f"{ITEMS}, new row: {item} stands in the column {column} in {wave}")
    elif item in decisions.not_asked:
        if not row.get("waves"):
            used = " ".join(waves_of_instrument(source["instrument"], study, wave))
            edits.changed[ITEMS].setdefault(place, {})["waves"] = used
            edits.said.append(f"{ITEMS}, row {place + 2}: {item} is limited to {used}, for it was not asked in {wave}")
    elif not row.get("waves") and not row.get("sources"):
        edits.absent.append(item)
    else:
        edits.said.append(f"{ITEMS}: {item} is not in the file and stays limited to {row.get('waves') or row.get('sources')}")


def _cells(row: dict) -> dict[str, str]:
    return {name: "" if value is None else f"{value:g}" if isinstance(value, float) else str(value) for name, value in row.items()}


def waves_of_instrument(instrument: str, study: dict, without: str = "") -> list[str]:
    """Return the waves in which an instrument has sources, in time order."""
    named = set()
    for source in study["sources"].values():
        declared = source.get("wave")
        if source["instrument"] == instrument and declared:
            named |= {declared} if isinstance(declared, str) else set(map(str, (declared.get("map") or {}).values()))
    order = sorted(study["waves"], key=lambda wave: wave["order"])
    return [str(wave["id"]) for wave in order if str(wave["id"]) in named - {without}]


def edit_items_of_rows(edits: CodebookEdits, source: dict, raw: RawTable, rows: np.ndarray, study: dict, wave: str) -> None:
    """Propose the cells of items.csv for a file of all waves: an item limited to waves holds in the new one if it is answered there.

    Parameters
    ----------
    rows : ndarray of bool
        The records of the new wave.
    """
    columns = slices_of([str(name) for name in raw.frame.columns], source.get("reshape"))[0].columns
    before = waves_of_instrument(source["instrument"], study, wave)
    for place, row in enumerate(study["items"]):
        column = columns.get(row.get("column") or row["item"])
        limited = row["instrument"] == source["instrument"] and row.get("waves") and column
        if limited and before and before[-1] in row["waves"].split() and not blank_cells(raw.frame[column][rows]).all():
            _hold(edits, place, row, source["id"], wave, "")


def edit_scales(edits: CodebookEdits, instrument: str, present: set[str], study: dict, wave: str) -> None:
    """Propose the cells of scales.csv: a scale limited to waves that was scored in the instrument's last wave is scored in the new one.

    Parameters
    ----------
    present : set of str
        Items that the new wave has.
    """
    before = waves_of_instrument(instrument, study)
    if wave in before:
        return
    for place, row in enumerate(study["scales"]):
        limited = row["instrument"] == instrument and row.get("waves")
        if not limited or not before or before[-1] not in row["waves"].split():
            continue
        named = {part.lstrip("-").split("=")[0] for part in row["items"].split()} - {"*"}
        if named <= present:
            if edits.extend(SCALES, place, row, "waves", wave):
                edits.said.append(f"{SCALES}, row {place + 2}: {row['scale']} is scored in {wave} too")
        else:
            edits.said.append(f"{SCALES}: {row['scale']} is not scored in {wave}, for {' '.join(sorted(named - present))} is not there")


def edit_recodes(edits: CodebookEdits, instrument: str, present: set[str], study: dict, wave: str) -> None:
    """Propose the rows of recodes.csv: codes that meant something else in the instrument's last wave do so in the new one.

    Parameters
    ----------
    present : set of str
        Items that the new wave has.
    """
    before = waves_of_instrument(instrument, study)
    if wave in before:
        return
    for place, row in enumerate(study["recodes"]):
        if row["instrument"] != instrument or row["where_key"] != "wave" or [row["where_value"]] != before[-1:]:
            continue
        if row["item"] in present:
            edits.added[RECODES].append({**_cells(row), "where_value": wave})
            again = f"code {row['code']} of {row['item']} is recoded in {wave} too, as in row {place + 2}; look whether it should be"
            edits.said.append(f"{RECODES}, new row: {again}")
        else:
            edits.said.append(f"{RECODES}: {row['item']} is not recoded in {wave}, for it is not there")


def maps_to_decide(instrument: str, study: dict, wave: str) -> dict[str, int]:
    """Return scale -> place of its row of harmonisation.csv for the latest waves, where a wave is new to the instrument.

    A row names the waves whose scores become those of the others, and whether the new wave is one of them is a decision.
    """
    if wave in waves_of_instrument(instrument, study):
        return {}
    order = [str(entry["id"]) for entry in sorted(study["waves"], key=lambda entry: entry["order"])]
    rows = {place: row for place, row in enumerate(study["harmonisation"]) if row["instrument"] == instrument and row["scale"]}
    return {rows[place]["scale"]: place for place in sorted(rows, key=lambda p: max(order.index(w) for w in rows[p]["waves"].split()))}


def edit_map(edits: CodebookEdits, instrument: str, study: dict, wave: str, decisions: Decisions) -> None:
    """Add the new wave to the rows of the map that the user decided to hold in it."""
    for scale, place in maps_to_decide(instrument, study, wave).items():
        if scale in decisions.map_holds:
            edits.extend(MAP, place, study["harmonisation"][place], "waves", wave)
            edits.said.append(f"{MAP}, row {place + 2}: the map of {scale} holds in {wave} too, by decision; say in `reason` why")
