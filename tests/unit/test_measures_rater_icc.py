"""The six intraclass correlations against Shrout and Fleiss, R irr 0.84 and pingouin, and what each may depend on."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.intraclass import FORMS, six_icc
from bscstudy.measures.rater_scores import score_icc

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def estimates(ratings):
    return {form.form: form.estimate for form in six_icc(ratings)}


def test_the_table_of_shrout_and_fleiss():
    found = estimates(SHROUT_FLEISS)
    published = dict(zip(FORMS, [0.16574, 0.28976, 0.71484, 0.44280, 0.62005, 0.90932], strict=True))
    assert found == pytest.approx(published, abs=5e-6)  # printed with five digits


def test_the_values_of_r_irr(reference_folder):
    found = estimates(pd.read_csv(reference_folder / "rel" / "irr_anxiety.csv").to_numpy(float))
    assert [found["ICC(2,1)"], found["ICC(3,k)"]] == pytest.approx([0.198, 0.453], abs=5e-4)  # irr prints three digits


@pytest.mark.parametrize("name", ["irr_anxiety", "irr_video", None])
def test_all_forms_and_intervals_equal_pingouin(name, request):
    import pingouin

    folder = request.getfixturevalue("reference_folder") if name else None
    ratings = pd.read_csv(folder / "rel" / f"{name}.csv").to_numpy(float) if name else SHROUT_FLEISS
    n, k = ratings.shape
    long = pd.DataFrame({"unit": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "value": ratings.ravel()})
    table = pingouin.intraclass_corr(long, targets="unit", raters="rater", ratings="value")
    found = six_icc(ratings)
    np.testing.assert_allclose([form.estimate for form in found], table["ICC"], atol=1e-12)
    limits = np.array([[form.low, form.high] for form in found])
    np.testing.assert_allclose(limits, np.array(table["CI95"].tolist()), atol=5.001e-3)  # pingouin rounds limits to two digits


def test_a_constant_added_to_one_rater_lowers_agreement_and_leaves_consistency():
    shifted = SHROUT_FLEISS + np.array([0.0, 0.0, 9.0, 0.0])
    before, after = estimates(SHROUT_FLEISS), estimates(shifted)
    for form in FORMS:
        if form.startswith("ICC(3"):
            assert after[form] == pytest.approx(before[form], abs=1e-12)  # the same sums of squares
        else:
            assert after[form] < before[form] - 0.05
    assert estimates(3 * SHROUT_FLEISS - 7) == pytest.approx(before, abs=1e-12), "units of the scale do not matter"


@pytest.mark.parametrize("ratings", [np.full((4, 3), 2.0), np.ones((1, 3)), np.ones((5, 1))])
def test_without_variance_or_pairs_there_is_none(ratings):
    assert all(np.isnan([form.estimate, form.low, form.high]).all() for form in six_icc(ratings))


def test_perfect_raters_have_one_and_limits_enclose_the_estimate():
    assert set(estimates(np.repeat(np.arange(4.0), 3).reshape(4, 3)).values()) == {1.0}
    assert all(form.low <= form.estimate <= form.high for form in six_icc(SHROUT_FLEISS))


def test_intervals_of_agreement_cover_the_truth():
    """True ICC(2,1) = 4 / (4 + 1 + 3) = .5 with 12 units and 8 raters: the 95 % interval covers it about as often."""
    random = np.random.default_rng(20240301)
    covered = 0
    for _ in range(400):
        ratings = 2 * random.normal(size=(12, 1)) + random.normal(size=(1, 8)) + np.sqrt(3) * random.normal(size=(12, 8))
        form = six_icc(ratings)[1]
        covered += form.low <= 0.5 <= form.high
    assert 0.91 <= covered / 400 <= 0.98  # .95, four standard errors of a share of 400


def long_scores(ratings, names=None):
    n, k = ratings.shape
    raters = names or [[f"r{j}" for j in range(k)]] * n
    rows = [(f"v{i}", raters[i][j], ratings[i, j]) for i in range(n) for j in range(k)]
    return pd.DataFrame(rows, columns=["observation_id", "rater_id", "value"])


def test_raters_who_change_from_visit_to_visit_leave_only_the_one_way_forms():
    forms, n_visits, n_raters, note = score_icc(long_scores(SHROUT_FLEISS))
    assert [form.form for form in forms] == list(FORMS) and (n_visits, n_raters, note) == (6, 4, "")
    others = [[f"r{i}{j}" for j in range(4)] for i in range(6)]
    forms, _, _, note = score_icc(long_scores(SHROUT_FLEISS, others))
    assert [form.form for form in forms] == ["ICC(1,1)", "ICC(1,k)"] and "different raters" in note
    whole = six_icc(SHROUT_FLEISS)
    assert [forms[1].estimate, forms[1].low, forms[1].high] == pytest.approx([whole[3].estimate, whole[3].low, whole[3].high], abs=1e-12)
