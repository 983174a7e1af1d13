"""What a generalized mixed model refuses: no groups, no likelihood, and estimates that run away to infinity."""

from __future__ import annotations

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.laplace import Optimum

#: a fixed part this far out on the link, known no better than to this standard error, has no finite optimum
RUNAWAY_PREDICTOR = 10.0
RUNAWAY_ERROR = 50.0
RUNAWAY_DEVIATION = 50.0


def refuse_no_groups(design: Design) -> None:
    """Refuse a model without grouping factor (BSC-LMM-052)."""
    if design.factors:
        return
    raise BscError(
        "BSC-LMM-052",
        "The generalized model has no random part.",
        "formula of the model",
        "Rows of one group are alike; without a grouping factor they would count as independent.",
        "Add a grouping factor, such as (1 | center).",
    )


def refuse_no_start(design: Design, optimum: Optimum) -> None:
    """Refuse a likelihood that is not finite where the search starts (BSC-LMM-055)."""
    if np.isfinite(optimum.log_likelihood):
        return
    raise BscError(
        "BSC-LMM-055",
        "The likelihood has no finite value at any parameters that were tried.",
        f"column {design.response_name}",
        "Nothing can be estimated from it.",
        "Look for outcomes or offsets that are out of all proportion to the rest.",
    )


def refuse_runaway(design: Design, layout: CovarianceLayout, optimum: Optimum, covariance: np.ndarray) -> None:
    """Refuse fixed effects (BSC-LMM-053) and random standard deviations (BSC-LMM-054) that have no finite optimum.

    Separation is judged by its trace: a fixed part beyond 10 on the scale of the link whose standard error is beyond 50 or not defined.
    """
    _refuse_separation(design, optimum, covariance)
    wide = []
    for number, factor in enumerate(design.factors):
        lower = layout.factor_matrix(optimum.theta, number)
        spread = np.sqrt(np.sum(lower**2, axis=1) * np.mean(factor.columns**2, axis=0))
        wide += [f"{name} by {factor.name}" for name, s in zip(factor.effect_names, spread, strict=True) if s > RUNAWAY_DEVIATION]
    if wide:
        raise BscError(
            "BSC-LMM-054",
            "A standard deviation between groups runs away to infinity.",
            tuple(wide),
            "Each group has one and the same outcome throughout, so that no finite difference between groups is large enough.",
            "Leave this random part out and report the outcome by group.",
        )


def _refuse_separation(design: Design, optimum: Optimum, covariance: np.ndarray) -> None:
    if not design.p:
        return
    centred = design.fixed - design.fixed.mean(axis=0)
    varying = np.any(np.abs(centred) > 1e-12, axis=0)
    centred[:, ~varying] = design.fixed[:, ~varying]
    predictor = design.fixed @ optimum.beta
    variance = np.einsum("ij,jk,ik->i", design.fixed, covariance, design.fixed)
    unknown = not np.all(np.isfinite(variance)) or np.any(variance < 0) or np.any(np.diag(covariance) <= 0)
    if np.abs(predictor).max() <= RUNAWAY_PREDICTOR or not (unknown or variance.max() > RUNAWAY_ERROR**2):
        return
    reach = np.abs(optimum.beta) * np.abs(centred).max(axis=0)
    named = tuple(f"column {name}" for name, r in zip(design.fixed_names, reach, strict=True) if r > RUNAWAY_PREDICTOR / 2)
    raise BscError(
        "BSC-LMM-053",
        "A fixed effect runs away to infinity (separation).",
        named or ("fixed part of the model",),
        "Some combination of the predictors foretells the outcome without exception, so that no finite estimate is the best one.",
        "Join levels in which every outcome is the same with their neighbours, or leave the predictor out and report those cells.",
    )
