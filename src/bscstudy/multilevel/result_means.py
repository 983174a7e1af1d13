"""Marginal means, contrasts and slopes of a result."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_flag, check_names, one_of
from bscstudy.multilevel.marginal_means import MeansRequest, contrasts_frame, means_frame
from bscstudy.multilevel.new_rows import fixed_part

WITHOUT_INTERVALS = ("likelihood_ratio", "parametric_bootstrap")


def means(result: object, over: object, by: object, at: object, weights: str, slope_of: str | None, method: str | None, **how: object):
    """Return marginal means or slopes with intervals.

    Raises
    ------
    BscError
        BSC-LMM-099 for a method that gives tests but no intervals.
    """
    if one_of(method, WITHOUT_INTERVALS):
        raise BscError(
            "BSC-LMM-099",
            f"Means have no intervals by {method}.",
            "method",
            "The method compares models; it gives a p-value for a contrast, but no standard error for a mean.",
            "Use satterthwaite, kenward_roger, cr2, between_within or wald for means; contrasts take this method.",
        )
    request = MeansRequest(check_names(over, "over"), check_names(by, "by"), at, weights, slope_of)
    return _told(means_frame(fixed_part(result.fit.design), request, result.inference(method), family=result.family, **how), result)


def compare(
    result: object, over: object, by: object, at: object, weights: str, slope_of: str | None, method: str | None, random: dict, how: dict
) -> pd.DataFrame:
    """Return contrasts of marginal means or slopes."""
    check_flag(how["one_family"], "one_family")
    request = MeansRequest(check_names(over, "over"), check_names(by, "by"), at, weights, slope_of)
    inference = result.inference(method, **random)
    with_limits = not one_of(method, WITHOUT_INTERVALS)
    return _told(
        contrasts_frame(fixed_part(result.fit.design), request, inference, family=result.family, with_limits=with_limits, **how), result
    )


def _told(frame: pd.DataFrame, result: object) -> pd.DataFrame:
    frame.attrs["verdict"] = result.verdict.state
    frame.attrs["n_groups"] = result.n_groups
    return frame
