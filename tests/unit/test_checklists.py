"""Reporting checklists: every published item once, filled only from what the data know, and again when the data change."""

import ast

import pandas as pd
import pytest

from bscstudy import pipeline
from bscstudy.release import study_facts
from bscstudy.release.checklists import AUTHOR, CHECKLISTS, FILLED, PARTLY, TODO, checklist_csv, filled, items, markdown, summary
from bscstudy.release.study_facts import FACTS, Study
from bscstudy.workflow import PACKAGE

PUBLISHED = {
    "gramms": [str(n) for n in range(1, 7)],
    "mmat": [f"5.{n}" for n in range(1, 6)],
    "coreq": [str(n) for n in range(1, 33)],
    "srqr": [f"S{n}" for n in range(1, 22)],
    "jars_mixed": [str(n) for n in range(1, 17)],
}
CONFIG = {
    "study": {"synthetic": True},
    "waves": [
        {"id": "T1", "label": "Before", "order": 1, "start": "2024-01-01", "end": "2024-02-01"},
        {"id": "T2", "label": "After", "order": 2},
    ],
    "roles": [{"id": "director", "label": "Director"}],
    "exhibits": [{"exhibit": "F1_joint", "kind": "joint_display", "title": "Joint display"}],
    "privacy": {"min_cell": 2, "show_centers": True},
    "scales": [{"scale": "a"}, {"scale": "a"}, {"scale": "b"}],
    "observation": [],
    "fidelity": [{"id": "dose"}],
    "qual": {},
    "themes": [{"theme": "time", "topic": "hours"}, {"theme": "team", "topic": ""}],
    "code_map": [{"code_path": "A", "theme": "time"}, {"code_path": "B", "theme": "ignore"}],
}


def tables():
    presence = pd.DataFrame({"unit_id": ["s1", "s1", "s2", "s2"], "theme": ["time", "team"] * 2, "unit": "session", "wave": "T1"})
    presence = presence.assign(center_id=["c1", "c1", "c2", "c2"], role="director", present=[1, 0, 1, 0])
    return {
        "checks/flow": pd.DataFrame({"expected": [10, None], "received": [8, 5], "excluded": [1, 0]}),
        "checks/summary": pd.DataFrame({"check": ["a", "b"], "n": [0, 3]}),
        "people": pd.DataFrame({"person_id": ["p1", "p1", "p2"], "center_id": "c1", "responded": [1, 1, 1]}),
        "centers": pd.DataFrame({"center_id": ["c1", "c2"], "collaborative": ["x", "x"]}),
        "measures/reliability": pd.DataFrame(
            {"n_asked": [10, 30], "k": [2, 2], "missing_skipped": [0.1, 0.0], "missing_coded": [0.1, 0.0], "alpha": [0.7, 0.9]}
        ),
        "models/fits": pd.DataFrame(
            {"left_out": [0, 1], "state": "ok", "distribution": "gaussian", "estimator": "REML", "df_method": "KR"}
        ),
        "qual/presence": presence.assign(n_facilitator=[1, 0, 0, 0], n_barrier=[0, 0, 1, 0]),
        "qual/codings": pd.DataFrame({"coder_id": ["k1", "k1", "k2"], "coder_role": ["main", "main", "second"]}),
        "qual/coder_agreement": pd.DataFrame({"coefficient": "cohen_kappa", "unit": "document", "n_documents": 9, "estimate": [0.6, 0.8]}),
        "qual/saturation": pd.DataFrame({"kind": "theme", "place": [1, 2, 3], "n_new": [1, 1, 0], "n_found": [1, 2, 2]}),
        "qual/quotes": pd.DataFrame({"shown": [1, 0], "theme": ["time", "team"]}),
        "integrate/joint_display": pd.DataFrame({"fit_proposed": ["confirm", "discord"], "n_asked": 9, "n_present": 5}),
        "integrate/meta_inferences": pd.DataFrame({"state": ["signed", "stale"]}),
    }


def study(config=None, software=(("Python", "3.11"),), programs=("NVivo",), **changed):
    return Study({**CONFIG, **(config or {})}, {**tables(), **changed}, list(software), list(programs))


EMPTY = Study({"study": {"synthetic": False}, "qual": {}}, {})

#: fact -> (what it says of the study above, a study in which it is another)
SAID = {
    "waves_and_dates": ("2 waves: Before (2024-01-01 to 2024-02-01); After.", study({"waves": CONFIG["waves"][:1]})),
    "centers": ("2 centers in 1 collaborative.", study(centers=tables()["centers"].iloc[:1])),
    "strands": ("Data: 2 survey scales, 1 fidelity index and 2 interviews and focus groups.", study({"fidelity": []})),
    "survey_sample": (
        "13 forms and visits received, among them 8 of 10 (80%) that the register expected; 1 excluded; 2 people known by id in 1 center.",
        study(**{"checks/flow": tables()["checks/flow"].assign(received=[9, 5])}),
    ),
    "session_sample": (
        "2 interviews and focus groups in 2 centers (Director 2).",
        study(**{"qual/presence": tables()["qual/presence"].iloc[:2]}),
    ),
    "sessions_by_wave": (
        "Interviews and focus groups at 1 wave: Before 2.",
        study(**{"qual/presence": tables()["qual/presence"].assign(wave="T2")}),
    ),
    "topics_asked": (
        "Guide with 1 topic; for each session it is recorded which were asked.",
        study({"themes": [{"theme": "a", "topic": "x"}, {"theme": "b", "topic": "y"}]}),
    ),
    "coders": ("2 coders (main 1 and second 1).", study(**{"qual/codings": tables()["qual/codings"].iloc[:2]})),
    "codebook": ("1 code counted as 2 themes, 1 set aside; version ", study({"code_map": [{"code_path": "A", "theme": "team"}]})),
    "coder_agreement": (
        "Agreement before consensus: Cohen's kappa 0.60 to 0.80 over 2 themes by document, up to 9 documents.",
        study({"qual": {"reliability": {"approach": "reflexive", "reason": "One author coded."}}}),
    ),
    "saturation": (
        "2 themes found; none was new after session 2 of 3, in the order of wave, date where known, and id.",
        study(**{"qual/saturation": tables()["qual/saturation"].assign(n_new=1, n_found=[1, 2, 3])}),
    ),
    "themes_presented": (
        "1 of 2 (50%) themes were raised; each is counted among the sessions that were asked.",
        study(**{"qual/presence": tables()["qual/presence"].assign(present=1)}),
    ),
    "themes_both_ways": (
        "1 of 2 (50%) themes were named both as a facilitator and as a barrier.",
        study(**{"qual/presence": tables()["qual/presence"].assign(n_barrier=0)}),
    ),
    "quotes_shown": ("1 approved quote on 1 theme, ", study(**{"qual/quotes": tables()["qual/quotes"].assign(shown=1)})),
    "joint_displays": (
        "Both strands stand side by side in Figure 1 (Joint display).",
        study({"exhibits": [{"exhibit": "T2_x", "kind": "pillar_integration", "title": "Pillars"}]}),
    ),
    "proposed_fit": (
        "Fit of survey and themes by a declared rule, 2 constructs: confirm 1 and discord 1.",
        study(**{"integrate/joint_display": tables()["integrate/joint_display"].assign(n_present=[5, 1])}),
    ),
    "meta_inferences": (
        "2 meta-inferences: signed 1 and stale 1.",
        study(**{"integrate/meta_inferences": pd.DataFrame({"state": ["signed", "signed"]})}),
    ),
    "models": (
        "1 model, verdicts ok 1; distribution: gaussian; estimator: REML; degrees of freedom: KR.",
        study(**{"models/fits": tables()["models/fits"].assign(state="failed")}),
    ),
    "missing_answers": (
        "5.0% of the answers that scales ask for are missing.",  # (0.1 + 0.1) x 20 of 20 + 60 answers
        study(**{"measures/reliability": tables()["measures/reliability"].assign(missing_coded=0.3)}),
    ),
    "scale_reliability": (
        "Cronbach's alpha 0.70 to 0.90, median 0.80, over 2 scales and waves.",
        study(**{"measures/reliability": tables()["measures/reliability"].assign(alpha=[0.5, 0.9])}),
    ),
    "data_checks": ("2 checks of the raw files, 1 with findings.", study(**{"checks/summary": tables()["checks/summary"].assign(n=1)})),
    "small_cells": (
        "Counts of fewer than 2 people are withheld; single centers are shown by letters.",
        study({"privacy": {"min_cell": 10}}),
    ),
    "coding_software": ("Coding: NVivo.", study(programs=["MAXQDA", "NVivo"])),
    "software": ("Analysis: Python 3.11.", study(software=[("Python", "3.12")])),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_published_item_is_listed_once_in_order(name):
    listed = items(name)
    assert [item["number"] for item in listed] == PUBLISHED[name]
    assert len({item["item"] for item in listed}) == len(listed) and all(item["item"] and item["section"] for item in listed)
    assert all(set(item["facts"]) <= set(FACTS) and bool(item["facts"]) == (item["covers"] in ("whole", "part")) for item in listed)


def test_every_fact_is_used_tested_and_from_a_known_table():
    assert {fact for name in PUBLISHED for item in items(name) for fact in item["facts"]} == set(FACTS) == set(SAID)
    tree = ast.parse((PACKAGE / "release" / "study_facts.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "table"]
    assert {call.args[0].value for call in calls} == set(pipeline.CHECKLIST_TABLES)
    assert set(study_facts.JOINT_KINDS) <= set(pipeline.EXHIBIT_KINDS)
    assert sorted(checklist.name for checklist in CHECKLISTS) == sorted(pipeline.CHECKLISTS) == sorted(PUBLISHED)


@pytest.mark.parametrize("fact", sorted(SAID))
def test_a_cell_says_the_fact_and_changes_with_it(fact):
    said, other = SAID[fact]
    assert FACTS[fact](study()).startswith(said)
    assert FACTS[fact](other) != FACTS[fact](study()), "another study, the same words"
    name, number = next((name, item["number"]) for name in PUBLISHED for item in items(name) if fact in item["facts"])
    cells = [filled(name, one).set_index("number").loc[number, "reported"] for one in (study(), other)]
    assert FACTS[fact](study()) in cells[0] and cells[0] != cells[1]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_nothing_is_filled_where_nothing_is_known(name):
    assert all(FACTS[fact](EMPTY) == "" for fact in FACTS)
    table = filled(name, EMPTY)
    assert set(table["reported"]) == {TODO} and set(table["status"]) == {AUTHOR}


def test_an_item_is_filled_only_where_all_of_it_is_known():
    status = filled("coreq", study()).set_index("number")
    assert status.loc["24", "status"] == FILLED and TODO not in status.loc["24", "reported"]
    assert status.loc["12", "status"] == PARTLY and status.loc["12", "reported"].endswith(TODO)
    without = filled("coreq", study(programs=[])).set_index("number").loc["27"]
    assert without["status"] == PARTLY and without["reported"].endswith(TODO)


def test_small_groups_are_not_said():
    few = study({"privacy": {"min_cell": 3}})
    assert "Director" not in FACTS["session_sample"](few) and FACTS["sessions_by_wave"](few) == ""


def test_a_page_has_a_heading_for_each_section_and_a_summary():
    checklist = next(c for c in CHECKLISTS if c.name == "srqr")
    table = filled("srqr", study())
    page = markdown(checklist, table, synthetic=True)
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings[0] == f"# {checklist.title}" and [h[3:] for h in headings[1:]] == list(dict.fromkeys(table["section"]))
    assert page.count("\n| S") == 21 and "SYNTHETIC" in page and "SYNTHETIC" not in markdown(checklist, table, synthetic=False)
    assert "SYNTHETIC" in checklist_csv(table, synthetic=True) and checklist_csv(table, synthetic=False).count("\n") == 22
    counted = summary(checklist, table)
    assert counted["n"] == 21 == counted[FILLED] + counted[PARTLY] + counted[AUTHOR]
