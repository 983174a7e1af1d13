"""What published numbers rest on, kept beside them: digests of raw files, of the configuration's sections and of the program."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bscstudy.config import read_study
from bscstudy.errors import BscError
from bscstudy.io.raw import sha256_of
from bscstudy.tables import read_json, write_bytes, write_json
from bscstudy.waves.manifest import MANIFEST, raw_files
from bscstudy.workflow import PACKAGE

BASIS = "basis.json"
RECORDS = "reports/data"
#: parts of the package that make published numbers
_PARTS = ("io", "checks", "measures", "models", "multilevel", "qual", "integrate", "exhibits", "steps")


def basis_of(folder: Path) -> dict:
    """Return what a study's numbers rest on.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    dict
        ``sources`` (file -> SHA-256, as the ingested tables recorded it, else of the file itself), ``sections`` (section of the
        configuration, those by id apart -> digest) and ``code`` (part of the program -> digest).
    """
    folder = Path(folder)
    study = read_study(folder / "config")
    recorded = {}
    for path in sorted((folder / "data/derived/sources").glob("*.json")):
        extra = read_json(path).get("extra") or {}
        recorded |= {extra["file"]: extra["sha256"]} if extra.get("sha256") else {}
    files = {file: recorded.get(file) or sha256_of(folder / file) for file in raw_files(study) if (folder / file).is_file()}
    return {"sources": files, "sections": _sections(study), "code": {part: _code(part) for part in _PARTS}}


def write_snapshot(folder: Path, target: Path) -> list[Path]:
    """Copy a study's published records and manifest, with what they rest on, into a folder of their own.

    Raises
    ------
    BscError
        BSC-WAV-013 if the study has no published records; BSC-WAV-014 if something is in the folder already.
    """
    folder, target = Path(folder), Path(target)
    records = sorted((folder / RECORDS).glob("*.json"))
    if not records:
        raise BscError(
            "BSC-WAV-013",
            "The study has no published numbers yet.",
            str(folder / RECORDS),
            "There is nothing to keep.",
            "Run `snakemake` in the study's folder first.",
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BscError(
            "BSC-WAV-014",
            "The folder for the snapshot is not empty.",
            str(target),
            "Numbers kept earlier could be overwritten.",
            "Name a folder that does not exist yet.",
        )
    copied = {target / RECORDS / path.name: path for path in records}
    if (folder / MANIFEST).is_file():
        copied[target / MANIFEST] = folder / MANIFEST
    for new, path in copied.items():
        write_bytes(new, path.read_bytes())
    write_json(target / BASIS, basis_of(folder))
    return [*copied, target / BASIS]


def _sections(study: dict) -> dict[str, str]:
    """Return a digest of each section; of sources and models of each one, and of the codebook of each instrument."""
    parts: dict[str, object] = {}
    for name, content in study.items():
        if name in ("sources", "models"):
            parts |= {f"{name}.{key}": value for key, value in content.items()}
        elif name in ("items", "scales", "missing_codes", "recodes"):
            for instrument in sorted({row["instrument"] for row in content}):
                parts[f"{name} of {instrument}"] = [row for row in content if row["instrument"] == instrument]
        elif name == "exhibits":
            parts |= {f"exhibits.{row['exhibit']}": row for row in content}
        elif name != "manifest":
            parts[name] = content
    parts = {name: content for name, content in parts.items() if content}
    return {name: _digest(json.dumps(content, sort_keys=True, default=str).encode()) for name, content in sorted(parts.items())}


def _code(part: str) -> str:
    files = sorted((PACKAGE / part).rglob("*.py"))
    return _digest(b"".join(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes() for path in files))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
