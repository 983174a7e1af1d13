"""Raw cells to values and reasons: nothing becomes a number or a blank without a word."""

import datetime

import numpy as np
import pytest

from bscstudy.io.cells import CellFormat, type_cells
from bscstudy.io.codebook import ItemVersion
from bscstudy.io.raw import cell_text, code_text

AGREE = {"1": "No", "2": "Partly", "3": "Yes"}


def judged(kind, cells, form=None, **described):
    item = ItemVersion("q", "Question", kind, "q", **described)
    typed = type_cells(np.array(cells, dtype=object), item, form or CellFormat())
    values = [None if v != v else v for v in typed.values]
    return [v if w == "" else f"{w}/{k}".rstrip("/") for v, w, k in zip(values, typed.why, typed.kind, strict=True)]


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        ("ordinal", "2", 2),
        ("ordinal", " 2.0 ", 2),
        ("ordinal", 3.0, 3),
        ("ordinal", "", "skipped"),
        ("ordinal", None, "skipped"),
        ("ordinal", "   ", "skipped"),
        ("ordinal", "97", "refused"),
        ("ordinal", 97.0, "refused"),
        ("ordinal", "4", "out_of_range/out_of_range"),
        ("ordinal", "1.5", "out_of_range/out_of_range"),
        ("ordinal", "NA", "invalid/not_a_number"),
        ("ordinal", "1,5", "invalid/not_a_number"),
        ("ordinal", "nan", "invalid/not_a_number"),
        ("number", "1.5", 1.5),
        ("number", "3.5", "out_of_range/out_of_range"),
        ("number", "1e0", 1),
        ("number", "1_0", "invalid/not_a_number"),
        ("nominal", "3", 3),
        ("nominal", "03", 3),
        ("nominal", "7", "invalid/unknown_code"),
        ("nominal", "Yes", "invalid/unknown_code"),
        ("free_text", "", 0),
        ("free_text", "something private", 1),
    ],
)
def test_one_cell(kind, cell, expected):
    assert judged(kind, [cell, "1"], scale=AGREE, missing={"97": "refused"}) == [expected, 1]


def test_yes_no_words_and_codes():
    cells = ["1", 0.0, "Yes", "no", "TRUE", "f", "Y", "N", "Checked", "2", "false"]
    assert judged("yes_no", cells) == [1, 0, 1, 0, 1, "invalid/unknown_code", 1, 0, 1, "out_of_range/out_of_range", 0]
    assert judged("yes_no", ["1", "2", 2.0], scale={"1": "Yes", "2": "No"}) == [1, 0, 0]


def test_limits_and_decimal_comma():
    comma = CellFormat(decimal=",")
    assert judged("number", ["1,5", "1.5", 2.5], comma, low=0, high=2) == [1.5, "invalid/not_a_number", "out_of_range/out_of_range"]
    assert judged("integer", ["-1", "0", "12", "4045"], low=0, high=180) == [
        "out_of_range/out_of_range",
        0,
        12,
        "out_of_range/out_of_range",
    ]


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        ("2018-09-07", "", "2018-09-07"),
        ("2018-09-07 08:28:09", "", "2018-09-07"),
        (datetime.datetime(2018, 9, 7, 23, 59), "%d/%m/%y", "2018-09-07"),
        ("07/09/18", "%d/%m/%y", "2018-09-07"),
        ("07/09/87", "%d/%m/%y", "1987-09-07"),
        ("1018-09-07", "", "1018-09-07"),
        ("07/09/18", "", "invalid/invalid_date"),
        ("2018-02-30", "", "invalid/invalid_date"),
        ("Si", "%d/%m/%y", "invalid/invalid_date"),
        ("20180907", "", "invalid/invalid_date"),
        (43350.0, "", "invalid/invalid_date"),
    ],
)
def test_dates_are_kept_or_invalid(cell, form, expected):
    assert judged("date", [cell], CellFormat(date_format=form)) == [expected]


def test_a_code_only_the_file_calls_missing_is_no_number():
    form = CellFormat(user_missing=((-999.0, 0.0), (99.0, 99.0), ("Z", "Z")))
    assert judged("number", [-5.0, 4.0, 99.0, 0.5], form, missing={"99": "refused"}) == ["invalid/unknown_code", 4, "refused", 0.5]
    assert judged("text", ["Z", "a"], form) == ["invalid/unknown_code", "a"]
    assert judged("ordinal", [0.0], form, scale={"0": "never"}) == [0], "the codebook's own code goes first"


def test_codes_keep_leading_zeros_where_they_are_codes():
    assert judged("nominal", ["05", "5"]) == ["05", "5"]
    assert ItemVersion("q", "", "nominal", "q", scale={"01": "a"}).stored_type == "text"
    assert ItemVersion("q", "", "nominal", "q", scale={"-1": "a", "2": "b"}).stored_type == "integer"
    assert (code_text("01.0"), code_text(" A1"), cell_text(1e20), cell_text(float("nan"))) == ("1", "A1", "1e+20", "")
