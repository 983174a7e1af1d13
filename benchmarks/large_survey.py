"""Time and memory of a large survey: 200,000 forms of 300 items ingested, checked, linked and scored, each step in a process of its own.

Run from the repository's root, without other work on the machine (two to four minutes, most of it to write the file)::

    .venv/bin/python benchmarks/large_survey.py [--reader csv|spss] [--rows 200000] [--keep FOLDER]

A study is made in a temporary folder: 30 scales of ten five-point items (every fourth item reversed), 30 centers, one wave and one
form a person; of all cells 2 % are blank, 3 % hold a code for missing and 1 in 10,000 a number that is no answer (seed 1). The steps
of the workflow run in its order. For each: seconds on the clock, seconds of processor time and the process's peak memory, from the
start of Python to the written table. The target is 60 s and 4 GB for ingesting, checking, linking and scoring together;
`score_reliability` is printed below it. `--keep` leaves the study in a folder.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ITEMS, SCALES, CENTERS, PORTION = 300, 30, 30, 20_000
#: what a cell may hold -> its share
CELLS = {"1": 0.15, "2": 0.2, "3": 0.25, "4": 0.2, "5": 0.1499, "": 0.02, "98": 0.02, "99": 0.01, "7": 0.0001}
#: rule -> its wildcards; those after the blank line of the table are not part of the target
STEPS = (("ingest_source", "centers"), ("ingest_source", "staff"), ("check_quality", ""), ("link_people", ""), ("score_scales", ""))
BEYOND = (("score_reliability", ""),)
TARGET = "target: 60 s, 4 GB"


def item_names() -> list[str]:
    """Return the items in the order of the file."""
    return [f"q{number:03d}" for number in range(1, ITEMS + 1)]


def scale_items(scale: int) -> str:
    """Return the item list of one scale; every fourth item is reversed."""
    names = item_names()[scale * 10 : scale * 10 + 10]
    return " ".join(f"-{name}" if place % 4 == 3 else name for place, name in enumerate(names))


def make_study(folder: Path, reader: str, rows: int) -> None:
    """Write the configuration and the raw files of the study."""
    (folder / "config" / "codebook").mkdir(parents=True)
    (folder / "data" / "raw").mkdir(parents=True)
    file = "data/raw/staff.csv" if reader == "csv" else "data/raw/staff.sav"
    for name, content in configuration(reader, file).items():
        (folder / "config" / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    for name, table in codebook().items():
        table.to_csv(folder / "config" / "codebook" / name, index=False)
    columns = ["exhibit", "kind", "title", "section", "order", "options"]
    pd.DataFrame(columns=columns).to_csv(folder / "config" / "exhibits.csv", index=False)
    centers = pd.DataFrame({"center_id": [f"C{n:02d}" for n in range(1, CENTERS + 1)], "collaborative": "first", "program_type": "1"})
    centers.to_csv(folder / "data" / "raw" / "centers.csv", index=False)
    write = write_csv if reader == "csv" else write_spss
    write(folder / file, rows)


def configuration(reader: str, file: str) -> dict[str, dict]:
    """Return the files of config/ by name."""
    wave = {"id": "before", "label": "Before", "order": 1, "phase": "baseline", "start": "2026-01-01", "end": "2026-02-28"}
    study = {
        "study": {"id": "large", "title": "A large survey (invented)", "synthetic": True, "seed": 1, "description": "For timing."},
        "waves": [wave],
        "collaboratives": [{"id": "first", "label": "First collaborative"}],
        "roles": [{"id": "teacher", "label": "Teacher"}],
        "register": {"centers": "centers", "people": None},
        "ids": {"person_id": {"case": "upper"}},
        "privacy": {"min_cell": 10, "show_centers": False},
        "exclusions": [],
    }
    keys = {"center_id": "center_id", "collaborative": "collaborative"}
    people = {"person_id": "person_id", "center_id": "center_id", "role": {"constant": "teacher"}}
    sources = {
        "centers": {"instrument": "center_register", "reader": "csv", "file": "data/raw/centers.csv", "keys": keys, "key": ["center_id"]},
        "staff": {
            "instrument": "staff_survey",
            "reader": reader,
            "file": file,
            "wave": "before",
            "keys": people,
            "key": ["person_id", "wave"],
        },
    }
    tolerated = {"check": "unknown_code", "source": "staff", "reason": "Numbers that are no answer are set to missing."}
    return {"config.yaml": study, "sources.yaml": sources, "checks.yaml": {"tolerated": [tolerated]}, "theory_of_change.yaml": theory()}


def theory() -> dict:
    """Return the one construct that every scale measures."""
    return {"constructs": [{"id": "practice", "label": "Practice", "level": "individual", "block": "mechanism"}], "arrows": []}


def codebook() -> dict[str, pd.DataFrame]:
    """Return the files of config/codebook/ by name."""
    survey = {"instrument": "staff_survey", "type": "ordinal", "response_scale": "agree5", "minimum": 1, "maximum": 5, "version": 1}
    items = [{**survey, "item": name, "label": f"Item {name}"} for name in item_names()]
    items.append({"instrument": "center_register", "item": "program_type", "label": "Program type", "type": "nominal", "version": 1})
    labels = ("Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree")
    scale = {"instrument": "staff_survey", "construct": "practice", "rule": "mean", "minimum_valid": 8, "low": 1, "high": 5}
    scales = [{**scale, "scale": f"s{n:02d}", "label": f"Scale {n}", "items": scale_items(n), "better": "higher"} for n in range(SCALES)]
    missing = [
        {"instrument": "staff_survey", "code": 98, "reason": "refused"},
        {"instrument": "staff_survey", "code": 99, "reason": "dont_know"},
    ]
    columns = "instrument item label type response_scale minimum maximum units roles waves sources column version wording".split()
    wanted = "scale instrument construct label rule items minimum_valid waves roles low high better note".split()
    return {
        "items.csv": pd.DataFrame(items).reindex(columns=columns).astype({"minimum": "Int64", "maximum": "Int64"}),
        "response_scales.csv": pd.DataFrame([{"response_scale": "agree5", "code": n, "label": label} for n, label in enumerate(labels, 1)]),
        "missing_codes.csv": pd.DataFrame(missing).reindex(columns=["instrument", "item", "code", "reason"]),
        "scales.csv": pd.DataFrame(scales).reindex(columns=wanted),
    }


def portions(rows: int):
    """Give the forms in portions: first row's number and the place in `CELLS` of each answer."""
    rng = np.random.default_rng(1)
    bounds = np.cumsum(list(CELLS.values()))[:-1]
    for start in range(0, rows, PORTION):
        yield start, np.searchsorted(bounds, rng.random((min(PORTION, rows - start), ITEMS)), side="right").astype(np.int8)


def center_of(person: int) -> str:
    """Return the center of a person."""
    return f"C{person % CENTERS + 1:02d}"


def write_csv(path: Path, rows: int) -> None:
    """Write the survey as comma-separated text."""
    spelled = np.array(list(CELLS), dtype=object)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(["person_id", "center_id", *item_names()]) + "\r\n")
        for start, places in portions(rows):
            for person, record in enumerate(spelled[places].tolist(), start):
                file.write(f"P{person:06d},{center_of(person)},{','.join(record)}\r\n")


def write_spss(path: Path, rows: int) -> None:
    """Write the survey as a .sav file."""
    import pyreadstat

    numbers = np.array([float(cell) if cell else np.nan for cell in CELLS])
    answers = np.concatenate([numbers[places] for _, places in portions(rows)])
    frame = pd.DataFrame(answers, columns=item_names())
    frame.insert(0, "person_id", [f"P{person:06d}" for person in range(rows)])
    frame.insert(1, "center_id", [center_of(person) for person in range(rows)])
    pyreadstat.write_sav(frame, str(path))


def run_one(rule: str, source: str) -> None:
    """Run one step in the study of the working folder, as the workflow does."""
    import importlib

    from bscstudy.config import read_sections
    from bscstudy.loading import load_study
    from bscstudy.sections import sections_of
    from bscstudy.workflow import Job, collect_seldom

    collect_seldom()
    wildcards = {"source": source} if source else {}
    study = load_study(Path("config"))
    inputs, outputs = files(study, rule, source)
    config = read_sections(Path("config"), sections_of(study, rule, wildcards))
    importlib.import_module(f"bscstudy.steps.{rule}").run(Job(inputs, outputs, config, wildcards, 1))


def files(study: dict, rule: str, source: str) -> tuple[dict, dict]:
    """Return the inputs and outputs of a rule."""
    derived = Path("data/derived")
    register, survey = derived / "sources" / "centers.csv", derived / "sources" / "staff.csv"
    measures, checks = derived / "measures", derived / "checks"
    people = {"people": derived / "people.csv", "centers": derived / "centers.csv"}
    if rule == "ingest_source":
        return {"files": Path(study["sources"][source]["file"])}, {"table": derived / "sources" / f"{source}.csv"}
    if rule == "check_quality":
        return {"tables": [register, survey]}, {name: checks / f"{name}.csv" for name in ("findings", "summary", "flow", "drift")}
    if rule == "link_people":
        return {"register": [register], "tables": [survey]}, people
    if rule == "score_scales":
        return {"register": [register], "tables": [survey], **people}, {"table": measures / "scores.csv"}
    names = {"reliability": "reliability", "item_statistics": "items", "aggregation": "aggregation"}
    made = {output: measures / f"{name}.csv" for output, name in names.items()}
    return {"tables": [survey], "scores": measures / "scores.csv"}, made


def measured(folder: Path, rule: str, source: str) -> tuple[float, float, float]:
    """Run a step in a process of its own; return its seconds on the clock, its processor time and its peak memory in MB."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "--step", rule, source], cwd=folder)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{rule} {source} stopped")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def print_steps(folder: Path) -> None:
    """Print one line a step and the total of those that the target names."""
    print(f"{'step':<24}{'clock, s':>10}{'processor, s':>14}{'peak, MB':>10}", flush=True)
    found = []
    for number, (rule, source) in enumerate((*STEPS, *BEYOND)):
        if number == len(STEPS):
            clock, processor, peak = np.array(found)[:, 0].sum(), np.array(found)[:, 1].sum(), np.array(found)[:, 2].max()
            print(f"{'together':<24}{clock:>10.1f}{processor:>14.1f}{peak:>10.0f}   {TARGET}\n", flush=True)
        found.append(measured(folder, rule, source))
        clock, processor, peak = found[-1]
        print(f"{f'{rule} {source}':<24}{clock:>10.1f}{processor:>14.1f}{peak:>10.0f}", flush=True)


def main() -> None:
    """Make the study and print the table."""
    parser = argparse.ArgumentParser(description="Time and memory of a large survey.")
    parser.add_argument("--reader", choices=("csv", "spss"), default="csv")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        return make_study(given.make, given.reader, given.rows)
    if given.step:
        return run_one(*given.step)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        # in a process of its own, because a child's peak begins at its parent's size
        subprocess.run([sys.executable, __file__, "--make", folder, "--reader", given.reader, "--rows", str(given.rows)], check=True)
        print(f"{given.rows:,} rows, {ITEMS} items, reader {given.reader}")
        print_steps(folder)


if __name__ == "__main__":
    main()
