"""The share of a theme as a predictor measured with error, in a multilevel model of people in centers.

Called by the rule `link_themes`. The shares are calibrated first (`bscstudy.integrate.share_error`); the interval comes from leaving out
each center in turn and doing all of it again, so that it holds the error of the calibration too. One predictor of centers at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.integrate.rank_links import NAN
from bscstudy.integrate.share_error import LEAST_RELIABILITY, calibrate_shares

#: m - l - 1 degrees of freedom, of m centers and l = 1 predictor of centers, below which no slope is given (7 centers have 5)
LEAST_DF = 5
#: slopes are for ten percentage points of the share
POINTS = 10.0


@dataclass(frozen=True)
class ShareSlope:
    """Slope of an outcome for ten percentage points of a theme's share.

    Attributes
    ----------
    naive, naive_std_error : float
        With the shares as observed, as if they had no error; nan where the model could not be fitted.
    slope, std_error, low, high, p_value : float
        With calibrated shares; standard error by leaving out each center in turn, t with ``df`` degrees of freedom.
    df : float
        Centers minus 2.
    reliability : float
        See `bscstudy.integrate.share_error.CalibratedShares`.
    n, n_centers : int
        Rows and centers of the model.
    reason : str
        Why there is no corrected slope; blank where there is one.
    """

    naive: float
    naive_std_error: float
    slope: float
    std_error: float
    low: float
    high: float
    p_value: float
    df: float
    reliability: float
    n: int
    n_centers: int
    reason: str


def share_slope(rows: pd.DataFrame, counts: pd.DataFrame, *, change: bool, confidence: float = 0.95) -> ShareSlope:
    """Return the slope of a score on the share of a theme in the person's center, corrected for the error of the share.

    Parameters
    ----------
    rows : DataFrame
        `center_id`, `person_id`, `wave`, `score`, and for a change `later` (0 at the first wave, 1 at the second). Missing scores
        and, for a change, rows without a person are left out.
    counts : DataFrame
        Index `center_id`; `n_present` of `n_asked` sessions. Centers in which nobody was asked are left out.
    change : bool
        Whether the slope is that of the change between two waves, else that of the level.
    confidence : float
        Between 0 and 1.

    Source: regression calibration, Carroll et al. 2006, chapter 4; m - l - 1 degrees of freedom, Elff, Heisig, Schaeffer and Shikano 2020,
    British Journal of Political Science 51; delete-one-center jackknife, Efron and Tibshirani 1993, chapter 11.
    Checked against: simulation with a known slope, tests/unit/test_integrate_share_error.py; docs/adr/0020-theme-links.md.
    """
    known = rows.dropna(subset=["score", "center_id", *(["person_id"] if change else [])])
    counts = counts[counts["n_asked"] > 0].sort_index()
    known = known[known["center_id"].isin(counts.index)]
    counts = counts[counts.index.isin(known["center_id"])]
    centers, df = len(counts), float(len(counts) - 2)
    blank = {"n": len(known), "n_centers": centers, "df": df}
    if df < LEAST_DF:
        return _refused(f"{centers} centers leave {max(int(df), 0)} degrees of freedom, fewer than {LEAST_DF}", **blank)
    try:
        return _estimated(known, counts, change, confidence, blank)
    except BscError as fault:
        why = fault.what[:1].lower() + fault.what[1:].rstrip(".")
        return _refused(f"the multilevel model could not be fitted: {why}", **blank)


def _estimated(known: pd.DataFrame, counts: pd.DataFrame, change: bool, confidence: float, blank: dict) -> ShareSlope:
    from scipy.special import stdtr, stdtrit

    share = counts["n_present"] / counts["n_asked"]
    if np.ptp(share) == 0:
        return _refused("the share of the theme is the same in all centers", **blank)
    naive, naive_error = _fitted(known, share, change)
    if np.isnan(naive):
        return _refused("the verdict on the multilevel model forbids its numbers", **blank)
    calibrated = calibrate_shares(counts["n_present"].to_numpy(), counts["n_asked"].to_numpy())
    blank |= {"naive": naive, "naive_std_error": naive_error, "reliability": calibrated.reliability}
    if not calibrated.reliability >= LEAST_RELIABILITY:
        return _refused("the shares differ between centers hardly more than the few sessions would make them by chance", **blank)
    slope = _calibrated_slope(known, counts, change)
    each = np.array([_calibrated_slope(known, counts.drop(index=center), change) for center in counts.index])
    if np.isnan([slope, *each]).any():
        return _refused("without one of the centers the correction or the model breaks down, so that the slope would rest on it", **blank)
    centers, df = len(counts), blank["df"]
    error = float(np.sqrt((centers - 1) / centers * np.sum((each - each.mean()) ** 2)))
    half = float(stdtrit(df, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(df, -abs(slope) / error))
    interval = {"low": slope - half, "high": slope + half, "p_value": p}
    return ShareSlope(**{**blank, "slope": slope, "std_error": error, **interval, "reason": ""})


def _refused(reason: str, **known: object) -> ShareSlope:
    names = ("naive", "naive_std_error", "slope", "std_error", "low", "high", "p_value", "df", "reliability")
    return ShareSlope(**{**dict.fromkeys(names, NAN), **known, "reason": reason})


def _calibrated_slope(known: pd.DataFrame, counts: pd.DataFrame, change: bool) -> float:
    calibrated = calibrate_shares(counts["n_present"].to_numpy(), counts["n_asked"].to_numpy())
    if not calibrated.reliability > 0 or np.ptp(calibrated.shares) == 0:
        return NAN
    return _fitted(known[known["center_id"].isin(counts.index)], pd.Series(calibrated.shares, index=counts.index), change)[0]


def _fitted(known: pd.DataFrame, share: pd.Series, change: bool) -> tuple[float, float]:
    """Return the slope for ten percentage points of the share and its standard error, of one fit; nan if its verdict forbids numbers."""
    from bscstudy.multilevel import fit_mixed_model

    data = known.assign(share=known["center_id"].map(share) * 100 / POINTS)
    result = fit_mixed_model(slope_formula(data, change), data)
    if not result.verdict.estimated:
        return NAN, NAN
    found = result.tests("wald").set_index("term").loc["later:share" if change else "share"]
    return float(found["estimate"]), float(found["std_error"])


def slope_formula(data: pd.DataFrame, change: bool) -> str:
    """Return the model's formula: as many levels as the rows can tell apart."""
    per_center = data.groupby(["center_id", "wave"]).size().max()
    if not change:
        return "score ~ share + (1 | center_id)" if per_center > 1 else "score ~ share"
    if per_center == 1:
        return "score ~ later * share + (1 | center_id)"
    return "score ~ later * share + (1 | center_id/person_id) + (1 | center_id:wave)"
