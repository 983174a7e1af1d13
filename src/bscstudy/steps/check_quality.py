"""Step: the data-quality report over all ingested sources."""

from __future__ import annotations

from bscstudy.checks.drift import item_drift
from bscstudy.checks.flow import FLOW_KEY, sample_flow
from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import read_sources
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column
from bscstudy.workflow import Job

FINDINGS = {
    "finding": "Running number", "check": "Check", "severity": "stop, report, tolerated or resolved", "source": "Source",
    "file": "File as received", "row": "Row in the file", "column": "Column or item", "wave": "Wave", "n": "How many",
    "unit": "What is counted", "message": "What was found, without any value",
}  # fmt: skip
SUMMARY = {
    "check": "Check", "label": "What it finds", "source": "Source", "severity": "stop, report, tolerated or resolved",
    "n": "How many, over all rows", "n_resolved": "Of these: removed by an exclusion", "unit": "What is counted",
    "reason": "Why it is tolerated",
}  # fmt: skip
FLOW = {
    "instrument": "Instrument", "wave": "Wave", "collaborative": "Collaborative", "center_id": "Center", "role": "Role",
    "expected": "Forms expected", "received": "Forms with an answer", "excluded": "Rows excluded",
    "unlinked": "Forms with an answer that name no person",
}  # fmt: skip
DRIFT = {
    "instrument": "Instrument", "item": "Item", "wave_from": "Wave", "wave_to": "Next wave",
    "change": "same, reworded, rescaled, dropped, added or renamed", "detail": "What differs",
    "harmonised": "Rule of config/codebook/harmonisation.csv that brings the two versions together",
}  # fmt: skip
WHOLE = {"finding", "row", "n", "n_resolved", "expected", "received", "excluded", "unlinked"}


def run(job: Job) -> None:
    """Check all sources; write findings, their summary, the sample flow and the drift of items."""
    tables = read_sources(job.inputs["tables"], job.config["sources"])
    quality = run_checks(tables, job.config)
    flow = sample_flow(tables, job.config)
    drift = item_drift(tables, job.config)
    written = (
        ("findings", quality.findings, ["finding"], FINDINGS, "Everything the checks found, one row a finding"),
        ("summary", quality.summary, ["check", "source"], SUMMARY, "Findings counted by check and source"),
        ("flow", flow, FLOW_KEY, FLOW, "Forms expected, received and excluded"),
        ("drift", drift, ["instrument", "item", "wave_from", "wave_to"], DRIFT, "Items compared between each wave and the next"),
    )
    for name, frame, key, labels, description in written:
        columns = [Column(column, label, "integer" if column in WHOLE else "text") for column, label in labels.items()]
        write_output(job, name, frame, key=key, columns=columns, name=f"checks/{name}", description=description)
