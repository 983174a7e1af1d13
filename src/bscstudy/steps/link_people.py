"""Step: people linked across waves, and the list of centers."""

from __future__ import annotations

from bscstudy.checks.people import centers_table, link_people
from bscstudy.checks.registry import read_sources
from bscstudy.steps.sound import require_sound_inputs
from bscstudy.tables import Column, read_sidecar, write_table
from bscstudy.workflow import Job

PEOPLE = {
    "person_id": "Person", "wave": "Wave", "collaborative": "Collaborative", "center_id": "Center", "role": "Role",
    "core": "core (member of the improvement team) or other", "expected": "Expected to answer (1/0)",
    "responded": "Answered at least one item (1/0)", "status": "stayer, leaver, joiner or once",
    "first_wave": "First wave on the list or with an answer", "last_wave": "Last wave on the list or with an answer",
}  # fmt: skip


def run(job: Job) -> None:
    """Write people.csv and centers.csv; excluded rows are left out."""
    require_sound_inputs(job)
    paths = sorted({*job.inputs["register"], *job.inputs["tables"]})
    tables = read_sources(paths, job.config["sources"], drop_excluded=True)
    synthetic = job.config["study"]["synthetic"]
    people = link_people(tables, job.config)
    labelled = [Column(name, label, "integer" if name in ("expected", "responded") else "text") for name, label in PEOPLE.items()]
    write_table(
        people, job.outputs["people"], key=["person_id", "wave"], columns=labelled, name="people",
        description="People linked across waves: who was expected, who answered, who stayed", synthetic=synthetic,
    )  # fmt: skip
    name = job.config["register"]["centers"]
    path = next(p for p in paths if p.stem == name)
    columns = [
        Column(**c)
        for c in read_sidecar(path)["columns"]
        if c["name"] not in ("row", "wave", "excluded") and not c["name"].endswith("__why")
    ]
    centers = centers_table(tables[name], tables)
    columns.append(Column("in_register", "Listed in the register (1/0)", "integer"))
    columns = [c for c in columns if c.name in centers.columns]
    write_table(
        centers, job.outputs["centers"], key=["center_id"], columns=columns, name="centers",
        description="Centers of the register with its items", synthetic=synthetic,
    )  # fmt: skip
