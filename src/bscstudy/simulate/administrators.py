"""The administrator survey: a REDCap export of records and its data dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.responses import draw_codes, reverse
from bscstudy.simulate.staff import random_dates
from bscstudy.simulate.truth import planted
from bscstudy.simulate.writers import write_csv

STEMS = ("adm_lead", "adm_infra", "adm_res", "adm_data")
AGREE = "1, Strongly disagree | 2, Disagree | 3, Neither | 4, Agree | 5, Strongly agree"
FORM = "administrator_survey"
DICTIONARY_COLUMNS = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label", "Choices, Calculations, OR Slider Labels",
    "Field Note", "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max", "Identifier?",
    "Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment", "Question Number (surveys only)",
    "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
]  # fmt: skip


def write_administrators(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the administrators' records and the data dictionary."""
    random = stream(parameters, "administrators")
    directors = population.people[population.people["role"] == "director"]
    waves = [_wave_forms(parameters, population, directors[directors["wave"] == wave], wave, random) for wave in ("T1", "T3", "T4")]
    forms = pd.concat(waves, ignore_index=True).sort_values(["record_id", "redcap_event_name"], kind="stable").reset_index(drop=True)
    free = list(random.permutation(len(forms)))
    for _ in range(planted(parameters, "out_of_range", "admin")):
        forms.loc[int(free.pop()), "adm_vacancies"] = "310"
    for _ in range(planted(parameters, "date_outside_wave", "admin")):
        row = int(free.pop())
        forms.loc[row, "adm_date"] = "19" + forms.loc[row, "adm_date"][2:]
    return [
        write_csv(forms, folder / "admin/administrator_survey.csv"),
        write_csv(_dictionary(), folder / "admin/administrator_survey_dictionary.csv"),
    ]


def _wave_forms(parameters: dict, population: Population, directors: pd.DataFrame, wave: str, random: np.random.Generator) -> pd.DataFrame:
    spec = parameters["administrators"]
    directors = directors[random.random(len(directors)) < spec["response"][wave]]
    n = len(directors)
    forms = pd.DataFrame({"record_id": directors["center_id"].to_numpy(), "redcap_event_name": f"{wave.lower()}_arm_1"})
    forms["admin_id"] = directors["person_id"].to_numpy()
    forms["adm_date"] = random_dates(parameters["waves"][wave], n, random)
    for stem in STEMS:
        own = spec[stem]
        center = population.center_values[own["follows"]].loc[directors["center_id"]].to_numpy()
        level = own["mean"] + own["change"].get(wave, 0.0) + center + 0.5 * random.standard_normal(n)
        for number in range(1, 5):
            codes = draw_codes(level, parameters["item_shifts"][number - 1], spec["sd_item"], parameters["cutpoints"]["agree5"], random)
            codes = reverse(codes, 5) if number in own["reversed"] else codes
            forms[f"{stem}{number}"] = _with_missing(codes, random)
    forms["adm_vacancies"] = [str(v) for v in random.poisson(1.2, n)]
    for number, chance in enumerate((0.4, 0.6, 0.2), start=1):
        forms[f"adm_fund___{number}"] = (random.random(n) < chance).astype(int).astype(str)
    forms["adm_continue"] = (random.random(n) < 0.7).astype(int).astype(str) if wave == "T4" else ""
    forms[f"{FORM}_complete"] = "2"
    return forms


def _with_missing(codes: np.ndarray, random: np.random.Generator) -> list[str]:
    draw = random.random(len(codes))
    return ["-97" if d < 0.02 else "-98" if d < 0.03 else "" if d < 0.05 else str(c) for d, c in zip(draw, codes, strict=True)]


def _dictionary() -> pd.DataFrame:
    def field(
        name: str, kind: str, label: str, choices: str = "", check: str = "", low: str = "", high: str = "", branch: str = ""
    ) -> list[str]:
        return [name, FORM, "", kind, label, choices, "", check, low, high, "", branch, "", "", "", "", "", ""]

    rows = [
        field("record_id", "text", "Center"),
        field("admin_id", "text", "Administrator"),
        field("adm_date", "text", "Date of the form", check="date_ymd"),
        *(field(f"{stem}{n}", "radio", f"Statement {n} of {stem}", AGREE) for stem in STEMS for n in range(1, 5)),
        field("adm_vacancies", "text", "Open teaching positions today", check="integer", low="0", high="30"),
        field("adm_fund", "checkbox", "Improvement work paid by", "1, State quality grant | 2, Agency or owner | 3, Private foundation"),
        field("adm_continue", "yesno", "The team will go on meeting after the study", branch="[event-name] = 't4_arm_1'"),
    ]
    return pd.DataFrame(rows, columns=DICTIONARY_COLUMNS)
