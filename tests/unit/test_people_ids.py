"""Ids that files write in several ways, and ids that were renamed: one person stays one, two people never become one in silence."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.checks.builtin import id_spelling_changed, unused_crosswalk_row
from bscstudy.checks.registry import Source
from bscstudy.config import read_study
from bscstudy.errors import BscError
from bscstudy.io.crosswalk import check_crosswalks
from bscstudy.io.ingest import ingest
from bscstudy.io.raw import RawTable
from bscstudy.io.spelling import changes_of, spell
from bscstudy.loading import load_study
from bscstudy.new_study import write_new_study

RULE = {"case": "upper", "separators": "dash", "leading_zeros": 3}


@pytest.mark.parametrize(
    ("text", "rule", "meant", "kinds"),
    [
        (" a03-p7 ", RULE, "A03-P007", ["spacing", "case", "zeros"]),
        ("A03 – P007", RULE, "A03-P007", ["separators"]),
        ("A03_P0007", RULE, "A03-P007", ["separators", "zeros"]),
        ("A03-P007", RULE, "A03-P007", []),
        ("a03\u00a0p12345", RULE, "A03-P12345", ["case", "separators"]),
        ("A03-P007", {"leading_zeros": "drop"}, "A3-P7", ["zeros"]),
        ("000", {"leading_zeros": "drop"}, "0", ["zeros"]),
        ("7", {"leading_zeros": 4}, "0007", ["zeros"]),
        ("A 1.2/3", {"separators": "drop"}, "A123", ["separators"]),
        ("nobody", {"leading_zeros": 4}, "nobody", []),
        ("  ", RULE, "", ["spacing"]),
    ],
)
def test_ids_are_brought_to_the_declared_spelling(text, rule, meant, kinds):
    assert spell(text, rule) == meant and changes_of(text, rule) == kinds
    assert spell(meant, rule) == meant


def row(old, new, number=2, **more):
    return {"old_id": old, "new_id": new, "from_wave": "", "source": "", "waves": [], "reason": "told", "decided_by": "PI", **more}


def read(ids, rule, waves=None, rows=(), key=("person_id", "wave"), exclusions=(), keys=None):
    columns = {"pid": ids, **({"w": waves} if waves else {})}
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    source = {"id": "forms", "instrument": "form", "reader": "csv", "file": "data/raw/forms.csv", "keys": keys or {"person_id": "pid"}}
    source |= {"key": list(key), **({"wave": {"column": "w"}} if waves else {})}
    named = next(iter(source["keys"]))
    sections = {
        "waves": [{"id": w, "order": i} for i, w in enumerate(("T1", "T3", "T4"))],
        "ids": {named: rule},
        "crosswalks": {named: list(rows)},
        "exclusions": [{"source": "forms", "reason": "not a form", **e} for e in exclusions],
        "items": [], "response_scales": [], "missing_codes": [], "recodes": [],
    }  # fmt: skip
    return ingest(RawTable(frame, np.arange(2, 2 + len(frame))), source, sections)


def refused(code, *arguments, **named):
    with pytest.raises(BscError) as caught:
        read(*arguments, **named)
    assert caught.value.code == code and "P07" not in str(caught.value) and "p7" not in str(caught.value)
    return str(caught.value)


def test_every_change_of_an_id_is_counted():
    found = read(["p7", "P08", " P-09"], {"case": "upper", "separators": "drop", "leading_zeros": 2}, ["T1"] * 3)
    assert found.frame["person_id"].tolist() == ["P07", "P08", "P09"]
    assert [(c["row"], c["kind"]) for c in found.extra["id_changes"]] == [(2, "case"), (2, "zeros"), (4, "spacing"), (4, "separators")]


@pytest.mark.parametrize(
    ("ids", "rule"),
    [(["P07", "P7"], {"leading_zeros": "drop"}), (["P07", "p07"], {"case": "upper"}), (["P0-7", "P07"], {"separators": "drop"})],
)
def test_two_ids_of_one_wave_that_become_one_are_refused(ids, rule):
    message = refused("BSC-SRC-080", [*ids, "X1"], rule, ["T1"] * 3)
    assert "rows 2, 3, wave T1" in message and "1 place(s)" in message
    assert len(set(read(ids, rule, ["T1", "T3"]).frame["person_id"])) == 1, "in two waves it is how a file spells one person"
    assert refused("BSC-SRC-080", ids, rule, key=()), "without waves the whole file is one"
    assert len(read(ids, rule, ["T1"] * 2, exclusions=[{"row": 3}]).frame) == 2


def test_outer_spaces_and_repeats_are_no_second_person():
    assert len(read(["P07", " P07", "P07"], {"leading_zeros": "drop"}, ["T1"] * 3, key=()).frame) == 3


def test_a_row_of_the_crosswalk_says_that_two_spellings_are_one_person():
    found = read(["P07", "P7"], {"leading_zeros": "drop"}, ["T1"] * 2, [row("P07", "P7")])
    assert found.frame["person_id"].tolist() == ["P7", "P7"] and found.extra["crosswalk_rows"] == {"person_id": [2]}


def test_other_keys_are_judged_only_where_the_source_lists_them():
    rule, center = {"leading_zeros": "drop"}, {"center_id": "pid"}
    assert len(read(["07", "7", "7"], rule, ["T1"] * 3, keys=center).frame) == 3
    refused("BSC-SRC-080", ["07", "7"], rule, key=["center_id"], keys=center)


def test_renamed_ids_follow_wave_and_source():
    rows = [row("p7", "P107", from_wave="T3", waves=["T3", "T4"]), row("P08", "P108", source="other"), row("P09", "P109", source="forms")]
    found = read(["P07", "P07", "P07", "P08", "P09"], RULE | {"leading_zeros": 2}, ["T1", "T3", "T4", "T1", "T1"], rows)
    assert found.frame["person_id"].tolist() == ["P07", "P107", "P107", "P08", "P109"]
    assert [c["row"] for c in found.extra["id_changes"] if c["kind"] == "renamed"] == [3, 4, 6]
    assert read(["P07"], RULE | {"leading_zeros": 2}, rows=rows).frame["person_id"].tolist() == ["P07"], "no wave is not known to be late"


def test_two_ids_of_one_wave_are_never_renamed_to_one():
    rows = [row("P07", "P100"), row("P08", "P100")]
    assert "rows 2, 3, wave T1" in refused("BSC-SRC-083", ["P07", "P08", "P09"], {"case": "keep"}, ["T1"] * 3, rows)
    refused("BSC-SRC-083", ["P07", "P100"], {"case": "keep"}, ["T1"] * 2, rows)
    refused("BSC-SRC-083", ["P07", "P08"], {"case": "keep"}, rows=rows, key=["person_id"])
    assert read(["P07", "P08"], {"case": "keep"}, ["T1", "T3"], rows).frame["person_id"].tolist() == ["P100"] * 2
    assert read(["P07", "P08"], {"case": "keep"}, rows=rows, key=()).frame["person_id"].tolist() == ["P100"] * 2, "records in turn"


@pytest.mark.parametrize(
    ("rows", "code", "place"),
    [
        ([row("a", "b"), row("B", "c")], "BSC-SRC-081", "rows 2 and 3"),  # a chain, seen only in the declared spelling
        ([row("a", "b"), row("b", "a")], "BSC-SRC-081", "rows 2 and 3"),  # a cycle
        ([row("a", "b"), row("x", "y"), row("A", "c")], "BSC-SRC-082", "rows 2 and 4"),
        ([row("a", "b", source="one"), row("a", "c")], "BSC-SRC-082", "rows 2 and 3"),
    ],
)
def test_chains_cycles_and_contradictions_are_refused(rows, code, place):
    with pytest.raises(BscError) as caught:
        check_crosswalks({"person_id": rows}, {"person_id": {"case": "upper", "crosswalk": "config/id_crosswalk.csv"}})
    assert caught.value.code == code and f"config/id_crosswalk.csv, {place}" in str(caught.value)


def test_two_sources_may_rename_one_old_id_differently():
    rows = [row("a", "b", source="one"), row("a", "c", source="two"), row("A", "a")]
    check_crosswalks({"person_id": rows}, {"person_id": {"case": "lower", "crosswalk": "x.csv"}})


def test_rows_that_rename_nobody_are_found():
    config = {"ids": {"person_id": {"crosswalk": "config/id_crosswalk.csv"}}, "crosswalks": {"person_id": [row("a", "b"), row("x", "y")]}}
    tables = {
        name: Source(name, pd.DataFrame(), {}, extra) for name, extra in (("one", {"crosswalk_rows": {"person_id": [2]}}), ("two", {}))
    }
    found = unused_crosswalk_row(tables, config)
    assert [(f.file, f.row, f.check) for f in found] == [("config/id_crosswalk.csv", 3, "unused_crosswalk_row")]


@pytest.fixture
def folder(tmp_path):
    write_new_study(tmp_path / "study")
    config = tmp_path / "study" / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert text.count("{case: upper}") == 1
    config.write_text(text.replace("{case: upper}", "{case: upper, crosswalk: config/id_crosswalk.csv}", 1), encoding="utf-8")
    return config.parent


HEADER = "old_id,new_id,from_wave,source,reason,decided_by\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, "BSC-CFG-003", "the file 'config/id_crosswalk.csv' does not exist"),
        (HEADER + "a,b,,,,PI\n", "BSC-CFG-002", "row 2, column 'reason': is blank"),
        (HEADER + "a,b,T9,,told,PI\n", "BSC-CFG-003", "row 2: the wave 'T9' does not exist"),
        (HEADER + "a,b,,nowhere,told,PI\n", "BSC-CFG-003", "row 2: the source 'nowhere' does not exist"),
        (HEADER + "a,b,,,told,PI\nb,c,,,told,PI\n", "BSC-SRC-081", "rows 2 and 3"),
    ],
)
def test_a_crosswalk_is_checked_with_the_configuration(folder, text, code, said):
    if text is not None:
        (folder / "id_crosswalk.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BscError) as caught:
        load_study(folder)
    assert caught.value.code == code and said in str(caught.value)


def test_a_crosswalk_row_knows_the_waves_it_holds_in(folder):
    first, last = (w["id"] for w in read_study(folder)["waves"])
    (folder / "id_crosswalk.csv").write_text(HEADER + f"a,b,{last},,told,PI\nc,d,,,told,PI\n", encoding="utf-8")
    assert [r["waves"] for r in load_study(folder)["crosswalks"]["person_id"]] == [[last], []] and first != last


@pytest.mark.parametrize(("other", "n"), [("a1_p7", 1), ("A01-P07", 0), ("A01-P70", 0), ("A011-P7", 0)])
def test_spellings_that_nobody_declared_are_found_between_sources(other, n):
    frames = {"one": ["A01-P07", "A01-P07"], "two": [other]}
    tables = {name: Source(name, pd.DataFrame({"row": range(2, 2 + len(ids)), "person_id": ids})) for name, ids in frames.items()}
    found = id_spelling_changed(tables, {})
    assert len(found) == n and all(f.source == "two" and "P7" not in f.message for f in found)
