"""The tools that keep the house clean find nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
        ["snakemake", "--lint"],
    ],
    ids=["ruff check", "ruff format", "snakefmt", "snakemake --lint"],
)
def test_clean(repository, command):
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_nothing_tracked_names_a_machine_or_an_index(repository):
    pattern = r"(/w[o]rk/|/r[o]ot/|/t[m]p/[a-z]|/o[p]t/|index-url|find-links|file:///)"
    done = subprocess.run(["git", "grep", "-nIE", pattern, "--", ".", ":!*.svg"], cwd=repository, stdout=subprocess.PIPE, text=True)
    found = [
        line
        for line in done.stdout.splitlines()
        if "tests/unit/test_environment.py" not in line and "tests/workflow/test_house.py" not in line
    ]
    assert found == []
