"""The exhibits of single models: sentences follow the numbers, no center leaks, nothing small is shown."""

import json
from importlib import import_module

import exhibit_models
import numpy as np
import pandas as pd
import pytest
from exhibit_study import CONFIG, context

from bscstudy.exhibits import markup, model_notes, model_words, record, style
from bscstudy.exhibits.base import check_exhibit
from bscstudy.exhibits.means_privacy import withheld_cells
from bscstudy.multilevel.ladder import RUNGS

KINDS = ("model_ladder", "variance_partition", "center_caterpillar", "marginal_means", "influence", "diagnostics", "model_agreement")


def built(kind, config=CONFIG, options=None, **changed):
    """Return an exhibit of the invented tables, read back as it is by the step: only the tables that it names."""
    module = import_module(f"bscstudy.exhibits.{kind}")
    tables = {**exhibit_models.all_tables(), **{name.replace("__", "/"): table for name, table in changed.items()}}
    shown = context(kind=kind, config=config, options=options or {})
    return module.build({name: tables[name] for name in module.TABLES}, shown), shown, module


@pytest.mark.parametrize("kind", KINDS)
def test_every_exhibit_is_whole_and_gives_the_same_bytes(kind):
    exhibit, shown, module = built(kind)
    check_exhibit(exhibit, shown, module.FIGURE)
    assert {"Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions", "Second engine"} <= set(exhibit.notes)
    assert exhibit.data is not None and exhibit.sentences
    assert "<th scope" in markup.table_fragment(exhibit, shown) and "effect" not in json.dumps(record.of(exhibit, shown, has_figure=True))
    assert (exhibit.figure is not None) == module.FIGURE
    if module.FIGURE:
        assert exhibit.alt.endswith(".")
        assert style.figure_bytes(exhibit.figure, "svg") == style.figure_bytes(built(kind)[0].figure, "svg")


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_without_models_is_told_so(kind):
    shown = import_module(f"bscstudy.exhibits.{kind}").build({}, context())
    assert list(shown.table.columns) == ["Not shown"] and shown.caption.endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_does_not_matter(kind):
    shuffled = {name.replace("/", "__"): t.sample(frac=1, random_state=2) for name, t in exhibit_models.all_tables().items()}
    first, second = built(kind)[0], built(kind, **shuffled)[0]
    assert first.table.equals(second.table) and first.sentences == second.sentences


@pytest.mark.parametrize("kind", ["center_caterpillar", "influence"])
@pytest.mark.parametrize("show", [False, True])
def test_no_center_is_named_and_letters_only_where_centers_may_be_shown(kind, show):
    exhibit, shown, _ = built(kind, {**CONFIG, "privacy": {"min_cell": 5, "show_centers": show}})
    written = json.dumps(record.of(exhibit, shown, has_figure=True)) + markup.table_fragment(exhibit, shown)
    written += style.figure_bytes(exhibit.figure, "svg").decode()
    assert "CENTER" not in written
    lettered = {"center_caterpillar": "Lowest (95% interval)", "influence": "Moves it most"}[kind]
    cells = exhibit.table[lettered].tolist() if lettered in exhibit.table else []
    assert any(str(c)[:1] in "ABCDEFG" for c in cells) == show


def test_ranks_cannot_be_followed_between_random_parts():
    modes = exhibit_models.center_modes()
    both = [modes, modes.assign(term="wave[T2]", label="After (wave)", mode=-modes["mode"], low=-modes["high"], high=-modes["low"])]
    data = built("center_caterpillar", models__center_modes=pd.concat(both))[0].data
    assert data["panel"].nunique() == 2 and all(part["mode"].is_monotonic_increasing for _, part in data.groupby("panel"))
    assert list(data["center"][:3]) == ["rank 1", "rank 2", "rank 3"]


def test_two_centers_would_know_each_other():
    few = exhibit_models.center_modes().iloc[:2]
    assert list(built("center_caterpillar", models__center_modes=few)[0].table) == ["Not shown"]


def test_every_rung_of_the_engine_has_words():
    assert set(RUNGS) == set(model_words.RUNG_WORDS)


def test_ladder_shows_every_rung_with_its_remark():
    table = built("model_ladder")[0].table.set_index("Method")
    assert list(table.index) == [
        "Exact test on center means", "Wild cluster bootstrap", "Cluster-robust (CR2)", "Kenward-Roger", "Satterthwaite",
        "Parametric bootstrap", "Wald (normal distribution) [a]",
    ]  # fmt: skip
    assert list(table.loc["Satterthwaite"])[1:] == ["+0.30", "0.10", "0.10 to 0.50", "3.00", "18.2", ".010", "–", "7", "by satterthwaite"]
    assert table.loc["Wald (normal distribution) [a]", "df"] == "∞"
    assert built("model_ladder")[0].footnotes == ("With few groups a true null hypothesis is rejected too often.",)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ((0.02, 0.01, 0.012, 0.03, 0.04, 0.014, 0.004), "all 6 methods without a remark give a p below .05 (p from .010 to .040)"),
        ((0.2, 0.1, 0.12, 0.3, 0.4, 0.14, 0.004), "none of the 6 methods without a remark gives a p below .05"),
        (
            (0.2, 0.01, 0.02, 0.3, 0.4, 0.14, 0.004),
            "2 of 6 methods without a remark give a p below .05 (p from .010 to .400); the answer depends",
        ),
    ],
)
def test_ladder_sentences_count_the_methods(p, expected):
    assert expected in built("model_ladder", models__ladder=exhibit_models.ladder(p))[0].sentences[0]


def test_a_method_that_could_not_reach_05_is_not_counted():
    ladder = exhibit_models.ladder()
    ladder.loc[ladder["rung"] == "exact", ["p_value", "smallest_p"]] = [0.125, 0.125]
    said = built("model_ladder", models__ladder=ladder)[0].sentences[0]
    assert "all 5 methods" in said and "the exact test on center means could not have given a p below .05" in said


def test_a_rung_that_does_not_apply_says_why():
    ladder = exhibit_models.ladder()
    numbers = ["estimate", "std_error", "df", "statistic", "p_value", "low", "high", "smallest_p"]
    ladder.loc[ladder["rung"] == "exact", numbers] = np.nan
    ladder.loc[ladder["rung"] == "exact", ["method", "note"]] = ["", "does not apply: the grouping factors cross"]
    row = built("model_ladder", models__ladder=ladder)[0].table.iloc[0]
    assert row["What was done"] == "does not apply: the grouping factors cross" and row["p"] == row["Estimate"] == row["Clusters"] == "–"


def test_an_interval_without_an_end_is_drawn_and_shown():
    ladder = exhibit_models.ladder()
    ladder.loc[ladder["rung"] == "wild_cluster_bootstrap", ["low", "high"]] = [-np.inf, np.inf]
    exhibit = built("model_ladder", models__ladder=ladder)[0]
    assert exhibit.table.iloc[1]["95% interval"] == "−∞ to ∞" and style.figure_bytes(exhibit.figure, "png")


def test_shares_by_level_from_outermost_to_rest():
    exhibit = built("variance_partition")[0]
    first = exhibit.table[exhibit.table["Model"] == "Change in buy-in"]
    assert list(first["Part"][:3]) == ["Centers", "Persons", "Rest (within all levels)"]
    assert list(first["Share"]) == ["10%", "60%", "30%", "12%", "40%"] and first["95% interval"].iloc[1] == "40% to 100%"
    assert exhibit.sentences == ("Differences between centers hold 0% to 10% of the variance that the fixed part leaves (in 2 models).",)


def test_small_cells_of_means_and_what_gives_them_away_are_withheld():
    exhibit = built("marginal_means", options={"means": "wave:core"})[0]
    shown = exhibit.table.set_index("Group")[["Mean", "n"]].apply(tuple, axis=1).to_dict()
    # 3 of T2:other is small; its line gives T2:core away, and so on to both of T1
    assert shown["T2, other"] == ("–", "<5") and all(value == ("–", "hidden") for key, value in shown.items() if key != "T2, other")
    assert exhibit.data["estimate"].isna().all() and "Small cells" in exhibit.notes
    whole = built(
        "marginal_means", options={"means": "wave:core"}, models__marginal_means=exhibit_models.marginal_means(((12, 9), (12, 6)))
    )[0]
    assert whole.data["estimate"].notna().all() and "Small cells" not in whole.notes


@pytest.mark.parametrize(("people", "centers", "hidden"), [(3, 2, True), (9, 4, False)])
def test_means_of_few_people_or_few_centers_are_withheld_however_many_rows_they_have(people, centers, hidden):
    means = exhibit_models.marginal_means(((12, 9), (12, 9))).assign(n_people=12, n_centers=6)
    last = means.index[-1]
    for column, value in (("n_people", people), ("n_centers", centers)):
        one = means.copy()
        one.loc[last, column] = value
        exhibit = built("marginal_means", options={"means": "wave:core"}, models__marginal_means=one)[0]
        assert bool(np.isnan(exhibit.data["estimate"].iloc[-1])) == hidden and ("Small cells" in exhibit.notes) == hidden
        assert exhibit.table["n"].iloc[-1] == ("9" if not hidden else "<5" if column == "n_people" else "hidden")


@pytest.mark.parametrize("show", [False, True])
@pytest.mark.parametrize("kind", ["model_ladder", "influence"])
@pytest.mark.parametrize(("people", "centers"), [(4, 5), (30, 2)])
def test_comparisons_of_small_groups_are_withheld(kind, people, centers, show):
    table = {"model_ladder": "ladder", "influence": "influence"}[kind]
    rows = getattr(exhibit_models, table)().assign(cell_n=people, cell_centers=centers)
    kept = rows.assign(term="other", label="Other", cell_n=30, cell_centers=5)
    both = {f"models__{table}": pd.concat([rows, kept], ignore_index=True)}
    exhibit = built(kind, {**CONFIG, "privacy": {"min_cell": 5, "show_centers": show}}, **both)[0]
    assert ("1 comparison withheld" in exhibit.notes.get("Small cells", "")) == (people < 5 or not show)
    assert exhibit.table.iloc[:, :2].astype(str).agg(" ".join, axis=1).str.contains("[Bb]efore to after").any() == (people >= 5 and show)


def test_one_small_cell_of_three_takes_the_next_smallest_with_it():
    withheld, shown = withheld_cells(["a", "b", "c"], [3.0, 20.0, 9.0], 5)
    assert withheld == [True, False, True] and shown == ["<5", 20, "hidden"]


def test_sentences_of_means_name_first_and_last_wave():
    assert built("marginal_means")[0].sentences == (
        "Change in buy-in: by wave: the expected mean is 3.00 (2.80 to 3.20) at Before and 4.00 (3.80 to 4.20) at After "
        "(95% intervals in brackets).",
    )


def test_influence_counts_turned_signs_and_lost_refits():
    exhibit = built("influence")[0]
    row = exhibit.table.iloc[0]
    assert list(row)[2:] == ["+0.30 (0.10 to 0.50)", "−0.05", "+0.33", "1", "1", "1", "6 of 7"]
    assert "The sign turns without one center in 1 of 1 (100%) estimates: Change in buy-in, before to after." in exhibit.sentences
    assert exhibit.notes["Refits"].startswith("1 refit could not be estimated")
    steady = exhibit_models.influence().assign(estimate=0.3, low=0.1, high=0.5, state="ok")
    assert built("influence", models__influence=steady)[0].sentences[0] == "No single center turns the sign of the estimate."


def test_diagnostics_name_the_tail_and_the_ratio_of_spreads():
    exhibit = built("diagnostics")[0]
    assert list(exhibit.table.iloc[0]) == ["Change in buy-in", "+0.60", "upper tail", "0.80 to 2.00", "2.5", "0.10"]
    assert "0.5 SD or more from a normal shape: Change in buy-in" in exhibit.sentences[0] and "at least twice" in exhibit.sentences[1]


def test_agreement_has_every_declared_model():
    exhibit = built("model_agreement")[0]
    table = exhibit.table.set_index("Model")
    assert list(table["Agrees"]) == ["yes", "yes", "–", "no"] and table.loc["Dose", "Verdict"].startswith("boundary")
    assert table.loc["Who it works for", ["Verdict", "Reasons"]].tolist() == ["left out (optional)", "the column language does not exist"]
    assert list(exhibit.sentences) == [
        "2 of 3 (67%) models may be shown.",
        "An independent computation agrees with 2 of the 3 models it was run on.",
        "Left out because a column that they need does not exist: Who it works for.",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (2e-9, "<0.00000001"), (3e-7, "<0.000001"), (0.0004, "<0.001"), (0.2, "0.2"), (None, "–")]
)
def test_tiny_differences_are_said_as_below_a_power_of_ten(value, text):
    assert model_notes.difference(value) == text


def test_notes_count_the_models_of_each_method():
    notes = model_notes.model_notes(exhibit_models.model_fits().iloc[[0, 2]])
    assert notes["Degrees of freedom"] == "Kenward-Roger (1 model); Satterthwaite (1 model)"
    assert notes["Second engine"].startswith(
        "an independent computation agrees with 2 of 2 models; largest difference: log-likelihood <0.0"
    )
