"""The declared rules of the real study give the counts of its data-quality truth, through the pipeline's own ingest."""

import csv
from pathlib import Path

import pytest

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.config import select_sections
from bscstudy.io.ingest import ingest
from bscstudy.io.readers import read_source
from bscstudy.sections import sections_of

CONFIG = Path(__file__).resolve().parents[1] / "studies" / "gti" / "config"


@pytest.fixture(scope="module")
def counts(gti_folder):
    from bscstudy.loading import load_study

    study = load_study(CONFIG)
    tables = {}
    for name, settings in study["sources"].items():
        raw = read_source([gti_folder / "raw" / Path(settings["file"]).name], settings)
        found = ingest(raw, settings, select_sections(study, sections_of(study, "ingest_source", {"source": name})))
        tables[name] = Source(name, found.frame, settings, found.extra)
    config = select_sections(study, sections_of(study, "check_quality", {}))
    summary = run_checks(tables, config).summary
    assert not (summary["severity"] == "stop")[summary["n"] > 0].any(), "the gate must open for the study as configured"
    return dict(zip(summary["check"], summary["n"], strict=True))


@pytest.mark.slow
def test_every_count_of_the_truth_is_reproduced(counts, gti_folder):
    with open(gti_folder / "oracle" / "data_quality_truth.csv", encoding="utf-8") as handle:
        truth = {row["check"]: int(row["expected"]) for row in csv.DictReader(handle)}
    assert len(truth) == 110
    assert {check: counts.get(check) for check in truth} == truth
