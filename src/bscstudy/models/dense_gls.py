"""Generalised least squares written out: the covariance matrix of the rows, its factor, the likelihood. An independent second way.

Used by `second_engine`. It shares no code with the engine of `bscstudy.multilevel`; it only reads the design's numbers and the
estimated covariances. Clusters of rows that share no level of any grouping factor are factored one by one; where a cluster is too
large to be written out, the mixed-model equations are factored as one sparse matrix instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: rows of a cluster up to which its covariance matrix is written out (32 MB)
LARGEST_BLOCK = 2000


@dataclass(frozen=True)
class PlainModel:
    """The numbers of a linear mixed model, rows as they come.

    ``y`` (n,) response less offset, ``x`` (n, p), ``weights`` (n,), ``codes`` and ``columns`` for each grouping factor: level of each
    row (n,) and random columns (n, k); ``clusters`` row numbers of each independent cluster.
    """

    y: np.ndarray
    x: np.ndarray
    weights: np.ndarray
    codes: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    clusters: tuple[np.ndarray, ...]

    @property
    def largest(self) -> int:
        """Rows of the largest cluster."""
        return max(len(rows) for rows in self.clusters)


@dataclass(frozen=True)
class PlainFit:
    """Estimates at given relative covariances; ``covariance`` (p, p) of the estimates, ``sigma2`` the residual variance."""

    log_likelihood: float
    estimates: np.ndarray
    covariance: np.ndarray
    sigma2: float

    @property
    def std_errors(self) -> np.ndarray:
        """Standard errors of the estimates (p,)."""
        return np.sqrt(np.diag(self.covariance))


def plain_model(design: object) -> PlainModel:
    """Return the numbers of a design."""
    codes = tuple(np.asarray(f.codes) for f in design.factors)
    columns = tuple(np.asarray(f.columns) for f in design.factors)
    return PlainModel(design.response - design.offset, design.fixed, design.weights, codes, columns, _clusters(codes, design.n))


def _clusters(codes: tuple[np.ndarray, ...], n: int) -> tuple[np.ndarray, ...]:
    """Rows joined by any common level, by spreading the smallest row number until nothing changes."""
    if not codes:
        return (np.arange(n),)
    label = np.arange(n)
    while True:
        before = label
        for own in codes:
            smallest = np.full(own.max() + 1, n)
            np.minimum.at(smallest, own, label)
            label = smallest[own]
        if np.array_equal(before, label):
            return tuple(np.flatnonzero(label == first) for first in np.unique(label))


def gls(model: PlainModel, covariances: list[np.ndarray], reml: bool, *, sparse: bool | None = None) -> PlainFit:
    """Return generalised least squares and the (restricted) log-likelihood at covariances relative to the residual variance.

    Parameters
    ----------
    covariances : list of ndarray, each of shape (k, k)
        One for each grouping factor.
    sparse : bool, optional
        Which form; by default the sparse one where a cluster has more than `LARGEST_BLOCK` rows.

    Source: Searle, Casella & McCulloch 1992, Variance Components, sections 6.2 (ML) and 6.6 (REML); Henderson 1984 for the sparse form.
    Checked against: each other and hand-made normal densities in tests/unit/test_models_second_engine.py.
    """
    chosen = model.largest > LARGEST_BLOCK if sparse is None else sparse
    log_det, cross = (_sparse_sums if chosen and model.codes else _dense_sums)(model, covariances)
    p = model.x.shape[1]
    estimates = np.linalg.solve(cross[:p, :p], cross[:p, p])
    free = len(model.y) - (p if reml else 0)
    rss = float(cross[p, p] - cross[:p, p] @ estimates)
    minus_two = free * (1 + np.log(2 * np.pi * rss / free)) + log_det + (np.linalg.slogdet(cross[:p, :p])[1] if reml else 0.0)
    return PlainFit(-minus_two / 2, estimates, rss / free * np.linalg.inv(cross[:p, :p]), rss / free)


def _dense_sums(model: PlainModel, covariances: list[np.ndarray]) -> tuple[float, np.ndarray]:
    """log|V| and [x y]' V^-1 [x y], cluster by cluster."""
    both = np.column_stack([model.x, model.y])
    log_det, cross = 0.0, np.zeros((both.shape[1],) * 2)
    for rows in model.clusters if model.codes else ():
        matrix = np.diag(1 / model.weights[rows])
        for codes, columns, covariance in zip(model.codes, model.columns, covariances, strict=True):
            same = codes[rows][:, None] == codes[rows][None, :]
            matrix += np.where(same, columns[rows] @ covariance @ columns[rows].T, 0.0)
        root = np.linalg.cholesky(matrix)
        white = np.linalg.solve(root, both[rows])
        log_det += 2 * float(np.log(np.diag(root)).sum())
        cross += white.T @ white
    if not model.codes:
        scaled = both * np.sqrt(model.weights)[:, None]
        return -float(np.log(model.weights).sum()), scaled.T @ scaled
    return log_det, cross


def _sparse_sums(model: PlainModel, covariances: list[np.ndarray]) -> tuple[float, np.ndarray]:
    """The same from the mixed-model equations: V^-1 = W - W Z L (I + L'Z'W Z L)^-1 L'Z'W with G = L L'."""
    from scipy.sparse import diags, hstack, identity
    from scipy.sparse.linalg import splu

    parts = [_turned_columns(*factor) for factor in zip(model.codes, model.columns, covariances, strict=True)]
    z = hstack(parts).tocsc()
    weight = diags(model.weights)
    inner = (identity(z.shape[1]) + z.T @ weight @ z).tocsc()
    factor = splu(inner, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    both = np.column_stack([model.x, model.y])
    right = z.T @ (weight @ both)
    log_det = float(np.log(np.abs(factor.U.diagonal())).sum() - np.log(model.weights).sum())
    return log_det, both.T @ (weight @ both) - right.T @ factor.solve(np.ascontiguousarray(right))


def _turned_columns(codes: np.ndarray, columns: np.ndarray, covariance: np.ndarray):
    """Random columns times a root of their covariance, one block of columns for each level: sparse (n, levels x k)."""
    from scipy.sparse import coo_matrix

    values, vectors = np.linalg.eigh(covariance)
    turned = columns @ (vectors * np.sqrt(np.maximum(values, 0)))
    n, k = turned.shape
    place = codes[:, None] * k + np.arange(k)
    row = np.repeat(np.arange(n), k)
    return coo_matrix((turned.ravel(), (row, place.ravel())), shape=(n, (codes.max() + 1) * k))
