"""The events and arms of a longitudinal REDCap project, and which forms are asked at which event."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.raw import places


@dataclass(frozen=True)
class Events:
    """Events of a project: unique name -> label as an export with labels writes it; unique name -> forms asked (empty: not known)."""

    labels: dict[str, str]
    forms: dict[str, set[str]] = field(default_factory=dict)


def read_events(events: Path | None, arms: Path | None, form_events: Path | None) -> Events | None:
    """Read the files of events, arms and forms that REDCap exports from a longitudinal project.

    Parameters
    ----------
    events : Path or None
        Columns ``event_name, arm_num, unique_event_name``; None where the source names none.
    arms : Path or None
        Columns ``arm_num, name``.
    form_events : Path or None
        Columns ``unique_event_name, form`` (which form is asked at which event).

    Returns
    -------
    Events or None
        None where neither events nor forms are given.

    Raises
    ------
    BscError
        BSC-SRC-065 a column is missing, an event is given twice, or one file names an arm or event that the other lacks.
    """
    if not events and not form_events:
        return None
    names = _rows(arms, ("arm_num", "name")) if arms else []
    known = {row["arm_num"]: row["name"] for row in names}
    listed = _rows(events, ("event_name", "arm_num", "unique_event_name")) if events else []
    asked = _rows(form_events, ("unique_event_name", "form")) if form_events else []
    labels = {row["unique_event_name"]: _label(row, known, {r["arm_num"] for r in listed}) for row in listed}
    faults = [f"{events}, line {row['line']}: an arm that {arms} does not list" for row in listed if arms and row["arm_num"] not in known]
    faults += [f"{events}: an event twice"] if len(labels) < len(listed) else []
    if events:
        faults += [
            f"{form_events}, line {row['line']}: an event that {events} does not list"
            for row in asked
            if row["unique_event_name"] not in labels
        ]
    if faults:
        raise _error("The files of events, arms and forms do not fit together.", faults)
    forms: dict[str, set[str]] = {event: set() for event in labels} if asked else {}
    for row in asked:
        forms.setdefault(row["unique_event_name"], set()).add(row["form"])
    return Events(labels or {event: event for event in forms}, forms)


def _label(row: dict, arms: dict[str, str], numbers: set[str]) -> str:
    """Return an event's label: with more than one arm REDCap adds the arm."""
    if len(numbers) < 2:
        return row["event_name"]
    return f"{row['event_name']} (Arm {row['arm_num']}: {arms.get(row['arm_num'], row['arm_num'])})"


def _rows(path: Path, wanted: tuple[str, ...]) -> list[dict]:
    table = delimited.read(path, {})
    absent = [f"{path}, no column '{name}'" for name in wanted if name not in table.frame.columns]
    if absent:
        raise _error("A file of events, arms or forms lacks a column.", absent)
    rows = table.frame[list(wanted)].to_dict("records")
    found = [{"line": int(line), **{key: cell.strip() for key, cell in row.items()}} for row, line in zip(rows, table.rows, strict=True)]
    blank = [f"{path}, line {row['line']}" for row in found if not all(row[name] for name in wanted)]
    if blank:
        raise _error("A file of events, arms or forms has a blank cell.", blank)
    return found


def _error(what: str, where: list[str]) -> BscError:
    return BscError(
        "BSC-SRC-065",
        what,
        places(where),
        "It would not be known which form is asked when.",
        "Export these files again from the project's setup (Define My Events, Designate Instruments) on the day of the records.",
    )
