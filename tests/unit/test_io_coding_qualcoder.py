"""QualCoder's database, and several coders' files as one project."""

import sqlite3

import coding_exports as exports
import pandas as pd
import pytest
from coding_exports import CODINGS, TEXTS, qualcoder
from pandas.testing import assert_frame_equal
from refi_dialects import DIALECTS, Writer

from bscstudy.errors import BscError
from bscstudy.io import coding_qualcoder, coding_taguette, refi
from bscstudy.io.coding_merge import OTHER_TEXT, match_tables, merge_projects, same_documents
from bscstudy.io.coding_table import CODINGS as COLUMNS
from bscstudy.io.coding_table import TABLES
from bscstudy.io.guess_reader import guess_reader
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import read_source
from bscstudy.qual.codes import collect_codings


def refused(code, read, *args):
    with pytest.raises(BscError) as caught:
        read(*args)
    assert caught.value.code == code
    return str(caught.value)


def beside(path):
    return sorted(p.name for p in path.parent.iterdir())


def test_codings_of_two_owners_with_places_in_characters(tmp_path):
    path = qualcoder(tmp_path / "data.qda")
    table = coding_qualcoder.read(path, {})
    frame = table.frame
    assert guess_reader(path, {}) == "qualcoder" and list(frame.columns) == list(COLUMNS) and beside(path) == ["data.qda"]
    expected = [(d, c, "\\".join(code), first * 10, last * 10 + 9) for d, c, code, first, last, _ in CODINGS]
    columns = ["document_id", "coder_id", "code_path", "start", "end"]
    assert sorted(map(tuple, frame[columns].values.tolist())) == sorted(expected)
    after_emoji = frame["document_id"] == "A01-T2"
    assert set(frame.loc[after_emoji, "offset_status"]) == {"converted"} and set(frame.loc[after_emoji, "offset_convention"]) == {"utf16"}
    assert set(frame.loc[~after_emoji, "offset_status"]) == {"exact"} and frame["quotable"].all()
    assert not any(text[5:20] in frame.to_csv() for text in TEXTS.values()), "no text travels on"


def test_companions_of_a_database(tmp_path):
    more = "INSERT INTO code_text (cid, fid, pos0, pos1, owner) VALUES (99, 1, 0, 4, 'ann');"
    more += "INSERT INTO annotation (fid, memo) VALUES (1, 'x');"
    more += "INSERT INTO source (id, name, mediapath) VALUES (3, 'C01.mp3', '/audio/C01.mp3');"
    more += "INSERT INTO code_av (id, pos0, pos1, cid, owner) VALUES (3, 1000, 2500, 1, 'ben');"
    path = qualcoder(tmp_path / "data.qda", more=more)
    documents = coding_qualcoder.read(path, {"table": "documents"}).frame.set_index("document_id")
    assert documents.loc["A01-T2", ["case_id", "wave", "n_codings", "kind"]].tolist() == ["A01", "T2", 3, "text"], "its case goes before"
    assert documents.loc["C01.mp3", ["kind", "n_codings"]].tolist() == ["audio", 1]
    codes = coding_qualcoder.read(path, {"table": "codes"}).frame.set_index("code_path")
    assert codes.loc["Barriers\\No time", ["color", "description", "n_codings"]].tolist() == ["#FF0000", "Its definition", 3]
    assert codes.loc["Barriers", "is_codable"] == 0
    table = coding_qualcoder.read(path, {})
    assert table.frame[table.frame["unit"] == "milliseconds"][["begin_ms", "end_ms"]].values.tolist() == [[1000, 2500]]
    assert table.provenance["not_imported"] == {"annotation": 1}
    assert [n.n for n in table.notices if "deleted" in n.message] == [1]


def test_a_passage_that_is_not_at_its_place_is_never_quoted(tmp_path):
    path = qualcoder(tmp_path / "data.qda", more="UPDATE code_text SET pos0 = pos0 + 3, pos1 = pos1 + 3 WHERE fid = 2;")
    table = coding_qualcoder.read(path, {})
    moved = table.frame["document_id"] == "B02-T2"
    assert table.frame.loc[moved, ["offset_status", "quotable"]].values.tolist() == [["ambiguous", 0]]
    assert [n.n for n in table.notices if "not what the program keeps" in n.message] == [1]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON cases BEGIN DELETE FROM code_text; END;", "BSC-QUA-030"),
        ("CREATE VIRTUAL TABLE v USING fts5(a);", "BSC-QUA-030"),
        ("UPDATE code_cat SET supercatid = 1;", "BSC-QUA-005"),
        ("INSERT INTO source (id, name, fulltext) VALUES (9, 'A01-T2.txt', 'x');", "BSC-QUA-005"),
        ("DELETE FROM code_text;", "BSC-QUA-006"),
        ("DROP TABLE code_text; CREATE VIEW code_text AS SELECT 1 AS cid;", "BSC-QUA-006"),
    ],
    ids=["trigger", "virtual", "circle", "names", "empty", "view"],
)
def test_databases_that_are_refused(tmp_path, more, code):
    refused(code, coding_qualcoder.read, qualcoder(tmp_path / "data.qda", more=more), {})


def test_a_database_that_a_program_has_open(tmp_path):
    path = qualcoder(tmp_path / "data.qda")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    refused("BSC-QUA-029", coding_qualcoder.read, path, {})
    other.execute("ROLLBACK")
    other.close()
    coding_qualcoder.read(path, {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("UPDATE code_text SET owner = 'zoe' WHERE ctid = 1")
    refused("BSC-QUA-029", coding_qualcoder.read, path, {})
    other.close()
    assert "zoe" in set(coding_qualcoder.read(path, {}).frame["coder_id"]) and beside(path) == ["data.qda"]


# --- several files ---------------------------------------------------------------------------------------------


def merged(tmp_path, changes=None, **options):
    first, second = qualcoder(tmp_path / "ann.qda", ("ann",)), tmp_path / "ben.qda"
    qualcoder(second, **{"coders": ("ben",), **(changes or {})})
    source = {"reader": "qualcoder", "file": "ann.qda", "options": {"more_files": ["ben.qda"], **options}}
    assert files_of(source) == ["ann.qda", "ben.qda"]
    return read_source([first, second], source)


def in_order(frame):
    return frame.sort_values(list(frame.columns[:5]), ignore_index=True)


def test_two_coders_files_are_the_project_that_both_coded(tmp_path):
    both = coding_qualcoder.read(qualcoder(tmp_path / "both.qda"), {})
    table = merged(tmp_path)
    assert_frame_equal(in_order(table.frame), in_order(both.frame), check_dtype=False)
    assert table.provenance["n_files"] == 2 and not [n for n in table.notices if "BSC-QUA" in n.message]


def test_a_document_is_known_by_its_text_not_its_name(tmp_path):
    table = merged(tmp_path, {"called": {"A01-T2": "Transcript 7"}})
    assert set(table.frame["document_id"]) == {"A01-T2", "B02-T2"}
    assert [n.n for n in table.notices if "another name" in n.message] == [1]
    swapped = merged(tmp_path, {"called": {"A01-T2": "B02-T2", "B02-T2": "A01-T2"}})
    assert_frame_equal(in_order(swapped.frame), in_order(merged(tmp_path).frame), check_dtype=False)


def test_another_text_under_one_name_keeps_the_document_and_loses_the_place(tmp_path):
    table = merged(tmp_path, {"texts": {**TEXTS, "A01-T2": TEXTS["A01-T2"] + "Thank you."}})
    of_ben = table.frame[table.frame["coder_id"] == "ben"]
    assert of_ben[["document_id", "offset_status", "quotable"]].values.tolist() == [["A01-T2", OTHER_TEXT, 0]]
    assert [n.n for n in table.notices if "BSC-QUA-032" in n.message] == [1]


def test_what_two_coders_share_from_the_start_counts_once(tmp_path):
    table = merged(tmp_path, {"coders": ("ann", "ben")})
    assert len(table.frame) == len(CODINGS) and table.provenance["n_in_several_files"] == 3
    codes = merged(tmp_path, {"coders": ("ann", "ben")}, table="codes").frame
    assert codes.set_index("code_path").loc["Barriers\\No time", "n_codings"] == 2


def test_two_passages_of_one_paragraph_stay_two(tmp_path):
    rows = exports.maxqda()
    files = []
    for name, coder in (("a.csv", "ann"), ("b.csv", "ben")):
        files.append(tmp_path / name)
        own = [row for row in rows[1:] if row[10] == coder]
        files[-1].write_bytes(exports.as_csv([rows[0], *own, own[0]]))
    table = read_source(files, {"reader": "maxqda", "options": {"more_files": ["b.csv"]}})
    assert len(table.frame) == len(CODINGS) + 2
    assert [n.n for n in table.notices if "BSC-QUA-033" in n.message] == [1], "no table holds texts: matched by name"


def test_files_without_coders_are_sources_of_their_own(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(exports.as_csv(exports.taguette()))
    projects = {str(n): coding_taguette.read_project(path, {}) for n in range(2)}
    refused("BSC-QUA-031", merge_projects, projects)


def test_a_project_merged_with_itself_is_itself(tmp_path):
    path = tmp_path / "p.qdpx"
    Writer(DIALECTS["NVivo Windows"]).write(path)
    project = refi.read_project(path, {})
    twice = merge_projects({"a": project, "b": project})
    for name in TABLES:
        if name not in ("notes", "links"):
            assert_frame_equal(getattr(twice, name), getattr(project, name), check_dtype=False)


@pytest.mark.parametrize(
    ("known", "further", "names", "renamed", "other", "by_name"),
    [
        ({"a": "1"}, {"a": "1"}, {"a": "a"}, (), (), ()),
        ({"a": "1"}, {"b": "1"}, {"b": "a"}, ("b",), (), ()),
        ({"a": "1"}, {"a": "2"}, {"a": "a"}, (), ("a",), ()),
        ({"a": ""}, {"a": "2"}, {"a": "a"}, (), (), ("a",)),
        ({"a": "1", "b": "1"}, {"c": "1"}, {"c": "c"}, (), (), ()),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "b", "b": "a"}, ("a", "b"), (), ()),
        ({"a": "1"}, {"c": "3"}, {"c": "c"}, (), (), ()),
    ],
)
def test_matching_of_documents(known, further, names, renamed, other, by_name):
    found = same_documents(known, further)
    assert (found.names, found.renamed, found.other_texts, found.by_name) == (names, renamed, other, by_name)


def test_sources_of_one_study_share_documents_by_their_texts():
    main = pd.DataFrame({"document_id": ["a", "b", None], "text_sha256": ["1", "2", None], "offset_status": "exact"})
    second = pd.DataFrame({"document_id": ["x", "b", "c"], "text_sha256": ["1", "3", "4"], "offset_status": "exact"})
    third = pd.DataFrame({"document_id": ["b", "x"]})
    found = match_tables({"main": main, "second": second, "third": third})
    assert_frame_equal(found["main"], main)
    assert found["second"][["document_id", "offset_status"]].values.tolist() == [["a", "exact"], ["b", OTHER_TEXT], ["c", "exact"]]
    assert_frame_equal(found["third"], third)
    rows = {name: frame.assign(row=range(len(frame)), code_path="A") for name, frame in (("a_second", second), ("z_main", main[:2]))}
    collected = collect_codings(rows, {"a_second": "second", "z_main": "main"})
    assert collected["document_id"].tolist() == ["a", "b", "c", "a", "b"], "the main coder's source names the documents"
