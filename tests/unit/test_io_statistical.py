"""Files of SPSS, Stata and SAS: the reference files cell by cell, and files that lie about themselves refused or read the safe way."""

import csv
import datetime
import io
import re

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.io import statistical
from bscstudy.io.cells import CellFormat, type_cells
from bscstudy.io.codebook import ItemVersion, code_range, versions_of
from bscstudy.io.ingest import ingest
from bscstudy.io.raw import cell_text
from bscstudy.io.statistical_dates import NO_DATE, convert, meaning_of

#: reference file -> (shape, csv that says the same or None, labels of codes, kinds of missing, encoding)
FILES = {
    "haven/labelled-num-na.sav": ((2, 1), None, {"VAR00002": {"1": "This is one"}}, {"VAR00002": [(9.0, 9.0)]}, "utf-8"),
    "haven/labelled-num.sav": ((1, 1), None, {"VAR00002": {"1": "This is one"}}, {}, "utf-8"),
    "haven/labelled-str.sav": ((2, 1), None, {"gender": {"F": "Female", "M": "Male"}}, {}, "utf-8"),
    "haven/tagged-na-double.dta": (
        (8, 1), None, {"x": {".a": "apple", ".z": ".zebra"}}, {"x": [(".a", ".a"), (".h", ".h"), (".z", ".z")]}, "utf-8",
    ),
    "haven/types.dta": ((2, 8), None, {}, {}, "windows-1252"),
    "haven/umlauts.sav": (
        (4, 1), None, {"var1": {"1": "the \u00e4 umlaut", "2": "the \u00fc umlaut", "3": "the \u00f6 umlaut"}}, {}, "utf-8",
    ),
    "haven/variable-label.sav": ((1, 1), None, {"sex": {"1": "female"}}, {}, "utf-8"),
    "pyreadstat/hebrews.sav": ((99, 1), None, {}, {}, "utf-8"),
    "pyreadstat/missing_char.sav": ((2, 1), None, {"mychar": {"a": "labeled"}}, {"mychar": [("Z", "Z")]}, "windows-1252"),
    "pyreadstat/missing_test.dta": (
        (1, 9), None, {"var1": {".a": "missing"}},
        {f"var{i}": [(f".{tag}", f".{tag}")] for i, tag in enumerate("abcxyz", start=1)}, "windows-1252",
    ),
    "pyreadstat/missing_test.sav": (
        (2, 1), "missing_sav_unformatted.csv", {"var1": {"1": "missing"}}, {"var1": [(1.0, 1.0)]}, "windows-1252",
    ),
    "pyreadstat/ordered_category.sav": ((4, 1), None, {"Col1": {"1": "high", "2": "low", "3": "medium"}}, {}, "utf-8"),
    "pyreadstat/sample.dta": ((5, 7), "sample.csv", None, {}, "windows-1252"),
    "pyreadstat/sample.por": ((5, 7), "sample.csv", None, {}, ""),
    "pyreadstat/sample.sav": ((5, 7), "sample.csv", None, {}, "windows-1252"),
    "pyreadstat/sample.xpt": ((5, 7), "sample.csv", {}, {}, ""),
    "pyreadstat/sample.zsav": ((5, 7), "sample.csv", None, {}, "windows-1252"),
    "pyreadstat/sample_missing.sav": (
        (7, 7), "sample_missing_user.csv",
        {"mylabl": {"-1": "undetermined", "1": "Male", "2": "Female"}, "myord": {"-1": "missing", "1": "low", "2": "medium", "3": "high"}},
        {"mynum": [(2000.0, 3000.0), (-1.0, -1.0)], "mylabl": [(-1.0, -1.0)], "myord": [(-1.0, -1.0), (-2.0, -2.0), (-3.0, -3.0)]},
        "windows-1252",
    ),
    "pyreadstat/simple_alltypes.sav": (
        (6, 12), None, None, {"x": [(7.0, 7.0), (8.0, 8.0), (99.0, 99.0)], "z": [(-999.0, 0.0), (999.0, 999.0)]}, "windows-1252",
    ),
    "pyreadstat/tegulu.sav": ((1, 2), None, {}, {}, "utf-8"),
    "pyreadstat/test_width.sav": ((5, 4), None, {"Finished": {"1": "False", "2": "True"}}, {}, "utf-8"),
}  # fmt: skip
SAMPLE_LEVELS = {"MYLABL": {"1": "Male", "2": "Female"}, "MYORD": {"1": "low", "2": "medium", "3": "high"}}


def refused(code, path, options=None):
    with pytest.raises(BscError) as caught:
        statistical.read(path, options or {})
    assert caught.value.code == code
    return str(caught.value)


def refused_or_none(path, cut):
    """Return the code with which a file is refused that lacks its last bytes."""
    try:
        statistical.read(saved(path.parent, f"cut_{path.name}", path.read_bytes()[:-cut]), {})
    except BscError as error:
        return error.code
    return None


def saved(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


def same_cell(cell, text):
    """Return whether a cell holds what the csv says: numbers by value, dates and times by ISO text, blank for missing."""
    said = text.strip()
    own = cell_text(cell).strip()
    if said in ("", "NaN", "#NULL!"):
        return own == ""
    try:
        return float(own) == float(said)
    except ValueError:
        plain = said.removesuffix(".000000").replace("T", " ")
        hour = plain.split(":")[0]
        return own in (plain, plain.removesuffix(" 00:00:00"), plain.zfill(8) if hour.isdigit() else plain)


def test_every_reference_file_is_in_the_table(reference_folder):
    folder = reference_folder / "sav"
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.suffix != ".csv"}
    assert there == set(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_reference_files_read_as_noted(reference_folder, name):
    shape, sibling, levels, missing, encoding = FILES[name]
    table = statistical.read(reference_folder / "sav" / name, {})
    assert table.frame.shape == shape and table.rows.tolist() == list(range(1, shape[0] + 1))
    assert (table.user_missing, table.encoding, table.notices) == (missing, encoding, ())
    if levels is not None:
        assert table.levels == levels
    if sibling == "sample.csv" and levels is None:
        assert {column.upper(): codes for column, codes in table.levels.items()} == SAMPLE_LEVELS
    if sibling:
        text = (reference_folder / "sav" / "pyreadstat" / sibling).read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert [c.lower() for c in table.frame.columns] == [c.lower() for c in rows[0]]
        declared_by_user = name == "pyreadstat/missing_test.sav"  # its csv shows the declared code as blank; here the code stays
        cells = [(r, c) for r in range(shape[0]) for c in range(shape[1]) if not (declared_by_user and (r, c) == (0, 0))]
        wrong = [(r, c) for r, c in cells if not same_cell(table.frame.iat[r, c], rows[r + 1][c])]
        assert len(rows) == shape[0] + 1 and not wrong


def test_what_the_reference_files_hold(reference_folder):
    """Cells of files without a csv beside them, as the tests of haven and pyreadstat give them."""
    folder = reference_folder / "sav"

    def cells(name):
        return statistical.read(folder / name, {}).frame

    assert cells("haven/tagged-na-double.dta")["x"].tolist()[:5] == [1, 2, 3, 4, 5]
    assert cells("haven/tagged-na-double.dta")["x"].tolist()[5:] == [".a", ".h", ".z"]
    types = cells("haven/types.dta")
    assert types["vdate"].tolist() == [datetime.date(1960, 1, 1), datetime.date(2015, 12, 1)]
    assert types["vdatetime"].tolist() == [datetime.datetime(2015, 12, 1, 3, 14, 15), datetime.datetime(1960, 1, 1)]
    assert types["vstr"].tolist() == ["2", "Hello, World!"] and np.isclose(types["vfloat"][0], 3.14, atol=1e-6)  # a float of 4 bytes
    assert cells("haven/umlauts.sav")["var1"].tolist() == [1, 2, 1, 3]
    assert cells("pyreadstat/hebrews.sav").columns.tolist() == ["\u05d5\u05ea\u05e7_\u05d1"]
    assert cells("pyreadstat/tegulu.sav").iat[0, 1].startswith("\u0c28\u0c47\u0c28\u0c41")
    assert cells("pyreadstat/missing_test.dta").iloc[0, :6].tolist() == [".a", ".b", ".c", ".x", ".y", ".z"]
    every = statistical.read(folder / "pyreadstat" / "simple_alltypes.sav", {})
    assert every.frame["quarter"][0] == datetime.date(2014, 10, 1), "a quarter is its first day"
    assert every.provenance["multiple_response_sets"] == {
        "categorical_array": {
            "label": "", "kind": "categories", "counted_value": None, "columns": ["ca_subvar_1", "ca_subvar_2", "ca_subvar_3"],
        },
        "mymrset": {
            "label": "My multiple response set", "kind": "dichotomies", "counted_value": 1, "columns": ["bool1", "bool2", "bool3"],
        },
    }  # fmt: skip


@pytest.mark.parametrize("name", ["sample.sav", "sample.zsav", "sample.dta", "sample.xpt", "sample.por"])
def test_cut_off_files_never_give_another_table(reference_folder, tmp_path, name):
    """At many lengths: refused, or (where only padding is lost) the same table."""
    content = (reference_folder / "sav" / "pyreadstat" / name).read_bytes()
    whole = statistical.read(saved(tmp_path, name, content), {})
    outcomes = set()
    for length in [1, 3, *range(61, len(content), 61), *range(len(content) - 12, len(content))]:
        try:
            cut = statistical.read(saved(tmp_path, name, content[:length]), {})
        except BscError as error:
            outcomes.add(error.code)
            continue
        pd.testing.assert_frame_equal(cut.frame, whole.frame)
        assert (cut.levels, cut.labels) == (whole.levels, whole.labels)
    assert outcomes <= {"BSC-SRC-006", "BSC-SRC-003"} and "BSC-SRC-006" in outcomes


def test_headers_that_miscount(reference_folder, tmp_path):
    content = (reference_folder / "sav" / "pyreadstat" / "sample_missing.sav").read_bytes()

    def counting(n):
        return saved(tmp_path, "count.sav", content[:80] + n.to_bytes(4, "little", signed=True) + content[84:])

    open_ended = statistical.read(counting(-1), {})
    assert len(open_ended.frame) == 7 and "does not say how many" in open_ended.notices[0].message
    for cut in range(1, 100):
        assert refused_or_none(counting(-1), cut) in ("BSC-SRC-006", "BSC-SRC-003"), "no case of a compressed file is lost unseen"
    for n in (8, 2_147_483_647):
        assert f"announces {n} cases and holds 7" in refused("BSC-SRC-006", counting(n))
    assert "announces 4 records and holds 7" in refused("BSC-SRC-042", counting(4))
    stata = (reference_folder / "sav" / "pyreadstat" / "sample.dta").read_bytes()
    assert b"<release>117" in stata  # whose count has four bytes
    place = stata.index(b"<N>") + 3
    for n, code in ((4, "BSC-SRC-042"), (6, "BSC-SRC-006"), (2**31, "BSC-SRC-006")):
        refused(code, saved(tmp_path, "count.dta", stata[:place] + n.to_bytes(4, "little") + stata[place + 4 :]))


def test_uncounted_cases_that_are_not_compressed(tmp_path):
    import pyreadstat

    pyreadstat.write_sav(pd.DataFrame({"a": [1.5, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}), str(tmp_path / "u.sav"))
    content = (tmp_path / "u.sav").read_bytes()
    assert content[72:76] == bytes(4), "not compressed"
    path = saved(tmp_path, "u.sav", content[:80] + b"\xff" * 4 + content[84:])
    assert len(statistical.read(path, {}).frame) == 3
    assert {refused_or_none(path, cut) for cut in (1, 7, 8, 15, 17, 31)} == {"BSC-SRC-006"}
    assert refused_or_none(path, 16) is None, "a whole case less cannot be seen; the notice says so"


def transport(folder, cells, version=5):
    import pyreadstat

    pyreadstat.write_xport(pd.DataFrame({"A": cells}), str(folder / "t.xpt"), file_format_version=version)
    return (folder / "t.xpt").read_bytes()


def test_sas_transport_files(tmp_path):
    content = transport(tmp_path, [1.0, 2.0, 3.0])
    place = content.rindex(bytes.fromhex("4120"))
    tagged = content[:place] + b"B" + bytes(7) + content[place + 8 :]
    table = statistical.read(saved(tmp_path, "tag.xpt", tagged), {})
    assert table.frame["A"].tolist() == [1.0, ".B", 3.0] and table.user_missing == {"A": [(".B", ".B")]}
    second = content[content.index(b"HEADER RECORD*******MEMBER") :]
    assert "2 data sets" in refused("BSC-SRC-043", saved(tmp_path, "two.xpt", content + second))
    counted = transport(tmp_path, [float(i) for i in range(40)], version=8)
    refused("BSC-SRC-006", saved(tmp_path, "cut8.xpt", counted[:-80]))
    catalog = saved(tmp_path, "no.sas7bcat", b"nothing of the kind" * 100)
    refused("BSC-SRC-044", saved(tmp_path, "tag.xpt", tagged), {"dictionary": str(catalog)})


def test_user_missing_of_every_kind_gets_its_own_reason(tmp_path):
    import pyreadstat

    frame = pd.DataFrame({"a": [1.0, -5.0, -9.0, 99.0, np.nan, 1000.0], "s": ["x", "Z", "", "ref", "y", "x"]})
    ranges = {"a": [{"lo": -np.inf, "hi": 0}, 99], "s": ["Z", "ref"]}
    pyreadstat.write_sav(frame, str(tmp_path / "\u05d0\u00fc.sav"), missing_ranges=ranges)
    raw = statistical.read(tmp_path / "\u05d0\u00fc.sav", {})
    assert raw.user_missing == {"a": [(-np.inf, 0.0), (99.0, 99.0)], "s": [("Z", "Z"), ("ref", "ref")]}
    codes = [("a", "LO THRU 0", "not_asked"), ("a", "-9", "refused"), ("s", "Z", "dont_know")]
    sections = {
        "items": [
            {"instrument": "i", "item": "a", "label": "A", "type": "number"},
            {"instrument": "i", "item": "s", "label": "S", "type": "text"},
        ],
        "response_scales": [],
        "recodes": [],
        "missing_codes": [{"instrument": "i", "item": item, "code": code, "reason": reason} for item, code, reason in codes],
    }
    known = versions_of({"id": "x", "instrument": "i"}, sections)
    a = type_cells(raw.frame["a"].to_numpy(dtype=object), known["a"][0], CellFormat(user_missing=tuple(raw.user_missing["a"])))
    assert a.why.tolist() == ["", "not_asked", "refused", "invalid", "skipped", ""]
    assert a.kind.tolist() == ["", "", "", "unknown_code", "", ""], "nobody said what 99 stands for"
    s = type_cells(raw.frame["s"].to_numpy(dtype=object), known["s"][0], CellFormat(user_missing=tuple(raw.user_missing["s"])))
    assert s.why.tolist() == ["", "dont_know", "skipped", "invalid", "", ""]


def test_tagged_missing_values_get_their_reasons():
    item = ItemVersion("x", "X", "integer", "x", missing={".a": "refused"})
    ranges = ((".a", ".a"), (".h", ".h"))
    typed = type_cells(np.array([1, ".a", ".h"], dtype=object), item, CellFormat(user_missing=ranges))
    assert typed.why.tolist() == ["", "refused", "invalid"] and typed.kind.tolist() == ["", "", "unknown_code"]


@pytest.mark.parametrize(
    ("code", "limits"),
    [("-9 THRU -1", (-9, -1)), ("lo thru 0", (-np.inf, 0)), ("900 THRU HI", (900, np.inf)), ("99", None), ("a thru b", None)],
)
def test_ranges_of_codes(code, limits):
    assert code_range(code) == limits


def test_a_row_for_the_item_goes_before_one_for_all_and_texts_may_have_spaces():
    codes = [("", "LO THRU -1", "skipped"), ("x", "LO THRU -1", "refused")]
    sections = {
        "items": [{"instrument": "i", "item": item, "label": item, "type": "number"} for item in "xy"],
        "response_scales": [],
        "recodes": [],
        "missing_codes": [{"instrument": "i", "item": item, "code": code, "reason": reason} for item, code, reason in codes],
    }
    known = versions_of({"id": "s", "instrument": "i"}, sections)
    whys = {item: type_cells(np.array([-3.0], dtype=object), known[item][0], CellFormat()).why[0] for item in "xy"}
    assert whys == {"x": "refused", "y": "skipped"}
    text = type_cells(np.array(["Z ", "Zoe"], dtype=object), ItemVersion("t", "T", "text", "t"), CellFormat(user_missing=(("Z", "Z"),)))
    assert text.kind.tolist() == ["unknown_code", ""]


@pytest.mark.parametrize(
    ("inserted", "ranges"),
    [(b"82/", [(2.0, 2.0)]), (b"92/", [(-np.inf, 2.0)]), (b"A2/", [(2.0, np.inf)]), (b"B1/2/", [(1.0, 2.0)])],
)
def test_user_missing_of_portable_files(reference_folder, tmp_path, inserted, ranges):
    """Each record of the format for missing values (8 one, 9 LO THRU, A THRU HI, B a range), put into the file by hand."""
    content = re.sub(rb"[\r\n]", b"", (reference_folder / "sav" / "pyreadstat" / "sample.por").read_bytes()).rstrip(b"Z")
    label = b"C7/labeled"
    assert content.count(label) == 1
    content = content.replace(label, inserted + label)
    content += b"Z" * (80 - len(content) % 80)
    lines = [content[place : place + 80] for place in range(0, len(content), 80)]
    table = statistical.read(saved(tmp_path, "m.por", b"\r\n".join(lines) + b"\r\n"), {})
    assert table.user_missing == {"MYLABL": ranges} and table.frame["MYLABL"].tolist() == [1, 2, 1, 2, 1], "the codes stay"


def test_two_columns_of_one_name(reference_folder, tmp_path):
    content = (reference_folder / "sav" / "pyreadstat" / "sample.dta").read_bytes()
    refused("BSC-SRC-005", saved(tmp_path, "two.dta", content.replace(b"myord\0", b"mynum\0", 1)))


def test_a_range_spares_labelled_answers():
    item = ItemVersion("x", "X", "ordinal", "x", scale={"0": "None", "1": "Some"}, missing_ranges=((-np.inf, 0.0, "refused"),))
    assert type_cells(np.array([0.0, -1.0], dtype=object), item, CellFormat()).why.tolist() == ["", "refused"]


@pytest.mark.parametrize(
    ("program", "form", "number", "meant"),
    [
        ("spss", "EDATE10", 13_744_944_000.0, datetime.date(2018, 5, 6)),
        ("spss", "DATETIME20", 13_744_980_610.0, datetime.datetime(2018, 5, 6, 10, 10, 10)),
        ("spss", "TIME8", 36_610.0, datetime.time(10, 10, 10)),
        ("spss", "TIME8", 90_000.0, "25:00:00"),
        ("spss", "MOYR8", 13_744_512_000.0, datetime.date(2018, 5, 1)),
        ("spss", "DATE11", 3e11, NO_DATE),
        ("spss", "DATE11", -3e11, NO_DATE),
        ("stata", "%td", 21_310.0, datetime.date(2018, 5, 6)),
        ("stata", "%tdCCYY.NN.DD", 0.0, datetime.date(1960, 1, 1)),
        ("stata", "%tc", 1_000.0, datetime.datetime(1960, 1, 1, 0, 0, 1)),
        ("stata", "%tcHH:MM:SS", 36_610_000.0, datetime.time(10, 10, 10)),
        ("stata", "%tm", -1.0, datetime.date(1959, 12, 1)),
        ("stata", "%tq", 5.0, datetime.date(1961, 4, 1)),
        ("stata", "%th", 3.0, datetime.date(1961, 7, 1)),
        ("stata", "%tw", 53.0, datetime.date(1961, 1, 8)),
        ("stata", "%ty", 2024.0, datetime.date(2024, 1, 1)),
        ("sas", "YYMMDD10", 21_310.0, datetime.date(2018, 5, 6)),
        ("sas", "MONYY7", 21_310.0, datetime.date(2018, 5, 6)),
        ("sas", "DTDATE9", 86_400.0 * 21_310, datetime.datetime(2018, 5, 6)),
        ("sas", "DATE9", 5e6, NO_DATE),
    ],
)
def test_dates_are_converted_or_named(program, form, number, meant):
    cells, lost = convert(pd.Series([number, np.nan]), program, form, [])
    assert cells[0] == meant and cell_text(cells[1]) == "" and lost == (meant is NO_DATE)


@pytest.mark.parametrize(
    ("program", "form"), [("spss", "F8.2"), ("spss", "MONTH9"), ("spss", "WKDAY9"), ("stata", "%9.0g"), ("sas", "BEST12"), ("sas", None)]
)
def test_formats_that_are_no_dates(program, form):
    assert meaning_of(program, form) == ""


def test_a_user_missing_code_in_a_date_stays_a_code():
    cells, _ = convert(pd.Series([99.0, 86_400.0]), "spss", "DATE11", [(99.0, 99.0)])
    assert cells.tolist() == [99.0, datetime.date(1582, 10, 15)]


def test_a_date_that_overflows_is_a_finding_and_no_date(tmp_path):
    import pyreadstat

    frame = pd.DataFrame({"pid": ["a", "b"], "d": [13_744_944_000.0, 9e11]})
    pyreadstat.write_sav(frame, str(tmp_path / "d.sav"), variable_format={"d": "DATE11"})
    raw = statistical.read(tmp_path / "d.sav", {})
    assert [(n.column, n.n) for n in raw.notices] == [("d", 1)]
    source = {"id": "s", "instrument": "i", "file": "d.sav", "reader": "spss", "keys": {"person_id": "pid"}}
    sections = {name: [] for name in ("waves", "exclusions", "response_scales", "missing_codes", "recodes")}
    sections |= {"items": [{"instrument": "i", "item": "d", "label": "D", "type": "date"}], "ids": {}, "crosswalks": {}}
    table = ingest(raw, source, sections)
    assert table.frame["d"][0] == "2018-05-06" and pd.isna(table.frame["d"][1])
    assert table.extra["problems"] == [{"row": 2, "column": "d", "item": "d", "kind": "invalid_date"}]


def spss_with(folder, text, encoding, says):
    """Write an SPSS file whose texts are in one encoding and whose header names another."""
    import pyreadstat

    width = len(text.encode(encoding))
    pyreadstat.write_sav(pd.DataFrame({"s": ["x" * width, "y"]}), str(folder / "e.sav"))
    content = (folder / "e.sav").read_bytes().replace(b"x" * width, text.encode(encoding))
    assert content.count(b"UTF-8") == 1 and len(says) == 5
    return saved(folder, "e.sav", content.replace(b"UTF-8", says))


def test_encodings(tmp_path):
    text = "Z\u00fcrich, \u00c4pfel"
    wrong = statistical.read(spss_with(tmp_path, text, "utf-8", b"CP819"), {})
    assert wrong.frame["s"][0] == text and wrong.encoding == "utf-8" and "read as utf-8" in wrong.notices[0].message
    refused("BSC-SRC-041", spss_with(tmp_path, text, "cp1252", b"UTF-8"))
    declared = statistical.read(spss_with(tmp_path, text, "cp1252", b"UTF-8"), {"encoding": "cp1252"})
    assert declared.frame["s"][0] == text and not declared.notices
    unknown = spss_with(tmp_path, text, "utf-8", b"QXZ-9").read_bytes()
    code_page = (65001).to_bytes(4, "little")
    assert unknown.count(code_page) == 1
    refused("BSC-SRC-040", saved(tmp_path, "e.sav", unknown.replace(code_page, (99999).to_bytes(4, "little"))))
    refused("BSC-CFG-006", spss_with(tmp_path, text, "utf-8", b"UTF-8"), {"encoding": "utf-ate"})
    hebrew = "\u05e9\u05dc\u05d5\u05dd"  # the parser's own conversion loses the last letter of each word
    path = spss_with(tmp_path, hebrew, "cp1255", b"UTF-8")
    assert statistical.read(path, {"encoding": "cp1255"}).frame["s"].tolist() == [hebrew, "y"]
    named = path.read_bytes().replace(code_page, (1255).to_bytes(4, "little")).replace(b"UTF-8", b"CP125")
    assert statistical.read(saved(tmp_path, "e.sav", named), {}).frame["s"].tolist() == [hebrew, "y"]


@pytest.mark.parametrize("version", [8, 10, 12, 13])
def test_stata_files_without_an_encoding(tmp_path, version):
    """Stata before 14 names no encoding: UTF-8 is recognised, anything else is read as windows-1252 with a notice."""
    import pyreadstat

    frame = pd.DataFrame({"s": ["\u00c4pfel", "b"], "d": [1, 2]})
    pyreadstat.write_dta(frame, str(tmp_path / "v.dta"), version=version, variable_value_labels={"d": {1: "one", 2: "two"}})
    table = statistical.read(tmp_path / "v.dta", {})
    assert table.frame["s"].tolist() == ["\u00c4pfel", "b"] and table.encoding == "utf-8" and len(table.notices) == 1
    content = (tmp_path / "v.dta").read_bytes()
    old = content.replace("\u00c4pfel".encode(), "\u00c4pfel".encode("cp1252") + b"\0")
    read = statistical.read(saved(tmp_path, "old.dta", old), {})
    assert read.frame["s"][0] == "\u00c4pfel" and "names no encoding" in read.notices[0].message
    for cut in (1, 7, 40):
        refused("BSC-SRC-006", saved(tmp_path, "cut.dta", content[:-cut]))


def test_other_refusals(tmp_path):
    refused("BSC-SRC-007", saved(tmp_path, "a.sav", b"\x1c" + bytes(7) + b"ENCRYPTEDSAV" + bytes(100)))
    refused("BSC-SRC-006", saved(tmp_path, "b.sav", b"id,name\n1,a\n"))
    refused("BSC-SRC-001", saved(tmp_path, "c.sav", b""))
    import pyreadstat

    pyreadstat.write_sav(pd.DataFrame({"a": [1.0, 2.0]}).iloc[:0], str(tmp_path / "d.sav"))
    refused("BSC-SRC-003", tmp_path / "d.sav")
