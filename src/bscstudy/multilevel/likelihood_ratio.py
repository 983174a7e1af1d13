"""Likelihood-ratio tests of contrasts of the fixed effects, by maximum likelihood and the chi-square distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.hypotheses import ContrastTests, JointTest, f_test

METHOD = "likelihood ratio (chi-square)"


@dataclass(frozen=True)
class LikelihoodRatio:
    """Two fits by maximum likelihood for each question: without and with the restriction.

    Attributes
    ----------
    fit : LinearFit or GeneralizedFit
        By maximum likelihood.
    refit : callable
        ``refit(design, start_theta)`` fits the same model by maximum likelihood.
    """

    fit: object
    refit: Callable

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return infinite degrees of freedom for each contrast (m, p), shape (m,)."""
        return np.full(len(np.atleast_2d(contrasts)), np.inf)

    def statistic(self, contrasts: np.ndarray) -> tuple[float, int]:
        """Return twice the difference of the log-likelihoods (at least 0) and the number of independent contrasts (m, p)."""
        from bscstudy.multilevel.parametric_bootstrap import restricted_design

        refuse_empty_null(self.fit, contrasts)
        null, rank = restricted_design(self.fit.design, contrasts)
        restricted = self.refit(null, self.fit.theta)
        return max(2 * (self.fit.log_likelihood - restricted.log_likelihood), 0.0), rank

    def tests(self, contrasts: np.ndarray) -> ContrastTests:
        """Return one test for each contrast (m, p): estimate and standard error by maximum likelihood, signed root of the ratio."""
        from scipy.special import chdtrc

        contrasts = np.atleast_2d(contrasts)
        p = self.fit.design.p
        estimate = contrasts @ self.fit.beta[:p]
        error = np.sqrt(np.einsum("mi,ij,mj->m", contrasts, self.fit.covariance[:p, :p], contrasts))
        ratios = np.array([self.statistic(row[None])[0] for row in contrasts])
        return ContrastTests(estimate, error, self.df(contrasts), np.sign(estimate) * np.sqrt(ratios), chdtrc(1, ratios), METHOD)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Return the test of contrasts (m, p) all zero; the statistic is the ratio over its degrees of freedom."""
        ratio, rank = self.statistic(np.atleast_2d(contrasts))
        return f_test(ratio / rank, rank, np.inf, METHOD)


def refuse_empty_null(fit: object, contrasts: np.ndarray) -> None:
    """Refuse a null hypothesis that leaves no fixed effect (BSC-LMM-090); ordered categories keep their thresholds."""
    ordinal = getattr(getattr(fit, "family", None), "is_ordinal", False)
    if not ordinal and np.linalg.matrix_rank(np.atleast_2d(contrasts)) >= fit.design.p:
        raise BscError(
            "BSC-LMM-090",
            "The method does not apply: the null hypothesis leaves the model without any fixed effect.",
            "contrasts",
            "A likelihood ratio compares two models, and the smaller one would be empty.",
            "Use satterthwaite or kenward_roger (linear models), between_within or wald.",
        )


def likelihood_ratio(fit: object, refit: Callable) -> LikelihoodRatio:
    """Return likelihood-ratio tests.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
        A linear fit by restricted maximum likelihood is refitted by maximum likelihood: restricted likelihoods of different fixed
        parts are not comparable.
    refit : callable
        ``refit(design, start_theta)`` fits the same model by maximum likelihood.

    Notes
    -----
    Source: Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 2.4.
    Checked against: lme4 1.1-31 anova, test_multilevel_likelihood_ratio.
    Not for: few groups. It does not hold its level: a true null about centers is rejected in 10 to 11 of 100 studies with 7 centers, 8
    with 12 and 7 with 24 (benchmarks/rejection_rates.py; beets: p .0003 against .06). Use the parametric bootstrap.
    """
    if getattr(fit, "reml", False):
        fit = refit(fit.design, fit.theta)
    return LikelihoodRatio(fit, refit)
