"""Alpha and omega against lavaan's data, closed forms and statsmodels' factor analysis."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.item_keys import keyed_answers, parse_terms
from bscstudy.measures.reliability import (
    cronbach_alpha,
    describe_ends,
    item_statistics,
    omega_from_covariance,
    omega_total,
    pairwise_alpha,
    standardized_alpha,
)


@pytest.fixture(scope="module")
def nine_tests(reference_folder):
    return pd.read_csv(reference_folder / "psy" / "holzinger_swineford1939.csv")


@pytest.mark.parametrize("first, expected", [(1, 0.62611713), (4, 0.88270691), (7, 0.68845502)])
def test_alpha_of_holzinger_and_swineford(nine_tests, first, expected):
    items = nine_tests[[f"x{i}" for i in range(first, first + 3)]].to_numpy()
    assert cronbach_alpha(items).value == pytest.approx(expected, abs=5e-9)  # printed with eight digits


def test_alpha_interval_is_that_of_pingouin(nine_tests):
    import pingouin

    items = nine_tests[["x1", "x2", "x3"]]
    alpha, interval = pingouin.cronbach_alpha(data=items)
    found = cronbach_alpha(items.to_numpy())
    assert [found.value, found.low, found.high] == pytest.approx([alpha, *interval], abs=6e-4)  # pingouin rounds the interval


def test_alpha_uses_complete_rows_only(nine_tests):
    items = nine_tests[["x1", "x2", "x3"]].to_numpy()
    assert cronbach_alpha(np.vstack([items, [[1, np.nan, 99]]])) == cronbach_alpha(items)


#: R psych 2.2.9, alpha() of x1 to x6: r.drop, alpha.drop
PSYCH = [
    (0.508246015824, 0.721893484402), (0.306450248157, 0.773543642845), (0.333881116209, 0.765226980896),
    (0.643433387205, 0.684855819871), (0.577091486381, 0.701939992388), (0.663996186966, 0.682313066573),
]  # fmt: skip


def test_item_statistics_are_those_of_psych(nine_tests):
    items = nine_tests[[f"x{i}" for i in range(1, 7)]].to_numpy()
    found = item_statistics(np.vstack([items, [np.nan] * 6]))
    np.testing.assert_allclose([(row.item_total, row.alpha_if_deleted) for row in found], PSYCH, atol=1e-11)  # printed with twelve digits
    assert {row.n for row in found} == {301}
    assert standardized_alpha(items) == pytest.approx(0.759726573914, abs=1e-11)


def test_an_item_of_two_has_no_alpha_without_it():
    found = item_statistics(np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, 4.0]]))
    assert found[0].item_total == pytest.approx(0.8) and np.isnan(found[0].alpha_if_deleted)


def test_pairwise_alpha_is_that_of_psych(nine_tests):
    items = nine_tests[[f"x{i}" for i in range(1, 7)]].to_numpy()
    assert pairwise_alpha(items) == (pytest.approx(cronbach_alpha(items).value, abs=1e-12), 301)
    for j in range(6):
        items[j :: 12 + j, j] = np.nan
    value, fewest = pairwise_alpha(items)
    assert value == pytest.approx(0.76280932141, abs=1e-11)  # alpha(use = "pairwise"), printed with eleven digits
    valid = ~np.isnan(items)
    assert fewest == min((valid[:, i] & valid[:, j]).sum() for i in range(6) for j in range(6))


def test_pairwise_alpha_needs_three_persons_for_each_pair():
    value, fewest = pairwise_alpha(np.array([[1, 2], [2, np.nan], [np.nan, 1], [3, 3]], float))
    assert np.isnan(value) and fewest == 2


def test_omega_of_a_congeneric_model():
    loadings, unique = np.array([0.4, 0.9, 1.3, 0.7, 2.0]), np.array([0.5, 0.3, 1.1, 0.8, 2.5])
    common = loadings.sum() ** 2
    found = omega_from_covariance(np.outer(loadings, loadings) + np.diag(unique))
    assert found == pytest.approx(common / (common + unique.sum()), abs=1e-7)  # the optimiser's tolerance


def test_omega_of_three_items_has_a_closed_form(nine_tests):
    covariance = np.cov(nine_tests[["x1", "x2", "x3"]].to_numpy(), rowvar=False)
    a, b, c = covariance[0, 1], covariance[0, 2], covariance[1, 2]
    loadings = np.sqrt([a * b / c, a * c / b, b * c / a])
    expected = loadings.sum() ** 2 / covariance.sum()  # three items are fitted exactly
    assert omega_from_covariance(covariance) == pytest.approx(expected, abs=1e-7)  # the optimiser's tolerance


def test_omega_agrees_with_statsmodels(nine_tests):
    from statsmodels.multivariate.factor import Factor

    items = nine_tests[[f"x{i}" for i in range(1, 7)]].to_numpy()
    fit = Factor(items, n_factor=1, method="ml").fit()
    spread = items.std(axis=0, ddof=1)
    common = (fit.loadings[:, 0] * spread).sum() ** 2
    expected = common / (common + (fit.uniqueness * spread**2).sum())
    assert omega_total(items) == pytest.approx(expected, abs=1e-5)  # statsmodels stops early


@pytest.mark.parametrize("case", ["two items", "constant item", "copied item", "improper"])
def test_omega_is_missing_where_there_is_no_proper_solution(case):
    answers = np.random.default_rng(3).normal(size=(40, 4))
    improper = np.array([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]])  # the first loading would exceed 1
    found = {
        "two items": lambda: omega_total(answers[:, :2]),
        "constant item": lambda: omega_total(np.column_stack([answers, np.ones(40)])),
        "copied item": lambda: omega_total(np.column_stack([answers, answers[:, 0]])),
        "improper": lambda: omega_from_covariance(improper),
    }[case]()
    assert np.isnan(found)


def test_floor_and_ceiling_are_shares_of_scores():
    ends = describe_ends(np.array([1, 1, 2, 5, np.nan]), 1, 5)
    assert (ends.n, ends.floor, ends.ceiling) == (4, 0.5, 0.25)
    assert np.isnan(describe_ends(np.array([1.0]), np.nan, np.nan).floor)


def test_alphas_of_the_gti_scales(gti_folder):
    key = pd.read_csv(gti_folder / "oracle" / "scale_key.csv").dropna(subset=["alpha"])
    raw = pd.read_csv(gti_folder / "raw" / "GTI-Teacher-Data.csv", low_memory=False)
    found = {}
    for row in key.itertuples():
        terms = parse_terms(" ".join(f"-{token[:-1]}" if token.endswith("~") else token for token in row.items.split()), [])
        answers = raw[[term.item for term in terms]]
        keyed = keyed_answers(answers.where(answers < 9990), terms, {term.item: (1.0, 4.0) for term in terms})
        found[row.column] = cronbach_alpha(keyed).value
    np.testing.assert_allclose([found[c] for c in key["column"]], key["alpha"], rtol=1e-9)  # equal to R psych to 1e-10
    assert len(key) >= 59
