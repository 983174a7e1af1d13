"""An attack on a report: from every number that its tables print, try to find a count that one of them withholds.

Each count is an unknown number; what a table prints, bounds it; what must add up (groups to their total, the same people in two tables)
ties it to others. An integer program then gives the smallest and the largest value that agrees with the whole report.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from report_attack_themes import DASH, READ_THEMES, of, pairs
from scipy.optimize import Bounds, LinearConstraint, milp

MANY = 10_000


@dataclass
class Ledger:
    """What a reader knows: bounds of each count, and sums of counts."""

    min_cell: int
    bounds: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)
    withheld: set = field(default_factory=set)
    small: set = field(default_factory=set)
    derived: set = field(default_factory=set)

    def know(self, name, cell):
        """Take in a cell as printed: a number, ``<5``, ``3 to 7``, ``hidden`` or a dash."""
        text = str(cell).replace(",", "").strip()
        low, high = 0, MANY
        if re.fullmatch(r"\d+", text):
            low = high = int(text)
        elif found := re.fullmatch(r"(\d+) to (\d+)", text):
            low, high = map(int, found.groups())
        elif text == f"<{self.min_cell}":
            low, high = 1, self.min_cell - 1
            self.small.add(name)
        elif text not in ("hidden", DASH):
            raise ValueError(f"{name}: {text}")
        if low < high:
            self.withheld.add(name)
        self.bound(name, low, high)

    def bound(self, name, low, high):
        was = self.bounds.get(name, (0, MANY))
        self.bounds[name] = (max(was[0], low), min(was[1], high))

    def row(self, weights, low, high):
        """Take in that the weighted sum of counts lies between two numbers."""
        for name in weights:
            self.bounds.setdefault(name, (0, MANY))
        self.rows.append((dict(weights), low, high))

    def total(self, whole, parts):
        """Take in that parts add up to a whole; what of them is printed nowhere must not be found to be small."""
        self.derived |= {name for name in [whole, *parts] if name not in self.bounds}
        self.row({whole: 1} | dict.fromkeys(parts, -1), 0, 0)

    def share(self, part, whole, cell):
        """Take in a printed percentage."""
        if found := re.fullmatch(r"(\d+)%", str(cell)):
            low, high = int(found[1]) / 100 - 0.005, int(found[1]) / 100 + 0.005
            self.row({part: 1, whole: -low}, 0, np.inf)
            self.row({part: 1, whole: -high}, -np.inf, 0)

    def found(self):
        """Return count -> its smallest and largest possible value: withheld and found, small and narrowed, or derived and small."""
        told = {}
        for names, rows in self._parts():
            matrix = np.array([[weights.get(name, 0) for name in names] for weights, _, _ in rows]).reshape(len(rows), len(names))
            sums = LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
            within = Bounds(*np.array([self.bounds[name] for name in names], dtype=float).T)
            rules = {"constraints": sums, "bounds": within, "integrality": np.ones(len(names))}
            for at, name in enumerate(names):
                if name not in self.withheld | self.derived:
                    continue
                aim = np.eye(len(names))[at]
                ends = milp(aim, **rules), milp(-aim, **rules)
                if ends[0].fun is None:
                    raise ValueError(f"what the report says of {name} does not add up")
                low, high = round(ends[0].fun), round(-ends[1].fun)
                narrowed = name in self.small and (low > 1 or high < self.min_cell - 1)
                exact = name in self.withheld and low == high > 0
                if exact or narrowed or (name in self.derived and 0 < low <= high < self.min_cell):
                    told[name] = (low, high)
        return told

    def _parts(self):
        """Return the counts that hang together, with the sums that tie them."""
        group = {name: {name} for name in self.bounds}
        for weights, _, _ in self.rows:
            joined = set().union(*(group[name] for name in weights))
            for name in joined:
                group[name] = joined
        rows = defaultdict(list)
        for row in self.rows:
            rows[id(group[next(iter(row[0]))])].append(row)
        for names in {id(names): names for names in group.values()}.values():
            if names & (self.withheld | self.derived) and rows[id(names)]:
                yield sorted(names, key=str), rows[id(names)]


def attack(reports, min_cell, groups, themes):
    """Return everything found in a report's folder; `groups`: kind -> labels of a set of groups that divides everybody.

    `themes`: theme -> label.
    """
    ledger, tables, records = Ledger(min_cell), {}, {}
    for path in sorted((Path(reports) / "tables").glob("*.csv")):
        record = json.loads((Path(reports) / "data" / f"{path.stem}.json").read_text(encoding="utf-8"))
        kind = record["kind"]
        records.setdefault(kind, []).append(record)
        tables.setdefault(kind, []).append((path.stem, pd.read_csv(path, dtype=str, keep_default_na=False)))
    for kind, read in READ.items():
        for name, table in tables.get(kind, []):
            read(ledger, name, table, groups)
    pairs(ledger, records.get("co_occurrence", []), themes)
    _scores_of_forms(ledger, tables)
    return ledger


def _forms(ledger, _, table, groups):
    """Forms expected, received and left out: groups add up to the wave."""
    table = table.assign(
        group=table["Wave"].str.extract(r": (.+)$")[0].fillna(""), wave=table["Wave"].str.replace(r": .+$", "", regex=True)
    )
    for (instrument, wave), part in table.groupby(["Instrument", "wave"]):
        for column in ("Expected", "Received", "Left out"):
            parts = []
            for group, cell in zip(part["group"], part[column], strict=True):
                name = ("forms", instrument, wave, column, group)
                if cell != DASH:
                    ledger.know(name, cell)
                    parts += [name] if group else []
            if parts and part.loc[part["group"] == "", column].ne(DASH).all():
                ledger.total(("forms", instrument, wave, column, ""), parts)


def _quality(ledger, _, table, groups):
    """Forms left out, as the quality of the data lists them by file: a count a reader may set against the flow of forms."""
    waves = {"t1": "Baseline", "t3": "After the collaborative", "t4": "Follow-up"}
    for row in table[table["Check"] == "Record excluded by the study"].to_dict("records"):
        instrument, _, wave = row["Source"].rpartition(" ")
        if wave in waves:
            ledger.know(("forms", f"{instrument} survey", waves[wave], "Left out", ""), row["Found"])


def _people(ledger, name, table, groups):
    """The flow of people: boxes are the sums of their arrows, everybody is the sum of the roles."""
    table = table.rename(columns={"Joined or returned": "Came"})
    for group, part in table.groupby("Group", sort=False):
        rows = part.to_dict("records")
        for at, row in enumerate(rows):
            counts = {column: ("people", group, at, column) for column in row if column not in ("Group", "Wave", "data")}
            for column, count in counts.items():
                if at or column in ("People", "Expected", "Answered"):
                    ledger.know(count, row[column])
            if at:
                came = ["Came"] if "Came" in counts else ["Joined", "Returned"]
                moved = ["From another role"] if group != "Everyone" else []
                ledger.total(counts["People"], [counts[c] for c in ["Stayed", *came, *moved]])
                gone = ["Left"] + (["To another role"] if moved else [])
                ledger.total(("people", group, at - 1, "People"), [counts[c] for c in ["Stayed", *gone]])
    shown = [group for group in table["Group"].unique() if group != "Everyone"]
    for at in range(table["Group"].eq("Everyone").sum()):
        for column in ("People", "Answered", *(("Left", "Joined" if "Joined" in table else "Came") if at else ())):
            rest = [("people", "other roles", at, column)] if len(shown) < len(groups["staff"]) else []
            if shown:
                ledger.total(("people", "Everyone", at, column), [*(("people", group, at, column) for group in shown), *rest])


def _attendance(ledger, _, table, groups):
    """Who came: roles add up to everybody, and who is due was present, absent or has no entry."""
    for session, part in table.groupby("Session"):
        names = {}
        for row in part.to_dict("records"):
            count = {column: ("attendance", session, row["Role"], column) for column in ("Due", "Present", "No entry", "absent")}
            for column in ("Due", "Present", "No entry"):
                ledger.know(count[column], row[column])
            ledger.total(count["Due"], [count["Present"], count["No entry"], count["absent"]])
            ledger.row({("entered", *count["Due"]): 1, count["Present"]: -1, count["absent"]: -1}, 0, 0)
            ledger.share(count["Present"], ("entered", *count["Due"]), row["Share"])
            names[row["Role"]] = count
        for column in ("Due", "Present", "No entry", "absent"):
            ledger.total(names["All"][column], [count[column] for role, count in names.items() if role != "All"])


def _reported(ledger, name, table, groups):
    """What people report: each set of groups adds up to everybody; who kept it is among those who reported it."""
    waves = [c for c in table.columns if c not in ("Item", "Group", "data")]
    for item, part in table.groupby("Item"):
        cells = part.set_index("Group")
        for wave in waves:
            for group in cells.index:
                yes, n = of(cells.loc[group, wave])
                ledger.know((name, item, wave, group, "yes"), yes)
                ledger.know((name, item, wave, group, "n"), n)
                ledger.total((name, item, wave, group, "n"), [(name, item, wave, group, "yes"), (name, item, wave, group, "no")])
            for labels in groups.values():
                here = [group for group in cells.index if group in labels]
                for what in ("yes", "no", "n") if here else ():
                    ledger.total((name, item, wave, "All", what), [(name, item, wave, group, what) for group in here])
        kept = [wave for wave in waves if wave.startswith("Kept, ")]
        for group in cells.index if kept else ():
            _kept(ledger, lambda wave, what, group=group: (name, item, wave, group, what), kept[0])  # noqa: B023


def _kept(ledger, count, kept):
    before, after = kept.removeprefix("Kept, ").split(" to ")
    taken = "Taken up since"
    for column, what in ((kept, "yes"), (taken, "no")):
        ledger.total(count(before, what), [count(column, "n"), count(f"{before}, not asked again", what)])
    for what in ("yes", "no"):
        ledger.total(count(after, what), [count(kept, what), count(taken, what), count(f"{after}, not asked before", what)])


def _scores_of_forms(ledger, tables):
    """A scale's scores and forms without one are the forms received, where a reader would guess that everybody was asked."""
    received = {name: b[0] for name, b in ledger.bounds.items() if name[0] == "forms" and name[3:] == ("Received", "") and b[0] == b[1]}
    for _, table in tables.get("descriptives", []):
        for row in table.to_dict("records"):
            n, without = (("scale", row["Scale"], row["Wave"], what) for what in ("n", "No score"))
            ledger.know(n, row["n"])
            ledger.know(without, row["No score"])
            low, high = ledger.bounds[n]
            close = [name for name, forms in received.items() if name[2] == row["Wave"] and 0 <= forms - low < ledger.min_cell]
            if len(close) == 1 and low == high:
                ledger.total(close[0], [n, without])


READ = {
    "sample_flow": _forms,
    "data_quality": _quality,
    "people_flow": _people,
    "attendance": _attendance,
    "reported": _reported,
    **READ_THEMES,
}
