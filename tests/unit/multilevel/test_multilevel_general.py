"""The engine for any set of grouping factors: against the n x n definition, stored optima, and properties of the likelihood."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.multilevel import general, general_large, general_search
from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.criterion import profiled_deviance
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.model_frame import build_design

DATA = Path(__file__).resolve().parents[2] / "reference" / "data"

#: levels of each factor, random columns of each, nested instead of crossed, weights
SHAPES = {
    "one factor": ((11,), (2,), False, False),
    "crossed": ((9, 5), (1, 1), False, True),
    "slopes in the eliminated factor": ((12, 6), (2, 1), False, False),
    "slopes in the other factor": ((12, 6), (1, 2), False, True),
    "three crossed": ((14, 7, 4), (2, 2, 1), False, True),
    "three nested": ((30, 10, 4), (1, 1, 1), True, False),
    "three nested, slopes": ((30, 10, 4), (2, 2, 2), True, True),
}


def make_design(levels, sizes, nested, weighted, *, n=120, seed=0):
    """A random design; nested levels are cut from those of the factor before."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, levels[0], n)]
    for here, above in zip(levels[1:], levels[:-1], strict=True):
        codes.append(np.arange(above)[codes[-1]] % here if nested else rng.integers(0, here, n))
    factors = []
    for i, (code, k) in enumerate(zip(codes, sizes, strict=True)):
        labels, code = np.unique(code, return_inverse=True)
        columns = np.column_stack([np.ones(n), 3 * rng.normal(size=(n, k - 1))])
        names = tuple(f"column {j}" for j in range(k))
        factors.append(
            GroupingFactor(f"f{i}", code.astype(np.int64), tuple(map(str, labels)), names, columns, np.tril(np.ones((k, k), bool)))
        )
    factors.sort(key=lambda f: (-f.n_levels, f.name))
    fixed = np.column_stack([np.ones(n), rng.normal(size=n)])
    response = fixed @ [2.0, 0.5] + rng.normal(size=n) + sum(rng.normal(size=f.n_levels)[f.codes] for f in factors)
    weights = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
    return Design(response, None, fixed, ("(Intercept)", "x"), tuple(factors), weights, np.zeros(n), np.arange(n))


def by_definition(design, layout, entries):
    """The expansion from V and its derivatives, n x n."""
    data, root = design.scaled()

    def spread(values):
        total = np.zeros((design.n, design.n))
        for number, factor in enumerate(design.factors):
            columns = factor.columns * root[:, None]
            same = factor.codes[:, None] == factor.codes[None, :]
            total += same * (columns @ layout.covariance_matrix(values, number) @ columns.T)
        return total

    total = np.eye(design.n) + spread(entries)
    inverse = np.linalg.inv(total)
    moved = [inverse @ spread(unit) for unit in np.eye(layout.n_parameters)]
    solved = inverse @ data
    second = [[data.T @ (a @ b + b @ a) @ solved for b in moved] for a in moved]
    return {
        "log_determinant": np.linalg.slogdet(total)[1],
        "log_determinant_gradient": np.array([np.trace(m) for m in moved]),
        "log_determinant_hessian": -np.array([[np.sum(a * b.T) for b in moved] for a in moved]),
        "cross": data.T @ solved,
        "cross_gradient": np.array([-data.T @ m @ solved for m in moved]),
        "cross_hessian": np.array(second),
    }


def slope_at(prepared, theta, *, reml):
    """Deviance and its gradient in theta, from the full expansion."""
    layout = prepared.layout
    found = profiled_deviance(prepared.expand(layout.entries_from_theta(theta)), prepared.design.n, reml=reml)
    return found.value, layout.to_theta(theta, found.gradient, found.hessian)[0]


def prepare(formula, table):
    design = build_design(formula, table)
    return general.prepare_general(design, covariance_layout(design))


@pytest.fixture
def lapack_path(monkeypatch):
    """Every component counts as large, and the search uses average information."""
    monkeypatch.setattr(general_large, "LARGEST_COMPILED", 0)
    monkeypatch.setattr(general, "LARGEST_COMPILED", 0)
    monkeypatch.setattr(general_search, "LARGEST_EXACT", 0)


@pytest.mark.parametrize("path", ["compiled", "lapack"])
@pytest.mark.parametrize("zero", [None, 0, -1])
@pytest.mark.parametrize("shape", SHAPES)
def test_expansion_equals_the_definition(shape, zero, path, request):
    """Value, gradient and Hessian of log|V| and D'V^-1D; a zero on the diagonal of Lambda makes G rank deficient."""
    if path == "lapack":
        request.getfixturevalue("lapack_path")
    design = make_design(*SHAPES[shape])
    layout = covariance_layout(design)
    theta = np.abs(np.random.default_rng(5).normal(size=layout.n_parameters)) + 0.2
    if zero is not None:
        theta[zero] = 0.0
    entries = layout.entries_from_theta(theta)
    found = general.prepare_general(design, layout).expand(entries)
    for name, expected in by_definition(design, layout, entries).items():
        # 1e-11 of the largest entry: the definition inverts V, whose condition is about 1e3
        np.testing.assert_allclose(getattr(found, name), expected, atol=1e-11 * np.max(np.abs(expected)), rtol=0, err_msg=name)


@pytest.mark.parametrize("path", ["compiled", "lapack"])
@pytest.mark.parametrize("model", ["penicillin", "pastes"])
def test_crossed_and_nested_classics(model, path, request):
    """MixedModels.jl's objectives (ML); 1e-8 because its own optimum of Penicillin is 1.5e-9 above the stationary point."""
    if path == "lapack":
        request.getfixturevalue("lapack_path")
    formula, objective, theta = {
        "penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", 332.1883486700085, (1.5375939045981573, 3.219792193110907)),
        "pastes": ("strength ~ 1 + (1 | sample) + (1 | batch)", 247.9944658624955, (3.5269029347766856, 1.3299137410046242)),
    }[model]
    prepared = prepare(formula, pd.read_csv(DATA / "mixed" / f"{model}.csv"))
    fits = prepared.fit_many(prepared.design.response[:, None], prepared.layout.start(), reml=False)
    assert fits.converged[0]
    assert fits.criterion[0] == pytest.approx(objective, abs=1e-8)
    assert fits.criterion[0] <= objective
    np.testing.assert_allclose(fits.theta[0], theta, rtol=2e-5)  # as far as their optimiser went
    value, gradient = slope_at(prepared, fits.theta[0], reml=False)
    assert value == pytest.approx(fits.criterion[0], abs=1e-9)
    assert np.max(np.abs(gradient)) <= 1e-8


@pytest.mark.parametrize("name, file, formula", [
    ("sim3u", "sim3u", "y ~ wave * arm + role + (1 | center/pid)"),
    ("sleep", "sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
])  # fmt: skip
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_polished_optima(name, file, formula, method):
    """Optima polished to a gradient of 1e-10 and compared with lme4 under tight tolerances."""
    stored = json.loads((DATA / "lmm" / "polished.json").read_text())["models"][name][method]
    prepared = prepare(formula, pd.read_csv(DATA / "mixed" / f"{file}.csv"))
    fits = prepared.fit_many(prepared.design.response[:, None], prepared.layout.start(), reml=method == "REML")
    assert fits.criterion[0] == pytest.approx(stored["criterion"], abs=1.1e-9)  # stored with nine decimals
    np.testing.assert_allclose(fits.theta[0], stored["theta"], atol=1e-7)


def test_nested_growth_slopes(reference_folder):
    """Three-level growth with correlated slopes at both levels, 1,721 pupils in 60 schools: the polished optimum of lmm_peers.md."""
    prepared = prepare(
        "math ~ year + (1 + year | schoolid) + (1 + year | childid)", pd.read_csv(reference_folder / "edu" / "egsingle.csv.gz")
    )
    fits = prepared.fit_many(prepared.design.response[:, None], prepared.layout.start(), reml=True)
    assert fits.criterion[0] == pytest.approx(16336.739401349, abs=2e-9)  # 7,230 rows: rounding of the sum is 1e-9
    expected = [1.45765849477, 0.106482909612, 0.161274665076, 0.747789269823, 0.0769253048903, 0.177342670823]
    np.testing.assert_allclose(fits.theta[0], expected, atol=1e-7)


@pytest.mark.parametrize("model", ["c_SE2EW", "c_SE2EW_country", "c_SE2EW_wrong_rater", "c_SE2EW_Germany"])
def test_lessons_crossed_with_raters(gti_folder, model):
    """1,351 lessons in 678 teachers, crossed with 120 raters: lme4 1.1-31, the better of two optimisers (tolerances as it states)."""
    video = pd.read_csv(gti_folder / "raw" / "GTI-VidComp-Data.csv", low_memory=False)
    segments = video.melt(["COUNTRY", "T_ID", "IDVIDEO", "IDRATER"], [f"CSE2EW_S{k}" for k in range(1, 9)], value_name="score")
    segments["score"] = pd.to_numeric(segments["score"], errors="coerce")
    segments = segments.dropna(subset="score").rename(columns={"COUNTRY": "country", "T_ID": "teacher", "IDVIDEO": "lesson"})
    segments["rater"] = segments["country"] + " " + segments["IDRATER"].astype(str)
    segments["rater_alone"] = segments["IDRATER"].astype(str)
    if model.endswith("Germany"):
        segments = segments[segments["country"] == "Germany"]
    stored = pd.read_csv(gti_folder / "oracle" / "reference_model.csv").set_index("id").loc[model]
    spread = pd.read_csv(gti_folder / "oracle" / "reference_random.csv")
    spread = spread[(spread.iloc[:, 0] == model) & (spread.iloc[:, 1] == "REML")].iloc[:, [2, 3]].set_axis(["group", "variance"], axis=1)
    prepared = prepare(stored["formula"], segments)
    fits = prepared.fit_many(prepared.design.response[:, None], prepared.layout.start(), reml=True)
    assert fits.converged[0]
    assert -fits.criterion[0] / 2 == pytest.approx(stored["logLik_REML"], abs=1e-6)
    expected = spread.set_index("group")["variance"].to_dict()
    found = dict(
        zip(("lesson:teacher", "teacher", stored["formula"].split("| ")[-1].rstrip(")")), (fits.theta[0] * fits.sigma[0]) ** 2, strict=True)
    )
    for group, variance in found.items():
        assert variance == pytest.approx(expected[group], abs=2e-6)


def test_cold_start_equals_warm_start_and_boundary_is_exact():
    """200 draws with a small variance; on the boundary theta is 0 and the deviance that of the model without the factor."""
    design = make_design((14, 7, 4), (1, 1, 1), False, False, seed=3)
    layout = covariance_layout(design)
    prepared = general.prepare_general(design, layout)
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(design.n, 200))
    for factor, spread in zip(design.factors, (0.8, 0.1, 0.5), strict=True):
        draws += spread * rng.normal(size=(factor.n_levels, 200))[factor.codes]
    cold = prepared.fit_many(draws, layout.start(), reml=True)
    warm = prepared.fit_many(draws, np.array([0.8, 0.0, 0.5]), reml=True)
    assert cold.converged.all() and warm.converged.all()
    np.testing.assert_allclose(cold.criterion, warm.criterion, atol=1e-9)
    np.testing.assert_allclose(cold.theta, warm.theta, atol=1e-7)
    without = Design(**{**vars(design), "factors": (design.factors[0], design.factors[2])})
    smaller = general.prepare_general(without, covariance_layout(without)).fit_many(draws, np.ones(2), reml=True)
    boundary = cold.theta[:, 1] == 0.0
    assert 20 < boundary.sum() < 180
    np.testing.assert_allclose(cold.criterion[boundary], smaller.criterion[boundary], atol=1e-9)
    assert np.all(cold.criterion[~boundary] < smaller.criterion[~boundary])


@pytest.mark.parametrize("zero", [None, 0, -1])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_without_matrix_products_is_exact(shape, zero, lapack_path):
    """What a large search uses at each step, all but the second derivatives of log|V|, equals the full expansion."""
    design = make_design(*SHAPES[shape])
    prepared = general.prepare_general(design, covariance_layout(design))
    theta = np.abs(np.random.default_rng(5).normal(size=prepared.layout.n_parameters)) + 0.2
    if zero is not None:
        theta[zero] = 0.0
    covariance = prepared.covariance_of(prepared.layout.entries_from_theta(theta), theta)
    totals = prepared.totals(prepared.outcome[0][:, 0])
    full = general_large.expand_exactly(prepared.structure, covariance, totals)
    work, quick = general.allocate_work(prepared.structure, 3), general.allocate_sums(len(theta), 3)
    general_large.fill_sums(prepared.structure, covariance, totals, work, quick, exact=False)
    for name in ("log_determinant", "log_gradient", "cross", "cross_gradient", "cross_hessian"):
        expected = getattr(full, name)
        np.testing.assert_allclose(getattr(quick, name), expected, atol=1e-11 * np.max(np.abs(expected)), rtol=0, err_msg=name)


@pytest.mark.parametrize("shape", ["three crossed", "three nested, slopes"])
def test_average_information_finds_the_exact_optimum(shape, request):
    design = make_design(*SHAPES[shape], n=400)
    layout = covariance_layout(design)
    prepared = general.prepare_general(design, layout)
    exact = prepared.fit_many(design.response[:, None], layout.start(), reml=True)
    request.getfixturevalue("lapack_path")
    averaged = prepared.fit_many(design.response[:, None], layout.start(), reml=True)
    assert averaged.criterion[0] == pytest.approx(exact.criterion[0], abs=1e-9)
    assert averaged.converged[0]


def test_no_dependence_on_units_or_on_the_mean():
    """A response moved by 1e6 and a random column in thousandths: same deviance, theta in the new unit."""
    design = make_design(*SHAPES["slopes in the eliminated factor"])
    layout = covariance_layout(design)
    base = general.prepare_general(design, layout).fit_many(design.response[:, None], layout.start(), reml=True)
    first = design.factors[0]
    rescaled = GroupingFactor(**{**vars(first), "columns": first.columns * [1.0, 1000.0]})
    changed = Design(**{**vars(design), "factors": (rescaled, *design.factors[1:])})
    other = general.prepare_general(changed, layout).fit_many(design.response[:, None] + 1e6, layout.start(), reml=True)
    assert other.criterion[0] == pytest.approx(base.criterion[0], abs=1e-6)  # 1e6 costs six of the sixteen digits
    np.testing.assert_allclose(other.theta[0] * [1, 1000, 1000, 1], base.theta[0], atol=1e-6)
    assert other.beta[0, 0] - 1e6 == pytest.approx(base.beta[0, 0], abs=1e-7)


def test_responses_that_cannot_be_fitted_are_marked():
    design = make_design(*SHAPES["crossed"])
    layout = covariance_layout(design)
    responses = np.column_stack([design.response, np.full(design.n, np.nan), design.fixed @ [1.0, 2.0]])
    fits = general.prepare_general(design, layout).fit_many(responses, layout.start(), reml=True)
    assert fits.converged.tolist() == [True, False, False]
    assert np.isnan(fits.criterion[1]) and fits.criterion[2] == -np.inf
    np.testing.assert_allclose(fits.beta[2], [1.0, 2.0], atol=1e-10)


def test_memory_grows_with_the_blocks():
    """20,000 persons in 500 centers in 20 regions: components of 26 columns at most, no matrix over all 520."""
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(20_000), 2)
    center, region = person // 40, person // 1000
    table = pd.DataFrame({"y": rng.normal(size=40_000), "person": person, "center": center, "region": region})
    structure = prepare("y ~ 1 + (1 | person) + (1 | center) + (1 | region)", table).structure
    assert structure.n_columns.max() == 26 and len(structure.n_columns) == 20
    work = general.allocate_work(structure, 2)
    assert sum(part.nbytes for part in work) < 20e6
