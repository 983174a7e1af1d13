"""Networks of who turns to whom: figures of networkx 3.6, and answers that are partly missing."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.peer_network import network_figures, networks, nominations


def test_figures_of_networkx():
    """Ties, isolates, density, overall_reciprocity and share of edges between groups that networkx 3.6.1 gives for the same graph."""
    rng = np.random.default_rng(7)
    ties = rng.random((12, 12)) < 0.18
    np.fill_diagonal(ties, False)
    ties[3], ties[:, 3] = False, False
    found = network_figures(ties, np.ones(12, bool), np.arange(12) % 3)
    assert (found.n_ties, found.n_isolated) == (16, 1)
    np.testing.assert_allclose([found.density, found.reciprocity, found.cross], [0.12121212121212122, 0.25, 0.6875], rtol=1e-12)


def test_who_did_not_answer_makes_no_tie_and_is_not_isolated():
    ties = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0]], bool)
    found = network_figures(ties, np.array([True, True, False]), np.array(["a", "a", None], object))
    assert (found.n_ties, found.density, found.reciprocity, found.n_mutual) == (3, 3 / 4, 1.0, 1)  # the third's ties are not known
    assert (found.cross, found.n_isolated) == (0.0, 0)
    silent = network_figures(np.zeros((3, 3), bool), np.array([True, False, False]))
    assert (silent.n_isolated, silent.isolated) == (1, 1.0) and np.isnan(silent.reciprocity)


ROWS = pd.DataFrame(
    {
        "wave": "T1", "person_id": ["p1", "p2", "p3"], "center_id": ["a", "a", "b"], "first": ["p3; p2", "p1", None],
        "second": ["p2", "nobody", None],
    }
)  # fmt: skip
PEOPLE = pd.DataFrame({"person_id": ["p1", "p2", "p3", "p4"], "wave": "T1", "center_id": ["a", "a", "b", "b"]})
CENTERS = pd.DataFrame({"center_id": ["a", "b", "c"]})
SPEC = {"sources": ["staff"], "named": ["first", "second"], "separator": ";"}


def test_names_become_ties_once_and_unknown_names_are_counted():
    named = nominations(ROWS, SPEC)
    assert not named["anonymous"].any()
    assert named.fillna("-")[["person_id", "named"]].to_numpy().tolist() == [
        ["p1", "p2"], ["p1", "p3"], ["p2", "nobody"], ["p2", "p1"], ["p3", "-"]
    ]  # fmt: skip
    network, ties = networks(named, "person", PEOPLE, CENTERS)
    people, centers = network.set_index("level").loc["person"], network.set_index("level").loc["center"]
    assert people[["n_answered", "n_nodes", "n_ties", "n_mutual_pairs", "n_cross_center", "n_unknown"]].tolist() == [3, 4, 3, 1, 1, 1]
    assert np.isclose(people["density"], 3 / 9) and people["n_isolated"] == 0  # p3 is named, p4 did not answer
    assert centers[["n_answered", "n_nodes", "n_ties", "n_isolated"]].tolist() == [2, 3, 1, 0]
    assert ties.to_numpy().tolist() == [["T1", "a", "b", 1, 1]]


def test_answers_may_name_centers():
    rows = ROWS.assign(first=["b", "a;b", "z"], second=None)
    network, ties = networks(nominations(rows, SPEC), "center", PEOPLE, CENTERS)
    assert network["level"].tolist() == ["center"] and network.loc[0, ["n_ties", "n_unknown"]].tolist() == [1, 1]
    assert ties.loc[0, ["n_people", "n_ties"]].tolist() == [2, 2]


def test_ids_that_are_named_are_spelled_and_renamed_as_the_register_has_them():
    rows = ROWS.assign(wave=["T1", "T1", "T2"], source=["staff", "others", "staff"], first=["P-3; p2", "p9", "p9"], second=None)
    crosswalk = [
        {"old_id": "p9", "new_id": "p1", "waves": ["T2"], "from_wave": "T2", "source": ""},
        {"old_id": "p2", "new_id": "p4", "waves": [], "from_wave": "", "source": "staff"},
    ]
    plain, spelled, current = (
        nominations(rows, SPEC, *told)["named"].tolist()
        for told in ((), ({"case": "lower", "separators": "drop"},), ({"case": "lower", "separators": "drop"}, crosswalk))
    )
    assert plain == ["P-3", "p2", "p9", "p9"] and spelled == ["p2", "p3", "p9", "p9"]
    assert current == ["p3", "p4", "p9", "p1"]  # p9 is p1 from the second wave on


def test_anonymous_forms_count_among_centers_only():
    rows = ROWS.assign(person_id=[None, None, "p3"], first="p1", second=None)
    network, ties = networks(nominations(rows, SPEC), "person", PEOPLE, CENTERS)
    people = network.set_index("level").loc["person"]
    assert people[["n_answered", "n_nodes", "n_ties", "n_left_out"]].tolist() == [1, 4, 1, 2]
    assert ties.to_numpy().tolist() == [["T1", "b", "a", 1, 1]]


def test_an_unknown_column_is_refused():
    with pytest.raises(BscError) as fault:
        nominations(ROWS, {**SPEC, "named": ["third"]})
    assert fault.value.code == "BSC-CFG-289"
