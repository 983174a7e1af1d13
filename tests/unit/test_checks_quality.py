"""Each built-in check finds its planted fault at the right row and nothing in a clean study; exclusions resolve."""

from dataclasses import replace

import pandas as pd
import pytest
from check_frames import MIXED, clean, form, item, registers, source, staff, study

from bscstudy.checks.gate import pass_gate, require_sound, sections_read, sources_compared
from bscstudy.checks.quality import run_checks
from bscstudy.errors import BscError


def found(tables, config=None):
    findings = run_checks(tables, config or study()).findings
    return {(f.check, f.source, None if pd.isna(f.row) else int(f.row)) for f in findings.itertuples()}


def with_staff(*rows, wave="T1", **extra):
    return {**clean(), "staff_t1": staff("staff_t1", wave, list(rows), **extra)}


def test_a_clean_study_has_only_the_form_that_did_not_come():
    assert found(clean()) == {("missing_expected", "staff_t3", None)}


P1, P2 = form(2, "p1", "T1", MIXED), form(3, "p2", "T1", MIXED)
CASES = {
    "duplicate_key": ([P1, P2, form(7, "p1", "T1", MIXED)], {}, 7),
    "unknown_center": ([P1, P2, form(7, "p1", "T9", MIXED, center="c9")], {}, 7),
    "unknown_person": ([P1, P2, form(7, "p9", "T1", MIXED)], {}, 7),
    "date_outside_wave": ([P1, {**P2, "when": "1924-01-15"}], {}, 3),
    "straight_lining": ([P1, {**P2, **{f"q{i}": 4.0 for i in range(1, 10)}}], {}, 3),
    "id_spelling_changed": ([P1, P2], {"id_changes": [{"row": 3, "key": "person_id", "kind": "case"}]}, 3),
    "invalid_date": ([P1, P2], {"problems": [{"row": 3, "column": "when", "item": "when", "kind": "invalid_date"}]}, 3),
    "not_a_number": ([P1, P2], {"problems": [{"row": 3, "column": "age", "item": "age", "kind": "not_a_number"}]}, 3),
    "out_of_range": ([P1, P2], {"problems": [{"row": 3, "column": "age", "item": "age", "kind": "out_of_range"}]}, 3),
    "unknown_code": ([P1, P2], {"problems": [{"row": 3, "column": "q1", "item": "q1", "kind": "out_of_range"}]}, 3),
    "unknown_column": ([P1, P2], {"columns_unknown": ["notes"]}, None),
    "unanswered_item": ([{**P1, "q2": None}, {**P2, "q2": None}], {}, None),
    "missing_key": ([P1, P2, form(7, None, "T1", MIXED)], {}, None),
    "excluded_record": ([P1, P2, form(7, "p1", "T1", MIXED, excluded="test form")], {}, 7),
}


@pytest.mark.parametrize("check", CASES)
def test_each_fault_is_found_at_its_row(check):
    rows, extra, row = CASES[check]
    assert (check, "staff_t1", row) in found(with_staff(*rows, **extra))


def test_the_same_person_in_two_files_of_one_wave_is_a_duplicate():
    second = staff("staff_t1_paper", "T1", [form(5, "p1", "T1", MIXED)])
    assert ("duplicate_key", "staff_t1_paper", 5) in found({**clean(), "staff_t1_paper": second})


def test_ids_that_differ_only_in_case_are_found_at_the_rarer_spelling():
    assert ("id_spelling_changed", "staff_t1", 3) in found(with_staff(P1, {**P2, "person_id": "P1"}))


@pytest.mark.parametrize(
    ("answers", "straight"),
    [
        ([4.0] * 4 + MIXED[4:], False),  # four alike in one scale happen by chance
        ([4.0] * 8 + [None], False),  # an incomplete block does not count
        ([4.0] * 9, True),
    ],
)
def test_straight_lining_needs_eight_items_in_complete_blocks(answers, straight):
    tables = with_staff(P1, {**P2, **{f"q{i}": a for i, a in enumerate(answers, start=1)}})
    assert (("straight_lining", "staff_t1", 3) in found(tables)) is straight


def test_items_not_asked_are_left_out_of_a_block():
    row = {**form(3, "p2", "T1", [4.0] * 8 + [None]), "q9__why": "not_asked"}
    assert ("straight_lining", "staff_t1", 3) in found(with_staff(P1, row))


def test_a_column_renamed_in_one_file_and_changed_items_are_found():
    items = [i for i in study()["items"] if i["item"] not in ("q1", "q2", "q3")]
    items += [item("q1", sources="staff_t1"), item("q1", sources="staff_t3", column="Q_1")]
    items += [item("q2", waves="T1"), item("q2", waves="T3", version=2, wording="new words")]
    items += [item("q3", waves="T1"), item("q3", waves="T3", response_scale="agree4", maximum=4.0)]
    got = found(clean(), study(items=items))
    assert {
        ("renamed_column", "staff_t3", None),
        ("wording_changed", "staff_t3", None),
        ("response_scale_changed", "staff_t3", None),
    } <= got


def test_excluding_one_of_two_rows_resolves_the_duplicate_and_opens_the_gate():
    tables = with_staff(P1, P2, form(7, "p1", "T1", MIXED, excluded="sent twice"))
    quality = run_checks(tables, study())
    by_check = quality.findings.set_index("check")["severity"]
    assert (by_check["duplicate_key"], by_check["excluded_record"]) == ("resolved", "resolved")
    row = quality.summary.set_index("check").loc["duplicate_key"]
    assert (row["severity"], row["n"], row["n_resolved"]) == ("resolved", 1, 1)
    assert pass_gate(quality.findings, quality.summary).n_resolved == 2


def test_a_fault_only_in_other_rows_is_not_resolved_by_an_exclusion():
    tables = with_staff(P1, {**P2, "center_id": "c9"}, form(7, "p1", "T1", MIXED, excluded="sent twice"))
    severities = run_checks(tables, study()).findings.set_index("check")["severity"]
    assert severities["unknown_center"] == "stop" and severities["duplicate_key"] == "resolved"


def test_tolerated_and_severity_of_the_study_go_before_the_defaults():
    tables = with_staff(P1, P2, form(7, "p9", "T1", MIXED, center="c9"))
    checks = {
        "severity": {"unknown_person": "stop"},
        "tolerated": [{"check": "unknown_center", "source": "staff_t1", "reason": "left the study"}],
    }
    quality = run_checks(tables, study(checks=checks))
    rows = quality.summary[quality.summary["source"] == "staff_t1"].set_index("check")
    assert tuple(rows.loc["unknown_center", ["severity", "reason"]]) == ("tolerated", "left the study")
    assert rows.loc["unknown_person", "severity"] == "stop"
    elsewhere = replace(tables["staff_t1"], id="staff_x")
    other = run_checks({**clean(), "staff_x": elsewhere}, study(checks=checks)).summary.set_index(["check", "source"])
    assert other.loc[("unknown_center", "staff_x"), "severity"] == "stop"


def test_the_gate_lists_every_severe_finding_at_once_and_no_value():
    rows = [P1, P2, *(form(10 + i, f"x{i}", "T1", MIXED, center="secret-center") for i in range(25)), form(50, "p1", "T1", MIXED)]
    quality = run_checks(with_staff(*rows), study())
    with pytest.raises(BscError) as caught:
        pass_gate(quality.findings, quality.summary)
    text = str(caught.value)
    assert caught.value.code == "BSC-DAT-001" and caught.value.exit_code == 3
    assert "unknown_center" in text and "and 5 more" in text and "duplicate_key" in text and "row 50" in text
    assert "secret" not in text + quality.findings.to_csv() and "p1" not in text


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ({"severity": {"unknown_centre": "report"}}, "Did you mean 'unknown_center'?"),
        ({"tolerated": [{"check": "unknown_center", "source": "staf_t1", "reason": "none"}]}, "Did you mean 'staff_t1'?"),
        ({"rules": [{"id": "duplicate_key", "source": "staff_t1", "kind": "rows"}]}, "used 2 times"),
    ],
)
def test_settings_of_checks_that_do_not_exist_are_refused(checks, said):
    with pytest.raises(BscError) as caught:
        run_checks(clean(), study(checks=checks))
    assert caught.value.code == "BSC-CFG-074" and said in str(caught.value)


def test_a_step_refuses_its_own_unsound_sources_and_no_others():
    """A severe finding in one source stops what reads it; what reads another source goes on."""
    unsound = with_staff(P1, form(3, "p1", "T1", MIXED))
    with pytest.raises(BscError, match="BSC-DAT-001"):
        require_sound(unsound, study())
    sound = {name: source for name, source in unsound.items() if name != "staff_t1"}
    assert require_sound(sound, study()) is None


def settings_of(**tables):
    return {name: one.settings for name, one in tables.items()}


def test_a_source_is_judged_with_what_it_is_compared_with():
    """Sources of one file: what one of them does not read is unknown only if no other reads it; one alone is not judged."""
    one, two = (source(name, [{"row": 2}], columns_unknown=names) for name, names in (("one", ["x", "y"]), ("two", ["y"])))
    one.settings["file"] = two.settings["file"] = "data/raw/both.csv"
    compared = {"id": "earlier", "source": "one", "kind": "compare", "left": "row", "operator": "<", "right": "row", "severity": "stop"}
    checks = {"severity": {"unknown_column": "stop"}, "rules": [{**compared, "other_source": "roster", "by": ["row"]}]}
    config = study(sources=settings_of(**registers(), one=one, two=two), checks=checks)
    assert sources_compared(["one"], config) == ["roster", "two"] and sources_compared(["two"], config) == ["one"]
    assert require_sound({"one": one}, config) is None
    with pytest.raises(BscError, match=r"1 finding.*\n.*unknown_column .* column y,"):
        require_sound({"one": one, "two": two}, config)


def test_forms_of_one_person_may_stand_in_several_sources_of_a_wave():
    tables = {**clean(), "paper_t1": staff("paper_t1", "T1", [P1])}
    config = study(sources=settings_of(**tables))
    assert sources_compared(["staff_t1"], config) == ["paper_t1"] and sources_compared(["staff_t3", "roster"], config) == []


def test_a_step_rereads_the_manifest_of_its_own_files_only():
    tables = clean()
    config = study(sources=settings_of(**tables), checks={"severity": {"raw_file_changed": "stop", "uncertified_rater": "stop"}})
    assert sections_read(["staff_t1", "roster"], config) == {
        "manifest": "manifest[file=data/raw/roster.csv|data/raw/staff_t1.csv]",
        "observation": "observation",
    }
    assert sections_read(["staff_t1"], study(sources=config["sources"])) == {}


LONG = {"id": "many", "label": "Any form", "source": "staff_t1", "kind": "rows", "where": "row > 0"}


@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        ({"rules": [LONG]}, False),
        ({"rules": [{**LONG, "severity": "stop"}]}, True),
        ({"rules": [LONG], "severity": {"many": "stop"}}, True),
        ({"rules": [{**LONG, "severity": "stop"}], "severity": {"many": "report"}}, False),
        ({"rules": [{**LONG, "severity": "stop"}], "tolerated": [{"check": "many", "source": "staff_t1", "reason": "known"}]}, False),
        ({"rules": [LONG], "tolerated": [{"check": "many", "source": "staff_t1", "reason": "known"}]}, False),
    ],
)
def test_a_step_and_the_gate_judge_an_own_rule_alike(settings, stops):
    tables, config = with_staff(P1, P2), study(checks=settings)
    quality = run_checks(tables, config)
    for judge in (lambda: pass_gate(quality.findings, quality.summary), lambda: require_sound(tables, config)):
        if stops:
            with pytest.raises(BscError, match="BSC-DAT-001"):
                judge()
        else:
            judge()
