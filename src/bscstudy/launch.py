"""The start and the end of a run: the study is checked before any job, a lock left by a killed run is lifted, faults are said once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bscstudy.errors import BscError

_HELD: list = []


def open_study(*, main_process: bool) -> dict:
    """Load and check the study in the current folder; a fault ends the program with its message and exit code.

    Parameters
    ----------
    main_process : bool
        Whether this is the run a person started. Jobs that read the workflow again need no second check of the raw files.
    """
    from bscstudy.io.inventory import check_files
    from bscstudy.loading import load_study
    from bscstudy.settled import SETTLED, forget_unsettled

    try:
        study = load_study(Path("config"))
        if main_process:
            check_files(study["sources"], Path("."))
            lift_stale_lock(Path(".snakemake"))
            _forget_failures(Path("reports/logs"))
            forget_unsettled(Path(SETTLED))
    except BscError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(error.exit_code) from None
    return study


def share_source(source: Path) -> None:
    """Let every job import the package from this checkout, whose code the digests are of, whatever is installed."""
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(source), *([known] if known else [])])


def lift_stale_lock(state: Path) -> None:
    """Remove Snakemake's lock files if no run is alive in this folder.

    A killed run leaves its lock, and the same command would then be refused. Each run holds a lock of the operating
    system on ``.snakemake/bscstudy.lock``, which ends with the process however it ends; who gets it is alone.
    """
    import fcntl

    state.mkdir(exist_ok=True)
    handle = open(state / "bscstudy.lock", "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return
    _HELD.append(handle)
    for lock in sorted((state / "locks").glob("*.lock")):
        lock.unlink(missing_ok=True)


def failures(logs: Path) -> list[str]:
    """Return the message of every job that failed, in the order of their logs' names, each once."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(logs.rglob("*.log"))]
    return list(dict.fromkeys(text.strip() for text in texts if text.startswith("BSC-")))


def print_failures(logs: Path, study: dict) -> None:
    """Print what stopped the run; severe findings of all sources make one message, whichever job met them first."""
    found = failures(logs)
    severe = [text for text in found if text.startswith("BSC-DAT-001")]
    if severe:
        found = [text for text in found if text not in severe] + (severe_findings(study) or severe)
    print("\nThe run stopped. Nothing of the failed step was written.\n", file=sys.stderr)
    print("\n\n".join(found) or f"See the logs under {logs}.", file=sys.stderr, flush=True)


def severe_findings(study: dict) -> list[str]:
    """Return the one message about the severe findings of all sources ingested so far; empty where there is none."""
    from bscstudy.checks.gate import require_sound
    from bscstudy.checks.registry import read_sources
    from bscstudy.pipeline import source_table

    paths = [path for name in study["sources"] if (path := Path(source_table(name))).is_file()]
    try:
        require_sound(read_sources(paths, study["sources"]), study)
    except BscError as error:
        return [str(error)]
    return []


def _forget_failures(logs: Path) -> None:
    for path in sorted(logs.rglob("*.log")) if logs.is_dir() else []:
        if path.read_text(encoding="utf-8", errors="replace").startswith("BSC-"):
            path.unlink()
