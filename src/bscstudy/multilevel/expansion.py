"""What the likelihood needs of a design at one covariance, with exact first and second derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Expansion:
    """Second-order expansion in the T entries of the relative covariances G, at V = I + Z G Z' and D = [X y] (rows times root weight).

    Attributes
    ----------
    log_determinant : float
        log|V|.
    log_determinant_gradient : ndarray, shape (T,)
    log_determinant_hessian : ndarray, shape (T, T)
        Minus the traces of V^-1 V_r V^-1 V_s.
    cross : ndarray, shape (P, P)
        D' V^-1 D, where P = p + 1 and the last row and column belong to y.
    cross_gradient : ndarray, shape (T, P, P)
        Minus D' V^-1 V_r V^-1 D.
    cross_hessian : ndarray, shape (T, T, P, P)
        D' V^-1 (V_r V^-1 V_s + V_s V^-1 V_r) V^-1 D.
    """

    log_determinant: float
    log_determinant_gradient: np.ndarray
    log_determinant_hessian: np.ndarray
    cross: np.ndarray
    cross_gradient: np.ndarray
    cross_hessian: np.ndarray


@dataclass(frozen=True)
class BatchFits:
    """Optima for B responses of one design.

    Attributes
    ----------
    theta : ndarray, shape (B, T)
    beta : ndarray, shape (B, p)
    sigma, criterion : ndarray, shape (B,)
        Residual standard deviation; profiled deviance (REML or ML) at the optimum, without the weights' constant.
    evaluations : ndarray of int64, shape (B,)
    converged : ndarray of bool, shape (B,)
    """

    theta: np.ndarray
    beta: np.ndarray
    sigma: np.ndarray
    criterion: np.ndarray
    evaluations: np.ndarray
    converged: np.ndarray
