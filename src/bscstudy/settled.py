"""Settled tables: copies that keep their date while their content stays, so that what reads them is not made again for nothing.

A job that is made again gives its tables a new date, and Snakemake would make everything behind them again. A checkpoint of the
workflow copies what is read further on into ``data/derived/settled`` and touches only the copies that differ (docs/adr/0019).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pandas as pd

from bscstudy.tables import read_json, sidecar_path, write_json, write_table

SETTLED = "data/derived/settled"


def settle_table(frame: pd.DataFrame, path: Path, **described: object) -> list[Path]:
    """Write a table with its sidecar where either differs from what is there; return both paths.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        Its place, ending in ``.csv``.
    **described
        As for `bscstudy.tables.write_table`.
    """
    path = Path(path)
    fresh = path.with_name(f".fresh_{path.name}")
    write_table(frame, fresh, **{"name": path.stem, **described})
    pairs = [(fresh, path), (sidecar_path(fresh), sidecar_path(path))]
    for new, known in pairs:
        _replace_if_other(new, known)
    return [known for _, known in pairs]


def settle_json(content: object, path: Path) -> list[Path]:
    """Write a JSON file where it differs from what is there; return its path in a list."""
    path = Path(path)
    fresh = path.with_name(f".fresh_{path.name}")
    write_json(fresh, content)
    _replace_if_other(fresh, path)
    return [path]


def write_index(index: Path, settled: list[Path]) -> None:
    """List the settled files with their digests, and remove what stands beside the index and is not listed."""
    folder = Path(index).parent
    listed = {path.relative_to(folder).as_posix(): _digest(path) for path in settled}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path != Path(index) and path.relative_to(folder).as_posix() not in listed:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    write_json(index, listed)


def forget_unsettled(folder: Path) -> None:
    """Remove each index one of whose files is missing or was changed by hand, so that the next run settles them again."""
    for index in sorted(Path(folder).glob("*/index.json")):
        files = {index.parent / name: digest for name, digest in read_json(index).items()}
        if any(not path.is_file() or _digest(path) != digest for path, digest in files.items()):
            index.unlink()


def _replace_if_other(fresh: Path, known: Path) -> None:
    if known.is_file() and known.read_bytes() == fresh.read_bytes():
        fresh.unlink()
    else:
        os.replace(fresh, known)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
