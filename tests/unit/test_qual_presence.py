"""Presence with the asked as denominator; expected values are counted by hand from the tables at the top."""

import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.qual.presence import asked_topics, collapse_themes, collapse_waves, complete_documents, presence_table

THEMES = [
    {"theme": "leaders", "topic": "leadership", "construct": "buy_in"},
    {"theme": "time", "topic": "resources", "construct": "buy_in"},
    {"theme": "joy", "topic": "", "construct": ""},
]
# two interviews of one person, a focus group, and an interview nobody has coded yet
DOCUMENTS = pd.DataFrame(
    [
        ("i1", "T2", "p1", "c1", "director"),
        ("i2", "T4", "p1", "c1", "director"),
        ("g1", "T2", None, "c1", "teacher"),
        ("i3", "T2", "p2", "c2", "director"),
    ],
    columns=["document_id", "wave", "person_id", "center_id", "role"],
)
ASKED = pd.DataFrame(
    [("i1", "leadership", 1), ("i1", "resources", 0), ("i2", "resources", 1),
     ("g1", "leadership", 1), ("i3", "leadership", 1), ("i3", "resources", 1)],
    columns=["document_id", "topic", "asked"],
)  # fmt: skip
CODINGS = pd.DataFrame(
    [
        ("i1", "main", "leaders", "facilitator"),
        ("i1", "main", "leaders", "barrier"),
        ("i2", "main", "leaders", "barrier"),  # raised though not asked
        ("g1", "main", None, None),  # an ignored code: the focus group was coded
        ("g1", "second", "leaders", "barrier"),  # the second coder never counts
        ("i3", "second", "leaders", "barrier"),
    ],
    columns=["document_id", "coder_role", "theme", "direction"],
)


def table(unit: str = "session") -> pd.DataFrame:
    documents = complete_documents(DOCUMENTS, None, pd.DataFrame({"center_id": ["c1", "c2"], "collaborative": ["alder", "birch"]}))
    return presence_table(documents, asked_topics(ASKED, THEMES), CODINGS, THEMES, unit)


def cell(frame: pd.DataFrame, unit_id: str, theme: str, wave: str = "") -> pd.Series:
    found = frame[(frame["unit_id"] == unit_id) & (frame["theme"] == theme) & ((frame["wave"] == wave) | (wave == ""))]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("unit_id", "theme", "asked", "present"),
    [
        ("i1", "leaders", 1, 1),
        ("i1", "time", 0, None),  # not asked is blank, never 0
        ("i2", "leaders", 0, 1),  # unprompted
        ("i2", "time", 1, 0),  # asked, coded, not found
        ("g1", "leaders", 1, 0),  # the second coder's finding does not count
        ("i3", "leaders", 1, None),  # asked, but the main coder has not coded it
        ("g1", "joy", 1, 0),  # no topic: could come up anywhere
    ],
)
def test_presence_of_sessions(unit_id, theme, asked, present):
    found = cell(table(), unit_id, theme)
    assert found["asked"] == asked
    assert pd.isna(found["present"]) if present is None else found["present"] == present


def test_a_document_declared_coded_without_a_code_is_a_zero():
    documents = complete_documents(DOCUMENTS.assign(coded=[None, None, None, 1]), None, None)
    frame = presence_table(documents, asked_topics(ASKED, THEMES), CODINGS, THEMES)
    assert cell(frame, "i3", "leaders")["present"] == 0


def test_directions_are_counted_and_the_register_fills_the_collaborative():
    found = cell(table(), "i1", "leaders")
    assert (found["n_facilitator"], found["n_barrier"], found["n_codings"]) == (1, 1, 2)
    assert found["collaborative"] == "alder"


def test_persons_are_added_beside_sessions_and_focus_groups_have_none():
    frame = table("person")
    assert sorted(set(frame.loc[frame["unit"] == "person", "unit_id"])) == ["p1", "p2"]
    assert set(frame.loc[frame["unit"] == "session", "unit_id"]) == {"i1", "i2", "g1", "i3"}


def test_over_waves_a_person_counts_once():
    persons = collapse_waves(table("person").query("unit == 'person'"))
    leaders = cell(persons, "p1", "leaders", "all")
    # asked at T2, raised at T2 and T4: one person, 1 facilitator and 2 barrier codings
    assert (leaders["asked"], leaders["present"], leaders["n_facilitator"], leaders["n_barrier"]) == (1, 1, 1, 2)


def test_a_construct_is_present_where_any_of_its_themes_is():
    frame = collapse_themes(table(), {"leaders": "buy_in", "time": "buy_in", "joy": ""})
    assert set(frame["theme"]) == {"buy_in"}
    assert cell(frame, "i1", "buy_in")["present"] == 1 and cell(frame, "g1", "buy_in")["present"] == 0


def test_wide_table_of_asked_topics_means_the_same():
    wide = ASKED.pivot(index="document_id", columns="topic", values="asked").reset_index()
    assert asked_topics(wide, THEMES) == asked_topics(ASKED, THEMES)


def test_a_topic_that_was_never_recorded_is_refused():
    with pytest.raises(BscError, match="BSC-QUA-104") as caught:
        asked_topics(ASKED, [{"theme": "leaders", "topic": "leadershp"}])
    assert "Did you mean 'leadership'?" in str(caught.value)


def test_people_give_what_the_documents_lack():
    documents = pd.DataFrame({"document_id": ["i1"], "wave": ["T2"], "person_id": ["p1"]})
    people = pd.DataFrame({"person_id": ["p1"], "wave": ["T1"], "center_id": ["c1"], "collaborative": ["alder"], "role": ["director"]})
    assert complete_documents(documents, people, None)[["center_id", "role"]].iloc[0].tolist() == ["c1", "director"]
