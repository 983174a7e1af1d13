"""environment.yml for conda users: Python and the very pins of requirements.lock."""

from __future__ import annotations

import re
from pathlib import Path

PYTHON = "3.11"


def locked_versions(lock: str) -> list[tuple[str, str, str]]:
    """Return (name, version, marker) of every line of a lock file that pins a package; the marker may be empty."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)[ \t]*(;[^\\\n]*)?", lock, flags=re.MULTILINE)
    return sorted((name, version, marker.lstrip("; ").strip()) for name, version, marker in found)


def conda_environment(lock: str) -> str:
    """Return the text of environment.yml for a lock file."""
    pins = [f"{name}=={version}" + (f" ; {marker}" if marker else "") for name, version, marker in locked_versions(lock)]
    lines = "\n".join(f'      - "{pin}"' for pin in pins)
    return (
        "# Made from requirements.lock by `make lock`; never edited by hand.\n"
        "# After `conda env create -f environment.yml && conda activate bscstudy`: pip install --no-deps -e . ; snakemake --cores 8\n"
        "name: bscstudy\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        f"dependencies:\n  - python={PYTHON}\n  - pip\n  - pip:\n{lines}\n"
    )


def write_environment(folder: Path = Path(".")) -> None:
    """Write environment.yml beside requirements.lock."""
    (folder / "environment.yml").write_text(conda_environment((folder / "requirements.lock").read_text(encoding="utf-8")), encoding="utf-8")
