"""What a wild cluster bootstrap needs of a least-squares regression: scores of the clusters, as functions of the null."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError


@dataclass(frozen=True)
class ClusterScores:
    """Scores of one contrast by cluster, linear in x = (estimate - null) / std_error.

    Attributes
    ----------
    estimate, std_error : float
        The contrast and its CR1 standard error (factor J(n-1) / ((J-1)(n-k))).
    n_clusters : int
    scores : ndarray, shape (2, G)
        Contributions to the contrast of the residuals under the null: ``scores[0] + x * scores[1]``, over ``std_error``. Clusters
        stand in the order of their scores, so that their labels cannot matter.
    residual_scores : ndarray, shape (2, G, G)
        The same after the pattern's own fit is taken out: row g is cluster g's score as a function of the pattern, times the root of
        the CR1 factor.
    """

    estimate: float
    std_error: float
    n_clusters: int
    scores: np.ndarray
    residual_scores: np.ndarray

    def polynomials(self, patterns: np.ndarray) -> np.ndarray:
        """Return n0, n1, d0, d1, d2 of patterns (R, G), shape (5, R): t* = (n0 + n1 x) / sqrt(d0 + d1 x + d2 x^2)."""
        numerators = self.scores @ patterns.T
        first, second = self.residual_scores @ patterns.T
        return np.vstack([numerators, np.sum(first**2, axis=0), 2 * np.sum(first * second, axis=0), np.sum(second**2, axis=0)])


def cluster_scores(
    response: np.ndarray,
    fixed: np.ndarray,
    clusters: np.ndarray,
    contrast: np.ndarray,
    *,
    absorb: np.ndarray | None = None,
    jackknife: bool = False,
) -> ClusterScores:
    """Reduce a regression to the scores of its clusters; arguments and errors as in ``wild_cluster_bootstrap``."""
    response, fixed, contrast, codes, groups = _arrays(response, fixed, clusters, contrast, absorb)
    n_clusters, (n, p) = int(codes.max()) + 1, fixed.shape
    absorbed = 0
    if groups is not None:
        absorbed = int(groups.max()) + 1
        response, fixed = _centered(response[:, None], groups)[:, 0], _centered(fixed, groups)
    inverse = _inverse(fixed)
    beta = inverse @ (fixed.T @ response)
    residual = response - fixed @ beta
    totals = _sums(fixed * residual[:, None], codes, n_clusters)
    products = _sums((fixed[:, :, None] * fixed[:, None, :]).reshape(n, -1), codes, n_clusters).reshape(n_clusters, p, p)
    direction = inverse @ contrast
    own = totals @ direction
    ratio = n_clusters * (n - 1) / ((n_clusters - 1) * max(n - p - absorbed, 1))
    error = float(np.sqrt(ratio * own @ own))
    variance = contrast @ direction
    if residual @ residual <= 1e-24 * (response @ response) or error <= 1e-10 * np.sqrt(variance * (residual @ residual) / n):
        raise _no_variance()
    estimate = float(contrast @ beta)
    first, second = totals, products @ direction / variance
    if jackknife:
        first, second = _jackknifed(_sums(fixed * response[:, None], codes, n_clusters), products, contrast, estimate)
    order = np.argsort(own, kind="stable")
    parts = np.stack([first / error, second])[:, order]
    scores = parts @ direction
    fitted = (products @ direction)[order] @ inverse @ parts.transpose(0, 2, 1)
    residual_scores = (np.eye(n_clusters) * scores[:, None, :] - fitted) * np.sqrt(ratio)
    return ClusterScores(estimate, error, n_clusters, scores, residual_scores)


def _jackknifed(totals: np.ndarray, products: np.ndarray, contrast: np.ndarray, estimate: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores with the restricted estimates of all other clusters; ``totals`` X_g'y_g (G, p), ``products`` X_g'X_g (G, p, p)."""
    first, second = np.zeros_like(totals), np.zeros_like(totals)
    whole, sums = products.sum(axis=0), totals.sum(axis=0)
    size = np.sqrt(np.diag(whole))
    for g in range(len(totals)):
        rest = (whole - products[g]) / np.outer(size, size)
        if np.linalg.eigvalsh(rest)[0] < 1e-12:
            raise BscError(
                "BSC-LMM-042",
                "Without one of the clusters a fixed effect cannot be estimated, so its scores cannot be jackknifed.",
                "fixed effects",
                "The jackknife leaves out one cluster after the other.",
                "Set jackknife to false, or take out the column that only one cluster informs.",
            )
        inverse = np.linalg.inv(rest) / np.outer(size, size)
        beta, direction = inverse @ (sums - totals[g]), inverse @ contrast
        second[g] = products[g] @ direction / (contrast @ direction)
        first[g] = totals[g] - products[g] @ beta + second[g] * (contrast @ beta - estimate)
    return first, second


def _sums(values: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray:
    """Sums of rows (n, k) by code, shape (count, k)."""
    return np.stack([np.bincount(codes, column, minlength=count) for column in values.T], axis=1)


def _centered(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    count = int(groups.max()) + 1
    return values - (_sums(values, groups, count) / np.bincount(groups, minlength=count)[:, None])[groups]


def _inverse(fixed: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.sum(fixed**2, axis=0))
    scaled = fixed / np.where(size > 0, size, 1.0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    if len(fixed) <= fixed.shape[1]:
        raise BscError(
            "BSC-LMM-135",
            f"There are {len(fixed)} rows for {fixed.shape[1]} fixed columns.",
            "fixed effects",
            "Nothing is left to tell how far the coefficients vary.",
            "Use fewer columns, or more rows.",
        )
    if singular[-1] < 1e-10 * singular[0]:
        raise BscError(
            "BSC-LMM-040",
            "The fixed columns depend on each other.",
            "fixed effects",
            "Their coefficients are not determined by the data.",
            "Leave out columns that follow from the others; with absorbed groups also the constant and all that is constant in a group.",
        )
    upper = np.linalg.qr(scaled, mode="r")
    root = np.linalg.inv(upper) / size[:, None]
    return root @ root.T


def _refuse_arrays(response: np.ndarray, fixed: np.ndarray, contrast: np.ndarray, labels: list[np.ndarray]) -> None:
    import pandas as pd

    fits = fixed.ndim == 2 and response.shape == fixed.shape[:1] and contrast.shape == fixed.shape[1:]
    if not fits or any(v.shape != response.shape for v in labels):
        raise BscError(
            "BSC-LMM-037",
            "The arrays of a wild cluster bootstrap do not fit each other.",
            "response, fixed, clusters, contrast, absorb",
            "Every row needs a response, its columns and a cluster; every column needs its weight in the contrast.",
            "Give arrays of shapes (n,), (n, p), (n,), (p,) and (n,).",
        )
    if any(pd.isna(v).any() for v in (response, fixed, contrast, *labels)) or not np.isfinite(fixed).all():
        raise BscError(
            "BSC-LMM-133",
            "Arrays of a wild cluster bootstrap hold missing or infinite values.",
            "response, fixed, clusters, contrast, absorb",
            "A row without one of its values cannot be used, and which to leave out is not decided here.",
            "Leave the rows of missing values out of every array.",
        )
    if not contrast.any():
        raise BscError(
            "BSC-LMM-134",
            "The contrast of a wild cluster bootstrap is zero throughout.",
            "contrast",
            "It asks nothing.",
            "Give the fixed effect that is tested a weight other than 0, such as 1.",
        )


def _arrays(response, fixed, clusters, contrast, absorb):
    response, fixed, contrast = (np.asarray(v, float) for v in (response, fixed, contrast))
    labels = [np.asarray(v) for v in (clusters, absorb) if v is not None]
    _refuse_arrays(response, fixed, contrast, labels)
    codes = [np.unique(v, return_inverse=True)[1].reshape(-1) for v in labels]
    if codes[0].max() < 1:
        raise BscError(
            "BSC-LMM-039",
            "A wild cluster bootstrap needs at least two clusters.",
            "clusters",
            "It weighs whole clusters against each other.",
            "Use a factor with at least two levels.",
        )
    groups = codes[1] if absorb is not None else None
    if groups is not None and len(np.unique(np.column_stack([groups, codes[0]]), axis=0)) > groups.max() + 1:
        raise BscError(
            "BSC-LMM-041",
            "An absorbed group occurs in more than one cluster.",
            "absorb",
            "Its mean would tie clusters to each other that the bootstrap takes as independent.",
            "Absorb the clusters or groups within them, and give other indicators (such as the wave) as fixed columns.",
        )
    return response, fixed, contrast, codes[0], groups


def _no_variance() -> BscError:
    return BscError(
        "BSC-LMM-043",
        "The contrast has no variance between clusters.",
        "contrast",
        "It is decided by one cluster alone, or the columns reproduce the response exactly, and every t would be infinite.",
        "Test a contrast that several clusters inform.",
    )
