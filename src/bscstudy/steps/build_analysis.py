"""Build the tables that models read: persons by wave, visits, centers."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.analysis_tables import center_table, person_table, visit_table
from bscstudy.measures.indices import COLUMNS
from bscstudy.measures.observation_tables import OBSERVATION
from bscstudy.steps.job_tables import read_or_empty, write_output
from bscstudy.tables import Column, read_sidecar, read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write analysis/person.csv, analysis/visit.csv and analysis/center.csv."""
    config, inputs = job.config, job.inputs
    people, centers, scores = (read_table(inputs[name]) for name in ("people", "centers", "scores"))
    observation = read_or_empty(job, "observation", [column.name for column in OBSERVATION])
    fidelity = read_or_empty(job, "fidelity", COLUMNS)
    labels = {scale["scale"]: scale["label"] for scale in config["scales"]}
    known = {c["name"]: Column(**c) for name in ("people", "centers") for c in read_sidecar(inputs[name])["columns"]}

    table = person_table(people, scores, list(labels))
    _write(job, "person", table, ["person_id", "wave"], known, labels, "Persons by wave with their scale scores.")

    table = visit_table(observation, list(dict.fromkeys(observation["score"])))
    _write(job, "visit", table, ["observation_id"], known, {}, "Observation visits with their scores; __n of __of is a share's count.")

    changes = {f"{scale}__change": f"{label}: change from baseline to the last wave" for scale, label in labels.items()}
    indices = dict(zip(fidelity["index"], fidelity["label"], strict=True))
    table = center_table(centers, scores, fidelity, config)
    _write(job, "center", table, ["center_id"], known, {**indices, **changes}, "Centers with fidelity indices and changes of center means.")


def _write(
    job: Job, name: str, table: pd.DataFrame, key: list[str], known: dict[str, Column], labels: dict[str, str], description: str
) -> None:
    named = [Column(column, label, "number") for column, label in labels.items() if column in table.columns]
    described = [column for column in known.values() if column.name in table.columns]
    write_output(job, name, table, key=key, columns=[*described, *named], description=description)
