"""Digests see what Snakemake does not; tables are written whole, sorted and typed; seeds depend on the job alone."""

import os
import re

import pandas as pd
import pytest

from bscstudy import workflow
from bscstudy.errors import BscError
from bscstudy.pipeline import SCORED
from bscstudy.steps.sound import SOURCES
from bscstudy.tables import Column, read_sidecar, read_table, write_bytes, write_json, write_table


@pytest.fixture
def small_package(tmp_path, monkeypatch):
    (tmp_path / "steps").mkdir()
    files = {
        "__init__.py": "", "steps/__init__.py": "", "steps/fit.py": "def run(job):\n    from bscstudy.lower import f\n",
        "lower.py": "from bscstudy import lowest\nf = 1\n", "lowest.py": "g = 1\n", "unrelated.py": "h = 1\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(workflow, "PACKAGE", tmp_path)

    def digest():
        for cached in (workflow._module_file, workflow._imports, workflow.code_digest):
            cached.cache_clear()
        return workflow.code_digest("bscstudy.steps.fit")

    yield tmp_path, digest
    for cached in (workflow._module_file, workflow._imports, workflow.code_digest):
        cached.cache_clear()


@pytest.mark.parametrize(("edited", "moves"), [("steps/fit.py", True), ("lower.py", True), ("lowest.py", True), ("unrelated.py", False)])
def test_code_digest_follows_imports_and_no_further(small_package, edited, moves):
    folder, digest = small_package
    before = digest()
    stamp = (folder / edited).stat().st_mtime - 1000
    (folder / edited).write_text((folder / edited).read_text() + "x = 2\n")
    os.utime(folder / edited, (stamp, stamp))
    assert (digest() != before) == moves


def test_file_digest_sees_content_not_dates(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("a\n1\n")
    before = workflow.file_digest(path)
    os.utime(path, (1, 1))
    assert workflow.file_digest(path) == before
    path.write_text("a\n2\n")
    os.utime(path, (1, 1))
    assert workflow.file_digest(path) != before


def test_job_seeds_differ_by_rule_and_wildcard_only():
    seeds = {workflow.job_seed(1, r, {"model": m}) for r in "ab" for m in "xy"}
    assert len(seeds) == 4
    assert workflow.job_seed(1, "a", {"x": "1", "y": "2"}) == workflow.job_seed(1, "a", {"y": "2", "x": "1"})


def test_a_table_comes_back_sorted_and_typed(tmp_path):
    path = tmp_path / "t.csv"
    frame = pd.DataFrame({"id": ["007", "003"], "day": ["2024-01-02", pd.NA], "n": [2, 1], "x": [1 / 3, float("nan")], "note": ["NA", ""]})
    write_table(frame, path, key=["id"], columns=[Column("day", type="date"), Column("n", label="count", type="integer")], synthetic=True)
    back = read_table(path)
    assert list(back["id"]) == ["003", "007"], "ids keep their zeros and are sorted"
    assert back["note"].tolist()[1] == "NA" and back["note"].isna().tolist() == [True, False], "NA is text, a blank is missing"
    assert back["x"].iloc[1] == pytest.approx(1 / 3, abs=1e-10), "ten significant digits are kept"
    assert read_sidecar(path)["synthetic"] is True and read_sidecar(path)["n_rows"] == 2


def test_a_repeated_key_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(BscError, match="BSC-KEY-001"):
        write_table(pd.DataFrame({"id": ["a", "a"]}), tmp_path / "t.csv", key=["id"])
    assert not list(tmp_path.iterdir())


def test_excluded_rows_are_left_out_unless_wanted(tmp_path):
    write_table(pd.DataFrame({"row": [2, 3], "excluded": [pd.NA, "twice"]}), tmp_path / "t.csv", key=["row"], columns=[Column("excluded")])
    assert len(read_table(tmp_path / "t.csv")) == 1
    assert len(read_table(tmp_path / "t.csv", drop_excluded=False)) == 2


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_bytes(tmp_path / "f", b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):
        write_bytes(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old"


def test_json_never_holds_nan(tmp_path):
    write_json(tmp_path / "f.json", {"b": float("nan"), "a": [float("inf"), 0.1 + 0.2]})
    assert (tmp_path / "f.json").read_text() == '{\n "a": [\n  null,\n  0.3\n ],\n "b": null\n}\n'


def test_every_step_that_scores_sources_judges_all_its_inputs_of_them():
    steps = {path.stem for path in (workflow.PACKAGE / "steps").glob("*.py") if "steps.sound import" in path.read_text(encoding="utf-8")}
    assert steps == set(SCORED)
    files = sorted((workflow.PACKAGE.parents[1] / "workflow" / "rules").glob("*.smk"))
    rules = dict(re.findall(r"rule (\w+):\n\s+input:\n(.*?)\n\s+output:", "\n".join(f.read_text(encoding="utf-8") for f in files), re.S))
    for step in steps:
        given = re.sub(r"\s", "", rules[step])
        assert f'compared=source_tables(pipeline.compared_sources(STUDY,"{step}"))' in given
        assert set(re.findall(r"(\w+)=(?:pipeline\.)?source_table", given)) <= set(SOURCES), step
