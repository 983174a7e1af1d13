"""REDCap exports: raw records with the project's data dictionary."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.raw import RawTable, places

_DICTIONARY_COLUMNS = {
    "field": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "kind": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
}
_OWN = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group", "redcap_survey_identifier")
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_CHECKED = {"0": "Unchecked", "1": "Checked"}
_COMPLETE = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}


def read(path: Path, options: dict) -> RawTable:
    """Read a raw REDCap export (codes, not labels) with its data dictionary.

    Parameters
    ----------
    path : Path
        The CSV file of records.
    options : dict
        ``dictionary`` (path of the data dictionary, required), ``encoding``, ``delimiter``.

    Returns
    -------
    RawTable
        As a delimited file; labels and levels from the dictionary, checkboxes one column for each choice.

    Raises
    ------
    BscError
        BSC-SRC-008 no dictionary named, -016 not a dictionary, -017 it does not cover a column; those of a delimited file.
    """
    if not options.get("dictionary"):
        raise _error(
            "BSC-SRC-008", "The source names no data dictionary.", [str(path)], "Name it as options.dictionary in config/sources.yaml."
        )
    table = delimited.read(path, options)
    fields = read_dictionary(Path(options["dictionary"]))
    labels, levels = _described(fields)
    forms = {field["form"] for field in fields.values()}
    own = {*_OWN, *(f"{form}_{ending}" for form in forms for ending in ("timestamp", "complete"))}
    unknown = [name for name in table.frame.columns if name not in labels and name not in own]
    if unknown:
        raise _error(
            "BSC-SRC-017",
            f"The data dictionary does not cover {len(unknown)} column(s) of the records.",
            [f"{path}, column '{name}'" for name in unknown],
            "Export records (raw data) and data dictionary on the same day, without renaming columns.",
        )
    present = set(table.frame.columns)
    return replace(
        table,
        labels={name: label for name, label in labels.items() if name in present},
        levels={name: codes for name, codes in levels.items() if name in present},
        own_columns=tuple(sorted(own & present)),
    )


def read_dictionary(path: Path) -> dict[str, dict[str, str]]:
    """Return a data dictionary, field -> {form, kind, label, choices}; both header styles of REDCap are known (BSC-SRC-016)."""
    table = delimited.read(path, {})
    found = {key: next((n for n in names if n in table.frame.columns), None) for key, names in _DICTIONARY_COLUMNS.items()}
    absent = [names[0] for key, names in _DICTIONARY_COLUMNS.items() if found[key] is None]
    if absent:
        raise _error(
            "BSC-SRC-016",
            "This is not a REDCap data dictionary.",
            [f"{path}, no column '{n}'" for n in absent],
            "Export it from REDCap again.",
        )
    rows = table.frame[list(found.values())].set_axis(list(found), axis=1).to_dict("records")
    return {row["field"].strip(): row for row in rows}


def parse_choices(text: str) -> dict[str, str]:
    """Return the codes and labels of a field's choices (``1, one | 2, two``)."""
    pairs = [part.split(",", 1) for part in text.split("|") if part.strip()]
    return {pair[0].strip(): re.sub(r"<[^>]*>", "", pair[-1]).strip() for pair in pairs}


def _described(fields: dict) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    labels, levels = {}, {}
    for name, field in fields.items():
        choices = parse_choices(field["choices"]) if field["kind"] in ("radio", "dropdown", "checkbox") else _FIXED.get(field["kind"], {})
        if field["kind"] != "checkbox":
            labels[name] = field["label"]
            if choices:
                levels[name] = choices
            continue
        for code, label in choices.items():
            column = f"{name}___{code.lower().replace('-', '_')}"
            labels[column], levels[column] = f"{field['label']} ({label})", _CHECKED
    for form in {field["form"] for field in fields.values()}:
        labels[f"{form}_complete"], levels[f"{form}_complete"] = f"Form {form} complete", _COMPLETE
    return labels, levels


def _error(code: str, what: str, where: list[str], todo: str) -> BscError:
    why = "Without it nobody can say what a column or a code stands for."
    return BscError(code, what, places(where), why, todo)
