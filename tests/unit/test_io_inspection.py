"""`bscstudy inspect`: what files hold in words, no cell that tells who someone is, and drafts that load back and fit their file."""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from bscstudy.cli import main
from bscstudy.config import read_study
from bscstudy.errors import BscError
from bscstudy.io import statistical
from bscstudy.io.cells import declared_missing
from bscstudy.io.codebook_draft import COLUMNS, draft_codebook, instrument_id, write_draft
from bscstudy.io.column_kinds import is_identifying, is_key_name, is_wave_name, reason_of_label
from bscstudy.io.guess_reader import guess_reader
from bscstudy.io.ingest import ingest
from bscstudy.io.inspection import inspect_table
from bscstudy.io.inspection_text import inspection_text
from bscstudy.io.raw import RawTable
from bscstudy.io.readers import read_source
from bscstudy.schema_check import check_against_schemas

SECRET = "Magdalena"


def raw_of(columns, **described):
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    return RawTable(frame, np.arange(2, 2 + len(frame)), **described)


def facts(raw):
    return {column.name: column for column in inspect_table(raw).columns}


def said_by(capsys, *arguments):
    code = main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


@pytest.mark.parametrize(
    ("file", "options", "reader", "said"),
    [
        (
            "staff/staff_survey_t1.sav", [],
            "spss", ["250 rows, 58 columns", "pid would be a key", "5 = Strongly agree (106)", "missing: 98 = Refused"],
        ),
        ("admin/administrator_survey.csv", [], "csv", ["looks like a REDCap export", "wave column: redcap_event_name", "-97"]),
        (
            "admin/administrator_survey.csv", ["dictionary=data/raw/admin/administrator_survey_dictionary.csv"],
            "redcap", ["record_id with redcap_event_name", "4 = Agree"],
        ),
        ("parents/parent_survey_t1.csv", [], "qualtrics", ["Likely keys (differ in every row, never missing): ResponseId"]),
        ("fidelity/pdsa_cycles.xlsx", [], "excel", ["Sheets: Cycles", "never missing): cycle"]),
        ("fidelity/monthly_metrics.csv", [], "csv", ["center with month with metric"]),
        ("register/roster.csv", [], "csv", ["person with wave", "wave column: wave"]),
        ("interviews/coding_main.qdpx", [], "refi", ["998 rows"]),
    ],
)  # fmt: skip
def test_the_demonstration_files_in_words(repository, capsys, monkeypatch, file, options, reader, said):
    monkeypatch.chdir(repository)
    text = said_by(capsys, f"data/raw/{file}", *(part for option in options for part in ("--option", option)))
    assert f"with the reader {reader}" in text and not [words for words in said if words not in text]


def test_all_raw_and_reference_files_can_be_inspected(repository, reference_folder, capsys):
    files = [p for p in (repository / "data" / "raw").rglob("*") if p.is_file() and not p.name.startswith(".")]
    files += [p for p in (reference_folder / "sav").rglob("*") if p.is_file()]
    assert all("Columns" in said_by(capsys, path) for path in sorted(files))


def test_multiple_response_sets_and_tags_are_named(reference_folder, capsys):
    text = said_by(capsys, reference_folder / "sav" / "pyreadstat" / "simple_alltypes.sav")
    assert "Multiple-response set mymrset: My multiple response set; dichotomies, code 1 counts; columns bool1, bool2, bool3." in text
    assert "missing: .a = apple" in said_by(capsys, reference_folder / "sav" / "haven" / "tagged-na-double.dta")


def test_no_cell_that_tells_who_someone_is():
    n = 30
    raw = raw_of(
        {
            "person_id": [f"{SECRET}{i}" for i in range(n)],
            "first_name": [SECRET] * n,
            "StaffEmail": [f"{SECRET}@x.org"] * n,
            "q7": [f"I am {SECRET} and I like it here"] * n,
            "rare": [987654.0] * (n - 1) + [123456.0],
            "birth_date": [f"1980-01-{i % 28 + 1:02d}" for i in range(n)],
            "role": ["1"] * (n - 2) + ["2"] * 2,
            "age": [float(20 + i) for i in range(n)],
        },
        levels={"role": {"1": "Teacher", "2": "Director"}},
    )
    text = inspection_text(inspect_table(raw), raw, "f.csv", "csv", [])
    assert not [cell for cell in (SECRET, "987654", "123456", "1980") if cell in text]
    assert "whole numbers; 20 to 49" in text and "1 = Teacher (28)" in text and "2 = Director (fewer than 5)" in text
    draft = draft_codebook(inspect_table(raw), "form")
    assert {row["item"]: row["type"] for row in draft["items.csv"]} == {
        "q7": "free_text",
        "rare": "integer",
        "role": "nominal",
        "age": "integer",
    }


def test_kinds_of_columns():
    yes = {"1": "Yes", "0": "No"}
    agree = {"1": "Disagree", "2": "Neither", "3": "Agree", "9": "Don't know"}
    raw = raw_of(
        {
            "a": ["1", "2", "3", "9", ""],
            "b": ["1", "0", "1", "0", "1"],
            "c": ["red", "1,5", "x", "x", "x"],
            "d": ["1.5", "2", "3", "4", "99"],
            "e": ["2024-01-02"] * 5,
            "f": ["1", "2", "3", "1", "-97"],
        },
        levels={"a": agree, "b": yes, "f": {"1": "red", "2": "blue", "3": "green"}},
    )
    found = facts(raw)
    assert {name: column.kind for name, column in found.items()} == {
        "a": "ordinal", "b": "yes_no", "c": "text", "d": "number", "e": "date", "f": "nominal",
    }  # fmt: skip
    assert [(m.code, m.reason, m.declared) for m in found["a"].missing] == [("9", "dont_know", False)]
    assert found["f"].suspects == (("-97", 1),), "a code without a label among labelled ones"
    assert found["a"].n_missing == 2 and found["d"].suspects == (("99", 1),) and found["d"].low == ""


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("Don\u2019t know", "dont_know"), ("DON'T KNOW", "dont_know"), ("Prefer not to answer", "refused"), ("N/A", "not_applicable"),
        ("N-O", "no_opportunity"), ("Skipped", "skipped"), ("No", ""), ("None", ""), ("No support at all", ""),
        ("Agree", ""), ("Never", ""),
    ],
)  # fmt: skip
def test_reasons_from_labels(label, reason):
    assert reason_of_label(label) == reason


def test_names_of_columns():
    assert all(map(is_identifying, ["RecipientLastName", "IPAddress", "staff_email", "name", "DOB", "LocationLatitude"]))
    assert not any(map(is_identifying, ["redcap_event_name", "lead1", "namely", "emails_sent_n", "addressed"]))
    assert all(map(is_key_name, ["pid", "record_id", "ResponseId", "center"])) and not any(map(is_key_name, ["paid", "lead1", "valid"]))
    assert all(map(is_wave_name, ["wave", "redcap_event_name", "timepoint", "time2"])) and not is_wave_name("times_absent")


def test_the_drafted_codebook_of_the_staff_survey_loads_back_and_fits(repository, tmp_path, capsys):
    """Written by the command into a copy of the study, it passes the schemas, and its file ingests without an unexplained code."""
    shutil.copytree(repository / "config", tmp_path / "config")
    shutil.rmtree(tmp_path / "config" / "codebook")
    file = repository / "data" / "raw" / "staff" / "staff_survey_t1.sav"
    text = said_by(capsys, file, "--draft", tmp_path / "config" / "codebook", "--instrument", "staff_survey")
    assert "no items (keys, added by the program, or telling who someone is): pid, center." in text
    (tmp_path / "config" / "codebook" / "scales.csv").write_text("scale,instrument,label,rule,items\n", encoding="utf-8")
    for name, columns in COLUMNS.items():
        with open(repository / "config" / "codebook" / name, encoding="utf-8", newline="") as ours:
            assert next(csv.reader(ours))[: len(columns)] == columns, "the columns of the project"
    check_against_schemas(tmp_path / "config")
    study = read_study(tmp_path / "config")
    assert len(study["items"]) == 56
    own = {row["item"]: row for row in study["missing_codes"]}
    shared = {row["code"]: row["reason"] for row in study["missing_codes"] if not row["item"]}
    assert shared == {"97": "dont_know", "98": "refused", "99": "skipped"}
    assert own["years_experience"]["code"] == "97 THRU 99"
    table = ingest(statistical.read(file, {}), {**study["sources"]["staff_t1"], "keys": {"person_id": "pid"}}, study)
    assert len(table.frame) == 250 and not [p for p in table.extra["problems"] if p["kind"] != "out_of_range"]


@pytest.mark.parametrize("name", ["haven/tagged-na-double.dta", "pyreadstat/sample_missing.sav", "pyreadstat/simple_alltypes.sav"])
def test_drafts_of_reference_files_leave_no_declared_code_unexplained(reference_folder, name):
    raw = statistical.read(reference_folder / "sav" / name, {})
    draft = draft_codebook(inspect_table(raw), "form")
    rows = {file.removesuffix(".csv"): [{**dict.fromkeys(COLUMNS[file], ""), **row} for row in found] for file, found in draft.items()}
    sections = {"waves": [], "ids": {}, "crosswalks": {}, "exclusions": [], "recodes": [], **rows}
    table = ingest(raw, {"id": "s", "instrument": "form", "file": name, "reader": "spss"}, sections)
    declared = [declared_missing(raw.frame[p["column"]][p["row"] - 1], raw.user_missing[p["column"]]) for p in table.extra["problems"]]
    assert not any(declared) and all(p["item"] == "x" and "alltypes" in name for p in table.extra["problems"]), "only codes without a label"


def test_what_the_exporting_program_adds_is_no_item(repository):
    raw = read_source([repository / "data" / "raw" / "parents" / "parent_survey_t1.csv"], {"reader": "qualtrics"})
    items = {row["column"] or row["item"] for row in draft_codebook(inspect_table(raw), "form")["items.csv"]}
    assert raw.own_columns and not items & {*raw.own_columns, "center"} and "Q1_1" in items


def test_ids_of_items_are_valid_and_differ():
    raw = raw_of({name: ["1", "2"] for name in ("Q1.1", "Q1_1", "1st", "\u05d0", "x y")})
    items = draft_codebook(inspect_table(raw), "form")["items.csv"]
    assert [(row["item"], row["column"]) for row in items] == [
        ("Q1_1_2", "Q1.1"), ("Q1_1", ""), ("x_1st", "1st"), ("x", "\u05d0"), ("x_y", "x y"),
    ]  # fmt: skip
    assert instrument_id("staff survey (T1)") == "staff_survey_T1"


def test_a_code_is_shared_only_where_it_can_be_no_answer():
    declared = {"a": [(97.0, 97.0)], "b": [(97.0, 97.0)]}
    answers = {"a": [1.0, 2.0, 97.0], "b": [1.0, 2.0, 97.0]}
    for extra, items in (({"t": ["x", "y", "x"]}, [""]), ({"age": [90.0, 97.0, 60.5]}, ["a", "b"])):
        raw = raw_of(answers | extra, user_missing=declared)
        codes = draft_codebook(inspect_table(raw), "form")["missing_codes.csv"]
        assert [row["item"] for row in codes if row["code"] == "97"] == items


def test_refusals(tmp_path, capsys):
    unknown = tmp_path / "x.rds"
    unknown.write_bytes(b"RDX3\x00\x00" + bytes(50))
    assert main(["inspect", str(unknown)]) == 3 and "BSC-SRC-045" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "absent.csv")]) == 3 and "BSC-SRC-001" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["inspect", str(unknown), "--option", "colour=red"])
    (tmp_path / "items.csv").write_text("kept", encoding="utf-8")
    with pytest.raises(BscError) as caught:
        write_draft(tmp_path, {"items.csv": []})
    assert caught.value.code == "BSC-SRC-046" and (tmp_path / "items.csv").read_text(encoding="utf-8") == "kept"


def test_content_decides_about_the_reader(tmp_path):
    files = {
        b'{"ImportId":"QID1"}\n': "qualtrics",
        b"a,b\n1,2\n": "csv",
        bytes.fromhex("D0CF11E0") + bytes(9): "excel",
        b"$FL2@(#)": "spss",
    }
    for content, reader in files.items():
        (tmp_path / "f.txt").write_bytes(content)
        assert guess_reader(tmp_path / "f.txt", {}) == reader
    assert guess_reader(tmp_path / "f.txt", {"dictionary": "d.csv"}) == "spss"
