"""What the collaborative left behind: sessions, PDSA cycles, action plans, forum posts, coaching contacts, costs."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.writers import write_csv, write_xlsx

#: session -> date, mode, wave whose staff is employed then
SESSIONS = {
    "LS1": ("2023-11-28", "in_person", "T1"),
    "LS2": ("2024-03-12", "online", "T1"),
    "LS3": ("2024-06-18", "in_person", "T3"),
    "LS4": ("2024-09-17", "in_person", "T3"),
}
DRIVERS = ("D1", "D2", "D3", "D4")
FIRST_DAY = datetime.datetime(2023, 12, 4)


def write_fidelity(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the files on engagement and fidelity, except the monthly metrics."""
    folder = folder / "fidelity"
    return [
        write_csv(_attendance(parameters, population), folder / "session_attendance.csv"),
        write_xlsx(_cycles(parameters, population), folder / "pdsa_cycles.xlsx", sheet="Cycles"),
        write_xlsx(_actions(parameters, population), folder / "action_plans.xlsx", sheet="Actions"),
        write_csv(_forum(parameters, population), folder / "forum_posts.csv", delimiter=";", encoding="cp1252"),
        write_csv(_coaching(parameters, population), folder / "coaching_contacts.csv"),
        write_xlsx(_costs(parameters, population), folder / "costs.xlsx", sheet="Costs"),
    ]


def logistic(value: float | np.ndarray) -> float | np.ndarray:
    """Return the probability that belongs to log-odds."""
    return 1 / (1 + np.exp(-value))


def _attendance(parameters: dict, population: Population) -> pd.DataFrame:
    spec, random = parameters["fidelity"]["attendance"], stream(parameters, "attendance")
    engagement = population.centers.set_index("center_id")["engagement"]
    people = population.people[population.people["core"] == 1]
    rows = []
    for session, (date, mode, wave) in SESSIONS.items():
        there = people[people["wave"] == wave][["person_id", "center_id", "role"]]
        parents = pd.DataFrame({"person_id": "", "center_id": population.centers["center_id"], "role": "parent"})
        for person, center, role in (
            pd.concat([there, parents]).sort_values(["center_id", "role", "person_id"]).itertuples(index=False, name=None)
        ):
            chance = logistic(spec["intercept"] + spec["engagement"] * engagement[center] + (spec["parent"] if role == "parent" else 0.0))
            rows.append((session, date, mode, center, person, role, int(random.random() < chance)))
    return pd.DataFrame(rows, columns=["session", "session_date", "mode", "center", "person", "role", "present"])


def _cycles(parameters: dict, population: Population) -> pd.DataFrame:
    spec, random = parameters["fidelity"]["pdsa_cycles"], stream(parameters, "cycles")
    rows = []
    for center, engagement in _engaged(population):
        count = max(2, int(random.poisson(max(1.0, spec["mean"] + spec["engagement"] * engagement))))
        for day in sorted(random.integers(0, 290, count)):
            studied = int(random.random() < logistic(spec["studied"] + spec["slope"] * engagement))
            decision = str(random.choice(["adopt", "adapt", "abandon"], p=[0.35, 0.45, 0.20])) if studied else None
            linked = int(random.random() < logistic(spec["linked"] + spec["slope"] * engagement))
            started = FIRST_DAY + datetime.timedelta(days=int(day))
            rows.append(
                (
                    f"C{len(rows) + 1:03d}",
                    center,
                    started,
                    str(random.choice(DRIVERS)),
                    "A small synthetic change",
                    studied,
                    decision,
                    linked,
                )
            )
    return pd.DataFrame(rows, columns=["cycle", "center", "started", "driver", "change_tested", "studied", "decision", "linked"])


def _actions(parameters: dict, population: Population) -> pd.DataFrame:
    random, rows = stream(parameters, "actions"), []
    for session in ("LS1", "LS2", "LS3"):
        for center, engagement in _engaged(population):
            for _ in range(parameters["fidelity"]["actions_per_session"]):
                planned = datetime.datetime.fromisoformat(SESSIONS[session][0]) + datetime.timedelta(days=int(random.integers(7, 60)))
                done = int(random.random() < logistic(0.4 + 0.6 * engagement))
                rows.append((f"A{len(rows) + 1:03d}", center, session, str(random.choice(DRIVERS)), planned, done))
    return pd.DataFrame(rows, columns=["action", "center", "session", "driver", "planned_for", "carried_out"])


def _forum(parameters: dict, population: Population) -> pd.DataFrame:
    spec, random = parameters["fidelity"]["forum_posts"], stream(parameters, "forum")
    rows = []
    for center, engagement in _engaged(population):
        for day in random.integers(0, 300, max(1, int(random.poisson(max(1.0, spec["mean"] + spec["engagement"] * engagement))))):
            role = str(random.choice(["director", "teacher", "assistant", "parent"], p=[0.35, 0.40, 0.15, 0.10]))
            words = int(np.clip(random.lognormal(3.6, 0.7), 3, 900))
            rows.append(((FIRST_DAY + datetime.timedelta(days=int(day))).date().isoformat(), center, role, words))
    posts = pd.DataFrame(rows, columns=["posted_on", "center", "role", "words"]).sort_values(["posted_on", "center"], kind="stable")
    posts.insert(0, "post", [f"P{n:03d}" for n in range(1, len(posts) + 1)])
    return posts


def _coaching(parameters: dict, population: Population) -> pd.DataFrame:
    spec, random = parameters["fidelity"]["coaching"], stream(parameters, "coaching")
    rows = []
    for center, engagement in _engaged(population):
        expected = spec["mean"] + spec["engagement"] * engagement + spec["center"] * population.center_values.loc[center, "coach"]
        for day in random.integers(0, 300, max(2, int(random.poisson(max(2.0, expected))))):
            minutes = int(np.clip(round(random.normal(spec["minutes"], 15) / 5) * 5, 10, 120))
            rows.append(
                (FIRST_DAY + datetime.timedelta(days=int(day)), center, minutes, str(random.choice(["in_person", "online"], p=[0.6, 0.4])))
            )
    contacts = pd.DataFrame(rows, columns=["contact_date", "center", "minutes", "mode"]).sort_values(
        ["contact_date", "center"], kind="stable"
    )
    contacts["contact_date"] = contacts["contact_date"].dt.strftime("%m/%d/%Y")
    contacts.insert(0, "contact", [f"K{n:03d}" for n in range(1, len(contacts) + 1)])
    return contacts


def _costs(parameters: dict, population: Population) -> pd.DataFrame:
    random, rows = stream(parameters, "costs"), []
    for center, engagement in _engaged(population):
        hours = float(np.round(max(60.0, random.normal(210 + 30 * engagement, 35)), 1))
        rows.append((center, "staff_time", hours, round(hours * parameters["fidelity"]["hourly_cost"], 2)))
        rows.append((center, "fees", None, 4000.0))
        rows.append((center, "travel", None, float(np.round(random.gamma(4.0, 220.0), 2))))
        rows.append((center, "materials", None, float(np.round(random.gamma(3.0, 180.0), 2))))
    return pd.DataFrame(rows, columns=["center", "category", "hours", "amount"])


def _engaged(population: Population) -> list[tuple[str, float]]:
    return list(population.centers[["center_id", "engagement"]].itertuples(index=False, name=None))
