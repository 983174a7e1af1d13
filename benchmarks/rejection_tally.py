"""Counting answers over data sets, and turning the counts into rates with their Monte Carlo standard errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from rejection_rungs import Answer, rejects

#: a rung fails to hold its level where its rate is above this and more than 3 standard errors above .05
TOLERATED = 0.06
CELL = ("truth", "model", "rung", "question")


@dataclass
class Counts:
    """Counts of one rung, one question and one draw of centers."""

    data_sets: int = 0
    rejected_05: int = 0
    rejected_01: int = 0
    rejected_smallest: int = 0
    tests: int = 0
    intervals: int = 0
    covered: int = 0
    fits: int = 0
    boundary: int = 0
    failed: int = 0
    failed_replicates: int = 0
    smallest_p: float = 0.0

    def add(self, answer: Answer, boundary: bool | None) -> None:
        """Count one answer; a failed one is a data set that is neither rejected nor covered."""
        self.data_sets += 1
        self.fits += boundary is not None
        self.boundary += bool(boundary)
        self.failed += answer.failed
        self.failed_replicates += answer.failed_replicates
        self.smallest_p = max(self.smallest_p, answer.smallest_p)
        if answer.p_value is not None and not answer.failed:
            self.tests += 1
            self.rejected_05 += rejects(answer.p_value, 0.05)
            self.rejected_01 += rejects(answer.p_value, 0.01)
            self.rejected_smallest += rejects(answer.p_value, answer.smallest_p)
        if answer.covered is not None:
            self.intervals += 1
            self.covered += answer.covered


@dataclass
class Tally:
    """Counts by cell: truth, model, rung, question."""

    cells: dict[tuple[str, str, str, str], Counts] = field(default_factory=dict)

    def add(self, truth: str, model: str, answers: Iterable[tuple[str, str, Answer]], boundary: bool | None = None) -> None:
        """Count the answers of the rungs to one data set; ``boundary`` of the fit, where there is one."""
        for rung, question, answer in answers:
            self.cells.setdefault((truth, model, rung, question), Counts()).add(answer, boundary)


def table_of_rates(tallies: dict[tuple[str, int], list[Tally]]) -> pd.DataFrame:
    """Return one row a cell from the tallies of each part and number of centers, one tally for each draw of centers."""
    rows = []
    for (part, n_centers), drawn in tallies.items():
        for key in dict.fromkeys(key for tally in drawn for key in tally.cells):
            row = _row([tally.cells[key] for tally in drawn if key in tally.cells])
            rows.append({"part": part, **dict(zip(CELL, key, strict=True)), "centers": n_centers, **row})
    return pd.DataFrame(rows)


def _row(parts: list[Counts]) -> dict[str, object]:
    total = {name: sum(getattr(p, name) for p in parts) for name in Counts.__dataclass_fields__ if name != "smallest_p"}
    smallest = max(p.smallest_p for p in parts)
    row: dict[str, object] = {"data_sets": total["data_sets"], "designs": len(parts)}
    for name, column in (("rate_05", "rejected_05"), ("rate_01", "rejected_01"), ("rate_smallest", "rejected_smallest")):
        shown = total["tests"] > 0 and (column != "rejected_smallest" or smallest > 0)
        row[name], row[f"{name}_se"] = _rate(parts, column) if shown else (np.nan, np.nan)
    row["smallest_p"] = smallest if smallest > 0 else np.nan
    row["coverage"], row["coverage_se"] = _rate(parts, "covered") if total["intervals"] else (np.nan, np.nan)
    row["boundary"] = total["boundary"] / total["fits"] if total["fits"] else np.nan
    row["failed"], row["failed_replicates"] = total["failed"], total["failed_replicates"]
    row["holds_level"] = "" if total["tests"] == 0 else "yes" if holds_level(row["rate_05"], row["rate_05_se"]) else "no"
    return row


def _rate(parts: list[Counts], column: str) -> tuple[float, float]:
    """Share of the data sets, and its standard error: the larger of that between draws of centers and the binomial one."""
    sizes, hits = (np.array([getattr(p, name) for p in parts], float) for name in ("data_sets", column))
    rate, total = hits.sum() / sizes.sum(), sizes.sum()
    error = np.sqrt(rate * (1 - rate) / total)
    if len(parts) > 1:
        between = np.sum((hits - rate * sizes) ** 2) * len(parts) / (len(parts) - 1)
        error = max(error, np.sqrt(between) / total)
    return float(rate), float(error)


def holds_level(rate: float, error: float) -> bool:
    """Tell whether a rejection rate at .05 is what the level promises."""
    return not (rate > TOLERATED and rate > 0.05 + 3 * error)


def markdown(rates: pd.DataFrame) -> str:
    """Return the tables of the documentation: rejections of 100 at .05 by question, then intervals."""
    parts = []
    for (part, question), rows in rates.groupby(["part", "question"], sort=False):
        if rows.rate_05.notna().any():
            parts.append(f"### {part}, {question}: rejections of 100 at .05\n\n{_grid(rows[rows.rate_05.notna()], 'rate_05')}")
    shown = rates[rates.rung.isin(("sign flips of center changes",)) | (rates.coverage.notna() & rates.rate_05.isna())]
    for (part, question), rows in shown.groupby(["part", "question"], sort=False):
        parts.append(f"### {part}, {question}: 95 % intervals that hold the truth, of 100\n\n{_grid(rows, 'coverage')}")
    fits = rates[rates.boundary.notna() & rates.rung.eq("Wald (normal)") & rates.question.eq("change")]
    for part, rows in fits.groupby("part", sort=False):
        parts.append(f"### {part}: fits with a variance of 0, of 100\n\n{_grid(rows.assign(rung='any variance'), 'boundary')}")
    return "\n\n".join(parts)


def _grid(rows: pd.DataFrame, column: str) -> str:
    """A row a rung, a column for each truth and model (a letter) and number of centers; rungs without a model stand under all."""
    cells = list(dict.fromkeys(zip(rows.truth, rows.model, strict=True)))
    cells = [cell for cell in cells if cell[1] != "none"] or cells
    centers = sorted(rows.centers.unique())
    letters = dict(zip(cells, "ABCDEFGH", strict=False))
    lines = ["; ".join(f"{letter}: {truth}, model with {model}" for (truth, model), letter in letters.items()) + ".", ""]
    lines.append("| rung | " + " | ".join(f"{letters[cell]} {g}" for cell in cells for g in centers) + " |")
    lines.append("|---|" + "---:|" * (len(cells) * len(centers)))
    for rung in dict.fromkeys(rows.rung):
        own = {(r.truth, r.model, r.centers): _shown(r, column) for r in rows[rows.rung == rung].itertuples()}
        values = [own.get((t, m, g), own.get((t, "none", g), "")) for t, m in cells for g in centers]
        lines.append(f"| {rung} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _shown(row: object, column: str) -> str:
    value = getattr(row, column)
    text = "" if np.isnan(value) else f"{100 * value:.1f}"
    return f"**{text}**" if column == "rate_05" and row.holds_level == "no" else text
