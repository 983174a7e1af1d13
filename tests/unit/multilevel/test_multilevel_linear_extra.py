"""Linear models of many shapes (crossed, nested, weights, offset, splines, boundary) against lme4, lmerTest and pbkrtest."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.multilevel.kenward_roger import kenward_roger
from bscstudy.multilevel.linear import fit_linear
from bscstudy.multilevel.model_frame import build_design
from bscstudy.multilevel.profile_likelihood import profile_likelihood
from bscstudy.multilevel.satterthwaite import satterthwaite

DATA = Path(__file__).resolve().parents[2] / "reference" / "data"
REFERENCE = json.loads((DATA / "lmm" / "linear_extra.json").read_text())
MODELS = {
    "penicillin": ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "pastes": ("pastes", "strength ~ 1 + (1 | batch / cask)"),
    "cake": ("cake", "angle ~ recipe * temperature + (1 | recipe:replicate)"),
    "cake_slope": ("cake", "angle ~ recipe + temp + (1 | replicate)"),
    "sleep_independent": ("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
    "sleep_weights": ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
    "sleep_offset": ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
    "sleep_spline": ("sleepstudy", "Reaction ~ bs(Days, df = 4) + (1 | Subject)"),
    "slopes_center_intercept_person": ("sim3u", "y ~ wave * arm + role + (1 + wave | center) + (1 | pid)"),
    "slopes_nested": ("sim3u", "y ~ wave * arm + role + (1 + wave | center / pid)"),
    "categories_unbalanced": ("sim3u", "y ~ wave_factor * arm + role + (1 | center / pid)"),
    "slopes_litter_pig": ("dietox", "Weight ~ Time + Evit + (1 + Time | Litter) + (1 + Time | Pig)"),
    "dyestuff": ("dyestuff", "Yield ~ 1 + (1 | Batch)"),
    "dyestuff2_boundary": ("dyestuff2", "Yield ~ 1 + (1 | Batch)"),
}


def fitted(name, reml=True):
    table, formula = MODELS[name]
    data = pd.read_csv(DATA / "mixed" / f"{table}.csv")
    if table == "sim3u":
        data["wave_factor"] = data["wave"].astype(str)
    for column in ("recipe", "temperature", "replicate", "Evit", "Litter", "Pig", "Subject"):
        if column in data:
            data[column] = data[column].astype(str)
    given = {key: np.array(REFERENCE[name][key], float) for key in ("weights", "offset") if key in REFERENCE[name]}
    return fit_linear(build_design(formula, data, **given), reml=reml)


def by_size(estimates):
    """Positions by estimate: R and formulaic may order the columns of an interaction differently."""
    return np.argsort(np.atleast_1d(estimates))


SHIFTS = {
    "independent": ("sleepstudy", "Reaction ~ Days"),
    "nested": ("sim3u", "y ~ wave * arm + (1 | center / pid)"),
    "slopes": ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
    "crossed": ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
}


@pytest.mark.parametrize("name", SHIFTS)
def test_a_response_far_from_zero_keeps_its_digits(name):
    table, formula = SHIFTS[name]
    data = pd.read_csv(DATA / "mixed" / f"{table}.csv")
    outcome = formula.split(" ~ ")[0]
    near = fit_linear(build_design(formula, data))
    far = fit_linear(build_design(formula, data.assign(**{outcome: data[outcome] + 1e6})))
    # the shifted outcome itself is rounded at 1e-10; without centring the deviance is off by 2e-6 to 1e-2
    assert far.deviance == pytest.approx(near.deviance, abs=1e-8)
    np.testing.assert_allclose(far.theta, near.theta, rtol=1e-8)
    np.testing.assert_allclose(far.sigma, near.sigma, rtol=1e-10)
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=1e-8)
    np.testing.assert_allclose(far.beta - [1e6, *np.zeros(len(far.beta) - 1)], near.beta, atol=1e-8)
    np.testing.assert_allclose(far.criterion.beta, far.beta, rtol=0)
    np.testing.assert_allclose(far.hessian, near.hessian, rtol=1e-7, atol=1e-7)
    value = near.prepared.fit_many(near.design.response[:, None], near.theta, reml=True).criterion[0]
    assert near.deviance == pytest.approx(value, rel=1e-12)  # the search has columns and response scaled


def test_the_numpy_search_keeps_the_digits_too():
    design = build_design("Reaction ~ Days + (1 + Days | Subject)", pd.read_csv(DATA / "mixed" / "sleepstudy.csv"))
    fit = fit_linear(design)
    found = fit.blocks.fit_many(np.column_stack([design.response, design.response + 1e6]), fit.theta, reml=True)
    np.testing.assert_allclose(found.criterion, fit.deviance, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.beta - [[0, 0], [1e6, 0]], [fit.beta] * 2, atol=1e-7)


def test_profiles_do_not_depend_on_the_origin_of_the_response():
    data = pd.read_csv(DATA / "mixed" / "sleepstudy.csv")
    fits = [fit_linear(build_design("Reaction ~ Days + (1 | Subject)", data.assign(Reaction=data.Reaction + s))) for s in (0, 1e6)]
    near, far = (profile_likelihood(fit) for fit in fits)
    for a, b in zip(near, far, strict=True):
        moved = 1e6 if a.term == "(Intercept)" and a.kind == "coefficient" else 0.0
        np.testing.assert_allclose([b.lower - moved, b.upper - moved], [a.lower, a.upper], atol=1e-6)


def test_a_small_spread_far_from_zero_is_no_copy_of_the_predictors():
    data = pd.read_csv(DATA / "mixed" / "sleepstudy.csv")
    far = fit_linear(build_design("Reaction ~ Days + (1 | Subject)", data.assign(Reaction=data.Reaction + 1e10)))
    assert far.sigma == pytest.approx(fit_linear(build_design("Reaction ~ Days + (1 | Subject)", data)).sigma, rel=1e-5)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", MODELS)
def test_optimum(name, method):
    fit, reference = fitted(name, method == "reml"), REFERENCE[name][method]
    ours, theirs = by_size(fit.beta), by_size(reference["beta"])
    assert fit.deviance == pytest.approx(reference["criterion"], abs=1e-9)
    np.testing.assert_allclose(
        np.abs(fit.theta), np.abs(np.atleast_1d(reference["theta"])), atol=1e-8
    )  # lme4 polished to a gradient of 1e-7
    scale = np.max(np.abs(reference["beta"]))
    np.testing.assert_allclose(fit.beta[ours], np.atleast_1d(reference["beta"])[theirs], rtol=1e-9, atol=1e-10 * scale)
    errors = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(errors[ours], np.atleast_1d(reference["se"])[theirs], rtol=1e-9)
    assert fit.sigma == pytest.approx(reference["sigma"], rel=1e-9)
    assert bool(fit.boundary) == reference["boundary"]


@pytest.mark.parametrize("name", MODELS)
def test_degrees_of_freedom(name):
    fit, reference = fitted(name), REFERENCE[name]["reml"]
    ours, theirs = by_size(fit.beta), by_size(reference["beta"])
    contrasts = np.eye(fit.design.p)[ours]
    expected = np.atleast_1d(reference["satterthwaite_df"])[theirs]
    np.testing.assert_allclose(satterthwaite(fit).df(contrasts), expected, rtol=1e-6)  # lmerTest differentiates numerically
    if "kr_df" in reference:
        found = kenward_roger(fit).tests(contrasts)
        np.testing.assert_allclose(found.df, np.atleast_1d(reference["kr_df"])[theirs], rtol=1e-8)
        np.testing.assert_allclose(found.std_error, np.atleast_1d(reference["kr_se"])[theirs], rtol=1e-9)


JOINT = [(name, test) for name in MODELS for test in REFERENCE[name]["reml"].get("kr_tests", []) if test["ndf"] > 1]


@pytest.mark.parametrize(("name", "test"), JOINT, ids=[f"{name}-{test['label']}" for name, test in JOINT])
def test_joint_tests(name, test):
    fit, reference = fitted(name), REFERENCE[name]["reml"]
    place = dict(zip(by_size(reference["beta"]), by_size(fit.beta), strict=True))
    contrasts = np.eye(fit.design.p)[[place[column - 1] for column in test["columns"]]]
    found = kenward_roger(fit).joint(contrasts)
    assert found.statistic == pytest.approx(test["Fstat"], rel=1e-8)
    assert found.df_denominator == pytest.approx(test["ddf"], rel=1e-8)
    assert found.p_value == pytest.approx(test["p.value"], rel=1e-7)
    found = satterthwaite(fit).joint(contrasts)
    assert found.statistic == pytest.approx(test["satterthwaite_F"], rel=1e-8)
    assert found.df_denominator == pytest.approx(test["satterthwaite_ddf"], rel=1e-6)
