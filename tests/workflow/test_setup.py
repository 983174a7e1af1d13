"""The two commands of the README: what is wrong is said in one sentence, and what is done is not done again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
UNSET = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    shell = {**{k: v for k, v in os.environ.items() if k not in UNSET}, **environment}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )


@pytest.fixture
def clone(repository, tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(repository / name, tmp_path / name)
    return tmp_path


def old_python(folder: Path) -> str:
    """A Python that finds itself older than 3.11."""
    script = folder / "old-python"
    script.write_text(f'#!/bin/sh\ncase "$*" in *version_info*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize("goal", ["study", "test"])
def test_no_python(clone, goal):
    done = make(clone, goal, "PYTHON=no-such-python")
    assert done.returncode != 0 and "needs Python 3.11 or newer, and no 'no-such-python' was found" in done.stdout
    assert not (clone / ".venv").exists()


def test_python_too_old(clone):
    done = make(clone, "study", f"PYTHON={old_python(clone)}")
    assert done.returncode != 0 and "needs Python 3.11 or newer, and" in done.stdout and "is older" in done.stdout
    assert not (clone / ".venv").exists()


@pytest.mark.slow
def test_no_network(clone, tmp_path):
    closed = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "nothing"), "PIP_NO_CACHE_DIR": "1"}
    done = make(clone, "study", f"PYTHON={sys.executable}", **closed)
    assert done.returncode != 0
    assert "The packages could not be installed: most often there is no network" in done.stdout
    assert not list((clone / ".venv").glob("ready-*")), "the next call tries again"


@pytest.mark.parametrize("goal", ["study", "test"])
def test_nothing_is_installed_twice(clone, goal):
    """With the packages there, neither command asks for anything from outside."""
    stamp = subprocess.run("cksum requirements.lock | cut -d' ' -f1", shell=True, cwd=clone, capture_output=True, text=True).stdout.strip()
    (clone / ".venv").mkdir()
    (clone / ".venv" / f"ready-{stamp}").touch()
    assert "pip" not in make(clone, "-n", goal).stdout
    with (clone / "requirements.lock").open("a") as lock:
        lock.write("# another version\n")
    assert "pip" in make(clone, "-n", goal).stdout, "a new lock is installed"
