"""Constructs of the Consolidated Framework for Implementation Research, rated in each center by two raters and settled together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.writers import write_csv

COLUMNS = ["center", "wave", "construct", "rater", "stage", "rating", "mixed", "informants", "evidence", "blind"]
RATERS = ("R1", "R2")


def write_construct_ratings(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the ratings: two independent rows and one of the consensus for each center and construct."""
    spec, random = parameters["construct_ratings"], stream(parameters, "construct ratings")
    rows = []
    for center, engagement in population.centers[["center_id", "engagement"]].itertuples(index=False, name=None):
        informants = 1 + int(random.integers(*spec["group_size"]))
        for construct, (mean, slope) in spec["constructs"].items():
            level = mean + slope * engagement + spec["noise"] * random.standard_normal()
            rows += _rated(spec, center, construct, level, informants, random)
    return [write_csv(pd.DataFrame(rows, columns=COLUMNS), folder / "interviews/construct_ratings.csv")]


def _rated(spec: dict, center: str, construct: str, level: float, informants: int, random: np.random.Generator) -> list[tuple]:
    """Return what two raters gave alone, and what they settled on; some constructs have no evidence, some balance, a few stay open."""
    wave, drawn = spec["wave"], random.random()
    sessions = " ".join(f"{center}-{wave}-{kind}" for kind in ("INT", "GRP"))
    kind = "M" if drawn < spec["missing"] else "X" if drawn < spec["missing"] + spec["mixed"] else ""
    alone = [kind or _rating(level + spec["rater_noise"] * random.standard_normal()) for _ in RATERS]
    settled = kind or _rating(level)
    flag = int(kind == "X" or (kind == "" and random.random() < spec["flagged"]))
    stays_open = random.random() < spec["open"]
    told = [(rater, "independent", value) for rater, value in zip(RATERS, alone, strict=True)]
    told += [] if stays_open else [("", "consensus", settled)]
    about = (flag, 0 if kind == "M" else informants, "" if kind == "M" else sessions, 1)
    return [(center, wave, construct, rater, stage, value, *about) for rater, stage, value in told]


def _rating(level: float) -> str:
    return str(int(np.clip(np.round(level), -2, 2)))
