"""Where a row of a REDCap export stands (record, event, form, instance) and which forms it can have answers to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, RawTable, places, repeated_record
from bscstudy.io.redcap_dictionary import Dictionary
from bscstudy.io.redcap_events import Events

EVENT, FORM, INSTANCE, GROUP = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"
OWN = (EVENT, FORM, INSTANCE, GROUP, "redcap_survey_identifier")
_ARM = re.compile(r".*_arm_(\d+)[a-z]?")


@dataclass(frozen=True)
class Rows:
    """Record, event, repeating form and instance of each row as text, blank where the project has none."""

    record: np.ndarray
    event: np.ndarray
    form: np.ndarray
    instance: np.ndarray

    @property
    def base(self) -> dict[tuple[str, str], int]:
        """Record and event -> place of the row that holds the forms which do not repeat."""
        found = [(str(r), str(e)) for r, e in zip(self.record, self.event, strict=True)]
        return {key: place for place, key in reversed(list(enumerate(found))) if not self.form[place]}


def rows_of(path: Path, table: RawTable, dictionary: Dictionary, events: Events | None) -> Rows:
    """Return where each row stands.

    Raises
    ------
    BscError
        BSC-SRC-062 two rows with one record, event, form and instance; -064 an event, form or instance that the project does
        not have, or no record.
    """
    frame = table.frame
    taken = [_texts(frame, name) for name in (dictionary.record_id, EVENT, FORM, INSTANCE)]
    rows = Rows(*taken)
    known = set(events.labels) if events else None
    faults = []
    for line, record, event, form, instance in zip(table.rows, *taken, strict=True):
        wrong = [
            (dictionary.record_id, not record),
            (EVENT, EVENT in frame.columns and (not event or (known is not None and event not in known))),
            (FORM, bool(form) and form not in dictionary.forms),
            (INSTANCE, bool(form or instance) and not instance.isdigit()),
        ]
        faults += [f"{path}, line {line}, column '{column}'" for column, odd in wrong if odd]
    if faults:
        raise BscError(
            "BSC-SRC-064",
            f"{len(faults)} cell(s) name a record, event, form or instance that the project does not have.",
            places(faults),
            "Answers would be put to the wrong visit or form, or to nobody.",
            "Export records, data dictionary and events on the same day, as raw data, and do not edit them.",
        )
    counts = Counter(zip(*taken, strict=True))
    again = [f"line {line}" for line, key in zip(table.rows, zip(*taken, strict=True), strict=True) if counts[key] > 1]
    if again:
        raise repeated_record(path, again)
    return rows


def group_notices(table: RawTable, rows: Rows) -> list[Notice]:
    """Return what is odd about data access groups: rows without one although others have one, records in several."""
    if GROUP not in table.frame.columns:
        return []
    groups = _texts(table.frame, GROUP)
    named = groups != ""
    found = []
    if named.any() and not named.all():
        lines = tuple(int(line) for line in table.rows[~named])
        found.append(Notice("file_notice", "no data access group although other records have one", GROUP, lines, unit="rows"))
    held = pd.DataFrame({"record": rows.record[named], "group": groups[named]}).drop_duplicates()
    several = held["record"].value_counts()
    several = set(several[several > 1].index)
    lines = tuple(int(line) for line, record in zip(table.rows, rows.record, strict=True) if record in several)
    return found + ([Notice("file_notice", "a record in more than one data access group", GROUP, lines, unit="rows")] if lines else [])


def forms_not_asked(table: RawTable, rows: Rows, dictionary: Dictionary, events: Events | None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return form -> where the project does not ask it, and the forms of which this was inferred for some event.

    A row of a repeating form has no other form; the other rows of its event do not have that form. A form is asked at the
    events that the file of forms and events names; without one, not at an event at which no record has anything of it.
    """
    absent, inferred = {}, []
    repeats = {(event, form) for event, form in zip(rows.event, rows.form, strict=True) if form}
    keys = list(zip(rows.event, rows.form, strict=True))
    for form, columns in dictionary.forms.items():
        hidden = np.array([own != form if own else (event, form) in repeats for event, own in keys])
        if events and events.forms:
            hidden |= np.array([form not in events.forms.get(event, ()) for event in rows.event])
        elif {EVENT, FORM} & set(table.frame.columns):
            held = set(rows.event[form_content(table.frame, form, columns, dictionary)])
            never = np.array([event not in held for event in rows.event])
            inferred += [form] if (never & ~hidden).any() else []
            hidden |= never
        absent[form] = hidden
    return absent, inferred


def form_content(frame: pd.DataFrame, form: str, columns: list[str], dictionary: Dictionary, *, status: bool = True) -> np.ndarray:
    """Return the rows in which a form has content: a filled field or a ticked box (`status`: or any status at all).

    Calculated fields do not count. Without `status`, one above Incomplete or a time of submission counts still.
    """
    found = np.zeros(len(frame), dtype=bool)
    boxes = {column for field in dictionary.fields.values() if field.kind == "checkbox" for column in field.columns}
    computed = {field.name for field in dictionary.fields.values() if field.kind == "calc"}
    for column in [c for c in columns if c in frame.columns and c not in computed]:
        cells = _texts(frame, column)
        found |= (cells != "") & (cells != "0") if column in boxes else cells != ""
    for column in (f"{form}_complete", f"{form}_timestamp"):
        if column in frame.columns:
            cells = _texts(frame, column)
            found |= (cells != "") & (status | (cells != "0"))
    return found


def arms_of(rows: Rows) -> set[str]:
    """Return the arms that the names of the events show."""
    return {match[1] for event in set(rows.event) if (match := _ARM.fullmatch(event))}


def _texts(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    return np.array([cell.strip() for cell in frame[column]], dtype=object)
