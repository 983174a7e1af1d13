"""Reports of leaders and staff of the same center, side by side."""

from __future__ import annotations

from bscstudy.measures.informants import center_gaps, gap_tests, refuse_other_ranges
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

KEY = [Column("gap", "Informant gap"), Column("wave", "Wave")]
GAPS = [
    *KEY,
    Column("center_id", "Center"),
    Column("n_leader", "Leaders with a score", "integer", units="persons"),
    Column("n_staff", "Staff with a score", "integer", units="persons"),
    Column("leader", "Mean score of the leaders", "number"),
    Column("staff", "Mean score of the staff", "number"),
    Column("difference", "Leaders less staff", "number"),
]
TESTS = [
    *KEY,
    Column("n_centers", "Centers where both sides have a score", "integer", units="centers"),
    Column("n_one_sided", "Centers where only one side has: left out", "integer", units="centers"),
    Column("n_leader", "Leaders in these centers", "integer", units="persons"),
    Column("n_staff", "Staff in these centers", "integer", units="persons"),
    Column("leader", "Mean over centers of the leaders' mean score", "number"),
    Column("staff", "Mean over centers of the staff's mean score", "number"),
    Column("difference", "Mean over centers of leaders less staff", "number"),
    Column("sd", "Standard deviation of the difference over centers", "number"),
    Column("low", "Lower 95 % limit, by sign flips (blank: none exists)", "number"),
    Column("high", "Upper 95 % limit, by sign flips (blank: none exists)", "number"),
    Column("p_value", "Two-sided p of the sign-flip test", "number"),
    Column("smallest_p", "Smallest p that so many centers could give", "number"),
    Column("method", "Test"),
]


def run(job: Job) -> None:
    """Write measures/informant_gaps.csv and measures/informant_gap_tests.csv."""
    declared = job.config["informant_gaps"]
    refuse_other_ranges(declared, job.config["scales"])
    gaps = center_gaps(read_table(job.inputs["scores"]), declared)
    described = "Scores of leaders and staff by center; restricted, as a leader may be one person."
    write_output(job, "gaps", gaps, key=["gap", "wave", "center_id"], columns=GAPS, description=described)
    described = "Mean difference of leaders and staff over centers, each center counting once."
    write_output(job, "tests", gap_tests(gaps, job.seed), key=["gap", "wave"], columns=TESTS, description=described)
