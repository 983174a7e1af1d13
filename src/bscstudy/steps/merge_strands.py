"""Survey, observation, fidelity and themes side by side: the joint display and the centers by themes."""

from __future__ import annotations

from bscstudy.integrate.centers import center_themes
from bscstudy.integrate.columns import CENTER_THEMES, JOINT
from bscstudy.integrate.joint import joint_display
from bscstudy.integrate.link_columns import THEME_GROUPS
from bscstudy.integrate.theme_groups import theme_groups
from bscstudy.io.comparability import incomparable
from bscstudy.steps.job_tables import read_or_empty, write_output
from bscstudy.tables import read_table
from bscstudy.workflow import Job

OBSERVATION = ["score", "wave", "center_id", "value"]
FIDELITY = ["index", "unit_id", "wave", "center_id", "value"]


def run(job: Job) -> None:
    """Write integrate/joint_display.csv, integrate/center_themes.csv and integrate/theme_groups.csv."""
    config, inputs = job.config, job.inputs
    observation = read_or_empty(job, "observation", OBSERVATION)
    observation = observation[~observation["score"].isin(incomparable(observation["score"], config))]
    joint = joint_display(
        config,
        read_table(inputs["estimates"]),
        read_table(inputs["fits"]),
        observation,
        read_or_empty(job, "fidelity", FIDELITY),
        read_table(inputs["presence"]),
    )
    centers = center_themes(config, read_table(inputs["scores"]), read_table(inputs["theme_center"]), read_table(inputs["centers"]))
    described = "What survey, observation, fidelity and interviews say of each construct, with a proposed fit and its rule."
    write_output(job, "joint", joint, key=["construct"], columns=JOINT, description=described)
    described = "Themes by center with the change of each outcome; counted in interviews and focus groups."
    write_output(job, "centers_table", centers, key=["outcome", "center_id", "theme"], columns=CENTER_THEMES, description=described)
    described = "Change of each outcome in the centers that raised a theme widely, and in the others."
    groups = theme_groups(centers, job.seed)
    write_output(job, "groups", groups, key=["outcome", "theme"], columns=THEME_GROUPS, description=described)
