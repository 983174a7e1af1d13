"""The declared elements of the collaborative: scores of each center and the composite with its sensitivity to the weights."""

from __future__ import annotations

from bscstudy.measures.elements import element_scores
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

COLUMNS = [
    Column("element", "Element, or composite"),
    Column("label", "Label"),
    Column("weight", "Declared weight (blank: none)", "number"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("score", "Mean of the standardized indices; of the composite, weighted mean of the elements", "number"),
    Column("rank", "Rank of the center by the declared weights (1 is the highest)", "integer"),
    Column("rank_equal", "Rank by equal weights", "integer"),
    Column("rank_without_low", "Best rank with one element left out", "integer"),
    Column("rank_without_high", "Worst rank with one element left out", "integer"),
    Column("rank_drawn_low", "2.5th percentile of the ranks by drawn weights", "integer"),
    Column("rank_drawn_high", "97.5th percentile of the ranks by drawn weights", "integer"),
]


def run(job: Job) -> None:
    """Write measures/elements.csv."""
    better = {str(index["id"]): str(index.get("better", "none")) for index in job.config["fidelity"]}
    table = element_scores(read_table(job.inputs["fidelity"]), job.config["elements"], job.config["composite"], better, job.seed)
    ranked = [column.name for column in COLUMNS if column.type == "integer"]
    described = "Elements of the collaborative by center, and their composite with the ranks under other weights."
    write_output(
        job, "table", table.astype(dict.fromkeys(ranked, "Int64")), key=["element", "center_id"], columns=COLUMNS, description=described
    )
