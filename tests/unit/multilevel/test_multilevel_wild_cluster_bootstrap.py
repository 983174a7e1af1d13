"""Wild cluster bootstrap: the published example, loops over refits, sets that agree with the test, refusals."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.wild_cluster_bootstrap import WEIGHTS, wild_cluster_bootstrap

SLOPE = np.array([0.0, 1.0, 0.0])


def _data(sizes=(3, 4, 6, 9, 5, 7), seed=4):
    draw = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    n = len(cluster)
    fixed = np.column_stack([np.ones(n), draw.normal(size=n) + 0.5 * cluster, cluster % 2])
    response = fixed @ [1, 0.2, 0.5] + draw.normal(size=len(sizes))[cluster] + draw.normal(size=n)
    return response, fixed, cluster


def _t(response, fixed, cluster, contrast, null, ranks):
    """The CR1 t statistic by its definition; ``ranks`` is the number of coefficients k."""
    inverse = np.linalg.inv(fixed.T @ fixed)
    beta = inverse @ fixed.T @ response
    residual = response - fixed @ beta
    scores = np.array([fixed[cluster == g].T @ residual[cluster == g] for g in np.unique(cluster)])
    (n, _), count = fixed.shape, len(scores)
    covariance = inverse @ scores.T @ scores @ inverse * count / (count - 1) * (n - 1) / (n - ranks)
    return (contrast @ beta - null) / np.sqrt(contrast @ covariance @ contrast)


def _restricted(response, fixed, contrast, null):
    inverse = np.linalg.inv(fixed.T @ fixed)
    beta = inverse @ fixed.T @ response
    return beta - inverse @ contrast * (contrast @ beta - null) / (contrast @ inverse @ contrast)


def _loop(data, contrast, null, weights, jackknife):
    """|t*| of every pattern by refitting, and |t|."""
    response, fixed, cluster = data
    beta = _restricted(response, fixed, contrast, null)
    residual = response - fixed @ beta
    if jackknife:
        for g in np.unique(cluster):
            rest, own = cluster != g, cluster == g
            residual[own] = response[own] - fixed[own] @ _restricted(response[rest], fixed[rest], contrast, null)
    size = fixed.shape[1]
    drawn = [
        _t(fixed @ beta + np.array(v)[cluster] * residual, fixed, cluster, contrast, null, size)
        for v in product(WEIGHTS[weights], repeat=cluster.max() + 1)
    ]
    return np.abs(drawn), abs(_t(response, fixed, cluster, contrast, null, size))


def test_the_published_example(reference_folder):
    data = pd.read_stata(reference_folder / "mixed" / "wildboot_collapsed.dta")
    data = data[["hasinsurance", "selfemployed", "post", "post_self", "year"]].dropna()
    fixed = np.column_stack([np.ones(len(data)), data["selfemployed"], data["post"], data["post_self"]])
    given = (data["hasinsurance"], fixed, data["year"], np.array([0, 0, 0, 1.0]))
    test = wild_cluster_bootstrap(*given, null=0.04)
    # the printed digits of WildBootTests.jl
    assert round(test.statistic, 4) == 2.0194 and test.df == 7 and test.n_draws == 256
    assert test.p_value == 20 / 256 and test.p_value_strict == 18 / 256 and test.smallest_p == 2 / 256
    webb = wild_cluster_bootstrap(*given, null=0.04, weights="webb", enumerate_up_to=6**8, level=None)
    assert round(webb.p_value, 4) == 0.0757
    drawn = wild_cluster_bootstrap(*given, null=0.04, weights="webb", draws=200_000, seed=1, level=None)
    assert abs(drawn.p_value - webb.p_value) < 0.0024  # four standard errors of 200,000 draws


@pytest.mark.parametrize("jackknife", [False, True])
@pytest.mark.parametrize(("weights", "clusters"), [("rademacher", 6), ("webb", 3)])
@pytest.mark.parametrize("null", [0.0, 0.9])
def test_enumeration_equals_a_loop_over_refits(weights, clusters, null, jackknife):
    data = _data((3, 4, 6, 9, 5, 7)[:clusters])
    contrast = SLOPE
    if clusters == 3:  # with three clusters the third column does not survive the jackknife
        data, contrast = (data[0], data[1][:, :2], data[2]), SLOPE[:2]
    drawn, observed = _loop(data, contrast, null, weights, jackknife)
    test = wild_cluster_bootstrap(*data, contrast, null=null, weights=weights, jackknife=jackknife)
    near = 1e-9 * observed  # ties differ by rounding only
    added = int(jackknife)
    assert test.n_draws == len(drawn) and abs(test.statistic) == pytest.approx(observed, rel=1e-10)
    assert test.p_value == pytest.approx((np.sum(drawn >= observed - near) + added) / (len(drawn) + added), rel=1e-12)
    assert test.p_value_strict == pytest.approx(np.mean(drawn > observed + near), rel=1e-12)


def test_absorbed_centers_equal_indicator_columns():
    response, fixed, cluster = _data()
    indicators = np.column_stack([fixed[:, 1], cluster[:, None] == np.arange(6)]).astype(float)
    first = np.eye(7)[0]
    columns = wild_cluster_bootstrap(response, indicators, cluster, first)
    absorbed = wild_cluster_bootstrap(response, fixed[:, 1:2], cluster, np.ones(1), absorb=cluster)
    assert absorbed.p_value == columns.p_value and absorbed.statistic == pytest.approx(columns.statistic, rel=1e-9)
    np.testing.assert_allclose(absorbed.confidence_set, columns.confidence_set, rtol=1e-7)


def _slope_of_two(seed):
    """A column that varies in two clusters only: the set is unbounded or in pieces."""
    response, fixed, cluster = _data((5, 6, 4, 7, 5, 6, 8), seed)
    return response, np.column_stack([fixed[:, 0], np.where(cluster < 2, fixed[:, 1], 0.0), fixed[:, 2]]), cluster


@pytest.mark.parametrize(
    ("data", "weights", "jackknife", "level"),
    [
        (_data((3, 4, 6, 9, 5, 7, 6)), "rademacher", False, 0.95),
        (_data((3, 4, 6, 9, 5, 7, 6)), "rademacher", True, 0.9),
        (_data(), "rademacher", False, 0.9),
        (_data((3, 9, 5, 7)), "webb", False, 0.9),
        (_slope_of_two(1), "rademacher", False, 0.9),
        (_slope_of_two(2), "rademacher", False, 0.7),
        (_slope_of_two(3), "rademacher", False, 0.5),
    ],
)
def test_the_confidence_set_holds_what_the_test_does_not_reject(data, weights, jackknife, level):
    settings = {"weights": weights, "jackknife": jackknife}
    test = wild_cluster_bootstrap(*data, SLOPE, level=level, **settings)
    ends = np.array([e for interval in test.confidence_set for e in interval if np.isfinite(e)])
    reach = test.std_error * np.array([-1e4, -50, 50, 1e4])
    grid = test.estimate + np.concatenate([np.linspace(-12, 12, 150) * test.std_error, reach])
    step = 1e-6 * (np.abs(ends) + test.std_error)  # ties count within 1e-9 of t, which moves an end by about as much
    for null in np.concatenate([grid, ends - step, ends + step]):
        kept = wild_cluster_bootstrap(*data, SLOPE, null=null, level=None, **settings).p_value > 1 - level
        assert kept == any(low <= null <= high for low, high in test.confidence_set), (null, test.confidence_set)


def test_too_few_clusters_exclude_nothing():
    test = wild_cluster_bootstrap(*_data((4, 5, 6, 7, 8)), SLOPE)
    assert test.smallest_p == 2 / 32 and test.confidence_set == ((-np.inf, np.inf),)


def test_random_patterns_repeat_and_ignore_row_order_and_labels():
    response, fixed, cluster = _data(tuple(range(3, 23)))
    settings = {"draws": 4999, "seed": 11}
    test = wild_cluster_bootstrap(response, fixed, cluster, SLOPE, **settings)
    order = np.random.default_rng(0).permutation(len(response))
    labels = np.random.default_rng(1).permutation(20)[cluster]
    moved = wild_cluster_bootstrap(response[order], fixed[order], labels[order], SLOPE, **settings)
    assert not test.enumerated and (test.p_value, test.p_equal_tail) == (moved.p_value, moved.p_equal_tail)
    np.testing.assert_allclose(moved.confidence_set, test.confidence_set, rtol=1e-9)


def _refused(**changes):
    response, fixed, cluster = _data()
    given = {"response": response, "fixed": fixed, "clusters": cluster, "contrast": SLOPE, **changes}
    return wild_cluster_bootstrap(**given)


def _own_column():
    response, fixed, cluster = _data()
    return {"fixed": np.column_stack([fixed[:, :2], cluster == 2]).astype(float)}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("BSC-LMM-133", {"response": np.full(34, np.nan)}),
        ("BSC-LMM-134", {"contrast": np.zeros(3)}),
        ("BSC-LMM-037", {"clusters": np.arange(3)}),
        ("BSC-LMM-038", {"weights": "normal"}),
        ("BSC-LMM-047", {"enumerate_up_to": 10}),
        ("BSC-LMM-048", {"draws": 0}),
        ("BSC-LMM-083", {"level": 95}),
        ("BSC-LMM-111", {"seed": 1.5}),
        ("BSC-LMM-039", {"clusters": np.zeros(34)}),
        ("BSC-LMM-040", {"absorb": _data()[2]}),
        ("BSC-LMM-041", {"absorb": np.arange(34) % 4}),
        ("BSC-LMM-042", {**_own_column(), "jackknife": True}),
        ("BSC-LMM-043", {"response": _data()[1] @ [1, 2, 3]}),
        ("BSC-LMM-043", {"fixed": (_data()[2][:, None] == [0, 1, 2]).astype(float)}),
    ],
)
def test_refusals_name_their_cause(code, changes):
    with pytest.raises(BscError) as raised:
        _refused(**changes)
    assert raised.value.code == code
