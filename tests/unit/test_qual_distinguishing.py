"""The distinguishing rule: a published matrix of 18 constructs, what one center does to a label, and groups by outcome."""

import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.qual.construct_ratings import compared_centers, distinguishing_table
from bscstudy.qual.distinguishing import DistinguishingRule, compare_groups, distinguish, outcome_groups
from bscstudy.qual.ratings import read_ratings, settle_ratings

#: the published table leaves both blank
PUBLISHED = {"strong": "Strong", "weak": "Weak", "not_distinguishing": "not distinguishing", "missing": "not distinguishing"}


@pytest.fixture
def matrix(reference_folder):
    """PMC4704938, Table 2: 4 units with high and 1 with low uptake; blank cells are M."""
    return pd.read_csv(reference_folder / "cfir/pmc4704938_table2.csv")


def test_the_rule_gives_all_published_labels(matrix):
    highs = [f"high_{i}" for i in range(1, 5)]
    long = matrix.melt(id_vars="construct", value_vars=[*highs, "low_1"], var_name="center_id", value_name="rating")
    long = long.assign(row=range(len(long)), rating=long["rating"].map(lambda v: "M" if math.isnan(v) else f"{v:.0f}"), rater_id="r")
    mixed = long["construct"].isin(["Relative advantage", "Cost"]) & (long["rating"] == "0")
    first = mixed & ~long.assign(mixed=mixed).duplicated(["construct", "mixed"])
    long.loc[first, "rating"] = "X"  # printed as 0 mixed
    constructs = [{"id": name} for name in matrix["construct"]]
    settled = settle_ratings(read_ratings(long, constructs, "ratings"))
    spec = {"constructs": constructs, "high": highs, "low": ["low_1"]}
    found = distinguishing_table(settled, spec, pd.Series(dtype=float), [*highs, "low_1"])
    labels = found.set_index("construct")["label"].map(PUBLISHED)
    assert len(labels) == 18
    assert labels.to_dict() == dict(zip(matrix["construct"], matrix["published_label"], strict=True))
    assert found.loc[found["label"].isin(["strong", "weak"]), "sensitive"].all(), "with one low unit every label rests on it"
    assert int(found["n_mixed"].sum()) == 2


@pytest.mark.parametrize(
    ("high", "low", "label"),
    [
        ([2, 2, 1], [0, -1, -1], "strong"),
        ([2, 2, -1], [-1, -1, -1], "weak"),  # difference 2, but the groups overlap
        ([1, 0, 0], [0, -1, 0], "not_distinguishing"),
        ([-2, -2], [1, 1], "strong"),  # the other way round
        ([1], [np.nan], "missing"),
    ],
)
def test_labels_of_small_matrices(high, low, label):
    assert compare_groups(np.array(high), np.array(low)).label == label


def test_thresholds_are_the_studys():
    assert compare_groups([2, 1], [0, 0], DistinguishingRule(strong=1.5)).label == "strong"
    assert compare_groups([2, 1], [0, 0], DistinguishingRule(weak=1.6)).label == "not_distinguishing"
    # 1.2 - 0.9 is 0.29999999999999993 in double precision
    assert compare_groups([2, 1, 1, 1, 1], [1] * 9 + [0], DistinguishingRule(weak=0.3)).label == "weak"


def test_leaving_out_a_center_is_done_for_each():
    ratings = pd.Series({"a": 2.0, "b": 2.0, "c": 1.0, "d": -1.0, "e": 1.0, "f": 0.0})
    outcome = pd.Series({"a": 6.0, "b": 5.0, "c": 4.0, "d": 1.0, "e": 2.0, "f": 3.0})
    found = distinguish(ratings, {"a", "b", "c"}, {"d", "e"}, outcome, DistinguishingRule())
    # high mean 5/3, low mean 0: weak; without c difference 2 and no overlap, without d 2/3, without e 8/3 and no overlap
    assert found.groups.label == "weak" and found.flips == ("c", "d", "e")
    assert (found.difference_low, found.difference_high) == pytest.approx((2 / 3, 8 / 3))
    from scipy.stats import kendalltau

    taus = [kendalltau(ratings.drop(c), outcome.drop(c)).statistic for c in ratings.index]
    assert (found.tau_low, found.tau_high) == pytest.approx((min(taus), max(taus)))


def test_groups_leave_out_the_middle_and_ties_across_it():
    outcome = pd.Series([1.0, 2, 3, 3, 4, 5, np.nan], index=list("abcdefg"))
    assert outcome_groups(outcome) == ({"e", "f"}, {"a", "b"}), "c and d are tied across the border"
    assert outcome_groups(outcome.drop("c"), "halves") == ({"e", "f"}, {"a", "b"})
    assert outcome_groups(outcome, "thirds") == ({"e", "f"}, {"a", "b"})
    assert outcome_groups(pd.Series(dtype=float)) == (set(), set())


def test_named_groups_must_be_centers_and_apart():
    with pytest.raises(BscError, match="BSC-QUA-045"):
        compared_centers({"high": ["a", "x"], "low": ["a"]}, pd.Series(dtype=float), ["a", "b"])
