"""Who turns to whom: the network of each wave."""

from __future__ import annotations

import pandas as pd

from bscstudy.identity import add_identity
from bscstudy.measures.peer_network import networks, nominations
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

NETWORK = [
    Column("wave", "Wave"),
    Column("level", "person or center"),
    Column("n_answered", "Nodes that answered", "integer"),
    Column("n_nodes", "Nodes that could be named", "integer"),
    Column("n_ties", "Ties", "integer"),
    Column("density", "Ties over those that who answered could have named", "number"),
    Column("reciprocity", "Share of ties between two who both answered that go both ways", "number"),
    Column("n_mutual_pairs", "Pairs that turn to each other", "integer"),
    Column("cross_center", "Share of ties to another center", "number"),
    Column("n_cross_center", "Ties to another center", "number"),
    Column("isolated", "Share of who answered that names nobody and is named by nobody", "number"),
    Column("n_isolated", "Such nodes", "integer"),
    Column("n_unknown", "Names that fit nobody", "integer"),
    Column("n_left_out", "Forms (among centers: answers) that name no person or center of their own", "integer"),
]
TIES = [
    Column("wave", "Wave"),
    Column("from_center", "Center that turns to"),
    Column("to_center", "Center turned to"),
    Column("n_people", "People of the first who name the second", "integer", units="people"),
    Column("n_ties", "Ties", "integer"),
]


def run(job: Job) -> None:
    """Write measures/peer_network.csv and measures/peer_ties.csv."""
    spec, people, centers = job.config["peer_network"], read_table(job.inputs["people"]), read_table(job.inputs["centers"])
    key = f"{spec['nodes']}_id"
    tables = [add_identity(table, people, centers).assign(source=name) for name, table in sound_tables(job).items()]
    named = nominations(pd.concat(tables, ignore_index=True), spec, job.config["ids"].get(key), job.config["crosswalks"].get(key))
    network, ties = networks(named, spec["nodes"], people, centers)
    write_output(job, "network", network, key=["wave", "level"], columns=NETWORK, description="Who turns to whom, by wave.")
    write_output(job, "ties", ties, key=["wave", "from_center", "to_center"], columns=TIES, description="Ties between centers, by wave.")
