"""From a delivery to a proposal: the configuration it needs is staged, and its records are read by it and compared. Nothing is changed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.ingest import ingest
from bscstudy.loading import load_study
from bscstudy.waves.codebook_edits import (
    ITEMS,
    MAP,
    RECODES,
    SCALES,
    CodebookEdits,
    Decisions,
    edit_items,
    edit_items_of_rows,
    edit_map,
    edit_recodes,
    edit_scales,
    maps_to_decide,
)
from bscstudy.waves.comparing import compare_records
from bscstudy.waves.config_text import with_cells, with_source, with_wave, with_wave_value
from bscstudy.waves.delivery import delivered_files
from bscstudy.waves.entries import rows_of_wave, superseded_path
from bscstudy.waves.partial import notes_of
from bscstudy.waves.proposal import Delivered, Proposal
from bscstudy.waves.sorting import companion_places, sort_delivery

CONFIG = "config/config.yaml"
SOURCES = "config/sources.yaml"


def propose(folder: Path, wave: dict, delivery: Path, *, corrects: tuple[str, ...] = (), decisions: Decisions | None = None) -> Proposal:
    """Work out what a delivery means for a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    wave : dict
        ``id`` of the wave, and ``label, phase, start, end`` where they are given.
    delivery : Path
        The folder of new files.
    corrects : tuple of str
        Sources whose file the delivery corrects.
    decisions : Decisions, optional
        Items that stand in another column, items that were not asked, and scales whose map holds in the new wave too.

    Returns
    -------
    Proposal
        With its faults; nothing is written.

    Raises
    ------
    BscError
        Those of `load_study`; BSC-WAV-001 no delivery, -003 an unclear correction, -004 a decision that fits nothing.
    """
    folder, decisions = Path(folder), decisions or Decisions()
    study = load_study(folder / "config")
    known = next((entry for entry in study["waves"] if str(entry["id"]) == wave["id"]), None)
    files = sort_delivery(delivered_files(delivery), wave["id"], study, folder, corrects)
    proposal = Proposal(known or wave_entry(wave, study), known is None, files)
    while True:
        _assemble(proposal, study, folder, decisions)
        before = [d.kind for d in proposal.files]
        staged = _staged(proposal, study, folder)
        if staged is not None:
            compare_records(proposal, study, staged, folder)
        if before == [d.kind for d in proposal.files]:
            break
    _check_decisions(decisions, proposal, study)
    proposal.notes += notes_of(proposal, study, staged or study, folder, decisions)
    proposal.faults += [fault for delivered in proposal.files for fault in delivered.faults]
    return proposal


def wave_entry(wave: dict, study: dict) -> dict:
    """Return the entry of a new wave: last in order, of the phase of the wave before unless one is given."""
    last = max(study["waves"], key=lambda entry: entry["order"])
    given = {key: value for key, value in wave.items() if value}
    entry = {"label": wave["id"], "phase": last["phase"], **given, "order": last["order"] + 1}
    return {key: entry[key] for key in ("id", "label", "order", "phase", "start", "end") if key in entry}


def _assemble(proposal: Proposal, study: dict, folder: Path, decisions: Decisions) -> None:
    """Write down the edits, copies and moves of the files that are used."""
    wave = proposal.wave["id"]
    proposal.edits, proposal.faults = CodebookEdits(), []
    for delivered in proposal.used:
        if delivered.kind == "new":
            edit_items(proposal.edits, delivered.source, delivered.like, delivered.match.raw, study, wave, decisions)
        elif delivered.kind == "extended" and isinstance(delivered.source.get("wave"), dict) and not delivered.match.keys_absent:
            rows = rows_of_wave(delivered.match.raw, delivered.source["wave"], wave)
            edit_items_of_rows(proposal.edits, delivered.source, delivered.match.raw, rows, study, wave)
    for instrument in sorted({d.source["instrument"] for d in proposal.used if d.source.get("wave") is not None}):
        present = _items_of(proposal, instrument, study)
        edit_scales(proposal.edits, instrument, present, study, wave)
        edit_recodes(proposal.edits, instrument, present, study, wave)
        edit_map(proposal.edits, instrument, study, wave, decisions)
    proposal.copies, proposal.moves = [], []
    for delivered in proposal.used:
        places = [(delivered.file.path, delivered.source["file"]), *companion_places(delivered)]
        proposal.copies += places
        if delivered.kind != "new":
            proposal.moves.append((delivered.source["file"], delivered.superseded))
            proposal.moves += [(target, superseded_path(target, {delivered.superseded})) for _, target in places[1:]]
    try:
        proposal.texts = _texts(proposal, folder)
    except KeyError:
        raise _merged_wave(proposal) from None


def _merged_wave(proposal: Proposal) -> BscError:
    names = [delivered.source["id"] for delivered in proposal.used if delivered.kind != "new" and _new_waves(delivered)]
    return BscError(
        "BSC-WAV-016",
        "The map of a source's wave column is not written in the entry of the source.",
        tuple(f"{SOURCES}, {name}, wave.map" for name in names),
        "The new wave's value cannot be added to it, and the records of the new wave could not be read.",
        "Write `wave` with its `map` into the entry of the source itself.",
    )


def _items_of(proposal: Proposal, instrument: str, study: dict) -> set[str]:
    """Return the items of an instrument that the delivery can hold: all but those no file of it has."""
    lost = set()
    for delivered in proposal.used:
        if delivered.source["instrument"] == instrument and delivered.match:
            lost |= set(delivered.match.absent)
    back = {row["item"] for row in proposal.edits.added[ITEMS]}
    cells = proposal.edits.changed[ITEMS].items()
    held = {study["items"][place]["item"] for place, changed in cells if proposal.wave["id"] in changed.get("waves", "").split()}
    return {row["item"] for row in study["items"] if row["instrument"] == instrument} - (lost - back - held)


def _texts(proposal: Proposal, folder: Path) -> dict[str, str]:
    wave = proposal.wave["id"]
    texts = {}
    if proposal.new_wave and proposal.used:
        texts[CONFIG] = with_wave(read_text(folder / CONFIG), proposal.wave)
    sources = read_text(folder / SOURCES)
    for delivered in proposal.used:
        if delivered.kind == "new":
            entry = {key: value for key, value in delivered.source.items() if key != "id"}
            sources = with_source(sources, delivered.source["id"], entry, f"{wave}, read as {delivered.like['id']} is.")
        for raw in _new_waves(delivered) if delivered.kind != "new" else ():
            sources = with_wave_value(sources, delivered.source["id"], raw, wave)
    if sources != read_text(folder / SOURCES):
        texts[SOURCES] = sources
    for file in (ITEMS, SCALES, RECODES, MAP):
        changed, added = proposal.edits.changed.get(file, {}), proposal.edits.added.get(file, [])
        if changed or added:
            texts[file] = with_cells(read_text(folder / file), changed, added)
    return texts


def _new_waves(delivered: Delivered) -> list[str]:
    declared, before = delivered.source.get("wave"), delivered.like.get("wave")
    return [raw for raw in declared["map"] if raw not in before["map"]] if isinstance(declared, dict) and declared.get("map") else []


def read_text(path: Path) -> str:
    """Return a configuration file's text with its own line ends and byte-order mark."""
    return path.read_bytes().decode("utf-8")


def _staged(proposal: Proposal, study: dict, folder: Path) -> dict | None:
    """Load the configuration as it would be, and read each file that is used by it; what fails becomes a fault."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder / "config", Path(place) / "config")
        for beside in sorted(folder.resolve().iterdir()):
            if beside.name != "config":
                (Path(place) / beside.name).symlink_to(beside)
        for path, text in proposal.texts.items():
            (Path(place) / path).write_bytes(text.encode("utf-8"))
        try:
            staged = load_study(Path(place) / "config")
        except BscError as fault:
            where = (fault.where,) if isinstance(fault.where, str) else fault.where
            told = tuple(text.replace(f"{place}/", "") for text in where)
            proposal.faults.append(BscError(fault.code, fault.what, told, fault.why, fault.todo))
            return None
    for delivered in proposal.used:
        delivered.faults, delivered.frame = [], None
        source = staged["sources"][delivered.source["id"]]
        exclusions = [] if delivered.kind == "new" else staged["exclusions"]
        try:
            found = ingest(delivered.match.raw, source, {**staged, "exclusions": exclusions})
        except BscError as fault:
            delivered.faults.append(fault)
        else:
            delivered.frame, delivered.extra = found.frame, found.extra
    return staged


def _check_decisions(decisions: Decisions, proposal: Proposal, study: dict) -> None:
    matches = [d.match for d in proposal.files if d.kind == "new"]
    faults = [
        f"--renamed {item}={column}: no new file lacks the item and has the column"
        for item, column in decisions.renamed.items()
        if not any(item in m.absent and column in m.raw.frame.columns for m in matches)
    ]
    faults += [
        f"--not-asked {item}: no new file lacks the item" for item in decisions.not_asked if not any(item in m.absent for m in matches)
    ]
    instruments = {delivered.source["instrument"] for delivered in proposal.used}
    open_maps = {scale for name in instruments for scale in maps_to_decide(name, study, proposal.wave["id"])}
    faults += [
        f"--map-holds {scale}: no map of a scale of the new files is to be decided"
        for scale in decisions.map_holds
        if scale not in open_maps
    ]
    if faults:
        raise BscError(
            "BSC-WAV-004",
            "A decision fits none of the new files.",
            tuple(faults),
            "An answer would be looked for in the wrong column, taken for not asked although it is there, or left out of the map.",
            "Write items and scales as the codebook has them and columns as the file has them; run without --write to see them.",
        )
