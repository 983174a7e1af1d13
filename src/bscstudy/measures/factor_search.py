"""The likelihood of a confirmatory factor model over groups, and the search for its maximum by Fisher scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.measures.factor_moments import Moments, Places, derivatives_of, moments_of

_MOST_STEPS = 500
#: gradient' information^-1 gradient at which the search ends: the discrepancy is then within 1e-18 or so of its minimum
_CLOSE = 1e-18
#: smallest eigenvalue of the information, scaled to a unit diagonal, of an identified model
_IDENTIFIED = 1e-9


@dataclass(frozen=True)
class GroupSample:
    """What the likelihood needs of n complete rows of p items: means (p) and covariances with divisor n (p x p)."""

    n: int
    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Optimum:
    """Where the search ended; ``discrepancy`` times n is chi-square, ``covariance`` is that of the estimates."""

    values: np.ndarray
    discrepancy: float
    covariance: np.ndarray


def sample_of(rows: np.ndarray) -> GroupSample:
    """Return the moments of n x p complete rows."""
    return GroupSample(len(rows), rows.mean(axis=0), np.cov(rows, rowvar=False, bias=True).reshape(rows.shape[1], -1))


def discrepancy_of(samples: list[GroupSample], groups: list[Places], values: np.ndarray) -> float:
    """Return the discrepancy of maximum likelihood, 0 for a model that fits exactly; infinite where no such covariance exists.

    Notes
    -----
    Source: Joreskog (1971), Psychometrika 36, with means: Sorbom (1974).
    """
    total = sum(sample.n for sample in samples)
    parts = [_discrepancy(sample, moments_of(places, values)) for sample, places in zip(samples, groups, strict=True)]
    return float(sum(sample.n / total * part for sample, part in zip(samples, parts, strict=True)))


def _discrepancy(sample: GroupSample, moments: Moments) -> float:
    try:
        root = np.linalg.cholesky(moments.covariance)
    except np.linalg.LinAlgError:
        return np.inf
    inverse = np.linalg.inv(root)
    apart = inverse @ (sample.mean - moments.mean)
    logs = 2 * np.log(np.diag(root)).sum() - np.linalg.slogdet(sample.covariance)[1]
    return logs + float(((inverse @ sample.covariance) * inverse).sum()) - len(sample.mean) + float(apart @ apart)


def score_and_information(samples: list[GroupSample], groups: list[Places], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return half the gradient of the discrepancy and the expected information of one row, both by all parameters."""
    total = sum(sample.n for sample in samples)
    gradient, information = np.zeros(len(values)), np.zeros((len(values), len(values)))
    for sample, places in zip(samples, groups, strict=True):
        moments = moments_of(places, values)
        by_mean, by_covariance = derivatives_of(places, moments)
        inverse, apart = np.linalg.inv(moments.covariance), sample.mean - moments.mean
        misfit = inverse - inverse @ (sample.covariance + np.outer(apart, apart)) @ inverse
        own = 0.5 * np.einsum("ij,qij->q", misfit, by_covariance) - by_mean @ inverse @ apart
        scaled = inverse @ by_covariance  # q x p x p
        flat = scaled.reshape(len(scaled), -1)
        info = 0.5 * flat @ scaled.transpose(0, 2, 1).reshape(len(scaled), -1).T + by_mean @ inverse @ by_mean.T
        gradient[places.used] += sample.n / total * own
        information[np.ix_(places.used, places.used)] += sample.n / total * info
    return gradient, information


def search(samples: list[GroupSample], groups: list[Places], start: np.ndarray) -> tuple[Optimum | None, str]:
    """Minimise the discrepancy.

    Returns
    -------
    tuple
        The optimum, or None and the reason in words.
    """
    values, value = start, discrepancy_of(samples, groups, start)
    for _ in range(_MOST_STEPS):
        gradient, information = score_and_information(samples, groups, values)
        scale = np.sqrt(np.diag(information))
        if not (scale > 0).all() or np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < _IDENTIFIED:
            return None, "the model is not identified by these items"
        step = -np.linalg.solve(information, gradient)
        decrement = float(-gradient @ step)
        if decrement < _CLOSE:
            break
        values, better = _shorter_until_better(samples, groups, values, value, step, decrement)
        if better >= value:  # rounding: no shorter step is any better
            break
        value = better
    if decrement > 1e-10:
        return None, "the search for the best fit did not end"
    total = sum(sample.n for sample in samples)
    return Optimum(values, value, np.linalg.inv(information) / total), ""


def _shorter_until_better(
    samples: list[GroupSample], groups: list[Places], values: np.ndarray, value: float, step: np.ndarray, decrement: float
) -> tuple[np.ndarray, float]:
    """Halve the step until the discrepancy falls by a share of what its slope promises."""
    length = 1.0
    while length > 1e-10:
        tried = values + length * step
        found = discrepancy_of(samples, groups, tried)
        if found < value - 1e-4 * length * decrement:
            return tried, found
        length /= 2
    return values, value
