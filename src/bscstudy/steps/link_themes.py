"""Links between themes and outcomes that were declared in advance, over the centers that have both."""

from __future__ import annotations

from bscstudy.integrate.link_columns import THEME_LINK_CENTERS, THEME_LINKS
from bscstudy.integrate.theme_links import theme_links
from bscstudy.steps.job_tables import read_or_empty, write_output
from bscstudy.tables import read_table
from bscstudy.workflow import Job

FIDELITY = ["index", "unit_id", "wave", "center_id", "value"]


def run(job: Job) -> None:
    """Write integrate/theme_links.csv and integrate/theme_link_centers.csv."""
    tables = [read_table(job.inputs[name]) for name in ("theme_center", "scores")]
    fidelity = read_or_empty(job, "fidelity", FIDELITY)
    links, values = theme_links(job.config, *tables, fidelity, read_table(job.inputs["centers"]), job.seed)
    described = "Themes and outcomes associated across centers: rank correlations, high against low centers, slopes of people's scores."
    write_output(job, "links", links, key=["link"], columns=THEME_LINKS, description=described)
    described = "The theme and the outcome of each center in each declared link."
    write_output(job, "values", values, key=["link", "center_id"], columns=THEME_LINK_CENTERS, description=described)
