"""Agreement within centers and the decision to aggregate."""

import numpy as np
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.aggregation import SLIGHT_SKEW, Null, aggregation, average_deviation, declared_null, null_variance, r_wg

#: answers of 6, 9 and 7 persons to three items with five answers
CENTERS = np.repeat(["a", "b", "c"], [6, 9, 7])
ANSWERS = np.array(
    [[2, 2, 2], [4, 5, 2], [2, 4, 2], [4, 3, 2], [2, 2, 2], [4, 5, 2], [3, 4, 5], [5, 3, 5], [3, 5, 5], [5, 5, 5], [3, 4, 5], [5, 3, 5],
     [3, 5, 5], [5, 5, 5], [3, 4, 5], [1, 3, 1], [3, 2, 1], [1, 1, 1], [3, 4, 1], [1, 3, 1], [3, 2, 1], [1, 1, 1]], float,
)  # fmt: skip
#: R multilevel 2.7 on these: rwg.j with ranvar 2 and 1.34, ad.m
R_MULTILEVEL = {
    "uniform": [0.737288135593, 0.874517374517, 0.820143884892],
    "skewed": [0.470989761092, 0.786296685955, 0.673757014224],
    "deviation": [0.722222222222, 0.559670781893, 0.625850340136],
}


def test_r_wg_of_one_item_has_a_closed_form():
    answers = np.array([[4.0], [4.0], [5.0], [3.0]])  # variance 2/3 against a null variance of 2
    assert r_wg(answers, 5) == pytest.approx(1 - (2 / 3) / 2, abs=1e-12)


def test_r_wg_of_several_items_has_a_closed_form():
    answers = np.array([[4, 3, 5], [4, 4, 5], [5, 3, 4], [np.nan, 1, 1]])
    share = np.mean([1 / 3] * 3) / 2  # the incomplete row is dropped
    assert r_wg(answers, 5) == pytest.approx(3 * (1 - share) / (3 * (1 - share) + share), abs=1e-12)


def test_answers_that_vary_more_than_at_random_have_no_agreement():
    assert r_wg(np.array([[1.0], [5.0]]), 5) == 0.0
    assert np.isnan(r_wg(np.array([[3.0]]), 5))


def test_centers_that_differ_and_agree_may_be_averaged():
    keyed = np.array([[2.0, 2.0], [2.0, 3.0], [4.0, 4.0], [4.0, 5.0], [3.0, 3.0], [3.0, 4.0]])
    found = aggregation(keyed.mean(axis=1), np.array(["a", "a", "b", "b", "c", "c"]), keyed, 5)
    assert found.aggregate == "yes"
    # means 2.25, 4.25, 3.25: MSB = 2, MSW = .125
    assert [found.icc1, found.icc2] == pytest.approx([(2 - 0.125) / (2 + 0.125), (2 - 0.125) / 2], abs=1e-12)


def test_centers_alike_or_without_agreement_may_not():
    keyed = np.array([[1.0], [5.0], [1.0], [5.0]])
    found = aggregation(keyed[:, 0], np.array(["a", "a", "b", "b"]), keyed, 5)
    assert found.aggregate == "no" and "r_wg" in found.decision and "ICC(1)" in found.decision
    assert aggregation(keyed[:, 0], np.array(["a", "b", "c", "d"]), keyed, 5).aggregate == "no"


@pytest.mark.parametrize("kind", R_MULTILEVEL)
def test_agreement_is_that_of_r_multilevel(kind):
    judge = {"uniform": lambda g: r_wg(g, 5), "skewed": lambda g: r_wg(g, 5, SLIGHT_SKEW[0]), "deviation": average_deviation}[kind]
    found = [judge(ANSWERS[CENTERS == name]) for name in "abc"]
    np.testing.assert_allclose(found, R_MULTILEVEL[kind], atol=1e-11)  # printed with twelve digits


def test_null_variances():
    assert null_variance(5) == 2 and null_variance(5, (0.2,) * 5) == pytest.approx(2, abs=1e-12)
    assert null_variance(5, SLIGHT_SKEW[0]) == pytest.approx(1.34, abs=1e-12)  # LeBreton and Senter (2008), as R WGA has it (R/RWG.R)


def test_the_average_deviation_uses_complete_rows_of_two_or_more():
    assert average_deviation(np.array([[1.0, 2.0], [3.0, 2.0], [np.nan, 5.0]])) == 0.5
    assert np.isnan(average_deviation(np.array([[1.0, 2.0]])))


def test_the_null_that_decides_is_declared():
    scores = ANSWERS.mean(axis=1)
    uniform = aggregation(scores, CENTERS, ANSWERS, 5)
    skewed = aggregation(scores, CENTERS, ANSWERS, 5, declared_null({"null_distribution": "slight_skew"}))
    assert (uniform.aggregate, uniform.n_low_agreement, uniform.n_judged) == ("yes", 0, 3)
    assert (skewed.aggregate, skewed.n_low_agreement, skewed.null) == ("no", 2, "slight_skew")
    assert uniform.r_wg_skewed_median == skewed.r_wg_skewed_median == pytest.approx(0.673757014224)
    assert uniform.ad_limit == pytest.approx(5 / 6) and uniform.n_wide == 0
    assert uniform.ad_median == pytest.approx(0.625850340136)


def test_a_skewed_null_of_another_number_of_answers_must_be_declared():
    four = np.clip(ANSWERS, 1, 4)
    assert np.isnan(aggregation(four.mean(axis=1), CENTERS, four, 4).r_wg_skewed_median)
    declared = declared_null({"skewed_shares": [[0.1, 0.2, 0.35, 0.35]]})
    assert declared.skewed.keys() == {4, 5} and declared.skewed[5] == Null().skewed[5]
    assert aggregation(four.mean(axis=1), CENTERS, four, 4, declared).r_wg_skewed_median > 0
    with pytest.raises(BscError, match="BSC-CFG-240"):
        declared_null({"skewed_shares": [[0.5, 0.6]]})
