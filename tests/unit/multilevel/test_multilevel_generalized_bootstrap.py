"""Parametric bootstrap of generalized models: where the chi-square holds, and what does not change."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel import fit_mixed_model
from bscstudy.multilevel.generalized import simulate

FOLDER = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())["cbpp"]
FORMULA = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.fixture(scope="module")
def result():
    return fit_mixed_model(FORMULA, pd.read_csv(FOLDER / "mixed" / "cbpp.csv", dtype={"herd": str, "period": str}), family="binomial")


def test_a_clear_and_an_unclear_question(result):
    clear = result.parametric_bootstrap("period", replicates=99, seed=4)
    assert clear.p_value == clear.smallest_p == 0.01
    assert clear.statistic == pytest.approx(2 * (REFERENCE["log_likelihood"] - REFERENCE["null_log_likelihood"]), abs=1e-5)
    unclear = result.parametric_bootstrap(np.array([[0, 1.0, -1.0, 0]]), replicates=199, seed=4)
    # one df, 56 counts: the chi-square p is right to a few percent; standard error of the bootstrap p below .04
    assert unclear.p_value == pytest.approx(unclear.p_chi_square, abs=0.12)
    assert unclear == result.parametric_bootstrap(np.array([[0, 1.0, -1.0, 0]]), replicates=199, seed=4)
    assert result.joint_test("period", "parametric_bootstrap", replicates=99, seed=4).p_value == clear.p_value


def test_refits_surround_the_estimates(result):
    drawn = result.parametric_bootstrap(replicates=200, seed=2)
    error = np.sqrt(np.diag(result.fit.covariance))[:4]
    # mean within 4 standard errors of a mean of 200; spread within 25 percent of the Hessian's
    assert np.all(np.abs(np.nanmean(drawn.beta, axis=0) - result.fit.beta[:4]) < 4 * error / np.sqrt(200) + 0.1 * error)
    np.testing.assert_allclose(np.nanstd(drawn.beta, axis=0), error, rtol=0.25)
    shares = result.variance_partition(interval="parametric_bootstrap", replicates=100, seed=2)
    assert 0 <= shares.share_lower[0] < shares.share[0] < shares.share_upper[0] < 0.5


def test_outcomes_have_the_moments_of_the_model(result):
    outcomes = simulate(result.fit, np.random.default_rng(8), 4000).T
    design, sd = result.fit.design, result.fit.theta[0]
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    link = (design.fixed @ result.fit.beta[:4])[:, None] + sd * nodes
    expected = design.trials * (1 / (1 + np.exp(-link)) @ (weights / weights.sum()))
    # 4,000 draws of at most 34 trials: four standard errors of the mean
    assert np.all(np.abs(outcomes.mean(axis=0) - expected) < 4 * outcomes.std(axis=0) / np.sqrt(4000))


def test_weights_are_refused(result):
    frame = pd.read_csv(FOLDER / "mixed" / "cbpp.csv", dtype={"herd": str, "period": str}).assign(w=2.0)
    weighted = fit_mixed_model(FORMULA, frame, family="binomial", weights="w")
    with pytest.raises(BscError, match="BSC-LMM-109"):
        weighted.parametric_bootstrap("period", replicates=9, seed=1)


@pytest.mark.parametrize("terms", ["period", None])
def test_no_replicates_are_refused(result, terms):
    with pytest.raises(BscError, match="BSC-LMM-048"):
        result.parametric_bootstrap(terms, replicates=0, seed=1)
