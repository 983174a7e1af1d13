"""Generalized and ordinal mixed models by the Laplace approximation, against stored values of R and against the dense definition."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.families import family_named
from bscstudy.multilevel.generalized import fit_generalized, refit_many, simulate
from bscstudy.multilevel.laplace import prepare_laplace
from bscstudy.multilevel.laplace_dense import dense_laplace

DATA = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((DATA / "lmm" / "generalized.json").read_text(encoding="utf-8"))


def factor(name, values, columns=None):
    labels, codes = np.unique(np.asarray(values).astype(str), return_inverse=True)
    columns = np.ones((len(codes), 1)) if columns is None else np.asarray(columns, float)
    size = columns.shape[1]
    names = tuple(f"column{c}" for c in range(size))
    return GroupingFactor(name, codes.astype(np.int64), tuple(labels), names, columns, np.tri(size, dtype=bool))


def make_design(response, fixed, factors, trials=None, offset=None, names=None):
    fixed = np.ascontiguousarray(fixed, float)
    n, p = fixed.shape
    return Design(
        response=np.asarray(response, float),
        trials=None if trials is None else np.asarray(trials, float),
        fixed=fixed,
        fixed_names=names or tuple(f"x{j}" for j in range(p)),
        factors=tuple(sorted(factors, key=lambda f: (-f.n_levels, f.name))),
        weights=np.ones(n),
        offset=np.zeros(n) if offset is None else np.asarray(offset, float),
        rows=np.arange(n),
    )


def cbpp():
    data = pd.read_csv(DATA / "mixed" / "cbpp.csv")
    fixed = np.column_stack([np.ones(len(data)), *((data.period == level) for level in (2, 3, 4))])
    return make_design(data.incidence, fixed, [factor("herd", data.herd)], trials=data["size"])


def wine(*groups):
    data = pd.read_csv(DATA / "lmm" / "ordinal_wine.csv")
    fixed = np.column_stack([data.temp == "warm", data.contact == "yes"])
    return make_design(data.rating - 1, fixed, [factor(g, data[g]) for g in groups or ("judge",)])


def counts(outcome, groups, *, trials=None, offset=False, ordinal=False, slope=False):
    data = pd.read_csv(DATA / "lmm" / "generalized_counts.csv")
    fixed = np.column_stack([data.wave, data.role]) if ordinal else np.column_stack([np.ones(len(data)), data.wave, data.role])
    columns = np.column_stack([np.ones(len(data)), data.wave]) if slope else None
    factors = [factor(g, data[g], columns) for g in groups]
    return make_design(
        data[outcome] - 1 if ordinal else data[outcome],
        fixed,
        factors,
        trials=data[trials] if trials else None,
        offset=np.log(data.hours) if offset else None,
    )


# tolerance of the log-likelihood: the reference's own distance from its optimum, from the size of its stored gradient
CASES = {
    "cbpp_logit_laplace": (cbpp, "binomial", "logit", 1e-8),
    "cbpp_logit_tmb": (cbpp, "binomial", "logit", 1e-9),
    "cbpp_probit_tmb": (cbpp, "binomial", "probit", 1e-9),
    "cbpp_cloglog_tmb": (cbpp, "binomial", "cloglog", 1e-9),
    "poisson_glmer": (lambda: counts("events", ["center"], offset=True), "poisson", "log", 1e-7),
    "poisson_nested_tmb": (lambda: counts("events", ["center", "pid"], offset=True), "poisson", "log", 1e-9),
    "negative_binomial_tmb": (lambda: counts("events", ["center"], offset=True), "negative_binomial", "log", 1e-9),
    "negative_binomial_nested_tmb": (lambda: counts("events", ["center", "pid"], offset=True), "negative_binomial", "log", 1e-9),
    "beta_binomial_nested_tmb": (lambda: counts("met", ["center", "pid"], trials="applicable"), "beta_binomial", "logit", 1e-9),
    "binary_nested_tmb": (lambda: counts("yes", ["center", "pid"]), "binomial", "logit", 1e-9),
    "counts_nested_tmb": (lambda: counts("met", ["center", "pid"], trials="applicable"), "binomial", "logit", 1e-9),
    "counts_slope_tmb": (lambda: counts("met", ["center"], trials="applicable", slope=True), "binomial", "logit", 1e-9),
    "wine_logit_laplace": (wine, "cumulative", "logit", 1e-8),
    "wine_probit_laplace": (wine, "cumulative", "probit", 1e-5),
    "wine_two_logit": (lambda: wine("judge", "bottle"), "cumulative", "logit", 1e-8),
    "wine_two_probit": (lambda: wine("judge", "bottle"), "cumulative", "probit", 1e-8),
    "item_two_logit": (lambda: counts("item", ["pid", "center"], ordinal=True), "cumulative", "logit", 1e-8),
    "item_two_probit": (lambda: counts("item", ["pid", "center"], ordinal=True), "cumulative", "probit", 1e-8),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_equal_glmmtmb_glmer_and_clmm(name):
    make, family, link, tolerance = CASES[name]
    stored, fit = REFERENCE[name], fit_generalized(make(), family, link=link)
    assert fit.converged
    assert np.abs(fit.gradient).max() < 1e-8
    assert fit.log_likelihood == pytest.approx(stored["log_likelihood"], abs=tolerance)
    assert fit.beta == pytest.approx(stored["beta"], abs=1e-5)  # references stop at gradients up to 1e-5
    errors = np.sqrt(np.diag(fit.covariance))
    extra = fit.extra_std_error if family == "cumulative" else ()
    # differences of glmer's own numerical Hessian; the others are automatic derivatives or tight differences
    assert np.r_[extra, errors] == pytest.approx(stored["se"], rel=3e-4 if name == "poisson_glmer" else 2e-5)
    if "thresholds" in stored:
        assert fit.extra == pytest.approx(stored["thresholds"], abs=1e-5)


VERBAGG = {
    "log_likelihood": -4075.6998598710,
    "beta": [0.1990595, 0.0574296, 0.3207104, -1.0587998, -2.1054031, -1.0554650],
    "sd": [1.339709, 0.495304],
}


def test_crossed_verbal_aggression_equals_the_polished_values(reference_folder):
    data = pd.read_csv(reference_folder / "lmm" / "data" / "lme4_VerbAgg.csv.gz")
    kinds = [data.Gender == "M", data.btype == "scold", data.btype == "shout", data.situ == "self"]
    fixed = np.column_stack([np.ones(len(data)), data.Anger, *kinds])
    fit = fit_generalized(make_design(data.r2 == "Y", fixed, [factor("id", data.id), factor("item", data["item"])]), "binomial")
    assert fit.log_likelihood == pytest.approx(VERBAGG["log_likelihood"], abs=1e-9)
    assert fit.beta == pytest.approx(VERBAGG["beta"], abs=1e-6)
    assert fit.theta == pytest.approx(VERBAGG["sd"], abs=1e-6)


def random_case(kind, family_name, link, seed):
    rng = np.random.default_rng(seed)
    n, categories = 60, 4
    first, second = rng.integers(0, 12, n), rng.integers(0, 5, n)
    second = first % 5 if kind == "nested" else second
    slope = np.column_stack([np.ones(n), rng.normal(size=n)])
    groups = [factor("a", first, slope if kind == "slopes" else None)] + ([] if kind == "slopes" else [factor("b", second)])
    if kind == "crossed_slopes":
        groups = [factor("a", first, slope), factor("b", second, 3 * slope)]
    trials = rng.integers(3, 9, n).astype(float)
    response = rng.integers(0, categories, n) if family_name == "cumulative" else rng.binomial(trials.astype(int), 0.4)
    fixed = np.column_stack([rng.normal(size=n)] if family_name == "cumulative" else [np.ones(n), rng.normal(size=n)])
    design = make_design(response, fixed, groups, trials=trials, offset=0.1 * rng.normal(size=n))
    family = family_named(family_name, link, categories=tuple("abcd"))
    layout = covariance_layout(design)
    theta = np.where(layout.start() == 1.0, 0.8, -0.3) + 0.2 * rng.random(layout.n_parameters)
    extra = np.array([-0.7, 0.2, 1.1]) if family_name == "cumulative" else np.full(len(family.extra_names), 0.9)
    return design, layout, family, np.concatenate([theta, 0.3 * rng.normal(size=fixed.shape[1]), extra])


@pytest.mark.parametrize("kind", ["nested", "crossed", "slopes", "crossed_slopes"])
@pytest.mark.parametrize(
    ("family", "link"),
    [("binomial", "logit"), ("binomial", "cloglog"), ("beta_binomial", "logit"), ("negative_binomial", "log"), ("cumulative", "probit")],
)
def test_value_and_gradient_equal_the_dense_definition(kind, family, link):
    design, layout, family, parameters = random_case(kind, family, link, seed=5)
    bounds = np.cumsum([layout.n_parameters, design.p])

    def dense(values):
        return dense_laplace(design, layout, family, *np.split(values, bounds))[0]

    value, gradient = prepare_laplace(design, layout, family).evaluate(*np.split(parameters, bounds))
    assert value == pytest.approx(dense(parameters), abs=1e-10)
    steps = 1e-5 * np.eye(len(parameters))
    numeric = [(dense(parameters + s) - dense(parameters - s)) / 2e-5 for s in steps]
    assert gradient == pytest.approx(numeric, abs=2e-7)  # rounding of the dense value over the step


def test_hessian_equals_richardson_differences_of_the_gradient():
    fit = fit_generalized(wine(), "cumulative")
    point = np.concatenate([fit.theta, fit.beta, fit.extra])
    bounds = np.cumsum([1, 2])

    def gradient(values):
        return -2 * fit.prepared.evaluate(*np.split(values, bounds))[1]

    def difference(step):
        return np.array([(gradient(point + step * e) - gradient(point - step * e)) / (2 * step) for e in np.eye(len(point))])

    numeric = (4 * difference(5e-4) - difference(1e-3)) / 3
    assert fit.hessian == pytest.approx(numeric, abs=1e-6)  # of a largest entry of about 70


def test_the_criterion_is_even_and_its_slope_in_the_variance_at_zero_has_the_sign_that_keeps_it_there():
    fit = fit_generalized(wine("judge", "bottle"), "cumulative")
    assert fit.theta[1] == 0 or fit.theta[0] == 0
    assert any("estimated as 0" in sentence for sentence in fit.boundary)
    zero = int(np.flatnonzero(fit.theta == 0)[0])
    small = fit.theta.copy()
    values = []
    for theta in (-0.02, 0.02):
        small[zero] = theta
        values.append(fit.prepared.evaluate(small, fit.beta, fit.extra))
    assert values[0][0] == pytest.approx(values[1][0], abs=1e-12)
    assert values[0][1][zero] == pytest.approx(-values[1][1][zero], abs=1e-10)
    assert values[1][1][zero] / 0.04 < 0  # d log-likelihood / d variance
    assert fit.hessian[zero, zero] > 0


def test_over_dispersion_that_takes_the_whole_variance_leaves_it_at_zero():
    stored, fit = REFERENCE["cbpp_beta_binomial"], fit_generalized(cbpp(), "beta_binomial")
    assert fit.theta[0] == 0 and fit.boundary and fit.converged
    assert fit.log_likelihood == pytest.approx(stored["log_likelihood"], abs=1e-9)
    assert fit.beta == pytest.approx(stored["beta"], abs=1e-5)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(stored["se"], rel=1e-5)
    assert fit.extra[0] == pytest.approx(stored["log_dispersion"], abs=1e-5)
    assert fit.extra_std_error[0] == pytest.approx(stored["log_dispersion_se"], rel=1e-5)


def test_counts_without_over_dispersion_are_named_and_equal_the_poisson_model():
    design = counts("events", ["center", "pid"], offset=True)
    rng = np.random.default_rng(8)
    design = replace(design, response=rng.binomial(5, 0.3 * np.exp(0.2 * design.fixed[:, 1])).astype(float), offset=np.zeros(design.n))
    poisson, fit = fit_generalized(design, "poisson"), fit_generalized(design, "negative_binomial")
    assert fit.converged and any("over-dispersion" in sentence for sentence in fit.boundary)
    assert fit.log_likelihood == pytest.approx(poisson.log_likelihood, abs=1e-4)  # size above e^12, not infinite
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(np.sqrt(np.diag(poisson.covariance)), rel=1e-3)


def test_row_and_label_order_do_not_matter():
    design = counts("met", ["center", "pid"], trials="applicable")
    order = np.random.default_rng(3).permutation(design.n)
    renamed = []
    for group in design.factors:
        swap = np.random.default_rng(4).permutation(group.n_levels)
        renamed.append(replace(group, codes=swap[group.codes][order], columns=group.columns[order]))
    moved = replace(design, response=design.response[order], trials=design.trials[order], fixed=design.fixed[order], factors=tuple(renamed))
    one, other = fit_generalized(design, "binomial"), fit_generalized(moved, "binomial")
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-11)
    assert other.beta == pytest.approx(one.beta, abs=1e-10)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-7)


def test_conditional_modes_and_variances_equal_the_dense_definition():
    design = counts("met", ["center", "pid"], trials="applicable")
    fit = fit_generalized(design, "binomial")
    _, effects, curvature = dense_laplace(design, fit.layout, fit.family, fit.theta, fit.beta)
    spread = np.diag(np.linalg.inv(curvature))
    scale = np.repeat(fit.theta, [f.n_levels for f in design.factors])
    modes = fit.conditional_modes()
    assert np.concatenate([m.modes[:, 0] for m in modes]) == pytest.approx(scale * effects, abs=1e-8)
    assert np.concatenate([m.covariance[:, 0, 0] for m in modes]) == pytest.approx(scale**2 * spread, rel=1e-8)


def test_refits_from_the_fit_equal_fits_from_their_own_start():
    for design, family in ((cbpp(), "binomial"), (wine("judge", "bottle"), "cumulative")):
        fit = fit_generalized(design, family)
        outcomes = simulate(fit, np.random.default_rng(11), 12)
        refits = refit_many(fit, outcomes)
        cold = [fit_generalized(replace(design, response=y), fit.family) for y in outcomes.T]
        assert refits.converged.all()
        assert refits.log_likelihood == pytest.approx([c.log_likelihood for c in cold], abs=1e-9)
        assert refits.theta == pytest.approx(np.array([c.theta for c in cold]), abs=1e-4)


def test_what_is_refused():
    design = cbpp()
    with pytest.raises(BscError, match="BSC-LMM-051"):
        fit_generalized(wine("judge", "bottle"), "cumulative", quadrature_points=5)
    with pytest.raises(BscError, match="BSC-LMM-050"):
        fit_generalized(design, "binomial", quadrature_points=0)
    with pytest.raises(BscError, match="BSC-LMM-052"):
        fit_generalized(replace(design, factors=()), "binomial")
    never = replace(design, response=np.where(design.fixed[:, 3] == 1, 0.0, design.response), fixed_names=("a", "b", "c", "d"))
    with pytest.raises(BscError, match="BSC-LMM-053") as caught:
        fit_generalized(never, "binomial")
    assert "column d" in str(caught.value)
    constant = replace(design, response=np.where(design.factors[0].codes % 2, design.trials, 0.0))
    with pytest.raises(BscError, match="BSC-LMM-05[34]"):
        fit_generalized(replace(constant, fixed=design.fixed[:, :1], fixed_names=("a",)), "binomial")
