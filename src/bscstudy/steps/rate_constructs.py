"""Rated constructs: one rating for each center, the agreement of raters, and what distinguishes centers by outcome."""

from __future__ import annotations

import pandas as pd

from bscstudy.integrate.strands import waves_in_words
from bscstudy.measures.analysis_tables import baseline_and_last, center_change
from bscstudy.qual.columns import DISTINGUISHING, RATER_RELIABILITY, RATING_OUTCOME, RATINGS
from bscstudy.qual.construct_ratings import compared_centers, distinguishing_table
from bscstudy.qual.rater_reliability import rater_reliability
from bscstudy.qual.ratings import check_evidence, read_ratings, settle_ratings
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write qual/ratings.csv, qual/distinguishing.csv, qual/rater_reliability.csv and qual/rating_outcome.csv."""
    qual = job.config["qual"]
    spec, tables = qual["ratings"], sound_tables(job, "ratings", "documents")
    rows = read_ratings(tables[spec["source"]], spec["constructs"], spec["source"])
    documents, codings = tables[qual["documents"]], read_table(job.inputs["coded"], columns=["coding_id"])
    check_evidence(rows, {*documents["document_id"].dropna(), *codings["coding_id"]}, spec["source"])
    centers = sorted(read_table(job.inputs["centers"])["center_id"])
    outcome = rating_outcome(job.config, read_table(job.inputs["scores"]), centers)
    settled = settle_ratings(rows)
    names = [construct["id"] for construct in spec["constructs"]]
    reliability = rater_reliability(rows, names, spec.get("weights", "linear"), job.seed)
    write_output(
        job, "ratings", settled, key=["construct", "center_id", "wave"], columns=RATINGS, description="Ratings of constructs, by center."
    )
    described = "What tells centers with a good outcome from those with a poor one, by the declared rule."
    found = distinguishing_table(settled, spec, outcome.set_index("center_id")["wanted"], centers)
    write_output(job, "distinguishing", found, key=["construct", "wave"], columns=DISTINGUISHING, description=described)
    described = "Agreement of independent raters before any consensus, construct by construct."
    write_output(job, "reliability", reliability, key=["construct", "coefficient"], columns=RATER_RELIABILITY, description=described)
    described = "The outcome by which centers are ordered and compared."
    shown = outcome.drop(columns="wanted")
    write_output(job, "outcome", shown, key=["center_id"], columns=RATING_OUTCOME, description=described)


def rating_outcome(config: dict, scores: pd.DataFrame, centers: list[str]) -> pd.DataFrame:
    """Return each center's outcome and group; `wanted` is the change with its sign turned where lower is better."""
    spec = config["qual"]["ratings"]
    scale = spec.get("outcome")
    table = pd.DataFrame({"center_id": centers, "outcome": scale, "outcome_waves": None, "outcome_change": float("nan")})
    if scale:
        waves = tuple(spec["waves"]) if "waves" in spec else baseline_and_last(scale, scores, config)
        known = center_change(scale, scores, config, waves)
        table = table.assign(outcome_change=table["center_id"].map(known).astype(float))
        table = table.assign(outcome_waves=waves_in_words(waves))
    lower = {row["scale"] for row in config["scales"] if row.get("better") == "lower"}
    table = table.assign(wanted=table["outcome_change"] * (-1 if scale in lower else 1))
    high, low = compared_centers(spec, table.set_index("center_id")["wanted"], centers)
    group = {**dict.fromkeys(high, "high"), **dict.fromkeys(low, "low")}
    return table.assign(group=table["center_id"].map(group).astype(object))
