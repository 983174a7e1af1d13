"""What every step that scores sources asks first: are its own sources sound? Not a rule of its own."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.gate import require_sound
from bscstudy.checks.quality import needs_reasons
from bscstudy.checks.registry import Source, read_sources
from bscstudy.steps.job_tables import paths_of
from bscstudy.workflow import Job

SOURCES = ("register", "tables", "table", "codings", "documents", "asked", "paragraphs", "marked", "ratings", "compared")


def require_sound_inputs(job: Job, *, reasons: bool = True) -> dict[str, Source]:
    """Return the sources among the job's inputs with their excluded rows, sound ones: a severe finding raises BSC-DAT-001.

    A step that does not look at the reasons for missing answers need not read them, unless what can stop the run does.
    """
    paths = {path for name in SOURCES for path in paths_of(job, name)}
    tables = read_sources(sorted(paths), job.config["sources"], reasons=reasons or needs_reasons(job.config))
    require_sound(tables, job.config)
    return tables


def sound_tables(job: Job, *names: str) -> dict[str, pd.DataFrame]:
    """Return the sources of some inputs (`tables` if none is named) as tables without their excluded rows.

    What `require_sound_inputs` refuses of any source of the job is refused.
    """
    sources = require_sound_inputs(job)
    return {path.stem: sources[path.stem].kept().frame for name in names or ("tables",) for path in paths_of(job, name)}
