"""How far raters of constructs agree before they talk: weighted kappa and Krippendorff's ordinal alpha, construct by construct."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.measures.chance_agreement import agreement_coefficient, observed_agreement
from bscstudy.measures.chance_corrected import agreement_weights
from bscstudy.measures.krippendorff_alpha import krippendorff_alpha
from bscstudy.measures.rating_patterns import NO_RATING, RatingPatterns, cluster_draws, percentile_limits, rating_patterns
from bscstudy.qual.ratings import VALUES

ALL = "all"
SCALE = np.array([float(value) for value in VALUES])
WEIGHTED_KAPPA, ORDINAL_ALPHA = "weighted_kappa", "ordinal_alpha"


def rater_reliability(
    rows: pd.DataFrame, constructs: list[str], weights: str = "linear", seed: int = 0, draws: int = 2000, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the agreement of independent ratings for each construct, and over all (`all`).

    Parameters
    ----------
    rows : DataFrame
        As `bscstudy.qual.ratings.read_ratings` returns it; its independent ratings are used, over all waves.
    constructs : list of str
        Order of the result.
    weights : {'linear', 'quadratic'}
        Of the kappa: partial agreement by the distance of two ratings. Two raters: Cohen's; more: Conger's.
    seed, draws, confidence
        Of the bootstrap, which draws whole centers.

    Returns
    -------
    DataFrame
        `construct, coefficient, weights, n_raters, n_units` (centers and waves with two or more numbers), `n_not_numbers` (rated by
        two or more, of whom one said mixed or missing; these do not enter), `percent` (share of pairs of equal ratings), `estimate`,
        `low`, `high` (NaN where not defined).
    """
    alone = rows[rows["stage"] == "independent"]
    parts = [(name, alone[alone["construct"] == name]) for name in constructs] + [(ALL, alone)]
    found = []
    for name, part in parts:
        found += [{"construct": name, "weights": weights, **row} for row in _agreement(part, weights, seed, draws, confidence)]
    return pd.DataFrame(found)


def _agreement(part: pd.DataFrame, weights: str, seed: int, draws: int, confidence: float) -> list[dict]:
    codes, centers, n_not_numbers = _codes(part)
    patterns = rating_patterns(codes, centers)
    n_units, n_raters = len(codes), codes.shape[1]
    about = {"n_raters": n_raters, "n_units": n_units, "n_not_numbers": n_not_numbers}
    if not n_units:
        empty = {"percent": np.nan, "estimate": np.nan, "low": np.nan, "high": np.nan}
        return [{"coefficient": name, **about, **empty} for name in (WEIGHTED_KAPPA, ORDINAL_ALPHA)]
    times = cluster_draws(len(patterns.clusters), draws, seed) @ patterns.times
    percent = float(observed_agreement(patterns.codes, patterns.total, np.eye(len(SCALE))))
    results = []
    for name in (WEIGHTED_KAPPA, ORDINAL_ALPHA):
        estimate = float(_coefficient(name, patterns, patterns.total, weights))
        low, high = percentile_limits(_coefficient(name, patterns, times, weights), confidence)
        results.append({"coefficient": name, **about, "percent": percent, "estimate": estimate, "low": low, "high": high})
    return results


def _coefficient(name: str, patterns: RatingPatterns, times: np.ndarray, weights: str) -> np.ndarray:
    if name == ORDINAL_ALPHA:
        return krippendorff_alpha(patterns.codes, times, SCALE, "ordinal")
    kind = "cohen_kappa" if patterns.codes.shape[1] == 2 else "conger_kappa"
    return agreement_coefficient(kind, patterns.codes, times, agreement_weights(SCALE, weights)).estimate


def _codes(part: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the places of the ratings on the scale, units x raters, with the center of each unit, and the units left out."""
    raters = sorted(part["rater_id"].unique())
    wide = part.pivot(index=["construct", "center_id", "wave"], columns="rater_id", values="rating").reindex(columns=raters)
    place = {value: number for number, value in enumerate(VALUES)}
    codes = np.array([[place.get(value, NO_RATING) for value in row] for row in wide.to_numpy(dtype=object)], int).reshape(
        len(wide), len(raters)
    )
    several = wide.notna().sum(axis=1).to_numpy() >= 2
    numbers = (codes >= 0).sum(axis=1)
    other = several & (numbers < wide.notna().sum(axis=1).to_numpy())
    kept = numbers >= 2
    return codes[kept], wide.index.get_level_values("center_id").to_numpy()[kept], int(other.sum())
