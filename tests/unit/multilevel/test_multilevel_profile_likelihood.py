"""Profile-likelihood intervals against lme4, published limits and the definition."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from bscstudy.errors import BscError
from bscstudy.multilevel.fit import fit_mixed_model
from bscstudy.multilevel.linear import fit_linear
from bscstudy.multilevel.profile_criterion import Parameter, free_hessian, surface, turned_layout
from bscstudy.multilevel.profile_likelihood import profile_likelihood

FOLDER = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())["profile"]
FORMULAS = {
    "sleepstudy": ("Reaction ~ Days + (1 + Days | Subject)", "Subject"),
    "sim3": ("y ~ wave * arm + role + (1 | center/pid)", "center"),
    "penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "plate"),
}


def fitted(name, **how):
    formula, group = FORMULAS[name]
    return fit_mixed_model(formula, pd.read_csv(FOLDER / "mixed" / f"{name}.csv", dtype={group: str}), **how)


@pytest.mark.parametrize("name", list(FORMULAS))
def test_limits_agree_with_lme4(name):
    found = fitted(name).profile()
    kinds = {"sd": "sd_", "correlation": "cor_", "sigma": "sigma"}
    expected = pd.DataFrame(REFERENCE[name])
    for kind in ("sd", "correlation", "sigma", "coefficient"):
        ours = found[found.kind == kind]
        start = kinds.get(kind)
        rows = expected.name.str.startswith(start) if start else ~expected.name.str.startswith(("sd_", "cor_", "sigma"))
        # lme4 interpolates its profile by a spline: good to a few 1e-5 of the width
        width = (expected[rows].upper - expected[rows].lower).to_numpy()
        limits = ours[["lower", "upper"]].to_numpy(), expected.loc[rows, ["lower", "upper"]].to_numpy()
        assert len(limits[0]) == len(limits[1])
        assert np.all(np.abs(limits[0] - limits[1]) < 1e-4 * width[:, None])


def test_sleepstudy_as_published():
    found = fitted("sleepstudy").profile().set_index(["kind", "term"])
    published = {
        ("coefficient", "(Intercept)"): (237.681, 265.130),
        ("coefficient", "Days"): (7.359, 13.576),
        ("sigma", ""): (22.898, 28.858),
    }
    for key, limits in published.items():
        assert tuple(found.loc[key, ["lower", "upper"]].round(3)) == limits


@pytest.mark.parametrize("reml", [False, True])
def test_a_limit_is_where_the_constrained_deviance_has_risen_by_the_quantile(reml):
    """One-way layout, refitted from scratch on a grid of the standard deviation: brute force on the dense likelihood."""
    frame = pd.read_csv(FOLDER / "mixed" / "dyestuff.csv")
    fit = fit_mixed_model("Yield ~ 1 + (1 | Batch)", frame, reml=reml).fit
    interval = profile_likelihood(fit, reml=reml, coefficients=False)[0]
    z, y, n = pd.get_dummies(frame.Batch).to_numpy(float), frame.Yield.to_numpy(float), len(frame)

    def deviance(sd, sigma):
        v = sd**2 * z @ z.T + sigma**2 * np.eye(n)
        solved = np.linalg.solve(v, np.column_stack([np.ones(n), y]))
        information = solved[:, 0].sum()
        rest = y - (y @ solved[:, 0]) / information
        value = n * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + rest @ np.linalg.solve(v, rest)
        return value + (np.log(information) - np.log(2 * np.pi) if reml else 0)

    from scipy.optimize import minimize_scalar

    smallest = fit.deviance
    for limit in (interval.lower, interval.upper):
        risen = minimize_scalar(lambda s, limit=limit: deviance(limit, s), bounds=(20, 120), method="bounded", options={"xatol": 1e-9}).fun
        assert risen - smallest == pytest.approx(chi2.ppf(0.95, 1), abs=1e-6)  # the outer search stops at 1e-9 of the root


def test_a_variance_of_zero_has_the_lower_limit_zero_and_says_so():
    found = fit_mixed_model("Yield ~ 1 + (1 | Batch)", pd.read_csv(FOLDER / "mixed" / "dyestuff2.csv")).profile()
    assert found.lower[0] == 0.0
    assert "boundary" in found.note[0]
    # with the variance at 0 the model is that of the plain mean: sigma's own profile is the chi-square pivot's likelihood
    assert 0 < found.upper[0] < 3
    assert np.isfinite(found[["lower", "upper"]].to_numpy()).all()


def test_start_and_level():
    fit = fitted("sim3").fit
    warm, cold = profile_likelihood(fit, level=0.5), profile_likelihood(fit_linear(fit.design, reml=False), level=0.5)
    for one, other in zip(warm, cold, strict=True):
        assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), rel=1e-6)  # two optima, each at 1e-8
        assert one.lower < one.estimate + 1e-9
    with pytest.raises(BscError, match="BSC-LMM-083"):
        profile_likelihood(fit, level=95)


@pytest.mark.parametrize(("kind", "reml"), [("coefficient", False), ("sigma", True), ("sd", True), ("correlation", False)])
def test_derivatives_agree_with_differences(kind, reml):
    """Gradient and Hessian in the free coordinates and the slope in the value held, away from the optimum."""
    fit = fitted("sleepstudy").fit
    front = {"sd": (1,), "correlation": (1, 0)}.get(kind, ())
    turned = turned_layout(fit.layout, 0, front)
    position = {"coefficient": 1, "sd": 0, "correlation": 1}.get(kind, -1)
    parameter = Parameter(kind, turned, position)
    value = {"coefficient": 9.0, "sigma": 22.0, "sd": 4.0, "correlation": 0.3}[kind]
    free = parameter.free(np.append(turned.theta(fit.entries) + [0.1, 0.2, -0.05], 3.1))

    def at(value, free):
        held = (position, value) if kind == "coefficient" else None
        place, slope, moved = parameter.where(value, free)
        part = surface(fit, turned, place, reml=reml, held=held)
        return part, slope, part.coefficient_slope if held else part.gradient @ moved

    def deviance(coordinates):
        return at(coordinates[0], coordinates[1:])[0].value

    both = np.append(value, free)
    steps = np.eye(len(both)) * 1e-5 * np.maximum(np.abs(both), 0.1)
    differences = np.array([(deviance(both + h) - deviance(both - h)) / (2 * h.sum()) for h in steps])
    part, slope, in_value = at(value, free)
    # central differences: 1e-10 of the deviance over the step
    np.testing.assert_allclose(np.append(in_value, slope.T @ part.gradient), differences, rtol=1e-5, atol=1e-4)

    def gradient(free):
        part, slope, _ = at(value, free)
        return slope.T @ part.gradient

    hessian = np.array([(gradient(free + h) - gradient(free - h)) / (2 * h.sum()) for h in steps[1:, 1:]])
    np.testing.assert_allclose(free_hessian(parameter, part, slope), hessian, rtol=1e-5, atol=1e-4)
