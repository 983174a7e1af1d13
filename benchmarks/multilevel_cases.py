"""The data and models that the benchmark of the multilevel engine fits, for us and for the peers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / "tests" / "reference" / "data"
BESIDE = ROOT.parent / "shared" / "reference"


@dataclass(frozen=True)
class Case:
    """One model on one table; ``repeats``: how often it is timed; ``simulated``: not the classic table, but data of its size."""

    name: str
    formula: str
    frame: pd.DataFrame
    family: str = "gaussian"
    repeats: int = 15
    simulated: bool = False


def cases() -> list[Case]:
    """Return every case; tables that may not be copied into the project are simulated in their size where they are absent."""
    read = pd.read_csv
    simulated = not BESIDE.is_dir()
    hsb = students(7185, 160, 1) if simulated else read(BESIDE / "lmm" / "data" / "mlmRev_Hsb82.csv.gz")
    exam = students(4059, 65, 2) if simulated else read(BESIDE / "edu" / "exam_mlmrev.csv.gz")
    growth = growth_table(1721, 60, 3) if simulated else read(BESIDE / "edu" / "egsingle.csv.gz")
    verbal = items_table(316, 24, 4) if simulated else read(BESIDE / "lmm" / "data" / "lme4_VerbAgg.csv.gz")
    growth = growth.assign(childid=growth.childid.astype(str), schoolid=growth.schoolid.astype(str))
    verbal = verbal.assign(r2=(verbal["r2"].astype(str) == "Y").astype(float)) if "r2" in verbal else verbal
    return [
        Case("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)", read(OWN / "mixed" / "sleepstudy.csv"), repeats=51),
        Case("7x15x3", "y ~ wave * arm + role + (1 | center/pid)", read(OWN / "mixed" / "sim3.csv"), repeats=51),
        Case("HSB", "mAch ~ meanses * cses + sector * cses + (1 + cses | school)", hsb, simulated=simulated),
        Case("Exam", "normexam ~ standLRT + (1 + standLRT | school)", exam, simulated=simulated),
        Case("egsingle", "math ~ year + (1 + year | schoolid) + (1 + year | childid)", growth, repeats=7, simulated=simulated),
        Case("InstEval size", "y ~ service + (1 | s) + (1 | d)", ratings(5), repeats=3, simulated=True),
        Case("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", read(OWN / "mixed" / "penicillin.csv"), repeats=51),
        Case("cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp(), "binomial", 31),
        Case("VerbAgg", "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)", verbal, "binomial", 5, simulated),
        Case(
            "wine", "rating ~ temp + contact + (1 | judge)", read(OWN / "lmm" / "ordinal_wine.csv", dtype={"judge": str}), "cumulative", 31
        ),
    ]


def cbpp() -> pd.DataFrame:
    """Return the lung disease table with periods and herds as text, so that both programs take them for categories."""
    return pd.read_csv(OWN / "mixed" / "cbpp.csv", dtype={"period": str, "herd": str})


def students(n: int, n_schools: int, seed: int) -> pd.DataFrame:
    """Return pupils in schools with the columns of HSB and Exam."""
    rng = np.random.default_rng(seed)
    school = np.sort(rng.integers(0, n_schools, n))
    cses, lrt = rng.normal(size=(2, n))
    sector = np.where(np.arange(n_schools) % 2, "Catholic", "Public")[school]
    level, slope = 1.5 * rng.normal(size=n_schools)[school], 0.3 * rng.normal(size=n_schools)[school]
    outcome = 12 + level + (2.5 + slope) * cses + 6 * rng.normal(size=n)
    columns = {"meanses": rng.normal(size=n_schools)[school], "cses": cses, "sector": sector, "mAch": outcome}
    return pd.DataFrame({"school": school.astype(str), **columns, "standLRT": lrt, "normexam": 0.5 * lrt + level / 5 + rng.normal(size=n)})


def growth_table(n_children: int, n_schools: int, seed: int) -> pd.DataFrame:
    """Return children in schools over up to six years."""
    rng = np.random.default_rng(seed)
    school = np.sort(rng.integers(0, n_schools, n_children))
    child = np.repeat(np.arange(n_children), rng.integers(2, 7, n_children))
    year = np.concatenate([np.arange(k) for k in np.bincount(child)]) - 2.5
    own = rng.normal(size=(n_children, 2)) * [0.8, 0.1]
    shared = rng.normal(size=(n_schools, 2)) * [0.4, 0.1]
    level, slope = (own + shared[school])[child].T
    columns = {"schoolid": school[child].astype(str), "childid": child.astype(str), "year": year}
    return pd.DataFrame({**columns, "math": -0.8 + level + (0.76 + slope) * year + 0.55 * rng.normal(size=len(child))})


def items_table(n_people: int, n_items: int, seed: int) -> pd.DataFrame:
    """Return yes/no answers of people to items with the columns of VerbAgg."""
    rng = np.random.default_rng(seed)
    person, item = (part.ravel() for part in np.meshgrid(np.arange(n_people), np.arange(n_items), indexing="ij"))
    anger, gender = rng.normal(20, 5, n_people)[person], np.where(rng.random(n_people) < 0.5, "F", "M")[person]
    btype, situ = np.array(["curse", "scold", "shout"])[item % 3], np.array(["other", "self"])[item % 2]
    eta = 1.3 * rng.normal(size=n_people)[person] + 0.5 * rng.normal(size=n_items)[item] + 0.06 * (anger - 20) - (item % 3)
    columns = {"id": person.astype(str), "item": item.astype(str), "Anger": anger, "Gender": gender, "btype": btype, "situ": situ}
    return pd.DataFrame({**columns, "r2": (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)})


def ratings(seed: int) -> pd.DataFrame:
    """Return 73,421 ratings by 2,972 students of 1,128 instructors (the size of lme4's InstEval)."""
    rng = np.random.default_rng(seed)
    n, n_students, n_instructors = 73_421, 2_972, 1_128
    s, d = rng.integers(0, n_students, n), rng.integers(0, n_instructors, n)
    service = rng.integers(0, 2, n)
    outcome = (
        3.3 - 0.09 * service + 0.33 * rng.normal(size=n_students)[s] + 0.52 * rng.normal(size=n_instructors)[d] + 1.18 * rng.normal(size=n)
    )
    return pd.DataFrame({"s": s.astype(str), "d": d.astype(str), "service": service, "y": outcome})


def nested_rows(n: int, seed: int) -> pd.DataFrame:
    """Return n rows in about n / 20 persons in about n / 500 centers (at least 7), for the growth curve."""
    rng = np.random.default_rng(seed)
    n_persons, n_centers = max(n // 20, 14), max(n // 500, 7)
    center = np.sort(np.r_[np.arange(n_centers), rng.integers(0, n_centers, n_persons - n_centers)])
    person = np.sort(np.r_[np.arange(n_persons), rng.integers(0, n_persons, n - n_persons)])
    wave = rng.integers(0, 4, n).astype(float)
    outcome = 3 + 0.2 * wave + 0.3 * rng.normal(size=n_centers)[center[person]] + 0.5 * rng.normal(size=n_persons)[person]
    outcome += 0.5 * rng.normal(size=n)
    return pd.DataFrame({"center": center[person], "person": person, "wave": wave, "y": outcome})
