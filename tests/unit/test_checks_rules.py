"""Every kind of declared rule counts what it says, and a rule that cannot be carried out is refused by name."""

import pytest
from check_frames import clean, source, study

from bscstudy.checks.quality import run_checks
from bscstudy.checks.rules import doubly_encoded
from bscstudy.errors import BscError

VISITS = [
    {
        "row": 2,
        "person_id": "p1",
        "day": "2024-01-06",
        "sent": "2024-01-07",
        "place": "North",
        "x1": 1.0,
        "x2": 1.0,
        "x1__why": None,
        "one": 0.0,
    },
    {"row": 3, "person_id": "p1", "day": "2024-01-06", "sent": None, "place": "north", "x1": 2.0, "x2": 1.5, "x1__why": None, "one": 0.0},
    {
        "row": 4,
        "person_id": "p2",
        "day": "2024-03-01",
        "sent": "2024-01-01",
        "place": "SÃ¼d",
        "x1": None,
        "x2": 9.0,
        "x1__why": "refused",
        "one": 0.0,
    },
    {"row": 5, "person_id": "p9", "day": None, "sent": None, "place": None, "x1": None, "x2": None, "x1__why": "skipped", "one": 0.0},
]
RULES = {
    "rows": ({"where": "x1 > 1 or x2 > 5"}, 2),
    "rows with a missing value": ({"kind": "rows", "where": "day.isna() and not (x1 > 0)"}, 1),
    "rows by iso date": ({"kind": "rows", "where": "day < '2024-02-01'"}, 2),
    "rows counted by person": ({"kind": "rows", "where": "day.notna()", "count": ["person_id"]}, 2),
    "distinct": ({"column": "place"}, 3),
    "distinct whatever the case": ({"kind": "distinct", "column": "place", "ignore_case": True}, 2),
    "cells": ({"pattern": r"x\d", "code": [1, 1.5]}, 3),
    "cells of a missing code": ({"kind": "cells", "column": "x1", "code": 99}, 1),
    "cells of a reason": ({"kind": "cells", "column": "x1", "reason_is": "skipped"}, 1),
    "cells out of bounds": ({"kind": "cells", "pattern": r"x\d", "below": 1, "above": 4}, 1),
    "cells left blank": ({"kind": "cells", "pattern": r"x\d", "blank": True, "count": "rows"}, 2),
    "not_in": ({"column": "person_id", "other_source": "roster"}, 1),
    "not_in a part": (
        {"kind": "not_in", "column": "person_id", "other_source": "roster", "other_where": "core == 'core'", "count": "distinct"}, 2,
    ),
    "repeated": ({"columns": ["person_id", "day"]}, 1),
    "repeated exactly": ({"kind": "repeated", "exact": True}, 0),
    "straight": ({"pattern": r"x\d"}, 1),
    "constant_columns": ({}, 1),
    "compare": ({"left": "sent", "operator": "<", "right": "day"}, 1),
    "compare in days": ({"kind": "compare", "left": "sent", "operator": ">", "right": "day", "days": 1}, 0),
    "compare blanks too": ({"kind": "compare", "left": "sent", "operator": "same", "right": "day"}, 1),
    "compare with another source": (
        {"kind": "compare", "left": "day", "operator": ">", "right": "when", "other_source": "staff_t1", "by": "person_id"}, 1,
    ),
    "mojibake": ({"column": "place"}, 1),
    "small_cells": ({"by": ["person_id"], "below": 2}, 2),
    "groups": ({"by": ["person_id"], "aggregates": {"days": {"rule": "n_distinct", "column": "day"}}, "having": "n == 2 and days == 1"}, 1),
    "groups of stacked items": ({"kind": "groups", "stack": {"pattern": r"x\d"}, "by": ["item"], "having": "n == 3"}, 1),
    "groups by a conditional aggregate": (
        {"kind": "groups", "by": ["person_id"], "having": "top > 1",
         "aggregates": {"top": {"rule": "maximum", "column": "x2", "where": "x1 > 0"}}}, 1,
    ),
    "derived weekday": ({"kind": "rows", "derive": {"d": {"rule": "weekday", "column": "day"}}, "where": "d >= 5"}, 2),
    "derived days": ({"kind": "rows", "derive": {"d": {"rule": "days", "columns": ["sent", "day"]}}, "where": "d == -60"}, 1),
    "derived reasons": (
        {"kind": "rows", "derive": {"r": {"rule": "n_reason", "column": "x1", "reasons": ["refused"]}}, "where": "r > 0"}, 1,
    ),
    "joined": (
        {"kind": "rows", "join": [{"source": "staff_t1", "by": "person_id", "columns": ["q1"], "prefix": "t1_"}], "where": "t1_q1 == 1"}, 3,
    ),
}  # fmt: skip


def run(rule, rows=None):
    visits = source("visits", rows or VISITS, instrument="staff")
    rule = {"id": "mine", "source": "visits", **rule}
    return run_checks({**clean(), "visits": visits}, study(checks={"rules": [rule]}))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_counts_what_it_says(name):
    settings, expected = RULES[name]
    summary = run({"kind": name.split()[0], **settings}).summary.set_index("check")
    assert summary.loc["mine", "n"] == expected


def test_a_rule_points_to_its_rows_and_shows_no_value():
    findings = run({"kind": "mojibake", "column": "place"}).findings
    mine = findings[findings["check"] == "mine"]
    assert list(mine["row"]) == [4] and "Ã" not in mine.to_csv()


def test_many_rows_become_one_finding_with_the_whole_count():
    rows = [{**VISITS[0], "row": r} for r in range(2, 700)]
    findings = run({"kind": "rows", "where": "x1 == 1"}, rows).findings
    mine = findings[findings["check"] == "mine"]
    assert list(mine["n"]) == [698] and mine["row"].isna().all()


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ({"kind": "rows", "where": "plce == 'North'"}, "BSC-CFG-071", "Did you mean 'place'?"),
        ({"kind": "rows", "where": "place =="}, "BSC-CFG-072", "mine"),
        ({"kind": "rows", "where": "x1 + 1"}, "BSC-CFG-072", "true or false"),
        ({"kind": "cells", "pattern": "y.*", "code": 1}, "BSC-CFG-071", "fits no column"),
        ({"kind": "distinct", "column": "plce"}, "BSC-CFG-071", "Did you mean 'place'?"),
        ({"kind": "row"}, "BSC-CFG-070", "Did you mean 'rows'?"),
        ({"kind": "distinct", "colum": "place"}, "BSC-CFG-070", "Did you mean 'column'?"),
        ({"kind": "not_in", "column": "person_id", "other_source": "roaster"}, "BSC-CFG-073", "Did you mean 'roster'?"),
        ({"kind": "rows", "join": [{"source": "roster", "by": "person_id", "columns": ["wave"]}]}, "BSC-CFG-075", "several differing rows"),
    ],
)
def test_a_rule_that_cannot_be_carried_out_is_refused_by_name(rule, code, said):
    with pytest.raises(BscError) as caught:
        run(rule)
    assert caught.value.code == code and "mine" in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(("text", "broken"), [("SÃ¼d", True), ("Süd", False), ("plain", False), ("日本", False)])
def test_doubly_encoded_text(text, broken):
    assert doubly_encoded(text) is broken


def test_all_rules_at_fault_are_named_together():
    visits = source("visits", VISITS, instrument="staff")
    rules = [{"id": name, "source": "visits", "kind": "row"} for name in ("first", "second")]
    with pytest.raises(BscError) as caught:
        run_checks({**clean(), "visits": visits}, study(checks={"rules": rules}))
    assert len(caught.value.where) == 2
