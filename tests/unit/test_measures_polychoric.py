"""Polychoric correlations and ordinal alpha against R, a brute-force likelihood and closed forms."""

import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.polychoric import polychoric_correlations
from bscstudy.measures.reliability import ordinal_alpha

#: R polycor 0.8-1, polychor(ML = FALSE), lower triangle by rows
POLYCOR = [
    0.311641019949, 0.486156757060, 0.350581053354, 0.390690557237, 0.170777057325, 0.177790657614, 0.262210968308, 0.172276229605,
    0.103879331339, 0.734022477412, 0.327608256093, 0.209123520128, 0.159880811202, 0.718471690999, 0.745591537219,
]  # fmt: skip


@pytest.fixture(scope="module")
def five_answers(reference_folder):
    """Six tests cut into five answers at their shares of .15, .40, .70 and .92."""
    tests = pd.read_csv(reference_folder / "psy" / "holzinger_swineford1939.csv")[[f"x{i}" for i in range(1, 7)]]
    cut = [np.searchsorted(np.quantile(tests[c], [0.15, 0.4, 0.7, 0.92]), tests[c], side="right") + 1.0 for c in tests]
    return np.column_stack(cut)


def test_correlations_are_those_of_polycor(five_answers):
    found = polychoric_correlations(five_answers)
    np.testing.assert_allclose(found[np.tril_indices(6, -1)], POLYCOR, atol=3e-5)  # polycor's search stops at 1e-4


def test_ordinal_alpha_is_that_of_psych(five_answers):
    assert ordinal_alpha(five_answers) == pytest.approx(0.767344193733, abs=1e-5)  # psych's alpha of polycor's correlations
    holed = np.vstack([five_answers, np.full((4, 6), np.nan)])
    assert ordinal_alpha(holed) == ordinal_alpha(five_answers)


def test_no_other_correlation_is_more_likely(five_answers):
    from scipy.stats import multivariate_normal, norm

    first, second = five_answers[:, 0].astype(int) - 1, five_answers[:, 2].astype(int) - 1
    counts = np.bincount(first * 5 + second, minlength=25).reshape(5, 5)
    cuts = [np.r_[-8, norm.ppf(np.cumsum(counts.sum(axis=axis))[:-1] / counts.sum()), 8] for axis in (1, 0)]

    def likelihood(correlation):
        below = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
        at = np.array([[below.cdf([a, b]) for b in cuts[1]] for a in cuts[0]])
        shares = np.diff(np.diff(at, axis=0), axis=1)
        return (counts * np.log(np.maximum(shares, 1e-300)))[counts > 0].sum()

    found = polychoric_correlations(five_answers)[0, 2]
    best = likelihood(found)
    assert all(best > likelihood(found + step) for step in (-0.01, -0.001, 0.001, 0.01))


@pytest.mark.parametrize("both", [30, 45, 20])
def test_two_items_split_at_the_median_have_a_closed_form(both):
    table = [[1, 1]] * both + [[1, 2]] * (60 - both) + [[2, 1]] * (60 - both) + [[2, 2]] * both
    phi = 2 * both / 60 - 1
    assert polychoric_correlations(np.array(table, float))[0, 1] == pytest.approx(math.sin(math.pi * phi / 2), abs=1e-9)


def test_a_known_correlation_is_recovered():
    rng = np.random.default_rng(11)
    normal = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=50_000)
    answers = np.column_stack([np.digitize(normal[:, 0], [-1, 0.2, 1.4]), np.digitize(normal[:, 1], [-0.5, 1.8])]).astype(float)
    assert polychoric_correlations(answers)[0, 1] == pytest.approx(0.6, abs=0.02)  # four standard errors
    reversed_answers = answers * [1, -1]
    assert polychoric_correlations(reversed_answers)[0, 1] == pytest.approx(-polychoric_correlations(answers)[0, 1], abs=1e-9)


def test_where_no_correlation_exists_there_is_none():
    same = np.tile([1.0, 2.0, 3.0], 10)
    found = polychoric_correlations(np.column_stack([same, same, np.ones(30)]))
    assert np.isnan(found[0, 1]) and np.isnan(found[0, 2]) and found[2, 2] == 1
    assert np.isnan(ordinal_alpha(np.column_stack([same, same])))
