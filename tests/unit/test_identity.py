"""One rule says whose a row is: the row itself, the person's wave, what never changes, else nobody knows; and people who move."""

import pandas as pd
import pytest
from check_frames import MIXED, clean, form, registers, source, staff, study

from bscstudy.checks.flow import sample_flow
from bscstudy.checks.people import link_people
from bscstudy.identity import add_identity
from bscstudy.measures.analysis_tables import person_table
from bscstudy.models.formula_words import read_formula
from bscstudy.models.rows import model_rows
from bscstudy.models.terms import Vocabulary
from bscstudy.qual.presence import complete_documents

#: p1 moved from a to b and from teacher to director; p2 never changed; p3 is stated in one wave only
PEOPLE = pd.DataFrame(
    [("p1", "T1", "a", "teacher"), ("p1", "T3", "b", "director"), ("p2", "T1", "a", "teacher"), ("p2", "T3", "a", "teacher"),
     ("p3", "T3", "b", None)],
    columns=["person_id", "wave", "center_id", "role"],
).assign(collaborative=lambda f: f["center_id"].map({"a": "north", "b": "south"}))  # fmt: skip
CENTERS = pd.DataFrame({"center_id": ["a", "b", "c"], "collaborative": ["north", "south", "east"]})
ROWS = [
    # person, wave, own center -> center, collaborative, role
    ("p1", "T1", None, "a", "north", "teacher"),
    ("p1", "T3", None, "b", "south", "director"),
    ("p1", "T2", None, None, None, None),  # between two centers: nobody knows
    ("p1", "T4", None, None, None, None),
    ("p2", "T2", None, "a", "north", "teacher"),
    ("p3", "T1", None, "b", "south", None),
    ("p2", "T1", "c", "c", "east", "teacher"),  # what the row says stays, and the collaborative is that of its center
    ("p9", "T1", None, None, None, None),
    (None, "T1", "b", "b", "south", None),  # an anonymous form
]


@pytest.mark.parametrize("user", ["measures", "interviews"])
def test_survey_rows_and_documents_follow_one_rule(user):
    rows = pd.DataFrame([r[:3] for r in ROWS], columns=["person_id", "wave", "center_id"])
    if user == "measures":
        found = add_identity(rows, PEOPLE, CENTERS)
    else:
        found = complete_documents(rows.assign(document_id=[f"d{i}" for i in range(len(rows))]), PEOPLE, CENTERS)
    found = found[["center_id", "collaborative", "role"]].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == [list(r[3:]) for r in ROWS]


def moved():
    """p1 is in c1 at T1 and in c2 as assistant at T3; p2 left; p3 is new at T3."""
    tables = clean()
    roster = registers()["roster"].frame.copy()
    roster.loc[(roster["person_id"] == "p1") & (roster["wave"] == "T3"), ["center_id", "role"]] = ["c2", "assistant"]
    late = staff("staff_t3", "T3", [form(2, "p1", "T3", MIXED, center="c2", role="assistant")])
    return {**tables, "roster": source("roster", roster, wave={"column": "wave"}), "staff_t3": late}


def test_moves_are_recorded_and_each_wave_keeps_its_own_role_and_center():
    people = link_people(moved(), study()).set_index(["person_id", "wave"])
    assert people.loc[("p1", "T1"), ["center_id", "role", "movement"]].tolist() == ["c1", "teacher", "start"]
    assert people.loc[("p1", "T3"), ["center_id", "role", "movement"]].tolist() == ["c2", "assistant", "stayed"]
    assert people["center_changed"].to_dict() == {("p1", "T1"): 0, ("p1", "T3"): 1, ("p2", "T1"): 0, ("p3", "T3"): 0}
    assert people["role_changed"].sum() == 1 and people.loc[("p3", "T3"), "movement"] == "joined"
    scores = pd.DataFrame({"scale": "calm", "wave": ["T1", "T3"], "person_id": "p1", "row_id": ["s:2", "t:2"], "score": [1.0, 2.0]})
    scores = scores.assign(center_id="c1", collaborative="alder", role="teacher", core="core")
    table = person_table(people.reset_index(), scores, ["calm"]).set_index(["person_id", "wave"])
    assert table.loc[("p1", "T3"), ["center_id", "role", "calm"]].tolist() == ["c2", "assistant", 2.0], "the wave's own, not the first"


def test_a_blank_of_somebody_who_moved_is_not_guessed():
    tables = moved()
    roster = tables["roster"].frame
    more = pd.DataFrame({"row": [9, 10], "person_id": ["p1", "p2"], "wave": ["T4", "T4"], "center_id": [None, None], "role": [None, None]})
    tables["roster"] = source("roster", pd.concat([roster, more]), wave={"column": "wave"})
    waves = [*study()["waves"], {"id": "T4", "label": "Later", "order": 4, "phase": "follow_up"}]
    people = link_people({**tables, "staff_t4": staff("staff_t4", "T4", [form(2, "p9", "T4", MIXED)])}, study(waves=waves))
    late = people[people["wave"] == "T4"].set_index("person_id")
    assert late["center_id"].fillna("?").to_dict() == {"p1": "?", "p2": "c1", "p9": "c1"}
    assert pd.isna(late.loc["p1", "center_changed"]) and late.loc["p2", "movement"] == "returned"


def anonymous_table():
    scores = pd.DataFrame({"person_id": ["p1", None, "p1", None], "row_id": [f"s:{i}" for i in range(4)], "wave": ["T1", "T1", "T3", "T3"]})
    scores = scores.assign(scale="calm", score=[1.0, 2.0, 3.0, 4.0], center_id="c1", collaborative="alder", role="teacher", core="core")
    return person_table(None, scores, ["calm"])


@pytest.mark.parametrize(
    ("formula", "n", "left_out"), [("score ~ wave + (1 | center/person)", 2, {"anonymous form": 2}), ("score ~ wave + (1 | center)", 4, {})]
)
def test_anonymous_forms_are_in_models_of_centers_and_in_none_of_persons(formula, n, left_out):
    spec = {"id": "m", "unit": "person", "outcome": "calm", "formula": formula}
    rows = model_rows(spec, read_formula(formula, "m"), {"person": anonymous_table()}, Vocabulary({}))
    assert len(rows.frame) == n and rows.n_excluded == left_out


def test_forms_that_name_nobody_are_counted_in_the_flow_and_link_nobody():
    rows = [
        form(2, "p1", "T1", MIXED),
        form(3, None, "T1", MIXED),
        form(4, None, "T1", [None] * 9),
        form(5, None, "T1", MIXED, excluded="test"),
    ]
    tables = {**clean(), "staff_t1": staff("staff_t1", "T1", rows)}
    flow = sample_flow(tables, study())
    assert flow[flow["wave"] == "T1"][["received", "unlinked"]].sum().tolist() == [2, 1]
    assert set(link_people(tables, study())["person_id"]) == {"p1", "p2", "p3"}
