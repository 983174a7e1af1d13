"""The second engine against densities and mean squares by hand, and what it notices."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from bscstudy.models.balanced import balanced_variances
from bscstudy.models.dense_gls import gls, plain_model
from bscstudy.models.second_engine import other_optimum, second_engine
from bscstudy.multilevel import fit_mixed_model

DATA = Path(__file__).parents[1] / "reference" / "data" / "mixed"


def people(seed: int = 5, center_sd: float = 0.4) -> pd.DataFrame:
    """Seven centers of 6 people in 2 waves, balanced; 4 raters cross the centers; weights and a 0/1 answer."""
    rng = np.random.default_rng(seed)
    center, person, wave = np.repeat(np.arange(7), 12), np.repeat(np.arange(42), 2), np.tile([0.0, 1.0], 42)
    y = 3 + 0.3 * (center % 2) + 0.2 * wave + center_sd * rng.normal(size=7)[center] + 0.5 * rng.normal(size=42)[person]
    y = y + 0.4 * rng.normal(size=84)
    frame = pd.DataFrame({"y": y, "wave": wave, "exposure": center % 2 * 1.0, "center": center.astype(str), "person": person.astype(str)})
    frame["rater"] = rng.integers(0, 4, 84).astype(str)
    frame["weight"], frame["yes"] = rng.uniform(0.5, 2, 84), (y + rng.normal(size=84) > 3.2).astype(float)
    return frame


@pytest.mark.parametrize("reml", [True, False])
def test_dense_and_sparse_forms_equal_the_normal_density(reml):
    fit = fit_mixed_model("y ~ wave + (1 + wave | center) + (1 | rater)", people(), reml=reml, weights="weight").fit
    model = plain_model(fit.design)
    covariances = [fit.layout.covariance_matrix(fit.entries, i) for i in range(2)]
    found = gls(model, covariances, reml, sparse=False)
    by_hand = np.diag(1 / model.weights)
    for codes, columns, covariance in zip(model.codes, model.columns, covariances, strict=True):
        by_hand += (codes[:, None] == codes[None, :]) * (columns @ covariance @ columns.T)
    inverse = np.linalg.inv(by_hand)
    beta = np.linalg.solve(model.x.T @ inverse @ model.x, model.x.T @ inverse @ model.y)
    assert np.allclose(found.estimates, beta, rtol=1e-10)  # rounding of two dense solves
    density = multivariate_normal(model.x @ beta, found.sigma2 * by_hand).logpdf(model.y)
    if not reml:
        assert found.log_likelihood == pytest.approx(density, abs=1e-9)
    else:  # Harville: density less half the log-determinant of the information, plus the constants of p dimensions
        information = np.linalg.slogdet(model.x.T @ inverse @ model.x / found.sigma2)[1]
        assert found.log_likelihood == pytest.approx(density - information / 2 + np.log(2 * np.pi), abs=1e-9)
    other = gls(model, covariances, reml, sparse=True)
    assert other.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-9)
    assert np.allclose(other.covariance, found.covariance, rtol=1e-9)


def test_balanced_closed_form_is_that_of_mean_squares_by_hand():
    frame = people()
    cube = frame["y"].to_numpy().reshape(7, 6, 2)
    centers, persons = cube.mean((1, 2)), cube.mean(2)
    even, odd = centers[::2], centers[1::2]
    between = 12 * (((even - even.mean()) ** 2).sum() + ((odd - odd.mean()) ** 2).sum()) / 5  # 7 centers - 2 means
    middle = 2 * ((persons - centers[:, None]) ** 2).sum() / 35  # 7 x 5
    inner = (cube - persons[:, :, None] - (cube.mean((0, 1)) - cube.mean())).ravel()
    residual = (inner**2).sum() / 41  # 42 differences - 1 change
    x = np.column_stack([np.ones(84), frame["exposure"], frame["wave"]])
    groups = (frame["center"].astype(int).to_numpy(), frame["person"].astype(int).to_numpy())
    found = balanced_variances(frame["y"].to_numpy(), x, groups)
    assert np.allclose(found, [(between - middle) / 12, (middle - residual) / 2, residual], rtol=1e-9)
    assert balanced_variances(frame["y"].to_numpy()[:-1], x[:-1], tuple(g[:-1] for g in groups)) is None


@pytest.mark.parametrize(
    ("formula", "family", "engine"),
    [
        ("y ~ wave + exposure + (1 | center/person)", "gaussian", "statsmodels MixedLM"),
        ("y ~ wave + (1 + wave | center)", "gaussian", "statsmodels MixedLM"),
        ("y ~ wave + (1 | center/person) + (1 | center:wave)", "gaussian", "statsmodels MixedLM"),
        ("y ~ wave + (1 | center) + (1 | rater)", "gaussian", "Nelder-Mead"),
        ("y ~ wave + exposure", "gaussian", "statsmodels least squares"),
        ("yes ~ wave + (1 | center)", "binomial", "dense Laplace"),
    ],
)
def test_every_kind_of_model_has_an_independent_path_that_agrees(formula, family, engine):
    found = second_engine(fit_mixed_model(formula, people(), family=family))
    assert engine in found.engine and found.agrees, found
    assert (found.closed_form_difference is not None) == (formula == "y ~ wave + exposure + (1 | center/person)")


def test_a_fit_away_from_the_optimum_or_with_other_numbers_is_noticed():
    result = fit_mixed_model("y ~ wave + (1 | center) + (1 | rater)", people())
    model, free = plain_model(result.fit.design), tuple(f.free for f in result.fit.design.factors)
    assert other_optimum(model, free, True) == pytest.approx(result.log_likelihood, abs=1e-6)  # Nelder-Mead's own stop
    moved = replace(result, fit=replace(result.fit, deviance=result.fit.deviance + 0.1))
    assert any("better optimum" in fault for fault in second_engine(moved).faults)
    shifted = replace(result, fit=replace(result.fit, beta=result.fit.beta + np.array([0.0, 0.001])))
    assert any("standard errors" in fault for fault in second_engine(shifted).faults)
    wider = replace(result, fit=replace(result.fit, covariance=1.01 * result.fit.covariance))
    assert any("standard errors computed" in fault for fault in second_engine(wider).faults)
