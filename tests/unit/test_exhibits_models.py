"""Change by wave and facilitators: what is shown, drawn and said."""

from importlib import import_module

import pandas as pd
import pytest
from exhibit_study import CONFIG, context, estimates, fits

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


def test_a_model_with_nothing_but_small_groups_is_not_called_unestimated():
    small = estimates().assign(cell_n=4, cell_centers=7)
    shown = change_by_wave.build({"models/estimates": small, "models/fits": fits()[:1]}, context())
    assert list(shown.table["Comparison"]) == ["not shown [a]"] and shown.footnotes[0].startswith("Change in buy-in: not shown; ")
    assert shown.sentences == ("Buy-in: nothing is shown, because it has no comparison, or its groups are too small.",)


def test_twins_of_one_outcome_are_told_apart_and_log_odds_are_not_drawn_beside_points():
    three = fits(state="ok", outcome="key", reasons="").assign(question="change", link=["identity", "identity", "logit"])
    found = estimates()[lambda e: e["term"] == "change_post"]
    found = pd.concat([found.assign(model=model) for model in three["model"]])
    models = {"m1": {}, "m2": {"sample": {"people": "stayers"}}, "f1": {}}
    models = {name: {"id": name, "contrasts": CONFIG["models"]["m1"]["contrasts"], **more} for name, more in models.items()}
    here = context(config={**CONFIG, "models": models})
    shown = change_by_wave.build({"models/estimates": found, "models/fits": three}, here)
    assert list(shown.table["Outcome"]) == [
        "Key practices, everyone, log odds", "Key practices, everyone, share", "Key practices, stayers only, share",
    ]  # fmt: skip
    assert set(shown.data["model"]) == {"m1", "m2"} and "stand in the table only" in shown.notes["Figure"]
    assert shown.sentences[0] == "Before to after: the one outcome changed clearly."


def test_changes_of_groups_are_withheld_where_a_group_is_small():
    both = estimates().assign(cell_n=[30, 4, None, None, None, 4], cell_centers=[7, 7, None, None, None, 7])
    shown = change_by_wave.build({"models/estimates": both, "models/fits": fits()}, context())
    assert (
        list(shown.table["Comparison"]) == ["Before to after", "not estimated [a]"]
        and "1 comparison withheld" in shown.notes["Small cells"]
    )
    drawn = facilitators.build({"models/estimates": both, "models/fits": fits()}, context())
    assert not drawn.table["Term"].str.contains("Director").any() and "1 comparison" in drawn.notes["Small cells"]


@pytest.mark.parametrize(
    ("kind", "question"), [(change_by_wave, "moderation"), (facilitators, "moderation"), (facilitators, "sustainment")]
)
def test_a_question_whose_only_model_was_left_out_has_no_failing_exhibit(kind, question):
    left = fits(question=question, left_out=1, state="failed")
    shown = kind.build({"models/estimates": estimates()[:0], "models/fits": left}, context(options={"question": question}))
    assert list(shown.table.columns) == ["Not shown"]


def test_differences_between_changes_are_not_said_to_rise():
    contrasts = [{"id": "change_post", "label": "After, one less the other", "compare": {"wave": ["T1", "T2"], "program": ["a", "b"]}}]
    here = context(config={**CONFIG, "models": {"m1": {"id": "m1", "contrasts": contrasts, "interpretation": "Read with care."}}})
    shown = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()[:1]}, here)
    assert shown.sentences[0].startswith("Buy-in, before to after: the changes differ by +0.30 points (95% interval 0.10 to 0.50")
    assert shown.notes["Interpretation"] == "Read with care."


def test_pieces_of_time_are_said_as_changes():
    models = {"f1": {"id": "f1", "predictors": {"dose": {"column": "dose"}}, "time": {"during": ["T1", "T2"]}}}
    rows = estimates().assign(term=lambda e: e["term"].replace({"wave[T2]:dose": "during:dose", "role[director]": "during"}))
    rows.loc[rows["term"] == "during", "label"] = "Change from Before to After (at the mean of Dose)"
    shown = facilitators.build({"models/estimates": rows, "models/fits": fits()}, context(config={**CONFIG, "models": models}))
    assert any(
        said.startswith("Buy-in, change from Before to After (at the mean of Dose): the average rose by 0.30 points")
        for said in shown.sentences
    )
    assert "during" in set(shown.data["term"])


def test_no_model_no_claim():
    empty = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()[:0]}, context())
    assert empty.sentences == () and isinstance(empty.table, pd.DataFrame) and len(empty.table) == 1


def test_intervals_without_random_slopes_are_not_called_safe():
    config, flat = {"study": {"synthetic": False}}, fits(notes=f"change is alike ({NO_RANDOM_SLOPE})")
    assert not any("too narrow" in said for said in report_words.limitations(config, fits()))
    assert any("too narrow" in said for said in report_words.limitations(config, flat))
