"""A proposal carried out: raw files copied, configuration written, the whole study checked; if that fails everything is put back."""

from __future__ import annotations

from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.inventory import check_files
from bscstudy.loading import load_study
from bscstudy.tables import write_bytes
from bscstudy.waves.manifest import MANIFEST, manifest_row, unlisted_files, write_manifest
from bscstudy.waves.proposal import Proposal


def write_proposal(folder: Path, proposal: Proposal, received: str = "") -> list[str]:
    """Carry out a proposal.

    Parameters
    ----------
    folder : Path
        The study's folder.
    proposal : Proposal
        As `propose` returns it.
    received : str
        The day the delivery was received, as YYYY-MM-DD; blank where it is not known.

    Returns
    -------
    list of str
        The files written, relative to the study's folder.

    Raises
    ------
    BscError
        The first fault of the proposal; BSC-WAV-011 if no file is to be added; whatever the check of the whole study finds.
        Nothing is then changed.
    """
    if proposal.faults:
        raise proposal.faults[0]
    if not proposal.used and not any(d.kind == "duplicate" for d in proposal.files):
        raise BscError(
            "BSC-WAV-011",
            "No file of the delivery can be added.",
            tuple(f"{d.file.name}: {d.kind}" for d in proposal.files),
            "The study stays as it is.",
            "Read what was said about each file; describe new instruments in items.csv and sources.yaml first.",
        )
    folder = Path(folder)
    touched = [*proposal.texts, MANIFEST, *(to for _, to in proposal.copies), *(to for _, to in proposal.moves)]
    before = {path: (folder / path).read_bytes() if (folder / path).is_file() else None for path in dict.fromkeys(touched)}
    try:
        for old, kept in proposal.moves:
            write_bytes(folder / kept, (folder / old).read_bytes())
        for delivered, path in proposal.copies:
            write_bytes(folder / path, delivered.read_bytes())
        for path, text in proposal.texts.items():
            write_bytes(folder / path, text.encode("utf-8"))
        study = load_study(folder / "config")
        check_files(study["sources"], folder)
        write_manifest(folder, _rows(study, folder, proposal, received))
        load_study(folder / "config")
    except BaseException:
        put_back(folder, before)
        raise
    return sorted(path for path, content in before.items() if not (folder / path).is_file() or (folder / path).read_bytes() != content)


def put_back(folder: Path, before: dict[str, bytes | None]) -> None:
    """Give every file its earlier bytes; a file that was not there is taken away, with folders that are then empty."""
    for path, content in before.items():
        place = folder / path
        if content is not None:
            write_bytes(place, content)
            continue
        place.unlink(missing_ok=True)
        for parent in place.parents:
            if parent == folder or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def _rows(study: dict, folder: Path, proposal: Proposal, received: str) -> list[dict]:
    """Return the manifest after the delivery: its files, those they supersede, its duplicates, and every other raw file."""
    kept_as = dict(proposal.moves)
    new = {path for _, path in proposal.copies}
    earlier = {row["file"]: row for row in study["manifest"] if row["status"] == "current"}
    rows = [row for row in study["manifest"] if not (row["file"] in new and row["status"] == "current")]
    for old, kept in kept_as.items():
        known = earlier.get(old) or manifest_row(study, folder, old)
        row = manifest_row(study, folder, kept, received=known["received"], status="superseded")
        rows.append({**row, "wave": known["wave"], "source": known["source"], "supersedes": known.get("supersedes") or ""})
    rows += [manifest_row(study, folder, path, received=received, supersedes=kept_as.get(path, "")) for path in sorted(new)]
    listed = {row["file"] for row in rows}
    rows += [manifest_row(study, folder, file) for file in unlisted_files(study, folder) if file not in listed]
    return rows + _duplicates(proposal, rows, received)


def _duplicates(proposal: Proposal, rows: list[dict], received: str) -> list[dict]:
    known = {(row["file"], row["sha256"]) for row in rows}
    current = {row["sha256"]: row for row in rows if row["status"] != "duplicate"}
    found = []
    for delivered in proposal.files:
        file = delivered.file
        if delivered.kind == "duplicate" and (file.name, file.sha256) not in known:
            like = current.get(file.sha256, {})
            place = {"wave": like.get("wave", ""), "source": like.get("source", "")}
            digest = {"file": file.name, "sha256": file.sha256, "bytes": file.n_bytes, "received": received}
            found.append({**digest, **place, "status": "duplicate", "supersedes": ""})
    return found
