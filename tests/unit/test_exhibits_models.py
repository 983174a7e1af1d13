"""Change by wave and facilitators: what is shown, drawn and said."""

from importlib import import_module

import pandas as pd
import pytest
from exhibit_study import context, estimates, fits

from bscstudy.exhibits import change_by_wave, facilitators, model_notes, report_words, sentences
from bscstudy.models.verdict import NO_RANDOM_SLOPE


@pytest.fixture
def change():
    return change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()}, context())


@pytest.mark.parametrize(
    "kind", ["change_by_wave", "facilitators", "observation", "rater_agreement", "fidelity", "run_charts", "coder_agreement",
             "theme_heatmap", "center_themes", "joint_display"],
)  # fmt: skip
def test_an_exhibit_of_data_the_study_does_not_have_says_so(kind):
    shown = import_module(f"bscstudy.exhibits.{kind}").build({}, context())
    assert list(shown.table.columns) == ["Not shown"] and shown.caption.endswith(".")


def test_change_table_keeps_estimates_beside_their_comparison(change):
    first = change.table.iloc[0]
    assert list(first[["Outcome", "Comparison", "Change", "95% interval", "df", "p", "p adjusted", "n", "Centers", "Left out"]]) == [
        "Buy-in", "Before to after", "+0.30", "0.10 to 0.50", "20", ".010", ".020", "40", "7", "3",
    ]  # fmt: skip


def test_a_model_that_failed_shows_no_number_but_its_reason(change):
    row = change.table.iloc[-1]
    assert row["Outcome"] == "Stress (lower is better)" and row["Comparison"] == "not estimated [a]" and row["Change"] == "–"
    assert "the two optimisers disagree" in change.footnotes[0]
    assert change.sentences[-1] == "Stress: nothing can be said, because the model was not estimated (the two optimisers disagree)."


def test_the_figure_is_in_standard_deviations_of_the_first_wave(change):
    drawn = change.data[change.data["model"] == "m1"]
    assert drawn[["estimate", "low", "high"]].to_numpy().tolist() == [
        [0.6, 0.2, 1.0]
    ]  # 0.3, 0.1 and 0.5 over 0.5; the core contrast is not drawn


def test_notes_name_what_a_reader_must_know(change):
    assert {"Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions"} <= set(change.notes)
    assert change.notes["Clusters"] == "7 centers" and change.notes["Models"].startswith("1 of 2")


def test_the_weight_of_groups_is_said(change):
    # a contrast over core team and other staff is their plain mean, not the mean over people
    assert change.notes["Groups"] == model_notes.EQUAL_GROUPS and "however many people" in change.notes["Groups"]


def test_remarks_on_all_models_are_said_once():
    both = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits(state="ok", notes="shared remark")}, context())
    assert both.notes["All models"] == "shared remark" and not any("shared remark" in text for text in both.footnotes)


def test_facilitators_draw_predictors_and_say_interactions_as_changes():
    shown = facilitators.build({"models/estimates": estimates(), "models/fits": fits()}, context())
    assert list(shown.data["term"]) == ["wave[T2]:dose", "dose"]
    assert len(shown.table) == 3 and not shown.table["Term"].str.contains("Mean").any()
    assert shown.sentences[0].startswith(
        "Higher dose (per standard deviation) goes with a higher change from Before to After in buy-in: +0.30 points"
    )
    assert len(shown.sentences) == 1


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (0.1, 0.5, 0.02, "rose by 0.30 points"),
        (-0.1, 0.5, 0.2, "no clear change"),
        (0.1, 0.5, 0.2, "not clear once the number"),
        (None, None, None, "no clear change"),
    ],
)
def test_change_sentences_follow_interval_and_adjusted_p(low, high, p, expected):
    row = {"estimate": 0.3, "low": low, "high": high, "p_value": 0.01, "p_adjusted": p, "n": 40, "n_persons": 30, "n_centers": 7}
    text = sentences.change_sentence(row, "Stress", "T1 to T2", "person", "lower")
    assert expected in text and "30 people in 7 centers" in text and "effect" not in text
    assert (", for the worse" in text) == (expected == "rose by 0.30 points")


def test_shares_change_in_percentage_points():
    row = {"estimate": -0.139, "low": -0.2, "high": -0.08, "p_adjusted": 0.001, "n": 9, "n_persons": None, "n_centers": 3}
    text = sentences.change_sentence(row, "Key practices", "T1 to T2", "visit", share=True)
    assert "fell by 13.9 percentage points" in text and "−20.0 to −8.0" in text and "9 visits in 3 centers" in text


def test_no_model_no_claim():
    empty = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()[:0]}, context())
    assert empty.sentences == () and isinstance(empty.table, pd.DataFrame) and len(empty.table) == 1


def test_intervals_without_random_slopes_are_not_called_safe():
    config, flat = {"study": {"synthetic": False}}, fits(notes=f"change is alike ({NO_RANDOM_SLOPE})")
    assert not any("too narrow" in said for said in report_words.limitations(config, fits()))
    assert any("too narrow" in said for said in report_words.limitations(config, flat))
