"""A REDCap data dictionary: fields with their forms, kinds, choices, validation and branching logic."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.raw import places

_REQUIRED = {
    "name": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "kind": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
}
_OPTIONAL = {
    "validation": ("Text Validation Type OR Show Slider Number", "text_validation_type_or_show_slider_number"),
    "low": ("Text Validation Min", "text_validation_min"),
    "high": ("Text Validation Max", "text_validation_max"),
    "branching": ("Branching Logic (Show field only if...)", "branching_logic"),
    "annotation": ("Field Annotation", "field_annotation"),
}
CHOSEN = ("radio", "dropdown", "checkbox")
_KINDS = {*CHOSEN, "text", "notes", "calc", "yesno", "truefalse", "slider", "file", "descriptive", "sql", "signature"}
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
CHECKED = {"0": "Unchecked", "1": "Checked"}
COMPLETE = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
_NUMBERS = re.compile(r"integer|number.*|float")


@dataclass(frozen=True)
class Field:
    """One field: its form, kind, label, choices (code -> label), validation with limits, branching logic and annotation."""

    name: str
    form: str
    kind: str
    label: str
    choices: dict[str, str]
    validation: str = ""
    low: str = ""
    high: str = ""
    branching: str = ""
    annotation: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """Column of the records -> code; a checkbox has one column for each choice, another field one with a blank code."""
        return {checkbox_column(self.name, code): code for code in self.choices} if self.kind == "checkbox" else {self.name: ""}

    @property
    def is_number(self) -> bool:
        """Whether the form itself takes only numbers."""
        return self.kind in ("calc", "slider") or bool(_NUMBERS.fullmatch(self.validation))


@dataclass(frozen=True)
class Dictionary:
    """All fields in order; the first one names the record. `has_branching`: the file has a column for branching logic."""

    fields: dict[str, Field]
    has_branching: bool

    @property
    def record_id(self) -> str:
        """The field that names the record."""
        return next(iter(self.fields))

    @property
    def forms(self) -> dict[str, list[str]]:
        """Form -> columns of its fields in the records, without the one that names the record."""
        forms: dict[str, list[str]] = {}
        for field in self.fields.values():
            columns = forms.setdefault(field.form, [])
            columns += [column for column in field.columns if column != self.record_id]
        return forms

    def described(self) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Return the labels and the levels of every column that the records can have."""
        labels, levels = {}, {}
        for field in self.fields.values():
            for column, code in field.columns.items():
                labels[column] = f"{field.label} ({field.choices[code]})" if code else field.label
                choices = CHECKED if code else field.choices
                levels |= {column: choices} if choices else {}
        for form in self.forms:
            labels[f"{form}_complete"], levels[f"{form}_complete"] = f"Form {form} complete", COMPLETE
        return labels, levels


def read_dictionary(path: Path) -> Dictionary:
    """Read a data dictionary; both header styles of REDCap are known.

    Raises
    ------
    BscError
        BSC-SRC-016 not a dictionary: a column is missing, a field has no name or form, or a kind that REDCap does not have; -070
        a field or a choice twice; those of a delimited file.
    """
    table = delimited.read(path, {})
    known = {key: next((n for n in names if n in table.frame.columns), None) for key, names in {**_REQUIRED, **_OPTIONAL}.items()}
    absent = [f"{path}, no column '{names[0]}'" for key, names in _REQUIRED.items() if known[key] is None]
    if absent:
        raise _not_a_dictionary(absent)
    present = {key: column for key, column in known.items() if column}
    rows = table.frame[list(present.values())].set_axis(list(present), axis=1).to_dict("records")
    rows = [{key: cell.strip() for key, cell in row.items()} for row in rows]
    odd = [
        f"{path}, line {line}"
        for row, line in zip(rows, table.rows, strict=True)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", row["name"]) or not row["form"] or row["kind"] not in _KINDS
    ]
    if odd:
        raise _not_a_dictionary(odd)
    _check_once(path, [row["name"] for row in rows], rows)
    fields = {row["name"]: Field(**{**row, "choices": _choices(row["kind"], row["choices"])}) for row in rows}
    return Dictionary(fields, "branching" in present)


def checkbox_column(field: str, code: str) -> str:
    """Return the column of one box of a checkbox field."""
    return f"{field}___{code.lower().replace('-', '_')}"


def parse_choices(text: str) -> dict[str, str]:
    """Return the codes and labels of a field's choices (``1, one | 2, two``)."""
    return {code: re.sub(r"<[^>]*>", "", label).strip() for code, label in _pairs(text)}


def _choices(kind: str, text: str) -> dict[str, str]:
    return parse_choices(text) if kind in CHOSEN else _FIXED.get(kind, {})


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = [part.split(",", 1) for part in text.split("|") if part.strip()]
    return [(part[0].strip(), part[-1]) for part in parts]


def _check_once(path: Path, names: list[str], rows: list[dict]) -> None:
    found = [f"{path}, field '{name}'" for name, n in Counter(names).items() if n > 1]
    for row in rows:
        codes = Counter(code for code, _ in _pairs(row["choices"])) if row["kind"] in CHOSEN else {}
        found += [f"{path}, field '{row['name']}': a choice" for n in codes.values() if n > 1]
    if found:
        raise BscError(
            "BSC-SRC-070",
            f"The data dictionary describes {len(found)} field(s) or choice(s) twice.",
            places(found),
            "It cannot be known which description holds.",
            "Export the data dictionary from REDCap again.",
        )


def _not_a_dictionary(where: list[str]) -> BscError:
    return BscError(
        "BSC-SRC-016",
        "This is not a REDCap data dictionary.",
        places(where),
        "Without it nobody can say what a column or a code stands for.",
        "Export it from REDCap again.",
    )
