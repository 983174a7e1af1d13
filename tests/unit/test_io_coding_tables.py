"""Tables of codings of Dedoose, MAXQDA, ATLAS.ti, NVivo and Taguette: one content, one long table."""

import coding_exports as exports
import jsonschema
import pytest
import yaml
from coding_exports import CODINGS, as_csv, as_workbook

from bscstudy.errors import BscError
from bscstudy.io import coding_atlasti, coding_dedoose, coding_maxqda, coding_nvivo, coding_taguette
from bscstudy.io.coding_headers import known_headers, plain_header
from bscstudy.io.coding_split import split_codes
from bscstudy.io.coding_table import CODINGS as COLUMNS
from bscstudy.io.readers import READERS, read_source
from bscstudy.workflow import PACKAGE

NAMES = sorted((document, "\\".join(code)) for document, _, code, *_ in CODINGS)


def written(folder, rows, how="csv", **format):
    path = folder / f"export.{how}"
    path.write_bytes(as_csv(rows, **format) if how == "csv" else as_workbook(rows))
    return path


def refused(code, read, *args):
    with pytest.raises(BscError) as caught:
        read(*args)
    assert caught.value.code == code
    return str(caught.value)


def changed(rows, row, column, value):
    rows = [list(one) for one in rows]
    rows[row][column] = value
    return rows


def named(frame):
    return sorted(zip(frame["document_id"], frame["code_path"], strict=True))


CASES = [
    ("dedoose", exports.dedoose(), {}, True, "as_received"),
    *[("maxqda", exports.maxqda(language), {}, True, "paragraphs") for language in exports.MAXQDA],
    *[("atlasti", exports.atlasti(language), {"delimiter": ";"}, True, "paragraphs") for language in exports.ATLAS],
    ("taguette", exports.taguette(), {}, False, "unplaced"),
    ("nvivo", exports.nvivo_matrix(), {}, False, "unplaced"),
]


@pytest.mark.parametrize("how", ["csv", "xlsx"])
@pytest.mark.parametrize(("program", "rows", "format", "has_coder", "status"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_one_content_of_every_program(tmp_path, program, rows, format, has_coder, status, how):
    path = written(tmp_path, rows, how, **(format if how == "csv" else {}))
    table = read_source([path], {"reader": program, "options": format if how == "csv" else {}})
    frame = table.frame
    assert list(frame.columns) == list(COLUMNS)
    assert named(frame) == NAMES
    coders = [coder for _, coder, *_ in CODINGS] if has_coder else [""] * len(CODINGS)
    assert sorted(frame["coder_id"]) == sorted(coders)
    assert set(frame["offset_status"]) == {status} and not frame["quotable"].any()
    if status == "paragraphs":
        by = dict(zip(zip(frame["document_id"], frame["coder_id"], frame["code_path"], strict=True), frame["last_paragraph"], strict=True))
        assert all(by[d, coder, "\\".join(code)] == last for d, coder, code, _, last, _ in CODINGS)
        assert frame[["start", "end"]].isna().all(axis=None), "paragraph numbers are no characters"
    assert "What was said" not in frame.to_csv(), "no quotation travels on"
    unsaid = [n for n in table.notices if "does not say who" in n.message]
    assert [n.n for n in unsaid] == ([] if has_coder else [len(CODINGS)])


def test_documents_and_codes_of_a_table(tmp_path):
    path = written(tmp_path, exports.maxqda())
    documents = coding_maxqda.read(path, {"table": "documents"}).frame
    assert documents[["document_id", "n_codings"]].values.tolist() == [["A01-T2", 3], ["B02-T2", 1]]
    codes = coding_maxqda.read(path, {"table": "codes"}).frame.set_index("code_path")
    assert codes.loc["Barriers", ["is_codable", "n_codings", "level"]].tolist() == [0, 0, 1]
    assert codes.loc["Barriers\\No time", ["is_codable", "n_codings", "level"]].tolist() == [1, 2, 2]
    assert coding_maxqda.read(path, {"table": "sets"}).frame["member"].tolist() == ["A01-T2", "B02-T2"]


# --- Dedoose ---------------------------------------------------------------------------------------------------


def test_dedoose_weights_and_places(tmp_path):
    frame = coding_dedoose.read(written(tmp_path, exports.dedoose(), "xlsx"), {}).frame
    first = frame[(frame["coder_id"] == "ben")].iloc[0]
    assert first[["code_path", "start", "end", "weight"]].tolist() == ["Barriers\\No time", 30, 39, 5]
    assert frame["weight"].notna().sum() == 2
    rows = changed(exports.dedoose(), 1, 1, "Page 4: 10-20")
    frame = coding_dedoose.read(written(tmp_path, rows), {}).frame
    assert frame.iloc[0][["page", "offset_status"]].tolist() == [4, "unplaced"] and frame["start"].isna().sum() == 1


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [(1, 7, "maybe", "BSC-QUA-024"), (1, 12, "high", "BSC-QUA-024"), (1, 0, "", "BSC-QUA-024"), (0, 0, "Titel", "BSC-QUA-020")],
)
def test_cells_of_dedoose_that_cannot_be(tmp_path, row, column, value, code):
    said = refused(code, coding_dedoose.read, written(tmp_path, changed(exports.dedoose(), row, column, value)), {})
    assert "What was said" not in said and "maybe" not in said and "high" not in said


def test_combined_titles_of_dedoose_are_compared_and_never_split(tmp_path):
    rows = exports.dedoose()
    assert not [n for n in coding_dedoose.read(written(tmp_path, rows), {}).notices if "combined" in n.message]
    wrong = coding_dedoose.read(written(tmp_path, changed(rows, 1, 6, "Coach")), {})
    assert [n.n for n in wrong.notices if "combined" in n.message] == [1] and named(wrong.frame) == NAMES
    beyond = coding_dedoose.read(written(tmp_path, changed(rows, 1, 12, 9)), {})
    assert [n.n for n in beyond.notices if "range" in n.message] == [1]
    refused("BSC-QUA-027", coding_dedoose.read, written(tmp_path, [row[:7] for row in rows]), {})
    twice = [[*rows[0], "code: Coach  applied"], *([*row, "True"] for row in rows[1:])]
    refused("BSC-QUA-021", coding_dedoose.read, written(tmp_path, twice), {})


def test_codes_of_dedoose_have_their_parents(tmp_path):
    head = ["Id", "Parent Id", "Depth", "Title", "Description"]
    rows = [head, ["7", "0", 0, "Barriers", "What hinders"], ["9", "7", 1, "No time", ""]]
    frame = coding_dedoose.read(written(tmp_path, rows), {}).frame
    assert frame[["code_path", "parent_path", "description"]].values.tolist() == [
        ["Barriers", "", "What hinders"],
        ["Barriers\\No time", "Barriers", ""],
    ]
    for wrong in (changed(rows, 1, 1, "9"), changed(rows, 2, 1, "5"), changed(rows, 2, 0, "7")):
        refused("BSC-QUA-024", coding_dedoose.read, written(tmp_path, wrong), {})


# --- MAXQDA ----------------------------------------------------------------------------------------------------


def test_documents_of_one_name_in_two_groups_are_not_one(tmp_path):
    path = written(tmp_path, changed(exports.maxqda(), 1, 2, "Focus groups"))
    assert "'A01-T2': 2 groups" in refused("BSC-QUA-026", coding_maxqda.read, path, {})
    found = coding_maxqda.read(path, {"document_id_from": "group_and_name"}).frame["document_id"]
    assert found.nunique() == 3 and "Focus groups\\A01-T2" in set(found)


def test_times_are_no_paragraphs(tmp_path):
    rows = changed(changed(exports.maxqda(), 1, 5, "0:01:02.5"), 1, 6, "0:02:00")
    first = coding_maxqda.read(written(tmp_path, rows), {}).frame.iloc[0]
    assert first[["unit", "begin_ms", "end_ms", "offset_status"]].tolist() == ["milliseconds", 62500, 120000, "not_text"]
    assert coding_maxqda.read(written(tmp_path, changed(rows, 1, 6, "0:00:02")), {}).frame.iloc[0]["offset_status"] == "unplaced"


def test_a_header_that_nobody_knows(tmp_path):
    rows = changed(exports.maxqda(), 0, 4, "Koodi")
    assert "no column for code (known: Code" in refused("BSC-QUA-020", coding_maxqda.read, written(tmp_path, rows), {})
    assert named(coding_maxqda.read(written(tmp_path, rows), {"columns": {"code": "Koodi"}}).frame) == NAMES
    said = refused("BSC-QUA-010", coding_maxqda.read, written(tmp_path, rows), {"columns": {"code": "Kodi", "kode": "Koodi"}})
    assert "Did you mean 'Koodi'?" in said and "'kode' is not one of" in said
    twice = changed(rows, 0, 9, "Document")
    assert "'Document name' and 'Document'" in refused(
        "BSC-QUA-021", coding_maxqda.read, written(tmp_path, twice), {"columns": {"code": "Koodi"}}
    )


def test_headers_without_accents_are_the_same_headers():
    assert plain_header(" POCZATEK: ") == plain_header("Początek") and plain_header("Fläche") == "flache"
    for program in ("dedoose", "maxqda", "atlasti", "nvivo", "taguette"):
        assert program in READERS
        for fields in known_headers(program).values():
            plain = [plain_header(name) for _, names in fields.values() for name in dict.fromkeys(map(plain_header, names))]
            assert len(plain) == len(set(plain)), "a header stands for one field of a table"


# --- ATLAS.ti --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "counts", "book", "expected"),
    [
        (["A, B"], [2], (), [["A", "B"]]),
        (["A, B"], [1], (), [["A, B"]]),
        (["A, B", "A, B, C", "C"], [1, 2, 1], (), [["A, B"], ["A, B", "C"], ["C"]]),
        (["A, B, C"], [2], ("A, B", "B, C", "C"), [["A, B", "C"]]),
        (["A, B, C"], [2], ("A, B", "B, C", "A", "C"), [None]),
        (["A, B, C"], [2], (), [None]),
        (["A, x, y"], [2], ("A", "B"), [["A", "x, y"]]),
        (["A\nB, C"], [float("nan")], (), [["A", "B, C"]]),
        (["", "A"], [0, 2], (), [[], None]),
        (["A, B"], [float("nan")], ("A", "B"), [["A", "B"]]),
        (["A, B"], [float("nan")], (), [None]),
    ],
)
def test_codes_of_one_cell(cells, counts, book, expected):
    found, unclear = split_codes(cells, counts, book)
    assert unclear == [at for at, codes in enumerate(expected) if codes is None]
    assert found == [codes or [] for codes in expected]


def test_codes_with_commas_need_the_codebook(tmp_path):
    joined = exports.atlasti(codes_of=lambda codes: "Coach, Barriers: Staff, turnover")
    path = written(tmp_path, [row if n != 1 else [*row[:6], 2, *row[7:]] for n, row in enumerate(joined)][:2], delimiter=";")
    assert "row 2" in refused("BSC-QUA-025", coding_atlasti.read, path, {"delimiter": ";"})
    book = tmp_path / "codebook.csv"
    book.write_bytes(as_csv(exports.atlasti_codebook(), ";"))
    found = coding_atlasti.read(path, {"delimiter": ";", "codebook": book}).frame["code_path"]
    assert found.tolist() == ["Coach", "Barriers\\Staff, turnover"]
    codes = coding_atlasti.read(book, {"delimiter": ";"}).frame
    assert codes["code_path"].tolist() == ["\\".join(code) for code in exports.CODES]


def test_quotations_of_atlasti_in_portuguese(reference_folder):
    quotations, book = (reference_folder / "qda" / f"atlasti_pt_{name}.csv" for name in ("quotations", "codebook"))
    refused("BSC-QUA-025", coding_atlasti.read, quotations, {})
    table = coding_atlasti.read(quotations, {"codebook": book})
    assert len(table.frame) == 1465, "the sum of the column Number of Codes, added up by a spreadsheet"
    assert table.frame["first_paragraph"].notna().all() and len(table.frame.groupby("first_paragraph")) > 300
    codes = coding_atlasti.read(book, {}).frame["code_path"]
    unknown = set(table.frame["code_path"]) - set(codes)
    assert len(codes) == 465 and len(unknown) == 1, "the codebook leaves out one code that was made of a quotation"


# --- NVivo and Taguette ----------------------------------------------------------------------------------------


def test_nvivo_codebook_and_comparison(tmp_path):
    rows = [
        ["Name", "Description", "Files", "References"],
        ["Codes\\\\Barriers", "What hinders", 2, 3],
        ["Codes\\\\Barriers\\No time", "", 1, 2],
    ]
    frame = coding_nvivo.read(written(tmp_path, rows), {}).frame
    assert frame[["code_path", "parent_path"]].values.tolist() == [["Barriers", ""], ["Barriers\\No time", "Barriers"]]
    head = ["Code", "File", "File Folder", "File Size", "Kappa", "Agreement (%)", "A and B (%)", "Not A and Not B (%)", "Disagreement (%)"]
    compared = [head, ["Codes\\\\Coach", "A01-T2", "Files", "900 chars", "0,8137", "97,5", "4,1", "93,4", "2,5"]]
    path = written(tmp_path, compared, delimiter=";")
    frame = coding_nvivo.read(path, {"delimiter": ";", "decimal": ","}).frame
    assert frame[["code_path", "kappa", "agreement", "both"]].values.tolist() == [["Coach", 0.8137, 97.5, 4.1]]
    assert frame["only_first"].isna().all()
    refused("BSC-QUA-024", coding_nvivo.read_project, path, {"delimiter": ";"})


@pytest.mark.parametrize("value", ["0.5", "12%", "-1", "yes"])
def test_cells_of_a_matrix_that_are_no_counts(tmp_path, value):
    refused("BSC-QUA-024", coding_nvivo.read, written(tmp_path, changed(exports.nvivo_matrix(), 1, 2, value)), {})


def test_taguette_codebook_and_a_tag_twice(tmp_path):
    rows = [["tag", "description", "number of highlights", "number of documents"], ["Coach", "Who helps", 3, 2]]
    assert coding_taguette.read(written(tmp_path, rows), {}).frame["description"].tolist() == ["Who helps"]
    rows = exports.taguette()
    refused("BSC-SRC-062", coding_taguette.read, written(tmp_path, [*rows, rows[1]]), {})
    table = coding_taguette.read(written(tmp_path, changed(rows, 1, 2, "")), {})
    assert len(table.frame) == 3 and table.provenance["n_passages_uncoded"] == 1


# --- configuration ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reader", "options", "valid"),
    [
        ("maxqda", {"columns": {"code": "Koodi"}, "document_id_from": "group_and_name"}, True),
        ("atlasti", {"codebook": "data/raw/codebook.csv"}, True),
        ("qualcoder", {"more_files": ["data/raw/b.qda"], "offsets": "utf16"}, True),
        ("csv", {"more_files": ["data/raw/b.csv"]}, False),
        ("maxqda", {"codebook": "data/raw/codebook.csv"}, False),
        ("taguette", {"offsets": "utf16"}, False),
    ],
)
def test_options_belong_to_their_reader(reader, options, valid):
    schema = yaml.safe_load((PACKAGE / "schemas" / "sources.schema.yaml").read_text(encoding="utf-8"))
    entry = {"coded": {"instrument": "coding", "reader": reader, "file": "data/raw/a", "options": options}}
    assert jsonschema.Draft202012Validator(schema).is_valid(entry) == valid
