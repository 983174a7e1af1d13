"""Agreement beyond chance: Cohen's kappa, Fleiss' kappa and Gwet's AC1, plain or weighted by distance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bscstudy.measures.chance_agreement import gwet_chance, kappa_chance

WEIGHTS = ("unweighted", "linear", "quadratic")


@dataclass(frozen=True)
class Coefficient:
    """A chance-corrected coefficient, at most 1, with its standard error and 95 % interval; NaN where undefined.

    A standard error of 0, as when every pair agrees, says that the units cannot tell it: the limits are then NaN.
    """

    estimate: float
    std_error: float
    low: float
    high: float


UNDEFINED = Coefficient(math.nan, math.nan, math.nan, math.nan)


def agreement_weights(categories: np.ndarray, kind: str | np.ndarray) -> np.ndarray:
    """Return how much two answers count as agreeing, 1 for equal ones.

    Parameters
    ----------
    categories : array of float, q
        The possible answers in ascending order.
    kind : str or ndarray, q x q
        ``unweighted`` (0 for different ones), ``linear`` (1 - distance / range), ``quadratic`` (1 - its square), or weights of one's own.

    Returns
    -------
    ndarray, q x q

    Raises
    ------
    ValueError
        Own weights that are not symmetric, not 1 on the diagonal, or outside 0 to 1.
    """
    categories = np.asarray(categories, float)
    if not isinstance(kind, str):
        own = np.asarray(kind, float)
        sound = (
            own.shape == 2 * (len(categories),) and (own == own.T).all() and (np.diag(own) == 1).all() and own.min() >= 0 and own.max() <= 1
        )
        if not sound:
            raise ValueError("weights of agreement are symmetric, 1 on the diagonal, and lie between 0 and 1")
        return own
    if kind == "unweighted" or len(categories) < 2:
        return np.eye(len(categories))
    distance = np.abs(categories[:, None] - categories[None, :]) / (categories[-1] - categories[0])
    return 1 - distance ** {"linear": 1, "quadratic": 2}[kind]


def cohen_kappa(table: np.ndarray, weights: np.ndarray, clusters: np.ndarray | None = None) -> Coefficient:
    """Return Cohen's kappa of two raters who both judged every unit.

    Parameters
    ----------
    table : ndarray, n x q x q
        For each unit (or cluster of units) how often the first rater gave category a and the second b.
    weights : ndarray, q x q
        See `agreement_weights`.
    clusters : ndarray, n, optional
        The visit a unit lies in; units of one visit are not independent. Each unit is one of its own if None.

    Returns
    -------
    Coefficient
        NaN where only one category was used. The interval rests on a t distribution with clusters - 1 degrees of freedom.

    Notes
    -----
    Source: Cohen (1960, 1968); the standard error linearizes kappa in the units (Gwet 2014, section 5.3), which with units of
    their own is that of Fleiss, Cohen and Everitt (1969) times sqrt(n / (n - 1)).
    Checked against Cohen's table, R irr 0.84, irrCAC 1.0 and statsmodels 0.14: tests/unit/test_measures_chance_corrected.py.
    """
    n = table.sum()
    shares = table.sum(axis=0) / n
    first, second = shares.sum(axis=1), shares.sum(axis=0)
    observed, chance = float((weights * shares).sum()), float(kappa_chance(first, second, weights))
    if chance >= 1 - 1e-12:
        return UNDEFINED
    kappa = (observed - chance) / (1 - chance)
    seen = weights - (1 - kappa) * ((weights @ second)[:, None] + (first @ weights)[None, :])
    influence = (table * (seen - kappa + (1 - kappa) * chance)).sum(axis=(1, 2)) / (1 - chance)
    return _interval(kappa, influence / n, clusters)


def pooled_coefficients(counts: np.ndarray, weights: np.ndarray, clusters: np.ndarray | None = None) -> tuple[Coefficient, Coefficient]:
    """Return Fleiss' kappa and Gwet's AC1 (AC2 where weighted), which do not depend on who is called the first rater.

    Parameters
    ----------
    counts : ndarray, n x q
        How many raters gave unit i category j; units may differ in their number of raters (at least 1).
    weights : ndarray, q x q
        See `agreement_weights`. q is the number of possible categories: AC1 depends on it, kappa does not.
    clusters : ndarray, n, optional
        The visit a unit lies in; each unit is one of its own if None.

    Returns
    -------
    fleiss, ac1 : Coefficient
        Kappa is NaN where only one category was used; both are NaN where no unit has two raters.

    Notes
    -----
    Source: Fleiss (1971); Gwet (2008), equations 16 and 17; weights, units with one rater and standard errors as Gwet (2014).
    Checked against Fleiss' table, Gwet's published examples and R irrCAC 1.0: tests/unit/test_measures_chance_corrected.py.
    """
    counts = np.asarray(counts, float)
    n, raters, q = len(counts), counts.sum(axis=1), counts.shape[1]
    twice = raters >= 2
    if not twice.any() or q < 2:
        return UNDEFINED, UNDEFINED
    alike = (counts * (counts @ weights - 1)).sum(axis=1)[twice] / (raters * (raters - 1))[twice]
    share = (counts / raters[:, None]).mean(axis=0)
    scale = weights.sum() / (q * (q - 1))
    chances = (
        (counts @ (weights @ share) / raters, float(kappa_chance(share, share, weights))),
        (scale * (counts @ (1 - share)) / raters, float(gwet_chance(share, weights))),
    )
    return tuple(_pooled(alike, twice, by_unit, chance, n, clusters) for by_unit, chance in chances)


def _pooled(alike: np.ndarray, twice: np.ndarray, by_unit: np.ndarray, chance: float, n: int, clusters) -> Coefficient:
    if chance >= 1 - 1e-12:
        return UNDEFINED
    estimate = (alike.mean() - chance) / (1 - chance)
    own = np.zeros(n)
    own[twice] = (n / twice.sum()) * (alike - chance) / (1 - chance)
    influence = own - 2 * (1 - estimate) * (by_unit - chance) / (1 - chance) - estimate
    return _interval(estimate, influence / n, clusters)


def _interval(estimate: float, influence: np.ndarray, clusters: np.ndarray | None, confidence: float = 0.95) -> Coefficient:
    """Return the coefficient with the interval of its linearization, summed over clusters; never above 1 or below -1."""
    from scipy.special import stdtrit

    if clusters is not None:
        _, index = np.unique(np.asarray(clusters), return_inverse=True)
        influence = np.bincount(index, weights=influence)
    n = len(influence)
    if n < 2:
        return Coefficient(float(estimate), math.nan, math.nan, math.nan)
    error = math.sqrt(n / (n - 1) * float((influence**2).sum()))
    if error < 1e-12:
        return Coefficient(float(estimate), 0.0, math.nan, math.nan)
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * error
    return Coefficient(float(estimate), error, max(-1.0, float(estimate) - half), min(1.0, float(estimate) + half))
