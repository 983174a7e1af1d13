"""The entry of sources.yaml that a delivered file gets, and the places its bytes go to."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np

from bscstudy.io.inventory import companions_of, is_further_file
from bscstudy.io.keys import columns_text
from bscstudy.io.raw import RawTable, code_text, texts_of
from bscstudy.waves.delivery import DeliveredFile
from bscstudy.waves.matching import Match

SUPERSEDED = "data/raw/superseded"
_ORDER = ("instrument", "reader", "file", "options", "wave", "keys", "keep_where", "reshape", "unit", "key")


def new_entry(match: Match, file: DeliveredFile, wave: str, study: dict, taken: set[str]) -> dict:
    """Return the entry, with its ``id``, of a file that holds one wave of an instrument the study knows.

    Parameters
    ----------
    taken : set of str
        Ids and paths that are in use.
    """
    like = match.source
    options = dict(like.get("options") or {})
    named = {option: companion_target(like, option, path) for option, path in match.companions.items()}
    more = [target for option, target in named.items() if is_further_file(option)]
    options |= {option: target for option, target in named.items() if not is_further_file(option)} | ({"more_files": more} if more else {})
    declared = like.get("wave")
    if isinstance(declared, dict):
        declared = {**declared, "map": {raw: meant for raw, meant in wave_map(match, wave).items() if meant == wave}}
    entry = {
        **like,
        "file": target_of(like, file, wave, taken),
        "options": options,
        "wave": wave if isinstance(declared, str) else declared,
    }
    name = _free_id(like["id"], str(like.get("wave") or ""), wave, study, taken)
    return {"id": name, **{key: entry[key] for key in _ORDER if entry.get(key) not in (None, {})}}


def target_of(like: dict, file: DeliveredFile, wave: str, taken: set[str]) -> str:
    """Return where a delivered file goes: beside the earlier wave's, under its own name, or with the wave where that name is in use."""
    folder = PurePosixPath(like["file"]).parent
    name = PurePosixPath(file.path.name)
    wanted = str(folder / name)
    number = 1
    while wanted in taken:
        ending = f"_{wave.lower()}" + (f"_{number}" if number > 1 else "")
        wanted, number = str(folder / f"{name.stem}{ending}{name.suffix}"), number + 1
    return wanted


def companion_target(like: dict, option: str, path: Path) -> str:
    """Return where a delivered companion (a data dictionary) goes; the study's own stays where it is."""
    own = companions_of(like).get(option)
    return own if own and path.as_posix().endswith(own) else str(PurePosixPath(like["file"]).parent / path.name)


def superseded_path(file: str, taken: set[str]) -> str:
    """Return where an earlier file is kept, under a number if one of that name is kept there already."""
    inside = PurePosixPath(file).relative_to("data/raw") if file.startswith("data/raw/") else PurePosixPath(file)
    wanted, number = PurePosixPath(SUPERSEDED) / inside, 1
    while str(wanted) in taken:
        number += 1
        wanted = PurePosixPath(SUPERSEDED) / inside.with_name(f"{inside.stem}_{number}{inside.suffix}")
    return str(wanted)


def wave_map(match: Match, wave: str) -> dict:
    """Return the map of a source's wave column, with the file's one value that is new and stands for the new wave, if there is one."""
    declared = match.source["wave"]
    known = dict(declared.get("map") or {})
    values = raw_waves(match.raw, declared)
    unmapped = sorted(set(values) - {code_text(raw) for raw in known} - {""})
    alike = [value for value in unmapped if re.search(rf"(^|[^a-z0-9]){re.escape(wave.lower())}([^a-z0-9]|$)", value.lower())]
    chosen = alike if len(alike) == 1 else unmapped if len(unmapped) == 1 else []
    return {**known, **{value: wave for value in chosen}}


def rows_of_wave(raw: RawTable, declared: dict, wave: str) -> np.ndarray:
    """Return which records are of a wave, by the column and map that say it."""
    named = {code_text(value) for value, meant in (declared.get("map") or {wave: wave}).items() if str(meant) == wave}
    return np.array([value in named for value in raw_waves(raw, declared)], dtype=bool)


def raw_waves(raw: RawTable, declared: dict) -> np.ndarray:
    """Return each record's value in the column that names the wave, as code text."""
    return np.array([code_text(text) for text in texts_of(raw.frame[columns_text(declared)])], dtype=object)


def _free_id(like: str, before: str, wave: str, study: dict, taken: set[str]) -> str:
    pattern = rf"(?<![a-z0-9]){re.escape(before.lower())}(?![a-z0-9])|(?<=_){re.escape(before.lower())}(?=_|$)"
    named = re.sub(pattern, wave.lower(), like, flags=re.IGNORECASE) if before else like
    wanted = named if named != like or before == wave else f"{like}_{wave.lower()}"
    free, number = wanted, 1
    while free in study["sources"] or free in taken:
        number += 1
        free = f"{wanted}_{number}"
    return free
