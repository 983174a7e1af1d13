"""The records of a delivery against those the study has: sent again, overlapping, longer, or corrected."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.ingest import ingest
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import read_source
from bscstudy.waves.proposal import Delivered, Proposal
from bscstudy.waves.records import changes, n_overlapping, same_records


def read_now(name: str, study: dict, folder: Path) -> pd.DataFrame | None:
    """Return the records of a source as the study has them now, None where its files cannot be read as configured."""
    source = study["sources"][name]
    try:
        raw = read_source([Path(folder) / path for path in files_of(source)], source)
        return ingest(raw, source, study).frame
    except BscError:
        return None


def compare_records(proposal: Proposal, study: dict, staged: dict, folder: Path) -> None:
    """Compare every file that is used with the sources of its instrument; `Delivered` gets kind, changes and faults."""
    for delivered in proposal.used:
        if delivered.frame is None:
            continue
        names = [name for name, source in study["sources"].items() if source["instrument"] == delivered.source["instrument"]]
        before = {name: frame for name in names if (frame := read_now(name, study, folder)) is not None}
        same = next((name for name, frame in before.items() if same_records(frame, delivered.frame)), None)
        if same is not None:
            delivered.kind, delivered.told = "repeated", same
        elif delivered.kind == "new":
            _refuse_overlap(delivered, before, study)
        else:
            _weigh_replacement(delivered, before.get(delivered.like["id"]), study)


def _key(source: dict) -> list[str]:
    return list(source.get("key") or [])


def _refuse_overlap(delivered: Delivered, before: dict[str, pd.DataFrame], study: dict) -> None:
    same_wave = [name for name in before if study["sources"][name].get("wave") == delivered.source.get("wave")]
    for name in same_wave:
        n = n_overlapping(before[name], delivered.frame, _key(delivered.source))
        if n:
            delivered.faults.append(
                BscError(
                    "BSC-WAV-005",
                    f"{n} of {len(delivered.frame)} records of a new file are in a source of the same instrument and wave already.",
                    f"{delivered.file.name} (source '{name}')",
                    "The people in both files would be counted twice.",
                    f"If the file corrects the earlier one, add --corrects {name}; if not, ask for a file without these records.",
                )
            )


def _weigh_replacement(delivered: Delivered, before: pd.DataFrame | None, study: dict) -> None:
    name = delivered.like["id"]
    if before is None:
        return
    delivered.changes = found = changes(before, delivered.frame, _key(delivered.source))
    if delivered.kind == "extended" and found.n_removed:
        delivered.faults.append(
            BscError(
                "BSC-WAV-006",
                f"A file of all waves lacks {found.n_removed} of the {found.n_before} records that the study has.",
                f"{delivered.file.name} (source '{name}')",
                "In the place of the earlier file it would take these records out of every result.",
                f"Ask for an export of all waves; if the records are to go, add --corrects {name}.",
            )
        )
    if delivered.kind == "corrected" and not found.n_common and _key(delivered.source):
        delivered.faults.append(
            BscError(
                "BSC-WAV-007",
                "A corrected file has no record in common with the file it corrects.",
                f"{delivered.file.name} (source '{name}')",
                "It is probably a file of another wave or place, and every earlier record would go.",
                "Check the file; without --corrects it is added beside the earlier one.",
            )
        )
    _refuse_moved_exclusions(delivered, before, study)


def _refuse_moved_exclusions(delivered: Delivered, before: pd.DataFrame, study: dict) -> None:
    """An exclusion by row must still point to the record it was written for."""
    name = delivered.like["id"]
    rows = [e["row"] for e in study["exclusions"] if e["source"] == name and "row" in e]
    key = [c for c in _key(delivered.source) if c in before.columns and c in delivered.frame.columns]
    columns = key or [c for c in delivered.frame.columns if c in before.columns and c not in ("excluded",)]
    moved = [row for row in rows if _at(before, row, columns) != _at(delivered.frame, row, columns)]
    if moved:
        delivered.faults.append(
            BscError(
                "BSC-WAV-008",
                f"{len(moved)} exclusion(s) by row would point to another record of the new file.",
                tuple(f"config/config.yaml, exclusions, source '{name}', row {row}" for row in moved),
                "The wrong record would be left out, and the one that was meant would be counted.",
                "Write these exclusions with `match` (columns and values) before the file takes the earlier one's place.",
            )
        )


def _at(frame: pd.DataFrame, row: int, columns: list[str]) -> list[tuple]:
    return sorted(map(str, frame.loc[frame["row"] == row, columns].itertuples(index=False, name=None)))
