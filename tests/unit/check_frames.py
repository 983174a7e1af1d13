"""A small study by hand for the tests of the checks: two centers, three people, two waves."""

import pandas as pd

from bscstudy.checks.registry import Source

WAVES = [
    {"id": "T1", "label": "Baseline", "order": 1, "phase": "baseline", "start": "2024-01-01", "end": "2024-02-28"},
    {"id": "T3", "label": "After", "order": 3, "phase": "post", "start": "2024-10-01", "end": "2024-11-30"},
]


def item(name, **more):
    """One row of items.csv."""
    plain = {
        "response_scale": "agree5",
        "minimum": 1.0,
        "maximum": 5.0,
        "roles": "",
        "waves": "",
        "sources": "",
        "column": "",
        "version": 1,
    }
    return {"instrument": "staff", "item": name, "label": name, "type": "ordinal", "wording": "", **plain, **more}


def study(**more):
    """The sections of the configuration that the checks read."""
    scale = {"scale": "calm", "instrument": "staff", "rule": "mean", "items": "q1 -q2 q3 q4", "waves": "", "minimum_valid": 3}
    config = {
        "waves": WAVES,
        "register": {"centers": "centers", "people": "roster"},
        "items": [*(item(f"q{i}") for i in range(1, 10)), item("when", type="date", response_scale="")],
        "scales": [scale],
        "checks": {},
        "missing_codes": [{"instrument": "staff", "item": "", "code": "99", "reason": "refused"}],
    }
    return {**config, **more}


def form(row, person, wave, answers, center="c1", role="teacher", when="2024-01-15", excluded=None):
    """One row of an ingested staff form."""
    values = {f"q{i}": value for i, value in enumerate(answers, start=1)}
    return {"row": row, "person_id": person, "center_id": center, "role": role, "wave": wave, "excluded": excluded, **values, "when": when}


MIXED = [1.0, 5.0, 2.0, 1.0, 4.0, 2.0, 3.0, 1.0, 2.0]


def source(name, rows, *, instrument="", wave=None, keys=(), key=(), **extra):
    settings = {
        "id": name,
        "instrument": instrument or name,
        "file": f"data/raw/{name}.csv",
        "keys": {k: k for k in keys},
        "key": list(key),
    }
    return Source(name, pd.DataFrame(rows), {**settings, **({"wave": wave} if wave else {})}, extra)


def staff(name, wave, rows, **extra):
    return source(name, rows, instrument="staff", wave=wave, keys=("person_id", "center_id", "role"), key=("person_id", "wave"), **extra)


def registers():
    centers = source(
        "centers", [{"row": r, "center_id": f"c{r - 1}", "collaborative": "alder", "places": 40} for r in (2, 3)], key=["center_id"]
    )
    listed = [("p1", "T1"), ("p1", "T3"), ("p2", "T1"), ("p3", "T3")]
    rows = [
        {"row": r, "person_id": p, "wave": w, "center_id": "c1", "role": "teacher", "core": "core" if p == "p1" else "other"}
        for r, (p, w) in enumerate(listed, start=2)
    ]
    return {"centers": centers, "roster": source("roster", rows, wave={"column": "wave"}, key=["person_id", "wave"])}


def clean():
    """All sources without any fault except that p3 did not answer at T3."""
    first = staff("staff_t1", "T1", [form(2, "p1", "T1", MIXED), form(3, "p2", "T1", MIXED)])
    last = staff("staff_t3", "T3", [form(2, "p1", "T3", MIXED, when="2024-10-20")])
    return {**registers(), "staff_t1": first, "staff_t3": last}
