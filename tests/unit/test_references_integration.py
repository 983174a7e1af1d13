"""What config/integration.yaml names must exist and fit together."""

import pytest

from bscstudy.references_integration import integration_references

STUDY = {
    "scales": [{"scale": "sel"}],
    "fidelity": [{"id": "coaching"}],
    "themes": [{"theme": "lead"}],
    "waves": [{"id": "T1"}, {"id": "T2"}],
    "theory_of_change": {"constructs": [{"id": "practice"}]},
    "qual": {"unit": "session"},
}
LINK = {"id": "a", "theme": "lead", "outcome": "sel"}


def said(*links, pillars=(), **changes):
    return integration_references({**STUDY, **changes, "integration": {"links": list(links), "pillars": list(pillars)}})


def test_sound_links_and_none_at_all():
    level = {**LINK, "id": "b", "measure": "level", "waves": ["T2"]}
    assert not said({**LINK, "waves": ["T1", "T2"]}, level, {**LINK, "id": "c", "outcome": "coaching"}, pillars=[{"construct": "practice"}])
    assert not integration_references({**STUDY, "qual": None, "integration": {}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"theme": "leed"}, "theme 'leed' does not exist. Did you mean 'lead'?"),
        ({"outcome": "coachin"}, "outcome (scale or fidelity index) 'coachin' does not exist. Did you mean 'coaching'?"),
        ({"waves": ["T1", "T3"]}, "wave 'T3' does not exist."),
        ({"waves": ["T1"]}, "a change has two different waves, a level has one."),
        ({"waves": ["T1", "T1"]}, "a change has two different waves, a level has one."),
        ({"measure": "level", "waves": ["T1", "T2"]}, "a change has two different waves, a level has one."),
        ({"outcome": "coaching", "measure": "level"}, "'measure' is of scales; a fidelity index is one value of the center."),
    ],
)
def test_a_link_that_leads_nowhere_is_named(change, words):
    found = said({**LINK, **change})
    assert len(found) == 1 and found[0].startswith("config/integration.yaml, links, a") and words in found[0]


def test_ids_given_twice_and_links_without_interviews():
    found = said(LINK, LINK, pillars=[{"construct": "practic"}, {"construct": "practic"}], qual=None)
    assert [text.partition(": ")[2] for text in found if "more than once" in text] == [
        "'a' is given more than once.",
        "'practic' is given more than once.",
    ]
    assert (
        any("construct 'practic' does not exist. Did you mean 'practice'?" in text for text in found) and "no config/qual.yaml" in found[-1]
    )
