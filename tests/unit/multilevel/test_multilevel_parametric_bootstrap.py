"""The parametric bootstrap against exact tests, moments of its draws, and itself in another row order."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from bscstudy.errors import BscError
from bscstudy.multilevel.linear import fit_linear
from bscstudy.multilevel.model_frame import build_design
from bscstudy.multilevel.parametric_bootstrap import bootstrap_sample, likelihood_ratio_bootstrap, simulate_responses

DATA = Path(__file__).resolve().parents[2] / "reference" / "data" / "mixed"


def fit(file, formula):
    return fit_linear(build_design(formula, pd.read_csv(DATA / file)))


def row(found, name):
    return np.eye(found.design.p)[[i for i, n in enumerate(found.design.fixed_names) if n.startswith(name)]]


def monte_carlo(p, draws):
    """Four standard errors of a share of draws."""
    return 4 * np.sqrt(p * (1 - p) / draws) + 1 / draws


def test_equals_the_exact_f_test_without_random_effects():
    design = build_design("Reaction ~ Days + z", pd.read_csv(DATA / "sleepstudy.csv").assign(z=np.random.default_rng(3).normal(size=180)))
    found = fit_linear(design)
    z = row(found, "z")
    t = float((z @ found.beta)[0] / np.sqrt(z @ found.covariance @ z.T)[0, 0])
    exact = 2 * student.sf(abs(t), found.design.n - found.design.p)
    test = likelihood_ratio_bootstrap(found, z, replicates=4000, seed=5)
    assert abs(test.p_value - exact) < monte_carlo(exact, 4000)
    assert test.n_failed == 0 and test.df == 1


@pytest.mark.parametrize("name", ["harvest", "sow"])
def test_split_plot_where_the_likelihood_ratio_misleads(name):
    """beets: the chi-square says .0003 for harvest; pbkrtest 0.5.2 (PBmodcomp, 2,000 samples, set.seed(1)) says .0290."""
    found = fit("beets.csv", "sugpct ~ block + sow + harvest + (1 | block:harvest)")
    test = likelihood_ratio_bootstrap(found, row(found, name), replicates=4000, seed=1)
    if name == "harvest":
        assert test.p_chi_square == pytest.approx(0.000326, abs=1e-6)  # printed to six decimals
        assert abs(test.p_value - 0.0289855) < monte_carlo(0.03, 4000) + monte_carlo(0.03, 2000)  # both are drawn
    else:
        assert test.p_value == test.smallest_p == 1 / 4001


def test_draws_have_the_moments_of_the_model():
    found = fit("sim3u.csv", "y ~ wave * arm + role + (1 + wave | center) + (1 | center:pid)")
    drawn = simulate_responses(found, np.random.default_rng(2), 20_000)
    design = found.design
    assert np.allclose(drawn.mean(axis=1), design.fixed @ found.beta, atol=0.035)  # about five standard errors of a mean
    expected = np.full(design.n, found.sigma**2)
    for number, factor in enumerate(design.factors):
        small = found.sigma**2 * found.layout.covariance_matrix(found.entries, number)
        expected += np.einsum("ni,ij,nj->n", factor.columns, small, factor.columns)
    assert np.allclose(drawn.var(axis=1), expected, rtol=0.06)  # six standard errors of a variance of 20,000 draws
    same = design.factors[0].codes == design.factors[0].codes[0]
    first, second = drawn[same][:2]
    shared = sum(
        found.sigma**2 * f.columns[same][0] @ found.layout.covariance_matrix(found.entries, i) @ f.columns[same][1]
        for i, f in enumerate(design.factors)
    )
    assert np.isclose(np.cov(first, second)[0, 1], shared, rtol=0.1)


def test_one_seed_one_answer_in_any_row_order():
    frame = pd.read_csv(DATA / "sim3u.csv")
    formula = "y ~ wave * arm + role + (1 | center/pid)"
    tests, samples = [], []
    for order in (np.arange(len(frame)), np.random.default_rng(0).permutation(len(frame))):
        found = fit_linear(build_design(formula, frame.iloc[order]))
        tests.append(likelihood_ratio_bootstrap(found, np.eye(found.design.p)[[4]], replicates=300, seed=9))
        samples.append(bootstrap_sample(found, replicates=70, seed=4).beta)
    assert tests[0] == tests[1]
    assert np.array_equal(*samples)
    other = likelihood_ratio_bootstrap(found, np.eye(found.design.p)[[4]], replicates=300, seed=10)
    assert other.p_value != tests[0].p_value


def test_nothing_to_test_is_refused():
    found = fit("sim3u.csv", "y ~ wave + (1 | center/pid)")
    with pytest.raises(BscError, match="BSC-LMM-102"):
        likelihood_ratio_bootstrap(found, np.zeros((1, 2)), seed=1)
