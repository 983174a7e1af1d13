"""Which fields a REDCap form showed at which row: by its branching logic, its hidden fields and the forms asked there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bscstudy.io.raw import Notice, RawTable
from bscstudy.io.redcap_branching import EVENT_NAME, Logic, NotEvaluated, Reference, judge, parse_logic, references_of
from bscstudy.io.redcap_dictionary import Dictionary, Field, checkbox_column
from bscstudy.io.redcap_records import Rows

_HIDDEN = "@HIDDEN"


@dataclass(frozen=True)
class Project:
    """What a field is judged by: codes, where each row stands, the dictionary, and form -> rows at which it is not asked."""

    table: RawTable
    rows: Rows
    dictionary: Dictionary
    absent: dict[str, np.ndarray]

    @property
    def numbers(self) -> frozenset[str]:
        """Fields that take only numbers."""
        return frozenset(one.name for one in self.dictionary.fields.values() if one.is_number)


@dataclass
class Shown:
    """What was shown: cells after unticked boxes of hidden fields were emptied, column -> not asked, notices, counts."""

    frame: pd.DataFrame
    not_asked: dict[str, np.ndarray]
    notices: list[Notice] = field(default_factory=list)
    evaluated: int = 0
    not_evaluated: Counter = field(default_factory=Counter)
    boxes_emptied: int = 0


def shown_fields(project: Project) -> Shown:
    """Judge for each field and row whether the form showed it.

    Returns
    -------
    Shown
        A field is not asked where its form is not, where it is hidden for good (``@HIDDEN``), or where its logic is not met.
        Where that is not known its blanks stay blanks (skipped), with a notice that names why. An unticked box (0) of a field
        that was not shown is emptied; an answer there is kept, with a notice.
    """
    shown = Shown(project.table.frame.copy(), {})
    for one in project.dictionary.fields.values():
        columns = [column for column in one.columns if column in shown.frame.columns and column != project.dictionary.record_id]
        hidden = project.absent[one.form].copy()
        if _HIDDEN in one.annotation.upper().split():
            hidden[:] = True
        elif one.branching and columns:
            hidden |= _by_logic(shown, one, columns, project)
        _mark(shown, one, columns, hidden, project.table)
    return shown


def _by_logic(shown: Shown, one: Field, columns: list[str], project: Project) -> np.ndarray:
    table, asked = project.table, ~project.absent[one.form]
    try:
        logic = parse_logic(one.branching)
        values = {ref: _values(ref, project) for ref in sorted(references_of(logic), key=str)}
    except NotEvaluated as limit:
        shown.not_evaluated[str(limit)] += 1
        shown.notices += _in_doubt(one, columns, table, asked, f"its branching logic uses {limit}, which is not evaluated")
        return np.zeros(len(table.rows), dtype=bool)
    shown.evaluated += 1
    met = _judged(logic, values, len(table.rows), project.numbers)
    shown.notices += _in_doubt(one, columns, table, (met == -1) & asked, "its branching logic compares what is not known")
    return met == 0


def _judged(logic: Logic, values: dict[Reference, np.ndarray], n: int, numbers: frozenset[str]) -> np.ndarray:
    """Return 1 met, 0 not met, -1 not known for each row; each combination of values is judged once."""
    if not values:
        return np.full(n, {True: 1, False: 0, None: -1}[judge(logic, {}, numbers)])
    references = list(values)
    known: dict[tuple, int] = {}
    met = np.empty(n, dtype=int)
    for place, combination in enumerate(zip(*values.values(), strict=True)):
        if combination not in known:
            found = judge(logic, dict(zip(references, combination, strict=True)), numbers)
            known[combination] = -1 if found is None else int(found)
        met[place] = known[combination]
    return met


def _values(ref: Reference, project: Project) -> np.ndarray:
    """Return a reference's value at each row, None where it is not known.

    Without an event a field is read in the row itself; where the row's own form is a repeating one, in the row of the event
    that holds the forms which do not repeat. A repeating form read from elsewhere has no single value.
    """
    frame, rows, dictionary = project.table.frame, project.rows, project.dictionary
    if ref.field == EVENT_NAME:
        return rows.event if rows.event.astype(bool).any() else np.full(len(frame), None, dtype=object)
    if ref.field not in dictionary.fields:
        raise NotEvaluated("a field that the dictionary does not have")
    one = dictionary.fields[ref.field]
    column = checkbox_column(ref.field, ref.code) if ref.code else ref.field
    if column not in frame.columns:
        raise NotEvaluated("a field that the records do not have")
    cells = np.array([cell.strip() or ("0" if ref.code else "") for cell in frame[column]], dtype=object)
    own = np.zeros(len(frame), dtype=bool) if ref.event else ~project.absent[one.form]
    if column == dictionary.record_id:
        return cells
    base, repeating = rows.base, {(e, f) for e, f in zip(rows.event, rows.form, strict=True) if f}
    found = cells.copy()
    for place in np.flatnonzero(~own):
        event = ref.event or rows.event[place]
        there = base.get((rows.record[place], event))
        found[place] = None if (event, one.form) in repeating else "" if there is None else cells[there]
        if found[place] == "" and ref.code:
            found[place] = "0"
    return found


def _in_doubt(one: Field, columns: list[str], table: RawTable, where: np.ndarray, reason: str) -> list[Notice]:
    blank = sum(int((where & (table.frame[column] == "").to_numpy()).sum()) for column in columns)
    text = f"{reason}: a blank is taken for a skipped answer"
    return [Notice("file_notice", text, columns[0] if len(columns) == 1 else one.name, n=blank)] if blank else []


def _mark(shown: Shown, one: Field, columns: list[str], hidden: np.ndarray, table: RawTable) -> None:
    if not hidden.any():
        return
    for column in columns:
        cells = np.array([cell.strip() for cell in table.frame[column]], dtype=object)
        shown.not_asked[column] = hidden
        if one.kind == "checkbox":
            empty = hidden & (cells == "0")
            shown.boxes_emptied += int(empty.sum())
            shown.frame[column] = np.where(empty, "", table.frame[column].to_numpy(dtype=object))
            cells = np.where(empty, "", cells)
        answered = tuple(int(row) for row in table.rows[hidden & (cells != "")])
        if answered and one.kind != "calc":
            shown.notices.append(Notice("answered_not_shown", "answered although its form did not show it there", column, answered))
