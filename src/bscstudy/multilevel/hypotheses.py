"""What a test returns, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class JointTest:
    """An F test of several linear contrasts of the fixed effects being zero.

    Attributes
    ----------
    statistic : float
        F, already multiplied by the method's scale (see ``scale``).
    df_numerator, df_denominator : float
        Degrees of freedom; ``df_denominator`` is infinite for a test against the chi-square distribution.
    p_value : float
        Upper tail, 0 to 1.
    method : str
        The method in words, e.g. ``Kenward-Roger``.
    scale : float
        What the Wald F was multiplied by (1 where the method does not scale).
    """

    statistic: float
    df_numerator: float
    df_denominator: float
    p_value: float
    method: str
    scale: float = 1.0


@dataclass(frozen=True)
class ContrastTests:
    """Tests of m separate contrasts.

    Attributes
    ----------
    estimate, std_error, df, statistic, p_value : ndarray, shape (m,)
        In units of the outcome (or link); ``df`` infinite where the normal distribution is used; ``p_value`` two-sided.
    method : str
        The method in words.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    df: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    method: str


def t_tests(estimate: np.ndarray, std_error: np.ndarray, df: np.ndarray, method: str) -> ContrastTests:
    """Return two-sided t tests of estimates against zero; a df of infinity means the normal distribution.

    Parameters
    ----------
    estimate, std_error, df : ndarray, shape (m,)
        A missing or zero standard error gives a missing statistic and p.
    """
    from scipy.special import ndtr, stdtr

    estimate, std_error, df = (np.asarray(v, float) for v in (estimate, std_error, df))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(std_error > 0, estimate / std_error, np.nan)
        finite = np.isfinite(df)
        tail = np.where(finite, stdtr(np.where(finite, df, 1.0), -np.abs(statistic)), ndtr(-np.abs(statistic)))
    return ContrastTests(estimate, std_error, df, statistic, 2 * tail, method)


def f_test(statistic: float, df_numerator: float, df_denominator: float, method: str, scale: float = 1.0) -> JointTest:
    """Return the upper-tail F test; an infinite denominator means chi-square over its df."""
    from scipy.special import chdtrc, fdtrc

    if np.isinf(df_denominator):
        p_value = float(chdtrc(df_numerator, statistic * df_numerator))
    else:
        p_value = float(fdtrc(df_numerator, df_denominator, statistic))
    return JointTest(float(statistic), float(df_numerator), float(df_denominator), p_value, method, float(scale))
