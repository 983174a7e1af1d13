"""How steps read the tables a study may not have, and write their own. Not a rule of its own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.tables import Column, read_table, write_table
from bscstudy.workflow import Job


def paths_of(job: Job, name: str) -> list[Path]:
    """Return the paths of an input; none where the study has no such table."""
    given = job.inputs.get(name)
    return list(given) if isinstance(given, list) else [given] if given else []


def table_name(path: Path) -> str:
    """Return ``measures/scores`` for data/derived/measures/scores.csv; a settled copy is named as what it is a copy of."""
    if path.parts[-3:-1] == ("settled", "people"):
        return path.stem
    parts = path.with_suffix("").parts
    places = [i for i, part in enumerate(parts[:-1]) if part == "derived"]
    return "/".join(parts[places[-1] + 1 :]) if places else parts[-1]


def read_or_empty(job: Job, name: str, columns: list[str]) -> pd.DataFrame:
    """Return the one table of an input, or one without rows where the study has none."""
    paths = paths_of(job, name)
    return read_table(paths[0]) if paths else pd.DataFrame(columns=columns)


def write_output(
    job: Job, output: str, frame: pd.DataFrame, *, key: list[str], columns: list[Column], description: str, name: str = ""
) -> None:
    """Write one derived table of a job with its sidecar, marked as synthetic where the study is (BSC-KEY-001 for a repeated key)."""
    synthetic = bool(job.config["study"]["synthetic"])
    write_table(frame, job.outputs[output], key=key, columns=columns, name=name, description=description, synthetic=synthetic)
