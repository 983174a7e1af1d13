"""The rows of a fitted linear model cluster by cluster, with the working covariance of each cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.design import Design, GroupingFactor
from bscstudy.multilevel.engine import nested_in
from bscstudy.multilevel.linear import LinearFit


@dataclass(frozen=True)
class ClusterBlock:
    """One cluster, its rows possibly turned (multiplied by an orthonormal matrix that keeps all that matters).

    Attributes
    ----------
    fixed : ndarray, shape (m, p)
    residual : ndarray, shape (m,)
        y - X beta.
    covariance : ndarray, shape (m, m)
        Working covariance relative to the residual variance; its inverse weighs the rows.
    """

    fixed: np.ndarray
    residual: np.ndarray
    covariance: np.ndarray


def cluster_blocks(fit: LinearFit, codes: np.ndarray) -> Iterator[ClusterBlock]:
    """Yield the clusters of a fitted model in the order of their codes (n,), one at a time."""
    design = fit.design
    residual = design.response - design.offset - design.fixed @ fit.beta
    relative = [fit.layout.covariance_matrix(fit.entries, f) for f in range(len(design.factors))]
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        parts = [_random_part(factor, rows, g) for factor, g in zip(design.factors, relative, strict=True)]
        random = np.hstack([z for z, _ in parts]) if parts else np.zeros((len(rows), 0))
        spread = np.hstack([z for _, z in parts]) if parts else random
        yield _turned_block(design.fixed[rows], residual[rows], 1 / design.weights[rows], random, spread)


def _random_part(factor: GroupingFactor, rows: np.ndarray, relative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z and Z G of one cluster for one factor, shape (m, levels x k)."""
    levels, local = np.unique(factor.codes[rows], return_inverse=True)
    wide = np.zeros((len(rows), len(levels), factor.n_effects))
    wide[np.arange(len(rows)), local] = factor.columns[rows]
    return wide.reshape(len(rows), -1), (wide @ relative).reshape(len(rows), -1)


def _turned_block(fixed: np.ndarray, residual: np.ndarray, variance: np.ndarray, random: np.ndarray, spread: np.ndarray) -> ClusterBlock:
    """V = diag(variance) + Z (Z G)'; equal variances let all be turned into the few dimensions that X and Z span."""
    columns = np.column_stack([fixed, random])
    if columns.shape[1] >= len(fixed) or np.ptp(variance) > 0:
        covariance = spread @ random.T
        covariance[np.diag_indices_from(covariance)] += variance
        return ClusterBlock(fixed, residual, (covariance + covariance.T) / 2)
    basis = np.linalg.qr(columns)[0].T
    covariance = (basis @ spread) @ (basis @ random).T + variance[0] * np.eye(len(basis))
    return ClusterBlock(basis @ fixed, basis @ residual, (covariance + covariance.T) / 2)


def nested_codes(design: Design, clusters: str | np.ndarray | None) -> np.ndarray:
    """Cluster of each row, 0 to J - 1; every level of every factor must lie in one cluster."""
    codes = _codes(design, clusters)
    crossed = [f.name for f in design.factors if not nested_in(f.codes, codes, f.n_levels)]
    if crossed:
        raise BscError(
            "BSC-LMM-030",
            f"Levels of {', '.join(crossed)} occur in more than one cluster.",
            tuple(f"random effects by {name}" for name in crossed),
            "A cluster-robust covariance takes rows of different clusters as independent, and these are not.",
            "Cluster by a factor that contains all others, or use Kenward-Roger for crossed factors.",
        )
    return codes


def _codes(design: Design, clusters: str | np.ndarray | None) -> np.ndarray:
    names = [f.name for f in design.factors]
    if clusters is None and names:
        clusters = names[-1]
    if clusters is None or (isinstance(clusters, str) and clusters not in names):
        raise BscError(
            "BSC-LMM-031",
            "The clusters are not those of a grouping factor of the model.",
            f"clusters: {clusters}",
            "Each of the model's rows must belong to one known cluster.",
            (f"Name one of {', '.join(names)}, or give" if names else "Give") + f" one value for each of the {design.n} rows.",
        )
    values = design.factors[names.index(clusters)].codes if isinstance(clusters, str) else np.asarray(clusters)
    _refuse_values(values, design.n)
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _refuse_values(values: np.ndarray, n: int) -> None:
    import pandas as pd

    if values.shape != (n,):
        raise BscError(
            "BSC-LMM-128",
            f"The clusters have the shape {values.shape} for {n} rows of the model.",
            "clusters",
            "Each of the model's rows must belong to one known cluster; rows with a missing value are none of them.",
            f"Give one value for each of the {n} rows.",
        )
    if missing := int(pd.isna(values).sum()):
        raise BscError(
            "BSC-LMM-129",
            f"The cluster is missing in {missing} of {n} rows.",
            "clusters",
            "Each of the model's rows must belong to one known cluster.",
            "Complete the clusters, or leave these rows out of the data and fit again.",
        )
