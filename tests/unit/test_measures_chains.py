"""Ramps of PDSA cycles: every number on a table that can be counted by hand, chains against scipy, and links that lead nowhere."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bscstudy.errors import BscError
from bscstudy.loading import load_study
from bscstudy.measures.chains import follow_chains
from bscstudy.measures.indices import derive_fields, fidelity_indices
from bscstudy.new_study import TEMPLATE

CENTERS = pd.DataFrame({"center_id": ["a", "b", "z"], "collaborative": ["north", "north", "south"]})
CYCLES = pd.DataFrame(
    [
        (4, "a", "C3", "C2", "adopt"),
        (2, "a", "C1", None, "adapt"),
        (3, "a", "C2", "C1", "adapt"),
        (5, "a", "C4", None, None),
        (6, "b", "C5", None, "adapt"),
        (7, "b", "C6", "C5", "abandon"),
        (8, "b", "C7", "C5", "adopt"),
    ],
    columns=["row", "center_id", "cycle", "previous_cycle", "decision"],
)
RAMP = {"source": "pdsa", "column": "ramp", "rule": "chain", "id": "cycle", "previous": "previous_cycle"}
INDICES = {
    "ramps": {"rule": "distinct", "per": ["ramp"]},
    "cycles_a_ramp": {"rule": "rate", "per": ["ramp"]},
    "longest": {"rule": "largest_group", "group": "ramp"},
    "in_ramps": {"rule": "share", "where": "ramp_length >= 2"},
    "adapted_first": {"rule": "share", "where": "decision == 'adapt'", "within": "ramp_step == 1 and decision == decision"},
    "adopted_last": {"rule": "share", "where": "decision == 'adopt'", "within": "ramp_last == 1 and decision == decision"},
    "adapted_then_adopted": {"rule": "share_of_groups", "group": "ramp", "where_each": ["decision == 'adapt'", "decision == 'adopt'"]},
}


def ramps(cycles=CYCLES, **changes):
    return derive_fields(cycles, [RAMP | changes])


def test_cycles_that_name_the_one_before_are_followed_as_a_ramp():
    found = ramps().set_index("cycle")
    assert found["ramp"].to_dict() == {"C1": "C1", "C2": "C1", "C3": "C1", "C4": "C4", "C5": "C5", "C6": "C5", "C7": "C5"}
    assert found["ramp_step"].to_dict() == {"C1": 1, "C2": 2, "C3": 3, "C4": 1, "C5": 1, "C6": 2, "C7": 2}
    assert found["ramp_length"].to_dict() == {"C1": 3, "C2": 3, "C3": 3, "C4": 1, "C5": 3, "C6": 3, "C7": 3}
    assert set(found.index[found["ramp_last"] == 1]) == {"C3", "C4", "C6", "C7"}


def test_ramps_of_each_center():
    shared = {"element": "dose", "source": "pdsa", "by": ["center_id"]}
    specs = [{"id": name, "label": name, **shared, **spec} for name, spec in INDICES.items()]
    table = fidelity_indices({"pdsa": CYCLES}, {"fidelity": specs, "derive": [RAMP]}, None, CENTERS)
    found = table.pivot(index="index", columns="unit_id", values="value")
    expected = {
        "ramps": [2, 1, 0], "cycles_a_ramp": [2, 3, np.nan], "longest": [3, 3, 0], "in_ramps": [0.75, 1, np.nan],
        "adapted_first": [1, 1, np.nan], "adopted_last": [1, 0.5, np.nan], "adapted_then_adopted": [0.5, 1, np.nan],
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_array_equal(found.loc[name, ["a", "b", "z"]].astype(float), values, err_msg=name)


def test_ids_that_are_given_anew_in_each_center_and_stored_as_numbers():
    numbered = pd.DataFrame({"center_id": ["a", "a", "b", "b"], "cycle": [1, 2, 1, 2], "previous_cycle": [np.nan, 1.0, np.nan, np.nan]})
    found = ramps(numbered, within=["center_id"])
    assert found["ramp"].tolist() == ["1", "1", "1", "2"] and found["ramp_length"].tolist() == [2, 2, 1, 1]
    with pytest.raises(BscError, match="BSC-DAT-240"):
        ramps(numbered)


def test_chains_are_the_connected_parts_of_a_random_forest_and_steps_the_way_back():
    random = np.random.default_rng(11)
    order = random.permutation(300)
    previous = np.full(300, -1)
    for place in range(1, 300):
        if random.random() < 0.7:
            previous[order[place]] = order[random.integers(place)]
    linked = np.flatnonzero(previous >= 0)
    n_parts, part = connected_components(coo_array((np.ones(len(linked)), (linked, previous[linked])), (300, 300)), directed=False)
    chains = follow_chains(previous)
    assert len(set(chains.first)) == len(set(zip(chains.first, part, strict=True))) == n_parts
    assert chains.length.tolist() == np.bincount(part)[part].tolist()
    for row in range(300):
        steps, at = 1, row
        while previous[at] >= 0:
            steps, at = steps + 1, previous[at]
        assert (chains.step[row], chains.first[row], chains.last[row]) == (steps, at, row not in previous)


@pytest.mark.parametrize(
    ("links", "code", "place"),
    [
        ({"cycle": {1: None}}, "BSC-DAT-240", "column cycle, row 2"),
        ({"cycle": {1: "C3"}}, "BSC-DAT-240", "column cycle, rows 2, 4"),
        ({"previous_cycle": {0: "C9", 4: "c1"}}, "BSC-DAT-241", "column previous_cycle, rows 4, 6"),
        ({"previous_cycle": {3: "C4"}}, "BSC-DAT-242", "column previous_cycle, row 5"),
        ({"previous_cycle": {1: "C3"}}, "BSC-DAT-242", "column previous_cycle, rows 2, 3, 4"),
    ],
)
def test_links_that_cannot_be_followed(links, code, place):
    cycles = CYCLES.copy()
    for column, cells in links.items():
        cycles.loc[list(cells), column] = list(cells.values())
    with pytest.raises(BscError) as fault:
        ramps(cycles)
    assert fault.value.code == code and place in str(fault.value) and "C9" not in str(fault.value)


def test_a_link_to_another_center_is_refused_where_links_stay_within_centers():
    cycles = CYCLES.assign(previous_cycle=CYCLES["previous_cycle"].replace({"C2": "C5"}))
    assert ramps(cycles).set_index("cycle").loc["C3", "ramp"] == "C5"
    with pytest.raises(BscError, match="BSC-DAT-241"):
        ramps(cycles, within=["center_id"])


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (RAMP | {"previous": "follows"}, "BSC-CFG-242"),
        (RAMP | {"within": ["team"]}, "BSC-CFG-242"),
        (RAMP | {"column": "decision"}, "BSC-CFG-244"),
        ({"column": "most", "rule": "max", "of": ["minutes"]}, "BSC-CFG-242"),
        ({"column": "most", "rule": "max", "of": ["row", "decision"]}, "BSC-CFG-243"),
    ],
)
def test_faulty_fields_stop(field, code):
    with pytest.raises(BscError, match=code):
        derive_fields(CYCLES, [field])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("rule: chain, id: cycle", "the key 'previous' is missing"),
        ("rule: max", "the key 'of' is missing"),
        ("rule: chain, id: cycle, previous: before, of: [cycle]", "derive.0.of: this key means nothing beside the others"),
        ("rule: max, of: [cycle], id: cycle", "derive.0.id: this key means nothing beside the others"),
    ],
)
def test_a_chain_is_declared_by_id_and_previous(tmp_path, keys, said):
    shutil.copytree(TEMPLATE, tmp_path / "study")
    (tmp_path / "study/config/measures.yaml").write_text(f"derive: [{{source: staff, column: ramp, {keys}}}]\n", encoding="utf-8")
    with pytest.raises(BscError, match="BSC-CFG-002") as fault:
        load_study(tmp_path / "study" / "config")
    assert said in str(fault.value)
