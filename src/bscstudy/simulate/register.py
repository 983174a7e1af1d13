"""The registers: which centers take part, and who is expected to answer in which wave."""

from __future__ import annotations

from pathlib import Path

from bscstudy.simulate.population import Population
from bscstudy.simulate.writers import write_csv


def write_registers(folder: Path, population: Population) -> list[Path]:
    """Write the register of centers and the roster of people."""
    centers = population.centers.drop(columns="engagement").rename(columns={"center_id": "center"})
    roster = population.people[["person_id", "center_id", "role", "core", "wave"]].copy()
    roster["core_team"] = roster.pop("core").map({1: "core", 0: "other"})
    roster = roster.rename(columns={"person_id": "person", "center_id": "center"}).sort_values(["wave", "person"])
    return [write_csv(centers, folder / "register/centers.csv"), write_csv(roster, folder / "register/roster.csv")]
