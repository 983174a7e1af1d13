"""The kinds of raw file: one module and one line here for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bscstudy.io import code_table, delimited, excel, qualtrics, redcap, refi, spss
from bscstudy.io.raw import RawTable

READERS: dict[str, Callable[[Path, dict], RawTable]] = {
    "csv": delimited.read,
    "spss": spss.read,
    "redcap": redcap.read,
    "qualtrics": qualtrics.read,
    "excel": excel.read,
    "refi": refi.read,
    "code_table": code_table.read,
}


def read_source(files: list[Path], source: dict) -> RawTable:
    """Read one source's file with its reader.

    Parameters
    ----------
    files : list of Path
        The source's file, then its data dictionary if it has one.
    source : dict
        The source's entry in config/sources.yaml.
    """
    options = dict(source.get("options") or {})
    if len(files) > 1:
        options["dictionary"] = files[1]
    return READERS[source["reader"]](Path(files[0]), options)
