"""Which rated constructs tell centers with a good outcome from centers with a poor one, by a declared rule.

Called by the rule `rate_constructs`. The rule describes a matrix of a handful of centers. It is no test, and with one center on a side
its label rests on that center alone: `sensitive` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from bscstudy.qual.kendall import KendallTau, kendall_tau_b

STRONG, WEAK, NOT, MISSING = "strong", "weak", "not_distinguishing", "missing"
#: differences of means of whole numbers are off by less than this through rounding
ROUNDING = 1e-9


@dataclass(frozen=True)
class DistinguishingRule:
    """Difference of mean ratings from which a construct counts as distinguishing; `strong` also asks that the groups do not overlap."""

    strong: float = 2.0
    weak: float = 1.0


@dataclass(frozen=True)
class Groups:
    """Two groups of centers compared on one construct.

    Attributes
    ----------
    n_high, n_low : int
        Centers with a rating, with a good and with a poor outcome.
    mean_high, mean_low, difference : float
        Means of the ratings (-2 to 2) and high minus low; NaN where a group has no rating.
    overlap : bool
        Whether the lowest rating of the higher group lies at or below the highest of the lower group.
    label : str
        strong, weak, not_distinguishing, or missing (a group has no rating).
    """

    n_high: int
    n_low: int
    mean_high: float
    mean_low: float
    difference: float
    overlap: bool
    label: str


@dataclass(frozen=True)
class Distinguished:
    """One construct: the groups, what single centers do to them, and the rank correlation of rating and outcome over all centers.

    Attributes
    ----------
    groups : Groups
    difference_low, difference_high : float
        Range of the difference when each center in turn is left out; NaN where none leaves both groups with ratings.
    flips : tuple of str
        Centers without which the label would be another one.
    correlation : KendallTau
        Tau-b of rating and outcome over the centers that have both.
    tau_low, tau_high : float
        Its range when each center in turn is left out.
    """

    groups: Groups
    difference_low: float
    difference_high: float
    flips: tuple[str, ...]
    correlation: KendallTau
    tau_low: float
    tau_high: float


def compare_groups(high: np.ndarray, low: np.ndarray, rule: DistinguishingRule | None = None) -> Groups:
    """Apply the rule to the ratings of two groups of centers.

    Parameters
    ----------
    high, low : array of float
        Ratings (-2 to 2) of centers with a good and with a poor outcome; missing ones (NaN) do not enter.
    rule : DistinguishingRule, optional

    Notes
    -----
    A difference in either direction counts. Source of the scale and of the two labels: Damschroder and Lowery (2013), Implementation
    Science 8:51; they name no threshold, so the rule is the study's.
    Checked against all 18 rows of a published matrix (PMC4704938, Table 2): tests/unit/test_qual_distinguishing.py.
    """
    rule = rule or DistinguishingRule()
    high, low = (np.asarray(side, float) for side in (high, low))
    high, low = high[~np.isnan(high)], low[~np.isnan(low)]
    if not len(high) or not len(low):
        means = [float(side.mean()) if len(side) else nan for side in (high, low)]
        return Groups(len(high), len(low), *means, nan, False, MISSING)
    difference = float(high.mean() - low.mean())
    upper, lower = (high, low) if difference >= 0 else (low, high)
    overlap = bool(upper.min() <= lower.max())
    size = abs(difference) + ROUNDING
    label = STRONG if size >= rule.strong and not overlap else WEAK if size >= rule.weak else NOT
    return Groups(len(high), len(low), float(high.mean()), float(low.mean()), difference, overlap, label)


def distinguish(ratings: pd.Series, high: set[str], low: set[str], outcome: pd.Series, rule: DistinguishingRule) -> Distinguished:
    """Return what the ratings of one construct say of two groups of centers and of an outcome.

    Parameters
    ----------
    ratings : Series of float
        By center; NaN where there is none.
    high, low : set of str
        Centers with a good and with a poor outcome; the others are in neither group. They stay what they are when a center is left out.
    outcome : Series of float
        By center, larger is better; empty where groups were named without one.
    rule : DistinguishingRule
    """
    known = ratings.dropna()
    whole = _groups(known, high, low, rule)
    without = {center: _groups(known.drop(center), high, low, rule) for center in sorted(known.index) if center in high | low}
    differences = [part.difference for part in without.values() if part.label != MISSING]
    pairs = pd.concat([known.rename("rating"), outcome.rename("outcome")], axis=1, join="inner").dropna()
    taus = [kendall_tau(pairs.drop(center)) for center in pairs.index]
    taus = [tau for tau in taus if tau == tau]
    return Distinguished(
        whole,
        min(differences, default=nan),
        max(differences, default=nan),
        tuple(center for center, part in without.items() if part.label != whole.label),
        kendall_tau_b(pairs["rating"].to_numpy(), pairs["outcome"].to_numpy()),
        min(taus, default=nan),
        max(taus, default=nan),
    )


def kendall_tau(pairs: pd.DataFrame) -> float:
    """Return tau-b of the columns `rating` and `outcome` alone, without its distribution; NaN where not defined."""
    from scipy.stats import kendalltau

    return float(kendalltau(pairs["rating"], pairs["outcome"], method="asymptotic").statistic) if len(pairs) > 1 else nan


def _groups(ratings: pd.Series, high: set[str], low: set[str], rule: DistinguishingRule) -> Groups:
    return compare_groups(*(ratings[ratings.index.isin(side)].to_numpy() for side in (high, low)), rule)


def outcome_groups(outcome: pd.Series, groups: str = "halves") -> tuple[set[str], set[str]]:
    """Return the centers with the best and with the poorest outcome.

    Parameters
    ----------
    outcome : Series of float
        By center, larger is better; missing ones are in neither group.
    groups : {'halves', 'thirds'}
        How large a part of the centers each group is, rounded down. Centers tied across the border of a group are in neither.
    """
    known = outcome.dropna().sort_values()
    size = len(known) // {"halves": 2, "thirds": 3}[groups]
    if not size:
        return set(), set()
    high = known.index[known > known.iloc[-size - 1]]
    low = known.index[known < known.iloc[size]]
    return set(high), set(low)
