"""config/manifest.csv: which raw files were received, with their digests, so that a file that changed since is noticed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bscstudy.checks.received import SHOWN
from bscstudy.errors import BscError
from bscstudy.io.inventory import files_of
from bscstudy.io.raw import sha256_of
from bscstudy.tables import write_text

MANIFEST = "config/manifest.csv"
COLUMNS = ("file", "sha256", "bytes", "received", "wave", "source", "status", "supersedes")


def raw_files(study: dict) -> dict[str, str]:
    """Return path -> source of every raw file that the configuration names."""
    return {path: name for name, source in sorted(study["sources"].items()) for path in files_of(source)}


def manifest_row(study: dict, folder: Path, file: str, *, received: str = "", status: str = "current", supersedes: str = "") -> dict:
    """Return the manifest's row of a raw file of the study."""
    path = Path(folder) / file
    source = raw_files(study).get(file, "")
    row = {"file": file, "sha256": sha256_of(path), "bytes": path.stat().st_size, "received": received, "source": source}
    return {**row, "wave": waves_text(study["sources"].get(source, {})), "status": status, "supersedes": supersedes}


def waves_text(source: dict) -> str:
    """Return the waves that a source can hold, separated by a space."""
    wave = source.get("wave")
    return wave if isinstance(wave, str) else " ".join(dict.fromkeys(map(str, ((wave or {}).get("map") or {}).values())))


def unlisted_files(study: dict, folder: Path) -> list[str]:
    """Return the raw files of the study that its manifest does not list as current."""
    listed = {row["file"] for row in study["manifest"] if row["status"] == "current"}
    return [file for file in raw_files(study) if file not in listed and (Path(folder) / file).is_file()]


def changed_files(study: dict, folder: Path) -> list[str]:
    """Return, in words, the files whose bytes are not those of the manifest, with the first characters of both digests."""
    said = []
    for row in study["manifest"]:
        path = Path(folder) / row["file"]
        if row["status"] != "duplicate" and path.is_file() and (now := sha256_of(path)) != row["sha256"]:
            said.append(f"{row['file']}: {row['sha256'][:SHOWN]} in the manifest, {now[:SHOWN]} now")
    return said


def check_manifest(study: dict, folder: Path) -> None:
    """Compare the raw files with the manifest.

    Raises
    ------
    BscError
        BSC-WAV-009 naming every file whose bytes changed; BSC-WAV-010 naming every superseded file that is gone.
    """
    changed = changed_files(study, folder)
    if changed:
        raise BscError(
            "BSC-WAV-009",
            f"{len(changed)} raw file(s) are not the bytes that the manifest lists.",
            tuple(changed),
            "Numbers would rest on a file that nobody recorded as received.",
            "Put the file back as received; a corrected one comes in with `bscstudy add-wave WAVE --from FOLDER --corrects SOURCE`.",
        )
    kept = [row["file"] for row in study["manifest"] if row["status"] == "superseded"]
    gone = [file for file in kept if not (Path(folder) / file).is_file()]
    if gone:
        raise BscError(
            "BSC-WAV-010",
            f"{len(gone)} superseded file(s) of the manifest are not kept any more.",
            tuple(gone),
            "What an earlier result rested on can no longer be shown.",
            "Put them back from a backup under the path named.",
        )


def manifest_text(study: dict) -> str:
    """Return in words what `check_manifest` compared, once it found nothing."""
    if not study["manifest"]:
        return f"No {MANIFEST}: whether the raw files are as received was not checked. `bscstudy manifest --write` lists them."
    listed = {row["file"] for row in study["manifest"] if row["status"] == "current"}
    rest = [file for file in raw_files(study) if file not in listed]
    more = f"; {len(rest)} not listed yet: {', '.join(rest)}" if rest else ""
    return f"The raw files are as received: {len(listed)} compared with {MANIFEST}{more}."


def write_manifest(folder: Path, rows: list[dict]) -> None:
    """Write the manifest, sorted by file and status."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in sorted(rows, key=lambda row: (row["file"], row["status"], row["sha256"])):
        writer.writerow({column: row.get(column) or "" for column in COLUMNS})
    write_text(Path(folder) / MANIFEST, out.getvalue())
