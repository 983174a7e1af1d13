"""Keep the list of centers as it was where a new run found the same."""

from __future__ import annotations

from bscstudy.settled import settle_table, write_index
from bscstudy.tables import Column, read_sidecar, read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write settled/people/centers.csv if it differs, and the index."""
    meta = read_sidecar(job.inputs["centers"])
    described = {name: meta[name] for name in ("key", "description", "synthetic")}
    columns = [Column(**column) for column in meta["columns"]]
    index = job.outputs["index"]
    write_index(index, settle_table(read_table(job.inputs["centers"]), index.parent / "centers.csv", columns=columns, **described))
