"""Fits against published values, against the closed form of a balanced design, and properties every fit must have."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.models import mixed
from bscstudy.models.check import balanced_variances, check_fit, dense_fit
from bscstudy.models.criterion import criterion, gradient, nested_data
from bscstudy.models.fit import fit_model
from bscstudy.models.mixed import fit_mixed

DATA = Path(__file__).parents[1] / "reference" / "data" / "mixed"
VALUES = pd.read_csv(DATA / "reference_values.csv")
OUTCOME = {"dyestuff": "Yield", "dyestuff2": "Yield", "pastes": "strength", "dietox": "Weight", "sim3": "y", "sim3u": "y"}


def spec_of(formula: str, outcome: str, **more) -> dict:
    return {"id": "m", "label": "m", "question": "change", "unit": "person", "outcome": outcome, "formula": formula, **more}


def classic(model: str):
    rows = VALUES[VALUES["model"] == model]
    first = rows.iloc[0]
    frame = pd.read_csv(DATA / f"{first['data']}.csv", dtype={"Pig": str})
    if "pid" in frame:
        frame = frame.rename(columns={"center": "center_id"})
    return rows, fit_model(spec_of(first["formula"], OUTCOME[first["data"]], reml=first["method"] == "REML"), {"person": frame}, {})


@pytest.mark.parametrize("model", sorted(VALUES["model"].unique()))
def test_published_values_are_reproduced(model):
    rows, result = classic(model)
    found = {"logLik": result.log_likelihood, "minus2ll": -2 * result.log_likelihood, "v:Residual": result.sigma2}
    found |= {f"v:{c['group'].removesuffix('_id')}": c["variance"] for c in result.variance_components}
    for effect in result.fixed_effects:
        found |= {f"b:{effect.term}": effect.estimate, f"se:{effect.term}": effect.std_error}
    for row in rows.itertuples():
        assert abs(found[row.quantity] - row.value) <= row.tolerance, (row.quantity, found[row.quantity], row.value)
    assert result.verdict.state == ("boundary" if model.startswith("dyestuff2") else "ok")


@pytest.mark.parametrize("name", ["sim3", "sim3u"])
def test_twenty_simulated_scores_with_boundary_cases_match_lme4(reference_folder, name):
    golden = json.loads((reference_folder / "lmm" / "golden_replicates.json").read_text())[name]
    frame = pd.read_csv(DATA / f"{name}.csv")
    x = np.column_stack([np.ones(len(frame)), frame["wave"], frame["arm"], frame["role"], frame["wave"] * frame["arm"]])
    groups = (pd.factorize(frame["center"])[0], pd.factorize(frame["pid"])[0])
    at_zero = 0
    for y, theta, minus_two in zip(golden["y"], golden["theta"], golden["REMLcrit"], strict=True):
        fit, _ = fit_mixed(np.array(y), x, groups, ("center", "person"))
        assert np.allclose(np.sqrt(fit.ratios), theta[::-1], atol=2e-6)  # lme4's own stop
        assert -2 * fit.point.log_likelihood == pytest.approx(minus_two, abs=1e-8)
        at_zero += int((fit.ratios == 0).any())
    assert at_zero == 4


def seven_centers(center_sd: float = 0.4, seed: int = 5):
    """Seven centers of 6 people in 2 waves, balanced: score, design (intercept, exposure of the center, wave), groups."""
    rng = np.random.default_rng(seed)
    center, person, wave = np.repeat(np.arange(7), 12), np.repeat(np.arange(42), 2), np.tile([0.0, 1.0], 42)
    exposure = (center % 2).astype(float)
    y = (
        3
        + 0.3 * exposure
        + 0.2 * wave
        + center_sd * rng.normal(size=7)[center]
        + 0.5 * rng.normal(size=42)[person]
        + 0.4 * rng.normal(size=84)
    )
    return y, np.column_stack([np.ones(84), exposure, wave]), (center, person)


def test_balanced_design_equals_its_closed_form_computed_by_hand():
    y, x, groups = seven_centers()
    fit, data = fit_mixed(y, x, groups, ("center", "person"))
    cube = y.reshape(7, 6, 2)
    centers, persons = cube.mean((1, 2)), cube.mean(2)
    even, odd = centers[::2], centers[1::2]
    between = 12 * (((even - even.mean()) ** 2).sum() + ((odd - odd.mean()) ** 2).sum()) / 5  # 7 centers - 2 means
    middle = 2 * ((persons - centers[:, None]) ** 2).sum() / 35  # 7 x 5
    inner = (cube - persons[:, :, None] - (cube.mean((0, 1)) - cube.mean())).ravel()
    residual = (inner**2).sum() / 41  # 42 differences - 1 change
    by_hand = [(between - middle) / 12, (middle - residual) / 2, residual]
    assert np.allclose([*fit.variances, fit.point.sigma2], by_hand, rtol=1e-9)  # both exact up to rounding
    assert np.allclose(balanced_variances(data), by_hand, rtol=1e-9)
    assert fit.point.estimates[1] == pytest.approx(odd.mean() - even.mean(), abs=1e-10)
    assert np.sqrt(fit.point.covariance[1, 1]) == pytest.approx(np.sqrt(between / 12 * (1 / 4 + 1 / 3)), rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_row_order_and_labels_of_groups_do_not_matter(seed):
    y, x, (center, person) = seven_centers(seed=seed)
    keep = np.random.default_rng(seed).permutation(84)[:70]
    renamed = (-center[keep] % 11, 100 - person[keep])
    plain, _ = fit_mixed(y[np.sort(keep)], x[np.sort(keep)], (center[np.sort(keep)], person[np.sort(keep)]), ("c", "p"))
    mixed_up, _ = fit_mixed(y[keep], x[keep], renamed, ("c", "p"))
    assert np.allclose(plain.point.estimates, mixed_up.point.estimates, atol=1e-8)  # two runs of an optimiser
    assert np.allclose(plain.variances, mixed_up.variances, atol=1e-8)


def test_rescaling_score_and_predictor_rescales_the_fit():
    y, x, groups = seven_centers()
    plain, _ = fit_mixed(y, x, groups, ("c", "p"))
    scaled, _ = fit_mixed(1000 * y + 5e4, x * [1, 1e-4, 1], groups, ("c", "p"))
    assert np.allclose(scaled.variances, 1e6 * plain.variances, rtol=1e-6)  # 1e5 times larger numbers cost digits
    assert scaled.point.estimates[1] == pytest.approx(1e7 * plain.point.estimates[1], rel=1e-7)
    assert scaled.point.estimates[0] == pytest.approx(1000 * plain.point.estimates[0] + 5e4, rel=1e-9)


def test_no_variance_between_groups_gives_ordinary_least_squares():
    y, x, groups = seven_centers(center_sd=0.0)
    centered = y - np.array([y[groups[0] == g].mean() for g in range(7)])[groups[0]]
    centered -= np.array([centered[groups[1] == p].mean() for p in range(42)])[groups[1]] * 0.9
    fit, _ = fit_mixed(centered, x[:, [0, 2]], groups, ("c", "p"))
    ols, _ = fit_mixed(centered, x[:, [0, 2]], (), ())
    assert not fit.variances.any()
    assert np.allclose(fit.point.estimates, ols.point.estimates, atol=1e-12)
    assert np.allclose(fit.point.covariance, ols.point.covariance, rtol=1e-10)
    assert ols.point.sigma2 == pytest.approx(np.sum((centered - x[:, [0, 2]] @ ols.point.estimates) ** 2) / 82, rel=1e-12)


@pytest.mark.parametrize("reml", [True, False])
def test_gradient_and_dense_criterion_agree_with_the_cluster_sums(reml):
    y, x, groups = seven_centers()
    keep = np.r_[0:31, 37:80]
    data = nested_data(y[keep], x[keep], tuple(g[keep] for g in groups))
    ratios = np.array([0.3, 0.7])
    steps = [np.array([1e-6, 0]), np.array([0, 1e-6])]
    numeric = [(criterion(data, ratios + s, reml) - criterion(data, ratios - s, reml)) / 2e-6 for s in steps]
    assert np.allclose(gradient(data, ratios, reml), numeric, atol=1e-6)  # error of the numeric difference
    assert -2 * dense_fit(data, ratios, reml).log_likelihood == pytest.approx(criterion(data, ratios, reml), abs=1e-10)


def test_a_fit_away_from_the_optimum_is_noticed(monkeypatch):
    y, x, groups = seven_centers()
    monkeypatch.setattr(mixed, "polish", lambda data, start, reml: np.array([0.4, 0.9]))
    fit, data = fit_mixed(y, x, groups, ("c", "p"))
    assert fit.decrement > 1e-4
    assert check_fit(fit, data).second_gain > 1e-3


def test_powell_stopped_early_is_finished(monkeypatch):
    frame = pd.read_csv(DATA / "sim3u.csv")
    x = np.column_stack([np.ones(len(frame)), frame["wave"]])
    groups = (pd.factorize(frame["center"])[0], pd.factorize(frame["pid"])[0])
    exact, _ = fit_mixed(frame["y"].to_numpy(), x, groups, ("c", "p"))
    monkeypatch.setattr(mixed, "FULL_POWELL_GROUPS", 0)
    rough, _ = fit_mixed(frame["y"].to_numpy(), x, groups, ("c", "p"))
    assert rough.powell_below_optimum > 1e-4  # one coarse run of MixedLM alone would not do
    assert np.allclose(rough.variances, exact.variances, atol=1e-9)
