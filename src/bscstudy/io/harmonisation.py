"""The map between versions: how answers to one version of an item become answers to another, and scores of one wave those of another.

Rows of config/codebook/harmonisation.csv, checked in :mod:`bscstudy.io.harmonisation_checks`. Nothing else brings versions together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

FILE = "config/codebook/harmonisation.csv"
#: marker of a whole scale in the column `harmonised` of the scores
WHOLE_SCALE = "whole_scale"


@dataclass(frozen=True)
class Step:
    """One row of the map with the ranges of the versions it joins, ((low, high), (low, high)), None where it does not go by them."""

    row: dict
    ends: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def changes_numbers(self) -> bool:
        """False for the rule ``identity``."""
        return self.row["rule"] != "identity"

    def convert(self, values: np.ndarray) -> np.ndarray:
        """Convert answers or scores.

        Parameters
        ----------
        values : ndarray of float
            Answers to the old version, NaN missing.

        Returns
        -------
        ndarray of float
            The same for ``identity``; ``a + b * value``, or the old range onto the new one in proportion, for ``linear``; looked up for
            ``recode``. Missing stays missing.

        Raises
        ------
        BscError
            BSC-CFG-087 if a value is not among the codes of the recode table.

        Source: Kolen and Brennan (2014), Test Equating, Scaling, and Linking, section 2.2 (identity and linear functions).
        Checked against: closed forms in tests/unit/test_io_harmonisation.py.
        """
        values = np.asarray(values, dtype=float)
        if self.row["rule"] == "identity":
            return values
        if self.row["rule"] == "linear":
            return self._on_line(values)
        return self._looked_up(values)

    def _on_line(self, values: np.ndarray) -> np.ndarray:
        if self.ends is None:
            return self.row["a"] + self.row["b"] * values
        (low, high), (new_low, new_high) = self.ends
        return new_low + (values - low) * (new_high - new_low) / (high - low)

    def _looked_up(self, values: np.ndarray) -> np.ndarray:
        table = recode_table(self.row["recode"])
        known = ~np.isnan(values)
        absent = int((known & ~np.isin(values, list(table))).sum())
        if absent:
            raise BscError(
                "BSC-CFG-087",
                f"A recode table does not say what {absent} value(s) become.",
                f"{FILE}, {named(self.row)}",
                "Leaving them out would make a wave look as if people had not answered.",
                "Add the codes to `recode`, each as `old=new`.",
            )
        out = np.full(values.shape, np.nan)
        for old, new in table.items():
            out[values == old] = new
        return out

    def range_after(self, low: float, high: float) -> tuple[float, float]:
        """Return the lowest and highest possible value after the step, NaN where the range before is not known."""
        if self.row["rule"] == "recode":
            values = recode_table(self.row["recode"]).values()
            return min(values), max(values)
        ends = self.convert(np.array([low, high]))
        return float(ends.min()), float(ends.max())

    def in_words(self, items: list[str] | None = None) -> str:
        """Return what is done, why, and who decided it, as a part of a sentence without semicolons; of several items that share it."""
        row = self.row
        if row.get("scale"):
            what = f"scores of {' '.join(row['waves'].split())} are taken as those of the other waves"
        else:
            items, new = items or [row["item"]], row.get("new_item") or row["item"]
            verb = "items {}, version {}, are taken as" if len(items) > 1 else "item {}, version {}, is taken as"
            of = "" if new == row["item"] else f" {new},"
            what = f"{verb.format(' '.join(items), version_of(row))}{of} version {row['new_version']}"
        text = f"{what}, {self._rule_in_words()}: {row['reason'].rstrip('.')} (decided by {row['decided_by']}, {row['decided_on']})"
        return text.replace("; ", ", ").replace(";", ",")

    def _rule_in_words(self) -> str:
        if self.row["rule"] == "identity":
            return "unchanged"
        if self.row["rule"] == "recode":
            return "by a table of codes"
        if self.ends is None:
            return f"as {self.row['a']:g} + {self.row['b']:g} x value"
        (low, high), (new_low, new_high) = self.ends
        return f"{low:g} to {high:g} onto {new_low:g} to {new_high:g} in proportion"


@dataclass(frozen=True)
class HarmonisedItem:
    """An item as asked in one wave and the codebook row that its answers stand for after the steps; without steps its own row."""

    item: str
    definition: dict
    steps: tuple[Step, ...] = ()

    @property
    def changes_numbers(self) -> bool:
        """Whether any step does more than take answers as they are."""
        return any(step.changes_numbers for step in self.steps)

    def answers(self, values: pd.Series) -> pd.Series:
        """Return a column of answers after all steps; the very same column where no step changes a number."""
        if not self.changes_numbers:
            return values
        numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
        for step in self.steps:
            numbers = step.convert(numbers)
        return pd.Series(numbers, index=values.index)


def steps_in_words(steps: list[Step]) -> list[str]:
    """Return steps in words, each once, and items with one rule, reason and decision together."""
    alike: dict[str, tuple[Step, list[str]]] = {}
    for step in steps:
        item = step.row.get("item") or ""
        key = step.in_words(["*"]) if not step.row.get("new_item") else step.in_words()
        items = alike.setdefault(key, (step, []))[1]
        if item not in items:
            items.append(item)
    return [step.in_words(sorted(items)) for step, items in alike.values()]


def named(row: dict) -> str:
    """Return what a row of the map is about, for messages."""
    return f"scale {row['scale']}, waves {row['waves']}" if row.get("scale") else f"item {row['item']}, version {row['version']}"


def recode_table(text: str) -> dict[float, float]:
    """Return old code -> new code of ``1=1 2=2 3=2``."""
    pairs = (part.split("=") for part in text.split())
    return {float(old): float(new) for old, new in pairs}


def version_of(row: dict) -> int:
    """Return the version of a codebook row, 1 where none is given."""
    return int(row.get("version") or 1)


def version_row(items: list[dict], instrument: str, item: str, version: int) -> dict | None:
    """Return the first codebook row of one version of an item, None where there is none."""
    own = (r for r in items if r["instrument"] == instrument and r["item"] == item and version_of(r) == version)
    return next(own, None)


def harmonised_items(in_use: dict[str, dict], items: list[dict], harmonisation: list[dict]) -> dict[str, HarmonisedItem]:
    """Return the items of one instrument and wave under the ids and definitions their answers stand for.

    Parameters
    ----------
    in_use : dict
        Item -> the codebook row that holds (`codebook.item_versions`).
    items, harmonisation : list of dict
        All rows of items.csv and of harmonisation.csv.

    Returns
    -------
    dict
        Item id after the map -> `HarmonisedItem`. Steps follow each other (version 1 to 2, 2 to 3). An item whose successor is asked in
        the same wave stays what it is.
    """
    steps = {(r["instrument"], r["item"], version_of(r)): r for r in harmonisation if r.get("item")}
    found = {}
    for item, row in in_use.items():
        harmonised = _followed(item, row, steps, items, in_use) if steps else HarmonisedItem(item, row)
        found[harmonised.definition["item"]] = harmonised
    return found


def _followed(item: str, row: dict, steps: dict[tuple, dict], items: list[dict], in_use: dict[str, dict]) -> HarmonisedItem:
    taken: list[Step] = []
    while (step := steps.get((row["instrument"], row["item"], version_of(row)))) is not None:
        new = version_row(items, row["instrument"], step.get("new_item") or step["item"], int(step["new_version"]))
        if new is None or len(taken) > len(steps) or (new["item"] != item and new["item"] in in_use):
            break
        taken.append(Step(step, ends_of(step, row, new)))
        row = new
    return HarmonisedItem(item, row, tuple(taken))


def ends_of(step: dict, old: dict, new: dict) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the ranges that a linear step without a and b goes by, ((low, high), (low, high)); None for other steps."""
    if step["rule"] != "linear" or step.get("a") is not None:
        return None
    return (old["minimum"], old["maximum"]), (new["minimum"], new["maximum"])


def harmonised_answers(rows: pd.DataFrame, found: dict[str, HarmonisedItem]) -> pd.DataFrame:
    """Return a wave's ingested rows with each item's answers and reasons under the id and in the codes its answers stand for."""
    columns = {}
    for name, harmonised in found.items():
        if harmonised.steps and harmonised.item in rows.columns:
            columns[name] = harmonised.answers(rows[harmonised.item])
            if f"{harmonised.item}__why" in rows.columns:
                columns[f"{name}__why"] = rows[f"{harmonised.item}__why"]
    return rows.assign(**columns) if columns else rows


def scale_step(scale: dict, wave: str, harmonisation: list[dict]) -> Step | None:
    """Return the step by which the scores of one row of scales.csv in one wave become those of the other waves, None without one."""
    named = (scale["scale"], scale["instrument"])
    own = (row for row in harmonisation if (row.get("scale"), row["instrument"]) == named and wave in row["waves"].split())
    return next((Step(row) for row in own), None)
