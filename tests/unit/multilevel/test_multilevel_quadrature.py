"""Adaptive Gauss-Hermite quadrature, against numerical integration and against glmer and clmm with several points."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.families import family_named
from bscstudy.multilevel.generalized import fit_generalized
from bscstudy.multilevel.laplace import prepare_laplace

DATA = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((DATA / "lmm" / "generalized.json").read_text(encoding="utf-8"))


def table(path):
    import pandas as pd

    return pd.read_csv(DATA / path)


def one_factor(response, fixed, groups, trials=None, offset=None):
    labels, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    fixed = np.ascontiguousarray(fixed, float)
    n = len(codes)
    group = GroupingFactor("group", codes.astype(np.int64), tuple(labels), ("(Intercept)",), np.ones((n, 1)), np.ones((1, 1), bool))
    return Design(
        response=np.asarray(response, float),
        trials=None if trials is None else np.asarray(trials, float),
        fixed=fixed,
        fixed_names=tuple(f"x{j}" for j in range(fixed.shape[1])),
        factors=(group,),
        weights=np.ones(n),
        offset=np.zeros(n) if offset is None else np.asarray(offset, float),
        rows=np.arange(n),
    )


def cbpp():
    data = table("mixed/cbpp.csv")
    fixed = np.column_stack([np.ones(len(data)), *((data.period == level) for level in (2, 3, 4))])
    return one_factor(data.incidence, fixed, data.herd, trials=data["size"])


def wine():
    data = table("lmm/ordinal_wine.csv")
    return one_factor(data.rating - 1, np.column_stack([data.temp == "warm", data.contact == "yes"]), data.judge)


def events():
    data = table("lmm/generalized_counts.csv")
    fixed = np.column_stack([np.ones(len(data)), data.wave, data.role])
    return one_factor(data.events, fixed, data.center, offset=np.log(data.hours))


CASES = {
    "cbpp_logit_agq5": (cbpp, "binomial", "logit"),
    "cbpp_logit_agq9": (cbpp, "binomial", "logit"),
    "poisson_agq9": (events, "poisson", "log"),
    "wine_logit_agq10": (wine, "cumulative", "logit"),
    "wine_probit_agq10": (wine, "cumulative", "probit"),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_equal_glmer_and_clmm_with_several_points(name):
    make, family, link = CASES[name]
    stored = REFERENCE[name]
    fit = fit_generalized(make(), family, link=link, quadrature_points=stored["quadrature_points"])
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(stored["log_likelihood"], abs=1e-7)  # their own distance from the optimum
    assert fit.beta == pytest.approx(stored["beta"], abs=1e-5)
    extra = fit.extra_std_error if family == "cumulative" else ()
    errors = np.r_[extra, np.sqrt(np.diag(fit.covariance))]
    assert errors == pytest.approx(stored["se"], rel=3e-4 if name == "poisson_agq9" else 2e-5)  # glmer's numerical Hessian


def integrated(design, density, theta, predictor):
    """Log-likelihood by scipy's adaptive integration, level by level."""
    total = 0.0
    for level in range(design.factors[0].n_levels):
        rows = design.factors[0].codes == level

        def integrand(u, rows=rows):
            return np.exp(density(rows, predictor[rows] + theta * u).sum()) * stats.norm.pdf(u)

        total += np.log(integrate.quad(integrand, -8, 8, epsabs=0, epsrel=1e-12, limit=400, points=(-2, -1, 0, 1, 2))[0])
    return total


def test_many_points_equal_numerical_integration():
    design, theta, beta = cbpp(), 0.9, np.array([-1.2, -0.8, -1.1, -1.5])

    def density(rows, predictor):
        return stats.binom.logpmf(design.response[rows], design.trials[rows], 1 / (1 + np.exp(-predictor)))

    prepared = prepare_laplace(design, covariance_layout(design), family_named("binomial"), 40)
    value, _ = prepared.evaluate(np.array([theta]), beta)
    assert value == pytest.approx(integrated(design, density, theta, design.fixed @ beta), abs=1e-9)


@pytest.mark.parametrize(("family", "points"), [("binomial", 5), ("beta_binomial", 7), ("cumulative", 3), ("cumulative", 10)])
def test_gradient_equals_numerical_differentiation(family, points):
    design = wine() if family == "cumulative" else cbpp()
    known = family_named(family, categories=tuple("12345"))
    prepared = prepare_laplace(design, covariance_layout(design), known, points)
    beta = np.array([2.0, 1.0]) if family == "cumulative" else np.array([-1.2, -0.8, -1.1, -1.5])
    extra = np.array([-1.5, 1.0, 3.0, 5.0]) if family == "cumulative" else np.full(len(known.extra_names), 1.5)
    point = np.concatenate([[0.8], beta, extra])
    bounds = np.cumsum([1, len(beta)])
    numeric = [
        (prepared.evaluate(*np.split(point + step, bounds))[0] - prepared.evaluate(*np.split(point - step, bounds))[0]) / 2e-5
        for step in 1e-5 * np.eye(len(point))
    ]
    assert prepared.evaluate(*np.split(point, bounds))[1] == pytest.approx(numeric, abs=1e-7)  # rounding of the value over the step
