"""The kinds of raw file: one module and one line here for each. A module is imported when a file of its kind is read."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from bscstudy.io.inventory import companions_of, is_further_file

if TYPE_CHECKING:
    from bscstudy.io.raw import RawTable

#: reader of config/sources.yaml -> module of bscstudy.io with a function ``read(path, options)``
READERS = {
    "csv": "delimited",
    "spss": "statistical",
    "stata": "statistical",
    "sas": "statistical",
    "redcap": "redcap",
    "qualtrics": "qualtrics",
    "excel": "excel",
    "refi": "refi",
    "code_table": "code_table",
    "dedoose": "coding_dedoose",
    "maxqda": "coding_maxqda",
    "atlasti": "coding_atlasti",
    "nvivo": "coding_nvivo",
    "taguette": "coding_taguette",
    "qualcoder": "coding_qualcoder",
}
#: module that brings several coders' files of one source together
MERGING = "coding_merge"


def read_source(files: list[Path], source: dict) -> RawTable:
    """Read one source's file with its reader.

    Parameters
    ----------
    files : list of Path
        The source's file, then those that its options name, in the order of `bscstudy.io.inventory.files_of`.
    source : dict
        The source's entry in config/sources.yaml.
    """
    options = dict(source.get("options") or {})
    options |= dict(zip(companions_of(source), files[1:], strict=False))
    module = importlib.import_module(f"bscstudy.io.{READERS[source['reader']]}")
    more = [options.pop(name) for name in list(options) if is_further_file(name)]
    if not more:
        return module.read(Path(files[0]), options)
    merging = importlib.import_module(f"bscstudy.io.{MERGING}")
    return merging.read_merged(module, [Path(files[0]), *map(Path, more)], options)
