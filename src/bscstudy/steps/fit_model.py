"""Fit one declared model and write its result, or the reasons why it is not estimated."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.models.fit import fit_model
from bscstudy.tables import read_table, write_json
from bscstudy.workflow import Job

UNITS = ("person", "visit", "center")
SOFTWARE = ("statsmodels", "formulaic", "numpy", "scipy")


def run(job: Job) -> None:
    """Read the analysis tables the model needs, fit, write ``models/<model>.json``."""
    spec = job.config["model"]
    spec = {"id": job.wildcards.get("model", spec.get("id")), **spec}
    tables = {unit: read_table(path) for unit, path in _analysis_files(job).items()}
    if spec["unit"] not in tables:
        raise BscError(
            "BSC-MOD-016",
            f"The model asks for the {spec['unit']} table, which this study does not have.",
            f"config/models/{spec['id']}.yaml, unit",
            "There are no rows to fit.",
            "Declare the data it rests on in config/sources.yaml and config/measures.yaml, or remove the model.",
        )
    drift = job.inputs.get("drift")
    result = fit_model(spec, tables, job.config, read_table(drift) if drift else None)
    extra = {"seed": job.seed, "software": {name: version(name) for name in SOFTWARE}, "synthetic": bool(job.config["study"]["synthetic"])}
    write_json(job.outputs["fit"], {**result.as_dict(), **extra})


def _analysis_files(job: Job) -> dict[str, Path]:
    named = {unit: job.inputs[unit] for unit in UNITS if job.inputs.get(unit)}
    listed = job.inputs.get("analysis") or []
    for path in listed if isinstance(listed, list) else [listed]:
        named[Path(path).stem] = path
    return {unit: path[0] if isinstance(path, list) else path for unit, path in named.items()}
