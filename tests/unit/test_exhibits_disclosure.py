"""Counts that a table withholds cannot be had from the other cells of the same row, or from another exhibit."""

import pandas as pd
import pytest
from exhibit_study import CONFIG, context

from bscstudy.exhibits import attendance, costs, descriptives
from bscstudy.exhibits.means_privacy import withheld_cells
from bscstudy.exhibits.people_flow_cells import people_flow


def came(**present):
    """Attendance of one session: role -> (due, present, without an entry)."""
    whole = tuple(sum(counts) for counts in zip(*present.values(), strict=True))
    rows = [(role, "all", *counts) for role, counts in {"all": whole, **present}.items()] + [("all", "online", *whole)]
    frame = pd.DataFrame(rows, columns=["role", "mode", "n_expected", "n_present", "n_unknown"])
    return frame.assign(session="LS1", day="", date="", collaborative="all", n_centers=9, n_centers_present=9)


def test_attendance_withholds_a_role_in_all_its_columns():
    rows = came(director=(9, 6, 0), teacher=(40, 30, 2), parent=(3, 3, 0), support=(12, 6, 0))
    shown = attendance.build({"measures/attendance": rows}, context()).table.set_index("Role")
    assert shown.loc["All", ["Due", "Present", "No entry"]].tolist() == ["64", "45", "2"]
    # 3 parents are due, and 3 directors absent: neither what their row nor what would tell their number due is shown
    assert shown.loc["parent", "Due"] == "<5" and shown.loc["Director", "Due"] == "hidden"
    assert (shown.loc[["parent", "Director"], ["Present", "Share", "No entry"]] == "–").all(axis=None)
    assert shown.loc["Teacher", ["Due", "Present", "No entry"]].tolist() == ["40", "30", "2"]


def test_few_people_at_a_session_show_nothing_of_it():
    exhibit = attendance.build({"measures/attendance": came(director=(4, 2, 1))}, context())
    whole = exhibit.table.iloc[0]
    assert whole[["Due", "Present", "Share", "No entry", "Mode"]].tolist() == ["<5", "–", "–", "–", "–"]
    assert not exhibit.sentences and exhibit.data["share"].isna().all()


def spent(reached, centers):
    """Costs of centers in two collaboratives: people reached in each."""
    rows = []
    for collaborative, people in zip(("alder", "birch"), reached, strict=True):
        for number in range(centers[collaborative]):
            place = {"center_id": f"{collaborative}{number}", "collaborative": collaborative, "category": "total"}
            rows.append({**place, "per": "", "cost": 100.0, "n_reached": None})
            rows.append({**place, "per": "member", "cost": 100.0 / people, "n_reached": people})
    frame = pd.DataFrame(rows)
    return frame.assign(cost_low=frame["cost"], cost_high=frame["cost"])


@pytest.mark.parametrize(
    ("reached", "centers", "show", "lines"),
    [
        ((5, 5), {"alder": 3, "birch": 3}, False, {"All": 2, "Alder": 2, "Birch": 2}),
        ((1, 5), {"alder": 3, "birch": 3}, False, {"All": 2, "Alder": 1, "Birch": 1}),  # 3 people reached, and all less birch
        ((5, 5), {"alder": 2, "birch": 3}, False, {"All": 2}),  # two centers alone, and all less birch
        ((5, 5), {"alder": 2, "birch": 3}, True, {"All": 2, "Alder": 2, "Birch": 2}),
    ],
)
def test_costs_of_few_people_or_few_centers_are_not_shown(reached, centers, show, lines):
    own = {"prices": [], "per": [{"id": "member", "label": "member"}]}
    config = {**CONFIG, "costs": own, "privacy": {"min_cell": 5, "show_centers": show}}
    data = spent(reached, centers)
    tables = {"measures/costs": data, "centers": data[["center_id", "collaborative"]].drop_duplicates()}
    assert costs.build(tables, context(config=config)).table["Collaborative"].value_counts().to_dict() == lines


def test_scores_of_a_group_and_forms_without_one_are_withheld_together():
    sizes = {"director": (6, 3), "teacher": (20, 1), "parent": (9, 0)}
    rows = [(role, i, None if i < without else 3.0) for role, (n, without) in sizes.items() for i in range(n)]
    scores = pd.DataFrame(rows, columns=["role", "row_id", "score"]).assign(scale="buy_in", wave="T1", center_id="A1", why=None)
    shown = descriptives.build({"measures/scores": scores}, context(options={"by": "role"})).table.set_index("Wave")
    told = {wave.split(": ")[1]: row for wave, row in shown[["n", "No score"]].iterrows()}
    assert told["Director"].tolist() == ["<5", "–"] and told["Teacher"].tolist() == ["19", "1"]
    assert told["parent"].tolist() == ["hidden", "–"]


def test_the_numbers_behind_the_boxes_hold_no_small_wave():
    scores = pd.DataFrame({"score": [3.0] * 23, "wave": ["T1"] * 20 + ["T2"] * 3, "center_id": "A1", "why": None, "scale": "buy_in"})
    data = descriptives.build({"measures/scores": scores}, context()).data
    assert data["n"].tolist()[0] == 20 and data.loc[1, ["answered", "n", "mean", "median"]].isna().all()


def test_two_small_cells_that_are_all_of_their_line_do_not_say_that_they_are_small():
    assert withheld_cells(["a", "b"], [4.0, 4.0], 5) == ([True, True], ["hidden", "hidden"])  # 8 is 4 + 4 alone
    assert withheld_cells(["a", "b", "c"], [4.0, 4.0, 9.0], 5)[1] == ["<5", "<5", "hidden"]


def test_a_role_whose_forms_are_masked_is_not_in_the_flow_of_people():
    rows = [(f"{role}{i}", wave, role) for role, n in (("director", 40), ("teacher", 60)) for i in range(n) for wave in ("T1", "T2")]
    people = pd.DataFrame(rows, columns=["person_id", "wave", "role"]).assign(center_id="c", expected=1, responded=1, present=1)
    forms = pd.DataFrame({"instrument": "staff", "wave": "T1", "role": ["director", "teacher"], "expected": [40, 60], "received": [3, 60]})
    assert set(people_flow(people, context()).roles) == {"director", "teacher"}
    assert not people_flow(people, context(), forms).roles
