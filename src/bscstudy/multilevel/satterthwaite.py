"""Satterthwaite degrees of freedom for contrasts of the fixed effects of a linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.hypotheses import ContrastTests, JointTest, f_test, t_tests
from bscstudy.multilevel.linear import LinearFit

METHOD = "Satterthwaite"


@dataclass(frozen=True)
class Satterthwaite:
    """Uncertainty of the covariance of the fixed effects.

    Attributes
    ----------
    estimate, covariance : ndarray, shape (p,) and (p, p)
        Fixed effects and their covariance.
    derivatives : ndarray, shape (T + 1, p, p)
        Of the covariance in theta (T) and the residual variance.
    parameter_covariance : ndarray, shape (T + 1, T + 1)
        Of theta and the residual variance: twice the inverse Hessian of the deviance. A parameter on which the deviance does not
        depend takes no part.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    derivatives: np.ndarray
    parameter_covariance: np.ndarray

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of contrasts (m, p), shape (m,)."""
        contrasts = np.atleast_2d(contrasts)
        variance = np.einsum("mi,ij,mj->m", contrasts, self.covariance, contrasts)
        slopes = np.einsum("mi,rij,mj->mr", contrasts, self.derivatives, contrasts)
        spread = np.einsum("mr,rs,ms->m", slopes, self.parameter_covariance, slopes)
        with np.errstate(divide="ignore"):
            return 2 * variance**2 / spread

    def tests(self, contrasts: np.ndarray) -> ContrastTests:
        """Return t tests of contrasts (m, p) against zero."""
        contrasts = np.atleast_2d(contrasts)
        error = np.sqrt(np.einsum("mi,ij,mj->m", contrasts, self.covariance, contrasts))
        return t_tests(contrasts @ self.estimate, error, self.df(contrasts), METHOD)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Return the F test of contrasts (m, p) all zero: the mean of the squared independent t statistics.

        Notes
        -----
        Source: Fai & Cornelius (1996), Journal of Statistical Computation and Simulation 54; as in lmerTest's contestMD.
        """
        contrasts = np.atleast_2d(contrasts)
        values, vectors = np.linalg.eigh(contrasts @ self.covariance @ contrasts.T)
        keep = values > values.max() * 1e-10
        turned = vectors[:, keep].T @ contrasts
        squares = (turned @ self.estimate) ** 2 / values[keep]
        return f_test(float(squares.mean()), int(keep.sum()), _joint_df(self.df(turned)), METHOD)


def _joint_df(df: np.ndarray) -> float:
    if len(df) == 1 or np.ptp(df) < 1e-8:
        return float(df.mean())
    if not np.all(df > 2):
        return 2.0
    expected = float(np.sum(df / (df - 2)))
    return 2 * expected / (expected - len(df))


def satterthwaite(fit: LinearFit) -> Satterthwaite:
    """Return what Satterthwaite's method needs, from the exact Hessian (no finite differences).

    Parameters
    ----------
    fit : LinearFit
        By restricted or by maximum likelihood; without random effects the df are n - p.

    Returns
    -------
    Satterthwaite

    Notes
    -----
    At the boundary (a variance of 0) the deviance is even in that theta, which then takes no part: the df are those of the model
    without that term.

    Source: Satterthwaite (1946), Biometrics Bulletin 2(6); Kuznetsova, Brockhoff & Christensen (2017), JSS 82(13), section 2.
    Checked against: lmerTest 3.1-3 on sleepstudy, beets, sim3, sim3u, HSB, tests test_multilevel_reference.
    """
    layout, criterion, p = fit.layout, fit.criterion, fit.design.p
    variance = fit.sigma**2
    r2, r2_gradient, r2_hessian = criterion.residual
    gradient = fit.expansion.log_determinant_gradient + criterion.fixed[0] + r2_gradient / variance
    hessian = fit.expansion.log_determinant_hessian + criterion.fixed[1] + r2_hessian / variance
    jacobian = layout.jacobian(fit.theta)
    count = layout.n_parameters
    full = np.zeros((count + 1, count + 1))
    full[:count, :count] = layout.to_theta(fit.theta, gradient, hessian)[1]
    full[:count, count] = full[count, :count] = -(jacobian.T @ r2_gradient) / variance**2
    full[count, count] = 2 * r2 / variance**3 - criterion.nu / variance**2
    unscaled = criterion.unscaled
    moved = -variance * unscaled @ fit.expansion.cross_gradient[:, :p, :p] @ unscaled
    derivatives = np.concatenate([np.einsum("ru,rij->uij", jacobian, moved), unscaled[None]])
    return Satterthwaite(fit.beta, fit.covariance, derivatives, 2 * _inverse_where_curved(full))


def _inverse_where_curved(hessian: np.ndarray) -> np.ndarray:
    """Inverse on the directions in which the deviance is curved, judged after scaling the diagonal to 1."""
    scale = np.sqrt(np.maximum(np.diag(hessian), 0.0))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    keep = values > 1e-10 * max(values.max(), 1e-300)
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
    return inverse / np.outer(scale, scale)
