"""Shared fixtures: the repository's root and the folders of reference data that may be absent."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _beside(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"the reference data '{name}' are not beside this checkout (they may not be copied into it)")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this checkout, which is also the demonstration study."""
    return ROOT


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """Published data sets and values; skips where they are absent."""
    return _beside("reference")


@pytest.fixture(scope="session")
def gti_folder() -> Path:
    """The real study used as a test; skips where it is absent."""
    return _beside("studies/gti")


PIPELINE = ["Snakefile", "workflow", "src", "profiles", "environment.yml"]


def copy_tree(source: Path, target: Path, names: list[str]) -> Path:
    """Copy files and folders without compiled modules."""
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"), dirs_exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


@pytest.fixture(scope="session")
def pipeline_copy(tmp_path_factory) -> Path:
    """A copy of the program that tests may edit; studies lie elsewhere."""
    return copy_tree(ROOT, tmp_path_factory.mktemp("program"), PIPELINE)


@pytest.fixture(scope="session")
def start_study(pipeline_copy):
    """Start the pipeline on a study's folder as a user does, in a process group of its own; returns the process."""

    def start(folder: Path, *arguments: str) -> subprocess.Popen:
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(pipeline_copy / "Snakefile"),
            "--directory",
            str(folder),
            *arguments,
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, **pipes, text=True, env=study_environment(), start_new_session=True)

    return start


@pytest.fixture(scope="session")
def run_study(start_study):
    """Run the pipeline to its end; returns the finished process with its output as text."""

    def run(folder: Path, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess:
        process = start_study(folder, *arguments)
        output, _ = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    return run


def study_environment() -> dict:
    """The environment of a user's shell; compiled modules are kept, or each job would start seconds later."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS")}


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory, run_study) -> Path:
    """The demonstration study's folder after one run."""
    folder = copy_tree(ROOT, tmp_path_factory.mktemp("demonstration"), ["config", "data/raw"])
    done = run_study(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout[-6000:]
    (folder / "first_run.txt").write_text(done.stdout, encoding="utf-8")
    return folder
