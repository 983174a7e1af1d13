"""A user's mistake in an argument is answered with a refusal in four parts, never with a traceback of Python."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
NESTED = "y ~ wave + arm + (1 | center/pid)"


@pytest.fixture(scope="module")
def frame():
    table = pd.read_csv(FOLDER / "mixed" / "sim3.csv")
    return table.assign(arm=table.arm.map({0: "no", 1: "yes"}), high=(table.y > table.y.median()).astype(int))


@pytest.fixture(scope="module")
def linear(frame):
    return fit_mixed_model(NESTED, frame)


@pytest.fixture(scope="module")
def binary(frame):
    return fit_mixed_model("high ~ wave + arm + (1 | center)", frame, family="binomial")


def refused(code, call, *arguments, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BscError) as caught:
            call(*arguments, **how)
    assert caught.value.code == f"BSC-LMM-{code}"
    assert all(part for part in (caught.value.what, caught.value.where, caught.value.why, caught.value.todo))


@pytest.mark.parametrize("data", [{"y": [1.0, 2.0]}, [[1.0, 2.0]], np.ones((3, 2)), pd.Series([1.0, 2.0]), None])
def test_data_that_are_no_table(linear, data):
    refused("119", fit_mixed_model, NESTED, data)
    if data is not None:
        refused("119", linear.predict, data)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("050", {"quadrature_points": "a"}),
        ("050", {"quadrature_points": 1.5}),
        ("050", {"quadrature_points": 0}),
        ("050", {"quadrature_points": True}),
        ("050", {"quadrature_points": [7]}),
        ("050", {"quadrature_points": np.nan}),
        ("070", {"family": ["gaussian"]}),
        ("070", {"family": None}),
        ("071", {"link": "log"}),
        ("071", {"link": ["identity"]}),
        ("120", {"reml": "yes"}),
        ("120", {"reml": 1}),
        ("120", {"reml": None}),
        ("002", {"weights": "size"}),
        ("002", {"offset": "exposure"}),
        ("126", {"weights": -1 * np.ones(315)}),
        ("125", {"weights": np.ones(3)}),
        ("125", {"weights": 2.0}),
        ("125", {"weights": {"w": 1}}),
        ("125", {"weights": [1, [2, 3]]}),
        ("008", {"weights": ["w"] * 315}),
        ("125", {"offset": np.ones((315, 2))}),
        ("125", {"offset": [[1], [2, 3]]}),
        ("006", {"offset": np.full(315, np.inf)}),
        ("007", {"weights": np.full(315, np.nan)}),
    ],
)
def test_arguments_of_the_fit(frame, code, how):
    refused(code, fit_mixed_model, NESTED, frame, **how)


def test_missing_weights_take_their_rows_out(frame):
    weights = np.where(np.arange(len(frame)) < 5, np.nan, 1.0)
    found = fit_mixed_model(NESTED, frame, weights=weights)
    assert found.n == len(frame) - 5
    assert found.n_missing["rows"] == 5


@pytest.mark.parametrize("formula", [None, 5, ["y ~ wave"], ""])
def test_formulas_that_are_none(frame, formula):
    refused("001", fit_mixed_model, formula, frame)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("089", lambda r: r.tests("waldo")),
        ("089", lambda r: r.tests(["wald"])),
        ("089", lambda r: r.marginal_means("arm", method=np.array(["wald", "t"]))),
        ("048", lambda r: r.tests("parametric_bootstrap", replicates="a", seed=1)),
        ("048", lambda r: r.tests("parametric_bootstrap", replicates=1.5, seed=1)),
        ("048", lambda r: r.joint_test("arm", replicates=0)),
        ("048", lambda r: r.parametric_bootstrap("arm", replicates=10**30, seed=1)),
        ("111", lambda r: r.tests("parametric_bootstrap", seed="a")),
        ("111", lambda r: r.parametric_bootstrap("arm", seed=-1)),
        ("111", lambda r: r.variance_partition(seed=True)),
        ("091", lambda r: r.parametric_bootstrap("arm")),
        ("092", lambda r: r.joint_test("waves")),
        ("092", lambda r: r.joint_test(["wave", "waves"])),
        ("093", lambda r: r.joint_test(5)),
        ("093", lambda r: r.joint_test(None)),
        ("093", lambda r: r.joint_test(["wave", 5])),
        ("083", lambda r: r.marginal_means("arm", level="95")),
        ("083", lambda r: r.contrasts("arm", level=95)),
        ("083", lambda r: r.slopes("wave", level=1.0)),
        ("083", lambda r: r.variance_partition(95)),
        ("083", lambda r: r.variance_partition(True)),
        ("121", lambda r: r.marginal_means(5)),
        ("121", lambda r: r.marginal_means(["arm", 5])),
        ("121", lambda r: r.contrasts("arm", by=None)),
        ("122", lambda r: r.marginal_means("arm", at="wave")),
        ("122", lambda r: r.marginal_means("arm", at={"wave": []})),
        ("124", lambda r: r.marginal_means("arm", at={"wave": "T1"})),
        ("124", lambda r: r.marginal_means("arm", at={"wave": [0, None]})),
        ("103", lambda r: r.marginal_means("arm", at={"arm": np.zeros((2, 2))})),
        ("086", lambda r: r.marginal_means("arms")),
        ("087", lambda r: r.marginal_means("arm", weights=["equal"])),
        ("095", lambda r: r.marginal_means("arm", scale=5)),
        ("123", lambda r: r.marginal_means("arm", offset="wave")),
        ("088", lambda r: r.contrasts("arm", 5)),
        ("116", lambda r: r.contrasts("arm", {"a": 5})),
        ("116", lambda r: r.contrasts("arm", {"a": ["x", "y"]})),
        ("080", lambda r: r.contrasts("arm", adjustment=None)),
        ("120", lambda r: r.contrasts("arm", one_family="no")),
        ("120", lambda r: r.profile(restricted="no")),
        ("120", lambda r: r.predict(random_effects="no")),
        ("094", lambda r: r.slopes(None)),
        ("094", lambda r: r.slopes(["wave"])),
        ("096", lambda r: r.residuals(np.array(["pearson", "response"]))),
        ("098", lambda r: r.variance_partition(interval=None)),
        ("084", lambda r: r.influence(5)),
        ("084", lambda r: r.influence("")),
    ],
)
def test_arguments_of_a_result(linear, binary, code, call):
    for result in (linear, binary):
        refused(code, call, result)


def test_levels_of_a_profile(linear):
    refused("083", linear.profile, "95")


def test_response_scales_that_do_not_exist(frame, binary):
    refused("095", binary.contrasts, "arm", scale="percent")
    probit = fit_mixed_model("high ~ wave + arm + (1 | center)", frame, family="binomial", link="probit")
    refused("118", probit.contrasts, "arm", scale="response")


def test_what_numpy_and_pandas_call_numbers_is_taken(linear):
    found = linear.marginal_means("arm", level=np.float64(0.9), offset=np.int64(0), at={"wave": np.array([0.0, 1.0])})
    np.testing.assert_allclose(found.estimate, linear.marginal_means("arm", level=0.9, at={"wave": [0, 1]}).estimate)
    assert linear.parametric_bootstrap("arm", replicates=np.int64(3), seed=np.int64(1)).n_replicates == 3
    assert linear.predict(random_effects=np.bool_(False)).level.eq("population").all()


def test_a_variable_named_twice_is_one(linear):
    pd.testing.assert_frame_equal(linear.marginal_means(["arm", "arm"]), linear.marginal_means("arm"))


def test_cells_that_hold_lists_are_refused(frame, linear):
    rows = frame.iloc[:2].assign(center=[["c1"], ["c2"]])
    refused("018", linear.predict, rows)
    refused("015", fit_mixed_model, NESTED, frame.assign(center=[["c1"]] * len(frame)))
