"""Tables and databases made to do harm are refused with a code; damaged ones end in what the file says, or in an error."""

import io
import random
import tracemalloc
import zipfile

import coding_exports as exports
import pytest
from coding_exports import as_csv, as_workbook, qualcoder

from bscstudy.errors import BscError
from bscstudy.io import coding_file, coding_qualcoder
from bscstudy.io.coding_table import TABLES
from bscstudy.io.readers import read_source

CORRUPTIONS = 150
SHEET = "xl/worksheets/sheet1.xml"
BOOK = as_workbook(exports.maxqda())


def rebuilt(change=None, extra=()):
    """The workbook with parts changed ({name: function}) or added ([(name, content)])."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, (change or {}).get(member.filename, lambda same: same)(content))
        for name, content in extra:
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def link():
    info = zipfile.ZipInfo("xl/link.xml")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO(rebuilt())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def encrypted():
    content = bytearray(BOOK)
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def with_type(content):
    head, _, rest = content.partition(b"?>") if content.startswith(b"<?xml") else (b"", b"", content)
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + rest


def with_formula(content):
    return content.replace(b'<c r="H2" t="n"><v>2</v></c>', b'<c r="H2"><f>WEBSERVICE("http://x/")</f></c>')


HOSTILE = {
    "path that leads out": (rebuilt(extra=[("../../x.xml", "a")]), "BSC-QUA-022"),
    "absolute path": (rebuilt(extra=[("/etc/x.xml", "a")]), "BSC-QUA-022"),
    "link": (link(), "BSC-QUA-022"),
    "password": (encrypted(), "BSC-QUA-022"),
    "two of one name": (rebuilt(extra=[("XL/workbook.xml", "a")]), "BSC-QUA-022"),
    "bomb": (rebuilt(extra=[("xl/media/x.xml", bytes(30_000_000))]), "BSC-QUA-022"),
    "too many members": (rebuilt(extra=[(f"x/{n}", "") for n in range(10_001)]), "BSC-QUA-022"),
    "document type": (rebuilt({SHEET: with_type}), "BSC-QUA-022"),
    "document type in the list of sheets": (rebuilt({"xl/workbook.xml": with_type}), "BSC-QUA-022"),
    "formula without a value": (rebuilt({SHEET: with_formula}), "BSC-SRC-013"),
    "password of Excel, or old format": (b"\xd0\xcf\x11\xe0" + bytes(600), "BSC-SRC-011"),
    "error cell": (as_workbook([[cell if cell != "Coach" else "#NAME?" for cell in row] for row in exports.maxqda()]), "BSC-QUA-023"),
    "NUL bytes": (as_csv(exports.maxqda()).replace(b"Coach", b"Co\x00ch"), "BSC-SRC-061"),
    "open quotation mark": (as_csv(exports.maxqda()) + b'"', "BSC-SRC-015"),
    "no text": (b"\x89PNG\r\n" + bytes(range(128, 256)), "BSC-SRC-002"),
    "empty": (b"", "BSC-SRC-001"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused_in_little_memory(tmp_path, name):
    content, code = HOSTILE[name]
    path = tmp_path / "export.xlsx"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(BscError) as caught:
            read_source([path], {"reader": "maxqda", "options": {}})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == code
    assert peak < 60_000_000, "less than the bomb unpacked takes together with the table"
    assert "What was said" not in str(caught.value)


def test_tables_that_are_too_large_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "export.csv"
    path.write_bytes(as_csv(exports.maxqda()))
    monkeypatch.setattr(coding_file, "MOST_FILE_BYTES", 100)
    with pytest.raises(BscError, match="BSC-QUA-022"):
        read_source([path], {"reader": "maxqda", "options": {}})


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    rows = [[cell if cell != "Coach" else '=HYPERLINK("http://x/")' for cell in row] for row in exports.maxqda()]
    path = tmp_path / "export.csv"
    path.write_bytes(as_csv(rows))
    assert '=HYPERLINK("http://x/")' in set(read_source([path], {"reader": "maxqda", "options": {}}).frame["code_path"])


@pytest.mark.parametrize("head", [b"", b"SQLite format 3\x00", b"SQLite format 3\x00" + bytes(4000), b"PK\x03\x04" + bytes(200)])
def test_files_that_are_no_database(tmp_path, head):
    path = tmp_path / "data.qda"
    path.write_bytes(head)
    with pytest.raises(BscError) as caught:
        coding_qualcoder.read(path, {})
    assert caught.value.code == ("BSC-QUA-028" if head else "BSC-SRC-001")


# --- damage ----------------------------------------------------------------------------------------------------

EXPORTS = {"dedoose": exports.dedoose, "maxqda": exports.maxqda, "atlasti": exports.atlasti, "taguette": exports.taguette}
EXPORTS |= {"nvivo": exports.nvivo_matrix}


def damaged(content, rng):
    kind = rng.choice(["flip", "cut", "hole", "sprinkle"])
    at = rng.randrange(len(content))
    if kind == "flip":
        changed = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if kind == "cut":
        return content[:at]
    if kind == "hole":
        return content[:at] + content[at + rng.randint(1, 30) :]
    return content[:at] + rng.choice([b'"', b",", b";", b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"=1", b"1e999"]) + content[at:]


def mixed_up(rows, rng):
    rows = [list(row) for row in rows]
    kind = rng.choice(["columns", "rows", "lost", "blank", "repeated"])
    if kind == "columns":
        order = rng.sample(range(len(rows[0])), len(rows[0]))
        return [[row[place] for place in order] for row in rows]
    if kind == "rows":
        return [rows[0], *rng.sample(rows[1:], len(rows) - 1)]
    if kind == "lost":
        place = rng.randrange(len(rows[0]))
        return [row[:place] + row[place + 1 :] for row in rows]
    if kind == "repeated":
        return [*rows, rng.choice(rows[1:])]
    row = rng.choice(rows)
    row[rng.randrange(len(row))] = ""
    return rows


def read_or_refused(source, path):
    """Return the codings that a damaged file gives, or the code by which it is refused."""
    try:
        table = read_source([path], source)
    except BscError as fault:
        assert fault.what and fault.why and fault.todo
        return fault.code
    assert list(table.frame.columns) == list(TABLES["codings"]) or table.provenance["holds"] == "codes"
    if table.provenance["holds"] == "codings":
        assert (table.frame[["document_id", "code_path"]] != "").all(axis=None)
        assert table.provenance["n_codings"] == len(table.frame) == len(table.rows)
    return table


@pytest.mark.parametrize("how", ["csv", "xlsx"])
@pytest.mark.parametrize("program", EXPORTS)
def test_damaged_tables(tmp_path, program, how):
    rng, write = random.Random(f"{program} {how}"), as_csv if how == "csv" else as_workbook
    rows = EXPORTS[program]()
    source = {"reader": program, "options": {}}
    path = tmp_path / f"export.{how}"
    path.write_bytes(write(rows))
    sound = sorted(map(tuple, read_or_refused(source, path).frame[["document_id", "coder_id", "code_path"]].values.tolist()))
    outcomes = set()
    for _ in range(CORRUPTIONS if how == "csv" else CORRUPTIONS // 5):
        reordered = rng.random() < 0.5
        path.write_bytes(write(mixed_up(rows, rng)) if reordered else damaged(write(rows), rng))
        found = read_or_refused(source, path)
        outcomes.add(found if isinstance(found, str) else "read")
    shuffled = [rows[0], *rng.sample(rows[1:], len(rows) - 1)]
    path.write_bytes(write(shuffled))
    again = read_or_refused(source, path).frame[["document_id", "coder_id", "code_path"]]
    assert sorted(map(tuple, again.values.tolist())) == sound
    assert "read" in outcomes and len(outcomes) > 2


def test_damaged_databases(tmp_path):
    rng, path = random.Random("database"), tmp_path / "data.qda"
    content = qualcoder(path).read_bytes()
    outcomes = set()
    for _ in range(CORRUPTIONS):
        path.write_bytes(damaged(content, rng))
        found = read_or_refused({"reader": "qualcoder", "options": {}}, path)
        outcomes.add(found if isinstance(found, str) else "read")
        assert [p.name for p in tmp_path.iterdir()] == ["data.qda"], "nothing is written beside it"
    assert {"read", "BSC-QUA-028"} <= outcomes
