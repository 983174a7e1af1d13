"""Writes the demonstration study's raw files, always the same bytes from the same parameters."""

from __future__ import annotations

from pathlib import Path

from bscstudy.simulate.administrators import write_administrators
from bscstudy.simulate.construct_ratings import write_construct_ratings
from bscstudy.simulate.fidelity import write_fidelity
from bscstudy.simulate.interviews import write_interviews
from bscstudy.simulate.metrics import write_metrics
from bscstudy.simulate.observation import write_observation
from bscstudy.simulate.parents import write_parents
from bscstudy.simulate.peers import write_peers
from bscstudy.simulate.population import make_population
from bscstudy.simulate.register import write_registers
from bscstudy.simulate.staff import write_staff
from bscstudy.simulate.truth import read_parameters


def simulate_study(folder: Path, parameters: Path | None = None) -> list[Path]:
    """Write all raw files of the demonstration study below ``folder/data/raw``.

    Parameters
    ----------
    folder : Path
        The study's folder.
    parameters : Path, optional
        A parameter file; the package's own (``simulate/parameters.yaml``) if absent.

    Returns
    -------
    list of Path
        The files written, sorted.
    """
    spec = read_parameters(parameters)
    raw = Path(folder) / "data/raw"
    population = make_population(spec)
    written = write_registers(raw, population)
    surveys = (write_staff, write_administrators, write_parents, write_peers)
    for write in (*surveys, write_observation, write_fidelity, write_metrics, write_interviews, write_construct_ratings):
        written += write(raw, spec, population)
    return sorted(written)
