"""Agreement and intraclass correlation against published tables and R irr 0.84 (through the values of reference/README.md)."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.agreement import indicator_agreement, rating_agreement
from bscstudy.measures.intraclass import crossed_icc, one_way_icc

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def test_one_way_icc_of_shrout_and_fleiss():
    found = one_way_icc(SHROUT_FLEISS.ravel(), np.repeat(np.arange(6), 4))
    assert [found.single, found.average] == pytest.approx([0.16574, 0.44280], abs=5e-6)  # printed with five digits
    assert [found.low, found.high] == pytest.approx([-0.13, 0.72], abs=5e-3)  # pingouin prints two digits


def test_crossed_icc_of_shrout_and_fleiss():
    found = crossed_icc(SHROUT_FLEISS)
    assert [found.single, found.average] == pytest.approx([0.28976, 0.62005], abs=5e-6)  # printed with five digits


def test_crossed_icc_of_r_irr(reference_folder):
    ratings = pd.read_csv(reference_folder / "rel" / "irr_anxiety.csv").to_numpy(float)
    assert crossed_icc(ratings).single == pytest.approx(0.198, abs=5e-4)  # irr prints three digits


def test_unequal_groups_use_the_corrected_group_size():
    # two groups of 3 and 1: k = (4 - 10/4) / 1 = 1.5; MSB = 3 * .25^2 + .75^2 over 1, MSW = 2 / 2, worked by hand
    found = one_way_icc(np.array([1.0, 2.0, 3.0, 3.0]), np.array(["a", "a", "a", "b"]))
    between, within = 3 * 0.25**2 + 0.75**2, 1.0
    assert found.single == pytest.approx((between - within) / (between + 0.5 * within), abs=1e-12)  # closed form


@pytest.mark.parametrize("values, groups", [([1, 2, 3], ["a", "b", "c"]), ([1, 2, 3], ["a"] * 3), ([2, 2, 2, 2], ["a", "a", "b", "b"])])
def test_icc_is_missing_where_undefined(values, groups):
    assert np.isnan(one_way_icc(np.array(values, float), np.array(groups)).single)


def test_fleiss_kappa_of_fleiss_1971(reference_folder):
    table = pd.read_csv(reference_folder / "rel" / "irr_diagnoses.csv")
    rows = table.rename_axis("observation_id").reset_index().melt("observation_id", var_name="rater", value_name="diagnosis")
    rows["rater_id"] = rows["rater"] + "-" + rows["observation_id"].astype(str)  # other raters for each patient, as published
    found = indicator_agreement(rows, "diagnosis")
    assert found.statistic == "Fleiss' kappa"
    assert found.kappa == pytest.approx(0.4302445, abs=5e-8)  # irr prints seven digits
    assert (found.n_units, found.n_pairs) == (30, 30 * 15)
    # kappam.fleiss of R irr also prints z = 17.65183, by the error where nobody agrees (Fleiss, Nee and Landis 1979); both values
    # stand in statsmodels 0.14, stats/tests/test_inter_rater.py
    shares = rows["diagnosis"].value_counts(normalize=True).to_numpy()
    spread = (shares * (1 - shares)).sum()
    variance = 2 * (spread**2 - (shares * (1 - shares) * (1 - 2 * shares)).sum()) / (spread**2 * 30 * 6 * 5)
    assert found.kappa / np.sqrt(variance) == pytest.approx(17.65183, abs=5e-6)


def test_cohens_kappa_with_the_same_two_raters():
    # 20 both yes, 5 and 10 split, 15 both no: exact .70, chance .50, kappa .40 (closed form)
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    rows = pd.DataFrame({"observation_id": [*range(50)] * 2, "rater_id": ["a"] * 50 + ["b"] * 50, "item": first + second})
    found = indicator_agreement(rows, "item")
    assert (found.statistic, found.n_pairs) == ("Cohen's kappa", 50)
    assert [found.exact, found.kappa] == pytest.approx([0.7, 0.4], abs=1e-12)


def test_pairs_without_both_answers_are_left_out_and_one_category_has_no_kappa():
    rows = pd.DataFrame({"observation_id": [1, 1, 2, 2, 3], "rater_id": ["a", "b", "a", "b", "a"], "item": [1.0, 1.0, 1.0, None, 0.0]})
    found = indicator_agreement(rows, "item")
    assert (found.n_pairs, found.exact) == (1, 1.0)
    assert np.isnan(found.kappa) and "only one category" in found.statistic


def test_agreement_of_the_gti_lesson_raters(gti_folder, gti_ratings):
    expected = pd.read_csv(gti_folder / "oracle" / "video_reliability.csv").set_index("component")
    names = ["n_pairs", "exact", "adjacent", "n_units", "icc", "icc_average"]
    found = pd.DataFrame({c: [getattr(rating_agreement(gti_ratings, c), n) for n in names] for c in expected.index}, index=names).T
    np.testing.assert_allclose(found, expected.to_numpy(float), rtol=1e-9)  # the same sums in another order


def test_segments_of_a_visit_are_one_in_the_intervals_and_the_scale_counts_for_ac1():
    random = np.random.default_rng(8)
    first = random.integers(1, 5, size=30)
    second = np.clip(first + random.integers(-1, 2, size=30), 1, 4)
    once = pd.DataFrame({"observation_id": [*range(30)] * 2, "rater_id": ["a"] * 30 + ["b"] * 30, "x": [*first, *second]}).assign(
        segment="1"
    )
    copies = pd.concat([once.assign(segment=str(k)) for k in range(4)], ignore_index=True)
    names = ["kappa", "kappa_low", "kappa_high", "kappa_quadratic", "ac1", "ac1_low", "ac1_high", "icc", "n_units", "share_double_coded"]
    plain, fourfold, longer = rating_agreement(once, "x"), rating_agreement(copies, "x"), rating_agreement(once, "x", (1, 2, 3, 4, 5, 6, 7))
    assert [getattr(fourfold, n) for n in names] == pytest.approx([getattr(plain, n) for n in names], rel=1e-9)  # copies tell nothing new
    assert plain.kappa < plain.kappa_linear < plain.kappa_quadratic, "raters who miss by one point agree better by distance"
    assert longer.ac1 > plain.ac1 and longer.kappa == pytest.approx(plain.kappa, abs=1e-12)


def test_a_continuous_scale_has_no_kappa():
    values = np.random.default_rng(1).normal(size=60)
    rows = pd.DataFrame({"observation_id": [*range(30)] * 2, "rater_id": ["a"] * 30 + ["b"] * 30, "x": values})
    found = rating_agreement(rows, "x")
    assert np.isnan([found.kappa, found.ac1]).all() and np.isfinite(found.icc)
