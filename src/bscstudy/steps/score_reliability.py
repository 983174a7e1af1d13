"""Reliability of each scale in each wave, and whether it may be averaged within centers."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.scales import scale_parts
from bscstudy.measures.score_tables import aggregation_row, pool_parts, reliability_row
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

KEY = [Column("scale", "Scale"), Column("wave", "Wave")]
RELIABILITY = [
    *KEY,
    Column("n", "Persons with a score", "integer", units="persons"),
    Column("k", "Items", "integer", units="items"),
    Column("alpha", "Coefficient alpha, complete answers", "number"),
    Column("alpha_low", "Lower limit of alpha's 95 % interval", "number"),
    Column("alpha_high", "Upper limit of alpha's 95 % interval", "number"),
    Column("omega", "Omega total, one factor (blank: fewer than three items, or no proper solution)", "number"),
    Column("mean", "Mean score", "number"),
    Column("sd", "Standard deviation of scores", "number"),
    Column("floor", "Share of scores at the lowest possible value", "number", units="share"),
    Column("ceiling", "Share of scores at the highest possible value", "number", units="share"),
    Column("n_partial", "Persons scored without all items", "integer", units="persons"),
]
AGGREGATION = [
    *KEY,
    Column("n", "Persons with a score and a center", "integer", units="persons"),
    Column("n_centers", "Centers", "integer", units="centers"),
    Column("icc1", "ICC(1): share of variance between centers", "number"),
    Column("icc2", "ICC(2): reliability of center means", "number"),
    Column("r_wg_median", "Median of r_wg(j) over centers with two or more persons", "number"),
    Column("aggregate", "May be averaged within centers: yes or no"),
    Column("decision", "Why"),
]


def run(job: Job) -> None:
    """Write measures/reliability.csv and measures/aggregation.csv."""
    tables = {path.stem: read_table(path) for path in job.inputs["tables"]}
    scores = read_table(job.inputs["scores"])
    pooled = pool_parts(scale_parts(tables, job.config), scores)
    for name, columns, row, description in (
        ("reliability", RELIABILITY, reliability_row, "Internal consistency and distribution of each scale in each wave."),
        (
            "aggregation",
            AGGREGATION,
            aggregation_row,
            "Agreement and clustering of each scale within centers, all its roles together.",
        ),
    ):
        rows = [{"scale": scale, "wave": wave, **row(part)} for (scale, wave), part in pooled.items()]
        table = pd.DataFrame(rows, columns=[column.name for column in columns])
        write_output(job, name, table, key=["scale", "wave"], columns=columns, description=description)
