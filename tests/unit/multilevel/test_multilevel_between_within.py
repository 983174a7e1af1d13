"""Between-within degrees of freedom, counted by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.between_within import between_within, degrees_of_freedom
from bscstudy.multilevel.fit import fit_mixed_model

DATA = Path(__file__).parents[2] / "reference" / "data" / "mixed"


def test_each_term_gets_the_level_at_which_it_varies():
    center, person = np.repeat(np.arange(7), 12), np.repeat(np.arange(42), 2)
    arm, role, wave = (center % 2).astype(float), (person % 3 == 0).astype(float), np.tile([0.0, 1.0], 42)
    x = np.column_stack([np.ones(84), arm, role, wave, wave * arm])
    terms = {"(Intercept)": (0,), "arm": (1,), "role": (2,), "wave": (3,), "wave:arm": (4,)}
    # centers 7 - 1 - 1 arm = 5; persons 42 - 7 - 1 role = 34; rows 84 - 42 - 2 (wave, wave:arm) = 40
    assert degrees_of_freedom(x, terms, (center, person))[0].tolist() == [5, 5, 34, 40, 40]
    role[:12] = np.tile([0.0, 1.0], 6)  # one center in which the role changes within people: the finer level for the whole term
    x[:, 2] = role
    assert degrees_of_freedom(x, terms, (center, person))[0].tolist() == [5, 5, 39, 39, 39]


def test_without_groups_all_terms_get_the_residual_degrees_of_freedom():
    x = np.column_stack([np.ones(10), np.arange(10.0)])
    assert degrees_of_freedom(x, {"(Intercept)": (0,), "x": (1,)}, ())[0].tolist() == [8, 8]


@pytest.mark.parametrize(
    ("data", "formula", "expected"),
    [
        ("dyestuff", "Yield ~ 1 + (1 | Batch)", 5),  # Kenward-Roger 5 (pbkrtest 0.5.2)
        ("sleepstudy", "Reaction ~ Days + (1 | Subject)", 17),  # 18 people; Kenward-Roger 17 in the model with slopes
        ("pastes", "strength ~ 1 + (1 | batch/cask)", 9),  # 10 batches, balanced
    ],
)
def test_intercept_of_balanced_classics(data, formula, expected):
    result = fit_mixed_model(formula, pd.read_csv(DATA / f"{data}.csv", dtype={"Subject": str}))
    assert result.tests("between_within").df[0] == expected


def test_contrasts_take_the_smallest_df_and_terms_stay_together():
    frame = pd.read_csv(DATA / "sim3.csv").assign(wave=lambda d: d.wave.astype(str))
    found = between_within(fit_mixed_model("y ~ wave * arm + role + (1 | center/pid)", frame).fit)
    # centers 7 - 1 - 1; persons 105 - 7 - 1; rows 315 - 105 - 4 (two waves, two products)
    assert dict(zip(range(7), found.by_column, strict=True)) == {0: 5, 1: 206, 2: 206, 3: 5, 4: 97, 5: 206, 6: 206}
    assert found.df(np.array([[0, 0, 0, 1, 0, 0.5, 0], [0, 0, 0, 0, 1, 1, 0], np.zeros(7)]))[:2].tolist() == [5, 97]
    joint = found.joint(np.eye(7)[[1, 2]])
    value = found.estimate[1:3]
    expected = value @ np.linalg.solve(found.covariance[1:3, 1:3], value) / 2
    assert (joint.statistic, joint.df_numerator, joint.df_denominator) == (pytest.approx(expected, rel=1e-10), 2, 206)


def test_crossed_factors_are_refused():
    result = fit_mixed_model("diameter ~ 1 + (1 | plate) + (1 | sample)", pd.read_csv(DATA / "penicillin.csv"))
    with pytest.raises(BscError, match="BSC-LMM-082"):
        result.tests("between_within")
