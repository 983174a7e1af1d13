"""Marginal means, contrasts and slopes against emmeans, cell means by hand and each other."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.contrasts import contrast_set
from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
ALL = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())
REFERENCE = ALL["emmeans"]
FORMULA = "y ~ wave * arm + role + (1 | center/pid)"
STANDARD_ERROR = 1e-6  # relative; lme4's own optimum


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(FOLDER / "mixed" / "sim3.csv")


@pytest.fixture(scope="module")
def words(frame):
    """Wave and arm written as words."""
    return fit_mixed_model(FORMULA, frame.assign(wave=frame.wave.astype(str), arm=frame.arm.map({0: "no", 1: "yes"})))


def same(found, expected, estimate="emmean", error="SE"):
    np.testing.assert_allclose(found.estimate, expected[estimate], rtol=1e-7)
    np.testing.assert_allclose(found.std_error, expected[error], rtol=STANDARD_ERROR)


def test_means_agree_with_emmeans(words, frame):
    same(words.marginal_means("wave", by="arm", method="wald"), REFERENCE["wave_arm"])
    same(words.marginal_means("wave", weights="proportional", method="wald"), REFERENCE["wave_proportional"])
    same(words.marginal_means("arm", at={"wave": ["0", "2"], "role": 0.25}, method="wald"), REFERENCE["arm_at"])
    adjusted = words.marginal_means("wave", by="arm", method="kenward_roger")
    same(adjusted, REFERENCE["kenward_roger"])
    np.testing.assert_allclose(adjusted.df, REFERENCE["kenward_roger"]["df"], rtol=1e-6)
    np.testing.assert_allclose(adjusted.lower, REFERENCE["kenward_roger"]["lower.CL"], rtol=1e-6)
    np.testing.assert_allclose(adjusted.upper, REFERENCE["kenward_roger"]["upper.CL"], rtol=1e-6)
    # a yes/no variable as 0 and 1 gives the same means as in words
    numbers = fit_mixed_model(FORMULA, frame.assign(wave=frame.wave.astype(str)))
    same(numbers.marginal_means("wave", method="wald"), REFERENCE["wave"])


@pytest.mark.parametrize(
    ("kind", "adjustment", "name"),
    [("pairwise", "holm", "pairwise"), ("treatment", "none", "treatment"), ("consecutive", "benjamini_hochberg", "consecutive")],
)
def test_contrasts_agree_with_emmeans(words, kind, adjustment, name):
    found = words.contrasts("wave", kind, by="arm", adjustment=adjustment, method="wald")
    same(found, REFERENCE[name], "estimate")
    np.testing.assert_allclose(found.p_adjusted, REFERENCE[name]["p.value"], rtol=1e-5)
    assert found.arm.tolist() == REFERENCE[name]["arm_f"]
    together = words.contrasts("wave", kind, by="arm", adjustment=adjustment, method="wald", one_family=True)
    assert (together.p_adjusted >= found.p_adjusted - 1e-15).all() or adjustment == "benjamini_hochberg"


def test_slopes_agree_with_emtrends(frame):
    found = fit_mixed_model(FORMULA, frame).slopes("wave", "arm", method="wald")
    same(found, REFERENCE["slope"], "wave.trend")
    sleep = fit_mixed_model(
        "Reaction ~ Days + (1 + Days | Subject)", pd.read_csv(FOLDER / "mixed" / "sleepstudy.csv", dtype={"Subject": str})
    )
    whole = sleep.slopes("Days", method="kenward_roger")
    same(whole, REFERENCE["slope_sleepstudy"], "Days.trend")
    assert whole.df[0] == pytest.approx(17, abs=1e-6)


def test_the_slope_of_a_curve_is_its_derivative():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.uniform(1, 4, 200), "g": np.repeat(np.arange(20), 10).astype(str)})
    frame["y"] = frame.x**3 + np.log(frame.x) + rng.normal(size=200)
    result = fit_mixed_model("y ~ x + I(x**2) + I(x**3) + np.log(x) + (1 | g)", frame)
    found = result.slopes("x", at={"x": [1.5, 3.0]}, over="x")
    terms = dict(zip(result.fit.design.fixed_names, result.fit.beta, strict=True))
    linear, square, cube, log = (terms[n] for n in result.fit.design.fixed_names[1:])
    at = np.array([1.5, 3.0])
    np.testing.assert_allclose(found.estimate, linear + 2 * square * at + 3 * cube * at**2 + log / at, rtol=1e-8)
    ends = np.array([frame.x.min(), frame.x.max()])  # where a spline would end
    curve = fit_mixed_model("y ~ bs(x, df=5) + (1 | g)", frame)
    slopes = curve.slopes("x", at={"x": ends}, over="x")
    inside = frame.assign(x=np.clip(frame.x, ends[0] + 1e-7, ends[1] - 1e-7)).iloc[[frame.x.argmin(), frame.x.argmax()]]
    rise = (
        curve.predict(inside, random_effects=False).link.to_numpy()
        - curve.predict(inside.assign(x=ends), random_effects=False).link.to_numpy()
    )
    np.testing.assert_allclose(slopes.estimate, rise / [1e-7, -1e-7], rtol=1e-4)


TABLES = json.loads((FOLDER / "lmm" / "marginal_means.json").read_text())
METHODS = {"kenward-roger": "kenward_roger", "satterthwaite": "satterthwaite", "asymptotic": "wald"}


@pytest.fixture(scope="module", params=["sim3", "sim3u"])
def both(request):
    """Balanced and unbalanced, categories written as words, with emmeans' tables."""
    frame = pd.read_csv(FOLDER / "mixed" / f"{request.param}.csv").assign(occasion=lambda d: d.wave.astype(str))
    frame = frame.assign(arm=frame.arm.astype(str), role=frame.role.astype(str))
    return fit_mixed_model("y ~ occasion * arm + role + (1 | center/pid)", frame), TABLES[request.param]


@pytest.mark.parametrize("df", list(METHODS))
def test_tables_of_emmeans_by_every_method(both, df):
    result, tables = both
    method, expected = METHODS[df], tables[df]
    means = {"means_occasion": ("occasion", "equal"), "means_role": ("role", "equal")}
    means |= {"means_occasion_proportional": ("occasion", "proportional"), "means_arm_cells": ("arm", "cells")}
    for name, (over, weights) in means.items():
        found = result.marginal_means(over, weights=weights, method=method)
        same(found, expected[name])
        np.testing.assert_allclose(found.df, np.array(expected[name]["df"], float), rtol=1e-6)
    found = result.contrasts("occasion", by="arm", method=method)
    same(found, expected["pairs_by_arm_holm"], "estimate")
    np.testing.assert_allclose(found.p_adjusted, expected["pairs_by_arm_holm"]["p.value"], rtol=1e-5)
    low = "asymp.LCL" if df == "asymptotic" else "lower.CL"
    np.testing.assert_allclose(found.lower, expected["pairs_interval"][low], rtol=1e-5)
    changes = expected["difference_of_changes"]
    weights = {"1 - 0": [1, -1, 0, -1, 1, 0], "2 - 0": [1, 0, -1, -1, 0, 1], "2 - 1": [0, 1, -1, 0, -1, 1]}
    found = result.contrasts(["arm", "occasion"], weights, method=method, adjustment="none")
    same(found, changes, "estimate")
    np.testing.assert_allclose(found.p_value, changes["p.value"], rtol=1e-5)


def test_a_saturated_model_gives_the_cell_means(frame):
    """Balanced data, groups nested in nothing compared: means over waves are the plain means."""
    result = fit_mixed_model("y ~ wave + (1 | center/pid)", frame.assign(wave=frame.wave.astype(str)))
    found = result.marginal_means("wave")
    np.testing.assert_allclose(found.estimate, frame.groupby("wave").y.mean(), rtol=1e-10)
    step = result.contrasts("wave", {"rise": [-1, 0, 1]})
    assert step.estimate[0] == pytest.approx(frame.groupby("wave").y.mean().diff(2).iloc[2], rel=1e-10)
    test = result.tests("satterthwaite").set_index("term")
    last = test.iloc[-1]
    assert (step.p_value[0], step.df[0]) == pytest.approx((last.p_value, last.df), rel=1e-9)


def test_contrasts_by_model_comparison_have_p_but_no_limits(words):
    found = words.contrasts("wave", "treatment", method="likelihood_ratio", by="arm")
    wald = words.contrasts("wave", "treatment", method="wald", by="arm")
    assert found.lower.isna().all()
    # many waves' rows: both tests agree to a few percent in the statistic
    np.testing.assert_allclose(found.statistic, wald.statistic, rtol=0.05)
    with pytest.raises(BscError, match="BSC-LMM-099"):
        words.marginal_means("wave", method="likelihood_ratio")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda r: r.marginal_means("waves"), "086"),
        (lambda r: r.marginal_means("wave", at={"arm": "maybe"}), "103"),
        (lambda r: r.marginal_means("wave", weights="size"), "087"),
        (lambda r: r.contrasts("wave", "tukey"), "088"),
        (lambda r: r.contrasts("wave", 5), "088"),
        (lambda r: r.contrasts("wave", {"a": [1, -1]}), "116"),
        (lambda r: r.contrasts("wave", {}), "116"),
        (lambda r: r.contrasts("arm", at={"arm": r.fit.design.information.factors["arm"][0]}), "117"),
        (lambda r: r.slopes("wave"), "094"),
        (lambda r: r.slopes(None), "094"),
        (lambda r: r.marginal_means("wave", scale="percent"), "095"),
        (lambda r: r.contrasts("wave", scale="percent"), "095"),
        (lambda r: r.marginal_means("wave", level=95), "083"),
    ],
)
def test_refusals(words, call, code):
    with pytest.raises(BscError, match=f"BSC-LMM-{code}"):
        call(words)


def test_directions_of_contrasts():
    assert contrast_set("abc").labels == ("a - b", "a - c", "b - c")
    assert contrast_set("abc", "treatment").weights.tolist() == [[-1, 1, 0], [-1, 0, 1]]
    assert contrast_set("abc", "consecutive").weights.tolist() == [[-1, 1, 0], [0, -1, 1]]


def test_binomial_means_and_odds_ratios_agree_with_emmeans():
    frame = pd.read_csv(FOLDER / "mixed" / "cbpp.csv", dtype={"herd": str, "period": str})
    result = fit_mixed_model("cbind(incidence, size - incidence) ~ period + (1 | herd)", frame, family="binomial")
    expected = ALL["cbpp"]
    # tight glmer still stops 1e-5 short in the fixed effects
    for scale, name, estimate in (("link", "link", "emmean"), ("response", "response", "prob")):
        found = result.marginal_means("period", method="wald", scale=scale)
        np.testing.assert_allclose(found.estimate, expected[name][estimate], rtol=2e-4)
        np.testing.assert_allclose(found.std_error, expected[name]["SE"], rtol=2e-3)
        np.testing.assert_allclose(found.upper, expected[name]["asymp.UCL"], rtol=1e-3)
    ratios = result.contrasts("period", method="wald", scale="response")
    np.testing.assert_allclose(ratios.estimate, expected["ratios"]["odds.ratio"], rtol=1e-3)
    np.testing.assert_allclose(ratios.p_adjusted, expected["ratios"]["p.value"], rtol=2e-2)
