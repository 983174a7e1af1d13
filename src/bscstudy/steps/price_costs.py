"""What taking part cost each center, and for each person reached."""

from __future__ import annotations

from bscstudy.identity import add_identity
from bscstudy.measures.costs import center_costs, people_reached
from bscstudy.steps.job_tables import paths_of, write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

COLUMNS = [
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("category", "Kind of cost, or total"),
    Column("label", "Label"),
    Column("quantity", "Quantity (blank for totals)", "number"),
    Column("unit", "Unit of the quantity"),
    Column("cost_low", "Cost at the low price", "number"),
    Column("cost", "Cost", "number"),
    Column("cost_high", "Cost at the high price", "number"),
    Column("per", "Divided by the number of these people (blank: the center's own cost)"),
    Column("n_reached", "Number of these people", "number", units="people"),
]


def run(job: Job) -> None:
    """Write measures/costs.csv."""
    spec, centers = job.config["costs"], read_table(job.inputs["centers"])
    rows = add_identity(sound_tables(job, "table")[spec["source"]], None, centers)
    reached = {}
    for path in paths_of(job, "fidelity"):
        reached |= people_reached(read_table(path), spec.get("per") or [])
    table = center_costs(rows, spec, reached, centers)
    described = "Costs of taking part: quantity times price, with a low and a high price."
    write_output(job, "table", table, key=["center_id", "category", "per"], columns=COLUMNS, description=described)
