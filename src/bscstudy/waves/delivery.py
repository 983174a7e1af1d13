"""The files of one delivery, as they lie in a folder outside the study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.raw import sha256_of

_LEFT_BY_PROGRAMS = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class DeliveredFile:
    """One file: where it lies, its name within the delivery, the digest of its bytes and how many there are."""

    path: Path
    name: str
    sha256: str
    n_bytes: int

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, with its dot."""
        return self.path.suffix.lower()


def delivered_files(folder: Path) -> list[DeliveredFile]:
    """Return the files of a delivery in the order of their names; what programs leave behind is passed over.

    Raises
    ------
    BscError
        BSC-WAV-001 if the folder is not there or holds no file.
    """
    folder = Path(folder)
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not _left_behind(path.relative_to(folder)))
    if not found:
        raise BscError(
            "BSC-WAV-001",
            "The delivery holds no file." if folder.is_dir() else "The folder of the delivery does not exist.",
            str(folder),
            "There is nothing to add.",
            "Put the new files as received into one folder and name it with --from.",
        )
    return [DeliveredFile(path, path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size) for path in found]


def _left_behind(relative: Path) -> bool:
    return any(part.startswith((".", "~$", "__MACOSX")) for part in relative.parts) or relative.name.lower() in _LEFT_BY_PROGRAMS
