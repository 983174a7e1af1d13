"""Quotes by theme and outcome group: no role where it would name a person, no center and role together, no quote that is not shown."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.exhibits import quotes as kind
from bscstudy.exhibits.base import Context, check_exhibit
from bscstudy.exhibits.quotes import GROUPS, build, outcome_groups

CENTERS = [f"c{n}" for n in range(1, 9)]
CONFIG = {
    "study": {"synthetic": True, "seed": 7},
    "roles": [{"id": "director", "label": "Director"}, {"id": "teacher", "label": "Teacher"}],
    "themes": [{"theme": "time", "label": "Time"}, {"theme": "team", "label": "Team"}],
    "theory_of_change": {"constructs": []},
    "privacy": {"min_cell": 4, "show_centers": True},
    "scales": [], "waves": [],
}  # fmt: skip


def quote(number, center="c1", theme="time", attribution="role", role="director", shown=1, why=None):
    text = f"Words of row {number}." if shown else None
    return {
        "quote": number,
        "theme": theme,
        "center_id": center,
        "role": role,
        "attribution": attribution,
        "shown": shown,
        "why": why,
        "text": text,
    }


def tables(*rows, teachers=4):
    people = [
        (f"{w}{c}-{r}{n}", w, c, r)
        for w in ("T1", "T2")
        for c in CENTERS
        for r, many in (("director", 1), ("teacher", teachers))
        for n in range(many)
    ]
    cells = pd.DataFrame({"outcome": "practice", "center_id": CENTERS, "theme": "time", "outcome_waves": "T1 to T3"})
    cells = cells.assign(outcome_change=np.arange(8, 0, -1.0), outcome_rank=np.arange(1, 9.0))
    return {
        "qual/quotes": pd.DataFrame(rows),
        "qual/presence": pd.DataFrame({"role": ["director", "teacher"]}),
        "integrate/center_themes": cells,
        "people": pd.DataFrame(people, columns=["person_id", "wave", "center_id", "role"]),
        "centers": pd.DataFrame({"center_id": CENTERS}),
    }


def shown(given, **privacy):
    here = Context("T18_quotes", "quotes", "Quotes", "s", {}, {**CONFIG, "privacy": {**CONFIG["privacy"], **privacy}})
    exhibit = build(given, here)
    check_exhibit(exhibit, here, kind.FIGURE)
    return exhibit


def test_quotes_stand_by_theme_and_by_the_change_of_their_center():
    table = shown(tables(quote(2), quote(3, "c8"), quote(4, "c2"), quote(5, "c5", "team", "neither"))).table
    assert table["Theme"].tolist() == ["Time", "Time", "Team"] and table["Quote"].tolist() == ["1", "2", "1"]
    assert table[GROUPS[0]].tolist() == ["“Words of row 2.” (Director)", "“Words of row 4.” (Director)", "–"]
    assert table[GROUPS[1]].tolist() == ["“Words of row 3.” (Director)", "–", "“Words of row 5.”"]


@pytest.mark.parametrize(
    "row, privacy, said",
    [
        (quote(2), {}, "(Director)"),  # four directors in the half
        (quote(2), {"min_cell": 5}, ""),  # a role that few people have in these centers
        (quote(2, attribution="center"), {}, "(Center "),
        (quote(2, attribution="center"), {"show_centers": False}, ""),
        (quote(2, attribution="center"), {"min_cell": 6}, ""),  # five people of a center could be meant
        (quote(2, attribution="neither"), {}, ""),
        (quote(2, role=None), {}, ""),
    ],
)
def test_a_speaker_is_attributed_only_where_enough_people_could_be_meant(row, privacy, said):
    exhibit = shown(tables(row), **privacy)
    (cell,) = exhibit.table[GROUPS[0]] if GROUPS[0] in exhibit.table else exhibit.table["Words"]
    assert (said in cell) if said else cell.endswith("”")
    assert not ("Director" in cell and "Center" in cell)
    assert ("withheld for 1 quote" in exhibit.notes["Attribution"]) == (not said and row["attribution"] != "neither")


def test_halves_need_centers_and_people():
    given = tables(quote(2))
    ranked = given["integrate/center_themes"]
    assert list(outcome_groups(ranked.iloc[:7], given["people"], 4).values()) == [GROUPS[0]] * 3 + [GROUPS[1]] * 4
    assert outcome_groups(ranked.iloc[:3], given["people"], 4) == {} and outcome_groups(ranked, given["people"], 21) == {}
    assert outcome_groups(None, given["people"], 4) == {}


def test_what_is_not_approved_is_counted_and_never_shown():
    exhibit = shown(tables(quote(2), quote(3, shown=0, why="not_approved"), quote(4, shown=0, why="no_group_consent")))
    assert "row 3" not in exhibit.table.to_string() and exhibit.notes["n"] == "1 quote"
    assert exhibit.notes["Exclusions"] == "listed but not shown: 1 not approved and 1 of a group without its consent"
    assert exhibit.sentences == ()


@pytest.mark.parametrize("given", [{}, tables(quote(2, shown=0, why="not_approved"))])
def test_a_study_without_quotes_says_so(given):
    assert shown(given).table.columns.tolist() == ["Not shown"]
