"""Likelihood-ratio tests against lme4's anova."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())["likelihood_ratio"]


@pytest.mark.parametrize("reml", [True, False])
def test_joint_test_is_anova_of_two_fits_by_maximum_likelihood(reml):
    result = fit_mixed_model("y ~ wave * arm + role + (1 | center/pid)", pd.read_csv(FOLDER / "mixed" / "sim3.csv"), reml=reml)
    found = result.joint_test(["arm", "wave:arm"], "likelihood_ratio")
    assert found.statistic * 2 == pytest.approx(REFERENCE["chisq"], abs=1e-8)  # difference of two polished optima
    assert found.p_value == pytest.approx(REFERENCE["p"], rel=1e-8)
    assert (found.df_numerator, found.df_denominator) == (2, np.inf)


def test_single_terms_carry_the_signed_root():
    result = fit_mixed_model(
        "Reaction ~ Days + (1 + Days | Subject)", pd.read_csv(FOLDER / "mixed" / "sleepstudy.csv", dtype={"Subject": str})
    )
    found = result.tests("likelihood_ratio").set_index("term").loc["Days"]
    one = result.joint_test("Days", "likelihood_ratio")
    assert found.statistic**2 == pytest.approx(one.statistic, rel=1e-9)
    assert found.statistic > 0
    assert found.p_value == pytest.approx(one.p_value, rel=1e-9)
