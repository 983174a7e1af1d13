"""Raw file of one source to its typed table ``data/derived/sources/<source>.csv``."""

from __future__ import annotations

from bscstudy.io.ingest import ingest
from bscstudy.io.raw import sha256_of
from bscstudy.io.readers import read_source
from bscstudy.steps.job_tables import paths_of
from bscstudy.tables import write_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Read the files of one source and write its table.

    Inputs ``files`` (the raw file, then those its options name); output ``table`` (its sidecar lies beside it).
    """
    source = {"id": job.wildcards["source"], **job.config["source"]}
    files = paths_of(job, "files")
    found = ingest(read_source(files, source), source, job.config)
    write_table(
        found.frame,
        job.outputs["table"],
        key=found.key,
        columns=found.columns,
        name=source["id"],
        description=f"{source['instrument']}, as received in {source['file']}. One row: {source.get('unit') or 'a record'}.",
        synthetic=job.config["study"]["synthetic"],
        extra={**found.extra, "sha256": sha256_of(files[0]), "companions": {path.as_posix(): sha256_of(path) for path in files[1:]}},
    )
