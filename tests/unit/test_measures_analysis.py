"""The analysis tables: who is in them, and which changes may be worked out."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.analysis_tables import center_table, person_table, visit_table

NA = np.nan
WAVES = [
    {"id": "T1", "order": 1, "phase": "baseline"},
    {"id": "T2", "order": 2, "phase": "during"},
    {"id": "T4", "order": 4, "phase": "post"},
]
CENTERS = pd.DataFrame({"center_id": ["a", "b"], "collaborative": "north", "state": ["x", "y"]})


def item(name, waves="", version=1, maximum=5.0):
    scale = {"response_scale": f"agree{maximum:g}", "minimum": 1.0, "maximum": maximum}
    return {"instrument": "survey", "item": name, "type": "ordinal", "waves": waves, "sources": "", "version": version, **scale}


def study(*items):
    return {
        "waves": WAVES,
        "items": list(items),
        "scales": [{"scale": "calm", "instrument": "survey", "rule": "mean", "items": "a", "waves": ""}],
    }


@pytest.fixture
def scores():
    rows = [
        ("T1", "s1:2", "p1", "a", 1.0),
        ("T1", "s1:3", "p2", "a", 3.0),
        ("T1", "s1:4", None, "b", 2.0),
        ("T4", "s4:2", "p1", "a", 5.0),
        ("T4", "s4:3", "p9", "a", NA),
    ]
    table = pd.DataFrame(rows, columns=["wave", "row_id", "person_id", "center_id", "score"])
    return table.assign(scale="calm", instrument="survey", collaborative="north", role="teacher", core=pd.NA)


def test_nobody_is_lost_between_register_and_scores(scores):
    people = pd.DataFrame(
        {"person_id": ["p1", "p3"], "wave": "T1", "center_id": ["a", "b"], "role": ["director", "teacher"], "expected": 1}
    )
    table = person_table(people, scores, ["calm"]).set_index(["person_id", "wave"])
    assert sorted(table.index) == sorted([("p1", "T1"), ("p3", "T1"), ("p2", "T1"), ("s1:4", "T1"), ("p1", "T4"), ("p9", "T4")])
    assert table.loc[("p1", "T1"), ["role", "calm"]].tolist() == ["director", 1.0]  # the register's role counts
    assert np.isnan(table.loc[("p3", "T1"), "calm"])
    assert table["anonymous"].sum() == 1 and table.loc[("s1:4", "T1"), "calm"] == 2.0


def test_change_is_the_last_wave_minus_baseline_of_center_means(scores):
    table = center_table(CENTERS, scores, None, study(item("a"))).set_index("center_id")
    assert table.loc["a", "calm__change"] == 5.0 - 2.0
    assert np.isnan(table.loc["b", "calm__change"])  # not asked at the last wave
    assert table.loc["b", "state"] == "y"


def test_a_change_of_answers_between_waves_gives_no_change(scores):
    rescaled = study(item("a"), item("a", waves="T4", version=2, maximum=4.0))
    assert center_table(CENTERS, scores, None, rescaled)["calm__change"].isna().all()


def test_reversal_in_one_wave_only_gives_no_change(scores):
    two = study(item("a"))
    two["scales"] = [{**two["scales"][0], "waves": "T1"}, {**two["scales"][0], "waves": "T4", "items": "-a"}]
    assert center_table(CENTERS, scores, None, two)["calm__change"].isna().all()


def test_indices_become_columns_of_centers(scores):
    index = pd.DataFrame(
        {
            "index": ["posts", "posts", "hours", "share", "share"],
            "level": ["center", "center", "center", "person", "person"],
            "center_id": ["a", "b", "a", "a", "a"],
            "wave": [None, None, "T1", None, None],
            "value": [3.0, 0.0, 7.0, 0.2, 0.4],
        }
    )
    table = center_table(CENTERS, scores, index, study(item("a"))).set_index("center_id")
    assert table["posts"].tolist() == [3, 0]
    assert table.loc["a", "hours__T1"] == 7 and np.isnan(table.loc["b", "hours__T1"])
    assert table.loc["a", "share"] == pytest.approx(0.3, abs=1e-12)


def observed(**more):
    rows = {"observation_id": ["v1", "v1"], "score": ["share", "rating"], "value": [0.5, 4.0], "numerator": [1, NA], "denominator": [2, NA]}
    keys = {"wave": "T1", "collaborative": "north", "center_id": "a", "classroom_id": "r1", "person_id": "p1", "visit": pd.NA}
    return pd.DataFrame({**rows, **keys, **more})


def test_visits_keep_the_counts_of_shares_only():
    table = visit_table(observed(), ["share", "rating"])
    assert [c for c in table.columns if c.startswith(("share", "rating"))] == ["share", "share__n", "share__of", "rating"]
    assert table.loc[0, ["share", "share__n", "share__of", "rating"]].tolist() == [0.5, 1, 2, 4]


def test_instruments_that_disagree_on_a_visit_stop():
    with pytest.raises(BscError, match="BSC-KEY-204"):
        visit_table(observed(center_id=["a", "b"]), ["share", "rating"])
