"""Score observation visits and persons, and judge the raters: agreement, intraclass correlation, drift, generalizability."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures import rater_tables as raters
from bscstudy.measures.observation_tables import OBSERVATION, PERSON, instrument_scores, keyed_ratings
from bscstudy.measures.rater_scores import rater_scores
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

#: output -> columns, key and description
TABLES: dict[str, tuple[list[Column], list[str], str]] = {
    "observation": (OBSERVATION, ["instrument", "score", "observation_id"], "Observation scores of visits."),
    "person": (PERSON, ["instrument", "score", "person_id", "wave"], "Persons: mean of their visits within a wave."),
    "agreement": (raters.AGREEMENT, ["instrument", "item"], "Agreement of raters of the same visit."),
    "icc": (raters.ICC, ["instrument", "score", "form"], "Intraclass correlations of raters' scores of the same visit."),
    "drift": (
        raters.DRIFT,
        ["instrument", "score", "rater_id", "period"],
        "How far raters lie from the consensus or the others, by period.",
    ),
    "components": (raters.GENERALIZABILITY, ["instrument", "score", "component"], "Variance between classrooms, raters and occasions."),
    "decision": (
        raters.DECISION,
        ["instrument", "score", "n_raters", "n_occasions"],
        "Coefficients with other numbers of raters and occasions.",
    ),
}


def run(job: Job) -> None:
    """Write the tables of `TABLES`: measures/observation.csv and its neighbours."""
    tables = sound_tables(job)
    centers = read_table(job.inputs["centers"])
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for instrument in job.config["observation"]:
        for name, table in _instrument_tables(tables[instrument["source"]], instrument, centers, job.config).items():
            found[name].append(table)
    for name, (columns, key, description) in TABLES.items():
        parts = [part for part in found[name] if len(part)]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        table = table.reindex(columns=[column.name for column in columns])
        write_output(job, name, table, key=key, columns=columns, description=description)


def _instrument_tables(rows: pd.DataFrame, instrument: dict, centers: pd.DataFrame, config: dict) -> dict[str, pd.DataFrame]:
    """Return the tables of one instrument by output."""
    visits, persons = instrument_scores(rows, instrument, centers, config)
    scores = rater_scores(keyed_ratings(rows, instrument, config), instrument)
    components, decision = raters.generalizability_rows(scores, instrument)
    listed = {
        "agreement": raters.agreement_rows(rows, instrument, config),
        "icc": raters.icc_rows(scores, instrument),
        "drift": raters.drift_rows(rows, instrument),
        "components": components,
        "decision": decision,
    }
    found = {"observation": visits, **{name: pd.DataFrame(part) for name, part in listed.items()}}
    return found if persons is None else {**found, "person": persons}
