"""Work out the declared indices of engagement and fidelity."""

from __future__ import annotations

from bscstudy.measures.indices import fidelity_indices
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

COLUMNS = [
    Column("index", "Index"),
    Column("label", "Label"),
    Column("element", "Element of the collaborative"),
    Column("level", "What it is worked out for: center, person or collaborative"),
    Column("unit_id", "Center, person or collaborative"),
    Column("wave", "Wave (blank: whole study)"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("numerator", "Numerator, or the count or sum itself", "number"),
    Column("denominator", "Denominator (blank for counts and sums)", "number"),
    Column("value", "Value", "number"),
]


def run(job: Job) -> None:
    """Write measures/fidelity.csv."""
    tables = sound_tables(job)
    people, centers = read_table(job.inputs["people"]), read_table(job.inputs["centers"])
    indices = fidelity_indices(tables, job.config, people, centers)
    described = "Indices of engagement and fidelity, by the rules of config/measures.yaml."
    write_output(job, "table", indices, key=["index", "unit_id", "wave"], columns=COLUMNS, description=described)
