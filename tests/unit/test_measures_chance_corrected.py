"""Kappa and AC1 against the papers that defined them, R irr, R irrCAC (Gwet) and statsmodels."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.chance_corrected import agreement_weights, cohen_kappa, pooled_coefficients

#: 200 patients, two raters: Cohen's data as R psych prints them (man/kappa.Rd, shares of 200, columns and rows exchanged)
COHEN = np.array([[88, 10, 2], [14, 40, 6], [18, 10, 12]])
#: Gwet's example of two abstractors: irrCAC (kgwet), README.md, cont3x3abstractors; the README prints every value of these three tables
ABSTRACTORS = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
#: irrCAC, README.md, distrib.6raters: 15 patients, 6 raters, 5 categories
SIX_RATERS = np.array(
    [[0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0],
     [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1]]
)  # fmt: skip
#: irrCAC, README.md, cac.raw4raters: four raters who left gaps
GAPS = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3."]


def units(table):
    """One table for each unit of a table of two raters."""
    places = [place for place, n in np.ndenumerate(table) for _ in range(n)]
    found = np.zeros((len(places), *table.shape))
    found[(np.arange(len(places)), *np.array(places).T)] = 1
    return found


def counts(table):
    return units(table).sum(axis=1) + units(table).sum(axis=2)


def test_kappa_plain_and_weighted_of_cohen():
    """R psych, man/kappa.Rd: "cohen reports .492 and .348", the second with weights of disagreement 1, 3 and 6."""
    apart = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    found = [cohen_kappa(units(COHEN), weights).estimate for weights in (np.eye(3), 1 - apart / 6)]
    assert found == pytest.approx([0.492, 0.348], abs=5e-4)  # printed with three digits
    assert found[0] == pytest.approx((0.70 - 0.41) / (1 - 0.41), abs=1e-12)  # .70 agree, .41 would by chance


@pytest.mark.parametrize("kind", ["unweighted", "linear", "quadratic"])
@pytest.mark.parametrize("table", [COHEN, ABSTRACTORS])
def test_kappa_and_its_error_equal_statsmodels(table, kind):
    from statsmodels.stats.inter_rater import cohens_kappa

    other = cohens_kappa(table, wt=None if kind == "unweighted" else kind)
    found, n = cohen_kappa(units(table), agreement_weights([1, 2, 3], kind)), table.sum()
    assert found.estimate == pytest.approx(other.kappa, abs=1e-12)
    assert found.std_error == pytest.approx(np.sqrt(other.var_kappa * n / (n - 1)), rel=1e-9)  # theirs divides by n


def test_squared_weights_of_r_irr(reference_folder):
    """R irr, kappa2(anxiety[, 2:3], "squared"), as statsmodels 0.14 keeps its value (stats/tests/test_inter_rater.py)."""
    ratings = pd.read_csv(reference_folder / "rel" / "irr_anxiety.csv")[["rater2", "rater3"]]
    used = np.unique(ratings)  # irr weights by the rank among the categories used
    table = pd.crosstab(ratings["rater2"], ratings["rater3"]).reindex(index=used, columns=used, fill_value=0).to_numpy()
    found = cohen_kappa(units(table), agreement_weights(np.arange(len(used)), "quadratic"))
    assert found.estimate == pytest.approx(0.2520325, abs=5e-8)  # printed with seven digits


def test_two_raters_of_gwet():
    kappa, (pi, ac1) = cohen_kappa(units(ABSTRACTORS), np.eye(3)), pooled_coefficients(counts(ABSTRACTORS), np.eye(3))
    assert [kappa.estimate, pi.estimate, ac1.estimate] == pytest.approx([0.7964094, 0.7962397, 0.8493305], abs=5e-8)  # as printed
    errors = np.array([kappa.std_error, pi.std_error, ac1.std_error]) * np.sqrt(99 / 100)  # the table form divides by n
    assert errors == pytest.approx([0.05891072, 0.05905473, 0.04321747], abs=5e-9)


def test_the_paradox_of_high_agreement():
    """118 and 0 of 125 agree, 5 and 2 do not; kappa is below 0 although 94 % agree, AC1 is not. Closed forms of both."""
    table, agree, share = np.array([[118, 5], [2, 0]]), 118 / 125, (123 + 120) / 250
    chance, doubt = (123 * 120 + 2 * 5) / 125**2, 2 * share * (1 - share)
    assert cohen_kappa(units(table), np.eye(2)).estimate == pytest.approx((agree - chance) / (1 - chance), abs=1e-12)
    assert pooled_coefficients(counts(table), np.eye(2))[1].estimate == pytest.approx((agree - doubt) / (1 - doubt), abs=1e-12)
    assert agree < chance and agree > doubt


def test_six_raters_of_gwet():
    kappa, ac1 = pooled_coefficients(SIX_RATERS, np.eye(5))
    assert [kappa.estimate, kappa.std_error] == pytest.approx([0.4139265, 0.08119291], abs=5e-8)  # as printed
    assert [ac1.estimate, ac1.std_error] == pytest.approx([0.4448007, 0.08418757], abs=5e-8)
    assert [ac1.low, ac1.high] == pytest.approx([0.264, 0.625], abs=5e-4)


def test_raters_with_gaps():
    table = np.array([[row.count(str(c)) for c in range(1, 6)] for row in GAPS])
    kappa, ac1 = pooled_coefficients(table, np.eye(5))
    assert [kappa.estimate, kappa.std_error, kappa.low] == pytest.approx([0.76117, 0.15302, 0.424], abs=5e-4)
    assert [ac1.estimate, ac1.std_error, ac1.low, ac1.high] == pytest.approx([0.77544, 0.14295, 0.461, 1], abs=5e-4)


def test_units_of_one_visit_count_once_in_the_error():
    """Each unit four times over: the same coefficients; with the visit known, the same error as without the copies."""
    copies, visits = np.repeat(counts(ABSTRACTORS), 4, axis=0), np.repeat(np.arange(100), 4)
    for once, known in zip(
        pooled_coefficients(counts(ABSTRACTORS), np.eye(3)), pooled_coefficients(copies, np.eye(3), visits), strict=True
    ):
        assert [known.estimate, known.std_error] == pytest.approx([once.estimate, once.std_error], rel=1e-12)
    once, known = (
        cohen_kappa(units(COHEN), np.eye(3)),
        cohen_kappa(np.repeat(units(COHEN), 4, axis=0), np.eye(3), np.repeat(np.arange(200), 4)),
    )
    assert [known.estimate, known.std_error] == pytest.approx([once.estimate, once.std_error], rel=1e-12)


def test_one_category_has_no_kappa_but_an_ac1_without_limits():
    kappa, ac1 = pooled_coefficients(np.array([[2, 0], [2, 0], [2, 0]]), np.eye(2))
    assert np.isnan(kappa.estimate) and ac1.estimate == 1 and np.isnan([ac1.low, ac1.high]).all()
    assert np.isnan(cohen_kappa(units(np.array([[4, 0], [0, 0]])), np.eye(2)).estimate)
    assert all(np.isnan(c.estimate) for c in pooled_coefficients(np.eye(2), np.eye(2))), "nobody was coded twice"
