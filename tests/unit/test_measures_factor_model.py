"""Factor models against lavaan's published and computed values, exact derivatives and simulated data."""

import time

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.factor_model import fit_factor_model
from bscstudy.measures.factor_moments import STEPS, places_of
from bscstudy.measures.factor_search import discrepancy_of, sample_of, score_and_information

THREE = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
MEASURES = ("chi2", "df", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr")


@pytest.fixture(scope="module")
def nine_tests(reference_folder):
    return pd.read_csv(reference_folder / "psy" / "holzinger_swineford1939.csv")


#: R lavaan 0.6-14, fitMeasures (srmr: srmr_bentler_nomean); chi-square also as printed in lavaan's tutorial: 85.306 (24) in one group,
#: 115.851 (48), 124.044 (54), 164.103 (60) over schools
LAVAAN = {
    "one group": (85.30552177, 24, 0.93055965, 0.89583948, 0.09212148, 0.07141849, 0.11367802, 0.06520506),
    "configural": (115.85134388, 48, 0.92339838, 0.88509757, 0.09691486, 0.07450529, 0.11958283, 0.07434130),
    "metric": (124.04354418, 54, 0.92092347, 0.89456462, 0.09283654, 0.07139613, 0.11441110, 0.07849038),
    "scalar": (164.10283093, 60, 0.88247181, 0.85896618, 0.10737110, 0.08790386, 0.12719438, 0.07954672),
}


@pytest.mark.parametrize("step", LAVAAN)
def test_fit_of_holzinger_and_swineford(nine_tests, step):
    settings = {} if step == "one group" else {"group": "school", "invariance": step}
    model = fit_factor_model(nine_tests, THREE, **settings)
    assert model.state == "ok" and sum(n for _, n in model.groups) == model.n == 301
    np.testing.assert_allclose([getattr(model, name) for name in MEASURES], LAVAAN[step], atol=5e-7)  # where lavaan's search stops


def test_loadings_and_standard_errors_are_lavaan_s(nine_tests):
    model = fit_factor_model(nine_tests, THREE)
    found = {row.item: (row.estimate, row.std_error, row.standardized) for row in model.loadings}
    lavaan = {"x2": (0.5535003, 0.0996651, 0.4236010), "x5": (1.1130766, 0.0654201, 0.8550654), "x9": (1.0815302, 0.1511674, 0.6650092)}
    for item, expected in lavaan.items():
        assert found[item] == pytest.approx(expected, abs=2e-6)  # where lavaan's search stops
    assert [row.value for row in model.correlations] == pytest.approx([0.4585093, 0.4705345, 0.2829847], abs=2e-6)


def test_factor_means_and_equal_parameters_of_the_scalar_step(nine_tests):
    # Pasteur is lavaan's first group and Grant-White ours: the differences change their sign
    model = fit_factor_model(nine_tests, THREE, group="school", invariance="scalar")
    assert [(row.group, round(row.estimate, 3), round(row.std_error, 3)) for row in model.means] == [
        ("Pasteur", 0.148, 0.122), ("Pasteur", -0.576, 0.117), ("Pasteur", 0.177, 0.090),
    ]  # fmt: skip
    by_item = {(row.group, row.item): row.estimate for row in model.loadings}
    assert all(by_item["Pasteur", f"x{i}"] == by_item["Grant-White", f"x{i}"] for i in range(1, 10))


@pytest.mark.parametrize("step", STEPS)
def test_the_gradient_is_exact(step):
    rng = np.random.default_rng(7)
    pattern = np.array([[1, 0], [1, 0], [1, 1], [0, 1], [0, 1]], bool)
    groups, n_parameters = places_of(pattern, 2, step)
    samples = [sample_of(rng.normal(size=(40, 5)) @ rng.normal(size=(5, 5))) for _ in groups]
    values = 0.3 + 0.1 * rng.random(n_parameters)
    for places in groups:
        values[places.unique] = 2.0
    gradient, _ = score_and_information(samples, groups, values)

    def shifted(at, by):
        return discrepancy_of(samples, groups, values + by * (np.arange(n_parameters) == at))

    numeric = [(shifted(at, 1e-6) - shifted(at, -1e-6)) / 4e-6 for at in range(n_parameters)]
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)  # rounding of the central difference


def simulated(n, seed, loading=(1.0, 0.8, 1.2, 0.6), mean=0.0, shift=0.0):
    rng = np.random.default_rng(seed)
    factor = mean + rng.normal(size=n)
    answers = np.outer(factor, loading) + rng.normal(scale=0.7, size=(n, len(loading))) + shift * (np.arange(len(loading)) == 2)
    return pd.DataFrame(answers, columns=list("abcd")[: len(loading)])


def test_a_known_model_is_recovered():
    data = simulated(40_000, 1)
    model = fit_factor_model(data, {"f": list("abcd")})
    found = {row.item: row for row in model.loadings}
    for item, truth in zip("bcd", (0.8, 1.2, 0.6), strict=True):
        assert abs(found[item].estimate - truth) < 4 * found[item].std_error < 0.05
    assert model.p_value > 0.001 and model.cfi > 0.999


def test_three_items_are_fitted_exactly():
    data = simulated(200, 2, loading=(1.0, 0.8, 1.2))
    model = fit_factor_model(data, {"f": list("abc")})
    covariance = np.cov(data.to_numpy(), rowvar=False)
    assert model.df == 0 and abs(model.chi2) < 1e-9 and np.isnan(model.p_value)
    # closed form of three items, in units of the first: cov(b, c) / cov(a, c)
    assert model.loadings[1].estimate == pytest.approx(covariance[1, 2] / covariance[0, 2], abs=1e-8)


def test_the_fit_does_not_depend_on_units_or_on_the_order_of_rows(nine_tests):
    model = fit_factor_model(nine_tests, THREE, group="school", invariance="scalar")
    other = nine_tests.sample(frac=1, random_state=1).assign(x1=lambda d: 5 + 100 * d["x1"])
    again = fit_factor_model(other, THREE, group="school", invariance="scalar")
    assert again.chi2 == pytest.approx(model.chi2, rel=1e-8) and again.srmr == pytest.approx(model.srmr, rel=1e-6)


def test_an_intercept_that_differs_is_seen_at_the_scalar_step_only():
    data = pd.concat([simulated(400, 3).assign(g="a"), simulated(400, 4, mean=0.5, shift=0.8).assign(g="b")])
    fits = {step: fit_factor_model(data, {"f": list("abcd")}, group="g", invariance=step) for step in STEPS}
    assert fits["metric"].chi2 - fits["configural"].chi2 < 12 < 40 < fits["scalar"].chi2 - fits["metric"].chi2


@pytest.mark.parametrize("case", ["two items", "copied item", "few rows", "improper"])
def test_what_cannot_be_fitted_says_why(case):
    data, factors = simulated(100, 5), {"f": list("abcd")}
    if case == "two items":
        factors = {"f": ["a", "b"]}
    elif case == "copied item":
        data["b"] = data["a"]
    elif case == "few rows":
        data = data.head(4)
    else:
        covariance = np.array([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]])  # the first loading exceeds 1
        base = np.linalg.qr(np.random.default_rng(1).normal(size=(50, 4)))[0]
        base = (base - base.mean(axis=0))[:, :3]
        base = base @ np.linalg.inv(np.linalg.cholesky(base.T @ base)).T
        data, factors = pd.DataFrame(base @ np.linalg.cholesky(covariance).T, columns=list("abc")), {"f": list("abc")}
    model = fit_factor_model(data, factors)
    assert (model.state, bool(model.reason)) == ("improper" if case == "improper" else "failed", True)
    assert case == "improper" or np.isnan(model.chi2)


def test_rows_with_a_missing_answer_or_group_are_left_out(nine_tests):
    holed = pd.concat([nine_tests, nine_tests.head(5).assign(x2=np.nan), nine_tests.head(3).assign(school=None)])
    model = fit_factor_model(holed, THREE, group="school")
    assert (model.n, model.n_incomplete) == (301, 8) and model.chi2 == pytest.approx(LAVAAN["configural"][0], abs=5e-7)


def test_a_model_takes_less_than_half_a_second(nine_tests):
    fit_factor_model(nine_tests, THREE)  # loads scipy
    started = time.process_time()
    fit_factor_model(nine_tests, THREE, group="school", invariance="scalar")
    assert time.process_time() - started < 0.5
