"""Classroom visits: yes / no / no-opportunity indicators and ratings of segments, a part of the visits coded by two raters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.staff import random_dates
from bscstudy.simulate.writers import write_csv

SEGMENTS = (1, 2, 3, 4)
#: indicators for which there may be no opportunity during a visit
MAY_LACK_OPPORTUNITY = ("sr3", "sr4", "em4", "fr3", "ps1", "ps2", "ps3", "ps4")
RATERS = ("K1", "K2", "K3", "K4", "K5")


def write_observation(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the two observation files."""
    visits = _visits(parameters, population)
    return [
        write_csv(_indicators(parameters, visits), folder / "observation/practice_indicators.csv"),
        write_csv(_ratings(parameters, visits), folder / "observation/interaction_ratings.csv"),
    ]


def _visits(parameters: dict, population: Population) -> pd.DataFrame:
    """Return one row a visit with its latent level of practice."""
    spec, random = parameters["observation"], stream(parameters, "visits")
    rooms = population.people[population.people["room"] != ""].sort_values(["wave", "room"])
    visits = pd.DataFrame({"visit_id": rooms["room"].to_numpy() + "-" + rooms["wave"].to_numpy()})
    visits["center"], visits["classroom"] = rooms["center_id"].to_numpy(), rooms["room"].to_numpy()
    visits["wave"], visits["lead_teacher"] = rooms["wave"].to_numpy(), rooms["person_id"].to_numpy()
    for wave, own in visits.groupby("wave"):
        visits.loc[own.index, "visit_date"] = random_dates(parameters["waves"][wave], len(own), random)
    centers = pd.Series(random.standard_normal(len(population.centers)), index=population.centers["center_id"])
    names = visits["classroom"].unique()
    classrooms = pd.Series(random.standard_normal(len(names)), index=names)
    engagement = population.centers.set_index("center_id")["engagement"]
    level = visits["wave"].map({"T1": 0.0, **spec["change"]}) + spec["sd_center"] * visits["center"].map(centers)
    level += spec["sd_classroom"] * visits["classroom"].map(classrooms) + spec["sd_visit"] * random.standard_normal(len(visits))
    visits["level"] = level + spec["engagement_after"] * visits["center"].map(engagement) * (visits["wave"] != "T1")
    visits["behavior"] = (random.random(len(visits)) < spec["challenging_behavior"]).astype(int)
    visits["children_present"] = random.integers(8, 19, len(visits))
    visits["rater"] = random.choice(RATERS, len(visits))
    visits["double"] = random.random(len(visits)) < spec["double_coded"]
    return visits


def _second_rater(rater: str) -> str:
    return RATERS[(RATERS.index(rater) + 1) % len(RATERS)]


def _indicators(parameters: dict, visits: pd.DataFrame) -> pd.DataFrame:
    spec, random = parameters["observation"], stream(parameters, "indicators")
    level, n = visits["level"].to_numpy(), len(visits)
    columns = {}
    for stem, mean in spec["indicator_mean"].items():
        for number in range(1, 5):
            columns[f"{stem}{number}"] = (level + mean + parameters["item_shifts"][number - 1] + random.standard_normal(n) > 0).astype(int)
    for number in range(1, 6):
        columns[f"rf{number}"] = (spec["red_flag_mean"] - 0.4 * level + random.standard_normal(n) > 0).astype(int)
    for number in range(1, 7):
        columns[f"cb{number}"] = (level + 0.2 + random.standard_normal(n) > 0).astype(int)
    first = pd.DataFrame(columns, index=visits.index)
    flipped = random.random(first.shape) < spec["second_rater_flips"]
    second = first.where(~flipped, 1 - first)
    no_chance = {name: random.random(n) < spec["no_opportunity"] for name in MAY_LACK_OPPORTUNITY}
    kept = ["visit_id", "center", "classroom", "wave", "visit_date", "lead_teacher", "rater", "children_present"]
    both = []
    for codes, rows in ((first, visits), (second, visits.assign(rater=visits["rater"].map(_second_rater)))):
        form = pd.concat([rows[kept], codes.astype(object)], axis=1)
        form.insert(form.columns.get_loc("cb1"), "cb_occurred", visits["behavior"])
        for name, lacking in no_chance.items():
            form.loc[lacking, name] = "N/O"
        form.loc[visits["behavior"] == 0, [f"cb{k}" for k in range(1, 7)]] = "N/S"
        both.append(form)
    return _stacked(both, visits)


def _ratings(parameters: dict, visits: pd.DataFrame) -> pd.DataFrame:
    spec, random = parameters["observation"], stream(parameters, "ratings")
    raters = {name: spec["sd_rater"] * random.standard_normal() for name in RATERS}
    both = []
    for rows in (visits, visits.assign(rater=visits["rater"].map(_second_rater))):
        form = rows[["visit_id", "center", "classroom", "wave", "lead_teacher", "rater"]].copy()
        for item, mean in spec["rating_mean"].items():
            true = mean + spec["rating_per_unit"] * visits["level"].to_numpy()
            for segment in SEGMENTS:
                value = true + form["rater"].map(raters).to_numpy() + spec["sd_segment"] * random.standard_normal(len(form))
                value = np.clip(np.round(value), 1, 7).astype(int)
                form[f"{item}_seg{segment}"] = np.where(random.random(len(form)) < 0.02, 9, value)
        both.append(form)
    return _stacked(both, visits)


def _stacked(both: list[pd.DataFrame], visits: pd.DataFrame) -> pd.DataFrame:
    """Return the first rater's rows and, for double-coded visits, the second's."""
    rows = pd.concat([both[0], both[1][visits["double"]]], ignore_index=True)
    return rows.sort_values(["wave", "visit_id"], kind="stable").reset_index(drop=True)
