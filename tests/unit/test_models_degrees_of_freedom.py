"""Between-within degrees of freedom, counted by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.models.degrees_of_freedom import between_within
from bscstudy.models.fit import fit_model

DATA = Path(__file__).parents[1] / "reference" / "data" / "mixed"


def test_each_term_gets_the_level_at_which_it_varies():
    center, person = np.repeat(np.arange(7), 12), np.repeat(np.arange(42), 2)
    arm, role, wave = (center % 2).astype(float), (person % 3 == 0).astype(float), np.tile([0.0, 1.0], 42)
    x = np.column_stack([np.ones(84), arm, role, wave, wave * arm])
    terms = {"(Intercept)": (0,), "arm": (1,), "role": (2,), "wave": (3,), "wave:arm": (4,)}
    df = between_within(x, terms, (center, person))
    # centers 7 - 1 - 1 arm = 5; persons 42 - 7 - 1 role = 34; rows 84 - 42 - 2 (wave, wave:arm) = 40
    assert df.by_column.tolist() == [5, 5, 34, 40, 40]
    assert df.of_contrast(np.array([0, 1, 0, 0, 0.5])) == 5
    role[:12] = np.tile([0.0, 1.0], 6)  # one center in which the role changes within people: the finer level for the whole term
    x[:, 2] = role
    assert between_within(x, terms, (center, person)).by_column.tolist() == [5, 5, 39, 39, 39]


def test_without_groups_all_terms_get_the_residual_degrees_of_freedom():
    x = np.column_stack([np.ones(10), np.arange(10.0)])
    assert between_within(x, {"(Intercept)": (0,), "x": (1,)}, ()).by_column.tolist() == [8, 8]


@pytest.mark.parametrize(
    ("data", "outcome", "formula", "expected"),
    [
        ("dyestuff", "Yield", "score ~ 1 + (1 | Batch)", 5),  # Kenward-Roger 5 (pbkrtest 0.5.2)
        ("sleepstudy", "Reaction", "score ~ Days + (1 | Subject)", 17),  # 18 people; Kenward-Roger 17 in the model with slopes
        ("pastes", "strength", "score ~ 1 + (1 | batch/cask)", 9),  # 10 batches, balanced
    ],
)
def test_intercept_of_balanced_classics(data, outcome, formula, expected):
    frame = pd.read_csv(DATA / f"{data}.csv", dtype={"Subject": str})
    spec = {"id": "m", "label": "m", "question": "change", "unit": "person", "outcome": outcome, "formula": formula}
    result = fit_model(spec, {"person": frame}, {})
    assert result.fixed_effects[0].df == expected
