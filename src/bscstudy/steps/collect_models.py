"""Gather all model results into tables; the tests of one family of hypotheses are adjusted together."""

from __future__ import annotations

from bscstudy.models.collect import TABLES, gathered
from bscstudy.steps.job_tables import paths_of, write_output
from bscstudy.tables import read_json
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Read ``models/<model>.json``, write the tables ``models/*.csv``."""
    results = sorted((read_json(path) for path in paths_of(job, "fits")), key=lambda result: result["model"])
    for name, table in TABLES.items():
        frame = gathered(name, results)
        write_output(job, name, frame, key=list(table.key), columns=list(table.columns), description=table.description)
