"""Gather all model results into two tables; tests of one family are adjusted together by Holm's method."""

from __future__ import annotations

from bscstudy.models.collect import ESTIMATE_COLUMNS, FIT_COLUMNS, estimate_rows, fit_rows
from bscstudy.steps.job_tables import paths_of, write_output
from bscstudy.tables import read_json
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Read ``models/<model>.json``, write ``models/estimates.csv`` and ``models/fits.csv``."""
    results = sorted((read_json(path) for path in paths_of(job, "fits")), key=lambda result: result["model"])
    described = "Coefficients and contrasts of the models whose verdict is ok or boundary."
    write_output(job, "estimates", estimate_rows(results), key=["model", "kind", "term"], columns=ESTIMATE_COLUMNS, description=described)
    described = "One row for each declared model: what it rests on and whether it may be shown."
    write_output(job, "fits", fit_rows(results), key=["model"], columns=FIT_COLUMNS, description=described)
