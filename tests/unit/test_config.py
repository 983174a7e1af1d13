"""Faults of a configuration are found before anything runs, all of a kind at once, with file, line and the nearest spelling."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bscstudy.cli import main
from bscstudy.config import read_sections, sections_digest, select_sections
from bscstudy.errors import BscError
from bscstudy.loading import load_study
from bscstudy.new_study import TEMPLATE, write_new_study
from bscstudy.sections import config_digest


@pytest.fixture
def study(tmp_path):
    shutil.copytree(TEMPLATE, tmp_path / "study")
    return tmp_path / "study"


def change(study, file, old, new):
    path = study / "config" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "said"),
    [
        ("config.yaml", "  min_cell: 10", "  min_cel: 10", "BSC-CFG-002", ["config.yaml, line", "'min_cel'", "Did you mean 'min_cell'?"]),
        ("config.yaml", "phase: baseline", "phase: base", "BSC-CFG-002", ["waves.0.phase", "Did you mean 'baseline'?"]),
        ("config.yaml", "  seed: 1 ", "  seed: one ", "BSC-CFG-002", ["study.seed", "whole number|integer"]),
        ("config.yaml", "waves:  ", "waves  ", "BSC-CFG-001", ["config.yaml, line"]),
        ("config.yaml", "centers: centers ", "centers: center ", "BSC-CFG-003", ["source 'center'", "Did you mean 'centers'?"]),
        ("sources.yaml", "reader: csv", "reader: cvs", "BSC-CFG-002", ["'cvs'", "Did you mean 'csv'?"]),
        ("sources.yaml", "file: data/raw/centers.csv", "file: /data/centers.csv", "BSC-CFG-002", ["centers"]),
        ("sources.yaml", "wave: after", "wave: afterwards", "BSC-CFG-003", ["wave 'afterwards'", "Did you mean 'after'?"]),
        ("codebook/items.csv", "response_scale,minimum", "response_scal,minimum", "BSC-CFG-002", ["column 'response_scal'"]),
        (
            "codebook/items.csv",
            "lead_2,Leaders know our tests of change,ordinal",
            "lead_2,Leaders,ordnal",
            "BSC-CFG-002",
            ["row 5", "'ordinal'"],
        ),
        ("codebook/scales.csv", "-lead_3", "-lead_33", "BSC-CFG-003", ["item 'lead_33'", "Did you mean 'lead_3'?"]),
        (
            "models/change_leadership.yaml",
            "outcome: leadership_buy_in",
            "outcome: leadership",
            "BSC-CFG-003",
            ["'leadership'", "leadership_buy_in"],
        ),
        (
            "models/change_leadership.yaml",
            "compare: {wave: [before, after]}",
            "compare: {wave: [before, then]}",
            "BSC-CFG-003",
            ["wave 'then'"],
        ),
        ("models/change_leadership.yaml", "~ wave + role +", "~ wav + rol +", "BSC-CFG-003", ["formula: the name 'wav'", "'wave'"]),
        (
            "models/change_leadership.yaml",
            "~ wave + role +",
            "~ wave + rol +",
            "BSC-CFG-003",
            ["formula: the name 'rol' does not exist. Did you mean 'role'?"],
        ),
        (
            "models/change_leadership.yaml",
            "role + (1 | center/",
            "role + (1 | centre/",
            "BSC-CFG-003",
            ["formula: the group 'centre' does not exist. Did you mean 'center'?"],
        ),
        (
            "models/change_leadership.yaml",
            "role + (1 | center/person)",
            "role + (1 | center/",
            "BSC-CFG-003",
            ["change_leadership.yaml, formula", "cannot be read"],
        ),
        ("models/change_leadership.yaml", "wave + role + (1", "wave - role + (1", "BSC-CFG-003", ["takes away a term"]),
        ("models/change_leadership.yaml", "question: change", "question: change\nfamily: context", "BSC-CFG-002", ["`hypotheses`"]),
        (
            "models/change_leadership.yaml",
            "question: change",
            "question: change\ndf: residual",
            "BSC-CFG-003",
            ["only without random terms"],
        ),
        (
            "models/change_leadership.yaml",
            "question: change",
            "question: change\ntime: {during: [before, aftr], role: [before, after]}",
            "BSC-CFG-003",
            ["time: the wave 'aftr' does not exist. Did you mean 'after'?", "the name 'role' is that of a column"],
        ),
        ("models/change_leadership.yaml", "question: change", "question: change\nlink: logit", "BSC-CFG-003", ["no link of gaussian"]),
        (
            "models/change_leadership.yaml",
            "question: change",
            "question: change\nmarginal_means: [[wave, rol]]",
            "BSC-CFG-003",
            ["the factor of the formula 'rol' does not exist. Did you mean 'role'?"],
        ),
        ("models/change_leadership.yaml", "role: teacher", "role: techer", "BSC-CFG-003", ["role 'techer' does not exist."]),
        ("models/change_leadership.yaml", "after]}}", "after]}, at: {core: coer}}", "BSC-CFG-003", ["core 'coer'", "Did you mean 'core'?"]),
        ("exhibits.csv", "F1_change,change_by_wave", "F1_change,change_by_waves", "BSC-CFG-003", ["Did you mean 'change_by_wave'?"]),
        ("theory_of_change.yaml", "scales: [leadership_buy_in]", "scales: [leadership_buyin]", "BSC-CFG-003", ["scale 'leadership_buyin'"]),
    ],
)
def test_a_fault_is_named_with_its_place(study, file, old, new, code, said):
    change(study, file, old, new)
    with pytest.raises(BscError) as fault:
        load_study(study / "config")
    assert fault.value.code == code
    text = str(fault.value)
    for words in said:
        assert any(word in text for word in words.split("|")), text


def test_sources_of_interviews_need_their_keys_and_items(study):
    change(study, "sources.yaml", "centers:\n", "codes: {instrument: codes, reader: code_table, file: data/raw/codes.csv}\n\ncenters:\n")
    (study / "config" / "qual.yaml").write_text("documents: centers\nasked: roster\ncodings: [{source: codes, coder_role: main}]\n")
    with pytest.raises(BscError) as fault:
        load_study(study / "config")
    for said in (
        "the instrument (of config/codebook/items.csv) 'codes' does not exist",
        "sources.yaml, codes: the source of codings needs the key 'document_id'",
        "sources.yaml, roster: the source of asked needs the key 'document_id'",
        "items.csv: the source of codings needs the item 'code_path' of 'codes'",
    ):
        assert said in str(fault.value)


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ("reliability: {approach: reflexive}", "BSC-CFG-002", "the key 'reason' is missing"),
        ("reliability: {approach: reflexive, reason: ' '}", "BSC-CFG-002", "' ' is not written as it must be"),
        ("reliability: {approach: reflexiv, reason: No.}", "BSC-CFG-002", "Did you mean 'reflexive'?"),
        ("reliability: {coefficients: [cohens_kappa]}", "BSC-CFG-002", "Did you mean 'cohen_kappa'?"),
        ("agreement_unit: paragraph", "BSC-CFG-002", "the key 'paragraphs' is missing"),
        ("reliability: {approach: none, reason: One., draws: 500}", "BSC-CFG-003", "'draws' cannot stand beside the approach 'none'"),
        ("reliability: {reason: One.}", "BSC-CFG-003", "'reason' goes with the approaches consensus, reflexive and none"),
        ("reliability: {coefficients: [alpha_u]}", "BSC-CFG-003", "'alpha_u' needs the item 'characters' (length of the text)"),
        ("agreement_unit: character", "BSC-CFG-003", "'agreement_unit: character' needs the item 'characters'"),
        ("paragraphs: paragrafs", "BSC-CFG-003", "source 'paragrafs' does not exist"),
    ],
)
def test_how_reliability_is_declared(study, lines, code, said):
    text = "documents: centers\nasked: roster\ncodings: [{source: roster, coder_role: main}]\n"
    (study / "config" / "qual.yaml").write_text(f"{text}{lines}\n")
    with pytest.raises(BscError) as fault:
        load_study(study / "config")
    assert fault.value.code == code and said in str(fault.value)


def test_all_findings_of_a_kind_come_together(study):
    change(study, "config.yaml", "min_cell", "min_cel")
    change(study, "config.yaml", "phase: post", "phase: after")
    change(study, "sources.yaml", "reader: csv", "reader: cvs")
    with pytest.raises(BscError) as fault:
        load_study(study / "config")
    assert len(fault.value.where) == 4  # min_cel is unknown and min_cell is missing


def test_missing_files_are_listed(study):
    (study / "config/exhibits.csv").unlink()
    (study / "config/sources.yaml").unlink()
    with pytest.raises(BscError, match="2 file"):
        load_study(study / "config")


def test_sections_are_those_asked_for_and_only_they_move_the_digest(study):
    config = study / "config"
    wanted = {
        "waves": "waves",
        "source": "sources.staff_before",
        "items": "items[instrument=staff_survey]",
        "first": "items[item=lead_2].0",
    }
    picked = read_sections(config, wanted)
    assert set(picked) == {"study", "waves", "source", "items", "first"}
    assert len(picked["items"]) == 4 and picked["first"]["item"] == "lead_2" and picked["source"]["id"] == "staff_before"
    before = sections_digest(load_study(config), wanted)
    change(study, "codebook/items.csv", "Year of hire", "Year hired")
    assert sections_digest(load_study(config), wanted) == before
    change(study, "codebook/items.csv", "Leaders drop plans halfway,", "Leaders drop plans,")
    assert sections_digest(load_study(config), wanted) != before


def test_rows_of_some_waves_are_handed_out_with_those_waves_only():
    rows = [{"item": "a", "waves": ""}, {"item": "b", "waves": "T1 T5"}, {"item": "c", "waves": "T5"}]
    study = {"study": {}, "items": rows, "sources": {"s": {"id": "s"}, "t": {"id": "t"}}, "exhibits": [{"section": "How far, and when"}]}
    wanted = {"items": "items[item=a|b|c, waves=T1|T3]", "sources": "sources[id=t]", "shown": "exhibits[section=How far, and when].0"}
    picked = select_sections(study, wanted)
    assert picked["items"] == [{"item": "a", "waves": ""}, {"item": "b", "waves": "T1"}]
    assert list(picked["sources"]) == ["t"] and picked["shown"] == study["exhibits"][0]


def test_new_study_passes_its_own_check_and_spares_what_is_there(tmp_path, capsys):
    assert main(["new-study", str(tmp_path / "mine")]) == 0
    assert "in order" in capsys.readouterr().out
    assert main(["new-study", str(tmp_path / "mine")]) == 2
    assert "BSC-CFG-004" in capsys.readouterr().err
    written = {p.relative_to(tmp_path / "other") for p in write_new_study(tmp_path / "other")}
    assert written == {p.relative_to(TEMPLATE) for p in TEMPLATE.rglob("*") if p.is_file()}


def test_an_exclusion_concerns_its_own_source_alone(study):
    def digests():
        loaded = load_study(study / "config")
        return [config_digest(loaded, "ingest_source", {"source": name}) for name in ("staff_before", "staff_after")]

    before = digests()
    change(study, "config.yaml", "exclusions: []", "exclusions: [{source: staff_after, row: 5, reason: sent twice}]")
    after = digests()
    assert after[0] == before[0] and after[1] != before[1]


def test_output_that_nobody_reads_to_its_end_leaves_no_trace():
    root = Path(__file__).resolve().parents[2]
    command = f'set -o pipefail; "{sys.executable}" -c "from bscstudy.cli import main; raise SystemExit(main([\'drift\']))" | head -n 1'
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    done = subprocess.run(["bash", "-c", command], cwd=root, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == 1
