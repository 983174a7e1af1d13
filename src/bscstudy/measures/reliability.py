"""Internal consistency of a scale: alpha in its forms, omega total of a one-factor model, and what each item adds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bscstudy.measures.polychoric import polychoric_correlations

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
class ItemStatistics:
    """One item among the n persons with complete answers; NaN where undefined.

    ``item_total`` is its correlation with the sum of the other items, ``alpha_if_deleted`` alpha of the other items.
    """

    n: int
    item_total: float
    alpha_if_deleted: float


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


def pairwise_alpha(keyed: np.ndarray) -> tuple[float, int]:
    """Return alpha from covariances that each use the persons who answered both items, and the fewest persons of any pair.

    Parameters
    ----------
    keyed : ndarray, n x k
        Keyed answers, NaN missing.

    Returns
    -------
    tuple
        NaN with fewer than two items or three persons in some pair, or where the sum has no variance.

    Notes
    -----
    Source: Cronbach (1951) on the matrix of pairwise covariances. Not for: answers missing because of what they would have been.
    Checked against R psych 2.2.9 (use = "pairwise"): tests/unit/test_measures_reliability.py.
    """
    k = keyed.shape[1]
    valid = (~np.isnan(keyed)).astype(float)
    pairs = valid.T @ valid
    fewest = int(pairs.min()) if k else 0
    if k < 2 or fewest < 3:
        return math.nan, fewest
    shift = np.nanmean(keyed, axis=0)
    filled = np.where(valid > 0, keyed - shift, 0.0)
    sums = filled.T @ valid  # of the row's item over those who answered the column's
    covariance = (filled.T @ filled - sums * sums.T / pairs) / (pairs - 1)
    total = covariance.sum()
    return (float(k / (k - 1) * (1 - np.trace(covariance) / total)) if total > 0 else math.nan), fewest


def standardized_alpha(keyed: np.ndarray) -> float:
    """Return alpha of standardized items, k r / (1 + (k - 1) r) with the mean correlation r; persons with complete answers."""
    complete = _complete(keyed)
    if len(complete) < 3 or complete.shape[1] < 2 or (np.ptp(complete, axis=0) == 0).any():
        return math.nan
    return alpha_of_correlations(np.corrcoef(complete, rowvar=False))


def ordinal_alpha(keyed: np.ndarray) -> float:
    """Return alpha of the normal variables behind ordered answers: standardized alpha of their polychoric correlations.

    Parameters
    ----------
    keyed : ndarray, n x k
        Ordered answers; rows with a missing answer are dropped.

    Returns
    -------
    float
        NaN with fewer than two items, or where some correlation has no estimate (`polychoric_correlations`).

    Notes
    -----
    Source: Zumbo, Gadermann and Zeisser (2007). It speaks of a scale of continuous answers, not of the score that was made.
    Checked against R psych 2.2.9 and polycor 0.8-1: tests/unit/test_measures_polychoric.py.
    """
    complete = _complete(keyed)
    if len(complete) < 3 or complete.shape[1] < 2:
        return math.nan
    return alpha_of_correlations(polychoric_correlations(complete))


def alpha_of_correlations(correlation: np.ndarray) -> float:
    """Return k r / (1 + (k - 1) r) with the mean r of a k x k correlation matrix; NaN where one is missing or the sum has no variance."""
    k = len(correlation)
    mean = float(correlation[np.tril_indices(k, -1)].mean())
    return k * mean / (1 + (k - 1) * mean) if 1 + (k - 1) * mean > 0 else math.nan


def item_statistics(keyed: np.ndarray) -> tuple[ItemStatistics, ...]:
    """Return what each item adds to a scale, among persons with complete answers.

    Parameters
    ----------
    keyed : ndarray, n x k

    Returns
    -------
    tuple of ItemStatistics, length k

    Notes
    -----
    Checked against R psych 2.2.9 (r.drop, alpha.drop): tests/unit/test_measures_reliability.py.
    """
    complete = _complete(keyed)
    n, k = complete.shape
    if n < 3 or k < 2:
        return tuple(ItemStatistics(n, math.nan, math.nan) for _ in range(k))
    covariance = np.cov(complete, rowvar=False)
    varies = np.ptp(complete, axis=0) > 0
    found = []
    for place in range(k):
        rest = np.delete(np.arange(k), place)
        total = covariance[np.ix_(rest, rest)].sum()
        spread = covariance[place, place] * total
        correlation = covariance[place, rest].sum() / math.sqrt(spread) if varies[place] and varies[rest].any() and spread > 0 else math.nan
        alpha = (k - 1) / (k - 2) * (1 - np.trace(covariance[np.ix_(rest, rest)]) / total) if k > 2 and total > 0 else math.nan
        found.append(ItemStatistics(n, float(correlation), float(alpha)))
    return tuple(found)


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
