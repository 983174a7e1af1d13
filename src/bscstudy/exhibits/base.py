"""What every exhibit is: a table as shown, its caption and notes, sometimes a figure, and plain sentences of what it says."""

from __future__ import annotations

import string
from dataclasses import dataclass, field

import pandas as pd

from bscstudy.errors import BscError


@dataclass(frozen=True)
class Context:
    """What an exhibit may know of the study.

    Attributes
    ----------
    exhibit, kind, title, section : str
        This exhibit's row of config/exhibits.csv.
    options : dict of str to str
        The row's options.
    config : dict
        Sections of the configuration (`study`, `waves`, `scales`, ...), as the step declared them.
    """

    exhibit: str
    kind: str = ""
    title: str = ""
    section: str = ""
    options: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)

    @property
    def synthetic(self) -> bool:
        """Whether the data of the study are invented."""
        return bool(self.config.get("study", {}).get("synthetic", False))

    @property
    def min_cell(self) -> int:
        """Smallest number of people a breakdown may show."""
        return int(self.config.get("privacy", {}).get("min_cell", 10))

    @property
    def show_centers(self) -> bool:
        """Whether single centers may be shown, by letters."""
        return bool(self.config.get("privacy", {}).get("show_centers", False))

    def rows(self, section: str, key: str = "id") -> list[dict]:
        """Return a section as a list of dicts that each carry ``key``, however the section was stored."""
        return rows_of(self.config.get(section), key)

    def labels(self, section: str, key: str = "id") -> dict[str, str]:
        """Return id -> label of a section, in the section's order."""
        return {str(row[key]): str(row.get("label") or row[key]) for row in self.rows(section, key)}

    def option_list(self, name: str) -> list[str]:
        """Return an option whose value is ids separated by spaces or commas."""
        return [word for word in str(self.options.get(name, "") or "").replace(",", " ").split() if word]

    def chosen(self, data: pd.DataFrame, **columns: str) -> pd.DataFrame:
        """Return the rows whose ids the options name (option -> column of its ids); an option that is not given names all."""
        for option, column in columns.items():
            wanted = self.option_list(option)
            data = data[data[column].isin(wanted)] if wanted else data
        return data


#: what the notes of every exhibit name, and what is said where an exhibit has nothing of the kind
EVERY_NOTE = {
    "Estimator": "counts; nothing is estimated",
    "Degrees of freedom": "none; no test is made",
    "n": "as shown in the table",
    "Clusters": "none; rows are counted, whatever center they are from",
    "Exclusions": "none",
}


#: the note of every exhibit whose numbers rest on a map between versions of an instrument; its figure says so too
HARMONISED = "Harmonised"


@dataclass(frozen=True)
class Exhibit:
    """One numbered item of the report.

    Attributes
    ----------
    table : DataFrame
        Cells as shown (text); the first column that is not ``group_by`` names the row.
    caption : str
        One sentence: what is in the table.
    notes : dict of str to str
        Estimator, Degrees of freedom, n, Clusters, Exclusions and whatever a reader needs; order is kept.
    sentences : tuple of str
        Plain findings; used by the opening of the report.
    footnotes : tuple of str
        Referred to in cells by ``footnote_mark(position)``.
    group_by : str
        Column of ``table`` whose equal neighbours become one headed group of rows; blank for none.
    figure : matplotlib Figure or None
    alt : str
        What the figure shows, for a reader who does not see it.
    data : DataFrame or None
        The numbers behind the figure.
    """

    table: pd.DataFrame
    caption: str
    notes: dict[str, str] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    footnotes: tuple[str, ...] = ()
    group_by: str = ""
    figure: object = None
    alt: str = ""
    data: pd.DataFrame | None = None

    def full_notes(self) -> dict[str, str]:
        """Return the notes with those first that every exhibit has, said in words where nothing is estimated or tested."""
        given = {name: str(text) for name, text in self.notes.items() if str(text)}
        return {name: given.get(name, default) for name, default in EVERY_NOTE.items()} | given


def rows_of(section: object, key: str = "id") -> list[dict]:
    """Return list, mapping or frame as a list of dicts; a mapping's key becomes the field ``key``."""
    if section is None:
        return []
    if isinstance(section, pd.DataFrame):
        return section.to_dict("records")
    if isinstance(section, dict):
        return [{key: name, **(value if isinstance(value, dict) else {"label": value})} for name, value in section.items()]
    return [dict(row) for row in section]


def footnote_mark(position: int) -> str:
    """Return ``[a]`` for 0, ``[b]`` for 1, ... ``[aa]`` after ``[z]``."""
    letters = string.ascii_lowercase
    return f"[{letters[position]}]" if position < 26 else f"[{letters[position // 26 - 1]}{letters[position % 26]}]"


def wave_order(context: Context) -> list[str]:
    """Return the ids of the waves in time order."""
    return [str(w["id"]) for w in sorted(context.rows("waves"), key=lambda w: (float(w.get("order", 0)), str(w["id"])))]


def in_order(values, order: list[str]) -> list[str]:
    """Return the distinct non-missing values in a given order, unknown ones last by name."""
    present = {str(v) for v in values if v == v and v is not None and v is not pd.NA}
    return [v for v in order if v in present] + sorted(present - set(order))


def places_in(values: pd.Series, order: list[str]) -> pd.Series:
    """Return the place of each value in a given order, from 0; values that it does not name come last."""
    return values.map({name: place for place, name in enumerate(order)}).fillna(len(order))


def empty_exhibit(reason: str, notes: dict[str, str] | None = None) -> Exhibit:
    """Return the exhibit of a study that has nothing to show here: one row that says why."""
    return Exhibit(pd.DataFrame({"Not shown": [reason]}), reason, notes or {})


def check_exhibit(exhibit: Exhibit, context: Context, has_figure: bool) -> None:
    """Refuse an exhibit that a reader could not judge: no row, no notes, or a figure without words (BSC-DAT-090)."""
    lacking = []
    if exhibit.table.empty or exhibit.table.columns.duplicated().any():
        lacking.append("rows under columns of distinct names")
    if not exhibit.caption.strip():
        lacking.append("a caption")
    if has_figure and exhibit.figure is not None and not exhibit.alt.strip():
        lacking.append("a text in place of the figure")
    if lacking:
        raise BscError(
            "BSC-DAT-090",
            f"The exhibit '{context.exhibit}' lacks {', '.join(lacking)}.",
            "config/exhibits.csv",
            "A reader could not tell what it rests on.",
            "Report it as a fault of the program, with the exhibit's kind and options.",
        )
