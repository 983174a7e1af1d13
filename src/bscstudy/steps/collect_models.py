"""Gather all model results into two tables; tests of one family are adjusted together by Holm's method."""

from __future__ import annotations

from bscstudy.models.collect import ESTIMATE_COLUMNS, FIT_COLUMNS, estimate_rows, fit_rows
from bscstudy.tables import read_json, write_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Read ``models/<model>.json``, write ``models/estimates.csv`` and ``models/fits.csv``."""
    listed = job.inputs.get("fits", [])
    results = sorted((read_json(path) for path in (listed if isinstance(listed, list) else [listed])), key=lambda result: result["model"])
    synthetic = bool(job.config["study"]["synthetic"])
    write_table(
        estimate_rows(results),
        job.outputs["estimates"],
        key=["model", "kind", "term"],
        columns=ESTIMATE_COLUMNS,
        name="estimates",
        description="Coefficients and contrasts of the models whose verdict is ok or boundary.",
        synthetic=synthetic,
    )
    write_table(
        fit_rows(results),
        job.outputs["fits"],
        key=["model"],
        columns=FIT_COLUMNS,
        name="fits",
        description="One row for each declared model: what it rests on and whether it may be shown.",
        synthetic=synthetic,
    )
