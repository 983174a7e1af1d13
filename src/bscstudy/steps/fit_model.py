"""Fit one declared model and write its result, or the reasons why it is not estimated."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from bscstudy.models.fit import fit_model
from bscstudy.models.inputs import ModelComparability
from bscstudy.tables import read_json, read_table, write_json
from bscstudy.workflow import Job

SOFTWARE = ("numba", "statsmodels", "formulaic", "numpy", "scipy")


def run(job: Job) -> None:
    """Read the tables the model needs, fit, write ``models/<model>.json``."""
    tables = {unit: read_table(path) for unit, path in job.inputs.items() if path.suffix == ".csv"}
    verdict = read_json(job.inputs["comparability"])
    comparability = ModelComparability(tuple(verdict["refusals"]), tuple(verdict["flags"]))
    result = fit_model(job.config["model"], tables, job.config, comparability, seed=job.seed)
    extra = {"seed": job.seed, "software": _versions(), "synthetic": bool(job.config["study"]["synthetic"])}
    write_json(job.outputs["fit"], {**result.as_dict(), **extra})


def _versions() -> dict[str, str]:
    """Versions of what computes the numbers; numba may be absent, the same numbers then come from numpy."""
    found = {}
    for name in SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
