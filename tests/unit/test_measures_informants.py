"""Gaps between leaders and staff: within centers first, then over centers, each counting once."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.informants import center_gaps, gap_tests, refuse_other_ranges

GAP = {"id": "g", "label": "Gap", "leader": {"scale": "adm", "roles": ["director"]}, "staff": {"scale": "calm", "roles": ["teacher"]}}
SCALES = [{"scale": s, "rule": "mean", "low": 1.0, "high": 5.0} for s in ("adm", "calm")]


def scores(leaders, staff, wave="T1"):
    """Scores from {center: leader} and {center: [staff]}."""
    rows = [("adm", c, "director", v) for c, v in leaders.items()]
    rows += [("calm", c, "teacher", v) for c, values in staff.items() for v in values]
    rows += [("calm", c, "director", 1.0) for c in leaders]  # the leader's own answer to the staff's scale is not the staff's
    return pd.DataFrame(rows, columns=["scale", "center_id", "role", "score"]).assign(wave=wave)


def test_gaps_are_those_of_the_center():
    found = center_gaps(scores({"a": 4.0, "b": 3.0, "d": 2.0}, {"a": [2.0, 3.0], "b": [3.0], "c": [1.0, 2.0]}), [GAP])
    assert found[["center_id", "n_leader", "n_staff"]].to_numpy().tolist() == [["a", 1, 2], ["b", 1, 1], ["c", 0, 2], ["d", 1, 0]]
    np.testing.assert_array_equal(found["difference"], [1.5, 0.0, np.nan, np.nan])


def test_the_mean_gap_gives_each_center_one_vote_and_an_exact_p():
    leaders = {"a": 4.0, "b": 3.0, "c": 4.5, "d": 3.5, "e": 5.0}
    staff = {"a": [2.0, 3.0], "b": [3.0] * 9, "c": [3.0, 4.0, 5.0], "d": [3.0], "e": [2.0], "z": [1.0]}
    row = gap_tests(center_gaps(scores(leaders, staff), [GAP]), seed=1).iloc[0]
    differences = np.array([1.5, 0.0, 0.5, 0.5, 3.0])
    assert (row["n_centers"], row["n_one_sided"], row["n_leader"], row["n_staff"]) == (5, 1, 5, 16)
    assert row["difference"] == pytest.approx(differences.mean()) == pytest.approx(row["leader"] - row["staff"])
    flips = [abs(np.dot(signs, differences)) for signs in itertools.product([-1, 1], repeat=5)]
    assert row["p_value"] == np.mean(np.array(flips) >= differences.sum() - 1e-9)
    assert row["smallest_p"] == 2 * 2**-4 and np.isnan(row["low"])  # one center without a difference; five cannot give 95%


def test_one_center_is_not_tested():
    row = gap_tests(center_gaps(scores({"a": 4.0}, {"a": [2.0]}), [GAP]), seed=1).iloc[0]
    assert row["method"] == "fewer than two centers" and np.isnan(row["p_value"])


def test_scores_without_center_or_score_do_not_enter():
    holed = pd.concat([scores({"a": 4.0}, {"a": [2.0, 3.0]}), scores({"a": np.nan}, {"a": [np.nan]}), scores({None: 5.0}, {None: [5.0]})])
    assert center_gaps(holed, [GAP])[["n_leader", "n_staff", "difference"]].to_numpy().tolist() == [[1, 2, 1.5]]


@pytest.mark.parametrize("changes", [{"high": 4.0}, {"low": None}, {"rule": "sum"}])
def test_scales_on_other_ranges_are_refused(changes):
    refuse_other_ranges([GAP], SCALES)
    with pytest.raises(BscError, match="BSC-CFG-241"):
        refuse_other_ranges([GAP], [SCALES[0], {**SCALES[1], **changes}])
