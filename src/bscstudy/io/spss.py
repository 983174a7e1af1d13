"""SPSS files (.sav, .zsav) with their value labels and user-missing codes kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import RawTable, cell_text, read_bytes


def read(path: Path, options: dict) -> RawTable:
    """Read an SPSS file; user-missing codes stay in the cells, so that each can be given its reason.

    Parameters
    ----------
    path : Path
        A ``.sav`` or ``.zsav`` file.
    options : dict
        ``encoding`` where the file declares a wrong one.

    Returns
    -------
    RawTable
        Numbers as float, text as str, dates as date objects; ``rows`` are case numbers from 1.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -003 no case, -006 not readable or cut off, -007 encrypted.
    """
    content = read_bytes(path)
    _check_start(path, content[:64])
    import pyreadstat

    try:
        frame, meta = pyreadstat.read_sav(str(path), user_missing=True, encoding=options.get("encoding"))
    except (pyreadstat.ReadstatError, UnicodeDecodeError):
        raise _unreadable(path, "It ends too early, or is not in the format its first bytes announce.") from None
    announced = _announced_cases(content)
    if announced > len(frame):
        raise _unreadable(path, f"It announces {announced} cases and holds {len(frame)}.")
    if not len(frame):
        raise BscError(
            "BSC-SRC-003",
            "The file holds no case.",
            str(path),
            "A source without records would make its measures vanish without a word.",
            "Check the export; if there really is no record, remove the source from config/sources.yaml.",
        )
    return RawTable(
        frame=_with_plain_dates(frame),
        rows=np.arange(1, len(frame) + 1),
        labels={name: label for name, label in meta.column_names_to_labels.items() if label},
        levels={name: {cell_text(c): str(v) for c, v in labels.items()} for name, labels in meta.variable_value_labels.items()},
        user_missing={name: [(r["lo"], r["hi"]) for r in ranges] for name, ranges in meta.missing_ranges.items()},
        encoding=meta.file_encoding or "",
        provenance={"user_missing_columns": len(meta.missing_ranges), "multiple_response_sets": len(meta.mr_sets or {})},
    )


def _check_start(path: Path, start: bytes) -> None:
    if b"ENCRYPTEDSAV" in start:
        raise BscError(
            "BSC-SRC-007",
            "The SPSS file is encrypted.",
            str(path),
            "It cannot be read without its password, and a password does not belong into a pipeline.",
            "Open it in SPSS with the password and save an unencrypted copy into data/raw.",
        )
    if not start.startswith((b"$FL2", b"$FL3")):
        raise _unreadable(path, "Its first bytes are not those of a .sav or .zsav file.")


def _announced_cases(content: bytes) -> int:
    """Return the number of cases of the file's header (-1 unknown); the layout code at byte 64 tells the byte order."""
    order = "little" if int.from_bytes(content[64:68], "little") in (2, 3) else "big"
    return int.from_bytes(content[80:84], order, signed=True)


def _unreadable(path: Path, detail: str) -> BscError:
    return BscError(
        "BSC-SRC-006",
        f"The SPSS file cannot be read. {detail}",
        str(path),
        "Cases or answers would be lost.",
        "Copy the file again from its origin and compare the sizes; an interrupted transfer is the usual cause.",
    )


def _with_plain_dates(frame: pd.DataFrame) -> pd.DataFrame:
    moments = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    return frame.assign(**{name: frame[name].astype(object) for name in moments})
