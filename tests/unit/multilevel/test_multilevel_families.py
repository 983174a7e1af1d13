"""Families: densities against scipy.stats, derivatives against differences, moments against simulation, refusals."""

import numpy as np
import pytest
from scipy import special, stats

from bscstudy.errors import BscError
from bscstudy.multilevel import families
from bscstudy.multilevel.family_checks import check_response, starting_extra
from bscstudy.multilevel.family_kernel import observation_derivatives
from bscstudy.multilevel.special_kernel import log_normal_distribution, log_rising_factorial

TAILS = np.array([-30.0, -12.0, -5.0, -1.0, 0.0, 0.7, 4.0, 11.0, 30.0])
DISTRIBUTION = {"logit": special.expit, "probit": special.ndtr}


def evaluate(family, response, eta, *, trials=None, extra=(), weight=None):
    eta = np.asarray(eta, dtype=float)
    n, extra = len(eta), np.asarray(extra, dtype=float)
    ones = np.ones(n)
    out = [np.empty(n) for _ in range(4)] + [np.empty((n, len(extra))) for _ in range(3)]
    data = [np.asarray(a, dtype=float) for a in (response, ones if trials is None else trials, ones if weight is None else weight)]
    observation_derivatives(family.code, family.link_code, *data, eta, extra, *out)
    return out


def slope(function, x, step=1e-3):
    """Central differences with two Richardson extrapolations (error of order step^6)."""
    coarse, middle, fine = ((function(x + h) - function(x - h)) / (2 * h) for h in (4 * step, 2 * step, step))
    return (16 * (4 * fine - middle) / 3 - (4 * middle - coarse) / 3) / 15


def cases():
    n = len(TAILS)
    successes, trials = np.arange(n) % 5, np.full(n, 4)
    counts = np.arange(n) * 6
    yield "binomial", "logit", successes, trials, ()
    yield "binomial", "probit", successes, trials, ()
    yield "binomial", "cloglog", successes, trials, ()
    yield "poisson", "log", counts, None, ()
    for extra in (-3.0, 0.5, 9.0):
        yield "negative_binomial", "log", counts, None, (extra,)
        yield "beta_binomial", "logit", counts, np.full(n, 50), (extra,)
    for link in ("logit", "probit"):
        for category in range(5):
            yield "cumulative", link, np.full(n, category), None, (-1.5, -1.3, 0.4, 3.0)


CASES = [pytest.param(*case, id=f"{case[0]}-{case[1]}-{case[4] or ''}-{case[2][0]}") for case in cases()]


@pytest.mark.parametrize(("name", "link", "response", "trials", "extra"), CASES)
def test_derivatives_equal_differences(name, link, response, trials, extra):
    family = families.family_named(name, link)
    eta = np.clip(TAILS, -30.0, 3.0) if link in ("cloglog", "log") else TAILS

    def parts(at, parameters=extra):
        return evaluate(family, response, at, trials=trials, extra=parameters)

    exact = parts(eta)
    scale = 1.0 + np.abs(exact[0])
    for order in range(3):  # differences of a value v lose about 1e-16 v / 1e-3
        assert np.max(np.abs(slope(lambda at, k=order: parts(at)[k], eta) - exact[order + 1]) / scale) < 1e-9
    for number in range(len(extra)):
        direction = np.eye(len(extra))[number]
        for order in range(3):
            numeric = slope(lambda t, k=order, d=direction: parts(eta, np.asarray(extra) + t * d)[k], 0.0)
            assert np.max(np.abs(numeric - exact[4 + order][:, number]) / (scale + np.abs(numeric))) < 1e-9


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_binomial_density(link):
    family = families.family_named("binomial", link)
    eta = np.linspace(-6, 1.5, 40)
    trials, successes = np.full(40, 9), np.arange(40) % 10
    expected = stats.binom.logpmf(successes, trials, families.inverse_link(family, eta))
    np.testing.assert_allclose(evaluate(family, successes, eta, trials=trials)[0], expected, rtol=1e-11)


def test_count_densities():
    eta = np.linspace(-4, 5, 50)
    counts = (np.arange(50) * 37) % 400  # direct sums, Stirling's series and factorials beyond the table
    mean = np.exp(eta)
    poisson = families.family_named("poisson")
    np.testing.assert_allclose(evaluate(poisson, counts, eta)[0], stats.poisson.logpmf(counts, mean), rtol=1e-12)
    for log_size in (-2.0, 0.7, 4.0):
        size = np.exp(log_size)
        values = evaluate(families.family_named("negative_binomial"), counts, eta, extra=[log_size])[0]
        np.testing.assert_allclose(values, stats.nbinom.logpmf(counts, size, size / (size + mean)), rtol=1e-10)


@pytest.mark.parametrize("log_precision", [-2.0, 1.3, 5.0])
def test_beta_binomial_density_has_its_moments(log_precision):
    family = families.family_named("beta_binomial")
    precision, successes = np.exp(log_precision), np.arange(61.0)
    for eta in (-5.0, -0.3, 2.0):
        values = evaluate(family, successes, np.full(61, eta), trials=np.full(61, 60), extra=[log_precision])[0]
        expected = stats.betabinom.logpmf(successes, 60, special.expit(eta) * precision, special.expit(-eta) * precision)
        np.testing.assert_allclose(values, expected, rtol=1e-10, atol=1e-11)
        mean, square = np.exp(values) @ successes, np.exp(values) @ successes**2
        assert np.exp(values).sum() == pytest.approx(1.0, abs=1e-12)
        assert mean == pytest.approx(families.mean_response(family, eta, [log_precision], 60.0), rel=1e-10)
        assert square - mean**2 == pytest.approx(families.response_variance(family, eta, [log_precision], 60.0), rel=1e-9)


def test_dispersed_families_approach_their_limits():
    eta, counts, trials = np.linspace(-3, 3, 7), np.arange(7.0) * 5, np.full(7, 40)
    for dispersed, limit in (("negative_binomial", "poisson"), ("beta_binomial", "binomial")):
        far = evaluate(families.family_named(dispersed), counts, eta, trials=trials, extra=[25.0])
        plain = evaluate(families.family_named(limit), counts, eta, trials=trials)
        for got, expected in zip(far[:4], plain[:4], strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-7)  # the difference is of order exp(-25) n^2


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_category_probabilities(link):
    family = families.family_named("cumulative", link)
    thresholds = np.array([-2.0, -1.999, 0.5, 2.0])
    edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
    total = np.zeros(len(TAILS))
    for category in range(5):
        values = evaluate(family, np.full(len(TAILS), category), TAILS, extra=thresholds)[0]
        upper, lower = edges[category + 1] - TAILS, edges[category] - TAILS
        cumulative = DISTRIBUTION[link]
        expected = np.where(upper + lower > 0, cumulative(-lower) - cumulative(-upper), cumulative(upper) - cumulative(lower))
        np.testing.assert_allclose(np.exp(values), expected, rtol=1e-11, atol=1e-300)  # 1e-3 apart: the differences lose 3 digits
        np.testing.assert_allclose(families.category_probabilities(family, TAILS, thresholds)[:, category], expected, rtol=1e-12)
        total += np.exp(values)
    np.testing.assert_allclose(total, 1.0, atol=1e-14)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_mirrored_scale_mirrors_the_derivatives(link):
    family = families.family_named("cumulative", link)
    thresholds = np.array([-1.0, 0.2, 0.3, 2.5])
    for category in range(5):
        here = evaluate(family, np.full(len(TAILS), category), TAILS, extra=thresholds)
        there = evaluate(family, np.full(len(TAILS), 4 - category), -TAILS, extra=-thresholds[::-1])
        for order, sign in enumerate((1, -1, 1, -1)):
            np.testing.assert_allclose(here[order], sign * there[order], rtol=1e-9, atol=1e-12)
        for order, sign in enumerate((-1, 1, -1)):
            np.testing.assert_allclose(here[4 + order], sign * there[4 + order][:, ::-1], rtol=1e-9, atol=1e-12)


def test_thresholds_out_of_order_are_impossible():
    out = evaluate(families.family_named("cumulative"), [1.0], [0.0], extra=[0.5, 0.5, 1.0])
    assert out[0][0] == -np.inf
    assert not any(np.any(part) for part in out[1:])


def test_weights_multiply_everything():
    weight = np.linspace(0.5, 3, len(TAILS))
    for name, extra in (("binomial", ()), ("negative_binomial", (0.4,)), ("cumulative", (-1.0, 1.0))):
        family = families.family_named(name)
        response = np.arange(len(TAILS)) % 2
        eta = np.clip(TAILS, -5, 5)
        plain = evaluate(family, response, eta, extra=extra)
        for got, one in zip(evaluate(family, response, eta, extra=extra, weight=weight), plain, strict=True):
            np.testing.assert_allclose(got, one * (weight if one.ndim == 1 else weight[:, None]), rtol=1e-14)


def test_special_functions_against_scipy():
    x = np.linspace(-38, 8, 93)
    ours = np.array([log_normal_distribution(at) for at in x])
    np.testing.assert_allclose(ours[:, 0], special.log_ndtr(x), rtol=1e-13)
    hazard = np.exp(-0.5 * x**2 - 0.5 * np.log(2 * np.pi) - special.log_ndtr(x))
    np.testing.assert_allclose(ours[:, 1], hazard, rtol=2e-13)  # the exponent reaches 720, so scipy's side has 1e-13
    for start in (1e-3, 0.4, 7.0, 20.0, 300.0):
        for count in (0.0, 1.0, 5.0, 32.0, 33.0, 200.0):
            got = log_rising_factorial(start, count)
            expected = [special.gammaln(start + count) - special.gammaln(start)]
            expected += [special.polygamma(k, start + count) - special.polygamma(k, start) for k in (0, 1, 2)]
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)  # scipy's differences cancel for large starts


@pytest.mark.parametrize(
    ("name", "extra"),
    [("binomial", ()), ("poisson", ()), ("negative_binomial", (0.8,)), ("beta_binomial", (1.2,)), ("cumulative", (-1.0, 0.3, 2.0))],
)
def test_simulated_moments(name, extra):
    family = families.family_named(name)
    eta = np.array([-1.0, 0.2, 1.1])
    draws, trials = 200_000, np.array([4.0, 7.0, 1.0])
    response = families.simulate_response(
        family, np.repeat(eta[:, None], draws, axis=1), np.random.default_rng(5), extra=extra, trials=trials
    )
    mean = families.mean_response(family, eta, extra, trials)
    variance = families.response_variance(family, eta, extra, trials)
    assert np.all(np.abs(response.mean(axis=1) - mean) < 4.5 * np.sqrt(variance / draws))
    np.testing.assert_allclose(response.var(axis=1), variance, rtol=0.03)  # five standard errors of a variance with kurtosis up to 9


def test_simulation_depends_on_the_seed_only():
    family = families.family_named("binomial")
    eta = np.zeros((5, 3))
    first, again, other = (families.simulate_response(family, eta, np.random.default_rng(s), trials=np.full(5, 50)) for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_residual_variance_on_the_link_scale():
    # Nakagawa et al. (2017): trigamma(1) = pi^2 / 6 where the mean is one; log(1 + 1/lambda + 1/theta) otherwise
    assert families.link_residual_variance(families.family_named("binomial")) == pytest.approx(np.pi**2 / 3)
    assert families.link_residual_variance(families.family_named("cumulative", "probit")) == 1.0
    poisson, negative = families.family_named("poisson"), families.family_named("negative_binomial")
    assert families.link_residual_variance(poisson, 1.0, method="trigamma") == pytest.approx(np.pi**2 / 6)
    assert families.link_residual_variance(negative, 2.0, [np.log(4.0)]) == pytest.approx(np.log(1.75))
    assert families.link_residual_variance(negative, 2.0, [np.log(4.0)], method="delta") == pytest.approx(0.75)
    with pytest.raises(ValueError, match="mean"):
        families.link_residual_variance(poisson)


def test_natural_units_and_starts():
    ordinal = families.family_named("cumulative", categories=("never", "often", "always"))
    assert ordinal.extra_names == ("never|often", "often|always")
    assert families.natural_extra(ordinal, [-1.0, 2.0]) == {"never|often": -1.0, "often|always": 2.0}
    assert families.natural_extra(families.family_named("negative_binomial"), [0.0]) == {"size": 1.0}
    assert families.natural_extra(families.family_named("beta_binomial"), [0.0]) == {"precision": 1.0, "indicator_correlation": 0.5}
    response = np.repeat([0.0, 1.0, 2.0], [2, 5, 3])
    np.testing.assert_allclose(special.expit(starting_extra(ordinal, response)), [0.2, 0.7])


@pytest.mark.parametrize(("name", "link", "code", "said"), [("binomal", None, "070", "binomial"), ("poisson", "identity", "071", "log")])
def test_unknown_names_are_refused(name, link, code, said):
    with pytest.raises(BscError) as caught:
        families.family_named(name, link)
    assert caught.value.code == f"BSC-LMM-{code}"
    assert said in caught.value.todo


@pytest.mark.parametrize(
    ("name", "response", "trials", "code"),
    [
        ("poisson", [1, -1, 2], None, "005"),
        ("negative_binomial", [1, 0.5, 2], None, "005"),
        ("beta_binomial", [1, 2, 1], [2, 2.5, 2], "005"),
        ("binomial", [1, 3, 1], [2, 2, 2], "005"),
        ("binomial", [0, 2, 1], None, "005"),
        ("binomial", [0, 0, 1], [0, 1, 2], "005"),
        ("poisson", [0, np.inf, 1], None, "006"),
        ("cumulative", [0, 1, 1], None, "074"),
        ("cumulative", [0, 2, 3, 2], None, "074"),
        ("poisson", [0, 0, 0], None, "019"),
        ("binomial", [3, 2, 3], [3, 2, 3], "019"),
        ("cumulative", [1, 1, 1], None, "019"),
    ],
)
def test_impossible_responses_are_refused(name, response, trials, code):
    with pytest.raises(BscError) as caught:
        check_response(
            families.family_named(name), np.array(response, float), None if trials is None else np.array(trials, float), name="item"
        )
    assert caught.value.code == f"BSC-LMM-{code}"
    assert "item" in str(caught.value.where)


def test_the_first_wrong_rows_are_named_by_their_place_in_the_data():
    wrong = np.array([1.0, -1.0, 2.0, 0.5, -3.0])
    with pytest.raises(BscError) as caught:
        check_response(families.family_named("poisson"), wrong, name="item", rows=np.array([4, 3, 2, 1, 0]))
    assert caught.value.where == (
        "item: negative in 2 rows (data rows 1, 4)",
        "item: not a whole number in 1 row (data row 2)",
    )


def test_possible_responses_pass():
    check_response(families.family_named("binomial"), np.array([0.0, 1.0]))
    check_response(families.family_named("beta_binomial"), np.array([0.0, 3.0]), np.array([4.0, 3.0]))
    check_response(families.family_named("cumulative"), np.array([0.0, 1.0, 2.0]))
    check_response(families.family_named("gaussian"), np.array([-0.5, 1.2]))
