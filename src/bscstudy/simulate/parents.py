"""The parent survey: one Qualtrics export for each wave, without ids of persons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.responses import draw_codes, reverse
from bscstudy.simulate.staff import random_dates
from bscstudy.simulate.truth import planted
from bscstudy.simulate.writers import write_qualtrics

QUESTIONS = {"par": "Q1", "conf": "Q2"}


def write_parents(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the three exports of the parent survey."""
    return [_write_wave(folder, parameters, population, wave) for wave in ("T1", "T3", "T4")]


def _write_wave(folder: Path, parameters: dict, population: Population, wave: str) -> Path:
    random = stream(parameters, f"parents {wave}")
    fewest, most = parameters["parents"]["answering"][wave]
    sizes = random.integers(fewest, most + 1, len(population.centers))
    centers = np.repeat(population.centers["center_id"].to_numpy(), sizes)
    forms = _forms(parameters, population, wave, centers, random)
    for row in range(planted(parameters, "unknown_center", f"parent_{wave.lower()}")):
        forms.loc[len(forms) - 1 - row, "center"] = "X99"
    previews = forms.iloc[: parameters["parents"]["previews"][wave]].assign(Status="1", DistributionChannel="preview", center="")
    forms = pd.concat([forms, previews], ignore_index=True).sort_values("RecordedDate", kind="stable").reset_index(drop=True)
    forms["ResponseId"] = [f"R_{wave}{number:05d}" for number in range(1, len(forms) + 1)]
    questions = {"Q1_1": "Staff and me - they ask what I want", "Q3": "Is there anything else you would like to say?", "center": "center"}
    return write_qualtrics(forms, folder / f"parents/parent_survey_{wave.lower()}.csv", questions=questions)


def _forms(parameters: dict, population: Population, wave: str, centers: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    n, spec = len(centers), parameters["parents"]
    days = random_dates(parameters["waves"][wave], n, random)
    seconds = random.integers(7 * 3600, 21 * 3600, n)
    lasting = random.integers(90, 900, n)
    forms = pd.DataFrame({"StartDate": [_moment(d, s) for d, s in zip(days, seconds, strict=True)]})
    forms["EndDate"] = [_moment(d, s + t) for d, s, t in zip(days, seconds, lasting, strict=True)]
    forms = forms.assign(Status="0", Progress="100", **{"Duration (in seconds)": lasting.astype(str)}, Finished="1")
    forms["RecordedDate"] = [_moment(d, s + t + 1) for d, s, t in zip(days, seconds, lasting, strict=True)]
    forms["ResponseId"] = ""
    forms["DistributionChannel"] = "anonymous"
    forms["UserLanguage"] = random.choice(["EN", "ES"], n, p=[0.75, 0.25])
    center = population.center_values["family"].loc[centers].to_numpy()
    for stem, question in QUESTIONS.items():
        own = spec[stem]
        level = own["mean"] + own["change"].get(wave, 0.0) + center + spec["sd_person"] * random.standard_normal(n)
        for number in range(1, own["items"] + 1):
            codes = draw_codes(
                level, parameters["item_shifts"][number - 1], parameters["latent"]["sd_item"], parameters["cutpoints"]["agree5"], random
            )
            codes = reverse(codes, 5) if number in own["reversed"] else codes
            skipped = random.random(n) < spec["item_missing"]
            forms[f"{question}_{number}"] = np.where(skipped, "-99", codes.astype(str))
    forms["Q3"] = np.where(random.random(n) < 0.08, "A synthetic remark, with a comma and\na second line.", "")
    forms["center"] = centers
    return forms


def _moment(day: str, second: int) -> str:
    return f"{day} {second // 3600:02d}:{second % 3600 // 60:02d}:{second % 60:02d}"
