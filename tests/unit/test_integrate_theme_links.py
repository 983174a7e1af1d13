"""Links between themes and outcomes: exact p against enumeration and tables, ranges without a center, what enters and what does not."""

from itertools import permutations
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bscstudy.integrate.rank_links import correlate_ranks, rank_correlation, split_high_low
from bscstudy.integrate.theme_groups import theme_groups
from bscstudy.integrate.theme_links import outcome_waves, theme_links
from bscstudy.multilevel.exact_tests import correlation_test, sign_flip_test

SCIPY = {"spearman": stats.spearmanr, "kendall": stats.kendalltau}


@pytest.mark.parametrize(
    ("method", "n", "needed", "p", "next_lower", "its_p"),
    [  # smallest coefficient with two-sided p of at most .05 and the next lower one that exists: Kendall & Gibbons 1990, tables 1 and 2
        ("spearman", 7, 0.786, 0.048, 0.750, 0.066),
        ("spearman", 8, 0.738, 0.046, 0.714, 0.058),
        ("kendall", 7, 0.714, 0.030, 0.619, 0.069),
        ("kendall", 8, 0.643, 0.031, 0.571, 0.061),
    ],
)
def test_the_coefficient_needed_with_seven_or_eight_centers(method, n, needed, p, next_lower, its_p):
    found = {}
    generator = np.random.default_rng(1)
    for _ in range(600):
        order = generator.permutation(n)
        found.setdefault(round(abs(rank_correlation(np.arange(n), order, method)), 3), order)
    for coefficient, expected in ((needed, p), (next_lower, its_p)):
        link = correlate_ranks(np.arange(n), found[coefficient], method, seed=1)
        assert round(link.p_value, 3) == expected and link.p_error == 0 and link.n_patterns == np.prod(range(1, n + 1))
        assert round(abs(link.estimate), 3) == coefficient
    assert not [c for c in found if next_lower < c < needed]


@pytest.mark.parametrize("method", SCIPY)
@pytest.mark.parametrize(("x", "y"), [([0, 0, 1 / 3, 1, 1, 1], [0.1, 0.4, 0.4, 0.3, 0.9, 1.2]), ([0.5, 0.5, 0, 1, 1], [3, 1, 2, 2, 5])])
def test_ties_equal_all_orders_one_by_one(method, x, y):
    all_orders = [SCIPY[method](x, order).statistic for order in permutations(y)]
    here = SCIPY[method](x, y).statistic
    link = correlate_ranks(np.array(x), np.array(y), method, seed=1)
    near = 1e-9  # far above rounding, far below the difference of two correlations of six ranks
    assert link.estimate == pytest.approx(here, abs=1e-12)  # the same formula
    assert link.p_value == pytest.approx(np.mean(np.abs(all_orders) >= abs(here) - near), abs=1e-12)
    assert link.smallest_p == pytest.approx(np.mean(np.abs(all_orders) >= np.max(np.abs(all_orders)) - near), abs=1e-12)
    without = [SCIPY[method](np.delete(x, i), np.delete(y, i)).statistic for i in range(len(x))]
    assert (link.without_low, link.without_high) == pytest.approx((min(without), max(without)), abs=1e-12)


@pytest.mark.parametrize("n", [10, 23])
def test_kendall_without_ties_is_counted(n):
    order = np.random.default_rng(n).permutation(n)
    reference = stats.kendalltau(np.arange(n), order, method="exact")
    link = correlate_ranks(np.arange(n), order, "kendall", seed=1)
    assert link.p_value == pytest.approx(reference.pvalue, rel=1e-9)  # sums of whole numbers on both sides
    assert link.n_patterns == 0 and link.p_error == 0


def test_random_orders_repeat_and_state_their_error():
    order = np.random.default_rng(4).permutation(12)
    link = correlate_ranks(np.arange(12), order, "spearman", seed=7, draws=20_000)
    assert link == correlate_ranks(np.arange(12), order, "spearman", seed=7, draws=20_000)
    assert link.p_error == pytest.approx(sqrt(link.p_value * (1 - link.p_value) / 20_001))
    drawn = correlation_test(np.arange(12), order, method="kendall", draws=20_000, seed=7).p_value
    exact = correlate_ranks(np.arange(12), order, "kendall", seed=7).p_value
    assert abs(drawn - exact) < 4 * sqrt(exact * (1 - exact) / 20_001)  # four standard errors of the drawn p


def test_one_center_can_make_an_association():
    x, y = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0]), np.array([2.0, 3.0, 1.0, 2.5, 1.5, 0.5, 9.0])
    link = correlate_ranks(x, y, "spearman", seed=1)
    assert link.without_low < -0.4 and link.without_low == pytest.approx(stats.spearmanr(x[:-1], y[:-1]).statistic)
    nothing = correlate_ranks(np.ones(7), y, "spearman", seed=1)
    assert np.isnan([nothing.estimate, nothing.p_value, nothing.without_low]).all()


def test_high_and_low_centers_by_a_rule_said_beforehand():
    four = split_high_low(np.array([0.5, 0.6, 1, 1, 0, 0.1, 0.2, 0.49]), np.array([8.0, 7, 6, 5, 1, 2, 3, 4]), seed=1)
    assert (four.n_high, four.n_low, four.p_value) == (4, 4, 2 / 70)  # exactly half counts as high
    three = split_high_low(np.array([1, 1, 1, 1, 0, 0, 0]), np.array([9.0, 8, 7, 6.5, 1, 0, 0.5]), seed=1)
    assert (three.p_value, three.p_doubled) == (1 / 35, 2 / 35) and three.difference == pytest.approx(7.625 - 0.5)
    assert sign_flip_test(np.arange(1.0, 8)).smallest_p == 2 / 2**7
    assert np.isnan(split_high_low(np.ones(5), np.arange(5.0), seed=1).p_value)


CENTERS = pd.DataFrame({"center_id": [f"c{i}" for i in range(9)], "collaborative": "x"})
CONFIG = {
    "waves": [{"id": "T1", "order": 1, "phase": "baseline"}, {"id": "T2", "order": 2, "phase": "post"}],
    "scales": [{"scale": "sel", "instrument": "staff", "rule": "mean", "items": "a", "better": "higher"}],
    "items": [{"instrument": "staff", "item": "a", "type": "ordinal", "response_scale": "agree", "minimum": 1, "maximum": 5}],
    "sources": {}, "harmonisation": [], "models": {},
    "theory_of_change": {"constructs": [{"id": "practice", "scales": ["sel"]}]},
    "integration": {"links": [
        {"id": "a", "theme": "lead", "outcome": "sel"}, {"id": "b", "theme": "lead", "outcome": "dose", "theme_value": "presence"},
    ]},
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    generator = np.random.default_rng(2)
    asked, present = [4, 4, 4, 4, 4, 4, 4, 4, 0], [0, 1, 1, 2, 3, 3, 4, 4, 0]
    themes = pd.DataFrame({"theme": "lead", "center_id": CENTERS["center_id"], "wave": "all", "n_asked": asked, "n_present": present})
    rows = [
        {"scale": "sel", "instrument": "staff", "wave": wave, "row_id": f"{wave}{c}{p}", "person_id": f"c{c}p{p}", "center_id": f"c{c}",
         "score": 3 + (wave == "T2") * present[c] / 4 + generator.normal(0, 0.3)}
        for wave in ("T1", "T2") for c in range(9) for p in range(6)
    ]  # fmt: skip
    fidelity = pd.DataFrame(
        {"index": "dose", "unit_id": CENTERS["center_id"], "wave": None, "center_id": CENTERS["center_id"], "value": range(9)}
    )
    return themes[themes["n_asked"] > 0], pd.DataFrame(rows), fidelity[fidelity["center_id"] != "c0"]


def test_a_link_rests_on_the_centers_with_both(tables):
    links, values = theme_links(CONFIG, *tables, CENTERS, seed=3)
    link = links.set_index("link").loc["a"]
    assert link["n_centers"] == 8 and link["n_sessions"] == 32 and link["outcome_waves"] == "T1 to T2"
    own = values[values["link"] == "a"].set_index("center_id")
    assert np.isnan(own.loc["c8", "theme_value"]) and np.isnan(own.loc["c8", "outcome_rank"])  # not asked is not zero
    assert own.loc["c0", "theme_value"] == 0 and own.loc["c0", "n_people"] == 6
    known = own.dropna(subset=["theme_value"])
    change = tables[1].pivot_table(index="center_id", columns="wave", values="score").eval("T2 - T1")
    assert link["rho"] == pytest.approx(stats.spearmanr(known["theme_value"], change[known.index]).statistic, abs=1e-9)
    assert link["rho_p_error"] == 0 and link["rho_share_low"] < link["rho_share_high"] <= 1
    assert link["slope_reason"] == "" and link["slope"] > link["slope_naive"] > 0


def test_presence_has_no_share_error_and_an_index_no_people(tables):
    links, values = theme_links(CONFIG, *tables, CENTERS, seed=3)
    link = links.set_index("link").loc["b"]
    assert link["n_centers"] == 7 and np.isnan(link["rho"])  # c0, the only center without the theme, has no index
    assert np.isnan(link["rho_share_low"]) and "presence" in link["slope_reason"] and (link["split_n_high"], link["split_n_low"]) == (7, 0)
    assert set(values.loc[values["link"] == "b", "theme_value"].dropna()) == {0.0, 1.0}


def test_a_link_added_changes_no_other_but_the_note_on_all(tables):
    many = {
        **CONFIG,
        "integration": {"links": [*CONFIG["integration"]["links"], {"id": "z", "theme": "lead", "outcome": "sel", "measure": "level"}]},
    }
    few, more = theme_links(CONFIG, *tables, CENTERS, seed=3)[0], theme_links(many, *tables, CENTERS, seed=3)[0]
    own = few.columns.drop("rho_p_bh")
    pd.testing.assert_frame_equal(few[own], more.loc[:1, own], check_dtype=False)
    reference = stats.false_discovery_control(more["rho_p_value"].dropna())
    assert more["rho_p_bh"].dropna().to_numpy() == pytest.approx(reference)


def test_the_waves_of_an_outcome(tables):
    _, scores, _ = tables
    assert outcome_waves({"outcome": "sel", "waves": ["T2", "T1"]}, CONFIG, scores) == ("T2", "T1")
    assert outcome_waves({"outcome": "sel", "measure": "level"}, CONFIG, scores) == ("T2",)
    assert outcome_waves({"outcome": "dose"}, CONFIG, scores) == ()
    models = {"m": {"question": "change", "unit": "person", "construct": "practice", "outcome": "sel",
                    "contrasts": [{"id": "x", "compare": {"wave": ["T2", "T3"]}}]}}  # fmt: skip
    assert outcome_waves({"outcome": "sel"}, {**CONFIG, "models": models}, scores) == ("T2", "T3")


def test_groups_leave_out_centers_with_few_sessions():
    cells = pd.DataFrame(
        {"outcome": "sel", "theme": "lead", "outcome_waves": "T1 to T2", "center_id": list("abcdef"), "n_asked": [4, 4, 4, 4, 2, 4],
         "n_present": [4, 2, 1, 0, 2, 4], "share": [1, 0.5, 0.25, 0, 1, 1], "outcome_change": [1.0, 3, 0, 1, 99, None]}
    )  # fmt: skip
    row = theme_groups(cells, seed=1).iloc[0]
    assert (row["high_n_centers"], row["high_mean"], row["low_n_centers"], row["low_mean"]) == (2, 2.0, 2, 0.5)
    assert row["high_sd"] == pytest.approx(sqrt(2)) and row["difference"] == 1.5 and row["high_n_asked"] == 8
