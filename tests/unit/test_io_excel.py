"""Excel sheets as people make them: merged headers, hidden parts, errors, dates and numbers mixed with text."""

import datetime

import openpyxl
import pytest

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.errors import BscError
from bscstudy.io import excel
from bscstudy.io.ingest import ingest
from bscstudy.io.raw import cell_text

SECRET = "Magdalena"
DAY = datetime.datetime(2024, 3, 4)


def workbook(folder, rows, *, merged=(), change=None, sheets=()):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in rows:
        sheet.append(row)
    for name in sheets:
        book.create_sheet(name)
    for group in merged:
        sheet.merge_cells(group)
    if change:
        change(book, sheet)
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def refused(code, path, **options):
    with pytest.raises(BscError) as caught:
        excel.read(path, options)
    assert caught.value.code == code and SECRET not in str(caught.value)
    return str(caught.value)


def said(table):
    return {(notice.column, notice.message.split(";")[0], notice.rows or notice.n) for notice in table.notices}


def test_a_header_over_two_rows_is_joined(tmp_path):
    rows = [
        ["A title"],
        ["id", "Baseline", None, "Follow-up", None, None],
        [None, "n", "mean", "n", "mean", "note"],
        [1, 10, 2.5, 9, 3, "x"],
    ]
    path = workbook(tmp_path, rows, merged=("A2:A3", "B2:C2", "D2:E2"))
    table = excel.read(path, {"header_row": 2, "header_rows": 2, "header_separator": "_"})
    assert list(table.frame.columns) == ["id", "Baseline_n", "Baseline_mean", "Follow-up_n", "Follow-up_mean", "note"]
    assert [cell_text(v) for v in table.frame.iloc[0]] == ["1", "10", "2.5", "9", "3", "x"] and table.rows.tolist() == [4]
    assert "A2:A3" in refused("BSC-SRC-069", path, header_row=2), "a header that goes on below"
    refused("BSC-SRC-005", workbook(tmp_path, rows[1:], merged=("B1:C1",)), header_row=2)
    refused("BSC-SRC-069", workbook(tmp_path, [["a", "b"], [1, 2]], merged=("A1:B1",)))


def test_merged_records_are_refused_and_merged_blanks_are_not(tmp_path):
    rows = [["center", "n", "note"], ["A01", 1, None], [None, 2, None], [SECRET, 3, None]]
    assert "A2:A3" in refused("BSC-SRC-068", workbook(tmp_path, rows, merged=("A2:A3",)))
    assert len(excel.read(workbook(tmp_path, rows, merged=("C2:C3",)), {}).rows) == 3


def test_hidden_parts_are_read_and_reported(tmp_path):
    def hide(book, sheet):
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True
        book["Old"].sheet_state = "hidden"

    path = workbook(tmp_path, [["id", "n"], [1, 5], [2, 6], [3, 7]], change=hide, sheets=("Old", "Notes"))
    table = excel.read(path, {})
    assert table.frame["n"].tolist() == [5, 6, 7] and table.provenance["n_sheets"] == 3
    assert said(table) == {
        ("", "hidden rows hold records", 1),
        ("n", "a hidden column", 1),
        ("", "the workbook has hidden sheets that are not read", 1),
        ("", "the first of several sheets is read", 3),
    }
    assert "Did you mean 'Notes'?" in refused("BSC-SRC-012", path, sheet="Note")
    hidden = excel.read(path, {"sheet": "Data"})
    assert not any("several sheets" in notice.message for notice in hidden.notices)


def test_content_without_a_column_name_is_not_lost(tmp_path):
    table = excel.read(workbook(tmp_path, [["id", None, "n", None], [1, "x", 5, None], [2, None, 6, None]]), {})
    assert list(table.frame.columns) == ["id", "(column B)", "n"] and table.frame["(column B)"].tolist() == ["x", None]


def test_empty_rows_between_records_count_and_trailing_ones_do_not(tmp_path):
    def format_far_below(book, sheet):
        sheet.cell(5000, 1).font = openpyxl.styles.Font(bold=True)

    table = excel.read(workbook(tmp_path, [["id"], [1], [None], [2], [None]], change=format_far_below), {})
    assert table.rows.tolist() == [2, 4] and table.provenance["n_blank_records"] == 1


def test_dates_and_numbers_mixed_with_text_are_pointed_to(tmp_path):
    rows = [
        ["on", "score", "code"],
        [DAY, 1, "A1"],
        [DAY, "2", "B2"],
        [45355, 3, DAY],
        ["4.3.2024", " 4", "C3"],
        [None, None, None],
        [DAY, 5, "D"],
    ]
    table = excel.read(workbook(tmp_path, rows), {})
    mixed = "dates stand beside numbers or text in one column"
    assert said(table) == {("on", mixed, (4, 5)), ("code", mixed, (4,)), ("score", "a number stored as text in a column of numbers", 2)}
    clean = excel.read(workbook(tmp_path, [["on", "id"], [DAY, "007"], [DAY, "008"]]), {})
    assert not clean.notices and clean.frame["id"].tolist() == ["007", "008"]


def test_error_cells_stop_unless_the_codebook_knows_them(tmp_path):
    table = excel.read(
        workbook(tmp_path, [["id", "town", "n", "remark"], [1, "#N/A", 5], [2, SECRET, "#DIV/0!", "#REF!"], [3, "#N/A", 7]]), {}
    )
    assert {(n.check, n.column, n.rows) for n in table.notices if n.check == "error_cell"} == {
        ("error_cell", "town", (2, 4)),
        ("error_cell", "n", (3,)),
        ("error_cell", "remark", (3,)),
    }
    item = {"instrument": "i", "minimum": None, "maximum": None, "version": None}
    items = [{**item, "item": "town", "label": "Town", "type": "text"}, {**item, "item": "n", "label": "N", "type": "integer"}]
    source = {"id": "s", "instrument": "i", "reader": "excel", "file": "book.xlsx", "keys": {"person_id": "id"}}
    sections = {"ids": {}, "exclusions": [], "response_scales": [], "recodes": [], "waves": [], "items": items}
    config = {"register": {"centers": "none"}, "items": items, "waves": []}
    for codes, stops in (
        ([], {"error_cell": 2, "not_a_number": 1}),
        ([{"instrument": "i", "code": "#N/A", "reason": "refused"}], {"not_a_number": 1}),
    ):
        found = ingest(table, source, {**sections, "missing_codes": codes})
        findings = run_checks({"s": Source("s", found.frame, source, found.extra)}, config).findings
        assert findings[findings["severity"] == "stop"]["check"].value_counts().to_dict() == stops


def test_rows_that_are_not_in_order_are_refused(tmp_path):
    import zipfile

    path = workbook(tmp_path, [["id", "n"], [1, 5], [2, 6]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b'<row r="3"', b'<row r="1"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refused("BSC-SRC-010", path)
