"""A derived table is written as pandas itself would write it, byte for byte, and a straight form is found whatever else is blank."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bscstudy import tables
from bscstudy.checks.builtin_codebook import Block, straight_rows

ODD = {
    "row": [1, 2, 3, 4, 5, 6],
    "number": [0.0, -0.0, np.nan, 1 / 3, np.inf, 1e300],
    "nullable": pd.array([1.5, None, 2.25, 1e-9, 3, None], dtype="Float64"),
    "whole": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
    "flag": [True, False, True, True, False, False],
    "text": ["plain", 'a "quote"', "a, comma", "a\nline", None, " é "],
    "mixed": pd.Series([1, "x", None, 2.5, np.nan, "\r"], dtype=object),
}


@pytest.mark.parametrize("columns", [list(ODD), ["number"], ["text"]])
@pytest.mark.parametrize("rows", [0, 1, 6])
def test_bytes_are_those_of_pandas(tmp_path, monkeypatch, columns, rows):
    monkeypatch.setattr(tables, "PORTION", 2)
    frame = pd.DataFrame(ODD)[columns].iloc[:rows]
    tables.write_table(frame, tmp_path / "t.csv", key=[])
    expected = frame.to_csv(index=False, lineterminator="\n", float_format=tables.FLOAT_FORMAT).encode("utf-8")
    assert (tmp_path / "t.csv").read_bytes() == expected
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["t.csv", "t.json"]


def test_straight_rows_leave_items_not_asked_out():
    frame = pd.DataFrame({"row": [2, 3, 4, 5, 6], **{f"q{n}": [3.0, 3.0, 3.0, np.nan, 1.0] for n in range(1, 5)}})
    frame["q5"] = [3.0, np.nan, np.nan, np.nan, 2.0]
    frame["q5__why"] = [None, "not_asked", "skipped", "skipped", None]
    names = ("q1", "q2", "q3", "q4", "q5")
    assert straight_rows(frame, Block("b", names, 4)) == {2: 3.0, 3: 3.0}
    assert straight_rows(frame, Block("b", names, 5)) == {2: 3.0}
