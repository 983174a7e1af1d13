"""Conditional modes, fitted values, predictions for new rows and residuals against lme4."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
ALL = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())
REFERENCE = ALL["sleepstudy"]
OPTIMUM = 1e-6  # relative to the largest value; lme4's own optimum


@pytest.fixture(scope="module")
def sleep():
    return fit_mixed_model("Reaction ~ Days + (1 + Days | Subject)", table())


def table():
    return pd.read_csv(FOLDER / "mixed" / "sleepstudy.csv", dtype={"Subject": str})


def close(found, expected, tolerance=OPTIMUM):
    expected = np.asarray(expected, float)
    np.testing.assert_allclose(np.asarray(found, float), expected, atol=tolerance * np.abs(expected).max(), rtol=0)


def test_conditional_modes_with_their_standard_errors(sleep):
    found = sleep.conditional_modes().set_index(["term", "level"])
    for term, mode, error in (("(Intercept)", "intercept", "sd_intercept"), ("Days", "days", "sd_days")):
        part = found.loc[term].loc[REFERENCE["level"]]
        close(part["mode"], REFERENCE[mode])
        close(part.std_error, REFERENCE[error])
    assert (found.n == 10).all()


def test_conditional_modes_count_the_rows_of_their_group():
    data = table().drop(index=[0, 1, 25])
    found = fit_mixed_model("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", data).conditional_modes()
    counts = data.Subject.value_counts()
    assert found.columns.tolist() == ["group", "level", "n", "term", "mode", "std_error"]
    assert (found.n.to_numpy() == counts[found.level].to_numpy()).all()
    assert fit_mixed_model("Reaction ~ Days", data).conditional_modes().columns.tolist() == found.columns.tolist()


def test_new_rows_of_an_ordinary_regression():
    data = table()
    found = fit_mixed_model("Reaction ~ Days", data)
    new = found.predict(data.iloc[:3])
    np.testing.assert_allclose(new.response, found.predict().response[:3], rtol=1e-12)
    assert (new.level == "population").all()


def test_fitted_values_and_residuals_stand_in_the_order_of_the_data(sleep):
    close(sleep.predict().response, REFERENCE["fitted"])
    close(sleep.residuals(), REFERENCE["residual"])
    close(sleep.residuals("standardized"), REFERENCE["scaled"])
    shuffled = table().sample(frac=1, random_state=3).reset_index(drop=True)
    other = fit_mixed_model("Reaction ~ Days + (1 + Days | Subject)", shuffled)
    close(other.predict().response + other.residuals(), shuffled.Reaction, 1e-12)


def test_new_rows(sleep):
    new = pd.DataFrame(REFERENCE["new"]).assign(Subject=lambda d: d.Subject.astype(str))
    close(sleep.predict(new).response, REFERENCE["conditional"])
    population = sleep.predict(new.drop(columns="Subject"), random_effects=False)
    close(population.response, REFERENCE["population"])
    x = np.column_stack([np.ones(3), new.Days])
    close(population.link_std_error**2, np.diag(x @ sleep.fit.covariance @ x.T), 1e-12)
    unknown = sleep.predict(new.assign(Subject=["308", "a", "b"]))
    assert unknown.level.tolist() == ["conditional", "population for Subject", "population for Subject"]
    close(unknown.response.iloc[1:], REFERENCE["population"][1:])


def test_unknown_kind_of_residuals(sleep):
    with pytest.raises(BscError, match="BSC-LMM-096"):
        sleep.residuals("deviance")


def test_binomial_fits_and_pearson_residuals():
    frame = pd.read_csv(FOLDER / "mixed" / "cbpp.csv", dtype={"herd": str, "period": str})
    result = fit_mixed_model("cbind(incidence, size - incidence) ~ period + (1 | herd)", frame, family="binomial")
    expected = ALL["cbpp"]
    # tight glmer still stops 1e-5 short
    close(result.predict().response, expected["fitted"], 1e-4)
    close(result.residuals("pearson"), expected["pearson"], 1e-3)
    modes = result.conditional_modes().set_index("level").loc[expected["level"]]
    close(modes["mode"], expected["modes"], 1e-3)


def test_weights_and_offset_enter_residuals_and_predictions():
    frame = table().assign(weight=lambda d: 1 + d.Days % 3, known=lambda d: 2.0 * d.Days)
    result = fit_mixed_model("Reaction ~ Days + (1 | Subject)", frame, weights="weight", offset="known")
    close(result.predict().response + result.residuals(), frame.Reaction, 1e-12)
    close(result.residuals("pearson"), np.sqrt(frame.weight) * result.residuals(), 1e-12)
    close(result.residuals("standardized"), result.residuals("pearson") / result.sigma, 1e-12)
    new = frame.iloc[[3, 40]]
    close(result.predict(new).response, result.predict().response.iloc[[3, 40]], 1e-12)
    with pytest.raises(BscError, match="BSC-LMM-105"):
        result.predict(new.drop(columns="known"))
