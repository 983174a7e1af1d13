"""Cluster-robust covariance, df and joint tests: clubSandwich's values, closed forms, exact unbiasedness, refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.blocks import prepare_blocks
from bscstudy.multilevel.cluster_robust import cluster_robust
from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.engine import prepare
from bscstudy.multilevel.expansion import BatchFits
from bscstudy.multilevel.linear import LinearFit, finish

DATA = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((DATA / "lmm" / "cluster_robust.json").read_text(encoding="utf-8"))


def _factor(name, values, columns=None, free=None):
    labels, codes = np.unique(values, return_inverse=True)
    columns = np.ones((len(codes), 1)) if columns is None else columns
    free = np.tri(columns.shape[1], dtype=bool) if free is None else free
    names = tuple(f"effect{i}" for i in range(columns.shape[1]))
    return GroupingFactor(name, codes.astype(np.int64), tuple(map(str, labels)), names, columns, free)


def _design(response, fixed, factors=(), weights=None):
    n = len(response)
    names = tuple(f"x{i}" for i in range(fixed.shape[1]))
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    return Design(np.asarray(response, float), None, np.ascontiguousarray(fixed), names, tuple(factors), weights, np.zeros(n), np.arange(n))


def _fit(design: Design, theta) -> LinearFit:
    layout = covariance_layout(design)
    prepared = prepare_blocks(design, layout) if design.factors else prepare(design, layout)
    one = np.ones(1)
    fits = BatchFits(np.atleast_2d(np.asarray(theta, float)), np.zeros((1, design.p)), one, one, one.astype(int), one.astype(bool))
    return finish(design, layout, prepared, fits, True, centre=np.zeros(design.p))


def _model(name):
    """The design of a reference model and the clusters."""
    if name == "sleep":
        data = pd.read_csv(DATA / "mixed" / "sleepstudy.csv", dtype={"Subject": str})
        fixed = np.column_stack([np.ones(len(data)), data["Days"]])
        return _design(data["Reaction"], fixed, [_factor("Subject", data["Subject"], fixed)]), None
    data = pd.read_csv(DATA / "mixed" / ("sim3.csv" if name == "sim3" else "sim3u.csv"))
    one = np.ones(len(data))
    fixed = np.column_stack([one, data["wave"], data["arm"], data["role"], data["wave"] * data["arm"]]).astype(float)
    weights = 1 + (np.arange(1, len(data) + 1) % 4) / 2 if name.endswith("weighted") else None
    if name == "ols_centers":
        dummies = pd.get_dummies(data["center"], drop_first=True).to_numpy(float)
        return _design(data["y"], np.column_stack([one, data["wave"], data["role"], dummies])), data["center"].to_numpy()
    if name.startswith("ols"):
        return _design(data["y"], fixed, weights=weights), data["pid" if name == "ols_persons" else "center"].to_numpy()
    slope = np.column_stack([one, data["wave"]]).astype(float) if name == "sim3u_slope" else None
    factors = [_factor("center:pid", data["pid"]), _factor("center", data["center"], slope)]
    return _design(data["y"], fixed, factors, weights), None


@pytest.fixture(scope="module", params=[name for name in REFERENCE if name != "versions"])
def model(request):
    design, clusters = _model(request.param)
    reference = REFERENCE[request.param]
    fit = _fit(design, reference["theta"] if isinstance(reference["theta"], list) else [reference["theta"]])
    return request.param, fit, clusters, reference


def test_covariance_df_and_joint_tests_equal_clubsandwich(model):
    name, fit, clusters, reference = model
    # at equal parameters only rounding is left; nlme's Fisher scoring leaves its own sigma at 1e-6, which cancels
    np.testing.assert_allclose(fit.beta, reference["beta"], rtol=1e-8, atol=1e-10)
    for kind, values in reference["kinds"].items():
        robust = cluster_robust(fit, clusters, kind=kind)
        expected = np.array(values["covariance"])
        np.testing.assert_allclose(robust.covariance, expected, rtol=1e-8, atol=1e-8 * np.abs(np.diag(expected)).min())
        np.testing.assert_allclose(robust.df(np.eye(fit.design.p)), values["df"], rtol=1e-8)
        np.testing.assert_allclose(robust.tests(np.eye(fit.design.p)).p_value, values["p"], rtol=1e-7)
        for joint in values["joint"]:
            test = robust.joint(np.array(joint["contrast"]))
            ours = [test.statistic, test.scale, test.df_numerator, test.df_denominator, test.p_value]
            theirs = [joint[k] for k in ("statistic", "scale", "df_numerator", "df_denominator", "p")]
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, err_msg=f"{name} {kind}")


def _small(weights=None, seed=3):
    """Four unequal clusters with a random slope, a column that varies between clusters and one that varies within."""
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(4), [3, 5, 7, 12])
    within = draw.normal(size=len(cluster))
    fixed = np.column_stack([np.ones(len(cluster)), within, (cluster % 2).astype(float)])
    slope = np.column_stack([np.ones(len(cluster)), within])
    return _design(draw.normal(size=len(cluster)), fixed, [_factor("center", cluster, slope)], weights), cluster


@pytest.mark.parametrize("weighted", [False, True])
def test_cr2_is_unbiased_under_the_working_model(weighted):
    weights = np.random.default_rng(5).uniform(0.5, 2, 27) if weighted else None
    design, cluster = _small(weights)
    theta = [0.9, 0.3, 0.7]
    relative = np.array([[0.9, 0], [0.3, 0.7]]) @ np.array([[0.9, 0.3], [0, 0.7]])
    columns = design.factors[0].columns
    covariance = np.diag(1 / design.weights) + columns @ relative @ columns.T * (cluster[:, None] == cluster)
    # the estimator is quadratic in y: its expectation is its sum over the columns of a root of V
    root = np.linalg.cholesky(covariance)
    expected = sum(cluster_robust(_fit(replace(design, response=np.ascontiguousarray(c)), theta)).covariance for c in root.T)
    truth = np.linalg.inv(design.fixed.T @ np.linalg.solve(covariance, design.fixed))
    np.testing.assert_allclose(expected, truth, rtol=1e-9, atol=1e-12)


def test_balanced_means_give_the_textbook_variance_and_df():
    values = np.random.default_rng(1).normal(size=(7, 9))
    centers = np.repeat(np.arange(7), 9)
    fit = _fit(_design(values.ravel(), np.ones((63, 1)), [_factor("center", centers)]), [0.8])
    for kind in ("CR1", "CR2"):
        robust = cluster_robust(fit, kind=kind)
        np.testing.assert_allclose(robust.covariance[0, 0], values.mean(axis=1).var(ddof=1) / 7, rtol=1e-12)
        np.testing.assert_allclose(robust.df(np.ones((1, 1))), 6, rtol=1e-12)


def test_cr3_is_the_jackknife_over_clusters():
    design, cluster = _small()
    design = replace(design, factors=())
    fit = _fit(design, [])
    changes = []
    for left_out in range(4):
        keep = cluster != left_out
        changes.append(np.linalg.lstsq(design.fixed[keep], design.response[keep])[0] - fit.beta)
    np.testing.assert_allclose(cluster_robust(fit, cluster, kind="CR3").covariance, np.transpose(changes) @ changes, rtol=1e-9)


def test_nothing_depends_on_row_order_labels_or_the_turning_of_clusters():
    design, cluster = _small()
    robust = cluster_robust(_fit(design, [0.9, 0.3, 0.7]))
    order = np.random.default_rng(0).permutation(len(cluster))
    labels = np.array([30, 10, 40, 20])[cluster][order]
    columns = design.factors[0].columns[order]
    moved = _design(design.response[order], design.fixed[order], [_factor("center", labels, columns)])
    # weights that differ by next to nothing keep the clusters from being turned
    full = replace(design, weights=1 + 1e-13 * np.arange(len(cluster)))
    for other in (moved, full):
        again = cluster_robust(_fit(other, [0.9, 0.3, 0.7]))
        np.testing.assert_allclose(again.covariance, robust.covariance, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(again.df(np.eye(3)), robust.df(np.eye(3)), rtol=1e-8)


def test_the_mean_of_one_cluster_has_no_robust_variance():
    design, cluster = _small()
    own = np.column_stack([np.ones(len(cluster)), cluster == 0]).astype(float)
    robust = cluster_robust(_fit(_design(design.response, own), []), cluster)
    tests = robust.tests(np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert np.isnan([tests.df[0], tests.std_error[0], tests.p_value[0]]).all() and np.isfinite(tests.p_value[1])


def _crossed():
    design, cluster = _small()
    rater = _factor("rater", np.arange(len(cluster)) % 9)
    return _fit(replace(design, factors=(rater, _factor("center", cluster))), [1.0, 1.0])


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("BSC-LMM-030", lambda fit, cluster: cluster_robust(_crossed())),
        ("BSC-LMM-031", lambda fit, cluster: cluster_robust(fit)),
        ("BSC-LMM-031", lambda fit, cluster: cluster_robust(fit, "district")),
        ("BSC-LMM-128", lambda fit, cluster: cluster_robust(fit, cluster[:9])),
        ("BSC-LMM-129", lambda fit, cluster: cluster_robust(fit, np.where(cluster == 0, np.nan, cluster))),
        ("BSC-LMM-032", lambda fit, cluster: cluster_robust(fit, np.zeros(27))),
        ("BSC-LMM-130", lambda fit, cluster: cluster_robust(fit, cluster // 2, kind="CR1p")),
        ("BSC-LMM-033", lambda fit, cluster: cluster_robust(fit, cluster).df(np.eye(2))),
        ("BSC-LMM-034", lambda fit, cluster: cluster_robust(fit, cluster).joint(np.array([[0, 1, 0], [0, 2, 0]]))),
        ("BSC-LMM-131", lambda fit, cluster: cluster_robust(fit, cluster).df(np.array([0, 1, np.inf]))),
        ("BSC-LMM-132", lambda fit, cluster: cluster_robust(fit, cluster // 2, kind="CR1").joint(np.eye(3))),
        ("BSC-LMM-035", lambda fit, cluster: cluster_robust(fit, cluster, kind="CR9")),
    ],
)
def test_refusals_name_their_cause(code, act):
    design, cluster = _small()
    with pytest.raises(BscError) as raised:
        act(_fit(replace(design, factors=()), []), cluster)
    assert raised.value.code == code


def test_cr3_is_refused_where_leaving_one_cluster_out_loses_a_column():
    design, clusters = _model("ols_centers")
    with pytest.raises(BscError, match="BSC-LMM-036"):
        cluster_robust(_fit(design, []), clusters, kind="CR3")
