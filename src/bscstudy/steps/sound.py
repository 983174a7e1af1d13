"""What every step that scores sources asks first: are its own sources sound? Not a rule of its own."""

from __future__ import annotations

from bscstudy.checks.gate import require_sound
from bscstudy.checks.registry import read_sources
from bscstudy.workflow import Job

SOURCES = ("register", "tables", "table", "codings", "documents", "asked")


def require_sound_inputs(job: Job) -> None:
    """Raise BSC-DAT-001 if a source among the job's inputs, or a register, holds a severe finding."""
    given = [job.inputs[name] for name in SOURCES if name in job.inputs]
    paths = {path for part in given for path in (part if isinstance(part, list) else [part])}
    require_sound(read_sources(sorted(paths), job.config["sources"]), job.config)
