"""Damaged files of each kind end in a table that another program reads alike, or in a BscError; never in another exception."""

import io
import random
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.io import delimited, excel, qualtrics, redcap
from bscstudy.io.raw import cell_text

CORRUPTIONS = 200
ROWS = [
    [str(n), f"A{n % 3:02d}", str(1 + n % 5) if n % 4 else "", f"2024-03-{n + 1:02d}", "two\nlines" if n % 5 else 'said "no", left', "Köln"]
    for n in range(12)
]
COLUMNS = ["record_id", "center", "stress", "day", "note", "town"]
DICTIONARY = [
    [
        *("field_name", "form_name", "field_type", "field_label", "select_choices_or_calculations"),
        *("text_validation_type_or_show_slider_number", "branching_logic"),
    ],
    ["record_id", "form", "text", "Record", "", "", ""],
    ["center", "form", "text", "Center", "", "", ""],
    ["stress", "form", "radio", "Stress", "1, low | 2, some | 3, more | 4, much | 5, all", "", "[center] <> ''"],
    ["day", "form", "text", "Day", "", "date_ymd", ""],
    ["note", "form", "notes", "Note", "", "", "[stress] > 3 or [center] = 'A01'"],
    ["town", "form", "text", "Town", "", "", ""],
    ["box", "form", "checkbox", "Box", "1, one | 2, two", "", "[stress] = '5'"],
]


def as_text(rows, delimiter=","):
    buffer = io.StringIO()
    pd.DataFrame(rows).to_csv(buffer, sep=delimiter, header=False, index=False, lineterminator="\r\n")
    return buffer.getvalue().encode("utf-8")


def delimited_rows():
    return [COLUMNS, *ROWS]


def redcap_rows():
    boxes = [[str(int(n % 5 == 4)), "0"] for n in range(12)]
    return [[*COLUMNS, "box___1", "box___2"], *[row + box for row, box in zip(ROWS, boxes, strict=True)]]


def qualtrics_rows():
    head = ["Status", "ResponseId", "stress", "day", "note", "town"]
    ids = ['{"ImportId":"status"}', '{"ImportId":"_recordId"}', *(f'{{"ImportId":"QID{n}"}}' for n in range(4))]
    return [head, head, ids, *[["1" if n == 3 else "0", f"R_{n}", *row[2:]] for n, row in enumerate(ROWS)]]


def excel_rows():
    return [COLUMNS, *[[int(row[0]), row[1], *([int(row[2])] if row[2] else [None]), *row[3:]] for row in ROWS]]


def as_workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def flipped(content, rng):
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(content, rng):
    return content[: rng.randrange(len(content))]


def hole(content, rng):
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 30) :]


def sprinkled(content, rng):
    start = rng.randrange(len(content))
    return content[:start] + rng.choice([b'"', b",", b";", b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"[", b"1e999"]) + content[start:]


def rows_changed(rows, rng):
    rows = [list(row) for row in rows]
    kind = rng.choice(["columns shuffled", "rows repeated", "cell emptied", "row shifted", "column lost", "rows shuffled"])
    if kind == "columns shuffled":
        order = rng.sample(range(len(rows[0])), len(rows[0]))
        return [[row[place] for place in order] for row in rows]
    if kind == "rows repeated":
        return rows + rng.sample(rows, rng.randint(1, 3))
    if kind == "rows shuffled":
        return rng.sample(rows, len(rows))
    if kind == "column lost":
        place = rng.randrange(len(rows[0]))
        return [row[:place] + row[place + 1 :] for row in rows]
    row = rng.choice(rows)
    place = rng.randrange(len(row))
    row[:] = [*row[:place], "", *row[place + (kind == "cell emptied") :]][: len(row)]
    return rows


def damaged(rows, write, rng):
    """One corruption: half of the rows before they are written, half of the bytes afterwards."""
    if rng.random() < 0.4:
        return write(rows_changed(rows, rng))
    return rng.choice([flipped, truncated, hole, sprinkled])(write(rows), rng)


def inner_damage(content, rng):
    """Damage one part of a workbook and pack it again, so that the archive itself is sound."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(parts))
    parts[name] = rng.choice([flipped, truncated, hole, sprinkled])(parts[name], rng)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, inside in parts.items():
            archive.writestr(part, inside)
    return buffer.getvalue()


def read_by_pandas(path, delimiter, n_headers=1):
    """The same file by another parser, every cell as text, without records that hold nothing."""
    told = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig", "sep": delimiter, "header": None}
    frame = pd.read_csv(path, **told)
    header, body = frame.iloc[0].str.strip(), frame.iloc[n_headers:]
    body.columns = [name or f"(column {number})" for number, name in enumerate(header, start=1)]
    return body[(body != "").any(axis=1)]


def by_openpyxl(path):
    sheet = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    rows = [[cell_text(cell.value) for cell in row] for row in sheet.iter_rows()]
    return [row for row in rows[1:] if any(cell.strip() for cell in row)]


def same_line_breaks(cells):
    return [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in cells]


def assert_same(table, other, emptied=()):
    """Cell by cell the same text, apart from unticked boxes that nobody saw."""
    names = [name for name in table.frame.columns]
    ours, theirs = (same_line_breaks(f[names].to_numpy().tolist()) for f in (table.frame, other))
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert [c for n, c in zip(names, our, strict=True) if n not in emptied] == [
            c for n, c in zip(names, their, strict=True) if n not in emptied
        ]
        assert all(a == b or (a, b.strip()) == ("", "0") for n, a, b in zip(names, our, their, strict=True) if n in emptied)
    assert len(set(table.rows.tolist())) == len(table.rows) and (np.diff(table.rows) > 0).all()


SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("dictionary", "workbook")]


@pytest.mark.parametrize("kind", ["comma", "semicolon", "redcap", "qualtrics", *SLOW])
def test_two_hundred_corruptions_end_in_the_right_table_or_an_error(tmp_path, kind):
    rng = random.Random(f"corruption {kind}")
    path, beside = tmp_path / ("raw.xlsx" if kind == "workbook" else "raw.csv"), tmp_path / "dictionary.csv"
    beside.write_bytes(as_text(DICTIONARY))
    read = 0
    for _ in range(CORRUPTIONS):
        try:
            read += ONE[kind](path, beside, rng)
        except BscError as fault:
            assert "Köln" not in str(fault) and "said" not in str(fault)
    assert 20 < read < CORRUPTIONS - 20, "some damage leaves a sound file, some does not"


def one_text(path, beside, rng, delimiter):
    path.write_bytes(damaged(delimited_rows(), lambda rows: as_text(rows, delimiter), rng))
    table = delimited.read(path, {})
    assert_same(table, read_by_pandas(path, table.provenance["delimiter"]))
    return True


def one_redcap(path, beside, rng):
    path.write_bytes(damaged(redcap_rows(), as_text, rng))
    table = redcap.read(path, {"dictionary": beside})
    assert_same(table, read_by_pandas(path, table.provenance["delimiter"]), ("box___1", "box___2"))
    return True


def one_dictionary(path, beside, rng):
    path.write_bytes(as_text(redcap_rows()))
    beside.write_bytes(damaged(DICTIONARY, as_text, rng))
    table = redcap.read(path, {"dictionary": beside})
    assert_same(table, read_by_pandas(path, ","), ("box___1", "box___2"))
    return True


def one_qualtrics(path, beside, rng):
    path.write_bytes(damaged(qualtrics_rows(), as_text, rng))
    table = qualtrics.read(path, {"drop": ["preview"]} if rng.random() < 0.5 else {})
    other = read_by_pandas(path, table.provenance["delimiter"], 3)
    column = "Status" if "Status" in other else other.columns[0]
    numbers = pd.to_numeric(other[column], errors="coerce").replace(np.inf, 0).fillna(0)
    previews = numbers.astype(int) % 2 == 1
    n_dropped = sum(table.provenance["n_dropped"].values())
    assert n_dropped in (0, previews.sum())
    assert_same(table, other[~previews] if n_dropped else other)
    return True


def one_workbook(path, beside, rng):
    content = as_workbook(excel_rows())
    if rng.random() < 0.3:
        path.write_bytes(as_workbook(rows_changed(excel_rows(), rng)))
    else:
        path.write_bytes((inner_damage if rng.random() < 0.7 else flipped)(content, rng))
    table = excel.read(path, {})
    ours = [[cell_text(cell) for cell in row] for row in table.frame.to_numpy()]
    theirs = by_openpyxl(path)
    assert [[c for c in row if c] for row in ours] == [[c for c in row if c] for row in theirs]
    return True


ONE = {
    "comma": lambda *given: one_text(*given, ","),
    "semicolon": lambda *given: one_text(*given, ";"),
    "redcap": one_redcap,
    "dictionary": one_dictionary,
    "qualtrics": one_qualtrics,
    "workbook": one_workbook,
}
