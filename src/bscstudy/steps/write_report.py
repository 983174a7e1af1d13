"""Step of the rule write_report: the one page that holds every exhibit."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.exhibits.markup import fragment_of
from bscstudy.exhibits.report import ReportParts, render
from bscstudy.release.checklists import CHECKLISTS, summary
from bscstudy.steps.job_tables import paths_of
from bscstudy.tables import read_json, read_table, write_text
from bscstudy.workflow import Job

PACKAGES = ("bscstudy", "jinja2", "matplotlib", "numpy", "pandas", "pingouin", "scipy", "seaborn", "snakemake", "statsmodels")


def run(job: Job) -> None:
    """Read records, tables and figures and write reports/report.html."""
    records = {record["exhibit"]: record for record in map(read_json, job.inputs["records"])}
    tables = [path for name in ("summary", "flow", "models") for path in paths_of(job, name)]
    frames = {path.stem: read_table(path) for path in tables}
    parts = ReportParts(
        records=_in_order(records, job.config["exhibits"]),
        fragments={path.stem: fragment_of(path.read_text(encoding="utf-8")) for path in paths_of(job, "tables_html")},
        images={path.stem: path.read_bytes() for path in paths_of(job, "figures")},
        config=job.config,
        fits=frames.get("fits"),
        summary=frames.get("summary"),
        flow=frames.get("flow"),
        digest=config_digest(job.config),
        software=software(),
        checklists=_checklists(job),
    )
    write_text(job.outputs["report"], render(parts))


def _checklists(job: Job) -> list[dict]:
    """Return how much of each reporting checklist is filled, in the order in which they are listed."""
    tables = {path.stem: pd.read_csv(path) for path in paths_of(job, "checklists")}
    return [summary(checklist, tables[checklist.name]) for checklist in CHECKLISTS if checklist.name in tables]


def config_digest(config: dict) -> str:
    """Return a short digest of the configuration's sections that the report rests on."""
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:16]


def software() -> list[tuple[str, str]]:
    """Return Python and the packages that made the numbers, with their versions; one that is not installed is left out."""
    found = [("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _in_order(records: dict[str, dict], rows: list[dict]) -> list[dict]:
    absent = sorted({str(row["exhibit"]) for row in rows} - set(records))
    if absent:
        raise BscError(
            "BSC-CFG-082",
            f"{len(absent)} exhibits of the configuration were not made: {', '.join(absent)}.",
            "config/exhibits.csv",
            "The report would lack them without a word.",
            "Run `snakemake` again, so that every exhibit is made before the report.",
        )
    ordered = sorted(rows, key=lambda row: (_order(row), str(row["exhibit"])))
    return [records[str(row["exhibit"])] for row in ordered]


def _order(row: dict) -> float:
    return float("inf") if pd.isna(row.get("order")) else float(row["order"])
