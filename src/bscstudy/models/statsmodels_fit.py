"""The same model by statsmodels: MixedLM with Powell's method from its own start, where it can express the model. Used by `second_engine`.

MixedLM has one grouping factor with correlated effects and variance components within it; no weights, no crossed factors. Its gradient
methods are not used: they can return zeros for terms of centers and call it converged.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bscstudy.models.dense_gls import PlainModel

#: rows, clusters and variance parameters up to which MixedLM takes about a second
MOST_ROWS, MOST_CLUSTERS, MOST_PARAMETERS = 2000, 60, 4
SMALLEST_RATIO = 1e-9  # MixedLM cannot evaluate its criterion at a variance of exactly zero
POWELL_TOLERANCE = 1e-10


@dataclass(frozen=True)
class StatsmodelsFit:
    """``at_estimates``: MixedLM's own log-likelihood at the variances given; ``optimum``: the best it found, None where it stopped."""

    at_estimates: float
    optimum: float | None


@dataclass(frozen=True)
class _Parts:
    """The factor with correlated effects (or None) and the variance components: (factor, column) each."""

    joint: int | None
    single: tuple[tuple[int, int], ...]


def expressible(model: PlainModel, free: tuple[np.ndarray, ...]) -> bool:
    """Tell whether MixedLM has this model and it is small enough.

    ``free`` says for each grouping factor which entries (k, k) of its covariance factor are estimated.
    """
    if not model.codes or np.ptp(model.weights) or model.weights[0] != 1:
        return False
    n_parameters = sum(int(f.sum()) for f in free)
    if len(model.y) > MOST_ROWS or not 1 < len(model.clusters) <= MOST_CLUSTERS or n_parameters > MOST_PARAMETERS:
        return False
    return _parts(model, free) is not None


def _parts(model: PlainModel, free: tuple[np.ndarray, ...]) -> _Parts | None:
    outermost = [i for i, codes in enumerate(model.codes) if len(np.unique(codes)) == len(model.clusters)]
    joint, single = None, []
    for i, own in enumerate(free):
        k = len(own)
        correlated = bool(np.tril(own, -1).any())
        if i in outermost and joint is None and (k == 1 or own[np.tril_indices(k)].all()):
            joint = i
        elif correlated:
            return None
        else:
            single += [(i, column) for column in range(k)]
    return _Parts(joint, tuple(single))


def statsmodels_fit(model: PlainModel, free: tuple[np.ndarray, ...], covariances: list[np.ndarray], reml: bool) -> StatsmodelsFit | None:
    """Fit by MixedLM and evaluate its criterion at the given relative covariances; None where it cannot evaluate it."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    parts = _parts(model, free)
    cluster = np.empty(len(model.y), int)
    for number, rows in enumerate(model.clusters):
        cluster[rows] = number
    effects = None if parts.joint is None else model.columns[parts.joint]
    components = _components(model, parts.single) if parts.single else None
    mixed = MixedLM(model.y, model.x, cluster, exog_re=effects, exog_vc=components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            optimum = float(mixed.fit(reml=reml, method="powell", ftol=POWELL_TOLERANCE, do_cg=True).llf)
        except (np.linalg.LinAlgError, ValueError):  # singular at a variance of zero; its criterion is still usable
            optimum = None
        mixed.reml, mixed.cov_pen, mixed.fe_pen = reml, None, None
        try:
            at_estimates = float(mixed.loglike(_packed(parts, covariances)))
        except np.linalg.LinAlgError:
            return None
    return StatsmodelsFit(at_estimates, optimum) if np.isfinite(at_estimates) else None


def _packed(parts: _Parts, covariances: list[np.ndarray]) -> np.ndarray:
    """MixedLM's parameters: rows of the Cholesky factor, then standard deviations of the components."""
    packed = []
    if parts.joint is not None:
        matrix = covariances[parts.joint]
        lower = np.linalg.cholesky(matrix + SMALLEST_RATIO * np.eye(len(matrix)))
        packed.append(lower[np.tril_indices(len(matrix))])
    packed.append(np.sqrt([max(covariances[i][c, c], SMALLEST_RATIO) for i, c in parts.single]))
    return np.concatenate(packed)


def _components(model: PlainModel, single: tuple[tuple[int, int], ...]):
    from statsmodels.regression.mixed_linear_model import VCSpec

    names, labels, matrices = [], [], []
    for factor, column in single:
        codes, values = model.codes[factor], model.columns[factor][:, column]
        inside = [np.unique(codes[rows]) for rows in model.clusters]
        names.append(f"factor{factor}column{column}")
        labels.append([[str(c) for c in found] for found in inside])
        matrices.append(
            [(codes[rows][:, None] == found[None, :]) * values[rows][:, None] for rows, found in zip(model.clusters, inside, strict=True)]
        )
    return VCSpec(names, labels, matrices)
