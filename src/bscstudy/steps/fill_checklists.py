"""Step of the rule fill_checklists: reporting checklists filled where the data know the answer."""

from __future__ import annotations

from bscstudy.release.checklists import CHECKLISTS, checklist_csv, filled, markdown
from bscstudy.release.study_facts import Study
from bscstudy.steps.job_tables import paths_of, table_name
from bscstudy.steps.write_report import software
from bscstudy.tables import read_json, read_table, sidecar_path, write_text
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write each checklist as a page and as a table."""
    tables = {table_name(path): read_table(path) for path in paths_of(job, "tables")}
    sidecars = [read_json(sidecar_path(path)).get("extra", {}) for path in paths_of(job, "codings")]
    programs = {str((extra.get("provenance") or {}).get("program") or "") for extra in sidecars} - {""}
    study = Study(job.config, tables, software(), sorted(programs))
    synthetic = bool(job.config["study"]["synthetic"])
    pages, rows = ({path.stem: path for path in job.outputs[form]} for form in ("pages", "tables"))
    for checklist in CHECKLISTS:
        table = filled(checklist.name, study)
        write_text(pages[checklist.name], markdown(checklist, table, synthetic=synthetic))
        write_text(rows[checklist.name], checklist_csv(table, synthetic=synthetic))
