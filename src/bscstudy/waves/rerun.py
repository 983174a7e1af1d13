"""What Snakemake would make again, in words: a dry run of the pipeline, counted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.workflow import PACKAGE

_LISTED = 6
_JOB = re.compile(r"^(?:Job \d+|Group job \S+): (.+)\n(?:Reason: (.*))?", re.MULTILINE)


#: dry run that also shows the jobs behind the workflow's checkpoints
WHOLE_PLAN = ("--config", "plan=whole")


@dataclass(frozen=True)
class Rerun:
    """Jobs that a run would make, by the message of each, sorted; and how many jobs the whole study has.

    ``certain`` run in any case. ``if_changed`` wait for a comparison with what they read before, and run where that changed.
    """

    certain: tuple[str, ...]
    if_changed: tuple[str, ...]
    n_all: int


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
    certain, waiting = messages_of(_dry_run(folder, place))
    every, _ = messages_of(_dry_run(folder, place, "--forceall", *WHOLE_PLAN))
    whole = messages_of(_dry_run(folder, place, *WHOLE_PLAN)) if waiting else ((), ())
    behind = Counter(whole[0] + whole[1]) - Counter(certain)
    return Rerun(certain, tuple(sorted(behind.elements())), len(every))


def messages_of(output: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the message of each job that a dry run's output announces, sorted: those that run, and those that wait for a comparison."""
    found = [(message, "/settled/" in (reason or "")) for message, reason in _JOB.findall(output)]
    return tuple(sorted(m for m, waits in found if not waits)), tuple(sorted(m for m, waits in found if waits))


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
    if not rerun.certain:
        return f"Nothing would run: all {rerun.n_all} jobs are up to date."
    read = [name for name in _named(rerun.certain, "Reading") if name in sources]
    spared = sorted(sources - set(read))
    lines = [f"{len(rerun.certain)} of {rerun.n_all} jobs run:", *_in_words(rerun.certain, first_time, sources)]
    lines += [f"  {len(spared)} of {len(sources)} sources are not read again"] if spared else []
    if rerun.if_changed:
        lines.append(f"{len(rerun.if_changed)} more are looked at then, and run only if what they read is not as it was:")
    return "\n".join(lines + _in_words(rerun.if_changed, first_time, sources))


def _in_words(messages: tuple[str, ...], first_time: set[str], sources: set[str]) -> list[str]:
    read = [name for name in _named(messages, "Reading") if name in sources]
    groups = (
        ("new source is read", "new sources are read", [name for name in read if name in first_time]),
        ("source is read again", "sources are read again", [name for name in read if name not in first_time]),
        ("model", "models", _named(messages, "Fitting")),
        ("table or figure", "tables and figures", _named(messages, "Drawing up")),
    )
    told = {message for message in messages if re.fullmatch(r"(Reading|Fitting|Drawing up) \w+(, \w+)*", message)}
    told -= {message for message in told if message.startswith("Reading ") and message.removeprefix("Reading ") not in sources}
    lines = [f"  {len(names)} {one if len(names) == 1 else many}: {_listed(names)}" for one, many, names in groups if names]
    return lines + [f"  {message[0].lower()}{message[1:]}" for message in messages if message not in told]


def _named(messages: tuple[str, ...], verb: str) -> list[str]:
    """Return the ids that messages of the form ``<verb> <id>, <id>`` name."""
    found = [re.fullmatch(rf"{verb} (\w+(?:, \w+)*)", message) for message in messages]
    return sorted(name for match in found if match for name in match[1].split(", "))


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
