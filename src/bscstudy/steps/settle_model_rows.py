"""Keep what each model reads as it was where a new run found the same: its rows, its columns, and what it may compare."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.models.center_means import center_mean_columns
from bscstudy.models.inputs import model_comparability, model_evidence, model_table, model_units
from bscstudy.settled import settle_json, settle_table, write_index
from bscstudy.steps.job_tables import paths_of
from bscstudy.tables import Column, read_sidecar, read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write settled/models/<model>/<unit>.csv and comparability.json where they differ, and the index."""
    paths = {path.stem: path for path in (*paths_of(job, "tables"), *paths_of(job, "aggregation"))}
    tables = {name: read_table(path) for name, path in paths.items()}
    meta = {name: read_sidecar(path) for name, path in paths.items()}
    index, written = job.outputs["index"], []
    for name, spec in job.config["models"].items():
        written += _settle_model({"id": name, **spec}, tables, meta, index.parent / name, job.config)
    write_index(index, written)


def _settle_model(spec: dict, tables: dict[str, pd.DataFrame], meta: dict[str, dict], folder: Path, config: dict) -> list[Path]:
    own = {unit: model_table(spec, unit, tables[unit]) for unit in model_units(spec) if unit in tables}
    verdict = model_comparability(spec, own, config)
    written = settle_json({"refusals": verdict.refusals, "flags": verdict.flags}, folder / "comparability.json")
    if "aggregation" in tables and center_mean_columns(spec):
        own["aggregation"] = model_evidence(spec, tables["aggregation"])
    for unit, table in own.items():
        columns = [Column(**column) for column in meta[unit]["columns"] if column["name"] in table.columns]
        described = {name: meta[unit][name] for name in ("key", "description", "synthetic")}
        written += settle_table(table, folder / f"{unit}.csv", columns=columns, **described)
    return written
