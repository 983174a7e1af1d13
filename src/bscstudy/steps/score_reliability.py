"""Reliability of each scale and its items in each wave, and whether it may be averaged within centers."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.aggregation import declared_null
from bscstudy.measures.pooled import SCORE_COLUMNS, pool_parts
from bscstudy.measures.scale_rows import aggregation_row, item_rows, reliability_row
from bscstudy.measures.scales import scale_parts
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

KEY = [Column("scale", "Scale"), Column("wave", "Wave")]
RELIABILITY = [
    *KEY,
    Column("n_asked", "Persons the scale was put to", "integer", units="persons"),
    Column("n_not_asked", "Persons of the same forms it was not put to", "integer", units="persons"),
    Column("n", "Persons with a score", "integer", units="persons"),
    Column("k", "Items", "integer", units="items"),
    Column("n_complete", "Persons who answered every item: those of alpha and omega", "integer", units="persons"),
    Column("alpha", "Coefficient alpha, complete answers", "number"),
    Column("alpha_low", "Lower limit of alpha's 95 % interval", "number"),
    Column("alpha_high", "Upper limit of alpha's 95 % interval", "number"),
    Column("alpha_pairwise", "Alpha from covariances that each use all who answered both items", "number"),
    Column("n_pairwise", "Fewest persons behind one of these covariances", "integer", units="persons"),
    Column("alpha_standardized", "Alpha of standardized items, complete answers", "number"),
    Column("alpha_ordinal", "Alpha of polychoric correlations, complete answers (blank: no shared ordinal answers)", "number"),
    Column("omega", "Omega total, one factor (blank: fewer than three items, or no proper solution)", "number"),
    Column("mean", "Mean score", "number"),
    Column("sd", "Standard deviation of scores", "number"),
    Column("floor", "Share of scores at the lowest possible value", "number", units="share"),
    Column("ceiling", "Share of scores at the highest possible value", "number", units="share"),
    Column("n_partial", "Persons scored without all items", "integer", units="persons"),
    Column("missing_not_asked", "Share of answers missing because the item was not put to the person", "number", units="share"),
    Column("missing_skipped", "Share left blank", "number", units="share"),
    Column("missing_coded", "Share missing with a reason coded in the file", "number", units="share"),
    Column("missing_not_possible", "Share set missing because the answer is not a possible one", "number", units="share"),
]
ITEMS = [
    *KEY,
    Column("place", "Place of the item in the scale", "integer"),
    Column("item", "Item"),
    Column("keyed", "How an answer enters the scale: as answered, reversed, 1 if one of some codes"),
    Column("n_asked", "Persons the scale was put to", "integer", units="persons"),
    Column("n_not_asked", "Of these, persons the item was not put to", "integer", units="persons"),
    Column("n_skipped", "Left blank", "integer", units="persons"),
    Column("n_coded", "Missing with a reason coded in the file", "integer", units="persons"),
    Column("n_not_possible", "Set missing because the answer is not a possible one", "integer", units="persons"),
    Column("n", "Persons with a score who answered the item", "integer", units="persons"),
    Column("mean", "Mean keyed answer", "number"),
    Column("sd", "Standard deviation", "number"),
    Column("floor", "Share of keyed answers at the lowest possible value", "number", units="share"),
    Column("ceiling", "Share at the highest possible value", "number", units="share"),
    Column("n_complete", "Persons who answered every item of the scale", "integer", units="persons"),
    Column("item_total", "Correlation with the sum of the other items, complete answers", "number"),
    Column("alpha_if_deleted", "Alpha of the other items, complete answers", "number"),
]
AGGREGATION = [
    *KEY,
    Column("n", "Persons with a score and a center", "integer", units="persons"),
    Column("n_centers", "Centers", "integer", units="centers"),
    Column("n_judged", "Centers with two or more complete persons: those of the medians", "integer", units="centers"),
    Column("icc1", "ICC(1): share of variance between centers", "number"),
    Column("icc2", "ICC(2): reliability of center means", "number"),
    Column("r_wg_median", "Median of r_wg(j) over centers, uniform null", "number"),
    Column("r_wg_skewed_median", "Median of r_wg(j) over centers, slightly skewed null (blank: none for this number of answers)", "number"),
    Column("n_low_agreement", "Centers whose r_wg(j), by the null that decides, is below .70", "integer", units="centers"),
    Column("ad_median", "Median of the average deviation AD(j) over centers", "number", units="points of an answer"),
    Column("ad_limit", "Its upper limit: number of answers / 6", "number", units="points of an answer"),
    Column("n_wide", "Centers above that limit", "integer", units="centers"),
    Column("null", "Null distribution that decides: uniform or slight_skew"),
    Column("aggregate", "May be averaged within centers: yes or no"),
    Column("decision", "Why"),
]


def run(job: Job) -> None:
    """Write measures/reliability.csv, measures/items.csv and measures/aggregation.csv."""
    null = declared_null(job.config["aggregation"])
    scores = read_table(job.inputs["scores"], columns=SCORE_COLUMNS)  # first: while a table is read it takes twice its room
    tables = {path.stem: read_table(path) for path in job.inputs["tables"]}
    pooled = pool_parts(scale_parts(tables, job.config), scores)
    rows = [{**_key(key), **reliability_row(part)} for key, part in pooled.items()]
    _write(
        job, "reliability", rows, RELIABILITY, ["scale", "wave"], "Internal consistency, distribution and missing answers of each scale."
    )
    rows = [{**_key(key), **row} for key, part in pooled.items() for row in item_rows(part)]
    described = "What each item adds to its scale, and what of it is missing, by wave."
    _write(job, "item_statistics", rows, ITEMS, ["scale", "wave", "place"], described)
    rows = [{**_key(key), **aggregation_row(part, null)} for key, part in pooled.items()]
    described = "Agreement and clustering of each scale within centers, all its roles together."
    _write(job, "aggregation", rows, AGGREGATION, ["scale", "wave"], described)


def _key(key: tuple[str, str]) -> dict[str, str]:
    return {"scale": key[0], "wave": key[1]}


def _write(job: Job, name: str, rows: list[dict], columns: list[Column], key: list[str], described: str) -> None:
    table = pd.DataFrame(rows, columns=[column.name for column in columns])
    write_output(job, name, table, key=key, columns=columns, description=described)
