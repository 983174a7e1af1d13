"""The values that a bootstrap-t test does not reject, found exactly: every draw changes its mind at roots of a polynomial."""

from __future__ import annotations

import numpy as np

_NEGLIGIBLE = 1e-11


def confidence_set(polynomials: np.ndarray, alpha: float, copies: float = 1.0, added: float = 0.0) -> tuple[tuple[float, float], ...]:
    """Return the set of x = (estimate - null) / std_error with p > alpha as a union of intervals, unbounded ends included.

    A draw counts at x where (n0 + n1 x)^2 >= x^2 (d0 + d1 x + d2 x^2); p is (copies * count + added) / (copies * R + added).

    Parameters
    ----------
    polynomials : ndarray, shape (5, R)
        n0, n1, d0, d1, d2 of each draw.
    alpha : float
    copies : float
        How many patterns each draw stands for (2 where its negative is left out).
    added : float
        Observed patterns added to the draws.

    Returns
    -------
    tuple of (low, high)
        Ascending and disjoint; ends included where finite.
    """
    coefficients = _coefficients(polynomials)
    roots = _real_roots(polynomials, coefficients)
    states = _states(coefficients, roots)
    changes = np.diff(states.astype(np.int64), axis=1)
    inside = changes != 0
    places, steps = roots[inside], changes[inside]
    order = np.argsort(places, kind="stable")
    places, counts = places[order], np.sum(states[:, 0]) + np.concatenate([[0], np.cumsum(steps[order])])
    share = (copies * counts + added) / (copies * polynomials.shape[1] + added)
    kept = share > alpha * (1 + 1e-12)
    edges = np.concatenate([[-np.inf], places, [np.inf]])
    starts = np.flatnonzero(kept & ~np.concatenate([[False], kept[:-1]]))
    ends = np.flatnonzero(kept & ~np.concatenate([kept[1:], [False]]))
    found = [(float(edges[s]), float(edges[e + 1])) for s, e in zip(starts, ends, strict=True) if edges[s] < edges[e + 1]]
    return _joined(found)


def _joined(found: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join neighbours that lie within rounding of each other: several draws change their mind at one place."""
    joined: list[tuple[float, float]] = []
    for low, high in found:
        if joined and low - joined[-1][1] <= 1e-9 * (1 + abs(low)):
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple((low, high) for low, high in joined if high - low > 1e-9 * (1 + abs(low)) or np.isinf(high - low))


def _coefficients(polynomials: np.ndarray) -> np.ndarray:
    """Of the polynomial in x, highest power first, shape (R, 5); what is only rounding is 0."""
    n0, n1, d0, d1, d2 = polynomials
    coefficients = np.column_stack([-d2, -d1, n1**2 - d0, 2 * n0 * n1, n0**2])
    size = np.maximum(n1**2 + d0, d2 + n0**2)[:, None]
    flat = d2 <= _NEGLIGIBLE * size[:, 0]
    coefficients[flat, :2] = 0.0
    coefficients[np.abs(coefficients) <= _NEGLIGIBLE * size] = 0.0
    return coefficients


def _real_roots(polynomials: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Real roots of each row in ascending order, shape (R, 4), infinite where there are fewer."""
    roots = np.full((len(coefficients), 4), np.inf)
    quartic = coefficients[:, 0] != 0
    if quartic.any():
        companion = np.zeros((int(quartic.sum()), 4, 4))
        companion[:, [1, 2, 3], [0, 1, 2]] = 1.0
        companion[:, 0, :] = -coefficients[quartic, 1:] / coefficients[quartic, :1]
        values = np.linalg.eigvals(companion)
        real = np.abs(values.imag) <= 1e-7 * (np.abs(values) + 1e-300)
        roots[quartic] = np.where(real, _polished(coefficients[quartic], values.real), np.inf)
    n0, n1, d0 = polynomials[:3, ~quartic]
    spread = np.sqrt(d0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pair = np.column_stack([-n0 / (n1 - spread), -n0 / (n1 + spread)])
    pair[coefficients[~quartic, 2] == 0] = np.inf
    linear = (coefficients[~quartic, 2] == 0) & (coefficients[~quartic, 3] != 0)
    pair[linear, 0] = -n0[linear] / (2 * n1[linear])
    roots[~quartic, :2] = np.where(np.isfinite(pair), pair, np.inf)
    return np.sort(roots, axis=1)


def _states(coefficients: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Whether the draw counts below its first root, between its roots and above its last, shape (R, 5)."""
    finite = np.isfinite(roots)
    last = np.max(np.where(finite, roots, -np.inf), axis=1)
    last = np.where(np.isfinite(last), last, 0.0)
    padded = np.where(finite, roots, last[:, None])
    first = np.where(finite[:, 0], roots[:, 0], 0.0)
    points = np.column_stack([first - 1 - np.abs(first), (padded[:, 1:] + padded[:, :-1]) / 2, last + 1 + np.abs(last)])
    points[:, 1:4] = np.where(finite[:, 1:], points[:, 1:4], points[:, 4:])
    return _values(coefficients, points)[0] >= 0


def _values(coefficients: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and slope of each row's polynomial (R, 5) at its points (R, m)."""
    value, slope = np.zeros_like(points), np.zeros_like(points)
    for column in coefficients.T:
        slope = slope * points + value
        value = value * points + column[:, None]
    return value, slope


def _polished(coefficients: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Two Newton steps, each taken only where it is small."""
    for _ in range(2):
        value, slope = _values(coefficients, roots)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = value / slope
        roots = np.where(np.abs(step) < 1e-3 * np.abs(roots), roots - step, roots)
    return roots
