"""Step: people linked across waves, and the list of centers."""

from __future__ import annotations

from bscstudy.checks.people import centers_table, link_people
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import require_sound_inputs
from bscstudy.tables import Column, read_sidecar
from bscstudy.workflow import Job

PEOPLE = {
    "person_id": "Person", "wave": "Wave", "collaborative": "Collaborative", "center_id": "Center", "role": "Role",
    "core": "core (member of the improvement team) or other", "expected": "Expected to answer (1/0)",
    "responded": "Answered at least one item (1/0)", "present": "On the register's list for the wave or with an answer (1/0)",
    "movement": "start, stayed, returned or joined, compared with the survey waves before",
    "center_changed": "Center differs from the last one known (1/0)", "role_changed": "Role differs from the last one known (1/0)",
    "status": "stayer, leaver, joiner or once",
    "first_wave": "First wave on the list or with an answer", "last_wave": "Last wave on the list or with an answer",
}  # fmt: skip
WHOLE = ("expected", "responded", "present", "center_changed", "role_changed")


def run(job: Job) -> None:
    """Write people.csv and centers.csv; excluded rows are left out."""
    sources, own = require_sound_inputs(job, reasons=False), {path.stem: path for path in (*job.inputs["register"], *job.inputs["tables"])}
    tables = {name: source.kept() for name, source in sources.items() if name in own}
    people = link_people(tables, job.config)
    labelled = [Column(name, label, "integer" if name in WHOLE else "text") for name, label in PEOPLE.items()]
    described = "People linked across waves: who was expected, who answered, who stayed"
    write_output(job, "people", people, key=["person_id", "wave"], columns=labelled, description=described)
    name = job.config["register"]["centers"]
    columns = [
        Column(**c)
        for c in read_sidecar(own[name])["columns"]
        if c["name"] not in ("row", "wave", "excluded") and not c["name"].endswith("__why")
    ]
    centers = centers_table(tables[name], tables)
    columns.append(Column("in_register", "Listed in the register (1/0)", "integer"))
    columns = [c for c in columns if c.name in centers.columns]
    write_output(job, "centers", centers, key=["center_id"], columns=columns, description="Centers of the register with its items")
