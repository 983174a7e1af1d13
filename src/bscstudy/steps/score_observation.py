"""Score observation visits, persons where visits name one, and the agreement of raters."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.observation_tables import AGREEMENT, OBSERVATION, PERSON, agreement_rows, instrument_scores
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import require_sound_inputs
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write measures/observation.csv, measures/observation_person.csv and measures/rater_agreement.csv."""
    require_sound_inputs(job)
    tables = {path.stem: read_table(path) for path in job.inputs["tables"]}
    centers = read_table(job.inputs["centers"])
    visits, persons, agreement = [], [], []
    for instrument in job.config["observation"]:
        by_visit, by_person = instrument_scores(tables[instrument["source"]], instrument, centers)
        visits.append(by_visit)
        persons += [] if by_person is None else [by_person]
        agreement += agreement_rows(tables[instrument["source"]], instrument)
    key = ["instrument", "score"]
    _write(job, "observation", visits, OBSERVATION, [*key, "observation_id"], "Observation scores of visits.")
    _write(job, "person", persons, PERSON, [*key, "person_id", "wave"], "Persons: mean of their visits within a wave.")
    _write(job, "agreement", [pd.DataFrame(agreement)], AGREEMENT, ["instrument", "item"], "Agreement of raters of the same visit.")


def _write(job: Job, name: str, parts: list[pd.DataFrame], columns: list[Column], key: list[str], description: str) -> None:
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    table = table.reindex(columns=[column.name for column in columns])
    write_output(job, name, table, key=key, columns=columns, description=description)
