"""Dates of SPSS, Stata and SAS, which store numbers: counted from the program's own first day, in its own unit.

Converted here and not by the parser, which stops at a date beyond the year 9999, wraps durations over 24 hours, turns user-missing
codes into dates, and leaves quarters, months and weeks as they are stored.
"""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd

#: what stands in the cell of a date that no calendar holds; it is neither a date nor a number
NO_DATE = "(date out of range)"
_DAY = 86400.0
_FIRST_DAY = {"spss": datetime.datetime(1582, 10, 14), "stata": datetime.datetime(1960, 1, 1), "sas": datetime.datetime(1960, 1, 1)}
_SPSS = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR"), "date"),
    **dict.fromkeys(("DATETIME", "YMDHMS"), "moment"),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), "time"),
}
_SAS_DATE = re.compile(
    r"(?:DATE|DDMMYY[BCDNPS]?|MMDDYY[BCDNPS]?|YYMMDD[BCDNPS]?|YYMM[CDNPS]?|MMYY[CDNPS]?|YYMON|MONYY|YYQR?[CDNPS]?|WEEKDA(?:TE|TX)|WORDDA(?:TE|TX)|JULIAN|"
    r"DAY|MONTH|YEAR|QTRR?|MONNAME|DOWNAME|WEEKDAY|(?:E|B|IS)8601DA)"
)
_SAS_MOMENT = re.compile(r"(?:DATETIME|DATEAMPM|MDYAMPM|DTDATE|DTMONYY|DTYEAR|DTWKDATX|(?:E|B|IS)8601D[TN])")
_SAS_TIME = re.compile(r"(?:TIME|TIMEAMPM|HHMM|HOUR|MMSS|(?:E|B|IS)8601TM)")
_STATA_CLOCK = re.compile(r"(HH|Hh|hH|hh)(:MM(:SS(\.s+)?)?)?([ _]?[aA]\.?[mM]\.?)?")
_STATA_PERIODS = {"w": 52, "m": 12, "q": 4, "h": 2}


def convert(cells: pd.Series, program: str, form: str | None, codes: list[tuple]) -> tuple[pd.Series, int] | None:
    """Convert the stored numbers of a date column.

    Parameters
    ----------
    cells : Series of float or object, shape (n,)
        NaN missing; text (tagged missing values) stays.
    program : {"spss", "stata", "sas"}
        Whose counting it is.
    form : str or None
        Display format of the column, as in the file.
    codes : list of (low, high)
        User-missing codes and ranges of the column; they stay numbers.

    Returns
    -------
    (Series of object, int) or None
        Dates, date-times and times of day (a duration of a day or more, or below zero, as text ``h:mm:ss``), and how many cells
        hold a date before year 1 or after 9999, which become `NO_DATE`. None where the format is not one of dates.
    """
    meant = meaning_of(program, form)
    if not meant:
        return None
    numbers, places = np.unique(pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float), return_inverse=True)
    kept = np.isnan(numbers)
    for low, high in codes:
        if not isinstance(low, str):
            kept |= (numbers >= low) & (numbers <= high)
    made = np.empty(len(numbers), dtype=object)
    for place, number in enumerate(numbers):
        made[place] = number if kept[place] else _moment(number, program, meant)
    moments = made[places.ravel()]
    own = np.array([isinstance(cell, str) for cell in cells], dtype=bool)
    moments[own] = cells.to_numpy(dtype=object)[own]
    lost = sum(1 for moment in moments[~own] if isinstance(moment, str) and moment == NO_DATE)
    return pd.Series(moments, index=cells.index, dtype=object), lost


def meaning_of(program: str, form: str | None) -> str:
    """Return what a display format shows, or blank.

    ``date``, ``moment``, ``time``, ``clock`` (the time of day of a moment), or one of Stata's periods ``w m q h y``.
    """
    if not form:
        return ""
    if program == "stata":
        return _stata_meaning(re.sub(r"^%-?", "", form))
    name = re.match(r"[A-Z]+(?:8601[A-Z]+)?", form.upper())
    if not name:
        return ""
    if program == "spss":
        return _SPSS.get(name[0], "")
    if program == "sas" and name[0] == "TOD":
        return "clock"
    kinds = {"date": _SAS_DATE, "moment": _SAS_MOMENT, "time": _SAS_TIME}
    return next((kind for kind, pattern in kinds.items() if pattern.fullmatch(name[0])), "")


def _stata_meaning(form: str) -> str:
    if form[:1] == "d":
        return "date"
    if form[:1] != "t" or len(form) < 2:
        return ""
    if form[1] in "cC":
        return "time" if _STATA_CLOCK.fullmatch(form[2:]) else "moment"
    return {"d": "date", "y": "y", **{letter: letter for letter in _STATA_PERIODS}}.get(form[1], "")


def _moment(number: float, program: str, meant: str) -> object:
    first = _FIRST_DAY[program]
    try:
        if meant == "y":
            return datetime.date(int(number), 1, 1)
        if meant in _STATA_PERIODS:
            return _first_of_period(number, _STATA_PERIODS[meant])
        if meant == "date":
            return (first + datetime.timedelta(days=np.floor(number / _DAY) if program == "spss" else np.floor(number))).date()
        seconds = number / 1000 if program == "stata" else number
        if meant in ("time", "clock"):
            return _time(seconds % _DAY if meant == "clock" else seconds)
        return first + datetime.timedelta(microseconds=round(seconds * 1e6))
    except (OverflowError, ValueError):
        return NO_DATE


def _first_of_period(number: float, a_year: int) -> datetime.date:
    year, period = divmod(int(number), a_year)
    if a_year == 52:
        return datetime.date(1960 + year, 1, 1) + datetime.timedelta(weeks=period)
    return datetime.date(1960 + year, 1 + period * (12 // a_year), 1)


def _time(seconds: float) -> datetime.time | str:
    micro = round(seconds * 1e6)
    if 0 <= micro < _DAY * 1e6:
        return (datetime.datetime(1960, 1, 1) + datetime.timedelta(microseconds=micro)).time()
    minutes, rest = divmod(abs(micro) // 1_000_000, 60)
    return f"{'-' if micro < 0 else ''}{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
