"""Observed agreement and agreement by chance, and the coefficients made of the two: Cohen, Fleiss, Conger, Brennan and Prediger, Gwet.

``times`` may carry leading axes (bootstrap samples), which the results then have: a float for one vector of patterns, an array for many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.measures.rating_patterns import category_counts

COEFFICIENTS = ("cohen_kappa", "fleiss_kappa", "conger_kappa", "brennan_prediger", "gwet_ac1")


@dataclass(frozen=True)
class ChanceCorrected:
    """Observed agreement, agreement by chance, and (observed - chance) / (1 - chance): NaN where chance alone gives full agreement."""

    observed: np.ndarray
    chance: np.ndarray
    estimate: np.ndarray


def beyond_chance(observed: np.ndarray, chance: np.ndarray) -> ChanceCorrected:
    """Return the coefficient of an observed and a chance agreement (shares from 0 to 1, any equal shapes)."""
    observed, chance = np.asarray(observed, float), np.asarray(chance, float)
    left = np.where(chance < 1 - 1e-12, 1 - chance, np.nan)
    return ChanceCorrected(observed, chance, (observed - chance) / left)


def kappa_chance(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Cohen's chance agreement from the categories' shares with either coder (..., q); Fleiss' with the mean shares twice."""
    return np.einsum("...i,ij,...j->...", first, weights, second)


def gwet_chance(share: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Gwet's chance agreement from the mean shares of the categories (..., q)."""
    q = share.shape[-1]
    return weights.sum() / (q * (q - 1)) * (share * (1 - share)).sum(axis=-1)


def observed_agreement(codes: np.ndarray, times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of agreeing pairs of coders, averaged over the units that two or more coders judged.

    Parameters
    ----------
    codes : ndarray of int, p x r
        See `bscstudy.measures.rating_patterns.RatingPatterns`.
    times : ndarray, ... x p
    weights : ndarray, q x q
        How much two categories count as agreeing; see `bscstudy.measures.chance_corrected.agreement_weights`.

    Notes
    -----
    Source: Gwet (2014), Handbook of inter-rater reliability, section 2.4. NaN where no unit was judged twice.
    """
    counts = category_counts(codes, len(weights))
    raters = counts.sum(axis=1)
    twice = raters >= 2
    alike = (counts * (counts @ weights - 1)).sum(axis=1)[twice] / (raters * (raters - 1))[twice]
    return _ratio(times[..., twice] @ alike, times[..., twice].sum(axis=-1))


def specific_agreement(codes: np.ndarray, times: np.ndarray, category: int, n_categories: int = 2) -> np.ndarray:
    """Return the agreement specific to one category: how often a second coder gave it too, where one coder did.

    For two coders and two categories these are positive 2a / (2a + b + c) and negative agreement 2d / (2d + b + c).

    Notes
    -----
    Source: Cicchetti and Feinstein (1990), Journal of Clinical Epidemiology 43(6); for more coders Uebersax (1982), pairs of coders within
    units. NaN where the category was never given in a unit judged twice.
    """
    counts = category_counts(codes, n_categories)
    raters = counts.sum(axis=1)
    given = np.where(raters >= 2, counts[:, category], 0)
    pairs = np.maximum(raters - 1, 1)
    return _ratio(times @ (given * (given - 1) / pairs), times @ (given * (raters - 1) / pairs))


def agreement_coefficient(kind: str, codes: np.ndarray, times: np.ndarray, weights: np.ndarray) -> ChanceCorrected:
    """Return one coefficient, plain or weighted.

    Parameters
    ----------
    kind : one of `COEFFICIENTS`
        ``cohen_kappa`` (two coders; units that one of them left out do not count), ``fleiss_kappa`` (for two coders Scott's pi),
        ``conger_kappa`` (each coder has shares of her own; for two coders without gaps Cohen's kappa), ``brennan_prediger`` (for two
        categories PABAK, 2 po - 1), ``gwet_ac1`` (AC2 with weights).
    codes, times, weights
        See `observed_agreement`. q is the number of possible categories: Brennan and Prediger's and Gwet's coefficients depend on it.

    Raises
    ------
    ValueError
        Cohen's kappa of more than two coders, or an unknown coefficient.

    Notes
    -----
    Source: Cohen (1960, 1968); Fleiss (1971); Conger (1980); Brennan and Prediger (1981); Gwet (2008); with weights and gaps as
    Gwet (2014), chapters 2, 3 and 5.
    Checked against irrCAC 1.0 (12 units, 4 raters), Gwet's and Fleiss' tables, R irr 0.84 and statsmodels 0.15.0:
    tests/unit/test_measures_chance_agreement.py.
    """
    if kind == "cohen_kappa":
        return _cohen(codes, times, weights)
    observed = observed_agreement(codes, times, weights)
    q = len(weights)
    if kind == "brennan_prediger":
        return beyond_chance(observed, np.full_like(observed, weights.sum() / q**2))
    if kind == "conger_kappa":
        return beyond_chance(observed, _conger_chance(codes, times, weights))
    counts = category_counts(codes, q)
    raters = counts.sum(axis=1)
    judged = raters > 0
    share = _ratio(times[..., judged] @ (counts[judged] / raters[judged, None]), times[..., judged].sum(axis=-1)[..., None])
    if kind == "fleiss_kappa":
        return beyond_chance(observed, kappa_chance(share, share, weights))
    if kind == "gwet_ac1":
        return beyond_chance(observed, gwet_chance(share, weights))
    raise ValueError(f"no coefficient is called {kind}")


def pooled_kappa(observed: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the pooled kappa over codes: (mean po - mean pe) / (1 - mean pe).

    Parameters
    ----------
    observed, chance : ndarray, ... x k codes
        Of Cohen's kappa of each code; codes without a unit (NaN) do not enter.

    Notes
    -----
    Source: De Vries, Elliott, Kanouse and Teleki (2008), Field Methods 20(3), 272-282.
    It is neither the mean of the kappas nor the kappa of all units put together; the three differ.
    """
    known = ~(np.isnan(observed) | np.isnan(chance))
    n = known.sum(axis=-1)
    means = [_ratio(np.where(known, part, 0).sum(axis=-1), n) for part in (observed, chance)]
    return beyond_chance(*means).estimate


def _cohen(codes: np.ndarray, times: np.ndarray, weights: np.ndarray) -> ChanceCorrected:
    if codes.shape[1] != 2:
        raise ValueError("Cohen's kappa is for two coders")
    both = (codes >= 0).all(axis=1)
    codes, times = codes[both], times[..., both]
    n = times.sum(axis=-1)[..., None]
    first, second = (_ratio(times @ np.eye(len(weights))[codes[:, coder]], n) for coder in (0, 1))
    return beyond_chance(observed_agreement(codes, times, weights), kappa_chance(first, second, weights))


def _conger_chance(codes: np.ndarray, times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    given = codes[:, :, None] == np.arange(len(weights))
    counts = np.einsum("...p,prq->...rq", times, given.astype(float))
    share = _ratio(counts, counts.sum(axis=-1)[..., None])
    r = codes.shape[1]
    mean = share.mean(axis=-2)
    spread = share - mean[..., None, :]
    covariance = np.einsum("...ri,...rj->...ij", spread, spread) / (r - 1)
    return kappa_chance(mean, mean, weights) - (weights * covariance).sum(axis=(-2, -1)) / r


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, NaN where below is 0."""
    below = np.asarray(below, float)
    return np.asarray(above, float) / np.where(below > 0, below, np.nan)
