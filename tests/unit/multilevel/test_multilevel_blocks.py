"""The numpy path against the n x n definition: every derivative that the likelihood and the inference use."""

import numpy as np
import pytest

from bscstudy.multilevel.blocks import prepare_blocks
from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.criterion import profiled_deviance
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.solve import conditional_modes, inverse_times


def factor(name, codes, columns, free=None):
    size = columns.shape[1]
    free = np.tril(np.ones((size, size), bool)) if free is None else free
    labels = tuple(str(i) for i in range(codes.max() + 1))
    return GroupingFactor(name, codes.astype(np.int64), labels, tuple(f"e{i}" for i in range(size)), columns, free)


def random_design(kind, seed=0, weighted=True):
    rng = np.random.default_rng(seed)
    n = 48
    one, slope = np.ones((n, 1)), np.column_stack([np.ones(n), rng.normal(size=n)])
    person, center = np.arange(n) // 3 % 16, np.arange(n) // 12 % 4
    rater = rng.permutation(n) % 5
    factors = {
        "intercepts": (factor("person", person, one),),
        "slopes": (factor("person", person, slope),),
        "uncorrelated": (factor("person", person, slope, np.eye(2, dtype=bool)),),
        "nested": (factor("center:person", person, one), factor("center", center, slope)),
        "crossed": (factor("person", person, slope), factor("rater", rater, one)),
        "three deep": (factor("a", person, one), factor("b", np.arange(n) // 6, one), factor("c", center, one)),
    }[kind]
    fixed = np.column_stack([np.ones(n), rng.normal(size=n), center % 2])
    weights = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
    response = rng.normal(size=n) + center
    return Design(response, None, fixed, ("(Intercept)", "x", "z"), factors, weights, np.zeros(n), np.arange(n))


def dense_parts(design, layout, entries):
    """V, its derivatives and [X y], written out row by row."""
    data, root = design.scaled()
    covariance = np.eye(design.n)
    slopes = [np.zeros((design.n, design.n)) for _ in entries]
    for number, f in enumerate(design.factors):
        scaled = f.columns * root[:, None]
        same = f.codes[:, None] == f.codes[None, :]
        covariance += same * (scaled @ layout.covariance_matrix(entries, number) @ scaled.T)
        for r, direction in layout.directions(number):
            slopes[r] += same * (scaled @ direction @ scaled.T)
    return data, covariance, slopes


KINDS = ["intercepts", "slopes", "uncorrelated", "nested", "crossed", "three deep"]


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_expansion_equals_its_definition(kind, zero):
    design = random_design(kind)
    layout = covariance_layout(design)
    theta = layout.start() * 0.7 + 0.2
    if zero:
        theta[-1] = 0.0
    entries = layout.entries_from_theta(theta)
    found = prepare_blocks(design, layout).expand(entries)
    data, covariance, slopes = dense_parts(design, layout, entries)
    inverse = np.linalg.inv(covariance)
    tolerance = {"rtol": 1e-9, "atol": 1e-9}  # two dense inversions of matrices of order 48
    assert np.allclose(found.log_determinant, np.linalg.slogdet(covariance)[1], **tolerance)
    assert np.allclose(found.cross, data.T @ inverse @ data, **tolerance)
    for r, first in enumerate(slopes):
        assert np.allclose(found.log_determinant_gradient[r], np.trace(inverse @ first), **tolerance)
        assert np.allclose(found.cross_gradient[r], -data.T @ inverse @ first @ inverse @ data, **tolerance)
        for s, second in enumerate(slopes):
            product = inverse @ first @ inverse @ second
            assert np.allclose(found.log_determinant_hessian[r, s], -np.trace(product), **tolerance)
            curved = data.T @ product @ inverse @ data
            assert np.allclose(found.cross_hessian[r, s], curved + curved.T, **tolerance)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_deviance_is_the_normal_density_and_its_derivatives_are_exact(kind, reml):
    design = random_design(kind)
    layout = covariance_layout(design)
    prepared = prepare_blocks(design, layout)
    theta = layout.start() * 0.6 + 0.1

    def at(value):
        return profiled_deviance(prepared.expand(layout.entries_from_theta(value)), design.n, reml=reml)

    found = at(theta)
    data, covariance, _ = dense_parts(design, layout, layout.entries_from_theta(theta))
    residual = data @ np.append(-found.beta, 1.0)
    full = found.sigma**2 * covariance
    value = design.n * np.log(2 * np.pi) + np.linalg.slogdet(full)[1] + residual @ np.linalg.solve(full, residual)
    if reml:
        fixed = data[:, : design.p]
        value += np.linalg.slogdet(fixed.T @ np.linalg.solve(full, fixed))[1] - design.p * np.log(2 * np.pi)
    assert np.isclose(found.value, value, rtol=1e-11)  # rounding of two dense factorisations
    gradient, hessian = layout.to_theta(theta, found.gradient, found.hessian)
    for k, unit in enumerate(np.eye(len(theta))):
        step = 1e-5
        up, down = at(theta + step * unit), at(theta - step * unit)
        assert np.isclose(gradient[k], (up.value - down.value) / (2 * step), rtol=1e-6, atol=1e-6)  # central differences
        slopes = [layout.to_theta(t, c.gradient, c.hessian)[0] for t, c in ((theta + step * unit, up), (theta - step * unit, down))]
        assert np.allclose(hessian[k], (slopes[0] - slopes[1]) / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_products_and_modes_equal_dense_algebra(kind):
    design = random_design(kind)
    layout = covariance_layout(design)
    prepared = prepare_blocks(design, layout)
    entries = layout.entries_from_theta(layout.start() * 0.7)
    data, covariance, _ = dense_parts(design, layout, entries)
    assert np.allclose(inverse_times(prepared, entries, data), np.linalg.solve(covariance, data), atol=1e-10)
    beta, sigma = np.array([0.3, -0.1, 0.2]), 1.3
    residual = data @ np.append(-beta, 1.0)
    _, root = design.scaled()
    for number, modes in enumerate(conditional_modes(prepared, entries, beta, sigma)):
        f = design.factors[number]
        small = layout.covariance_matrix(entries, number)
        for level in range(f.n_levels):
            columns = f.columns * root[:, None] * (f.codes == level)[:, None]
            weighed = small @ columns.T @ np.linalg.inv(covariance)
            assert np.allclose(modes.modes[level], weighed @ residual, atol=1e-10)
            assert np.allclose(modes.covariance[level], sigma**2 * (small - weighed @ columns @ small), atol=1e-10)
