"""Adjustment of p-values for several questions asked of one family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import one_of

ADJUSTMENTS = ("holm", "benjamini_hochberg", "none")
WORDS = {"holm": "Holm", "benjamini_hochberg": "Benjamini-Hochberg", "none": "no adjustment"}


def adjust(p_values: Sequence[float], method: str = "holm", family: Sequence[object] | None = None) -> np.ndarray:
    """Return adjusted p-values in the order given.

    Parameters
    ----------
    p_values : sequence of float, length m
        0 to 1. A missing p stays missing and does not count as a question of its family.
    method : str
        ``holm`` (family-wise error), ``benjamini_hochberg`` (false discovery rate) or ``none``.
    family : sequence, length m, optional
        The declared family of each p-value; each family is adjusted by itself. None: all are one family.

    Returns
    -------
    ndarray, shape (m,)
        Equal p-values of one family have equal adjusted values; the order of the rows does not matter.

    Raises
    ------
    BscError
        BSC-LMM-080 for an unknown method, BSC-LMM-081 for p outside 0 to 1, BSC-LMM-136 for families not as many as p.

    Notes
    -----
    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70; Benjamini & Hochberg (1995), Journal of the Royal Statistical
    Society B 57, 289-300, in the step-up form of their equation 1.
    Checked against: statsmodels multipletests, test_multilevel_multiplicity.
    """
    if not one_of(method, ADJUSTMENTS):
        raise BscError(
            "BSC-LMM-080",
            f"There is no adjustment '{method}'.",
            "adjustment",
            "How the p-values of a family are adjusted has to be known before they are read.",
            f"Use one of {', '.join(ADJUSTMENTS)}. {nearest(str(method), list(ADJUSTMENTS))}".rstrip(),
        )
    p = np.asarray(p_values, dtype=float)
    labels = np.zeros(len(p), dtype=int) if family is None else _numbered(family)
    if len(labels) != len(p):
        raise BscError(
            "BSC-LMM-136",
            f"Families and p-values are not equally many: {len(labels)} and {len(p)}.",
            "family",
            "Which questions are adjusted together cannot be told.",
            "Give one family for each p-value, in the same order.",
        )
    if np.any((p < 0) | (p > 1)):
        raise BscError(
            "BSC-LMM-081",
            "P-values to be adjusted lie outside 0 to 1.",
            "p-values",
            "An adjusted p-value would be meaningless.",
            "Give p-values between 0 and 1, or missing ones.",
        )
    adjusted = np.full(len(p), np.nan)
    step = {"holm": _holm, "benjamini_hochberg": _benjamini_hochberg, "none": np.copy}[method]
    for label in np.unique(labels):
        known = np.flatnonzero((labels == label) & ~np.isnan(p))
        adjusted[known] = step(p[known])
    return adjusted


def _numbered(family: Sequence[object]) -> np.ndarray:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in family], dtype=int)


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def _benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    order = np.argsort(-p, kind="stable")
    adjusted = np.empty(len(p))
    ratio = len(p) / np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(p[order] * ratio), 1.0)
    return adjusted
