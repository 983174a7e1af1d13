"""The GTI study in a temporary folder, run once through the workflow."""

import shutil
from pathlib import Path

import pytest

CONFIG = Path(__file__).parent / "config"


@pytest.fixture(scope="session")
def gti_study(gti_folder, tmp_path_factory) -> Path:
    """A study folder with this configuration and the raw files as received."""
    folder = tmp_path_factory.mktemp("gti")
    shutil.copytree(CONFIG, folder / "config")
    (folder / "data" / "raw").mkdir(parents=True)
    for raw in sorted((gti_folder / "raw").glob("*.csv")):
        (folder / "data" / "raw" / raw.name).write_bytes(raw.read_bytes())
    return folder


@pytest.fixture(scope="session")
def gti_derived(gti_study, run_study) -> Path:
    """The folder of derived tables after one run of the whole workflow."""
    done = run_study(gti_study, "--cores", "2")
    assert done.returncode == 0, f"the workflow stopped on GTI:\n{done.stdout[-6000:]}"
    return gti_study / "data" / "derived"
