"""Raw tables to ingested ones: keys, waves, versions, reshape, filters and the faults that stop a source."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.ingest import ingest
from bscstudy.io.raw import RawTable
from bscstudy.io.selection import keep_rows
from bscstudy.steps import ingest_source
from bscstudy.tables import read_sidecar, read_table
from bscstudy.workflow import Job

SECRET = "Magdalena"


def raw_of(columns, **described):
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    return RawTable(frame, np.arange(2, 2 + len(frame)), **described)


def item(name, kind="ordinal", **columns):
    return {
        "instrument": "form",
        "item": name,
        "label": name.title(),
        "type": kind,
        "minimum": None,
        "maximum": None,
        "version": None,
        **columns,
    }


def sections(items, **other):
    waves = [{"id": wave} for wave in ("T1", "T3", "T4")]
    empty = {"ids": {}, "exclusions": [], "response_scales": [], "missing_codes": [], "recodes": []}
    return {"waves": waves, "items": items, **empty, **other}


def source_of(**given):
    return {"id": "forms", "instrument": "form", "reader": "csv", "file": "data/raw/forms.csv", "keys": {"person_id": "pid"}, **given}


def plain(frame):
    return frame.astype(object).where(frame.notna(), None)


def refused(code, *arguments):
    with pytest.raises(BscError) as caught:
        ingest(*arguments)
    assert caught.value.code == code and SECRET not in str(caught.value)
    return str(caught.value)


def test_keys_are_mapped_joined_and_spelled_one_way():
    raw = raw_of(
        {"pid": [" a1", "A2", "a3"], "c": ["X", "X", ""], "n": [1.0, 2.0, 3.0], "job": [1.0, "2", ""], "w": ["pre", "post", "pre"]}
    )
    keys = {
        "person_id": "pid",
        "rater_id": {"columns": ["c", "n"]},
        "role": {"column": "job", "map": {1: "director", 2: "teacher"}},
        "core": {"constant": "core"},
    }
    source = source_of(keys=keys, wave={"column": "w", "map": {"pre": "T1", "post": "T4"}})
    found = ingest(raw, source, sections([], ids={"person_id": {"case": "upper"}}))
    assert plain(found.frame).values.tolist() == [
        [2, "A1", "X-1", "director", "core", "T1", None],
        [3, "A2", "X-2", "teacher", "core", "T4", None],
        [4, "A3", None, None, "core", "T1", None],
    ]
    assert found.extra["id_changes"] == [
        {"row": 2, "key": "person_id", "kind": "spacing"},
        {"row": 2, "key": "person_id", "kind": "case"},
        {"row": 4, "key": "person_id", "kind": "case"},
    ]


def test_an_undeclared_wave_or_role_stops_with_all_rows():
    raw = raw_of({"pid": ["a", "b", "c"], "w": ["T1", SECRET, ""], "job": ["9", "1", "1"]})
    source = source_of(keys={"person_id": "pid", "role": {"column": "job", "map": {"1": "x"}}}, wave={"column": "w"})
    message = refused("BSC-SRC-021", raw, source, sections([]))
    assert "3 cell(s)" in message and all(place in message for place in ("row 2, key 'role', column 'job'", "row 3, wave", "row 4, wave"))


def test_missing_columns_come_in_one_error_with_the_nearest_name():
    raw = raw_of({"id": ["a"], "stress_1": [SECRET]})
    source = source_of(wave={"column": "when"}, keep_where="Finished == 1")
    message = refused("BSC-SRC-020", raw, source, sections([item("stress1")]))
    assert "4 column(s)" in message and "'stress1' for item 'stress1'. Did you mean 'stress_1'?" in message
    assert all(f"no column '{name}'" in message for name in ("pid", "when", "Finished"))


def test_wave_and_role_decide_which_version_holds_and_who_was_asked():
    items = [
        item("q", response_scale="five", waves="T1"),
        item("q", response_scale="four", waves="T3 T4", version=2, column="q_new"),
        item("coach", "integer", roles="teacher"),
        item("late", "integer", waves="T4"),
    ]
    scales = [{"response_scale": s, "code": str(c), "label": f"{s}{c}"} for s, n in (("five", 5), ("four", 4)) for c in range(1, n + 1)]
    raw = raw_of(
        {
            "pid": list("abcd"),
            "w": ["T1", "T1", "T3", "T4"],
            "role": ["teacher", "director", "director", "teacher"],
            "q": ["5", "", "", ""],
            "q_new": ["", "", "5", "4"],
            "coach": ["2", "", "7", ""],
            "late": ["", "", "", "1"],
        }
    )
    source = source_of(keys={"person_id": "pid", "role": "role"}, wave={"column": "w"})
    found = ingest(raw, source, sections(items, response_scales=scales))
    frame = plain(found.frame)
    assert frame["q"].tolist() == [5, None, None, 4]
    assert frame["q__why"].tolist() == [None, "skipped", "out_of_range", None]
    assert frame["coach__why"].tolist() == [None, "not_asked", None, "skipped"]
    assert frame["late__why"].tolist() == ["not_asked", "not_asked", "not_asked", None]
    assert found.extra["problems"] == [{"row": 4, "column": "q_new", "item": "q", "kind": "out_of_range"}]
    assert found.extra["answered_not_asked"] == {"coach": 1}


def test_a_source_of_one_wave_needs_only_the_columns_of_that_wave():
    items = [item("q", column="q_old"), item("q", waves="T4", version=2), item("early", waves="T1")]
    raw = raw_of({"pid": ["a"], "q": ["3"], "extra": ["x"], "early": ["1"]}, levels={"q": {"3": "Often"}})
    found = ingest(raw, source_of(wave="T4"), sections(items))
    assert found.frame.columns.tolist() == ["row", "person_id", "wave", "excluded", "q"]
    assert found.extra["columns_unknown"] == ["extra"], "a column of another wave is known"
    column = next(c for c in found.columns if c.name == "q")
    assert (column.levels, column.wave, column.source_item, column.type) == ({"3": "Often"}, "T4", "q", "integer")
    assert "q_old" in refused("BSC-SRC-020", raw, source_of(wave="T1"), sections(items))


def test_recodes_by_place_are_done_at_once_and_leave_missing_codes():
    items = [item("level", "integer", maximum=4)]
    recodes = [
        {"instrument": "form", "item": "level", "where_key": "collaborative", "where_value": "Chile", "code": code, "new_code": new}
        for code, new in (("4", "3"), ("5", "4"), ("9", "1"))
    ]
    missing = [{"instrument": "form", "item": "", "code": "9", "reason": "refused"}]
    raw = raw_of({"pid": list("abcd"), "c": ["Chile", "Chile", "Chile", "Japan"], "level": ["4", "5", "9", "4"]})
    source = source_of(keys={"person_id": "pid", "collaborative": "c"})
    frame = ingest(raw, source, sections(items, recodes=recodes, missing_codes=missing)).frame
    assert frame["level"].fillna(-1).tolist() == [3, 4, -1, 4] and frame["level__why"][2] == "refused"
    assert "where_key 'collaborative'" in refused("BSC-CFG-007", raw, source_of(), sections(items, recodes=recodes))


def test_reshape_gives_a_row_for_each_turn_with_content():
    columns = {"pid": ["a", "b"], "flag": ["1", "0"], "CX_S1": ["1", "2"], "CY_S1": ["3", ""], "CX_S2": ["", "9"], "CY_S2": [" ", "4"]}
    items = [item("X", maximum=4), item("Y"), item("flag", "yes_no")]
    source = source_of(reshape={"pattern": r"C(?P<item>\w)_S(?P<segment>\d+)"})
    found = ingest(raw_of(columns), source, sections(items))
    frame = found.frame.sort_values(found.key)
    assert frame[["row", "segment", "X", "Y", "flag"]].fillna(-1).values.tolist() == [
        [2, "1", 1, 3, 1],
        [3, "1", 2, -1, 0],
        [3, "2", -1, 4, 0],
    ]
    assert found.extra["n_rows_blank"] == 1 and found.extra["problems"] == [
        {"row": 3, "column": "CX_S2", "item": "X", "kind": "out_of_range"}
    ]
    del columns["CY_S2"]
    assert "segment 2: no column for 'Y'" in refused("BSC-SRC-024", raw_of(columns), source, sections(items))
    refused("BSC-SRC-024", raw_of(columns), source_of(reshape={"pattern": r"C(\w)_S(?P<segment>\d)"}), sections(items))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("Finished == 1", [True, False, True, False]),
        ("Finished == '1'", [True, False, False, False]),
        ("`Their name` != 'preview'", [True, True, False, True]),
        ("Finished.notna() and `Their name`.isin(['x'])", [True, False, False, False]),
        ("Finished >= 0 and not Finished.isin([0])", [True, False, True, False]),
    ],
)
def test_filters_read_columns_as_they_are_compared(query, kept):
    frame = raw_of({"Finished": ["1", "0", "1.0", ""], "Their name": ["x", "", "preview", "y"]}).frame
    assert keep_rows(frame, query, "f").tolist() == kept


@pytest.mark.parametrize(
    "query", ["Finished == 7", "Finished ==", "Finished == 1 or Finished == 'a'", "Finished + 1", "Finished.__class__"]
)
def test_filters_that_cannot_be_meant_are_refused(query):
    raw = raw_of({"pid": ["a"], "Finished": ["1"]})
    refused("BSC-SRC-022", raw, source_of(keep_where=query), sections([]))


def test_exclusions_by_row_or_match_and_none_that_fits_nothing():
    raw = raw_of({"pid": ["a", "B", "c"], "q": ["1", "2", "2"]})
    exclusions = [
        {"source": "forms", "row": 2, "reason": "test form"},
        {"source": "forms", "match": {"person_id": "b", "q": 2}, "reason": "withdrew"},
        {"source": "others", "row": 99, "reason": "elsewhere"},
    ]
    given = sections([item("q")], ids={"person_id": {"case": "upper"}}, exclusions=exclusions)
    found = ingest(raw, source_of(), given)
    assert plain(found.frame)["excluded"].tolist() == ["test form", "withdrew", None]
    given["exclusions"] = [{"source": "forms", "row": 77, "reason": "gone"}, {"source": "forms", "match": {"nope": 1}, "reason": "typo"}]
    message = refused("BSC-SRC-023", raw, source_of(), given)
    assert "2 exclusion(s)" in message and "no column 'nope'" in message


def test_an_item_may_not_take_the_name_of_a_key():
    refused("BSC-CFG-007", raw_of({"pid": ["a"], "wave": ["1"]}), source_of(), sections([item("wave")]))


def test_the_step_writes_a_table_and_its_sidecar(tmp_path):
    (tmp_path / "forms.csv").write_text(f"pid,q,note\n07,2,{SECRET}\n08,,\n", encoding="utf-8")
    config = {
        **sections([item("q"), item("note", "free_text")]),
        "study": {"synthetic": True},
        "source": source_of(wave="T1", unit="a form"),
    }
    job = Job({"files": tmp_path / "forms.csv"}, {"table": tmp_path / "out" / "forms.csv"}, config, {"source": "forms"}, 1)
    ingest_source.run(job)
    frame = read_table(tmp_path / "out" / "forms.csv")
    assert (
        frame["person_id"].tolist() == ["07", "08"]
        and frame["note"].tolist() == [1, 0]
        and frame["q__why"].fillna("").tolist() == ["", "skipped"]
    )
    sidecar = read_sidecar(tmp_path / "out" / "forms.csv")
    assert sidecar["synthetic"] and sidecar["extra"]["n_rows_raw"] == 2 and len(sidecar["extra"]["sha256"]) == 64
    assert SECRET not in (tmp_path / "out" / "forms.csv").read_text() + json.dumps(sidecar)


def test_real_ratings_come_out_as_read_without_the_pipeline(gti_ratings, gti_folder):
    """The segments of the real study's video file, against the frame the other tests make with pandas alone."""
    components = [c for c in gti_ratings.columns if len(c) == 5]
    source = {
        "id": "video", "instrument": "form", "reader": "csv", "file": "raw.csv",
        "keys": {"observation_id": "IDVIDEO", "rater_id": {"columns": ["IDCNTRY", "IDRATER"]}},
        "reshape": {"pattern": r"C(?P<item>[A-Z]{2}\d[A-Z]{2})_S(?P<segment>\d)"},
    }  # fmt: skip
    raw = delimited.read(Path(gti_folder) / "raw" / "GTI-VidComp-Data.csv", {})
    frame = ingest(raw, source, sections([item(c, "number", minimum=1, maximum=4) for c in components])).frame
    key = ["observation_id", "rater_id", "segment"]
    assert len(frame) == 9212 and not frame.duplicated(key).any()
    ours, theirs = (f.set_index(key)[components].sort_index() for f in (frame, gti_ratings))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
