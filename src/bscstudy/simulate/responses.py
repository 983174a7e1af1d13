"""From a latent value to the code on the form, and from the same rule to the score that is expected."""

from __future__ import annotations

import numpy as np


def draw_codes(level: np.ndarray, shift: float, sd_item: float, cutpoints: list[float], random: np.random.Generator) -> np.ndarray:
    """Return codes 1 to len(cutpoints) + 1 of one item, one for each latent level."""
    value = level + shift + sd_item * random.standard_normal(len(level))
    return 1 + np.searchsorted(np.asarray(cutpoints, dtype=float), value)


def expected_code(mean: float, sd_total: float, cutpoints: list[float]) -> float:
    """Return the mean code of an item whose latent value is normal.

    A code is one plus the number of cutpoints passed, so its mean is one plus the sum of the probabilities of passing each.
    """
    from scipy.stats import norm

    return float(1 + norm.cdf((mean - np.asarray(cutpoints, dtype=float)) / sd_total).sum())


def reverse(codes: np.ndarray, answers: int) -> np.ndarray:
    """Return what a person marks on an item that is worded the other way round."""
    return answers + 1 - codes
