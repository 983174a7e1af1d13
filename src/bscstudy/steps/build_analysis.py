"""Build the tables that models read: persons by wave, visits, centers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.measures.analysis_tables import center_table, person_table, visit_table
from bscstudy.measures.observation_tables import OBSERVATION
from bscstudy.tables import Column, read_sidecar, read_table, write_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    config, inputs = job.config, job.inputs
    people, centers, scores = (read_table(inputs[name]) for name in ("people", "centers", "scores"))
    observation, fidelity = _read_if_any(inputs.get("observation")), _read_if_any(inputs.get("fidelity"))
    labels = {scale["scale"]: scale["label"] for scale in config["scales"]}
    known = {c["name"]: Column(**c) for name in ("people", "centers") for c in read_sidecar(inputs[name])["columns"]}

    table = person_table(people, scores, list(labels))
    _write(job, "person", table, ["person_id", "wave"], known, labels, "Persons by wave with their scale scores.")

    if observation is None:
        observation = pd.DataFrame(columns=[column.name for column in OBSERVATION])
    table = visit_table(observation, list(dict.fromkeys(observation["score"])))
    _write(job, "visit", table, ["observation_id"], known, {}, "Observation visits with their scores; __n of __of is a share's count.")

    changes = {f"{scale}__change": f"{label}: change from baseline to the last wave" for scale, label in labels.items()}
    indices = {} if fidelity is None else dict(zip(fidelity["index"], fidelity["label"], strict=True))
    table = center_table(centers, scores, fidelity, config)
    _write(job, "center", table, ["center_id"], known, {**indices, **changes}, "Centers with fidelity indices and changes of center means.")


def _read_if_any(path: Path | list[Path] | None) -> pd.DataFrame | None:
    paths = path if isinstance(path, list) else [path] if path else []
    return read_table(paths[0]) if paths else None


def _write(
    job: Job, name: str, table: pd.DataFrame, key: list[str], known: dict[str, Column], labels: dict[str, str], description: str
) -> None:
    named = [Column(column, label, "number") for column, label in labels.items() if column in table.columns]
    described = [column for column in known.values() if column.name in table.columns]
    write_table(
        table,
        job.outputs[name],
        key=key,
        columns=[*described, *named],
        name=name,
        description=description,
        synthetic=job.config["study"]["synthetic"],
    )
