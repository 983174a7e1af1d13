"""Shares of units that raised a theme, among those asked, and the net direction of what they said.

Called by the rules `code_themes` and `merge_strands`. Frequencies of codings mostly measure talkativeness; everything here
counts units (sessions or persons), each once.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bscstudy.qual.columns import COUNTS
from bscstudy.qual.presence import collapse_waves

COUNT_COLUMNS = [column.name for column in COUNTS]


@dataclass(frozen=True)
class Share:
    """A share (0 to 1) among `n_asked` units with its interval; all three are nan where nobody was asked."""

    n_present: int
    n_asked: int
    share: float
    low: float
    high: float


def share_among_asked(n_present: int, n_asked: int, confidence: float = 0.95) -> Share:
    """Return a share with its Jeffreys interval.

    Parameters
    ----------
    n_present, n_asked : int
        0 <= n_present <= n_asked. With n_asked = 0 the share and its limits are nan: not asked is never zero.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the counts are impossible.

    Source: Brown, Cai and DasGupta 2001, Statistical Science 16(2), section 3.1.2: quantiles of
    Beta(x + 1/2, n - x + 1/2); the lower limit is 0 at x = 0 and the upper limit is 1 at x = n.
    Checked against: statsmodels 0.15.0 proportion_confint(method="jeffreys") in tests/unit/test_qual_shares.py.
    Not for: units that are not independent (several sessions of one center); the interval is then too narrow.
    """
    from scipy.special import betaincinv

    if not 0 <= n_present <= n_asked:
        raise ValueError(f"{n_present} present of {n_asked} asked is impossible")
    if n_asked == 0:
        return Share(0, 0, float("nan"), float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    a, b = n_present + 0.5, n_asked - n_present + 0.5
    low = 0.0 if n_present == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if n_present == n_asked else float(betaincinv(a, b, 1 - tail))
    return Share(n_present, n_asked, n_present / n_asked, low, high)


def net_direction(n_facilitator: int, n_barrier: int) -> float:
    """Return (facilitator - barrier) / (facilitator + barrier), from -1 to 1; nan where there is neither."""
    total = n_facilitator + n_barrier
    return float("nan") if total == 0 else (n_facilitator - n_barrier) / total


def count_units(presence: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return shares and directions for each group of units of one kind.

    Parameters
    ----------
    presence : DataFrame
        Rows of qual/presence.csv, one for each unit and theme within a group.
    by : list of str
        Columns that name a group. Rows with a blank in them form no group.

    Returns
    -------
    DataFrame
        `by` and: `n_asked` (asked and coded), `n_present` of these, `share` with `low` and `high`; `n_facilitator` and
        `n_barrier` (asked units with at least one such coding; a unit may count in both), `net_direction`; `n_unprompted` (units
        that raised it without being asked, not in the share); `n_not_coded` (asked, but not coded yet; not in the share).
    """
    rows = []
    for names, group in presence.groupby(by, sort=True):
        asked = group[(group["asked"] == 1) & group["present"].notna()]
        counted = share_among_asked(int((asked["present"] == 1).sum()), len(asked))
        facilitator, barrier = int((asked["n_facilitator"] > 0).sum()), int((asked["n_barrier"] > 0).sum())
        values = {
            "n_asked": counted.n_asked,
            "n_present": counted.n_present,
            "share": counted.share,
            "low": counted.low,
            "high": counted.high,
            "n_facilitator": facilitator,
            "n_barrier": barrier,
            "net_direction": net_direction(facilitator, barrier),
            "n_unprompted": int(((group["asked"] == 0) & (group["present"] == 1)).sum()),
            "n_not_coded": int(((group["asked"] == 1) & group["present"].isna()).sum()),
        }
        rows.append(dict(zip(by, names, strict=True)) | values)
    return pd.DataFrame(rows, columns=[*by, *COUNT_COLUMNS])


def theme_by_center(presence: pd.DataFrame) -> pd.DataFrame:
    """Return theme x center x wave (and wave `all`), counted in sessions only.

    Persons and roles never enter: a center has one director, whose answers a share by role or person would show.
    """
    sessions = presence[presence["unit"] == "session"]
    both = pd.concat([sessions, collapse_waves(sessions)], ignore_index=True)
    return count_units(both, ["theme", "center_id", "wave"])


def theme_summary(presence: pd.DataFrame) -> pd.DataFrame:
    """Return theme x wave x role (each also `all`) x unit over all centers; sessions and persons are never added up."""
    both = pd.concat([presence, collapse_waves(presence)], ignore_index=True)
    everyone = pd.concat([both, both.assign(role="all")], ignore_index=True)
    by = ["theme", "wave", "role", "unit"]
    counts = count_units(everyone, by)
    asked = everyone[(everyone["asked"] == 1) & everyone["present"].notna()]
    centers = asked.groupby(by)["center_id"].nunique().rename("n_centers").reset_index()
    merged = counts.merge(centers, on=by, how="left").merge(centers_that_raised(everyone, by), on=by, how="left")
    merged["n_centers"] = merged["n_centers"].fillna(0).astype(int)
    merged["n_centers_raised"] = merged["n_centers_raised"].fillna(0).astype(int)
    return merged


def centers_that_raised(presence: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return `by` and `n_centers_raised`: in how many centers an asked and coded unit of the group raised the theme."""
    raised = presence[(presence["asked"] == 1) & (presence["present"] == 1)]
    return raised.groupby(by)["center_id"].nunique().rename("n_centers_raised").reset_index()
