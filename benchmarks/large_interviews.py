"""Time and memory of a large coded project: 2,000 documents with 200,000 codings read and counted, each step in a process of its own.

Run from the repository's root, without other work on the machine (about a minute)::

    .venv/bin/python benchmarks/large_interviews.py [--documents 2000] [--codings 100]

The demonstration study (synthetic) is copied to a temporary folder and its interviews are replaced: focus groups of its 23 centers at
two waves, each with the given number of coded passages of the first coder in a REFI-QDA project and the same of every tenth document,
less some, of the second coder in a table (seed 1). For each step of the workflow from the files to the tables of themes: seconds on the
clock, seconds of processor time and the process's peak memory, from the start of Python to the written table.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import importlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
#: sources that say who and where, read before the clock starts
BEFORE = ("centers", "roster", "admin", "staff_t1", "staff_t3", "staff_t4", "parent_t1", "parent_t3", "parent_t4", "peers")
STEPS = ("documents", "asked", "coding_main", "coding_second", "code_themes")
TARGET = "target: 60 s, 2 GB"


def make_interviews(folder: Path, n_documents: int, n_codings: int) -> None:
    """Replace the interviews of a copied study."""
    from bscstudy.simulate import sentences
    from bscstudy.simulate.interviews import Passage, Transcript
    from bscstudy.simulate.project_file import all_codes, write_project

    random, centers = np.random.default_rng(1), pd.read_csv(folder / "data/raw/register/centers.csv")["center"].tolist()
    codes, topics = all_codes(), sorted({theme.topic for theme in sentences.THEMES.values()})
    sentence, transcripts = "What we tried with the children went better than before. ", []
    for number in range(n_documents):
        center, wave = centers[number % len(centers)], ("T2", "T4")[number % 2]
        drawn = random.integers(len(codes), size=n_codings)
        passages = tuple(Passage(codes[c], i * len(sentence), (i + 1) * len(sentence) - 1) for i, c in enumerate(drawn))
        asked = {topic: int(random.random() < 0.8) for topic in topics}
        name = f"{center}-{wave}-D{number:05d}"
        transcripts.append(Transcript(name, center, wave, "focus_group", "teacher", "", sentence * n_codings, asked, passages))
    place = folder / "data/raw/interviews"
    rows = [(t.document, t.center, t.wave, t.kind, t.role, t.person, len(t.text.split())) for t in transcripts]
    columns = ["document", "center", "wave", "type", "role", "person", "words"]
    pd.DataFrame(rows, columns=columns).to_csv(place / "documents.csv", index=False)
    rows = [(t.document, topic, flag) for t in transcripts for topic, flag in t.asked.items()]
    pd.DataFrame(rows, columns=["document", "topic", "asked"]).to_csv(place / "asked.csv", index=False)
    write_project(transcripts, place / "coding_main.qdpx")
    rows = [(t.document, p.code, p.start, p.end, "coder_2") for t in transcripts[::10] for p in t.passages if random.random() < 0.8]
    columns = ["Document name", "Code", "Beginning", "End", "Coder"]
    pd.DataFrame(rows, columns=columns).to_csv(place / "coding_second.csv", index=False)


def run_one(step: str) -> None:
    """Run one step in the study of the working folder with the inputs and outputs that its rule names."""
    from bscstudy.config import read_sections
    from bscstudy.loading import load_study
    from bscstudy.sections import sections_of
    from bscstudy.workflow import Job, collect_seldom

    collect_seldom()
    study = load_study(Path("config"))
    rule = step if step in ("link_people", "code_themes") else "ingest_source"
    wildcards = {} if rule == step else {"source": step}
    inputs, outputs = files(study, rule, step)
    config = read_sections(Path("config"), sections_of(study, rule, wildcards))
    importlib.import_module(f"bscstudy.steps.{rule}").run(Job(inputs, outputs, config, wildcards, 1))


class _InQual(dict):
    """Outputs of the step by name, whatever their names are."""

    def __missing__(self, name: str) -> Path:
        return Path("data/derived/qual") / f"{name}.csv"


def files(study: dict, rule: str, source: str) -> tuple[dict, dict]:
    """Return the inputs and outputs of a rule."""
    from bscstudy import pipeline

    derived = Path(pipeline.DERIVED)
    people = {name: derived / f"{name}.csv" for name in ("people", "centers")}
    register = [Path(pipeline.source_table(name)) for name in pipeline.register_sources(study)]
    if rule == "ingest_source":
        return {"files": [Path(file) for file in pipeline.source_files(study, source)]}, {"table": Path(pipeline.source_table(source))}
    if rule == "link_people":
        tables = [Path(pipeline.source_table(name)) for name in pipeline.person_sources(study)]
        return {"register": register, "tables": tables}, people
    qual = study["qual"]
    sources = {"codings": [Path(pipeline.source_table(name)) for name in pipeline.coding_sources(study)], "register": register}
    sources |= {name: Path(pipeline.source_table(qual[name])) for name in ("documents", "asked")}
    return {**sources, **people}, _InQual()


def measured(folder: Path, step: str) -> tuple[float, float, float]:
    """Run a step in a process of its own; return its seconds on the clock, its processor time and its peak memory in MB."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "--step", step], cwd=folder)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{step} stopped")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Make the study and print the table."""
    parser = argparse.ArgumentParser(description="Time and memory of a large coded project.")
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--codings", type=int, default=100)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        return make_interviews(given.make, given.documents, given.codings)
    if given.step:
        return run_one(given.step)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "study"
        shutil.copytree(ROOT / "config", folder / "config")
        shutil.copytree(ROOT / "data/raw", folder / "data/raw")
        sizes = ["--documents", str(given.documents), "--codings", str(given.codings)]
        # in a process of its own, because a child's peak begins at its parent's size
        subprocess.run([sys.executable, __file__, "--make", str(folder), *sizes], check=True)
        for step in (*BEFORE, "link_people"):
            measured(folder, step)
        print(f"{given.documents:,} documents, {given.documents * given.codings:,} codings of the first coder")
        print(f"{'step':<24}{'clock, s':>10}{'processor, s':>14}{'peak, MB':>10}", flush=True)
        found = []
        for step in STEPS:
            found.append(measured(folder, step))
            print(f"{step:<24}{found[-1][0]:>10.1f}{found[-1][1]:>14.1f}{found[-1][2]:>10.0f}", flush=True)
        clock, processor, peak = np.array(found)[:, 0].sum(), np.array(found)[:, 1].sum(), np.array(found)[:, 2].max()
        print(f"{'together':<24}{clock:>10.1f}{processor:>14.1f}{peak:>10.0f}   {TARGET}")


if __name__ == "__main__":
    main()
