"""Elements, attendance and costs: sums counted by hand, ranks under other weights, and what is refused."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.attendance import attendance_counts
from bscstudy.measures.costs import center_costs, people_reached
from bscstudy.measures.elements import element_scores, ranks, weight_sensitivity

SCORES = np.array([[1.0, 0.0, 0.4], [0.2, 0.9, 0.5], [0.6, 0.6, 0.6], [0.1, 0.0, 0.1]])


def test_ranks_under_other_weights_hold_those_of_every_weighting():
    found = weight_sensitivity(SCORES, np.array([3, 1, 1]), draws=4000, seed=1)
    assert np.allclose(found.score, SCORES @ [0.6, 0.2, 0.2]) and found.rank.tolist() == [1, 3, 2, 4]
    assert found.rank_equal.tolist() == [3, 2, 1, 4]
    assert found.rank_without[:, 0].tolist() == [3, 1, 2, 4]  # without the first: 0.2, 0.7, 0.6, 0.05
    assert found.rank_without[:, 2].tolist() == [1, 3, 2, 4]  # without the third: 0.75, 0.375, 0.6, 0.075
    grid = np.array([w for w in itertools.product(np.arange(0, 1.01, 0.05), repeat=3) if abs(sum(w) - 1) < 1e-9])
    everywhere = ranks(SCORES @ grid.T)
    assert (found.rank_drawn[:, 0] >= everywhere.min(axis=1)).all() and (found.rank_drawn[:, 1] <= everywhere.max(axis=1)).all()
    assert found.rank_drawn[3].tolist() == [4, 4]  # lowest whatever the weights
    again = weight_sensitivity(SCORES, np.array([3, 1, 1]), draws=4000, seed=1)
    assert (again.rank_drawn == found.rank_drawn).all()


def test_equal_scores_share_the_best_rank():
    assert ranks(np.array([0.1 + 0.2, 0.3, 0.1]))[:, 0].tolist() == [1, 1, 3]


def index_rows(index, values, element="dose", level="center"):
    return pd.DataFrame(
        {"index": index, "element": element, "level": level, "center_id": list("abc"), "collaborative": "x", "value": values}
    )


ELEMENTS = [{"id": "dose", "label": "Dose", "indices": ["up", "down"], "weight": 1}]
BETTER = {"up": "higher", "down": "lower", "neither": "none"}


def test_an_element_is_the_mean_of_its_indices_with_high_as_better():
    table = pd.concat([index_rows("up", [1.0, 2.0, 3.0]), index_rows("down", [0.5, 0.5, np.nan])])
    found = element_scores(table, ELEMENTS, {"label": "All"}, BETTER, 1).set_index(["element", "center_id"])["score"]
    assert np.allclose(found["dose"], [-0.5, 0.0, np.nan], equal_nan=True)  # the second does not differ; c lacks it
    assert found["composite"].isna().tolist() == [False, False, True]
    shares = pd.concat([index_rows("up", [0.1, 0.2, 0.3]), index_rows("down", [0.5, 0.5, 0.1])])
    found = element_scores(shares, ELEMENTS, {"label": "All", "scale": "share"}, BETTER, 1)
    assert np.allclose(found.loc[found["element"] == "dose", "score"], [0.3, 0.35, 0.6])


@pytest.mark.parametrize(
    ("elements", "composite", "table", "code"),
    [
        ([{"id": "dose", "label": "Dose", "indices": ["up"]}], {"label": "All"}, index_rows("up", 1.0), "BSC-CFG-282"),
        ([{**ELEMENTS[0], "indices": ["neither"]}], None, index_rows("neither", 1.0), "BSC-CFG-283"),
        ([{**ELEMENTS[0], "indices": ["up"]}], None, index_rows("up", 1.0, level="person"), "BSC-CFG-283"),
        ([{**ELEMENTS[0], "indices": ["up"]}], None, index_rows("up", 1.0, element="cost"), "BSC-CFG-283"),
        ([{**ELEMENTS[0], "indices": ["up"]}], {"label": "All", "scale": "share"}, index_rows("up", 2.0), "BSC-CFG-284"),
    ],
)
def test_a_composite_needs_weights_and_indices_that_fit(elements, composite, table, code):
    with pytest.raises(BscError) as fault:
        element_scores(table, elements, composite, BETTER, 1)
    assert fault.value.code == code


def test_attendance_is_counted_by_day_role_and_mode():
    rows = pd.DataFrame(
        {
            "session": "s1", "day": [1, 1, 2, 2, 2], "role": ["director", "teacher", "director", "teacher", None],
            "center_id": ["a", "b", "a", "b", "b"], "collaborative": "x", "there": [1.0, 0.0, np.nan, 1.0, 1.0],
            "how": ["online", None, None, "in_person", "online"],
        }
    )  # fmt: skip
    spec = {"source": "log", "session": "session", "day": "day", "present": "there", "mode": "how"}
    found = attendance_counts(rows, spec).query("collaborative == 'all'").set_index(["day", "role", "mode"])
    counts = ["n_expected", "n_present", "n_unknown", "n_centers", "n_centers_present"]
    assert found.loc[("1", "all", "all"), counts].tolist() == [2, 1, 0, 2, 1]
    assert found.loc[("2", "all", "all"), counts].tolist() == [3, 2, 1, 2, 1]
    assert found.loc[("2", "director", "all"), counts].tolist() == [1, 0, 1, 1, 0]
    assert found.loc[("2", "all", "online"), "n_present"] == 1 and ("1", "all", "in_person") not in found.index
    with pytest.raises(BscError) as fault:
        attendance_counts(rows, {**spec, "mode": "kind"})
    assert fault.value.code == "BSC-CFG-285"
    with pytest.raises(BscError) as fault:
        attendance_counts(rows.assign(there="yes"), spec)
    assert fault.value.code == "BSC-DAT-284"


PRICES = [
    {"category": "time", "label": "Time", "quantity": "hours", "unit": "hour", "price": 20, "low": 10, "high": 40},
    {"category": "fees", "label": "Fees", "quantity": "amount", "unit": "dollar", "price": 1},
]
COSTS = {"source": "costs", "category": "kind", "prices": PRICES}
LINES = pd.DataFrame(
    {"center_id": ["a", "a", "a", "b", "b"], "kind": ["time", "time", "fees", "time", "fees"], "hours": [2.0, 3, np.nan, np.nan, np.nan],
     "amount": [np.nan, np.nan, 50, np.nan, 70]}
)  # fmt: skip
REGISTER = pd.DataFrame({"center_id": ["a", "b", "c"], "collaborative": "x"})


def test_costs_are_quantities_times_prices_and_an_unknown_quantity_leaves_no_total():
    found = center_costs(LINES, COSTS, {"staff": pd.Series({"a": 5.0, "b": 4.0})}, REGISTER).set_index(["center_id", "category", "per"])
    amounts = ["cost_low", "cost", "cost_high"]
    assert found.loc[("a", "time", ""), ["quantity", *amounts]].tolist() == [5, 50, 100, 200]
    assert found.loc[("a", "total", ""), amounts].tolist() == [100, 150, 250] and found.loc[("a", "total", "staff"), "cost"] == 30
    assert found.loc["b"]["cost"].isna().tolist() == [False, True, True, True]  # fees are known, the hours are not
    assert np.isnan(found.loc[("c", "total", ""), "cost"])


def test_costs_are_divided_by_people_of_the_same_center():
    indices = pd.concat([index_rows("staff", [5.0, 4.0, 3.0]), index_rows("forms", 1.0, level="person")])
    assert people_reached(indices, [{"id": "reached", "index": "staff"}])["reached"].to_dict() == {"a": 5, "b": 4, "c": 3}
    with pytest.raises(BscError) as fault:
        people_reached(indices, [{"id": "reached", "index": "forms"}])
    assert fault.value.code == "BSC-CFG-293"


@pytest.mark.parametrize(
    ("lines", "spec", "code"),
    [
        (LINES, {**COSTS, "category": "sort"}, "BSC-CFG-286"),
        (LINES.replace("fees", "travel"), COSTS, "BSC-CFG-287"),
        (LINES, {**COSTS, "prices": [*PRICES, PRICES[0]]}, "BSC-CFG-287"),
        (LINES, {**COSTS, "prices": [{**PRICES[0], "low": 30}, PRICES[1]]}, "BSC-CFG-288"),
        (LINES.assign(hours=-1.0), COSTS, "BSC-DAT-282"),
        (LINES.assign(center_id=[None, "a", "a", "b", "b"]), COSTS, "BSC-DAT-283"),
    ],
)
def test_costs_that_would_be_wrong_are_refused(lines, spec, code):
    with pytest.raises(BscError) as fault:
        center_costs(lines, spec, {}, REGISTER)
    assert fault.value.code == code
