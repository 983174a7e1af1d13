"""What fitting a multilevel model returns: estimates, tests, means, predictions and the verdict, each worked out when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from bscstudy.multilevel.families import Family
    from bscstudy.multilevel.hypotheses import JointTest
    from bscstudy.multilevel.influence import LeaveOneOut
    from bscstudy.multilevel.variance_partition import RSquared
    from bscstudy.multilevel.verdict import Verdict


@dataclass(frozen=True)
class MixedModelResult:
    """A fitted multilevel model.

    Attributes
    ----------
    formula : str
    family : families.Family
        ``family.name`` and ``family.link``.
    fit : LinearFit or GeneralizedFit
        The numbers; rows in the design's own order (``fit.design.rows`` gives their place in the data).
    quadrature_points : int
        1 is the Laplace approximation; only for generalized models.

    Notes
    -----
    ``p`` fixed effects, ``T`` covariance parameters, ``n`` rows. Everything but the fit itself is computed on first use. Estimates of
    a fit whose verdict is ``unreliable`` are there to be inspected, but ``summary`` and ``to_frame`` mark each of them.
    """

    formula: str
    family: Family
    fit: object
    quadrature_points: int = 1

    # ---- what was fitted -------------------------------------------------------------------------------------------------------
    @property
    def log_likelihood(self) -> float:
        """Log-likelihood, restricted where fitted by restricted maximum likelihood."""
        return float(self.fit.log_likelihood)

    @property
    def theta(self) -> np.ndarray:
        """Relative covariance factor, shape (T,): factor with most levels first, each lower triangle column by column."""
        return self.fit.theta

    @property
    def sigma(self) -> float | None:
        """Residual standard deviation in units of the outcome; None for families without one."""
        return float(self.fit.sigma) if self.linear else None

    @property
    def linear(self) -> bool:
        """Whether the model is linear (gaussian)."""
        return hasattr(self.fit, "reml")

    @property
    def restricted(self) -> bool:
        """Whether fitted by restricted maximum likelihood."""
        return bool(getattr(self.fit, "reml", False))

    @property
    def n(self) -> int:
        """Number of rows of the fit."""
        return self.fit.design.n

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of levels of each grouping factor."""
        return {f.name: f.n_levels for f in self.fit.design.factors}

    @property
    def n_missing(self) -> dict[str, int]:
        """Rows lost to missing values by column, and ``rows`` in all."""
        return dict(self.fit.design.n_missing)

    @property
    def n_parameters(self) -> int:
        """Fixed effects, covariance parameters, and the residual variance or the family's own parameters."""
        return self.fit.design.p + len(self.fit.theta) + (1 if self.linear else len(self._extra))

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the estimates may be shown, with reasons and numbers."""
        from bscstudy.multilevel.verdict import judge_fit

        return judge_fit(self.fit)

    @cached_property
    def fixed_effects(self) -> pd.DataFrame:
        """Fixed effects by the default method, see ``tests``."""
        return self.tests()

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        """Variances and covariances: group, term, term2, variance (covariance where term2 is named), correlation, sd."""
        from bscstudy.multilevel.result_frames import components_frame
        from bscstudy.multilevel.variance_partition import variance_components

        return components_frame(variance_components(self.fit.design, self.fit.layout, self.fit.entries, self.sigma))

    @property
    def extra_parameters(self) -> pd.DataFrame:
        """The family's own parameters (thresholds, size, precision): parameter, estimate; empty for most families."""
        import pandas as pd

        from bscstudy.multilevel.families import natural_extra

        named = {} if self.linear else natural_extra(self.family, self._extra)
        return pd.DataFrame({"parameter": list(named), "estimate": list(named.values())})

    @property
    def _extra(self) -> np.ndarray:
        return np.asarray(getattr(self.fit, "extra", ()), dtype=float)

    # ---- inference on fixed effects --------------------------------------------------------------------------------------------
    def inference(self, method: str | None = None, replicates: int = 1000, seed: int | None = None) -> object:
        """Return what tests contrasts of the fixed effects by a method, see ``result_methods.inference``."""
        from bscstudy.multilevel.refit import refitter
        from bscstudy.multilevel.result_methods import inference

        return inference(self.fit, method, refitter(self, reml=False), replicates, seed)

    def tests(self, method: str | None = None, *, replicates: int = 1000, seed: int | None = None) -> pd.DataFrame:
        """Return term, estimate, std_error, df, statistic, p_value of each fixed effect; ``attrs['method']`` states the method.

        Parameters
        ----------
        method : str, optional
            satterthwaite (default of linear models), kenward_roger, cr0, cr1, cr2, cr3 (clusters: the factor with the fewest levels),
            between_within (default of generalized models), wald (normal), likelihood_ratio, parametric_bootstrap; t (exact, the
            default without random effects).
        replicates, seed : int
            For parametric_bootstrap.

        Raises
        ------
        BscError
            BSC-LMM-089, 091, 106 to 108, see ``result_methods.inference``; 090 where a likelihood ratio leaves no fixed effect.
        """
        from bscstudy.multilevel.result_frames import tests_frame

        design = self.fit.design
        frame = tests_frame(design.fixed_names, self.inference(method, replicates, seed).tests(np.eye(design.p)))
        frame.attrs["n_groups"] = self.n_groups
        return frame

    def joint_test(
        self, terms: str | Sequence[str] | np.ndarray, method: str | None = None, *, replicates: int = 1000, seed: int | None = None
    ) -> JointTest:
        """Test that all columns of some terms, or all contrasts of a matrix (m, p), are zero: F, df and p.

        Raises
        ------
        BscError
            BSC-LMM-092 for an unknown term, 093 for a matrix that does not fit, and as ``tests``.
        """
        from bscstudy.multilevel.result_methods import contrast_matrix

        return self.inference(method, replicates, seed).joint(contrast_matrix(self.fit.design, terms))

    def parametric_bootstrap(
        self, terms: str | Sequence[str] | np.ndarray | None = None, *, replicates: int = 1000, seed: int | None = None
    ) -> object:
        """Return a bootstrap likelihood-ratio test of terms (``BootstrapTest``), or refits of simulated outcomes (``BootstrapSample``).

        Parameters
        ----------
        terms : optional
            As in ``joint_test``; None for refits, whose ``intervals`` give percentile intervals.
        seed : int
            Needed (BSC-LMM-091).
        """
        from bscstudy.multilevel.refit import bootstrap

        return bootstrap(self, terms, replicates, seed)

    def profile(self, level: float = 0.95, *, restricted: bool = False) -> pd.DataFrame:
        """Return profile-likelihood intervals of standard deviations, correlations and fixed effects (linear models).

        Parameters
        ----------
        restricted : bool
            Profile the restricted likelihood: variances only.

        Raises
        ------
        BscError
            BSC-LMM-097 for generalized models.
        """
        from bscstudy.multilevel.argument_checks import check_flag
        from bscstudy.multilevel.profile_likelihood import profile_likelihood
        from bscstudy.multilevel.refit import refuse_generalized
        from bscstudy.multilevel.result_frames import profile_frame

        check_flag(restricted, "restricted")
        refuse_generalized(self, "profile-likelihood intervals")
        return profile_frame(profile_likelihood(self.fit, level=level, reml=restricted), level, restricted)

    # ---- means, contrasts, slopes ----------------------------------------------------------------------------------------------
    def marginal_means(
        self,
        over: str | Sequence[str],
        *,
        by: str | Sequence[str] = (),
        at: Mapping[str, object] | None = None,
        weights: str = "equal",
        method: str | None = None,
        level: float = 0.95,
        scale: str = "link",
        offset: float = 0.0,
    ) -> pd.DataFrame:
        """Return estimated marginal means over the combinations of variables, see ``marginal_means.means_frame``."""
        from bscstudy.multilevel.result_means import means

        return means(self, over, by, at, weights, None, method, level=level, scale=scale, offset=offset)

    def contrasts(
        self,
        over: str | Sequence[str],
        kind: str | Mapping[str, Sequence[float]] = "pairwise",
        *,
        by: str | Sequence[str] = (),
        at: Mapping[str, object] | None = None,
        weights: str = "equal",
        slope_of: str | None = None,
        method: str | None = None,
        adjustment: str = "holm",
        one_family: bool = False,
        level: float = 0.95,
        scale: str = "link",
        replicates: int = 1000,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Return contrasts of marginal means (or of slopes), see ``marginal_means.contrasts_frame``."""
        from bscstudy.multilevel.result_means import compare

        random = {"replicates": replicates, "seed": seed}
        how = {"kind": kind, "adjustment": adjustment, "one_family": one_family, "level": level, "scale": scale}
        return compare(self, over, by, at, weights, slope_of, method, random, how)

    def slopes(
        self,
        variable: str,
        over: str | Sequence[str] = (),
        *,
        at: Mapping[str, object] | None = None,
        weights: str = "equal",
        method: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return the slope of a numeric variable over the combinations of others, on the scale of the link."""
        from bscstudy.multilevel.result_means import means

        return means(self, over, (), at, weights, str(variable), method, level=level)

    # ---- groups and rows -------------------------------------------------------------------------------------------------------
    def predict(self, data: pd.DataFrame | None = None, *, random_effects: bool = True) -> pd.DataFrame:
        """Return predictions for the rows of the fit (in the order of its data) or for new rows.

        Parameters
        ----------
        data : DataFrame, optional
            New rows; grouping columns may be absent without random effects. A level that the fit does not know is predicted at the
            population level, and its row says so.
        random_effects : bool
            False: population level, with standard errors.

        Returns
        -------
        DataFrame
            Index as the data's. link, response, link_std_error, response_std_error, level (``conditional``, ``population``, or the
            factors that were unknown).
        """
        from bscstudy.multilevel.result_rows import predictions

        return predictions(self, data, random_effects)

    def conditional_modes(self) -> pd.DataFrame:
        """Return group, level, n (rows), term, mode, std_error: modes of the random effects given the outcome and the estimates.

        The standard error is conditional: it takes the fixed effects as known (as lme4's condVar), so it is not that of b - b_hat.
        """
        from bscstudy.multilevel.result_frames import modes_frame
        from bscstudy.multilevel.result_rows import modes_of

        return modes_frame(modes_of(self), self.fit.design.factors)

    def residuals(self, kind: str = "response") -> pd.Series:
        """Return residuals in the order of the data (``response``, ``pearson`` or ``standardized``), see ``predictions.residuals``."""
        from bscstudy.multilevel.result_rows import residual_series

        return residual_series(self, kind)

    # ---- variance --------------------------------------------------------------------------------------------------------------
    def variance_partition(
        self, level: float = 0.95, *, interval: str = "delta", replicates: int = 1000, seed: int | None = None
    ) -> pd.DataFrame:
        """Return the share of each level in the random variance and the intraclass correlations, with intervals.

        Parameters
        ----------
        interval : str
            ``delta`` (on the logit, from the curvature of the likelihood) or ``parametric_bootstrap`` (percentiles; needs a seed).
        """
        from bscstudy.multilevel.result_rows import partition

        return partition(self, level, interval, replicates, seed)

    @cached_property
    def r_squared(self) -> RSquared:
        """Marginal and conditional R squared (Nakagawa & Schielzeth)."""
        from bscstudy.multilevel.result_rows import link_residual
        from bscstudy.multilevel.variance_partition import r_squared

        return r_squared(self.fit, residual=link_residual(self))

    def influence(self, factor: str | None = None) -> LeaveOneOut:
        """Refit without each level of a factor (by default the one with the fewest levels), see ``influence.leave_one_out``."""
        from bscstudy.multilevel.influence import leave_one_out
        from bscstudy.multilevel.refit import refitter
        from bscstudy.multilevel.verdict import judge_fit

        return leave_one_out(self.fit, refitter(self, reml=self.restricted), judge_fit, factor)

    # ---- text ------------------------------------------------------------------------------------------------------------------
    @property
    def title(self) -> str:
        """The kind of model in words."""
        from bscstudy.multilevel.refit import title

        return title(self)

    @property
    def estimator(self) -> str:
        """How it was fitted, in words."""
        from bscstudy.multilevel.refit import estimator

        return estimator(self)

    def summary(self) -> str:
        """Return the result as plain text."""
        from bscstudy.multilevel.result_text import summary_text

        return summary_text(self)

    def to_frame(self, method: str | None = None) -> pd.DataFrame:
        """Return the fixed effects with the method and the verdict in every row; a failed fit has no rows of numbers."""
        frame = self.fixed_effects if method is None else self.tests(method)
        frame = frame.assign(method=frame.attrs["method"], verdict=self.verdict.state)
        if self.verdict.state == "failed":
            frame.loc[:, ["estimate", "std_error", "df", "statistic", "p_value"]] = np.nan
        return frame

    def to_json(self, method: str | None = None) -> str:
        """Return the result as JSON: keys sorted, 12 significant digits, missing as null."""
        from bscstudy.multilevel.refit import content
        from bscstudy.multilevel.result_text import to_json

        return to_json(content(self, method))
