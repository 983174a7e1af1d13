"""Score every survey scale for every row it is used in."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.scales import scale_parts
from bscstudy.measures.score_tables import score_table
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

COLUMNS = [
    Column("scale", "Scale"),
    Column("instrument", "Instrument"),
    Column("construct", "Construct of the theory of change"),
    Column("wave", "Wave"),
    Column("row_id", "Source and row of the form"),
    Column("person_id", "Person (blank for anonymous forms)"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("role", "Role"),
    Column("core", "Core team or other"),
    Column("n_items", "Items of the scale", "integer", units="items"),
    Column("n_valid", "Valid answers", "integer", units="items"),
    Column("score", "Score by the scale's rule", "number"),
    Column("why", "Why there is no score: not_asked, too_few_items"),
    Column("harmonised", "Items whose answers stand for another version, or whole_scale (config/codebook/harmonisation.csv)"),
]


def run(job: Job) -> None:
    """Write measures/scores.csv."""
    described = "Scale scores of persons and forms, by the rules of config/codebook/scales.csv, wave by wave."
    write_output(job, "table", _scores(job), key=["scale", "wave", "row_id"], columns=COLUMNS, description=described)


def _scores(job: Job) -> pd.DataFrame:
    return score_table(scale_parts(sound_tables(job), job.config), read_table(job.inputs["people"]), read_table(job.inputs["centers"]))
