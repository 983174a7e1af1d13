"""Step: end the run if a finding is severe."""

from __future__ import annotations

from dataclasses import asdict

from bscstudy.checks.gate import pass_gate
from bscstudy.tables import read_table, write_json
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Raise one error that lists all severe findings, or write what was passed over and why."""
    gate = pass_gate(read_table(job.inputs["findings"]), read_table(job.inputs["summary"]))
    write_json(job.outputs["gate"], asdict(gate))
