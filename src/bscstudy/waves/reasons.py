"""Why published numbers changed: raw files, sections of the configuration, parts of the program that differ."""

from __future__ import annotations

from pathlib import Path

from bscstudy.config import read_rows
from bscstudy.tables import read_json
from bscstudy.waves.manifest import MANIFEST, SHOWN
from bscstudy.waves.snapshot import BASIS, basis_of


def reasons_between(old: Path, new: Path) -> list[str]:
    """Return in words what differs between what two sets of numbers rest on.

    Parameters
    ----------
    old, new : Path
        A snapshot, or a folder ``reports`` or ``data/derived`` inside a study.
    """
    before, after = _basis(Path(old)), _basis(Path(new))
    if before is None or after is None:
        return ["Why is not known: at least one of the folders is neither a snapshot nor inside a study."]
    corrected = _corrected(Path(new))
    lines = []
    for file in sorted({*before["sources"], *after["sources"]}):
        first, second = before["sources"].get(file), after["sources"].get(file)
        if first is None or second is None:
            lines.append(f"raw file {file}: {'new' if first is None else 'no longer read'}")
        elif first != second:
            more = f", supersedes {corrected[file]}" if corrected.get(file) else ""
            lines.append(f"raw file {file}: {first[:SHOWN]} -> {second[:SHOWN]}{more}")
    for part, word in (("sections", "configuration"), ("code", "program")):
        for name in sorted({*before[part], *after[part]}):
            first, second = before[part].get(name), after[part].get(name)
            if first != second:
                lines.append(f"{word} {name}: {'new' if first is None else 'gone' if second is None else 'changed'}")
    return lines or ["Raw files, configuration and program are the same."]


def study_of(folder: Path) -> Path | None:
    """Return the study that a folder of results lies in, None where it lies in none."""
    return next((place for place in (folder, *folder.resolve().parents[:2]) if (place / "config/config.yaml").is_file()), None)


def _basis(folder: Path) -> dict | None:
    if (folder / BASIS).is_file():
        return read_json(folder / BASIS)
    study = study_of(folder)
    return None if study is None else basis_of(study)


def _corrected(folder: Path) -> dict[str, str]:
    place = folder if (folder / BASIS).is_file() else study_of(folder) or folder
    rows = read_rows(place / MANIFEST) if (place / MANIFEST).is_file() else []
    return {row["file"]: row["supersedes"] for row in rows if row["status"] == "current" and row["supersedes"]}
