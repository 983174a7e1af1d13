"""The monthly metrics: twelve months of numerators and denominators, two of which really move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.fidelity import logistic
from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.truth import planted
from bscstudy.simulate.writers import write_csv

MONTHS = tuple(str(month) for month in pd.period_range("2023-11", "2024-10", freq="M"))


def write_metrics(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the monthly metrics of all centers."""
    random, spec = stream(parameters, "metrics"), parameters["fidelity"]
    rows = []
    for center in population.centers.itertuples():
        due = logistic(spec["month_reported"]["intercept"] + spec["month_reported"]["engagement"] * center.engagement)
        sizes = {
            "challenging_behavior": center.classrooms * 5,
            "family_communication": center.enrollment,
            "teacher_attendance": center.classrooms * 2,
            "developmental_progress": round(center.enrollment * 0.6),
        }
        for place, month in enumerate(MONTHS):
            if random.random() >= due:
                continue
            for metric, value in spec["metrics"].items():
                size = int(sizes[metric])
                level = value["before" if place < spec["months_before"] else "after"]
                rows.append((center.center_id, month, metric, _counted(metric, size, level, random), size))
    reports = pd.DataFrame(rows, columns=["center", "month", "metric", "numerator", "denominator"])
    chosen = np.flatnonzero((reports["metric"] == "family_communication").to_numpy())
    for row in random.choice(chosen, planted(parameters, "more_than_all", "metrics"), replace=False):
        reports.loc[row, "numerator"] = reports.loc[row, "denominator"] + 7
    return [write_csv(reports, folder / "fidelity/monthly_metrics.csv")]


def _counted(metric: str, size: int, level: float, random: np.random.Generator) -> int:
    return int(random.poisson(size * level) if metric == "challenging_behavior" else random.binomial(size, level))
