"""Fitting a multilevel model from a formula and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bscstudy.multilevel.argument_checks import check_flag
from bscstudy.multilevel.families import family_named
from bscstudy.multilevel.model_frame import build_design
from bscstudy.multilevel.quadrature import refuse_points
from bscstudy.multilevel.result import MixedModelResult

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def fit_mixed_model(
    formula: str,
    data: pd.DataFrame,
    *,
    family: str = "gaussian",
    link: str | None = None,
    reml: bool = True,
    weights: str | np.ndarray | None = None,
    offset: str | np.ndarray | None = None,
    quadrature_points: int = 1,
) -> MixedModelResult:
    """Fit a linear, generalized or ordinal mixed model.

    Parameters
    ----------
    formula : str
        In the grammar of R's lme4, such as ``score ~ wave * arm + (1 + wave | center/person)``. Without random terms an ordinary
        regression is fitted (gaussian only).
    data : DataFrame
        One row for each observation. Rows with a missing value in a variable of the model are left out and counted.
    family : str
        gaussian, binomial, poisson, negative_binomial, beta_binomial, cumulative.
    link : str, optional
        The family's usual link where not given.
    reml : bool
        Restricted maximum likelihood. Only gaussian models have it; all others are fitted by maximum likelihood, and say so.
    weights, offset : str or ndarray, optional
        A column of the data or one value a row. Weights are inverse relative variances.
    quadrature_points : int
        1 is the Laplace approximation; more for adaptive Gauss-Hermite quadrature, with one scalar factor.

    Returns
    -------
    MixedModelResult

    Raises
    ------
    BscError
        What the data or the formula cannot carry is refused with its reason (codes BSC-LMM).

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1).
    Checked against: lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, ordinal 2022.11-16, tests under tests/unit/multilevel.
    """
    check_flag(reml, "reml")
    refuse_points(quadrature_points)
    named = family_named(family, link)
    design = build_design(formula, data, family=family, weights=weights, offset=offset)
    if family == "gaussian":
        from bscstudy.multilevel.linear import fit_linear

        return MixedModelResult(str(formula), named, fit_linear(design, reml=bool(reml)))
    from bscstudy.multilevel.generalized import fit_generalized

    fit = fit_generalized(design, family, link=link, quadrature_points=quadrature_points)
    return MixedModelResult(str(formula), fit.family, fit, fit.quadrature_points)
