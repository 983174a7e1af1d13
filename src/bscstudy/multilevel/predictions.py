"""Fitted values, predictions for new rows, conditional modes and residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import one_of
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.families import Family, mean_response, response_variance
from bscstudy.multilevel.marginal_means import link_slope
from bscstudy.multilevel.solve import ConditionalModes

RESIDUALS = ("response", "pearson", "standardized")


@dataclass(frozen=True)
class NewRows:
    """Rows to predict for.

    Attributes
    ----------
    fixed : ndarray, shape (m, p)
    offset : ndarray, shape (m,)
    trials : ndarray, shape (m,)
        Ones where the family has none.
    codes : tuple of ndarray of int64, each of shape (m,)
        Level of each factor of the fit; -1 for a level that the fit does not know.
    columns : tuple of ndarray, each of shape (m, k)
        Random columns of each factor.
    """

    fixed: np.ndarray
    offset: np.ndarray
    trials: np.ndarray
    codes: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Predictions:
    """Predictions, one a row.

    Attributes
    ----------
    link : ndarray, shape (m,)
        On the scale of the link, offset included.
    response : ndarray, shape (m,)
        Expected outcome: a value, a count, a probability (not a number of successes), or the expected category 0 to K - 1.
    link_std_error, response_std_error : ndarray, shape (m,)
        For predictions at the population level, from the covariance of the fixed effects; missing for conditional ones and, on the
        response, for ordered categories.
    unknown : tuple of ndarray of bool, each of shape (m,)
        Rows whose level of a factor the fit does not know: that factor's random effects are taken as 0, the population's value.
    """

    link: np.ndarray
    response: np.ndarray
    link_std_error: np.ndarray
    response_std_error: np.ndarray
    unknown: tuple[np.ndarray, ...]


def rows_of(design: Design) -> NewRows:
    """Return the rows of the fit itself."""
    trials = np.ones(design.n) if design.trials is None else design.trials
    return NewRows(design.fixed, design.offset, trials, tuple(f.codes for f in design.factors), tuple(f.columns for f in design.factors))


def random_part(rows: NewRows, modes: tuple[ConditionalModes, ...]) -> np.ndarray:
    """Return Z b, shape (m,); 0 where a level is unknown."""
    total = np.zeros(len(rows.fixed))
    for codes, columns, factor in zip(rows.codes, rows.columns, modes, strict=True):
        known = codes >= 0
        total[known] += np.sum(columns[known] * factor.modes[codes[known]], axis=1)
    return total


def predict(fit: object, family: Family, rows: NewRows, modes: tuple[ConditionalModes, ...] | None, extra: np.ndarray = ()) -> Predictions:
    """Return predictions, conditional on the modes or (None) at the population level.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
    rows : NewRows
    modes : tuple of ConditionalModes, or None
        At the population level random effects are 0: for a nonlinear link the outcome of a typical group, not the mean over groups.
    extra : ndarray
        Extra parameters of the family (thresholds and the like).

    Notes
    -----
    Checked against: lme4 1.1-31 predict, test_multilevel_predictions.
    """
    p = rows.fixed.shape[1]
    link = rows.fixed @ fit.beta[:p] + rows.offset
    unknown = tuple(codes < 0 for codes in rows.codes)
    if modes is not None and rows.codes:
        link = link + random_part(rows, modes)
        missing = np.full(len(link), np.nan)
        return Predictions(link, mean_response(family, link, extra), missing, missing, unknown)
    error = np.sqrt(np.einsum("ij,jk,ik->i", rows.fixed, fit.covariance[:p, :p], rows.fixed))
    on_response = np.full(len(link), np.nan) if family.is_ordinal else error * link_slope(family, link)
    return Predictions(link, mean_response(family, link, extra), error, on_response, unknown)


def residuals(
    fit: object, family: Family, kind: str, modes: tuple[ConditionalModes, ...], extra: np.ndarray = (), sigma: float = 1.0
) -> np.ndarray:
    """Return residuals from the conditional fitted values, in the design's order, shape (n,).

    Parameters
    ----------
    kind : str
        ``response``: observed minus expected (for numbers of successes the proportion); ``pearson``: times the root of the prior
        weight, over the root of the family's variance; ``standardized``: Pearson over the residual standard deviation.
    sigma : float
        Residual standard deviation; 1 for families without one.

    Raises
    ------
    BscError
        BSC-LMM-096 for an unknown kind.

    Notes
    -----
    For ordered categories the category number stands for the outcome. Checked against: lme4 1.1-31 residuals,
    test_multilevel_predictions.
    """
    if not one_of(kind, RESIDUALS):
        raise BscError(
            "BSC-LMM-096",
            f"There are no residuals of kind '{kind if isinstance(kind, str) else type(kind).__name__}'.",
            "kind",
            "Residuals of different kinds have different units.",
            f"Use one of {', '.join(RESIDUALS)}.",
        )
    design = fit.design
    rows = rows_of(design)
    link = rows.fixed @ fit.beta[: design.p] + rows.offset + random_part(rows, modes)
    expected = mean_response(family, link, extra)
    observed = design.response / rows.trials
    if kind == "response":
        return observed - expected
    variance = response_variance(family, link, extra, rows.trials) / rows.trials**2
    pearson = np.sqrt(design.weights) * (observed - expected) / np.sqrt(variance)
    return pearson if kind == "pearson" else pearson / sigma
