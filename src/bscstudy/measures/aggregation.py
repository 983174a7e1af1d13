"""May answers of persons be averaged to a score of their center? ICC(1), ICC(2), r_wg(j), average deviation and the decision."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bscstudy.errors import BscError
from bscstudy.measures.intraclass import one_way_icc

#: conventional lower limits (LeBreton and Senter 2008)
LOWEST_ICC1, LOWEST_ICC2, LOWEST_R_WG = 0.05, 0.70, 0.70
#: shares of the answers, lowest first, of raters who agree on nothing but lean to the high side (James, Demaree and Wolf 1984)
SLIGHT_SKEW = ((0.05, 0.15, 0.20, 0.35, 0.25),)


@dataclass(frozen=True)
class Null:
    """What answers look like where nobody agrees: which distribution decides, and the skewed one by number of answers."""

    decides: str = "uniform"
    skewed: dict[int, tuple[float, ...]] = field(default_factory=lambda: {len(shares): shares for shares in SLIGHT_SKEW})


@dataclass(frozen=True)
class Aggregation:
    """Agreement and clustering of one scale within centers; NaN where it cannot be computed.

    Attributes
    ----------
    n, n_centers, n_judged : int
        Persons, centers, and centers with two or more complete persons, over which medians are taken.
    icc1, icc2 : float
        Share of variance between centers, and reliability of a center's mean.
    r_wg_median, r_wg_skewed_median : float
        Against a uniform and a skewed null distribution.
    n_low_agreement : int
        Centers whose r_wg, by the null that decides, is below the limit.
    ad_median, ad_limit : float
        Average deviation in points of an answer, and its limit, the number of answers divided by 6.
    n_wide : int
        Centers whose average deviation is above the limit.
    null : str
        uniform or slight_skew: the one that decides.
    aggregate, decision : str
        yes or no, and why.
    """

    n: int
    n_centers: int
    n_judged: int
    icc1: float
    icc2: float
    r_wg_median: float
    r_wg_skewed_median: float
    n_low_agreement: int
    ad_median: float
    ad_limit: float
    n_wide: int
    null: str
    aggregate: str
    decision: str


def declared_null(declared: dict | None) -> Null:
    """Return the null distributions that `aggregation` of config/measures.yaml declares.

    Raises
    ------
    BscError
        BSC-CFG-240 if the shares of a skewed distribution do not add up to 1.
    """
    declared = declared or {}
    given = [tuple(float(share) for share in shares) for shares in declared.get("skewed_shares", [])]
    wrong = [number for number, shares in enumerate(given, start=1) if abs(sum(shares) - 1) > 1e-6 or min(shares) < 0]
    if wrong:
        raise BscError(
            "BSC-CFG-240",
            "The shares of a skewed null distribution are not those of a distribution.",
            tuple(f"config/measures.yaml, aggregation, skewed_shares, list {number}" for number in wrong),
            "Agreement would be compared with a spread that no answers can have.",
            "Give one share for each answer, lowest answer first, that add up to 1.",
        )
    return Null(declared.get("null_distribution", "uniform"), Null().skewed | {len(shares): shares for shares in given})


def null_variance(options: int, shares: tuple[float, ...] | None = None) -> float:
    """Return the variance of the answers 1 to A of people who agree on nothing: (A^2 - 1) / 12, or that of the given shares."""
    if shares is None:
        return (options**2 - 1) / 12
    answers = np.arange(1, options + 1)
    return float(answers**2 @ np.array(shares) - (answers @ np.array(shares)) ** 2)


def r_wg(answers: np.ndarray, options: int, shares: tuple[float, ...] | None = None) -> float:
    """Return the agreement r_wg(j) of one group on j parallel items, against a null distribution of the answers.

    Parameters
    ----------
    answers : ndarray, n persons x j items
        Rows with a missing answer are dropped.
    options : int
        Number of answer options A.
    shares : tuple of float, optional
        Share of each option under the null, lowest first; uniform if None.

    Returns
    -------
    float in [0, 1]
        0 where answers vary more than under the null, as is usual; NaN with fewer than two persons.

    Notes
    -----
    Source: James, Demaree and Wolf (1984), equation 2 (one item: equation 1).
    Checked against its closed form and R multilevel 2.7 (rwg.j): tests/unit/test_measures_aggregation.py.
    """
    complete = answers[~np.isnan(answers).any(axis=1)]
    n, j = complete.shape
    if n < 2 or j < 1 or options < 2:
        return math.nan
    share = float(complete.var(axis=0, ddof=1).mean()) / null_variance(options, shares)
    if share >= 1:
        return 0.0
    return j * (1 - share) / (j * (1 - share) + share)


def average_deviation(answers: np.ndarray) -> float:
    """Return the average deviation AD(j) of one group: mean over items of the mean distance of answers from their mean.

    Parameters
    ----------
    answers : ndarray, n persons x j items
        Rows with a missing answer are dropped.

    Returns
    -------
    float
        Points of an answer, 0 for complete agreement; NaN with fewer than two persons.

    Notes
    -----
    Source: Burke, Finkelstein and Dusig (1999); limit of A / 6 for A options: Burke and Dunlap (2002).
    Checked against R multilevel 2.7 (ad.m): tests/unit/test_measures_aggregation.py.
    """
    complete = answers[~np.isnan(answers).any(axis=1)]
    if len(complete) < 2 or not complete.shape[1]:
        return math.nan
    return float(np.abs(complete - complete.mean(axis=0)).mean())


def aggregation(scores: np.ndarray, centers: np.ndarray, keyed: np.ndarray, options: int | None, null: Null | None = None) -> Aggregation:
    """Describe whether a scale's scores may be averaged within centers.

    Parameters
    ----------
    scores : ndarray, n
        Scores of persons; NaN are dropped.
    centers : ndarray of str, n
    keyed : ndarray, n x j
        The keyed answers behind the scores, for r_wg(j) and the average deviation.
    options : int or None
        Number of answer options; None where the items do not share one answer scale: both are NaN then.
    null : Null, optional
        Uniform decides if None.

    Returns
    -------
    Aggregation
        Yes if the median r_wg(j) over centers with two or more complete persons is at least .70 and ICC(1) at least .05.
    """
    null = null or Null()
    keep = ~np.isnan(scores)
    scores, centers, keyed = scores[keep], centers[keep].astype(str), keyed[keep]
    names = np.unique(centers)
    clustering = one_way_icc(scores, centers)
    groups = [keyed[centers == name] for name in names] if options else []
    uniform = _known(r_wg(group, options) for group in groups)
    shares = null.skewed.get(options or 0)
    skewed = _known(r_wg(group, options, shares) for group in groups) if shares else np.zeros(0)
    wide, limit = _known(average_deviation(group) for group in groups), options / 6 if options else math.nan
    deciding = skewed if null.decides == "slight_skew" else uniform
    aggregate, decision = _decide(clustering.single, clustering.average, _median(deciding))
    return Aggregation(
        n=len(scores),
        n_centers=len(names),
        n_judged=len(uniform),
        icc1=clustering.single,
        icc2=clustering.average,
        r_wg_median=_median(uniform),
        r_wg_skewed_median=_median(skewed),
        n_low_agreement=int((deciding < LOWEST_R_WG).sum()),
        ad_median=_median(wide),
        ad_limit=limit,
        n_wide=int((wide > limit).sum()),
        null=null.decides,
        aggregate=aggregate,
        decision=decision,
    )


def _known(values) -> np.ndarray:
    found = np.array(list(values), float)
    return found[~np.isnan(found)]


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else math.nan


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
