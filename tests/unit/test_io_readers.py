"""Readers of text, SPSS, REDCap, Qualtrics, Excel and code tables: real exports as they are, and damaged ones refused."""

import datetime
import zipfile

import pytest

from bscstudy.errors import BscError
from bscstudy.io import code_table, delimited, excel, qualtrics, redcap, redcap_dictionary, statistical
from bscstudy.io.inventory import check_files
from bscstudy.io.raw import cell_text

SECRET = "Magdalena"


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def workbook(folder, sheets):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def refused(code, function, *arguments):
    """Run a reader that must refuse; the message has the code and shows no cell."""
    with pytest.raises(BscError) as caught:
        function(*arguments)
    assert caught.value.code == code
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_text_keeps_every_cell_as_text_and_every_line(tmp_path):
    path = write(tmp_path, "a.csv", '\ufeffid,note,code\r\n01,"two\r\nlines",NA\r\n\r\n02,x,1.0\r\n')
    table = delimited.read(path, {})
    assert table.frame.to_dict("list") == {"id": ["01", "02"], "note": ["two\r\nlines", "x"], "code": ["NA", "1.0"]}
    assert table.rows.tolist() == [2, 5], "a record has the line it starts on"


def test_text_in_other_encodings_and_delimiters(tmp_path):
    cells = "id;ort\n1;Köln\n"
    for encoding, start in (("cp1252", b""), ("utf-16", b"")):
        path = write(tmp_path, "b.csv", start + cells.encode(encoding))
        assert delimited.read(path, {"encoding": encoding, "delimiter": ";"}).frame["ort"].tolist() == ["Köln"]
    assert delimited.read(write(tmp_path, "c.tsv", "a\tb\n1\t2,5\n"), {}).frame["b"].tolist() == ["2,5"]


def test_rows_without_content_and_a_trailing_delimiter_are_passed_over(tmp_path):
    table = delimited.read(write(tmp_path, "d.csv", "a,b,\n1,2,\n,,\n3,4,\n"), {})
    assert (list(table.frame.columns), table.rows.tolist(), table.provenance["n_blank_records"]) == (["a", "b"], [2, 4], 1)


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (b"", {}, "BSC-SRC-001", "empty (0 bytes)"),
        (b"\n\n", {}, "BSC-SRC-003", "no line"),
        (b"id,name\n", {}, "BSC-SRC-003", "no record"),
        (f"id,name\n1,{SECRET}\n2,M\u00fcller\n".encode("cp1252"), {}, "BSC-SRC-002", "line 3"),
        ("id\n1\n".encode("utf-16"), {}, "BSC-SRC-002", "utf-16"),
        ("\ufeffid\n1\n".encode(), {"encoding": "cp1252"}, "BSC-SRC-002", "utf-8"),
        (b"id\n1\n", {"encoding": "utf-ate"}, "BSC-CFG-006", "encoding"),
        (f"id,name\n1,{SECRET}\n2\n3,a,b\n".encode(), {}, "BSC-SRC-004", "line 3: 1 cells, 2 columns"),
        (f'id,name\n1,"{SECRET}\n2,b\n'.encode(), {}, "BSC-SRC-015", "line 2"),
        (b"id;name\n1;2\n", {"delimiter": ","}, "BSC-SRC-014", "a semicolon"),
        (b"id,x,x\n1,2,3\n", {}, "BSC-SRC-005", "columns 2, 3"),
    ],
)
def test_damaged_text_is_refused(tmp_path, content, options, code, said):
    message = refused(code, delimited.read, write(tmp_path, "raw.csv", content), options)
    assert said in message and "raw.csv" in message


def test_all_absent_files_are_named_at_once(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    write(tmp_path, "empty.csv", b"")
    write(tmp_path, "good.csv", b"a\n1\n")
    sources = {
        "a": {"file": "absent.csv"},
        "b": {"file": "folder.csv"},
        "c": {"file": "empty.csv"},
        "d": {"file": "good.csv", "options": {"dictionary": "gone.csv"}},
    }
    message = refused("BSC-SRC-001", check_files, sources, tmp_path)
    assert (
        "4 raw file(s)" in message and all(name in message for name in ("absent", "folder", "empty", "gone")) and "good.csv" not in message
    )
    check_files({"e": {"file": "good.csv"}}, tmp_path)


def test_spss_keeps_labels_and_user_missing_codes(reference_folder):
    table = statistical.read(reference_folder / "sav" / "pyreadstat" / "sample_missing.sav", {})
    assert table.user_missing["mynum"] == [(2000.0, 3000.0), (-1.0, -1.0)]
    assert table.levels["myord"] == {"-1": "missing", "1": "low", "2": "medium", "3": "high"}
    assert (table.frame["mylabl"] == -1).sum() == 1, "the code itself stays"
    assert table.frame["mydate"][0] == datetime.date(2018, 5, 6) and cell_text(table.frame["dtime"][0]) == "2018-05-06 10:10:10"
    assert table.rows.tolist() == list(range(1, 8))
    hebrew = statistical.read(reference_folder / "sav" / "pyreadstat" / "hebrews.sav", {})
    assert hebrew.frame.shape == (99, 1)


@pytest.mark.parametrize("cut", [10, 400, -40, -1])
def test_cut_off_spss_files_are_refused(reference_folder, tmp_path, cut):
    content = (reference_folder / "sav" / "pyreadstat" / "simple_alltypes.sav").read_bytes()
    refused("BSC-SRC-006", statistical.read, write(tmp_path, "cut.sav", content[:cut]), {})


def test_spss_files_of_another_kind_are_refused(tmp_path):
    encrypted = b"\x1c" + bytes(7) + b"ENCRYPTEDSAV" + bytes(100)
    assert "encrypted" in refused("BSC-SRC-007", statistical.read, write(tmp_path, "locked.sav", encrypted), {})
    refused("BSC-SRC-006", statistical.read, write(tmp_path, "text.sav", f"id,name\n1,{SECRET}\n"), {})
    refused("BSC-SRC-001", statistical.read, tmp_path / "absent.sav", {})


def test_redcap_export_with_its_dictionary(reference_folder):
    folder = reference_folder / "exports" / "redcap" / "checkboxes-1"
    table = redcap.read(folder / "data.csv", {"dictionary": folder / "dictionary.csv"})
    assert table.labels["check_two___b"] == "check two (B)" and table.levels["check_one___1"] == {"0": "Unchecked", "1": "Checked"}
    folder = reference_folder / "exports" / "redcap" / "longitudinal"
    table = redcap.read(folder / "data.csv", {"dictionary": folder / "dictionary.csv"})
    assert table.levels["sex"] == {"0": "Female", "1": "Male"}
    assert "redcap_event_name" in table.own_columns and table.frame["redcap_event_name"].nunique() == 12


def test_redcap_dictionary_must_cover_the_columns(tmp_path):
    records = write(tmp_path, "records.csv", "record_id,stress,renamed\n1,2,3\n")
    header = "field_name,form_name,field_type,field_label,select_choices_or_calculations\n"
    dictionary = write(tmp_path, "dictionary.csv", header + 'record_id,a,text,Id,\nstress,a,radio,Stress,"-1, low, very | 2, high"\n')
    message = refused("BSC-SRC-017", redcap.read, records, {"dictionary": dictionary})
    assert "'renamed'" in message and "'stress'" not in message
    assert redcap_dictionary.parse_choices("-1, low, very | 2, high") == {"-1": "low, very", "2": "high"}
    refused("BSC-SRC-008", redcap.read, records, {})
    refused("BSC-SRC-016", redcap.read, records, {"dictionary": records})


@pytest.mark.parametrize(("name", "line", "column"), [("sample.csv", 4, "Q1"), ("sample_legacy.csv", 3, "Q1")])
def test_qualtrics_header_rows_are_no_answers(reference_folder, name, line, column):
    table = qualtrics.read(reference_folder / "exports" / "qualtrics" / name, {})
    assert table.rows.tolist() == [line] and table.labels[column] == "This is a multiple choice question."
    assert "Q1" not in table.own_columns


def test_qualtrics_lines_and_changed_headers(tmp_path):
    head = 'ResponseId,Q1\nResponse ID,"A question\nin two lines"\n"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}"\n'
    table = qualtrics.read(write(tmp_path, "q.csv", head + 'R_1,"two\nlines"\nR_2,b\n'), {})
    assert table.rows.tolist() == [5, 7] and table.labels["Q1"] == "A question in two lines"
    refused("BSC-SRC-009", qualtrics.read, write(tmp_path, "plain.csv", f"ResponseId,Q1\nR_1,{SECRET}\nR_2,1\n"), {})
    assert "line 6" in refused(
        "BSC-SRC-009", qualtrics.read, write(tmp_path, "twice.csv", head + f"R_1,{SECRET}\n" + head.split("\n", 3)[3]), {}
    )


def test_excel_sheet_header_row_and_dates(tmp_path):
    day = datetime.datetime(2024, 3, 4)
    rows = [["A title"], ["id", "on", "n", "done"], [7, day, 2.5, True], [None, None, None, None], ["B", "Si", 3, None]]
    path = workbook(tmp_path, {"Read me": [["x"]], "Cycles": rows})
    table = excel.read(path, {"sheet": "Cycles", "header_row": 2})
    assert table.rows.tolist() == [3, 5] and table.provenance["n_blank_records"] == 1
    assert [[cell_text(v) for v in row] for row in table.frame.to_numpy()] == [["7", "2024-03-04", "2.5", "true"], ["B", "Si", "3", ""]]


def test_damaged_workbooks_are_refused(tmp_path):
    path = workbook(tmp_path, {"One": [["a", "b"], [1, SECRET]]})
    content = path.read_bytes()
    refused("BSC-SRC-010", excel.read, write(tmp_path, "cut.xlsx", content[: len(content) // 2]), {})
    refused("BSC-SRC-010", excel.read, write(tmp_path, "text.xlsx", f"a,b\n1,{SECRET}\n"), {})
    refused("BSC-SRC-011", excel.read, write(tmp_path, "locked.xlsx", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600)), {})
    assert "Did you mean 'One'?" in refused("BSC-SRC-012", excel.read, path, {"sheet": "Oen"})
    refused("BSC-SRC-003", excel.read, path, {"header_row": 2})
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("a.txt", SECRET)
    refused("BSC-SRC-010", excel.read, tmp_path / "other.xlsx", {})


def test_formulas_that_were_never_computed_are_no_blanks(tmp_path):
    path = workbook(tmp_path, {"One": [["a", "b"], [1, "=A2*2"]]})
    assert "cell B2" in refused("BSC-SRC-013", excel.read, path, {})


def test_code_table_keeps_no_quotation(reference_folder, tmp_path):
    columns = {"document": "Document", "code": "Codes", "start": "Initial Position", "end": "Final Position"}
    table = code_table.read(reference_folder / "qda" / "atlasti_pt_quotations.csv", {"delimiter": ";", "columns": columns})
    assert list(table.frame.columns) == ["document_id", "coder_id", "code_path", "start", "end", "offset_status"]
    assert "Text Content" in table.provenance["columns_passed_over"]
    path = write(tmp_path, "codes.csv", "Doc,Code,From\nd1,A\\B,\nd1,C,5\n")
    table = code_table.read(path, {"columns": {"document": "Doc", "code": "Code", "start": "From"}})
    assert table.frame["offset_status"].tolist() == ["document", "as_received"]
    assert "Did you mean 'Code'?" in refused("BSC-QUA-010", code_table.read, path, {"columns": {"document": "Doc", "code": "Codes"}})
