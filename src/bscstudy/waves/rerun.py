"""What Snakemake would make again, in words: a dry run of the pipeline, counted."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.workflow import PACKAGE

_LISTED = 6
_JOB = re.compile(r"^(?:Job \d+|Group job \S+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rerun:
    """Jobs that a run would make: the message of each, sorted; and how many jobs the whole study has."""

    messages: tuple[str, ...]
    n_all: int

    @property
    def n(self) -> int:
        """How many jobs would run."""
        return len(self.messages)

    def named(self, *verbs: str) -> list[str]:
        """Return the ids that messages of the form ``<verb> <id>, <id>`` name."""
        found = [re.fullmatch(rf"(?:{'|'.join(verbs)}) (\w+(?:, \w+)*)", message) for message in self.messages]
        return sorted(name for match in found if match for name in match[1].split(", "))


def planned(folder: Path, snakefile: Path | None = None) -> Rerun:
    """Ask Snakemake what it would run in a study's folder.

    Parameters
    ----------
    folder : Path
        The study's folder.
    snakefile : Path, optional
        The pipeline's Snakefile; the one beside this package if absent.

    Raises
    ------
    BscError
        BSC-WAV-012 if the dry run fails, or no Snakefile is there.
    """
    place = Path(snakefile or PACKAGE.parents[1] / "Snakefile")
    return Rerun(messages_of(_dry_run(folder, place)), len(messages_of(_dry_run(folder, place, "--forceall"))))


def messages_of(output: str) -> tuple[str, ...]:
    """Return the message of each job that a dry run's output announces, sorted."""
    return tuple(sorted(_JOB.findall(output)))


def rerun_text(rerun: Rerun, sources: set[str], first_time: set[str]) -> str:
    """Return in words what would run.

    Parameters
    ----------
    rerun : Rerun
        The jobs.
    sources : set of str
        The sources of the study.
    first_time : set of str
        Those it did not have before.
    """
    if not rerun.n:
        return f"Nothing would run: all {rerun.n_all} jobs are up to date."
    read = [name for name in rerun.named("Reading") if name in sources]
    groups = (
        ("new source is read", "new sources are read", [name for name in read if name in first_time]),
        ("source is read again", "sources are read again", [name for name in read if name not in first_time]),
        ("model is fitted again", "models are fitted again", rerun.named("Fitting")),
        ("table or figure is drawn again", "tables and figures are drawn again", rerun.named("Drawing", "Drawing up")),
    )
    told = {message for message in rerun.messages if re.fullmatch(r"(Reading|Fitting|Drawing|Drawing up) \w+(, \w+)*", message)}
    told -= {message for message in told if message.startswith("Reading ") and message.removeprefix("Reading ") not in sources}
    lines = [f"{rerun.n} of {rerun.n_all} jobs would run:"]
    lines += [f"  {len(names)} {one if len(names) == 1 else many}: {_listed(names)}" for one, many, names in groups if names]
    spared = sorted(sources - set(read))
    lines += [f"  {len(spared)} of {len(sources)} sources are not read again"] if spared else []
    return "\n".join(lines + [f"  {message[0].lower()}{message[1:]}" for message in rerun.messages if message not in told])


def _listed(names: list[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _dry_run(folder: Path, snakefile: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder), "-n", "--cores", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([*command, *arguments], **pipes, text=True) if snakefile.is_file() else None
    if done is None or done.returncode:
        raise BscError(
            "BSC-WAV-012",
            "What would run cannot be shown." + ("" if done is None else " Snakemake's dry run ended with a fault."),
            str(snakefile),
            "The study itself is in order; only this overview is missing.",
            "Run `snakemake -n` in the study's folder, or name the pipeline's Snakefile with --snakefile.",
        )
    return done.stdout
