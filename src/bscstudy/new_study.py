"""A starting folder for a study of one's own: a commented configuration with a tiny invented example that runs as it is."""

from __future__ import annotations

from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.tables import write_bytes

TEMPLATE = Path(__file__).resolve().parent / "template"


def write_new_study(folder: Path) -> list[Path]:
    """Write the starting folder.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    BscError
        BSC-CFG-004 if there is something in the folder already.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BscError(
            "BSC-CFG-004",
            "The folder for the new study is not empty.",
            str(folder),
            "Files that are there already could be overwritten.",
            "Name a folder that does not exist yet.",
        )
    sources = sorted(path for path in TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    targets = [folder / source.relative_to(TEMPLATE) for source in sources]
    for source, target in zip(sources, targets, strict=True):
        write_bytes(target, source.read_bytes())
    return targets
