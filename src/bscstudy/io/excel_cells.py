"""What is doubtful about the cells of a sheet: hidden ones, errors, dates and numbers that are mixed with text."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from bscstudy.io.excel_layout import Layout
from bscstudy.io.raw import Notice, cell_text, number_of

ERRORS = {"#N/A", "#REF!", "#NAME?", "#DIV/0!", "#VALUE!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA", "#FIELD!", "#BLOCKED!"}


def layout_notices(
    layout: Layout, frame: pd.DataFrame, rows: np.ndarray, used: list[int], sheets: list[str], *, chosen: bool
) -> list[Notice]:
    """Return what is hidden and read all the same, and whether the sheet was chosen.

    Parameters
    ----------
    layout : Layout
        Of the sheet that was read.
    frame, rows, used : DataFrame, ndarray, list
        Its records, their Excel rows, and the place (from 0) of each column.
    sheets : list of str
        All sheets of the workbook.
    chosen : bool
        Whether the configuration names the sheet.
    """
    found = []
    hidden = sum(int(row) in layout.hidden_rows for row in rows)
    if hidden:
        found.append(Notice("file_notice", "hidden rows hold records; they are read like the others", n=hidden, unit="rows"))
    names = [name for name, place in zip(frame.columns, used, strict=True) if place in layout.hidden_columns]
    found += [Notice("file_notice", "a hidden column; it is read like the others", str(name), unit="columns") for name in names]
    if layout.hidden:
        found.append(Notice("file_notice", "the sheet that is read is hidden", unit="sheets"))
    if layout.other_hidden_sheets:
        found.append(Notice("file_notice", "the workbook has hidden sheets that are not read", n=layout.other_hidden_sheets, unit="sheets"))
    if len(sheets) > 1 and not chosen:
        found.append(
            Notice("file_notice", "the first of several sheets is read; options.sheet would say which", n=len(sheets), unit="sheets")
        )
    return found


def cell_notices(frame: pd.DataFrame, rows: np.ndarray) -> list[Notice]:
    """Return the error cells, and the columns in which dates or numbers stand beside other things."""
    found = []
    for column in frame.columns:
        kinds = np.array([_kind(value) for value in frame[column]], dtype=object)
        errors = tuple(int(row) for row in rows[kinds == "error"])
        found += [Notice("error_cell", "Excel shows an error in this cell", str(column), errors)] if errors else []
        dates = kinds == "date"
        others = np.isin(kinds, ["number", "text", "digits"])
        if dates.any() and others.any():
            fewer = dates if dates.sum() < others.sum() else others
            text = "dates stand beside numbers or text in one column; Excel may have changed what was typed"
            found.append(Notice("file_notice", text, str(column), tuple(int(row) for row in rows[fewer])))
        digits = kinds == "digits"
        if digits.any() and (kinds == "number").any():
            text = "a number stored as text in a column of numbers; it is read like the others"
            found.append(Notice("file_notice", text, str(column), n=int(digits.sum())))
    return found


def _kind(value: object) -> str:
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return "date"
    if isinstance(value, (int, float)):
        return "number" if value == value else ""
    text = cell_text(value).strip()
    if not text:
        return ""
    return "error" if text in ERRORS else "digits" if number_of(text) is not None else "text"
