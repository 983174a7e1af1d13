"""Exhibits of themes in numbers and of rated constructs: what is withheld, what is told, no center's id."""

import copy

import pandas as pd
import pytest

from bscstudy.exhibits import cfir_ratings, co_occurrence, saturation, theme_measures
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.center_themes import BANDS
from bscstudy.exhibits.markup import table_fragment
from bscstudy.qual.construct_ratings import distinguishing_table
from bscstudy.qual.rater_reliability import rater_reliability
from bscstudy.qual.ratings import read_ratings, settle_ratings
from bscstudy.qual.saturation import saturation_curve

CENTERS = [f"center_{i}" for i in range(8)]
SPEC = {
    "source": "ratings",
    "outcome": "sel",
    "constructs": [{"id": "leaders", "label": "Leaders", "domain": "Inner"}, {"id": "cost", "label": "Cost", "domain": "Outer"}],
}
CONFIG = {
    "study": {"seed": 5, "synthetic": True},
    "waves": [{"id": "T1", "label": "Before", "order": 1}, {"id": "T2", "label": "After", "order": 2}],
    "collaboratives": [{"id": "x", "label": "Alder"}, {"id": "y", "label": "Birch"}],
    "roles": [{"id": "director", "label": "Director"}, {"id": "teacher", "label": "Teacher"}],
    "scales": [{"scale": "sel", "label": "Practice", "better": "higher"}],
    "themes": [{"theme": "a", "label": "Time"}, {"theme": "b", "label": "Leaders"}],
    "privacy": {"min_cell": 5, "show_centers": True},
    "qual": {"ratings": SPEC},
}


def context(kind="x", options=None, **privacy) -> Context:
    config = copy.deepcopy(CONFIG)
    config["privacy"] |= privacy
    return Context("E1", kind, "Title", "Part", options or {}, config)


def measures(**changed) -> pd.DataFrame:
    """Return theme a in all, two waves and one role; `changed` gives (wave, role) -> (n_asked, n_present, centers that raised it)."""
    counts = {("all", "all"): (30, 18, 8), ("T1", "all"): (15, 9, 6), ("T2", "all"): (15, 9, 6), ("all", "director"): (30, 18, 8)}
    counts |= changed.get("counts", {})
    rows = [
        {"theme": "a", "wave": w, "role": r, "unit": "session", "n_asked": n, "n_present": x, "share": x / n if n else None,
         "low": 0.1, "high": 0.9, "n_centers_raised": c, "design_effect": 1.2, "low_centers": 0.05, "high_centers": 0.95,
         "n_excerpts": 40, "density": 2.5, "coverage": None, "intensity": None, "net_valence": 0.5}
        for (w, r), (n, x, c) in counts.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def measured(present_by_other=17, **changed):
    data = measures(**changed)
    counted = data[["theme", "wave", "role", "unit", "n_present", "share"]].assign(coder="counted")
    other = counted.assign(coder="second:b", n_present=present_by_other, share=counted["share"] - 0.05)
    sessions = pd.DataFrame({"unit_id": ["s"], "unit": ["session"], "coded": [1], "asked": [1], "present": [1], "center_id": ["center_0"]})
    return {"qual/theme_measures": data, "qual/coder_sensitivity": pd.concat([counted, other]), "qual/presence": sessions}


def shown(tables):
    return theme_measures.build(tables, context()).table.set_index("Of")


def test_shares_stand_with_both_intervals_and_the_range_over_coders():
    table = shown(measured())
    assert table.loc["All", "Share (95% interval)"] == "60% (10% to 90%)"
    assert (table.loc["All", "Allowing for centers"], table.loc["All", "Other coders"]) == ("5% to 95%", "55% to 60%")
    assert "Of the text" not in table.columns, "nobody declared lengths"


def test_rows_of_few_hide_what_would_give_them_away():
    table = shown(measured(counts={("T1", "all"): (15, 2, 2), ("T2", "all"): (15, 16, 6)}))
    assert table.loc[["Before", "After"], "Raised"].tolist() == ["hidden", "hidden"]
    assert (table.loc[["Before", "After"]].drop(columns=["Theme", "Raised"]) == "–").all(axis=None)
    assert table.loc["All", "Raised"] == "18 of 30"


def test_a_theme_of_one_center_is_a_band():
    table = shown(measured(counts={("T1", "all"): (15, 9, 1)}))
    assert table.loc["Before", "Raised"] == BANDS[1] and table.loc["After", "Raised"] == "hidden"


def test_what_was_not_asked_is_no_zero():
    row = shown(measured(counts={("T1", "all"): (0, 0, 0)})).loc["Before"]
    assert row["Raised"] == "not asked" and set(row.drop(["Theme", "Raised"])) == {"–"}


def test_a_small_count_of_another_coder_shows_no_range():
    assert "Other coders" not in shown(measured(present_by_other=3)).columns


def pair(**changed):
    row = {
        "theme_1": "a",
        "theme_2": "b",
        "n_asked": 30,
        "n_1": 20,
        "n_2": 15,
        "n_both": 10,
        "n_centers": 5,
        "share": 0.4,
        "low": 0.2,
        "high": 0.6,
    }
    return {"qual/co_occurrence": pd.DataFrame([{**row, **changed}])}


@pytest.mark.parametrize("changed", [{"n_both": 2, "share": 0.06}, {"n_centers": 1}, {"n_1": 4}, {"n_asked": 3}])
def test_pairs_of_few_or_of_one_center_are_hatched(changed):
    both = {"qual/co_occurrence": pd.concat([pair(**changed)["qual/co_occurrence"], pair(theme_2="c")["qual/co_occurrence"]])}
    exhibit = co_occurrence.build(both, context())
    assert len(exhibit.table) == 1 and exhibit.data["share"].isna().sum() == 1 and exhibit.data["n_both"].isna().sum() == 1
    assert "too few" in exhibit.figure.legends[0].get_texts()[0].get_text()
    assert "Not shown" in co_occurrence.build(pair(**changed), context()).table.columns


def test_saturation_shows_no_session():
    curve = saturation_curve([{"p"}, {"p", "q"}, {"q"}, {"p"}], seed=1)
    data = curve.assign(kind="theme", session_id=CENTERS[0], wave="T1", date=None)
    exhibit = saturation.build({"qual/saturation": data}, context())
    assert exhibit.table.iloc[0].tolist() == ["Themes", "4", "2", "1", "2", "2", "0"]
    assert CENTERS[0] not in table_fragment(exhibit, context()) and "session_id" not in exhibit.data.columns


def rated(informants=6, **spec):
    values = {"leaders": ["2", "2", "1", "2", "-1", "-1", "0", "X"], "cost": ["0", "1", "0", "M", "0", "1", "0", "0"]}
    rows = [
        (center, name, rater, "independent", value, informants, 1)
        for name, line in values.items()
        for center, value in zip(CENTERS, line, strict=True)
        for rater in ("r1", "r2")
    ]
    columns = ["center_id", "construct", "rater_id", "stage", "rating", "n_informants", "blind"]
    table = pd.DataFrame(rows, columns=columns).assign(row=range(len(rows)), wave="T2")
    read = read_ratings(table, SPEC["constructs"], "ratings")
    outcome = pd.Series(range(8, 0, -1), index=CENTERS, dtype=float)
    group = ["high"] * 4 + ["low"] * 4
    return {
        "qual/ratings": settle_ratings(read),
        "qual/distinguishing": distinguishing_table(settle_ratings(read), {**SPEC, **spec}, outcome, CENTERS),
        "qual/rater_reliability": rater_reliability(read, ["leaders", "cost"], draws=200),
        "qual/rating_outcome": pd.DataFrame(
            {"center_id": CENTERS, "outcome": "sel", "outcome_waves": "T1 to T2", "outcome_change": outcome.to_numpy(), "group": group}
        ),
        "centers": pd.DataFrame({"center_id": CENTERS, "collaborative": ["x"] * 6 + ["y"] * 2}),
    }


def test_the_matrix_stands_in_the_order_of_the_outcome_with_labels():
    exhibit = cfir_ratings.build(rated(), context())
    assert exhibit.table["Distinguishes"].tolist() == ["strongly", "no"]
    leaders = exhibit.data[exhibit.data["construct"] == "leaders"]
    assert leaders["text"].tolist() == ["+2", "+2", "+1", "+2", "−1", "−1", "0", "X"]
    assert leaders["outcome_change"].is_monotonic_decreasing
    labels = [label.get_text() for label in exhibit.figure.axes[1].get_yticklabels()]
    assert labels == ["strong: Leaders", "Cost"]
    assert "tau-b" in exhibit.sentences[-1] and "8 centers" in exhibit.sentences[-1] and "effect" not in " ".join(exhibit.sentences)
    assert "16 of 16 (100%)" in exhibit.notes["Blind"]


@pytest.mark.parametrize(("informants", "texts"), [(4, ["+", "+", "+", "+", "−", "−", "0", "X"]), (2, [""] * 8), (None, [""] * 8)])
def test_few_informants_show_a_direction_or_nothing(informants, texts):
    data = cfir_ratings.build(rated(informants), context()).data
    leaders = data[data["construct"] == "leaders"]
    assert leaders["text"].tolist() == texts
    assert leaders["shade"].abs().max() <= 1 or leaders["shade"].isna().all()


def test_hidden_centers_become_means_of_collaboratives():
    exhibit = cfir_ratings.build(rated(), context(show_centers=False))
    data = exhibit.data.set_index(["construct", "group"])
    assert data.loc[("leaders", "Alder"), "shade"] == pytest.approx(5 / 6)
    assert pd.isna(data.loc[("leaders", "Birch"), "shade"]), "two centers have no mean"


@pytest.mark.parametrize("show", [True, False])
def test_no_center_id_is_shown(show):
    here = context(show_centers=show)
    exhibit = cfir_ratings.build(rated(), here)
    said = table_fragment(exhibit, here) + " ".join(exhibit.sentences) + exhibit.alt + exhibit.data.to_csv()
    assert not [center for center in CENTERS if center in said]


def test_means_of_few_centers_are_not_shown():
    exhibit = cfir_ratings.build(rated(high=CENTERS[:2], low=CENTERS[4:]), context())
    assert exhibit.table["Mean where high"].tolist() == ["– (2 centers)", "– (2 centers)"]
    assert set(exhibit.table["Difference (without one center)"]) == {"–"}
