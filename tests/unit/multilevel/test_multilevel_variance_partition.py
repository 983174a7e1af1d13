"""Shares of variance, intraclass correlations and R squared, against lme4's variances, closed forms and the bootstrap."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())
NESTED = "y ~ wave * arm + role + (1 | center/pid)"


def table(name):
    return pd.read_csv(FOLDER / "mixed" / f"{name}.csv", dtype={"Subject": str})


def test_r_squared_by_the_definition_from_lme4():
    for name, formula in (("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"), ("sim3", NESTED)):
        found = fit_mixed_model(formula, table(name)).r_squared
        expected = REFERENCE["r_squared"][name]
        assert found.marginal == pytest.approx(expected["marginal"], rel=1e-6)  # lme4's own optimum
        assert found.conditional == pytest.approx(expected["conditional"], rel=1e-6)


def test_shares_add_up_and_rows_of_a_person_share_the_center_too():
    found = fit_mixed_model(NESTED, table("sim3")).variance_partition().set_index("group")
    assert found.share.sum() == pytest.approx(1, abs=1e-14)
    person, center = found.loc[found.index[1]], found.loc["center"]
    assert person.icc == pytest.approx(person.share + center.share, abs=1e-14)
    assert center.icc == center.share
    assert ((found.share_lower < found.share) & (found.share < found.share_upper)).all()


def test_components_of_a_slope_model():
    found = fit_mixed_model("Reaction ~ Days + (1 + Days | Subject)", table("sleepstudy")).variance_components
    assert found.group.tolist() == ["Subject", "Subject", "Subject", "Residual"]
    # polished by Newton's method: see the research note on peers
    np.testing.assert_allclose(found.variance, [612.089938663, 35.0716604983, 9.60433331675, 654.941027072], rtol=1e-7)
    np.testing.assert_allclose(found.sd[[0, 1, 3]] ** 2, found.variance[[0, 1, 3]], rtol=1e-13)
    assert found.correlation[2] == pytest.approx(9.60433331675 / np.sqrt(612.089938663 * 35.0716604983), rel=1e-7)


def test_delta_interval_of_a_balanced_layout_has_the_closed_form():
    """One-way balanced REML: the F ratio's log has the variance 2 / (J - 1) + 2 / (J (m - 1)) to first order in the observed curvature."""
    found = fit_mixed_model("Yield ~ 1 + (1 | Batch)", table("dyestuff")).variance_partition()
    batches, each = 6, 5
    frame = table("dyestuff")
    between = each * frame.groupby("Batch").Yield.mean().var()
    within = frame.groupby("Batch").Yield.var().mean()
    ratio = between / within
    icc = (ratio - 1) / (ratio + each - 1)
    assert found.icc[0] == pytest.approx(icc, rel=1e-8)
    slope = ratio / (ratio - 1)  # of logit(icc) = log(ratio - 1) - log(each) in log ratio
    error = slope * np.sqrt(2 / (batches - 1) + 2 / (batches * (each - 1)))
    logit = np.log(icc / (1 - icc))
    expected = 1 / (1 + np.exp(-(logit + np.array([-1, 1]) * 1.959963984540054 * error)))
    np.testing.assert_allclose([found.icc_lower[0], found.icc_upper[0]], expected, rtol=1e-6)


def test_boundary_has_the_lower_limit_zero_and_the_bootstrap_gives_the_upper():
    result = fit_mixed_model("Yield ~ 1 + (1 | Batch)", table("dyestuff2"))
    delta = result.variance_partition()
    assert delta.share[0] == pytest.approx(0, abs=1e-10)
    assert delta.share_lower[0] == 0
    assert np.isnan(delta.share_upper[0])
    assert delta.note[0]
    drawn = result.variance_partition(interval="parametric_bootstrap", replicates=400, seed=5)
    assert 0 <= drawn.share_lower[0] < 1e-10
    assert 0.1 < drawn.share_upper[0] < 0.6
    with pytest.raises(BscError, match="BSC-LMM-091"):
        result.variance_partition(interval="parametric_bootstrap")
    with pytest.raises(BscError, match="BSC-LMM-098"):
        result.variance_partition(interval="exact")
