"""Coefficients of agreement against published and independently computed values, and properties that they must have."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.chance_agreement import (
    COEFFICIENTS,
    agreement_coefficient,
    beyond_chance,
    observed_agreement,
    pooled_kappa,
    specific_agreement,
)
from bscstudy.measures.chance_corrected import agreement_weights, cohen_kappa, pooled_coefficients
from bscstudy.measures.rating_patterns import cluster_draws, percentile_limits, rating_patterns

#: Krippendorff (2011) and irrCAC 1.0, cac.raw4raters: 12 units, four raters who left gaps
GAPS = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3."]
CODES = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in GAPS])
#: Gwet (2008): 94 % agree, the category is almost always given
PARADOX = np.repeat([(1, 1), (1, 0), (0, 1)], [118, 5, 2], axis=0)


def coefficient(kind, codes, q, weights=None):
    patterns = rating_patterns(codes)
    return agreement_coefficient(kind, patterns.codes, patterns.total, np.eye(q) if weights is None else weights)


@pytest.mark.parametrize(
    ("kind", "expected"), [("gwet_ac1", 0.77544), ("fleiss_kappa", 0.76117), ("conger_kappa", 0.76282), ("brennan_prediger", 0.77273)]
)
def test_four_raters_with_gaps_of_irrcac(kind, expected):
    found = coefficient(kind, CODES, 5)
    assert float(found.estimate) == pytest.approx(expected, abs=5e-6)  # printed with five digits
    assert float(found.observed) == pytest.approx(0.8182, abs=5e-5)  # four digits


@pytest.mark.parametrize(("kind", "expected"), [("cohen_kappa", -0.023), ("gwet_ac1", 0.941)])
def test_the_kappa_paradox(kind, expected):
    found = coefficient(kind, PARADOX, 2)
    assert float(found.observed) == pytest.approx(0.944, abs=1e-12)  # 118 of 125
    assert float(found.estimate) == pytest.approx(expected, abs=5e-4)  # printed with three digits


def test_six_raters_of_fleiss(reference_folder):
    table = pd.read_csv(reference_folder / "rel" / "irr_diagnoses.csv")
    codes = table.apply(lambda column: column.str[0].astype(int) - 1).to_numpy()
    assert float(coefficient("fleiss_kappa", codes, 5).estimate) == pytest.approx(0.4302445, abs=5e-8)  # R irr prints seven digits


@pytest.mark.parametrize("kind", ["unweighted", "linear", "quadratic"])
def test_weighted_kappa_equals_statsmodels_and_the_linearized_one(kind):
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.array([[88, 10, 2], [14, 40, 6], [18, 10, 12]])  # Cohen (1960), table 1
    codes = np.array([place for place, n in np.ndenumerate(table) for _ in range(n)])
    weights = agreement_weights([1, 2, 3], kind)
    found = float(coefficient("cohen_kappa", codes, 3, weights).estimate)
    expected = cohens_kappa(table, wt=None if kind == "unweighted" else kind, return_results=False)
    assert found == pytest.approx(float(expected), abs=1e-12)  # same formula, double precision
    assert found == pytest.approx(cohen_kappa(table[None].astype(float), weights).estimate, abs=1e-12)


def test_own_weights_that_say_linear_are_linear_and_faulty_ones_are_refused():
    linear = agreement_weights([1, 2, 3], "linear")
    assert (agreement_weights([1, 2, 3], [[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]]) == linear).all()
    for faulty in (np.ones((2, 2)), np.zeros((3, 3)), [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]], np.eye(3) - 2 * (1 - np.eye(3))):
        with pytest.raises(ValueError, match="symmetric"):
            agreement_weights([1, 2, 3], faulty)


@pytest.mark.parametrize("kind", ["unweighted", "quadratic"])
def test_fleiss_and_gwet_equal_the_linearized_coefficients(kind):
    weights = agreement_weights(range(1, 6), kind)
    counts = (CODES[:, :, None] == np.arange(5)).sum(axis=1)
    for name, other in zip(("fleiss_kappa", "gwet_ac1"), pooled_coefficients(counts, weights), strict=True):
        assert float(coefficient(name, CODES, 5, weights).estimate) == pytest.approx(other.estimate, abs=1e-12)


def test_brennan_prediger_of_two_categories_is_pabak_and_conger_of_two_coders_is_cohen():
    assert float(coefficient("brennan_prediger", PARADOX, 2).estimate) == pytest.approx(2 * 0.944 - 1, abs=1e-12)
    assert float(coefficient("conger_kappa", PARADOX, 2).estimate) == pytest.approx(float(coefficient("cohen_kappa", PARADOX, 2).estimate))


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_order_of_coders_units_and_labels_does_not_matter(kind):
    codes = CODES if kind != "cohen_kappa" else CODES[:, :2]
    expected = float(coefficient(kind, codes, 5).estimate)
    relabelled = np.append(np.array([3, 0, 4, 1, 2]), -1)[codes]
    for other in (codes[::-1], codes[:, ::-1], relabelled, np.roll(codes, 1, axis=1)):
        assert float(coefficient(kind, other, 5).estimate) == pytest.approx(expected, abs=1e-12)  # double precision


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_identical_coders_agree_fully_and_independent_ones_by_chance(kind):
    rng = np.random.default_rng(11)
    one = rng.choice(3, size=(40, 1), p=[0.6, 0.3, 0.1])
    assert float(coefficient(kind, np.repeat(one, 2, axis=1), 3).estimate) == pytest.approx(1, abs=1e-12)
    shares = np.full(3, 1 / 3) if kind in ("brennan_prediger", "gwet_ac1") else [0.6, 0.3, 0.1]  # their chance is that of guessing
    found = [float(coefficient(kind, rng.choice(3, size=(200, 2), p=shares), 3).estimate) for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)  # four standard errors of the mean


def test_agreement_by_counting_pairs():
    agree = [np.mean([a == b for a, b in permutations([c for c in row if c >= 0], 2)]) for row in CODES if (row >= 0).sum() > 1]
    patterns = rating_patterns(CODES)
    assert float(observed_agreement(patterns.codes, patterns.total, np.eye(5))) == pytest.approx(np.mean(agree), abs=1e-12)


def test_positive_and_negative_agreement():
    patterns = rating_patterns(np.repeat([(1, 1), (1, 0), (0, 1), (0, 0)], [20, 5, 10, 15], axis=0))
    positive, negative = (float(specific_agreement(patterns.codes, patterns.total, c)) for c in (1, 0))
    assert [positive, negative] == pytest.approx([40 / 55, 30 / 45], abs=1e-12)  # 2a / (2a + b + c), 2d / (2d + b + c)
    three = rating_patterns(np.array([[1, 1, 0], [1, 0, -1]]))  # a coder's yes is met by 1 of 2 others (twice), by 0 of 1
    assert float(specific_agreement(three.codes, three.total, 1)) == pytest.approx((0.5 + 0.5 + 0) / 3)


def test_pooled_kappa_is_neither_the_mean_nor_the_kappa_of_all_units():
    tables = [(20, 5, 10, 15), (3, 1, 0, 26)]
    codes = [np.repeat([(1, 1), (1, 0), (0, 1), (0, 0)], table, axis=0) for table in tables]
    parts = [coefficient("cohen_kappa", c, 2) for c in codes]
    observed, chance = (np.array([float(getattr(part, name)) for part in parts]) for name in ("observed", "chance"))
    pooled = float(pooled_kappa(observed, chance))
    # by hand: po .7 and .96667; pe .5 x .6 + .5 x .4 = .5 and (4 x 3 + 26 x 27) / 900 = .79333
    assert pooled == pytest.approx(((0.7 + 29 / 30) / 2 - (0.5 + 714 / 900) / 2) / (1 - (0.5 + 714 / 900) / 2), abs=1e-12)
    mean, together = np.mean([float(p.estimate) for p in parts]), float(coefficient("cohen_kappa", np.concatenate(codes), 2).estimate)
    assert len({round(value, 3) for value in (pooled, mean, together)}) == 3
    assert float(pooled_kappa(np.array([np.nan, 0.7]), np.array([np.nan, 0.5]))) == pytest.approx(0.4), (
        "a code without units does not enter"
    )


def test_undefined_where_chance_alone_gives_agreement():
    assert np.isnan(beyond_chance(1.0, 1.0).estimate)
    assert np.isnan(coefficient("cohen_kappa", np.ones((4, 2), int), 2).estimate)
    assert np.isnan(coefficient("gwet_ac1", np.array([[1, -1], [-1, 0]]), 2).estimate), "no unit was judged twice"


def test_bootstrap_samples_give_what_repeated_units_give():
    """A sample's coefficient is that of the units written out as often as their cluster was drawn."""
    clusters = np.repeat(np.arange(4), 3)
    patterns, draws = rating_patterns(CODES, clusters), cluster_draws(4, 20, 5)
    assert (draws.sum(axis=1) == 4).all() and (draws != cluster_draws(4, 20, 6)).any()
    for kind in COEFFICIENTS[1:]:
        drawn = agreement_coefficient(kind, patterns.codes, draws @ patterns.times, np.eye(5)).estimate
        written = [float(coefficient(kind, CODES[np.repeat(np.arange(12), np.repeat(row, 3).astype(int))], 5).estimate) for row in draws]
        assert drawn == pytest.approx(np.array(written), abs=1e-12, nan_ok=True)


def test_interval_is_left_out_where_samples_cannot_tell_it():
    assert np.isnan(percentile_limits(np.ones(100))).all()
    assert np.isnan(percentile_limits(np.append(np.linspace(0, 1, 90), [np.nan] * 10))).all()
    assert percentile_limits(np.linspace(0, 1, 1001)) == pytest.approx((0.025, 0.975))
