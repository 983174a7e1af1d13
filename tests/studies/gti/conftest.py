"""The GTI study in a temporary folder, run once through the workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parent / "config"


@pytest.fixture(scope="session")
def gti_study(repository, gti_folder, tmp_path_factory) -> Path:
    """A study folder with this configuration and the raw files as received."""
    folder = tmp_path_factory.mktemp("gti")
    shutil.copytree(CONFIG, folder / "config")
    (folder / "data" / "raw").mkdir(parents=True)
    for raw in sorted((gti_folder / "raw").glob("*.csv")):
        (folder / "data" / "raw" / raw.name).write_bytes(raw.read_bytes())
    return folder


@pytest.fixture(scope="session")
def gti_derived(repository, gti_study) -> Path:
    """The folder of derived tables after one run of the whole workflow."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    command += ["--snakefile", str(repository / "Snakefile"), "--directory", str(gti_study)]
    source = os.pathsep.join(filter(None, [str(repository / "src"), os.environ.get("PYTHONPATH", "")]))
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source})
    assert run.returncode == 0, f"the workflow stopped on GTI:\n{run.stdout[-2000:]}\n{run.stderr[-6000:]}"
    return gti_study / "data" / "derived"
