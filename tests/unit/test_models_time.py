"""Time in pieces, stayers, counts of indicators, and the groups behind a comparison: models that ask who, when and how many."""

import numpy as np
import pandas as pd
import pytest
from test_models_fit import CHANGE, CONFIG, fit, fit_declared, spec, staff

from bscstudy.errors import BscError
from bscstudy.models.fitting import in_words
from bscstudy.models.time_pieces import piece_values

PIECES = {"during": ["T1", "T2"], "after": ["T2", "T4"]}
DATED = [
    {"id": "T1", "order": 1, "start": "2023-09-01", "end": "2023-09-21"},  # middle: day 10
    {"id": "T2", "order": 2, "start": "2023-10-01", "end": "2023-10-11"},  # middle: 35 days after the first wave's start
    {"id": "T3", "order": 3, "start": "2023-12-10", "end": "2023-12-20"},  # middle: 105 days
    {"id": "T4", "order": 4},
]


def test_a_wave_within_a_piece_stands_at_its_share_of_the_days():
    found = piece_values("T1", "T3", ["T1", "T2", "T3", "T4", "unknown"], DATED, "here")
    assert found == {"T1": 0.0, "T2": pytest.approx((35 - 10) / (105 - 10)), "T3": 1.0, "T4": 1.0}
    assert piece_values("T3", "T4", ["T1", "T3", "T4"], DATED, "here") == {"T1": 0.0, "T3": 0.0, "T4": 1.0}  # needs no date of T4


@pytest.mark.parametrize(
    ("first", "last", "waves", "code"),
    [
        ("T1", "T9", DATED, "BSC-MOD-019"),
        ("T2", "T4", DATED, "BSC-MOD-020"),
        ("T3", "T1", DATED, "BSC-MOD-021"),
        ("T1", "T3", [DATED[0], {**DATED[1], "start": "2024-10-01", "end": "2024-10-11"}, *DATED[2:]], "BSC-MOD-021"),
    ],
)
def test_pieces_that_cannot_be_placed_are_refused(first, last, waves, code):
    with pytest.raises(BscError) as caught:
        piece_values(first, last, ["T1", "T2", "T3", "T4"], waves, "here")
    assert caught.value.code == code


def test_pieces_between_their_waves_are_the_model_of_waves_in_other_words():
    pieces = fit(formula="score ~ during * core + after * core + role + (1 | center/person)", time=PIECES)
    follow_up = [{"id": "late", "label": "late", "compare": {"wave": ["T2", "T4"]}, "at": {"core": "other"}}]
    waves = fit(contrasts=follow_up)
    own, other = ({e.term: e for e in result.fixed_effects} for result in (pieces, waves))
    assert pieces.verdict.state == "ok" and pieces.log_likelihood == pytest.approx(waves.log_likelihood, abs=1e-7)  # two optima
    assert own["during"].estimate == pytest.approx(other["wave[T2]"].estimate, abs=1e-6)
    assert own["after"].estimate == pytest.approx(waves.contrasts[0].estimate, abs=1e-6)
    assert own["during"].label == "Change from Baseline to Midpoint (Other staff)"
    assert own["core[core]"].label == "Core team compared with Other staff (at Baseline)"
    assert any(note.startswith("change is taken to be alike") for note in pieces.notes)
    assert {row["term"] for row in pieces.ladder} == {"during", "after", "during:core[core]", "core[core]:after"} & set(own) | {
        term for term in own if "after" in term or "during" in term
    }


def test_pieces_need_rows_with_a_wave():
    centers = staff().groupby("center_id")["buy_in"].mean().reset_index()
    with pytest.raises(BscError, match="names 'wave'"):
        fit_declared(spec(unit="center", formula="score ~ during", time=PIECES, reference={}), {"center": centers})


def test_stayers_answered_in_every_wave_and_the_others_are_outside():
    frame = staff()
    frame.loc[frame["person_id"] == "P00", "buy_in"] = np.nan  # asked in every wave or not: has no answer
    everyone, same = fit(frame, contrasts=CHANGE), fit(frame, contrasts=CHANGE, sample={"people": "stayers"})
    counts = frame.dropna(subset="buy_in").groupby("person_id")["wave"].nunique()
    stay = counts.index[counts == 3]
    assert same.groups["person_id"] == len(stay) and same.n == 3 * len(stay) < everyone.n
    assert same.n_outside_sample == len(frame) - 3 * len(stay) and everyone.n_outside_sample == 0
    assert same.n_excluded == {}
    assert same.notes[0].startswith(f"stayers only: {len(stay)} of {len(counts)} people have the outcome in every wave (T1, T2, T4)")
    two = fit(frame, contrasts=CHANGE, sample={"waves": ["T1", "T4"], "people": "stayers"})
    pairs = frame[frame["wave"] != "T2"].dropna(subset="buy_in").groupby("person_id")["wave"].nunique()
    assert two.groups["person_id"] == int((pairs == 2).sum()) > len(stay)
    with pytest.raises(BscError, match="person_id"):
        fit(frame.drop(columns="person_id"), sample={"people": "stayers"}, formula="score ~ wave + (1 | center)")


def test_half_counts_of_two_raters_become_even_numbers_and_are_said():
    frame = staff().assign(items=6)
    counts = (frame["buy_in"] * 1.2).round().clip(1, 5)
    counts.iloc[:3] = [2.5, 3.5, 4.5]
    common = {"config": {**CONFIG, "scales": []}, "family": "binomial", "trials": "items", "formula": "score ~ wave + (1 | center)"}
    halves = fit(frame.assign(buy_in=counts / 6), contrasts=CHANGE, **common)
    counts.iloc[:3] = [2.0, 4.0, 4.0]
    whole = fit(frame.assign(buy_in=counts / 6), contrasts=CHANGE, **common)
    assert halves.contrasts[0].estimate == whole.contrasts[0].estimate
    assert halves.notes[0].startswith("3 outcomes are half a count") and not whole.notes[0].startswith("3 outcomes")
    assert any(note.startswith("its own method (between-within) does not hold its level") for note in whole.notes)
    counts.iloc[0] = 2 + 1 / 3
    with pytest.raises(BscError, match="BSC-MOD-017"):
        fit(frame.assign(buy_in=counts / 6), **common)


def test_a_comparison_knows_the_smallest_group_behind_it():
    frame = staff()
    frame["program"] = np.where(frame["center_id"].isin(["C0", "C1"]), "small", "large")
    by_program = {"wave": ["T1", "T4"]}
    result = fit(
        frame,
        formula="score ~ wave * program + (1 | center/person)",
        reference={"program": "large"},
        contrasts=[*CHANGE, {"id": "large", "label": "large", "compare": by_program, "at": {"program": "large"}}],
        marginal_means=[["program"]],
    )
    cell = frame[frame["program"] == "small"]
    at_waves = cell[cell["wave"].isin(["T1", "T4"])].groupby("wave")["person_id"].nunique().min()
    found = {row.term: (row.cell_n, row.cell_centers) for row in (*result.fixed_effects, *result.contrasts)}
    assert found["(Intercept)"] == (None, None)
    assert found["program[small]"] == (cell["person_id"].nunique(), 2)
    # the change of all and that of the large programs would give away that of the small ones
    assert found["large"] == (at_waves, 2) and found["change"][1] == 8
    assert {(row["cell_n"], row["cell_centers"]) for row in result.ladder if row["term"] == "large"} == {found["large"]}
    assert {(row["cell_n"], row["cell_centers"]) for row in result.influence if row["term"] == "large"} == {found["large"]}
    means = {row["cell"]: row for row in result.marginal_means}
    assert means["small"]["n"] == len(cell) > means["small"]["n_people"] == cell["person_id"].nunique()
    assert means["small"]["n_centers"] == 2


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (
            "the variance of (Intercept) between levels of center_id:wave is estimated as 0",
            "the variance of the mean between levels of center:wave",
        ),
        ("the variance of wave[T4] between levels of center_id:person_id is estimated as 0", "between levels of person is"),
        ("person_id has 3 levels, too few", "person has 3 levels"),
    ],
)
def test_verdicts_speak_of_groups_as_formulas_do(engine, words):
    assert words in in_words(engine, {"center_id:person_id": "person_id", "center_id:wave": "center_id:wave", "center_id": "center_id"})


def test_a_model_of_a_property_that_the_study_does_not_have_is_left_out():
    predictors = {"language": {"column": "home_language", "from": "center"}}
    more = {
        "predictors": predictors,
        "formula": "score ~ wave * language + (1 | center/person)",
        "optional": True,
        "question": "moderation",
    }
    result = fit_declared(spec(**more), {"person": staff(), "center": pd.DataFrame({"center_id": ["C0"]})})
    assert result.left_out and result.verdict.state == "failed"
