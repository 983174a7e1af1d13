"""The nested engine against the dense definition, polished optima, tight lme4 fits, and properties every optimum has."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.criterion import profiled_deviance
from bscstudy.multilevel.design import Design, GroupingFactor

pytest.importorskip("numba")

from bscstudy.multilevel.nested import prepare_nested

#: lmm_peers.md section 3: restricted and full deviance, polished by Newton's method to a gradient of 2e-10
POLISHED = {
    "sleepstudy": (1743.628271959, 1751.939344463),
    "sim3": (594.650660398, 579.929500934),
    "sim3u": (539.410678443, 525.332041287),
    "hsb": (46503.662868126, 46496.428790802),
    "egsingle": (16336.739401349, 16326.231115903),
}


def grouping(codes, columns, free=None):
    codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    k = columns.shape[1]
    labels, names = tuple(map(str, range(codes.max() + 1))), tuple(map(str, range(k)))
    return GroupingFactor("g", codes, labels, names, np.ascontiguousarray(columns, float), np.tri(k, dtype=bool) if free is None else free)


def made(response, fixed, *factors, weights=None):
    n = len(response)
    names = tuple(map(str, range(fixed.shape[1])))
    weights = np.ones(n) if weights is None else weights
    fixed = np.ascontiguousarray(fixed, float)
    return Design(np.asarray(response, float), None, fixed, names, factors, weights, np.zeros(n), np.arange(n))


@pytest.fixture(scope="module")
def models(request, repository):
    """Designs by name; those whose data may not be copied come when asked for."""
    folder = repository / "tests/reference/data/mixed"

    def model(name):
        if name == "sleepstudy":
            data = pd.read_csv(folder / "sleepstudy.csv").rename(columns=str.lower)
            columns = np.column_stack([np.ones(len(data)), data.days])
            return made(data.reaction, columns, grouping(data.subject, columns))
        if name.startswith("sim3"):
            data = pd.read_csv(folder / f"{name}.csv")
            one = np.ones((len(data), 1))
            fixed = np.column_stack([one, data.wave, data.arm, data.role, data.wave * data.arm])
            person = data.center.astype(str) + ":" + data.pid.astype(str)
            return made(data.y, fixed, grouping(person, one), grouping(data.center, one))
        reference = request.getfixturevalue("reference_folder")
        if name == "hsb":
            data = pd.read_csv(reference / "lmm/data/mlmRev_Hsb82.csv.gz")
            catholic, one = (data.sector == "Catholic").astype(float), np.ones(len(data))
            fixed = np.column_stack([one, data.meanses, data.cses, catholic, data.meanses * data.cses, catholic * data.cses])
            return made(data.mAch, fixed, grouping(data.school, fixed[:, [0, 2]]))
        data = pd.read_csv(reference / "edu/egsingle.csv.gz")
        fixed = np.column_stack([np.ones(len(data)), data.year])
        return made(data.math, fixed, grouping(data.childid, fixed), grouping(data.schoolid, fixed))

    return model


def small_design(k, above, seed, free=None):
    """Sixty rows with weights; ``k`` and ``above`` random columns, of which the second and third vary within levels."""
    rng = np.random.default_rng(seed)
    units = np.sort(rng.integers(0, 14, 60))
    lower = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])[:, :k]
    upper = np.column_stack([np.ones(60), 3 * rng.normal(size=60)])[:, :above]
    factors = [grouping(units, lower, free)] + ([grouping(units // 4, upper)] if above else [])
    fixed = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    return made(50 + 3 * rng.normal(size=60), fixed, *factors, weights=rng.uniform(0.5, 2, 60)), rng


def dense_pieces(design, layout, entries):
    """Return the expansion by its definition with n x n matrices."""
    data, root = design.scaled()
    changes = []
    for entry in layout.entries:
        factor = design.factors[entry.factor]
        unit = np.zeros((factor.n_effects,) * 2)
        unit[entry.row, entry.column] = unit[entry.column, entry.row] = 1.0
        columns = factor.columns * root[:, None]
        changes.append((columns @ unit @ columns.T) * (factor.codes[:, None] == factor.codes))
    variance = np.eye(design.n) + np.tensordot(entries, changes, 1)
    inverse = np.linalg.inv(variance)
    moved = [inverse @ change for change in changes]
    half = inverse @ data
    second = [[half.T @ (r @ inverse @ s + s @ inverse @ r) @ half for s in changes] for r in changes]
    return (
        np.linalg.slogdet(variance)[1],
        np.array([np.trace(m) for m in moved]),
        -np.array([[np.sum(r * s.T) for s in moved] for r in moved]),
        data.T @ half,
        -np.array([half.T @ r @ half for r in changes]),
        np.array(second),
    )


@pytest.mark.parametrize("kind", ["interior", "zero", "rank one"])
@pytest.mark.parametrize(("k", "above"), [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (1, 2), (2, 2), (3, 2)])
def test_expansion_is_the_dense_definition(k, above, kind):
    design, rng = small_design(k, above, seed=10 * k + above)
    layout = covariance_layout(design)
    theta = {"zero": np.zeros(layout.n_parameters)}.get(kind, rng.normal(size=layout.n_parameters))
    if kind == "rank one":
        theta = np.array([value if entry.column == 0 else 0.0 for value, entry in zip(theta, layout.entries, strict=True)])
    entries = layout.entries_from_theta(theta)
    found = prepare_nested(design, layout).expand(entries)
    for name, expected in zip(type(found).__dataclass_fields__, dense_pieces(design, layout, entries), strict=True):
        # 1e-9 of the largest entry: the n x n inverse itself is only good to about 1e-11
        np.testing.assert_allclose(getattr(found, name), expected, rtol=0, atol=1e-9 * max(np.abs(expected).max(), 1e-3), err_msg=name)


def test_expansion_of_uncorrelated_columns():
    free = np.eye(3, dtype=bool)
    free[2, 1] = True
    design, rng = small_design(3, 2, seed=5, free=free)
    layout = covariance_layout(design)
    entries = layout.entries_from_theta(rng.normal(size=layout.n_parameters))
    found = prepare_nested(design, layout).expand(entries)
    expected = dense_pieces(design, layout, entries)
    np.testing.assert_allclose(found.cross_hessian, expected[5], rtol=0, atol=1e-9 * np.abs(expected[5]).max())
    np.testing.assert_allclose(found.log_determinant_hessian, expected[2], rtol=0, atol=1e-9 * np.abs(expected[2]).max())


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", list(POLISHED))
def test_optimum_is_the_polished_one(models, name, reml):
    design = models(name)
    layout = covariance_layout(design)
    prepared = prepare_nested(design, layout)
    cold = prepared.fit_many(design.response[:, None], layout.start(), reml=reml)
    assert cold.converged[0]
    assert cold.criterion[0] == pytest.approx(POLISHED[name][0 if reml else 1], abs=1.5e-9)  # printed to 1e-9
    criterion = profiled_deviance(prepared.expand(layout.entries_from_theta(cold.theta[0])), design.n, reml=reml)
    assert np.abs(layout.to_theta(cold.theta[0], criterion.gradient, criterion.hessian)[0]).max() <= 1e-8
    assert criterion.value == pytest.approx(cold.criterion[0], abs=1e-8)  # X and y not centred there: cancellation in y'V^-1y
    np.testing.assert_allclose(cold.beta[0], criterion.beta, rtol=1e-9)
    warm = prepared.fit_many(design.response[:, None], 1.2 * cold.theta[0], reml=reml)
    np.testing.assert_allclose(warm.theta, cold.theta, atol=1e-9)


@pytest.mark.parametrize("name", ["sleepstudy", "sim3", "sim3u"])
def test_simulated_outcomes_match_tight_lme4(models, repository, name):
    golden = json.loads((repository / "tests/reference/data/lmm/golden_replicates.json").read_text())[name.replace("study", "")]
    design = models(name)
    prepared = prepare_nested(design, layout := covariance_layout(design))
    expected = {key: np.array(golden[key]) for key in ("y", "theta", "beta", "sigma", "REMLcrit")}
    outcomes = expected["y"].T if expected["y"].shape[1] == design.n else expected["y"]
    fits = prepared.fit_many(outcomes, layout.start(), reml=True)
    assert fits.converged.all()
    # lme4's own search ends within 1e-8 of its minimum; where it ends above ours the difference has one sign
    assert np.all(fits.criterion <= expected["REMLcrit"] + 1e-9)
    np.testing.assert_allclose(fits.criterion, expected["REMLcrit"], rtol=0, atol=2e-8)
    np.testing.assert_allclose(fits.theta, np.abs(expected["theta"]) if name != "sleepstudy" else expected["theta"], atol=1e-4)
    np.testing.assert_allclose(fits.beta, expected["beta"], atol=2e-7)


def simulated(design, layout, theta, beta, sigma, count, seed=3):
    rng = np.random.default_rng(seed)
    responses = (design.fixed @ beta)[:, None] + sigma * rng.normal(size=(design.n, count))
    for number, factor in enumerate(design.factors):
        effects = np.einsum("ab,jbr->jar", layout.factor_matrix(theta, number), rng.normal(size=(factor.n_levels, factor.n_effects, count)))
        responses += sigma * np.einsum("na,nar->nr", factor.columns, effects[factor.codes])
    return responses


@pytest.mark.parametrize("name", ["sleepstudy", "sim3u"])
def test_cold_and_warm_starts_and_any_number_of_lanes_agree(models, name):
    design = models(name)
    layout = covariance_layout(design)
    prepared = prepare_nested(design, layout)
    own = prepared.fit_many(design.response[:, None], layout.start(), reml=True)
    responses = simulated(design, layout, own.theta[0], own.beta[0], own.sigma[0], 300)
    warm = prepared.fit_many(responses, own.theta[0], reml=True)
    cold = prepared.fit_many(responses, layout.start(), reml=True)
    assert warm.converged.all()
    np.testing.assert_allclose(warm.criterion, cold.criterion, rtol=0, atol=1e-9)
    alone = [prepared.fit_many(responses[:, [b]], own.theta[0], reml=True) for b in range(5)]
    np.testing.assert_allclose(np.concatenate([fit.theta for fit in alone]), warm.theta[:5], atol=1e-9)
    assert np.any(warm.theta == 0.0)  # 300 outcomes hold some on the boundary, which is reached exactly
    assert np.all(warm.theta[:, [0, -1]] >= 0.0)


def test_boundary_of_a_single_variance(repository):
    data = pd.read_csv(repository / "tests/reference/data/mixed/dyestuff2.csv").rename(columns=str.lower)
    one = np.ones((len(data), 1))
    design = made(data["yield"], one, grouping(data.batch, one))
    fit = prepare_nested(design, covariance_layout(design)).fit_many(design.response[:, None], np.ones(1), reml=False)
    assert fit.theta[0, 0] == 0.0
    assert fit.criterion[0] == pytest.approx(162.87303665382575, abs=1e-9)  # MixedModels.jl tests


def test_perfect_correlation_is_an_ordinary_optimum():
    """Slopes proportional to intercepts: the second diagonal of Lambda is exactly 0 and no neighbour is better."""
    rng = np.random.default_rng(5)
    groups, time = np.repeat(np.arange(12), 6), np.tile(np.arange(6.0), 12)
    columns = np.column_stack([np.ones(72), time])
    response = 3 * rng.normal(size=12)[groups] * (1 + time / 2) + rng.normal(size=72)
    design = made(response, columns, grouping(groups, columns))
    layout = covariance_layout(design)
    prepared = prepare_nested(design, layout)
    fit = prepared.fit_many(response[:, None], layout.start(), reml=True)
    assert fit.converged[0]
    assert fit.theta[0, 2] == 0.0
    for step in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        near = prepared.expand(layout.entries_from_theta(fit.theta[0] + step))
        assert profiled_deviance(near, 72, reml=True).value > fit.criterion[0]


def test_results_do_not_depend_on_rows_labels_or_units(models):
    """Rows and levels shuffled, y and the random columns in other units: the same fit."""
    design = models("sleepstudy")
    layout = covariance_layout(design)
    first = prepare_nested(design, layout).fit_many(design.response[:, None], layout.start(), reml=True)
    rng = np.random.default_rng(1)
    order, names = rng.permutation(design.n), rng.permutation(18)
    factor = design.factors[0]
    moved = made(
        1000 * design.response[order], design.fixed[order] * [1, 60], grouping(names[factor.codes[order]], factor.columns[order] * [1, 60])
    )
    second = prepare_nested(moved, layout).fit_many(moved.response[:, None], layout.start(), reml=True)
    np.testing.assert_allclose(second.theta[0] * [1, 60, 60], first.theta[0], rtol=1e-7)
    np.testing.assert_allclose(second.beta[0] * [1, 60], 1000 * first.beta[0], rtol=1e-10)


def test_a_far_origin_costs_no_accuracy(models):
    """Ten million added to y: the engine works on residuals, so only the input's own rounding (1e-9) is left."""
    design = models("sim3u")
    layout = covariance_layout(design)
    prepared = prepare_nested(design, layout)
    fits = prepared.fit_many(np.column_stack([design.response, design.response + 1e7]), layout.start(), reml=True)
    assert fits.criterion[1] == pytest.approx(fits.criterion[0], abs=1e-6)
    np.testing.assert_allclose(fits.theta[1], fits.theta[0], atol=1e-7)


def test_weights_are_duplicated_rows():
    """Whole-number weights on a random intercept: log|V| and D'V^-1D as for rows given that many times."""
    design, rng = small_design(1, 0, seed=4)
    times = rng.integers(1, 4, design.n)
    weighted = made(design.response, design.fixed, design.factors[0], weights=times.astype(float))
    again = np.repeat(np.arange(design.n), times)
    factor = design.factors[0]
    repeated = made(design.response[again], design.fixed[again], grouping(factor.codes[again], factor.columns[again]))
    one, other = (prepare_nested(d, covariance_layout(d)).expand(np.array([0.7])) for d in (weighted, repeated))
    np.testing.assert_allclose(one.cross, other.cross, rtol=1e-11)
    assert one.log_determinant == pytest.approx(other.log_determinant, abs=1e-11)


def test_responses_without_an_optimum_are_named():
    """Missing values, a response in the span of the fixed columns and one without spread within levels do not disturb their neighbours."""
    design, rng = small_design(1, 1, seed=6)
    layout = covariance_layout(design)
    prepared = prepare_nested(design, layout)
    good = rng.normal(size=design.n)
    missing = np.where(np.arange(design.n) == 3, np.nan, good)
    flat = design.fixed @ np.array([1.0, 2.0, 3.0])
    fits = prepared.fit_many(np.column_stack([missing, flat, good]), layout.start(), reml=True)
    alone = prepared.fit_many(good[:, None], layout.start(), reml=True)
    assert fits.converged.tolist() == [False, False, True]
    assert np.isnan(fits.criterion[0]) and np.isnan(fits.theta[0]).all()
    assert fits.criterion[1] == -np.inf and fits.sigma[1] == 0.0
    np.testing.assert_allclose(fits.beta[1], [1, 2, 3], rtol=1e-10)
    np.testing.assert_allclose(fits.theta[2], alone.theta[0], atol=1e-10)


def test_level_one_alone_is_the_closed_form():
    """Balanced one-way layout: the REML variances are those of the analysis of variance."""
    rng = np.random.default_rng(2)
    groups, one = np.repeat(np.arange(10), 5), np.ones((50, 1))
    response = 2 * rng.normal(size=10)[groups] + rng.normal(size=50)
    design = made(response, one, grouping(groups, one))
    fit = prepare_nested(design, covariance_layout(design)).fit_many(response[:, None], np.ones(1), reml=True)
    table = response.reshape(10, 5)
    within = np.mean(table.var(axis=1, ddof=1))
    between = table.mean(axis=1).var(ddof=1) - within / 5
    assert fit.sigma[0] ** 2 == pytest.approx(within, rel=1e-10)
    assert (fit.theta[0, 0] * fit.sigma[0]) ** 2 == pytest.approx(between, rel=1e-9)


def test_a_million_rows_fit_in_time_and_memory():
    """50,000 persons in 2,000 centers, 20 rows each: under 30 s, memory a small multiple of the data."""
    import time
    import tracemalloc

    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(50_000), 20)
    center, wave = person // 25, np.tile(np.arange(20.0), 50_000)
    fixed = np.column_stack([np.ones(10**6), wave, rng.normal(size=10**6)])
    response = rng.normal(size=50_000)[person] + 0.5 * rng.normal(size=2_000)[center] + rng.normal(size=10**6)
    one = np.ones((10**6, 1))
    design = made(response, fixed, grouping(person, one), grouping(center, one))
    layout = covariance_layout(design)
    tracemalloc.start()
    start = time.perf_counter()
    fit = prepare_nested(design, layout).fit_many(response[:, None], layout.start(), reml=True)
    assert time.perf_counter() - start < 30
    assert tracemalloc.get_traced_memory()[1] < 1e9
    tracemalloc.stop()
    np.testing.assert_allclose(fit.theta[0], [1.0, 0.5], atol=0.03)  # 2,000 centers: standard error about .01
    assert all(a < b for a, b in pairwise([0.99, fit.sigma[0], 1.01]))
