"""Means and covariances that a confirmatory factor model implies in each group, with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: what is equal over groups at each step of invariance
STEPS = ("configural", "metric", "scalar")


@dataclass(frozen=True)
class Places:
    """Which parameter stands where in one group: place in the vector, -1 where nothing is estimated.

    ``loading`` is p x m, ``factor_covariance`` m x m (symmetric), ``unique`` and ``intercept`` p, ``factor_mean`` m, of p items and
    m factors. The first item of a factor has the loading 1; what is not estimated otherwise is 0.
    """

    loading: np.ndarray
    marker: np.ndarray
    factor_covariance: np.ndarray
    unique: np.ndarray
    intercept: np.ndarray
    factor_mean: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Parameters of this group, sorted."""
        parts = (self.loading, self.factor_covariance, self.unique, self.intercept, self.factor_mean)
        found = np.unique(np.concatenate([part.ravel() for part in parts]))
        return found[found >= 0]


@dataclass(frozen=True)
class Moments:
    """One group's implied means (p) and covariances (p x p), and the matrices they are made of."""

    loading: np.ndarray
    factor_covariance: np.ndarray
    unique: np.ndarray
    factor_mean: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


def places_of(pattern: np.ndarray, n_groups: int, step: str) -> tuple[list[Places], int]:
    """Number the parameters of all groups.

    Parameters
    ----------
    pattern : ndarray of bool, p x m
        Which item measures which factor; the first item of each factor is its marker.
    n_groups : int
    step : str
        ``configural``: nothing is equal over groups; ``metric``: loadings; ``scalar``: loadings and intercepts, and the factors'
        means are estimated in every group but the first.

    Returns
    -------
    tuple
        The places in each group and the number of parameters.
    """
    p, m = pattern.shape
    marker = np.zeros((p, m), bool)
    marker[pattern.argmax(axis=0), np.arange(m)] = True
    lower = np.tril_indices(m)
    counter, shared, groups = 0, {}, []

    def numbered(name: str, size: int, equal: bool) -> np.ndarray:
        nonlocal counter
        if equal and name in shared:
            return shared[name]
        shared[name] = np.arange(counter, counter + size)
        counter += size
        return shared[name]

    for group in range(n_groups):
        loading, covariance = np.full((p, m), -1), np.full((m, m), -1)
        free = pattern & ~marker
        loading[free] = numbered("loading", int(free.sum()), step != "configural")
        covariance[lower] = numbered("factor_covariance", len(lower[0]), False)
        covariance = np.maximum(covariance, covariance.T)
        unique, intercept = numbered("unique", p, False), numbered("intercept", p, step == "scalar")
        mean = numbered("factor_mean", m, False) if step == "scalar" and group else np.full(m, -1)
        groups.append(Places(loading, marker, covariance, unique, intercept, mean))
    return groups, counter


def moments_of(places: Places, values: np.ndarray) -> Moments:
    """Return what the parameters imply in one group."""
    padded = np.append(values, 0.0)  # the place -1 is 0
    loading = padded[places.loading] + places.marker
    factor_covariance, unique, factor_mean = padded[places.factor_covariance], values[places.unique], padded[places.factor_mean]
    covariance = loading @ factor_covariance @ loading.T + np.diag(unique)
    return Moments(loading, factor_covariance, unique, factor_mean, values[places.intercept] + loading @ factor_mean, covariance)


def derivatives_of(places: Places, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivatives of the means (q x p) and covariances (q x p x p) by the q parameters that the group uses."""
    used = places.used
    row = {int(place): number for number, place in enumerate(used)}
    p, m = moments.loading.shape
    mean, covariance = np.zeros((len(used), p)), np.zeros((len(used), p, p))
    spread = moments.loading @ moments.factor_covariance  # covariance of items and factors, p x m
    for item, factor in zip(*np.nonzero(places.loading >= 0), strict=True):
        at = row[places.loading[item, factor]]
        covariance[at, item] += spread[:, factor]
        covariance[at, :, item] += spread[:, factor]
        mean[at, item] += moments.factor_mean[factor]
    for first, second in zip(*np.tril_indices(m), strict=True):
        at, outer = row[places.factor_covariance[first, second]], np.outer(moments.loading[:, first], moments.loading[:, second])
        covariance[at] += outer if first == second else outer + outer.T
    items, factors = np.arange(p), np.flatnonzero(places.factor_mean >= 0)
    covariance[[row[place] for place in places.unique], items, items] = 1.0
    mean[[row[place] for place in places.intercept], items] = 1.0
    for factor in factors:
        mean[row[places.factor_mean[factor]]] = moments.loading[:, factor]
    return mean, covariance
