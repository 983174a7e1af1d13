"""May answers of persons be averaged to a score of their center? ICC(1), ICC(2), r_wg(j) and the decision."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bscstudy.measures.intraclass import one_way_icc

#: conventional lower limits (LeBreton and Senter 2008)
LOWEST_ICC1, LOWEST_ICC2, LOWEST_R_WG = 0.05, 0.70, 0.70


@dataclass(frozen=True)
class Aggregation:
    """Agreement and clustering of one scale within centers; ``aggregate`` is yes or no, ``decision`` says why."""

    n: int
    n_centers: int
    icc1: float
    icc2: float
    r_wg_median: float
    aggregate: str
    decision: str


def r_wg(answers: np.ndarray, options: int) -> float:
    """Return the agreement r_wg(j) of one group on j parallel items, against a uniform null distribution.

    Parameters
    ----------
    answers : ndarray, n persons x j items
        Rows with a missing answer are dropped.
    options : int
        Number of answer options A; the null variance is (A^2 - 1) / 12.

    Returns
    -------
    float in [0, 1]
        0 where answers vary more than at random, as is usual; NaN with fewer than two persons.

    Notes
    -----
    Source: James, Demaree and Wolf (1984), equation 2 (one item: equation 1).
    Checked against its closed form: tests/unit/test_measures_aggregation.py.
    """
    complete = answers[~np.isnan(answers).any(axis=1)]
    n, j = complete.shape
    if n < 2 or j < 1 or options < 2:
        return math.nan
    share = float(complete.var(axis=0, ddof=1).mean()) / ((options**2 - 1) / 12)
    if share >= 1:
        return 0.0
    return j * (1 - share) / (j * (1 - share) + share)


def aggregation(scores: np.ndarray, centers: np.ndarray, keyed: np.ndarray, options: int | None) -> Aggregation:
    """Describe whether a scale's scores may be averaged within centers.

    Parameters
    ----------
    scores : ndarray, n
        Scores of persons; NaN are dropped.
    centers : ndarray of str, n
    keyed : ndarray, n x j
        The keyed answers behind the scores, for r_wg(j).
    options : int or None
        Number of answer options; None where the items do not share one answer scale: r_wg(j) is NaN then.

    Returns
    -------
    Aggregation
        Yes if the median r_wg(j) over centers with two or more complete persons is at least .70 and ICC(1) at least .05.
    """
    keep = ~np.isnan(scores)
    scores, centers, keyed = scores[keep], centers[keep].astype(str), keyed[keep]
    names, sizes = np.unique(centers, return_counts=True)
    clustering = one_way_icc(scores, centers)
    agreements = [r_wg(keyed[centers == name], options) for name in names[sizes > 1]] if options else []
    agreements = [value for value in agreements if not math.isnan(value)]
    median = float(np.median(agreements)) if agreements else math.nan
    aggregate, decision = _decide(clustering.single, clustering.average, median)
    return Aggregation(len(scores), len(names), clustering.single, clustering.average, median, aggregate, decision)


def _decide(icc1: float, icc2: float, median: float) -> tuple[str, str]:
    if math.isnan(icc1):
        return "no", "centers cannot be compared: too few persons or no variation"
    reasons = []
    if math.isnan(median):
        reasons.append("agreement within centers (r_wg) cannot be computed")
    elif median < LOWEST_R_WG:
        reasons.append(f"median r_wg below {LOWEST_R_WG:.2f}")
    if icc1 < LOWEST_ICC1:
        reasons.append(f"ICC(1) below {LOWEST_ICC1:.2f}")
    if reasons:
        return "no", "; ".join(reasons)
    noisy = "" if icc2 >= LOWEST_ICC2 else f"; ICC(2) below {LOWEST_ICC2:.2f}: single center means are imprecise"
    return "yes", f"median r_wg at least {LOWEST_R_WG:.2f} and ICC(1) at least {LOWEST_ICC1:.2f}{noisy}"
