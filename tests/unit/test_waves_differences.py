"""Which published numbers changed and why: every change is found, none is invented, and nobody can be told from it."""

import json

import pandas as pd
import pytest

from bscstudy.cli import main
from bscstudy.errors import BscError
from bscstudy.new_study import write_new_study
from bscstudy.tables import write_json, write_table
from bscstudy.waves.differences import compare_folders, difference_rows, table_differences
from bscstudy.waves.reasons import reasons_between
from bscstudy.waves.records import changes, n_overlapping, same_records
from bscstudy.waves.snapshot import basis_of, write_snapshot


def frame(columns, *rows):
    return pd.DataFrame([list(row) for row in rows], columns=columns.split(), dtype=object)


SCALES = frame("Scale Wave n Mean", ("a", "T1", "10", "3.1"), ("a", "T3", "9", "3.4"), ("b", "T1", "10", "2.0"))


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (SCALES, []),
        (SCALES.iloc[[2, 0, 1]], []),
        (SCALES.replace("3.4", "3.5"), [("a | T3", "Mean", "3.4", "3.5")]),
        (SCALES.iloc[:2], [("b | T1", "", "row", None)]),
        (SCALES.drop(columns="n"), [("", "n", "column", None)]),
        (SCALES.assign(sd="1"), [("", "sd", None, "column")]),
        (pd.concat([SCALES, frame("Scale Wave n Mean", ("b", "T3", "8", "2.2"))]), [("b | T3", "", None, "row")]),
    ],
    ids=["same", "order", "cell", "row gone", "column gone", "column new", "row new"],
)
def test_tables_are_compared_by_what_names_their_rows(new, expected):
    found = table_differences("T", SCALES, new.reset_index(drop=True))
    assert [(d.row, d.column, d.old, d.new) for d in found] == expected


def test_rows_that_cannot_be_told_apart_are_compared_by_their_turn():
    old = frame("Check Found", ("x", "1"), ("x", "1"))
    found = table_differences("T", old, frame("Check Found", ("x", "1"), ("x", "2")))
    assert [(d.row, d.column, d.old, d.new) for d in found] == [("x | number 2", "Found", "1", "2")]


def record(folder, name, table, note):
    rows = {"columns": list(table.columns), "rows": table.to_numpy().tolist()}
    write_json(folder / "data" / f"{name}.json", {"table": rows, "data": None, "notes": [{"name": "n", "text": note}]})


def test_records_are_compared_with_their_notes(tmp_path):
    for name, table, note in (("old", SCALES, "20 people"), ("new", SCALES.replace("3.4", "3.5"), "21 people")):
        record(tmp_path / name, "T3", table, note)
        record(tmp_path / name, "T9", SCALES, "same")
    record(tmp_path / "new", "T10", SCALES, "x")
    rows = difference_rows(compare_folders(tmp_path / "old", tmp_path / "new")).to_numpy().tolist()
    assert rows == [
        ["T10", "", "", "", "published"],
        ["T3", "a | T3", "Mean", "3.4", "3.5"],
        ["T3", "(note)", "n", "20 people", "21 people"],
    ]


def test_of_tables_of_people_only_counts_are_said(tmp_path):
    people = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "score": [1.0, 2.0, 3.0]})
    means = pd.DataFrame({"scale": ["a"], "mean": [2.0]})
    for name, step in (("old", 0), ("new", 1)):
        write_table(people.assign(score=people["score"] + [0, step, step]), tmp_path / name / "scores.csv", key=["person_id"])
        write_table(means + pd.DataFrame({"scale": [""], "mean": [step]}), tmp_path / name / "means.csv", key=["scale"])
    found = compare_folders(tmp_path / "old", tmp_path / "new")
    assert [(d.exhibit, d.row, d.column, d.old, d.new) for d in found] == [
        ("means", "a", "mean", "2", "3"),
        ("scores", "2 in all", "score", "differs", "differs"),
    ]
    record(tmp_path / "reports", "T3", SCALES, "x")
    with pytest.raises(BscError, match="BSC-WAV-015"):
        compare_folders(tmp_path / "old", tmp_path / "reports")


def test_a_snapshot_says_which_file_section_and_exhibit_changed(tmp_path, capsys):
    study = tmp_path / "study"
    write_new_study(study)
    with pytest.raises(BscError, match="BSC-WAV-013"):
        write_snapshot(study, tmp_path / "kept")
    record(study / "reports", "T3", SCALES, "x")
    write_snapshot(study, tmp_path / "kept")
    assert reasons_between(tmp_path / "kept", study / "reports") == ["Raw files, configuration and program are the same."]
    assert main(["diff-waves", str(tmp_path / "kept"), str(study / "reports")]) == 0
    assert "No published number changed." in capsys.readouterr().out
    (study / "data/raw/roster.csv").write_bytes((study / "data/raw/roster.csv").read_bytes() + b"\n")
    path = study / "config/codebook/scales.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",3,,", ",2,,"), encoding="utf-8")
    record(study / "reports", "T3", SCALES.replace("3.4", "3.5"), "x")
    before, after = (json.loads((tmp_path / "kept/basis.json").read_text()), basis_of(study))
    digests = [basis["sources"]["data/raw/roster.csv"][:8] for basis in (before, after)]
    reasons = [f"raw file data/raw/roster.csv: {digests[0]} -> {digests[1]}", "configuration scales of staff_survey: changed"]
    assert reasons_between(tmp_path / "kept", study / "reports") == reasons
    assert main(["diff-waves", str(tmp_path / "kept"), str(study / "reports"), "--csv", str(tmp_path / "d.csv")]) == 0
    assert "a | T3, Mean: 3.4 -> 3.5" in capsys.readouterr().out
    assert (tmp_path / "d.csv").read_text(encoding="utf-8") == "exhibit,row,column,old,new\nT3,a | T3,Mean,3.4,3.5\n"
    with pytest.raises(BscError, match="BSC-WAV-014"):
        write_snapshot(study, tmp_path / "kept")


ANSWERS = pd.DataFrame(
    {"row": [2, 3, 4], "person_id": ["P1", "P2", "P3"], "wave": "T1", "a": [1.0, 2.0, None], "a__why": [None, None, "skipped"]}
)


def test_a_reason_for_missing_and_its_value_are_one_cell():
    after = ANSWERS.assign(a=[1.0, None, None], a__why=[None, "refused", "refused"])
    found = changes(ANSWERS, after, ["person_id", "wave"])
    assert (found.n_common, found.n_changed, found.cells) == (3, 2, {"a": 2})


def test_records_are_the_same_whatever_their_order_and_wave():
    assert same_records(ANSWERS, ANSWERS.iloc[::-1].assign(wave="T2", row=[9, 8, 7]))
    assert not same_records(ANSWERS, ANSWERS.assign(a=[1.0, 2.0, 3.0]))
    assert n_overlapping(ANSWERS, ANSWERS.iloc[1:].assign(a=5.0), ["person_id", "wave"]) == 2
    assert n_overlapping(ANSWERS, ANSWERS.iloc[1:].assign(a=5.0), []) == 0


def test_without_a_key_a_changed_record_is_one_gone_and_one_added():
    found = changes(ANSWERS, ANSWERS.assign(a=[1.0, 5.0, None]), [])
    assert (found.n_added, found.n_removed, found.n_changed) == (1, 1, 0)
