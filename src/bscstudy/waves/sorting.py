"""What each delivered file is: known already, a new source, a longer export, a correction, or nothing the study knows."""

from __future__ import annotations

from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.inventory import files_of
from bscstudy.io.raw import sha256_of
from bscstudy.waves.delivery import DeliveredFile
from bscstudy.waves.entries import companion_target, new_entry, superseded_path, wave_map
from bscstudy.waves.matching import best_match, match_as, why_unreadable
from bscstudy.waves.proposal import Delivered


def sort_delivery(delivery: list[DeliveredFile], wave: str, study: dict, folder: Path, corrects: tuple[str, ...]) -> list[Delivered]:
    """Say of each delivered file what it is, by its bytes and its columns; its records are not compared yet.

    Parameters
    ----------
    wave : str
        The wave that the delivery is of.
    study : dict
        The configuration.
    folder : Path
        The study's folder.
    corrects : tuple of str
        Sources that a file of the delivery corrects.

    Raises
    ------
    BscError
        BSC-WAV-003 if a source to be corrected does not exist, or none or several of the files can be it.
    """
    known = _known_bytes(study, folder)
    found: list[Delivered] = []
    for file in delivery:
        if file.sha256 in known:
            found.append(Delivered(file, "duplicate", told=known[file.sha256]))
            continue
        known[file.sha256] = f"{file.name} of this delivery"
        match = best_match(file, study, folder, delivery)
        if match is None:
            found.append(Delivered(file, "unmatched", told=why_unreadable(file, study, folder, delivery)))
        else:
            found.append(Delivered(file, "new", like=match.source, match=match))
    _name_companions(found)
    corrected = _corrected(found, study, folder, corrects, wave)
    taken = {path for source in study["sources"].values() for path in files_of(source)} | set(study["sources"])
    taken |= {row["file"] for row in study.get("manifest") or []}
    for delivered in found:
        if delivered.kind != "new":
            continue
        _give_entry(delivered, wave, study, taken, corrected)
        taken |= {delivered.source["id"], *files_of(delivered.source), delivered.superseded}
    return found


def is_of_all_waves(source: dict) -> bool:
    """Return whether a source's file holds whatever waves there are, so that a later export takes its place."""
    return not isinstance(source.get("wave"), str)


def _known_bytes(study: dict, folder: Path) -> dict[str, str]:
    """Return digest -> what in the study has these bytes."""
    known = {row["sha256"]: row["file"] for row in study.get("manifest") or [] if row["status"] != "duplicate"}
    for source in study["sources"].values():
        for path in files_of(source):
            if (Path(folder) / path).is_file():
                known[sha256_of(Path(folder) / path)] = path
    return known


def _name_companions(found: list[Delivered]) -> None:
    used = {path: d.file.name for d in found if d.match for path in d.match.companions.values()}
    for delivered in found:
        if delivered.file.path in used and delivered.kind in ("new", "unmatched"):
            delivered.kind, delivered.told, delivered.match = "companion", used[delivered.file.path], None


def _corrected(found: list[Delivered], study: dict, folder: Path, corrects: tuple[str, ...], wave: str) -> dict[int, str]:
    """Return id of a delivered file -> the source it corrects; the file is read as that source is."""
    chosen: dict[int, str] = {}
    delivery = [delivered.file for delivered in found]
    faults = []
    for name in corrects:
        source = study["sources"].get(name)
        declared = None if source is None else source.get("wave")
        if source is None or (isinstance(declared, str) and declared != wave):
            faults.append(f"--corrects {name}: " + ("no such source" if source is None else f"a source of {declared}, not of {wave}"))
            continue
        fitting = [d for d in found if d.kind == "new" and d.like["instrument"] == source["instrument"]]
        fitting = [d for d in fitting if d.file.suffix == Path(source["file"]).suffix.lower()]
        matches = [(d, match) for d in fitting if (match := match_as(d.file, source, study, folder, delivery)) is not None]
        if len(matches) != 1:
            names = ", ".join(d.file.name for d, _ in matches) or "none"
            faults.append(f"--corrects {name}: files of {source['instrument']} in its format in the delivery: {names}")
        else:
            delivered, match = matches[0]
            delivered.match = match
            chosen[id(delivered)] = name
    if faults:
        raise BscError(
            "BSC-WAV-003",
            "It is not clear which file corrects which source.",
            tuple(faults),
            "A file in the wrong place would change numbers without anyone seeing it.",
            "Name a source of sources.yaml, and put exactly one file for it, in the format of the earlier one, into the delivery.",
        )
    return chosen


def _give_entry(delivered: Delivered, wave: str, study: dict, taken: set[str], corrected: dict[int, str]) -> None:
    match = delivered.match
    if id(delivered) in corrected:
        _take_the_place(delivered, "corrected", study["sources"][corrected[id(delivered)]], taken, wave)
    elif is_of_all_waves(match.source) and match.source["reader"] == study["sources"][match.source["id"]]["reader"]:
        _take_the_place(delivered, "extended", match.source, taken, wave)
    else:
        delivered.source = new_entry(match, delivered.file, wave, study, taken)


def _take_the_place(delivered: Delivered, kind: str, source: dict, taken: set[str], wave: str) -> None:
    """Let a file take the place of a source's file, under its path; the earlier file is kept elsewhere."""
    delivered.kind, delivered.like = kind, source
    delivered.source = dict(source)
    declared = source.get("wave")
    if isinstance(declared, dict) and declared.get("map") and declared.get("column") in delivered.match.raw.frame.columns:
        delivered.source["wave"] = {**declared, "map": wave_map(delivered.match, wave)}
    delivered.superseded = superseded_path(source["file"], taken)


def companion_places(delivered: Delivered) -> list[tuple[Path, str]]:
    """Return (delivered file, path in the study) of the files of the delivery that a source is read together with.

    Beside a file that takes an earlier one's place, its companion takes the earlier companion's place.
    """
    own = delivered.like.get("options") or {}
    places = []
    for option, path in delivered.match.companions.items() if delivered.match else ():
        new = companion_target(delivered.like, option, path)
        if new != own.get(option):
            places.append((path, new if delivered.kind == "new" else own[option]))
    return places
