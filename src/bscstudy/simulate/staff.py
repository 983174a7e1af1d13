"""The staff survey: one SPSS file for each wave, with the defects that the checks must find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.responses import draw_codes, reverse
from bscstudy.simulate.truth import planted
from bscstudy.simulate.writers import write_sav

ROLE_CODES = {"director": 1, "teacher": 2, "assistant": 3, "support": 4}
LABELS = {
    "agree5": {1: "Strongly disagree", 2: "Disagree", 3: "Neither", 4: "Agree", 5: "Strongly agree"},
    "agree4": {1: "Disagree", 2: "Rather disagree", 3: "Rather agree", 4: "Agree"},
    "freq5": {1: "Never", 2: "Rarely", 3: "Sometimes", 4: "Often", 5: "Very often"},
    "yes_no": {0: "No", 1: "Yes"},
    "role": {1: "Director", 2: "Lead teacher", 3: "Assistant teacher", 4: "Support staff"},
    "education": {1: "High school", 2: "Child development credential", 3: "Associate degree", 4: "Bachelor degree or more"},
}
MISSING_LABELS = {97: "Don't know", 98: "Refused", 99: "Skipped"}
MISSING_RANGE = [{"lo": 97, "hi": 99}]


def write_staff(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the three files of the staff survey below ``folder``."""
    return [_write_wave(folder, parameters, population, wave) for wave in ("T1", "T3", "T4")]


def _write_wave(folder: Path, parameters: dict, population: Population, wave: str) -> Path:
    random = stream(parameters, f"staff {wave}")
    in_wave = (population.people["wave"] == wave).to_numpy()
    answered = in_wave & (random.random(len(in_wave)) < parameters["staff"]["response"][wave])
    forms = _forms(parameters, population, wave, np.flatnonzero(answered), random)
    forms = forms.sort_values(["completed_on", "pid"], kind="stable").reset_index(drop=True)
    forms = _with_defects(forms, parameters, f"staff_{wave.lower()}", random)
    scales = response_of_items(parameters, wave)
    coded = {item: {**LABELS[scale], **MISSING_LABELS} for item, scale in scales.items()}
    coded |= {"role": LABELS["role"], "core": LABELS["yes_no"], "education": {**LABELS["education"], **MISSING_LABELS}}
    ranges = {item: MISSING_RANGE for item in (*scales, "education", "years_experience")}
    if wave == "T4":
        forms = forms.rename(columns={"lead2": "leadership_2"})
        forms["batch"] = 4.0
        coded["leadership_2"], ranges["leadership_2"] = coded.pop("lead2"), ranges.pop("lead2")
    labels = {"pid": "Person", "center": "Center", "completed_on": "Date on the form", "comment": "Anything else?"}
    path = folder / f"staff/staff_survey_{wave.lower()}.sav"
    return write_sav(forms, path, labels=labels, value_labels=coded, missing_ranges=ranges)


def response_of_items(parameters: dict, wave: str) -> dict[str, str]:
    """Return the response scale of each item that is asked in a wave."""
    found = {}
    for stem, spec in parameters["constructs"].items():
        scale = "agree4" if (stem, wave) == ("tech", "T4") else spec.get("response", "agree5")
        found |= {f"{stem}{number}": scale for number in range(1, spec["items"] + 1)}
    return found | ({f"spread{n}": "yes_no" for n in (1, 2, 3)} if wave != "T1" else {})


def _forms(parameters: dict, population: Population, wave: str, rows: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    people = population.people.iloc[rows]
    forms = pd.DataFrame({"pid": people["person_id"].to_numpy(), "center": people["center_id"].to_numpy()})
    forms["role"] = people["role"].map(ROLE_CODES).to_numpy(dtype=float)
    forms["core"] = people["core"].to_numpy(dtype=float)
    forms["completed_on"] = random_dates(parameters["waves"][wave], len(rows), random)
    forms["years_experience"] = np.clip(np.round(random.gamma(2.0, 5.0, len(rows))), 0, 45)
    forms["education"] = random.choice([1.0, 2.0, 3.0, 4.0], len(rows), p=[0.2, 0.3, 0.25, 0.25])
    role = people["role"].to_numpy()
    for stem, spec in parameters["constructs"].items():
        asked = np.isin(role, spec.get("asked", list(ROLE_CODES)))
        cutpoints = parameters["cutpoints"][response_of_items(parameters, wave)[f"{stem}1"]]
        for number in range(1, spec["items"] + 1):
            shift = parameters["item_shifts"][number - 1]
            codes = draw_codes(population.levels[stem][rows], shift, parameters["latent"]["sd_item"], cutpoints, random)
            codes = reverse(codes, len(cutpoints) + 1) if number in spec.get("reversed", []) else codes
            forms[f"{stem}{number}"] = np.where(asked, _with_missing(codes, parameters, random), np.nan)
    if wave != "T1":
        forms = forms.assign(**_spread_items(parameters, population, people, random))
    written = random.random(len(rows)) < 0.1
    forms["comment"] = np.where(written, "A synthetic remark, written by no one.", "")
    return forms


def _with_missing(codes: np.ndarray, parameters: dict, random: np.random.Generator) -> np.ndarray:
    draw, values = random.random(len(codes)), codes.astype(float)
    threshold = 0.0
    for code, share in parameters["staff"]["item_missing"].items():
        values = np.where((draw >= threshold) & (draw < threshold + share), float(code), values)
        threshold += share
    return values


def _spread_items(parameters: dict, population: Population, people: pd.DataFrame, random: np.random.Generator) -> dict:
    spec = parameters["spread"]
    engagement = people["center_id"].map(population.centers.set_index("center_id")["engagement"]).to_numpy()
    base = np.where(people["core"].to_numpy() == 1, spec["core"], spec["other"])
    chance = 1 / (1 + np.exp(-(np.log(base / (1 - base)) + spec["engagement"] * engagement)))
    return {f"spread{n}": _with_missing((random.random(len(people)) < chance).astype(int), parameters, random) for n in (1, 2, 3)}


def random_dates(window: dict, n: int, random: np.random.Generator) -> list[str]:
    """Return ISO dates inside a wave's window."""
    days = pd.date_range(window["start"], window["end"]).strftime("%Y-%m-%d")
    return [str(days[i]) for i in random.integers(0, len(days), n)]


def _with_defects(forms: pd.DataFrame, parameters: dict, source: str, random: np.random.Generator) -> pd.DataFrame:
    """Put the planted defects into different forms, so that each can be counted by itself."""
    free = list(random.permutation(len(forms)))

    def take(check: str) -> list[int]:
        return [int(free.pop()) for _ in range(planted(parameters, check, source))]

    for place, row in enumerate(take("out_of_range")):
        forms.loc[row, "years_experience"] = (150.0, 88.0, -3.0)[place % 3]
    for row in take("unknown_code"):
        forms.loc[row, "motiv1"] = 7.0
    for row in take("invalid_date"):
        forms.loc[row, "completed_on"] = "2024-11-31"
    for row in take("date_outside_wave"):
        forms.loc[row, "completed_on"] = "2015" + forms.loc[row, "completed_on"][4:]
    for row in take("id_spelling_changed"):
        forms.loc[row, ["pid", "center"]] = [forms.loc[row, "pid"].lower(), forms.loc[row, "center"].lower()]
    for row in take("straight_lining"):
        items = [c for c in response_of_items(parameters, "T4") if not c.startswith("spread") and not np.isnan(forms.loc[row, c])]
        forms.loc[row, items] = 3.0
    second = forms.iloc[take("duplicate_key")].assign(completed_on=forms["completed_on"].max(), lead1=4.0)
    strangers = forms.iloc[take("unknown_center")].copy()
    strangers["center"] = "X99"
    strangers["pid"] = [f"X99-P{n:02d}" for n in range(1, len(strangers) + 1)]
    return pd.concat([forms, second, strangers], ignore_index=True)
