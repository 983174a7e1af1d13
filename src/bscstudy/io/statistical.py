"""Files of SPSS (.sav, .zsav, .por), Stata (.dta) and SAS (.sas7bdat, .xpt), with labels and every declared kind of missing kept."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, RawTable, cell_text, read_bytes
from bscstudy.io.statistical_dates import convert
from bscstudy.io.statistical_file import KINDS, kind_of, parse, unreadable


def read(path: Path, options: dict) -> RawTable:
    """Read a statistical program's file; the first bytes say of which, whatever the name of the file is.

    Parameters
    ----------
    path : Path
        A ``.sav``, ``.zsav``, ``.por``, ``.dta``, ``.sas7bdat`` or ``.xpt`` file.
    options : dict
        ``encoding`` where the file declares none or a wrong one; ``dictionary`` the format catalog (``.sas7bcat``) of a SAS file.

    Returns
    -------
    RawTable
        Numbers as float or int, text as str, dates as date, datetime or time objects; ``rows`` are case numbers from 1. User-missing
        codes stay in the cells, tagged missing values are ``.a`` to ``.z`` (Stata), ``.A`` to ``.Z`` and ``._`` (SAS), so that
        each can be given its reason. A date that no calendar holds is `statistical_dates.NO_DATE`, which ingest reports as an invalid
        date. ``provenance`` has the multiple-response sets; ``notices`` say what was read otherwise than the file says.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -003 no case, -005 two columns of one name, -006 cut off or damaged, -007 encrypted,
        -040 and -041 encoding, -042 more records than announced, -043 several data sets, -044 format catalog; BSC-CFG-006 an
        encoding that nobody knows.
    """
    content = read_bytes(path)
    kind = _kind(path, content)
    program = KINDS[kind][0]
    frame, meta, encoding, notices = parse(Path(path), content, kind, options.get("encoding"))
    frame, tags = _with_tags(frame, meta)
    ranges = {name: [(r["lo"], r["hi"]) for r in found] for name, found in meta.missing_ranges.items()}
    frame, no_dates = _with_dates(frame, program, meta, ranges)
    levels = _levels(meta, _catalog(options.get("dictionary"), options.get("encoding")) if program == "sas" else {})
    for name in (name for name in levels if meta.readstat_variable_types[name] != "string"):
        tags.setdefault(name, set()).update(code for code in levels[name] if re.fullmatch(r"\.[A-Za-z_]", code))
    for name, found in tags.items():
        ranges.setdefault(name, []).extend((tag, tag) for tag in sorted(found))
    ranges = {name: found for name, found in ranges.items() if found}
    notices += no_dates + (_labels_absent(meta, levels) if program == "stata" else ())
    sets = {name: _response_set(found) for name, found in sorted((meta.mr_sets or {}).items())}
    return RawTable(
        frame=frame,
        rows=np.arange(1, len(frame) + 1),
        labels={name: label for name, label in meta.column_names_to_labels.items() if label},
        levels=levels,
        user_missing=ranges,
        encoding=encoding,
        provenance={"user_missing_columns": len(ranges), "multiple_response_sets": sets},
        notices=notices,
    )


def _kind(path: Path, content: bytes) -> str:
    if b"ENCRYPTEDSAV" in content[:64]:
        raise BscError(
            "BSC-SRC-007",
            "The SPSS file is encrypted.",
            str(path),
            "It cannot be read without its password, and a password does not belong into a pipeline.",
            "Open it in SPSS with the password and save an unencrypted copy into data/raw.",
        )
    kind = kind_of(content)
    if not kind:
        raise unreadable(path, "Its first bytes are not those of an SPSS, Stata or SAS file.")
    return kind


def _with_tags(frame: pd.DataFrame, meta: object) -> tuple[pd.DataFrame, dict[str, set[str]]]:
    """Spell tagged missing values as their programs do: a letter in a column of numbers is ``.`` and the letter."""
    tags = {}
    changed = {}
    for name, letters in meta.missing_user_values.items():
        cells = frame[name].to_numpy(dtype=object)
        changed[name] = [f".{cell}" if isinstance(cell, str) else cell for cell in cells]
        tags[name] = {f".{letter}" for letter in letters}
    return frame.assign(**{name: pd.Series(cells, index=frame.index, dtype=object) for name, cells in changed.items()}), tags


def _with_dates(frame: pd.DataFrame, program: str, meta: object, ranges: dict) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    dates, lost = {}, []
    for name, form in meta.original_variable_types.items():
        if meta.readstat_variable_types[name] == "string" or not (found := convert(frame[name], program, form, ranges.get(name, []))):
            continue
        dates[name], n_lost = found
        lost += [Notice("file_notice", "a date before year 1 or after year 9999, taken for no date", name, n=n_lost)] if n_lost else []
    return frame.assign(**dates), tuple(lost)


def _labels_absent(meta: object, levels: dict) -> tuple[Notice, ...]:
    said = "the column names a table of value labels that the file does not hold"
    return tuple(Notice("file_notice", said, name, unit="columns") for name in sorted(meta.variable_to_label) if name not in levels)


def _levels(meta: object, catalog: dict[str, dict]) -> dict[str, dict[str, str]]:
    levels = {}
    for name, form in meta.original_variable_types.items():
        found = meta.variable_value_labels.get(name) or catalog.get(_format_name(form), {})
        text = meta.readstat_variable_types[name] == "string"
        if found:
            levels[name] = {_code(code, text): str(label) for code, label in found.items()}
    return levels


def _code(code: object, text: bool) -> str:
    return f".{code}" if isinstance(code, str) and not text else cell_text(code)


def _format_name(form: str | None) -> str:
    return re.sub(r"\d*(\.\d*)?$", "", form or "").upper()


def _catalog(path: str | Path | None, encoding: str | None) -> dict[str, dict]:
    """Return the value labels of a SAS format catalog, format -> {code: label}; without a catalog none."""
    if not path:
        return {}
    content = read_bytes(Path(path))
    import pyreadstat

    try:
        found = pyreadstat.read_sas7bcat(io.BytesIO(content), encoding=encoding)[1].value_labels
    except Exception:  # a damaged catalog fails in many ways, all of them the same to the reader
        found = {}
    if not found:
        raise BscError(
            "BSC-SRC-044",
            "The format catalog of a SAS file cannot be read, or holds no labels.",
            str(path),
            "Nobody could say what its codes stand for.",
            "Name the catalog (.sas7bcat) as options.dictionary in config/sources.yaml, or leave the option out.",
        )
    return {name.upper(): labels for name, labels in found.items()}


def _response_set(found: dict) -> dict:
    """Return one multiple-response set: its columns, and for a set of yes/no columns the code that means yes."""
    return {
        "label": found["label"],
        "kind": "dichotomies" if found["is_dichotomy"] else "categories",
        "counted_value": found["counted_value"],
        "columns": list(found["variable_list"]),
    }
