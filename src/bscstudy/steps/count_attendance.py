"""Attendance at learning sessions by role, day and mode."""

from __future__ import annotations

from bscstudy.identity import add_identity
from bscstudy.measures.attendance import attendance_counts
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

COLUMNS = [
    Column("session", "Learning session"),
    Column("day", "Day of the session (blank: not recorded)"),
    Column("date", "Its first date (blank: not recorded)"),
    Column("collaborative", "Collaborative, or all"),
    Column("role", "Role, or all"),
    Column("mode", "Mode in which people were there, or all"),
    Column("n_expected", "People due", "integer", units="people"),
    Column("n_present", "People present", "integer", units="people"),
    Column("n_unknown", "People without an entry", "integer", units="people"),
    Column("n_centers", "Centers due", "integer", units="centers"),
    Column("n_centers_present", "Centers with somebody present", "integer", units="centers"),
]


def run(job: Job) -> None:
    """Write measures/attendance.csv."""
    spec = job.config["attendance"]
    rows = add_identity(sound_tables(job, "table")[spec["source"]], read_table(job.inputs["people"]), read_table(job.inputs["centers"]))
    table = attendance_counts(rows, spec)
    key = ["session", "day", "collaborative", "role", "mode"]
    write_output(job, "table", table, key=key, columns=COLUMNS, description="People due and present at learning sessions.")
