"""Delimited text: delimiters found and verified, encodings held against the bytes, damage named with its lines."""

import csv
import io

import pytest

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.encodings import odd_letters

SECRET = "Magdalena"
TOWNS = ["Köln", "Müllheim", "São Tomé", "Besançon", "Malmö", "Cañón", "Århus", "L’Écluse", "Zürich"]


def write(folder, content):
    path = folder / "raw.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refused(code, path, options=None):
    with pytest.raises(BscError) as caught:
        delimited.read(path, options or {})
    assert caught.value.code == code and SECRET not in str(caught.value)
    return str(caught.value)


def said(table):
    return [notice.message for notice in table.notices]


def text_of(rows, delimiter):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_whatever_else_the_cells_hold(tmp_path, delimiter):
    rows = [["id", "note", "score"], ["1", "a; b, c | d", "2,5"], ["2", "two\nlines\twith a tab", "-1,0"], ["3", "", ""]]
    table = delimited.read(write(tmp_path, text_of(rows, delimiter)), {})
    assert [list(table.frame.columns), *table.frame.to_numpy().tolist()] == [rows[0], *rows[1:]]
    assert table.provenance["delimiter"] == delimiter and table.rows.tolist() == [2, 3, 5] and not table.notices


def test_a_delimiter_in_doubt_is_asked_for(tmp_path):
    path = write(tmp_path, f"a,b;c\n1,2;{SECRET}\n4,5;6\n")
    assert "a comma and a semicolon" in refused("BSC-SRC-060", path)
    assert delimited.read(path, {"delimiter": ";"}).frame.columns.tolist() == ["a,b", "c"]
    assert delimited.read(write(tmp_path, "only\n1\n2\n"), {}).frame["only"].tolist() == ["1", "2"]


def test_all_ragged_lines_are_named_at_once(tmp_path):
    message = refused("BSC-SRC-004", write(tmp_path, f'a;b;c\n1;2;3\n1;{SECRET}\n"x\ny";2;3\n1;2;3;4\n1;;2;\n'))
    assert [f"line {line}:" in message for line in (2, 3, 4, 6, 7)] == [False, True, False, True, True]
    assert "3 record(s)" in message
    assert "line 3" in refused("BSC-SRC-004", write(tmp_path, "a,b,c\n1,2,3\n1,,2,\n")), "shifted, although the cell too many is empty"


def test_nul_bytes_and_utf16_without_a_mark(tmp_path):
    assert "line 3" in refused("BSC-SRC-061", write(tmp_path, f"a,b\n1,2\n{SECRET},\x00\n"))
    assert "utf-16-le" in refused("BSC-SRC-061", write(tmp_path, "a,b\n1,2\n".encode("utf-16-le")))
    assert delimited.read(write(tmp_path, "a,b\n1,2\n".encode("utf-16-le")), {"encoding": "utf-16-le"}).frame["b"].tolist() == ["2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "mac_roman"])
def test_the_right_encoding_gives_no_notice(tmp_path, encoding):
    towns = TOWNS if encoding != "latin-1" else [town for town in TOWNS if "’" not in town]
    path = write(tmp_path, "".join(f"{cell}\r\n" for cell in ["town", *towns]).encode(encoding))
    table = delimited.read(path, {"encoding": encoding})
    assert table.frame["town"].tolist() == towns and not table.notices


WRONG = [("utf-8", "cp1252"), ("utf-8", "mac_roman"), ("mac_roman", "latin-1"), ("cp1252", "mac_roman"), ("mac_roman", "cp1252")]


@pytest.mark.parametrize(("written", "declared"), WRONG)
def test_a_wrong_encoding_that_decodes_all_the_same_is_not_silent(tmp_path, written, declared):
    path = write(tmp_path, "town\nKöln\nMalmö\nMünchen\n".encode(written))
    assert f"the bytes look like {written}" in " ".join(said(delimited.read(path, {"encoding": declared})))


def test_control_characters_of_latin_1_are_windows_signs(tmp_path):
    path = write(tmp_path, "note\nL’Écluse – ici\n".encode("cp1252"))
    assert "look like cp1252" in said(delimited.read(path, {"encoding": "latin-1"}))[0]


def test_an_undeclared_encoding_is_refused_with_what_it_looks_like(tmp_path):
    text = "".join(f"{town}\n" for town in ["town", *TOWNS])
    assert "mac_roman" in refused("BSC-SRC-002", write(tmp_path, text.encode("mac_roman")))
    assert "cp1252" in refused("BSC-SRC-002", write(tmp_path, text.encode("cp1252")))
    assert odd_letters("Köln L’Écluse ÜBER Ö") == 0 and odd_letters("K^ln Mžller cafÈ") == 1.5


def test_text_that_was_damaged_before_the_export_is_pointed_to(tmp_path):
    assert "decoded twice" in said(delimited.read(write(tmp_path, "town\nKÃ¶ln\n"), {}))[0]
    assert "were lost" in said(delimited.read(write(tmp_path, "town\nK\ufffdln\n"), {}))[0]
    assert "cut off" in said(delimited.read(write(tmp_path, "a,b\n1,2\n3,4"), {}))[0]
    swallowed = delimited.read(write(tmp_path, 'a,b,c\n1,2,"x\n2,3,y\n3,4,"\n4,5,z\n'), {})
    assert "whole records" in said(swallowed)[0] and len(swallowed.rows) == 2


def test_commas_that_may_mark_thousands_are_pointed_to(tmp_path):
    path = write(tmp_path, "cost;rate\n1,250;1,25\n12,000;2,5\n3,400;1,125\n")
    table = delimited.read(path, {"decimal": ","})
    assert [notice.column for notice in table.notices] == ["cost"] and not delimited.read(path, {}).notices
