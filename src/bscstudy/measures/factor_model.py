"""Confirmatory factor models by maximum likelihood, in one group or in several with equal loadings and intercepts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.measures.factor_moments import STEPS, Moments, Places, moments_of, places_of
from bscstudy.measures.factor_search import GroupSample, Optimum, sample_of, search


@dataclass(frozen=True)
class FactorLoading:
    """Loading of an item on a factor in one group: in the items' units (the first item of a factor: 1), and standardized."""

    group: str
    factor: str
    item: str
    estimate: float
    std_error: float
    standardized: float


@dataclass(frozen=True)
class FactorCorrelation:
    """Correlation of two factors in one group."""

    group: str
    first: str
    second: str
    value: float


@dataclass(frozen=True)
class FactorMean:
    """Mean of a factor in one group less that of the first group, in the units of the factor's first item (scalar step only)."""

    group: str
    factor: str
    estimate: float
    std_error: float


@dataclass(frozen=True)
class FactorModel:
    """A fitted factor model.

    Attributes
    ----------
    state : str
        ``ok``; ``improper``: a unique variance is not positive or factors correlate with 1 or more, so the fit must not be relied
        upon; ``failed``: no fit, all numbers are NaN.
    reason : str
        Why the state is not ok, in words.
    invariance : str
        configural, metric or scalar.
    n, n_incomplete : int
        Complete rows used, and rows left out because an answer (or the group) is missing.
    groups : tuple of (str, int)
        Groups in sorted order with their rows.
    chi2, df, p_value : float, int, float
        Likelihood ratio against the saturated model; p is NaN where df is 0.
    cfi, tli, rmsea, rmsea_low, rmsea_high, srmr : float
        Comparative fit index, Tucker-Lewis index, root mean square error of approximation with 90% limits, standardized root mean
        square residual of the covariances.
    n_parameters : int
    loadings, correlations, means : tuple
    """

    state: str
    reason: str
    invariance: str
    n: int
    n_incomplete: int
    groups: tuple[tuple[str, int], ...]
    n_parameters: int
    chi2: float = math.nan
    df: int = 0
    p_value: float = math.nan
    cfi: float = math.nan
    tli: float = math.nan
    rmsea: float = math.nan
    rmsea_low: float = math.nan
    rmsea_high: float = math.nan
    srmr: float = math.nan
    loadings: tuple[FactorLoading, ...] = ()
    correlations: tuple[FactorCorrelation, ...] = ()
    means: tuple[FactorMean, ...] = ()


def fit_factor_model(
    data: pd.DataFrame, factors: dict[str, list[str]], *, group: str | None = None, invariance: str = "configural"
) -> FactorModel:
    """Fit a confirmatory factor model with a mean structure.

    Parameters
    ----------
    data : DataFrame, n rows
        Numbers in the items' columns, any units. Rows with a missing answer or group are left out.
    factors : dict
        Factor -> its items; the first item's loading is 1. An item may measure several factors. Unique parts are uncorrelated,
        factors correlate freely.
    group : str, optional
        Column whose values are the groups; one group if None.
    invariance : str
        ``configural``: each group has its own parameters; ``metric``: equal loadings; ``scalar``: equal loadings and intercepts,
        factor means free in all groups but the first.

    Returns
    -------
    FactorModel

    Raises
    ------
    ValueError
        If `invariance` is none of the three.

    Notes
    -----
    Chi-square is n times the minimal discrepancy (covariances with divisor n), standard errors are from the expected information, the
    baseline of CFI and TLI has uncorrelated items with means and variances free in every group, RMSEA of several groups carries the
    square root of their number.

    Source: Joreskog (1969, 1971); Steiger (1998) for RMSEA of several groups; Hu and Bentler (1999) for SRMR.
    Checked against: lavaan 0.6-14 on Holzinger and Swineford's data, one group and the three steps over schools, and exact
    derivatives: tests/unit/test_measures_factor_model.py.
    Not for: answers of fewer than five ordered categories; persons in clusters (chi-square is then too large).
    """
    if invariance not in STEPS:
        raise ValueError(f"invariance must be one of {STEPS}, not {invariance!r}")
    items = list(dict.fromkeys(item for members in factors.values() for item in members))
    labels = pd.Series("", index=data.index) if group is None else data[group].astype("str")
    answers = data[items].to_numpy(float)
    complete = ~np.isnan(answers).any(axis=1) & labels.notna().to_numpy()
    labels, answers = labels.to_numpy(dtype=object)[complete], answers[complete]
    names = sorted(set(labels)) or [""]
    pattern = np.array([[item in members for members in factors.values()] for item in items])
    groups, n_parameters = places_of(pattern, len(names), invariance)
    sizes = tuple((name, int((labels == name).sum())) for name in names)
    empty = FactorModel("failed", "", invariance, len(answers), int((~complete).sum()), sizes, n_parameters)
    parts = [answers[labels == name] for name in names]
    reason = _unfit(parts, n_parameters)
    if not reason:
        samples = [sample_of(part) for part in parts]
        optimum, reason = search(samples, groups, _start(samples, groups, n_parameters))
    if reason:
        return _with(empty, reason=reason)
    return _result(empty, list(factors), items, samples, groups, optimum)


def _unfit(parts: list[np.ndarray], n_parameters: int) -> str:
    """Return why no model can be fitted, blank where it can be tried."""
    p = parts[0].shape[1]
    if min(len(part) for part in parts) <= p:
        return "a group has no more complete rows than there are items"
    if len(parts) * p * (p + 3) // 2 < n_parameters:
        return "the model is not identified by these items"
    if any(np.linalg.matrix_rank(part - part.mean(axis=0)) < p for part in parts):
        return "an item does not vary, or is made up of others, in some group"
    return ""


def _start(samples: list[GroupSample], groups: list[Places], n_parameters: int) -> np.ndarray:
    """Half of each item's variance is unique; loadings from the covariance with the factor's first item."""
    values = np.zeros(n_parameters)
    for sample, places in reversed(list(zip(samples, groups, strict=True))):
        variances = np.diag(sample.covariance)
        marker = places.marker.argmax(axis=0)
        for item, factor in zip(*np.nonzero(places.loading >= 0), strict=True):
            first = marker[factor]
            sign = 1.0 if sample.covariance[item, first] >= 0 else -1.0
            values[places.loading[item, factor]] = sign * math.sqrt(variances[item] / variances[first])
        values[np.diag(places.factor_covariance)] = variances[marker] / 2
        values[places.unique], values[places.intercept] = variances / 2, sample.mean
    return values


def _with(empty: FactorModel, **changes: object) -> FactorModel:
    return FactorModel(**{**empty.__dict__, **changes})


def _result(
    empty: FactorModel, factors: list[str], items: list[str], samples: list[GroupSample], groups: list[Places], optimum: Optimum
) -> FactorModel:
    fitted = [moments_of(places, optimum.values) for places in groups]
    spread = np.sqrt(np.diag(optimum.covariance))
    named = list(zip([name for name, _ in empty.groups], groups, fitted, strict=True))
    reason = _improper(fitted)
    return _with(
        empty,
        state="improper" if reason else "ok",
        reason=reason,
        **_fit_measures(samples, fitted, max(optimum.discrepancy, 0.0), empty.n_parameters),
        loadings=tuple(row for part in named for row in _loadings(*part, factors, items, spread)),
        correlations=tuple(row for name, _, moments in named for row in _correlations(name, moments, factors)),
        means=tuple(
            FactorMean(name, factor, float(moments.factor_mean[f]), float(spread[places.factor_mean[f]]))
            for name, places, moments in named
            for f, factor in enumerate(factors)
            if places.factor_mean[f] >= 0
        ),
    )


def _improper(fitted: list[Moments]) -> str:
    if any((moments.unique <= 0).any() for moments in fitted):
        return "a unique variance is not positive"
    if any(np.linalg.eigvalsh(moments.factor_covariance)[0] <= 0 for moments in fitted):
        return "the factors' covariances are not those of different factors"
    return ""


def _loadings(name: str, places: Places, moments: Moments, factors: list[str], items: list[str], spread: np.ndarray):
    deviation, item_deviation = np.sqrt(np.abs(np.diag(moments.factor_covariance))), np.sqrt(np.diag(moments.covariance))
    for factor, item in zip(*np.nonzero((places.marker | (places.loading >= 0)).T), strict=True):
        place, value = places.loading[item, factor], float(moments.loading[item, factor])
        std_error = float(spread[place]) if place >= 0 else 0.0
        standardized = float(value * deviation[factor] / item_deviation[item])
        yield FactorLoading(name, factors[factor], items[item], value, std_error, standardized)


def _correlations(name: str, moments: Moments, factors: list[str]):
    covariance = moments.factor_covariance
    for first, second in zip(*np.tril_indices(len(factors), -1), strict=True):
        size = covariance[first, first] * covariance[second, second]
        value = float(covariance[first, second] / math.sqrt(size)) if size > 0 else math.nan
        yield FactorCorrelation(name, factors[second], factors[first], value)


def _fit_measures(samples: list[GroupSample], fitted: list[Moments], discrepancy: float, n_parameters: int) -> dict:
    from scipy.stats import chi2 as chi_square

    n, p = sum(sample.n for sample in samples), len(samples[0].mean)
    df, chi2 = len(samples) * p * (p + 3) // 2 - n_parameters, n * discrepancy
    logs = [np.log(np.diag(s.covariance)).sum() - np.linalg.slogdet(s.covariance)[1] for s in samples]
    baseline, df_baseline = sum(s.n * log for s, log in zip(samples, logs, strict=True)), len(samples) * p * (p - 1) // 2
    misfit, worst = max(chi2 - df, 0.0), max(chi2 - df, baseline - df_baseline, 0.0)
    rmsea = math.sqrt(len(samples) * misfit / (df * n)) if df else 0.0
    low, high = (math.sqrt(len(samples) * _noncentrality(chi2, df, q) / (df * n)) if df else 0.0 for q in (0.95, 0.05))
    residuals = [_residual(sample, moments) for sample, moments in zip(samples, fitted, strict=True)]
    return {
        "chi2": float(chi2),
        "df": df,
        "p_value": float(chi_square.sf(chi2, df)) if df else math.nan,
        "cfi": float(1 - misfit / worst) if worst > 0 else 1.0,
        "tli": float((baseline / df_baseline - chi2 / df) / (baseline / df_baseline - 1)) if df else 1.0,
        "rmsea": rmsea,
        "rmsea_low": low,
        "rmsea_high": high,
        "srmr": float(sum(s.n / n * residual for s, residual in zip(samples, residuals, strict=True))),
    }


def _residual(sample: GroupSample, moments: Moments) -> float:
    deviation = np.sqrt(np.diag(sample.covariance))
    apart = (sample.covariance - moments.covariance) / np.outer(deviation, deviation)
    return math.sqrt(float((apart[np.tril_indices(len(deviation))] ** 2).mean()))


def _noncentrality(chi2: float, df: int, share: float) -> float:
    """Return the noncentrality under which a share of chi-squares lies below the one found, 0 where there is none."""
    from scipy.optimize import brentq
    from scipy.special import chndtr

    if chndtr(chi2, df, 0.0) <= share:
        return 0.0
    highest = max(chi2, 1.0)
    while chndtr(chi2, df, highest) > share:
        highest *= 2
    return float(brentq(lambda value: chndtr(chi2, df, value) - share, 0.0, highest, xtol=1e-10))
