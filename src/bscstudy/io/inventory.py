"""Are all raw files there? Asked once, before anything starts."""

from __future__ import annotations

from pathlib import Path

from bscstudy.errors import BscError

#: options that name a further raw file, in the order in which readers get them
COMPANIONS = ("dictionary", "events", "arms", "form_events", "codebook")
_FURTHER = "more_files "


def files_of(source: dict) -> list[str]:
    """Return the raw files of a source, relative to the study's folder: its file, then those that its options name."""
    return [source["file"], *companions_of(source).values()]


def companions_of(source: dict) -> dict[str, str]:
    """Return option -> path of the further raw files that a source's options name; those of ``more_files`` are numbered."""
    options = source.get("options") or {}
    named = {name: options[name] for name in COMPANIONS if options.get(name)}
    return named | {f"{_FURTHER}{n}": path for n, path in enumerate(options.get("more_files") or [], start=1)}


def is_further_file(option: str) -> bool:
    """Whether a name that `companions_of` returns stands for one of ``options.more_files``."""
    return option.startswith(_FURTHER)


def fault_of(path: Path) -> str:
    """Return what is wrong with a file before it is opened, or an empty string."""
    path = Path(path)
    if not path.exists():
        return "is missing"
    if not path.is_file():
        return "is not a file"
    return "is empty (0 bytes)" if path.stat().st_size == 0 else ""


def check_files(sources: dict, folder: Path) -> None:
    """Check that every raw file that the sources name is there and has content.

    Parameters
    ----------
    sources : dict
        Section ``sources`` of the configuration.
    folder : Path
        The study's folder.

    Raises
    ------
    BscError
        BSC-SRC-001 listing every file that is missing, empty or not a file.
    """
    found = []
    for name, source in sorted(sources.items()):
        found += [f"{file}: {fault} (source '{name}')" for file in files_of(source) if (fault := fault_of(Path(folder) / file))]
    if found:
        raise BscError(
            "BSC-SRC-001",
            f"{len(found)} raw file(s) cannot be used.",
            tuple(found),
            "Every number that rests on them would be absent.",
            "Put the files as received into the study's folder, or correct `file` in config/sources.yaml.",
        )
