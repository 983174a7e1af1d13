"""Qualtrics exports: responses dropped by rule and counted, columns that are no questions, real exports of two ages."""

import json

import pandas as pd
import pytest

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.errors import BscError
from bscstudy.io import qualtrics
from bscstudy.io.ingest import ingest

SECRET = "Magdalena"
IDS = {
    "StartDate": "startDate", "Status": "status", "Finished": "finished", "ResponseId": "_recordId", "Q1": "QID1",
    "Q1_DO": "QID1_DO", "T_First Click": "QID2_FIRST_CLICK", "T_Page Submit": "QID2_PAGE_SUBMIT", "center": "center",
    "Q_RecaptchaScore": "Q_RecaptchaScore",
}  # fmt: skip


def export(folder, statuses, *, ids=IDS, finished=None, mark="\ufeff"):
    """An export with one response for each status."""
    finished = finished or ["1"] * len(statuses)
    rows = [
        ["2024-01-01", status, done, f"R_{number}", str(number), "1|2", "0.5", "9", "A01", "0.9"]
        for number, (status, done) in enumerate(zip(statuses, finished, strict=True), start=1)
    ]
    texts = [f"Text of\n{name}" for name in ids]
    marks = [json.dumps({"ImportId": mark, **({"timeZone": "Z"} if name == "StartDate" else {})}) for name, mark in ids.items()]
    pd.DataFrame([list(ids), texts, marks, *rows]).to_csv(folder / "q.csv", header=False, index=False)
    content = (folder / "q.csv").read_text(encoding="utf-8")
    (folder / "q.csv").write_text(mark + content, encoding="utf-8")
    return folder / "q.csv"


def refused(code, path, options):
    with pytest.raises(BscError) as caught:
        qualtrics.read(path, options)
    assert caught.value.code == code and SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "statuses",
    [
        ["0", "1", "2", "4", "8", "9", "12", "16", "17"],
        [
            *("IP Address", "Survey Preview", "Survey Test", "Imported", "Spam", "Survey Preview Spam", "Imported Spam", "Offline"),
            "Offline Survey Preview",
        ],
    ],
)
def test_responses_are_dropped_by_rule_and_counted_once(tmp_path, statuses):
    path = export(tmp_path, statuses, finished=["1", "1", "1", "0", "0", "1", "1", "False", "TRUE"])
    table = qualtrics.read(path, {"drop": ["preview", "spam", "test", "unfinished"]})
    assert table.frame["Q1"].tolist() == ["1"] and table.labels["Q1"] == "Text of Q1"
    assert table.provenance["n_dropped"] == {"preview": 3, "spam": 2, "test": 1, "unfinished": 2} and table.provenance["n_responses"] == 9
    assert [(n.check, n.n) for n in table.notices] == [("dropped_response", n) for n in (3, 2, 1, 2)]
    kept = qualtrics.read(path, {"drop": ["unfinished"]})
    lines = kept.rows.tolist()
    pointed = {n.message.split()[0]: [lines.index(row) for row in n.rows] for n in kept.notices if n.check == "test_response"}
    assert pointed == {"preview": [1, 3, 5], "spam": [3, 4], "test": [2]}, "the places among those that stay"


def test_what_is_dropped_and_what_stays_reach_the_findings(tmp_path):
    table = qualtrics.read(export(tmp_path, ["0", "1", "8", "0"]), {"drop": ["preview"]})
    source = {"id": "s", "instrument": "i", "reader": "qualtrics", "file": "q.csv", "keys": {"center_id": "center"}}
    empty = {"ids": {}, "exclusions": [], "response_scales": [], "recodes": [], "waves": [], "missing_codes": []}
    items = [{"instrument": "i", "item": "Q1", "label": "One", "type": "integer", "minimum": None, "maximum": None, "version": None}]
    found = ingest(table, source, {**empty, "items": items})
    assert found.extra["columns_unknown"] == [] and found.extra["provenance"]["n_dropped"] == {"preview": 1}
    config = {"register": {"centers": "none"}, "items": items, "waves": []}
    findings = run_checks({"s": Source("s", found.frame, source, found.extra)}, config).findings.set_index("check")
    assert findings.loc["dropped_response", "n"] == 1 and findings.loc["test_response", "column"] == "Status"
    filtered = ingest(table, {**source, "keep_where": "Status != '8'"}, {**empty, "items": items})
    assert [entry["check"] for entry in filtered.extra["notices"]] == ["dropped_response"], "what keep_where drops is used nowhere"


def test_columns_that_are_no_questions(tmp_path):
    table = qualtrics.read(export(tmp_path, ["0"]), {})
    assert set(table.frame.columns) - set(table.own_columns) == {"Q1"}
    counts = {name: n for name, n in table.provenance.items() if name.startswith("columns_")}
    assert counts == {"columns_timing": 2, "columns_display_order": 1, "columns_embedded": 1, "columns_fraud_detection": 1}
    assert table.provenance["time_zone"] == "Z"


def test_rules_that_cannot_be_judged_are_refused(tmp_path):
    message = refused("BSC-SRC-066", export(tmp_path, ["0", "Umfragevorschau", "77"]), {"drop": ["preview", "unfinished"]})
    assert message.count("rule 'preview'") == 2 and "unfinished" not in message
    renamed = {("Type" if name == "Status" else name): ("kind" if name == "Status" else mark) for name, mark in IDS.items()}
    assert "no column 'Status'" in refused("BSC-SRC-066", export(tmp_path, ["0"], ids=renamed), {"drop": ["spam"]})
    refused("BSC-SRC-067", export(tmp_path, ["1", "9"]), {"drop": ["preview"]})


def test_a_response_pasted_twice_is_refused(tmp_path):
    path = export(tmp_path, ["0", "0"])
    text = path.read_text(encoding="utf-8")
    path.write_text(text + text.splitlines(keepends=True)[-1], encoding="utf-8")
    assert "BSC-SRC-062: 2 record(s)" in refused("BSC-SRC-062", path, {})


@pytest.mark.parametrize(("name", "skipped"), [("sample.csv", [1, 2]), ("sample_legacy.csv", [1])])
def test_real_exports_agree_with_a_plain_read(reference_folder, name, skipped):
    path = reference_folder / "exports" / "qualtrics" / name
    table = qualtrics.read(path, {"drop": ["preview", "test", "spam", "unfinished"]})
    plain = pd.read_csv(path, skiprows=skipped, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    plain = plain[[name for name in plain.columns if not name.startswith("Unnamed")]]
    assert list(table.frame.columns) == list(plain.columns) and table.frame.to_numpy().tolist() == plain.to_numpy().tolist()
    assert set(table.frame.columns) - set(table.own_columns) == {"Q1", "Q2"} and sum(table.provenance["n_dropped"].values()) == 0
