"""The result a user holds: the entry point, tables, text, JSON, and what each method refuses."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from bscstudy.errors import BscError
from bscstudy.multilevel import fit_mixed_model
from bscstudy.multilevel.linear import LinearFit
from bscstudy.multilevel.result import MixedModelResult
from bscstudy.multilevel.verdict import Verdict

FOLDER = Path(__file__).parents[2] / "reference" / "data"
INFERENCE = json.loads((FOLDER / "lmm" / "reference_lmertest_pbkrtest.json").read_text())
NESTED = "y ~ wave * arm + role + (1 | center/pid)"


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(FOLDER / "mixed" / "sim3.csv")


@pytest.fixture(scope="module")
def result(frame):
    return fit_mixed_model(NESTED, frame)


def test_tables_have_the_declared_columns(result):
    columns = ["term", "estimate", "std_error", "df", "statistic", "p_value"]
    assert list(result.fixed_effects) == columns
    for method in ("satterthwaite", "kenward_roger", "cr0", "cr1", "cr2", "cr3", "between_within", "wald", "likelihood_ratio"):
        found = result.tests(method)
        assert list(found) == columns
        assert found.attrs["method"].lower().startswith(method.split("_")[0])
        np.testing.assert_allclose(found.estimate, result.fit.beta, rtol=0.05, atol=0.01)
    assert list(result.variance_components) == ["group", "term", "term2", "variance", "correlation", "sd"]
    assert result.n_groups == {"center:pid": 105, "center": 7} or result.n_groups == {"pid:center": 105, "center": 7}


@pytest.mark.parametrize(("method", "key", "error"), [("satterthwaite", "satterthwaite_df", "se"), ("kenward_roger", "kr_df", "kr_se")])
def test_methods_reach_their_modules(result, method, key, error):
    expected = INFERENCE["sim3"]
    found = result.tests(method).set_index("term").loc[expected["terms"]]
    np.testing.assert_allclose(found.df, expected[key], rtol=1e-6)
    np.testing.assert_allclose(found.std_error, expected[error], rtol=1e-6)
    joint = result.joint_test(["arm", "wave:arm"], "kenward_roger")
    assert (joint.statistic, joint.df_denominator) == (pytest.approx(0.437186335, rel=1e-6), pytest.approx(12.4917077841, rel=1e-6))


def test_regression_without_random_terms_is_that_of_statsmodels(frame):
    found = fit_mixed_model("y ~ wave * arm + role", frame)
    x = sm.add_constant(frame.assign(product=frame.wave * frame.arm)[["wave", "arm", "role", "product"]])
    expected = sm.OLS(frame.y, x).fit()
    tests = found.fixed_effects.set_index("term").loc[["(Intercept)", "wave", "arm", "role", "wave:arm"]]
    for ours, theirs in (("estimate", "params"), ("std_error", "bse"), ("statistic", "tvalues"), ("p_value", "pvalues")):
        np.testing.assert_allclose(tests[ours], getattr(expected, theirs), rtol=1e-9)
    assert (tests.df == 310).all()
    by_maximum = fit_mixed_model("y ~ wave * arm + role", frame, reml=False)
    np.testing.assert_allclose(by_maximum.fixed_effects.p_value, found.fixed_effects.p_value, rtol=1e-9)
    assert by_maximum.log_likelihood == pytest.approx(expected.llf, rel=1e-12)
    joint = found.joint_test(["arm", "wave:arm"])
    assert joint.statistic == pytest.approx(float(expected.f_test(np.eye(5)[[2, 4]]).fvalue), rel=1e-9)
    assert found.title == "Linear regression"
    assert found.verdict.state == "ok"
    assert "Linear regression" in found.summary()


def test_bootstrap_needs_a_seed_and_keeps_to_it(frame):
    found = fit_mixed_model("sugpct ~ block + sow + harvest + (1 | block:harvest)", pd.read_csv(FOLDER / "mixed" / "beets.csv"))
    one = found.joint_test("harvest", "parametric_bootstrap", replicates=200, seed=3)
    assert one == found.joint_test("harvest", "parametric_bootstrap", replicates=200, seed=3)
    # F(1, 2) gives .06, the chi-square .0003
    assert 0.01 < one.p_value < 0.15
    assert found.joint_test("harvest", "likelihood_ratio").p_value == pytest.approx(0.000326, abs=1e-6)
    with pytest.raises(BscError, match="BSC-LMM-091"):
        found.tests("parametric_bootstrap")


@pytest.mark.parametrize(
    ("formula", "call", "code"),
    [
        (NESTED, lambda r: r.tests("kenward-roger"), "089"),
        (NESTED, lambda r: r.tests("t"), "107"),
        ("y ~ wave", lambda r: r.tests("satterthwaite"), "108"),
        ("y ~ wave", lambda r: r.tests("cr2"), "108"),
        (NESTED, lambda r: r.joint_test("waves"), "092"),
        (NESTED, lambda r: r.joint_test(np.eye(3)), "093"),
        (NESTED, lambda r: r.joint_test(np.zeros((1, 5))), "138"),
        (NESTED, lambda r: r.joint_test([]), "093"),
    ],
)
def test_refusals(frame, formula, call, code):
    with pytest.raises(BscError, match=f"BSC-LMM-{code}") as refusal:
        call(fit_mixed_model(formula, frame))
    assert "What to do" in str(refusal.value)


def test_summary_says_what_a_reader_needs(frame):
    lost = frame.assign(role=frame.role.where(frame.index > 4))
    text = fit_mixed_model(NESTED, lost).summary()
    for word in (
        "restricted maximum likelihood",
        "Satterthwaite",
        "Rows: 310",
        "role 5",
        "center 7",
        "Verdict: ok",
        "wave:arm",
        "Residual",
    ):
        assert word in text


def with_state(result, state):
    other = MixedModelResult(result.formula, result.family, result.fit)
    other.__dict__["verdict"] = Verdict(state, ("said for the test",))
    return other


def test_numbers_of_a_bad_fit_are_never_without_the_word(result):
    bad = with_state(result, "unreliable")
    rows = [line for line in bad.summary().splitlines() if any(term in line for term in ("wave", "Residual")) and "Formula" not in line]
    assert len(rows) >= 3
    assert all("unreliable" in row for row in rows)
    assert set(bad.to_frame().verdict) == {"unreliable"}
    failed = with_state(result, "failed")
    assert failed.to_frame()[["estimate", "std_error", "p_value"]].isna().all(axis=None)
    assert "wave:arm " not in failed.summary().split("Verdict")[1]
    assert "theta" not in json.loads(failed.to_json())


def test_json_is_deterministic_sorted_and_finite(result, frame):
    text = result.to_json()
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    assert fit_mixed_model(NESTED, shuffled).to_json() == text
    content = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert list(content) == sorted(content)
    assert content["verdict"]["state"] == "ok"
    assert content["fixed_effects"][0]["estimate"] == pytest.approx(result.fit.beta[0], rel=1e-11)
    assert json.loads(result.to_json("wald"))["fixed_effects"][0]["df"] == "inf"


def test_importing_is_light():
    code = "import sys, bscstudy.multilevel; print([m for m in ('numba', 'formulaic', 'scipy', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_fit_is_frozen(result):
    assert isinstance(result.fit, LinearFit)
    with pytest.raises(AttributeError):
        result.formula = "y ~ 1"


def test_an_ordinal_model_through_the_same_result():
    wine = pd.read_csv(FOLDER / "lmm" / "ordinal_wine.csv", dtype={"judge": str})
    wine = wine.assign(rating=pd.Categorical(wine.rating, ordered=True))
    found = fit_mixed_model("rating ~ temp + contact + (1 | judge)", wine, family="cumulative")
    # ordinal 2022.11-16 with two more inner steps, see tests/reference/R/generalized.R; estimates by clmm to 5 digits
    assert found.log_likelihood == pytest.approx(-81.5654127765, abs=1e-8)
    np.testing.assert_allclose(found.extra_parameters.estimate, [-1.6236668, 1.5133651, 4.2285265, 6.0887724], rtol=1e-4)
    assert found.fixed_effects.attrs["method"] == "between-within"
    assert (found.fixed_effects.df == 72 - 9 - 2).all()
    ratio = found.contrasts("temp", "treatment", scale="response")
    assert ratio.estimate[0] == pytest.approx(np.exp(3.0629964), rel=1e-4)
    for word in ("Ordinal mixed model (cumulative logit)", "Laplace", "2|3", "between-within"):
        assert word in found.summary()
    assert found.sigma is None
    assert found.joint_test(["temp", "contact"], "likelihood_ratio").p_value < 1e-6
    assert found.influence().states == ("ok",) * 9
    with pytest.raises(BscError, match="BSC-LMM-106"):
        found.tests("kenward_roger")
    with pytest.raises(BscError, match="BSC-LMM-097"):
        found.profile()
