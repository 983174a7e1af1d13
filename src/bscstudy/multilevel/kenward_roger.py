"""Kenward-Roger inference: adjusted covariance and degrees of freedom of the fixed effects, from the expansion alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.hypotheses import ContrastTests, JointTest, f_test, t_tests
from bscstudy.multilevel.linear import LinearFit

METHOD = "Kenward-Roger"


@dataclass(frozen=True)
class KenwardRoger:
    """Kenward and Roger's adjustment for one fit.

    Attributes
    ----------
    estimate : ndarray, shape (p,)
    covariance, adjusted : ndarray, shape (p, p)
        Covariance of the fixed effects, unadjusted and adjusted for the estimated variances.
    slopes : ndarray, shape (T + 1, p, p)
        Derivatives of X'V^-1 X in the covariance parameters and the residual variance (P_i of the paper).
    parameter_covariance : ndarray, shape (T + 1, T + 1)
        W: inverse expected information of the covariance parameters.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    adjusted: np.ndarray
    slopes: np.ndarray
    parameter_covariance: np.ndarray

    def _moments(self, contrasts: np.ndarray) -> tuple[float, float]:
        """A1 and A2 of the paper for contrasts (q, p)."""
        middle = contrasts.T @ np.linalg.solve(contrasts @ self.covariance @ contrasts.T, contrasts)
        turned = middle @ self.covariance @ self.slopes @ self.covariance
        traces = np.einsum("rii->r", turned)
        products = np.einsum("rij,sji->rs", turned, turned)
        weight = self.parameter_covariance
        return float(traces @ weight @ traces), float(np.sum(weight * products))

    def _scaled(self, contrasts: np.ndarray) -> tuple[float, float]:
        """Return (denominator df, factor of F) for independent contrasts (q, p)."""
        q = len(contrasts)
        a1, a2 = self._moments(contrasts)
        if a2 == 0:
            return np.inf, 1.0
        b = (a1 + 6 * a2) / (2 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        c1, c2, c3 = (c / (3 * q + 2 * (1 - g)) for c in (g, q - g, q + 2 - g))
        v0, v1, v2 = 1 + c1 * b, 1 - c2 * b, 1 - c3 * b
        v0 = 0.0 if abs(v0) < 1e-10 else v0
        ratio = _ratio(1 - a2 / q, v1)
        rho = ratio**2 * _ratio(v0, v2) / q
        df = 4 + (q + 2) / (q * rho - 1)
        factor = 1.0 if abs(df - 2) < 1e-2 else df * (1 - a2 / q) / (df - 2)
        return float(df), float(factor)

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the denominator degrees of freedom of single contrasts (m, p), shape (m,)."""
        return np.array([self._scaled(row[None])[0] for row in np.atleast_2d(contrasts)])

    def tests(self, contrasts: np.ndarray) -> ContrastTests:
        """Return t tests of contrasts (m, p) against zero with adjusted standard errors."""
        contrasts = np.atleast_2d(contrasts)
        error = np.sqrt(np.einsum("mi,ij,mj->m", contrasts, self.adjusted, contrasts))
        return t_tests(contrasts @ self.estimate, error, self.df(contrasts), METHOD)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Return the scaled F test of contrasts (m, p) all zero; dependent contrasts are reduced to their rank."""
        contrasts = _independent(np.atleast_2d(contrasts))
        value = contrasts @ self.estimate
        wald = value @ np.linalg.solve(contrasts @ self.adjusted @ contrasts.T, value) / len(contrasts)
        df, factor = self._scaled(contrasts)
        return f_test(float(factor * wald), len(contrasts), df, METHOD, factor)


def _ratio(numerator: float, denominator: float) -> float:
    """Numerator over denominator, 1 where both vanish (balanced designs)."""
    if abs(numerator) < 1e-10 and abs(denominator) < 1e-10:
        return 1.0
    return numerator / denominator


def _independent(contrasts: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.svd(contrasts, full_matrices=False)[1:]
    return vectors[values > values.max() * 1e-10]


def kenward_roger(fit: LinearFit) -> KenwardRoger:
    """Return Kenward and Roger's adjusted covariance and what their degrees of freedom need.

    Parameters
    ----------
    fit : LinearFit
        By restricted maximum likelihood.

    Raises
    ------
    BscError
        BSC-LMM-100 for a fit by maximum likelihood, which the method is not made for.

    Notes
    -----
    Products with the residual's own derivative follow from V = I + sum of g_r V_r, so that nothing n x n is formed.

    Source: Kenward & Roger (1997), Biometrics 53, sections 2 to 4; Halekoh & Hojsgaard (2014), JSS 59(9), section 4.
    Checked against: pbkrtest 0.5.2 on sleepstudy, beets, sim3, sim3u, HSB, tests test_multilevel_reference.
    """
    if not fit.reml:
        raise BscError(
            "BSC-LMM-100",
            "Kenward-Roger inference was asked for a fit by maximum likelihood.",
            f"model of {fit.design.response_name}",
            "The adjustment is derived for restricted maximum likelihood; with few groups the other variances are too small.",
            "Fit with reml=True, or choose another method.",
        )
    slopes, curvature, traces = _with_residual(fit)
    covariance, variance = fit.covariance, fit.sigma**2
    slopes, curvature = slopes / variance**2, curvature / variance**3
    traces = traces / variance**2
    turned = covariance @ slopes
    information = traces - 2 * np.einsum("ij,rsij->rs", covariance, curvature, optimize=True) + np.einsum("rij,sji->rs", turned, turned)
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    weight = 2 * np.linalg.pinv(information / np.outer(scale, scale), rcond=1e-10, hermitian=True) / np.outer(scale, scale)
    spread = curvature - np.einsum("rij,sjk->rsik", slopes, turned, optimize=True)
    inner = np.einsum("rs,rsij->ij", weight, spread)
    adjusted = covariance + 2 * covariance @ inner @ covariance
    return KenwardRoger(fit.beta, covariance, (adjusted + adjusted.T) / 2, slopes, weight)


def _with_residual(fit: LinearFit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P_r (T+1, p, p), the symmetric part of Q_rs (T+1, T+1, p, p) and tr(V^-1 V_r V^-1 V_s), the residual variance last; sigma = 1."""
    p, g, parts = fit.design.p, fit.entries, fit.expansion
    slopes, curved = parts.cross_gradient[:, :p, :p], parts.cross_hessian[:, :, :p, :p] / 2
    traced, first = -parts.log_determinant_hessian, parts.log_determinant_gradient
    count = len(g)
    moved = np.tensordot(g, slopes, 1)
    mixed = np.einsum("s,rsij->rij", g, curved)
    twice = np.einsum("r,rij->ij", g, mixed)
    all_slopes = np.concatenate([slopes, -(parts.cross[:p, :p] + moved)[None]])
    all_curved = np.empty((count + 1, count + 1, p, p))
    all_curved[:count, :count] = curved
    all_curved[:count, count] = all_curved[count, :count] = -slopes - mixed
    all_curved[count, count] = parts.cross[:p, :p] + 2 * moved + twice
    traces = np.empty((count + 1, count + 1))
    traces[:count, :count] = traced
    traces[:count, count] = traces[count, :count] = first - traced @ g
    traces[count, count] = fit.design.n - 2 * g @ first + g @ traced @ g
    return all_slopes, all_curved, traces
