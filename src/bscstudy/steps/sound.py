"""What every step that scores sources asks first: are its own sources sound? Not a rule of its own."""

from __future__ import annotations

from bscstudy.checks.gate import require_sound
from bscstudy.checks.registry import read_sources
from bscstudy.steps.job_tables import paths_of
from bscstudy.workflow import Job

SOURCES = ("register", "tables", "table", "codings", "documents", "asked")


def require_sound_inputs(job: Job) -> None:
    """Raise BSC-DAT-001 if a source among the job's inputs, or a register, holds a severe finding."""
    paths = {path for name in SOURCES for path in paths_of(job, name)}
    require_sound(read_sources(sorted(paths), job.config["sources"]), job.config)
