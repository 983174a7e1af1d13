"""Survey, observation, fidelity and themes side by side: the joint display and the centers by themes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.integrate.centers import center_themes
from bscstudy.integrate.columns import CENTER_THEMES, JOINT
from bscstudy.integrate.joint import joint_display
from bscstudy.tables import read_table, write_table
from bscstudy.workflow import Job

OBSERVATION = ["score", "wave", "center_id", "value"]
FIDELITY = ["index", "unit_id", "wave", "center_id", "value"]


def run(job: Job) -> None:
    config, inputs = job.config, job.inputs
    joint = joint_display(
        config,
        read_table(inputs["estimates"]),
        read_table(inputs["fits"]),
        _read_if_any(inputs.get("observation"), OBSERVATION),
        _read_if_any(inputs.get("fidelity"), FIDELITY),
        read_table(inputs["presence"]),
    )
    centers = center_themes(config, read_table(inputs["scores"]), read_table(inputs["theme_center"]), read_table(inputs["centers"]))
    synthetic = config["study"]["synthetic"]
    write_table(
        joint,
        job.outputs["joint"],
        key=["construct"],
        columns=JOINT,
        description="What survey, observation, fidelity and interviews say of each construct, with a proposed fit and its rule.",
        synthetic=synthetic,
    )
    write_table(
        centers,
        job.outputs["centers_table"],
        key=["outcome", "center_id", "theme"],
        columns=CENTER_THEMES,
        description="Themes by center with the change of each outcome; counted in interviews and focus groups.",
        synthetic=synthetic,
    )


def _read_if_any(path: Path | list[Path] | None, columns: list[str]) -> pd.DataFrame:
    paths = path if isinstance(path, list) else [path] if path else []
    return read_table(paths[0]) if paths else pd.DataFrame(columns=columns)
