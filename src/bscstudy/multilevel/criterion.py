"""The profiled deviance of a linear mixed model and its exact derivatives, from an expansion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.expansion import Expansion


@dataclass(frozen=True)
class Criterion:
    """The profiled deviance at one covariance.

    Attributes
    ----------
    value : float
        Minus twice the (restricted) log-likelihood, without the weights' constant.
    gradient, hessian : ndarray, shape (T,) and (T, T)
        In the entries of the relative covariances.
    beta : ndarray, shape (p,)
        Generalized least squares estimates.
    sigma : float
        Residual standard deviation.
    unscaled : ndarray, shape (p, p)
        (X' V^-1 X)^-1; times sigma squared it is the covariance of ``beta``.
    nu : float
        n - p (REML) or n (ML).
    residual : ndarray, shape (3 parts)
        r squared, its gradient (T,) and Hessian (T, T) as a tuple.
    fixed : tuple
        Gradient (T,) and Hessian (T, T) of log|X' V^-1 X|, zero for ML.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    beta: np.ndarray
    sigma: float
    unscaled: np.ndarray
    nu: float
    residual: tuple[float, np.ndarray, np.ndarray]
    fixed: tuple[np.ndarray, np.ndarray]


def profiled_deviance(expansion: Expansion, n: int, *, reml: bool) -> Criterion:
    """Return the profiled deviance with its exact gradient and Hessian.

    Parameters
    ----------
    expansion : Expansion
        Of X and y at the covariance in question; X has full rank.
    n : int
        Number of rows.
    reml : bool
        Restricted maximum likelihood instead of maximum likelihood.

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1), equations 34 and 42.
    Checked against: finite differences and the dense likelihood, tests test_multilevel_linear.
    """
    p = expansion.cross.shape[0] - 1
    nu = float(n - p if reml else n)
    unscaled = _inverse(expansion.cross[:p, :p])
    beta = unscaled @ expansion.cross[:p, p]
    direction = np.append(-beta, 1.0)
    slopes = expansion.cross_gradient @ direction
    r2 = float(direction @ expansion.cross @ direction)
    r2_gradient = slopes @ direction
    r2_hessian = np.einsum("i,rsij,j->rs", direction, expansion.cross_hessian, direction, optimize=True)
    r2_hessian = r2_hessian - 2 * slopes[:, :p] @ unscaled @ slopes[:, :p].T
    value = expansion.log_determinant + nu * (1 + np.log(2 * np.pi * r2 / nu))
    gradient = expansion.log_determinant_gradient + nu * r2_gradient / r2
    hessian = expansion.log_determinant_hessian + nu * (r2_hessian / r2 - np.outer(r2_gradient, r2_gradient) / r2**2)
    fixed = _fixed_part(expansion, unscaled, p) if reml else (np.zeros(len(gradient)), np.zeros_like(hessian))
    if reml:
        value += np.linalg.slogdet(expansion.cross[:p, :p])[1]
    sigma = float(np.sqrt(r2 / nu))
    residual = (r2, r2_gradient, r2_hessian)
    return Criterion(float(value), gradient + fixed[0], hessian + fixed[1], beta, sigma, unscaled, nu, residual, fixed)


def _fixed_part(expansion: Expansion, unscaled: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    turned = unscaled @ expansion.cross_gradient[:, :p, :p]
    first = np.einsum("rii->r", turned)
    second = np.einsum("ij,rsij->rs", unscaled, expansion.cross_hessian[:, :, :p, :p], optimize=True)
    return first, second - np.einsum("rij,sji->rs", turned, turned)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(matrix)
    return (inverse + inverse.T) / 2
