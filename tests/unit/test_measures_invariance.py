"""Steps of invariance over waves and roles: who enters, when n is too small, and what is decided."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.invariance import TOO_SMALL, factor_rows, factor_table, first_forms, invariance_steps
from bscstudy.measures.item_keys import Term
from bscstudy.measures.pooled import Pooled

WAVES = ["T1", "T2"]


def answers(n, seed, shift=0.0, loading=1.0):
    """Four items of one factor; the last one's intercept or loading may differ."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    return factor * [1, 0.8, 1.1, loading] + rng.normal(scale=0.6, size=(n, 4)) + shift * np.array([0, 0, 0, 1])


def pooled(keyed, wave, roles=None, bounds=(1.0, 5.0)):
    n = len(keyed)
    rows = pd.DataFrame(
        {"score": keyed.mean(axis=1), "person_id": [f"p{i}" for i in range(n)], "role": roles or ["teacher"] * n, "core": "core",
         "collaborative": "north", "center_id": "c1"}, index=[f"{wave}:{i}" for i in range(n)],
    )  # fmt: skip
    terms = tuple(Term(item) for item in "abcd")
    return Pooled({"scale": "calm", "rule": "mean"}, terms, (bounds,) * 4, 5, keyed, rows, np.zeros((4, 4), int), n, 0)


def steps(first, second):
    forms, factors, _ = factor_rows({("calm", "T1"): pooled(first, "T1"), ("calm", "T2"): pooled(second, "T2")}, ["calm"])
    return invariance_steps(forms, factors, "wave")


@pytest.mark.parametrize(
    "second, decisions",
    [
        ({}, ["holds", "holds", "holds"]),
        ({"shift": 0.9}, ["holds", "holds", "does not hold"]),
        ({"loading": 0.1}, ["holds", "does not hold", "not judged"]),
    ],
)
def test_the_step_that_fails_is_found(second, decisions):
    rows, models = steps(answers(400, 1), answers(400, 2, **second))
    assert [row["decision"] for row in rows] == decisions and len(models) == 3
    assert rows[1]["df_change"] == 3 and rows[1]["chi2_change"] == pytest.approx(rows[1]["chi2"] - rows[0]["chi2"])
    assert (rows[1]["p_change"] < 0.001) == (rows[1]["decision"] == "does not hold")
    assert (rows[2]["reason"] == "an earlier step does not hold") == (rows[2]["decision"] == "not judged")


@pytest.mark.parametrize("sizes, tested", [((100, 100), True), ((100, 99), False), ((400, 60), False)])
def test_no_group_of_fewer_than_a_hundred_is_tested(sizes, tested):
    rows, models = steps(answers(sizes[0], 3), answers(sizes[1], 4))
    assert len(models) == (3 if tested else 0)
    assert all((row["decision"] == TOO_SMALL) != tested for row in rows)
    if not tested:
        assert "fewer than two groups with 100 complete forms" in rows[0]["reason"] and "chi2" not in rows[0]


def test_small_groups_are_left_out_by_name():
    keyed = np.vstack([answers(150, 5), answers(150, 6), answers(20, 7)])
    roles = ["teacher"] * 150 + ["assistant"] * 150 + ["director"] * 20
    rows, loadings = factor_table(
        {("calm", "T1"): pooled(keyed, "T1", roles)}, [{"id": "m", "scales": ["calm"], "across": ["role"]}], WAVES
    )
    by_role = [row for row in rows if row["across"] == "role"]
    assert [row["n"] for row in by_role] == [300] * 3 and by_role[0]["reason"] == "left out as too small: director"
    assert {row["group"] for row in loadings if row["across"] == "role"} == {"assistant", "teacher"}
    assert {row["item"] for row in loadings} == set("abcd")


def test_too_few_forms_for_the_parameters_are_not_tested():
    wide = {(scale, "T1"): pooled(answers(110, seed), "T1") for seed, scale in enumerate(["calm", "two", "three"])}
    rows, _ = factor_table(wide, [{"id": "m", "scales": ["calm", "two", "three"]}], WAVES)
    assert rows[0]["decision"] == TOO_SMALL and rows[0]["n_parameters"] == 39 and "39 parameters" in rows[0]["reason"]


def test_all_together_each_person_enters_once_with_the_first_complete_form():
    first, second = answers(5, 8), answers(6, 9)
    first[1, 2] = np.nan
    forms, factors, _ = factor_rows({("calm", "T1"): pooled(first, "T1"), ("calm", "T2"): pooled(second, "T2")}, ["calm"])
    once = first_forms(forms, factors, WAVES)
    assert sorted(once["row_id"]) == ["T1:0", "T1:2", "T1:3", "T1:4", "T2:1", "T2:5"]
    anonymous = first_forms(forms.assign(person_id=pd.NA), factors, WAVES)
    assert len(anonymous) == 10


def test_waves_with_other_answers_are_not_compared():
    other = {("calm", "T1"): pooled(answers(150, 1), "T1"), ("calm", "T2"): pooled(answers(150, 2), "T2", bounds=(1.0, 4.0))}
    rows, _ = factor_table(other, [{"id": "m", "scales": ["calm"], "across": ["wave"]}], WAVES)
    assert [row["decision"] for row in rows] == ["not tested"] and "not the same in all waves" in rows[0]["reason"]
