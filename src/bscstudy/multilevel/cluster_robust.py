"""Cluster-robust covariance of the fixed effects (CR0 to CR3) with small-sample degrees of freedom, cluster by cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.cluster_blocks import ClusterBlock, cluster_blocks, nested_codes
from bscstudy.multilevel.hypotheses import ContrastTests, JointTest, f_test, t_tests
from bscstudy.multilevel.linear import LinearFit

KINDS = ("CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3")
#: eigenvalues below this share of the largest count as 0 (clubSandwich: below 1e-12)
_RANK_TOLERANCE = 1e-12
#: a contrast whose expected variance is below this share of the model's own varies within one cluster only
_IDENTIFIED = 1e-10


@dataclass(frozen=True)
class RobustCovariance:
    """Cluster-robust covariance of the fixed effects and what its degrees of freedom need.

    Attributes
    ----------
    estimate : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        Units of the response (over units of the columns), squared.
    kind : str
        One of ``KINDS``.
    n_clusters : int
    model_covariance : ndarray, shape (p, p)
        (X'V^-1 X)^-1 under the working model, relative to the residual variance.
    spread : ndarray, shape (J, p, p)
        Covariance of each cluster's contribution under the working model, were beta known.
    leverage : ndarray, shape (J, p, p)
        Each cluster's contribution to the estimates, times a root of ``model_covariance``.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    kind: str
    n_clusters: int
    model_covariance: np.ndarray
    spread: np.ndarray
    leverage: np.ndarray

    @property
    def method(self) -> str:
        """The method in words."""
        return f"{self.kind} by {self.n_clusters} clusters, Satterthwaite"

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return Satterthwaite's df of contrasts (m, p) under the working model, shape (m,).

        A contrast that no two clusters share (the mean of one center) has no cluster-robust variance: its df is missing.

        Notes
        -----
        Source: Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), section 3.1.
        Checked against: clubSandwich 0.5.8 coef_test, test_multilevel_cluster_robust.
        """
        contrasts = self._contrasts(contrasts)
        gamma = np.einsum("mi,jik,mk->mj", contrasts, self.spread, contrasts)
        turned = np.einsum("mi,jik->mjk", contrasts, self.leverage)
        lengths = np.einsum("mjk,mjk->mj", turned, turned)
        inner = np.einsum("mjk,mjl->mkl", turned, turned)
        expected = np.sum(gamma - lengths, axis=1)
        squares = np.sum(gamma**2 - 2 * gamma * lengths, axis=1) + np.sum(inner**2, axis=(1, 2))
        usual = np.einsum("mi,ik,mk->m", contrasts, self.model_covariance, contrasts)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(expected > _IDENTIFIED * usual, expected**2 / squares, np.nan)

    def tests(self, contrasts: np.ndarray) -> ContrastTests:
        """Return t tests of contrasts (m, p) against zero; all missing for a contrast that no two clusters share."""
        contrasts = self._contrasts(contrasts)
        df = self.df(contrasts)
        variance = np.einsum("mi,ik,mk->m", contrasts, self.covariance, contrasts)
        error = np.where(np.isnan(df), np.nan, np.sqrt(np.maximum(variance, 0)))
        return t_tests(contrasts @ self.estimate, error, df, self.method)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Return the approximate Hotelling T^2 test that contrasts (q, p) are all zero.

        The F is the Wald statistic over q times (nu - q + 1) / nu, on q and nu - q + 1 df. Where nu - q + 1 is not positive there are
        too few clusters for any p, and it is missing.

        Raises
        ------
        BscError
            BSC-LMM-034 where the contrasts depend on each other; 132 where the clusters cannot tell them apart.

        Notes
        -----
        Source: Pustejovsky & Tipton (2018), JBES 36(4), section 3.2 ("AHT"; HTZ in clubSandwich).
        Checked against: clubSandwich 0.5.8 Wald_test, test_multilevel_cluster_robust.
        """
        contrasts = self._contrasts(contrasts)
        q = len(contrasts)
        root = self._scaling(contrasts)
        nu = q * (q + 1) / _total_variance(root @ contrasts @ self.spread @ (root @ contrasts).T, root @ contrasts @ self.leverage)
        estimate = contrasts @ self.estimate
        wald = float(estimate @ np.linalg.solve(contrasts @ self.covariance @ contrasts.T, estimate))
        scale = max((nu - q + 1) / nu, 0.0)
        return f_test(scale * wald / q, q, nu - q + 1, f"{self.kind} by {self.n_clusters} clusters, approximate Hotelling T2", scale)

    def _contrasts(self, contrasts: np.ndarray) -> np.ndarray:
        contrasts = np.atleast_2d(np.asarray(contrasts, float))
        if contrasts.shape[1] != len(self.estimate):
            raise BscError(
                "BSC-LMM-033",
                f"A contrast has {contrasts.shape[1]} weights for {len(self.estimate)} fixed effects.",
                "contrasts",
                "Each fixed effect needs its weight, otherwise another question is answered.",
                "Give one number for each fixed effect, in the order of the model's terms.",
            )
        if not np.isfinite(contrasts).all():
            raise BscError(
                "BSC-LMM-131",
                "A contrast has a weight that is missing or infinite.",
                "contrasts",
                "What it asks cannot be worked out.",
                "Give 0 to the fixed effects that the contrast does not concern.",
            )
        return contrasts

    def _scaling(self, contrasts: np.ndarray) -> np.ndarray:
        """Inverse root of the expected covariance of the contrasts, shape (q, q)."""
        turned = contrasts @ self.leverage
        expected = (contrasts @ self.spread @ contrasts.T).sum(axis=0) - np.einsum("jqk,jrk->qr", turned, turned)
        usual = contrasts @ self.model_covariance @ contrasts.T
        size = np.sqrt(np.diag(usual))
        with np.errstate(divide="ignore", invalid="ignore"):
            ranks = [matrix / np.outer(size, size) for matrix in (usual, expected)]
            ranks.append(_correlation(contrasts @ self.covariance @ contrasts.T))
        told = [np.isfinite(r).all() and np.linalg.eigvalsh(r)[0] >= _IDENTIFIED for r in ranks]
        if not told[0]:
            raise BscError(
                "BSC-LMM-034",
                f"The {len(contrasts)} contrasts to be tested together depend on each other.",
                "joint test",
                "One that is zero or follows from the others asks nothing of its own.",
                "Leave it out.",
            )
        if not all(told):
            raise BscError(
                "BSC-LMM-132",
                f"There are {len(contrasts)} contrasts, which {self.n_clusters} clusters cannot tell apart.",
                "joint test",
                "The clusters are too few to estimate the joint covariance of the contrasts.",
                "Test fewer contrasts at once, and none that concerns one cluster alone.",
            )
        values, vectors = np.linalg.eigh(expected)
        return vectors @ (vectors.T / np.sqrt(values)[:, None])


def _correlation(matrix: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.diag(matrix))
    return matrix / np.outer(size, size)


def _total_variance(gamma: np.ndarray, turned: np.ndarray) -> float:
    """Sum of the variances of all entries of the scaled covariance; ``gamma`` (J, q, q), ``turned`` (J, q, p)."""
    inner = np.einsum("jsk,jtk->jst", turned, turned)
    outer = np.einsum("jsk,jtl->stkl", turned, turned)
    crossed = np.sum(gamma**2 - 2 * gamma * inner) + np.einsum("stkl,stlk->", outer, outer)
    own, length = np.einsum("jss->js", gamma), np.einsum("jss->js", inner)
    straight = np.einsum("js,jt->", own, own) - 2 * np.einsum("js,jt->", own, length) + np.sum(outer**2)
    return float(crossed + straight)


def cluster_robust(fit: LinearFit, clusters: str | np.ndarray | None = None, *, kind: str = "CR2") -> RobustCovariance:
    """Return the cluster-robust covariance of the fixed effects of a mixed or an ordinary linear model.

    The working covariance is the fitted model's own: its inverse weighs the rows, and CR2 is exactly unbiased if it is true.
    Weights of the rows are taken as inverse variances (ordinary regression: clubSandwich's ``inverse_var = TRUE``).

    Parameters
    ----------
    fit : LinearFit
    clusters : str or ndarray (n,), optional
        Name of a grouping factor, or one value for each row **in the order of the design's rows** (``values[design.rows]``). By
        default the factor with the fewest levels. Rows of different clusters must be independent.
    kind : str
        ``CR0`` none, ``CR1`` J/(J-1), ``CR1p`` J/(J-p), ``CR1S`` J(n-1)/((J-1)(n-p)), ``CR2`` bias-reduced linearisation,
        ``CR3`` jackknife.

    Returns
    -------
    RobustCovariance

    Raises
    ------
    BscError
        BSC-LMM-030 a random effect spans clusters; 031 clusters cannot be used; 032 fewer than two, or (CR1p) not more than fixed
        effects; 035 unknown kind; 036 CR3 without one cluster loses a fixed effect.

    Notes
    -----
    Source: Bell & McCaffrey (2002), Survey Methodology 28(2); Pustejovsky & Tipton (2018), JBES 36(4), equations 4 to 9.
    CR0 and CR1 do not hold their level for terms of centers (7 to 10 of 100 true nulls with 7 centers, 7 to 8 with 12, 6 to 7 with 24);
    CR2 does, CR3 is very cautious (1 of 100 with 7 centers; benchmarks/rejection_rates.py).

    Checked against: clubSandwich 0.5.8 for lm, lmer and lme (weights), test_multilevel_cluster_robust.
    """
    design = fit.design
    codes = nested_codes(design, clusters)
    scaled = fit.covariance / fit.sigma**2
    return robust_covariance(fit.beta, scaled, cluster_blocks(fit, codes), kind=kind, n_clusters=int(codes.max()) + 1, n_rows=design.n)


def robust_covariance(
    beta: np.ndarray, model_covariance: np.ndarray, blocks: Iterable[ClusterBlock], *, kind: str, n_clusters: int, n_rows: int
) -> RobustCovariance:
    """Return the cluster-robust covariance from the clusters' own arrays, read once, one at a time.

    Parameters
    ----------
    beta : ndarray, shape (p,)
    model_covariance : ndarray, shape (p, p)
        (X'V^-1 X)^-1 with the blocks' covariances as V.
    blocks : iterable of ClusterBlock
    kind, n_clusters, n_rows
        See ``cluster_robust``; ``n_rows`` serves CR1S only.
    """
    p = len(beta)
    factor = _factor(kind, n_clusters, n_rows, p)
    root = np.linalg.cholesky(model_covariance)
    contributions = np.zeros((n_clusters, p))
    spread, leverage = np.zeros((n_clusters, p, p)), np.zeros((n_clusters, p, p))
    for j, block in enumerate(blocks):
        estimating = model_covariance @ _estimating(block, model_covariance, root, kind) * factor
        contributions[j] = estimating @ block.residual
        spread[j] = estimating @ block.covariance @ estimating.T
        leverage[j] = estimating @ block.fixed @ root
    return RobustCovariance(np.array(beta, float), contributions.T @ contributions, kind, n_clusters, model_covariance, spread, leverage)


def _factor(kind: str, n_clusters: int, n_rows: int, p: int) -> float:
    """What CR1 and its variants multiply the residuals by; also says no to what cannot be computed."""
    if kind not in KINDS:
        raise BscError(
            "BSC-LMM-035",
            f"There is no kind {kind!r} of cluster-robust covariance.",
            "kind",
            "Each kind corrects for few clusters in its own way.",
            f"Use one of {', '.join(KINDS)}; CR2 is recommended.",
        )
    if n_clusters < 2:
        raise BscError(
            "BSC-LMM-032",
            "A cluster-robust covariance needs at least two clusters.",
            "clusters",
            "The variance between clusters is what it measures.",
            "Use a factor with at least two levels.",
        )
    if kind == "CR1p" and n_clusters <= p:
        raise BscError(
            "BSC-LMM-130",
            f"CR1p cannot be computed from {n_clusters} clusters and {p} fixed effects.",
            "kind",
            "It divides by the number of clusters less that of the fixed effects.",
            "Use CR2, or another kind.",
        )
    ratio = n_clusters / (n_clusters - 1)
    factors = {"CR1": ratio, "CR1p": n_clusters / max(n_clusters - p, 1), "CR1S": ratio * (n_rows - 1) / max(n_rows - p, 1)}
    return float(np.sqrt(factors.get(kind, 1.0)))


def _estimating(block: ClusterBlock, model_covariance: np.ndarray, root: np.ndarray, kind: str) -> np.ndarray:
    """X' V^-1 A of one cluster, A being the adjustment of CR2 or CR3, shape (p, m)."""
    from scipy.linalg import cho_solve, solve_triangular

    lower = np.linalg.cholesky(block.covariance)
    if kind == "CR2":
        turned = lower.T @ block.fixed
        middle = lower.T @ block.covariance @ lower - turned @ model_covariance @ turned.T
        values, vectors = np.linalg.eigh((middle + middle.T) / 2)
        keep = values > _RANK_TOLERANCE * max(values[-1], 0.0)
        inverse_root = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
        return solve_triangular(lower, block.fixed, lower=True).T @ inverse_root @ lower.T
    weighted = cho_solve((lower, True), block.fixed).T
    if kind != "CR3":
        return weighted
    own = weighted @ block.fixed
    if np.linalg.eigvalsh(root.T @ own @ root)[-1] > 1 - 1e-10:
        raise BscError(
            "BSC-LMM-036",
            "Without one of the clusters a fixed effect cannot be estimated, so CR3 does not exist.",
            "fixed effects",
            "CR3 leaves out one cluster after the other.",
            "Use CR2, or leave out the column that only one cluster informs (such as an indicator of one center).",
        )
    return np.linalg.solve(np.eye(len(own)) - own @ model_covariance, weighted)
