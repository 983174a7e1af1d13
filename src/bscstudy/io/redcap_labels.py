"""An export with labels instead of codes, brought back to codes by the data dictionary, or refused."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import RawTable, places
from bscstudy.io.redcap_dictionary import Dictionary
from bscstudy.io.redcap_events import Events
from bscstudy.io.redcap_records import EVENT, FORM


def with_codes(path: Path, table: RawTable, dictionary: Dictionary, events: Events | None) -> tuple[pd.DataFrame, int]:
    """Return the cells with every label replaced by its code, and the number of columns that held labels.

    An export holds either codes or labels. Which of them is seen from cells that can only be one of the two; a cell that
    is neither stays as it is, for the checks.

    Raises
    ------
    BscError
        BSC-SRC-063 where cells of both kinds occur, or a label stands for two codes.
    """
    frame, levels = table.frame, dictionary.described()[1]
    coded = {name: levels[name] for name in frame.columns if name in levels}
    counts = {name: Counter(_plain(cell) for cell in frame[name]) for name in coded}
    only_code = {name: _only(counts[name], set(coded[name]), _labels(coded[name])) for name in coded}
    only_label = {name: _only(counts[name], _labels(coded[name]), set(coded[name])) for name in coded}
    if not any(only_label.values()):
        return frame, 0
    if any(only_code.values()):
        fewer = min(only_code, only_label, key=lambda found: sum(n for cells in found.values() for n in cells.values()))
        raise _error("The export mixes codes and labels.", _cells_at(path, table, fewer))
    doubled = [name for name in coded if _doubled(coded[name]) & set(only_label[name])]
    if doubled:
        raise _error("A label stands for more than one code of its field.", [f"{path}, column '{name}'" for name in doubled])
    codes = {name: {_plain(label): code for code, label in coded[name].items()} for name in coded}
    codes |= _place_codes(frame, dictionary, events)
    mapped = {name: [known.get(_plain(cell), cell) for cell in frame[name]] for name, known in codes.items()}
    return frame.assign(**{name: pd.Series(cells, index=frame.index, dtype=frame[name].dtype) for name, cells in mapped.items()}), len(
        coded
    )


def refuse_label_headings(path: Path, table: RawTable, dictionary: Dictionary) -> None:
    """Refuse an export whose column names are the labels of the fields (BSC-SRC-063)."""
    labels = {_plain(label) for label in dictionary.described()[0].values()} - set(dictionary.fields)
    strange = [name for name in table.frame.columns if name not in dictionary.fields]
    if sum(_plain(name) in labels for name in strange) > len(table.frame.columns) / 2:
        raise _error("The export has labels as column names.", [f"{path}, line 1"])


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", text).split())


def _labels(choices: dict[str, str]) -> set[str]:
    return {_plain(label) for label in choices.values()}


def _only(counts: Counter, these: set[str], others: set[str]) -> dict[str, int]:
    return {cell: n for cell, n in counts.items() if cell and cell in these and cell not in others}


def _doubled(choices: dict[str, str]) -> set[str]:
    return {label for label, n in Counter(_plain(label) for label in choices.values()).items() if n > 1}


def _place_codes(frame: pd.DataFrame, dictionary: Dictionary, events: Events | None) -> dict[str, dict[str, str]]:
    codes = {}
    if FORM in frame.columns:
        codes[FORM] = {_form_title(form): form for form in dictionary.forms}
        codes[FORM] |= {cell: form for cell in set(frame[FORM]) for form in dictionary.forms if _as_name(cell) == form}
    if EVENT in frame.columns and events:
        codes[EVENT] = {_plain(label): event for event, label in events.labels.items()}
    return codes


def _form_title(form: str) -> str:
    return form.replace("_", " ").title()


def _as_name(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def _cells_at(path: Path, table: RawTable, found: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{path}, line {line}, column '{name}'"
        for name, cells in found.items()
        for line, cell in zip(table.rows, table.frame[name], strict=True)
        if _plain(cell) in cells
    ]


def _error(what: str, where: list[str]) -> BscError:
    return BscError(
        "BSC-SRC-063",
        what,
        places(where),
        "A label may stand for several codes, and a field for several labels.",
        "Export from REDCap again as CSV / Microsoft Excel (raw data).",
    )
