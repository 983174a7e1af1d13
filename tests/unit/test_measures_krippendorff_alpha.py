"""Krippendorff's alpha against his own example, the package krippendorff, R irr, and pairs of ratings counted one by one."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.krippendorff_alpha import METRICS, krippendorff_alpha
from bscstudy.measures.rating_patterns import rating_patterns

#: Krippendorff (2011), section C: 4 coders, 12 units
GAPS = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3."]
CODES = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in GAPS])
VALUES = np.arange(1.0, 6.0)


def alpha(codes, values=VALUES, metric="nominal"):
    patterns = rating_patterns(codes)
    return float(krippendorff_alpha(patterns.codes, patterns.total, np.asarray(values, float), metric))


def by_pairs(codes, values, metric):
    """Mean squared difference of pairs within units over that of all pairs, each pair of ratings written out."""
    units = [[values[c] for c in row if c >= 0] for row in codes]
    units = [unit for unit in units if len(unit) > 1]
    given = [v for unit in units for v in unit]

    def squared(a, b):
        if a == b or metric == "nominal":
            return float(a != b)
        if metric == "ordinal":
            inside = sum(min(a, b) <= v <= max(a, b) for v in given)
            return (inside - (given.count(a) + given.count(b)) / 2) ** 2
        return (a - b) ** 2 / (1 if metric == "interval" else (a + b) ** 2)

    observed = sum(sum(squared(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / len(given)
    expected = np.mean([squared(a, b) for a, b in permutations(given, 2)])
    return 1 - observed / expected


@pytest.mark.parametrize(
    ("metric", "expected"), [("nominal", 0.7434210526), ("ordinal", 0.8153875038), ("interval", 0.8491071429), ("ratio", 0.7974027747)]
)
def test_four_coders_and_twelve_units(metric, expected):
    assert alpha(CODES, metric=metric) == pytest.approx(expected, abs=5e-11)  # ten digits are given


@pytest.mark.parametrize(
    ("metric", "expected"), [("nominal", -0.0237252125), ("ordinal", 0.2283869453), ("interval", 0.1700986079), ("ratio", 0.1418013406)]
)
def test_three_raters_of_anxiety(reference_folder, metric, expected):
    """Against the Python package krippendorff 0.9.0; R irr 0.84 prints .222 for the ordinal one.

    Without gaps irr leaves out the division by raters - 1, so that three raters give 120 instead of 60 ratings; that changes the
    factor n - 1 alone.
    """
    ratings = pd.read_csv(reference_folder / "rel" / "irr_anxiety.csv").to_numpy()
    found = alpha(ratings - 1, range(1, 7), metric)
    assert found == pytest.approx(expected, abs=5e-11)  # ten digits of its output
    if metric == "ordinal":
        assert 1 - (1 - found) * (119 / 120) / (59 / 60) == pytest.approx(0.222, abs=5e-4)  # printed with three digits


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(4))
def test_alpha_by_counting_pairs(metric, seed):
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((9, 3)) < 0.2, -1, rng.integers(0, 4, (9, 3)))
    values = np.array([0.0, 1.0, 2.5, 7.0])
    assert alpha(codes, values, metric) == pytest.approx(by_pairs(codes, values, metric), abs=1e-12)  # double precision


@pytest.mark.parametrize("metric", METRICS)
def test_order_of_coders_and_units_and_copies_of_categories_nobody_used(metric):
    expected = alpha(CODES, metric=metric)
    for other in (CODES[::-1], CODES[:, ::-1]):
        assert alpha(other, metric=metric) == pytest.approx(expected, abs=1e-12)
    assert alpha(CODES, [*VALUES, 9.0], metric) == pytest.approx(expected, abs=1e-12)
    assert alpha(np.append(np.array([3, 0, 4, 1, 2]), -1)[CODES]) == pytest.approx(alpha(CODES), abs=1e-12), "names do not matter"


@pytest.mark.parametrize("metric", METRICS)
def test_identical_coders_agree_fully_and_independent_ones_by_chance(metric):
    rng = np.random.default_rng(3)
    same = np.repeat(rng.integers(0, 4, (20, 1)), 3, axis=1)
    assert alpha(same, [1, 2, 3, 4], metric) == 1
    found = [alpha(rng.choice(4, size=(60, 3), p=[0.4, 0.3, 0.2, 0.1]), [1, 2, 3, 4], metric) for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)  # four standard errors of the mean


def test_undefined_and_refused():
    assert np.isnan(alpha(np.zeros((5, 2), int))), "only one category was used"
    assert np.isnan(alpha(np.array([[1, -1], [-1, 2]]))), "no unit was judged twice"
    with pytest.raises(ValueError, match="below 0"):
        alpha(CODES, VALUES - 3, "ratio")
