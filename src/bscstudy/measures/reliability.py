"""Internal consistency of a scale: coefficient alpha with its interval and omega total of a one-factor model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: smallest unique variance (of 1) the one-factor model may reach; a solution at this bound is improper
LOWEST_UNIQUENESS = 0.005


@dataclass(frozen=True)
class Alpha:
    """Coefficient alpha, its interval, and the n persons and k items it rests on; NaN where undefined."""

    value: float
    low: float
    high: float
    n: int
    k: int


@dataclass(frozen=True)
class Ends:
    """Mean, standard deviation (n - 1) and the shares of scores at the lowest and highest possible value."""

    n: int
    mean: float
    sd: float
    floor: float
    ceiling: float


def cronbach_alpha(keyed: np.ndarray, confidence: float = 0.95) -> Alpha:
    """Return coefficient alpha.

    Parameters
    ----------
    keyed : ndarray, n x k
        Keyed answers; rows with a missing answer are dropped.
    confidence : float in (0, 1)

    Returns
    -------
    Alpha
        NaN with fewer than two items or three complete rows, or without any variance of the sum.

    Notes
    -----
    Source: Cronbach (1951); interval Feldt, Woodruff and Salih (1987), equation 7.
    Checked against lavaan's Holzinger-Swineford data and R psych: tests/unit/test_measures_reliability.py.
    """
    from scipy.special import fdtri

    complete = _complete(keyed)
    n, k = complete.shape
    total = complete.sum(axis=1).var(ddof=1) if n > 2 else 0.0
    if k < 2 or n < 3 or total <= 0:
        return Alpha(math.nan, math.nan, math.nan, n, k)
    value = k / (k - 1) * (1 - complete.var(axis=0, ddof=1).sum() / total)
    tail = (1 - confidence) / 2
    low, high = (1 - (1 - value) * fdtri(n - 1, (n - 1) * (k - 1), p) for p in (1 - tail, tail))
    return Alpha(float(value), float(low), float(high), n, k)


def omega_total(keyed: np.ndarray) -> float:
    """Return omega total of the unweighted sum of complete answers under a one-factor model; see `omega_from_covariance`."""
    complete = _complete(keyed)
    n, k = complete.shape
    if k < 3 or n <= k:
        return math.nan
    return omega_from_covariance(np.cov(complete, rowvar=False))


def omega_from_covariance(covariance: np.ndarray) -> float:
    """Return omega total: the share of the sum's variance that one common factor explains.

    Parameters
    ----------
    covariance : ndarray, k x k
        Covariance matrix of the items, k >= 3.

    Returns
    -------
    float
        (sum of loadings)^2 / ((sum of loadings)^2 + sum of unique variances), loadings by maximum likelihood in the items' own
        units. NaN if an item does not vary, the matrix is singular, the fit does not converge, or the solution is
        improper (a unique variance at its bound).

    Notes
    -----
    Source: McDonald (1999), equation 6.21; estimation by Joreskog (1967) as in R's factanal.
    Checked against the closed form of a congeneric model, the closed form for three items and statsmodels' Factor:
    tests/unit/test_measures_reliability.py.
    """
    spread = np.sqrt(np.diag(covariance))
    if np.any(spread <= 1e-12):
        return math.nan
    correlation = covariance / np.outer(spread, spread)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        return math.nan
    uniqueness = _fit_one_factor(correlation)
    if uniqueness is None or uniqueness.min() <= LOWEST_UNIQUENESS * 1.001:
        return math.nan
    loadings = _loadings(correlation, uniqueness) * spread
    common = loadings.sum() ** 2
    return float(common / (common + (uniqueness * spread**2).sum()))


def describe_ends(scores: np.ndarray, low: float, high: float) -> Ends:
    """Return mean, spread and the shares at both ends of the possible range (NaN if the range is not known)."""
    scores = scores[~np.isnan(scores)]
    n = len(scores)
    floor = float(np.isclose(scores, low, rtol=0, atol=1e-9).mean()) if n and math.isfinite(low) else math.nan
    ceiling = float(np.isclose(scores, high, rtol=0, atol=1e-9).mean()) if n and math.isfinite(high) else math.nan
    return Ends(n, float(scores.mean()) if n else math.nan, float(scores.std(ddof=1)) if n > 1 else math.nan, floor, ceiling)


def _complete(keyed: np.ndarray) -> np.ndarray:
    return keyed[~np.isnan(keyed).any(axis=1)]


def _fit_one_factor(correlation: np.ndarray) -> np.ndarray | None:
    """Return the unique variances that minimise the likelihood's discrepancy, or None without convergence."""
    from scipy.optimize import minimize

    k = len(correlation)

    def discrepancy(uniqueness: np.ndarray) -> tuple[float, np.ndarray]:
        root = np.sqrt(uniqueness)
        roots = np.linalg.eigvalsh(correlation / np.outer(root, root))[:-1]
        loading = _loadings(correlation, uniqueness)
        residual = loading**2 + uniqueness - np.diag(correlation)
        return float((roots - np.log(roots) - 1).sum()), residual / uniqueness**2

    start = np.clip((1 - 0.5 / k) / np.diag(np.linalg.inv(correlation)), 0.01, 0.99)
    fit = minimize(
        discrepancy,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(LOWEST_UNIQUENESS, 1.0)] * k,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
    )
    flat = np.abs(discrepancy(fit.x)[1][(fit.x > LOWEST_UNIQUENESS) & (fit.x < 1.0)])
    return fit.x if flat.max(initial=0.0) < 1e-4 else None


def _loadings(correlation: np.ndarray, uniqueness: np.ndarray) -> np.ndarray:
    root = np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
    loading = root * vectors[:, -1] * math.sqrt(max(values[-1] - 1, 0.0))
    return loading if loading.sum() >= 0 else -loading
