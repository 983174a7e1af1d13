"""Reporting checklists: what the data know is filled in, all else is left to the authors, and nothing is invented."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd

from bscstudy.release.study_facts import FACTS, Study

TODO = "TODO(author)"
FILLED, PARTLY, AUTHOR = "filled", "partly", "author"
COLUMNS = ("number", "section", "item", "status", "reported")


@dataclass(frozen=True)
class Checklist:
    """A published checklist: file name, title, and where its items come from."""

    name: str
    title: str
    source: str


CHECKLISTS = (
    Checklist(
        "gramms",
        "GRAMMS: Good Reporting of a Mixed Methods Study",
        "O'Cathain, Murphy and Nicholl (2008), Journal of Health Services Research and Policy 13(2), 92-98.",
    ),
    Checklist(
        "mmat",
        "MMAT: Mixed Methods Appraisal Tool, version 2018, criteria 5.1 to 5.5",
        "Hong and others (2018). It appraises a study: yes, no or can't tell is for the reader to say; what is given here is evidence.",
    ),
    Checklist(
        "coreq",
        "COREQ: Consolidated Criteria for Reporting Qualitative Research",
        "Tong, Sainsbury and Craig (2007), International Journal for Quality in Health Care 19(6), 349-357.",
    ),
    Checklist(
        "srqr",
        "SRQR: Standards for Reporting Qualitative Research",
        "O'Brien, Harris, Beckman, Reed and Cook (2014), Academic Medicine 89(9), 1245-1251.",
    ),
    Checklist(
        "jars_mixed",
        "JARS-Mixed: Journal Article Reporting Standards for mixed methods research",
        "Levitt and others (2018), American Psychologist 73(1), 26-46, table 3. Its parts have no numbers; those here follow their order.",
    ),
)


@cache
def items(name: str) -> tuple[dict, ...]:
    """Return the items of a checklist: number, section, item, facts (names of `FACTS`), covers (whole, part or blank)."""
    text = resources.files("bscstudy").joinpath("checklists", f"{name}.csv").read_text(encoding="utf-8")
    return tuple({**row, "facts": row["facts"].split()} for row in csv.DictReader(text.splitlines()))


def filled(name: str, study: Study) -> pd.DataFrame:
    """Return a checklist with what the data know of each item.

    Returns
    -------
    DataFrame
        `number`, `section`, `item` (in short), `status` (filled: the data answer all of it; partly; author: nothing is known), `reported`
        (facts, then ``TODO(author)`` where something is left to say).
    """
    return pd.DataFrame([_answer(item, study) for item in items(name)], columns=list(COLUMNS))


def _answer(item: dict, study: Study) -> dict:
    said = [FACTS[name](study) for name in item["facts"]]
    known = [text for text in said if text]
    whole = item["covers"] == "whole" and len(known) == len(said)
    status = AUTHOR if not known else FILLED if whole else PARTLY
    reported = " ".join([*known, *([] if whole and known else [TODO])])
    return {**{name: item[name] for name in ("number", "section", "item")}, "status": status, "reported": reported}


def markdown(checklist: Checklist, table: pd.DataFrame, *, synthetic: bool) -> str:
    """Return a filled checklist as a page: a heading for each section, a table under it."""
    lines = [f"# {checklist.title}", ""]
    lines += ["**SYNTHETIC DATA: made by a simulation; no real person, center or result.**", ""] if synthetic else []
    lines += [f"Items in short, by number; their wording is in the source: {checklist.source}", ""]
    lines += [f"{_counted(table)} `{TODO}` marks what only the authors can say.", ""]
    for section, rows in table.groupby("section", sort=False):
        lines += [f"## {section}", "", "| No. | Item | Reported |", "|---|---|---|"]
        lines += [f"| {row['number']} | {_cell(row['item'])} | {_cell(row['reported'])} |" for row in rows.to_dict("records")] + [""]
    return "\n".join(lines[:-1]) + "\n"


def checklist_csv(table: pd.DataFrame, *, synthetic: bool) -> str:
    """Return a filled checklist as CSV, with the synthetic mark as a column."""
    return (table.assign(data="SYNTHETIC") if synthetic else table).to_csv(index=False, lineterminator="\n")


def summary(checklist: Checklist, table: pd.DataFrame) -> dict:
    """Return how much of a checklist is filled: `title`, `name`, `n`, `filled`, `partly`, `author`."""
    counts = table["status"].value_counts()
    return {"title": checklist.title, "name": checklist.name, "n": len(table)} | {
        status: int(counts.get(status, 0)) for status in (FILLED, PARTLY, AUTHOR)
    }


def _counted(table: pd.DataFrame) -> str:
    counts = table["status"].value_counts()
    of_data, in_part, left = (counts.get(status, 0) for status in (FILLED, PARTLY, AUTHOR))
    return f"Of {len(table)} items, {of_data} are filled from the data, {in_part} in part, {left} are left to the authors."


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")
