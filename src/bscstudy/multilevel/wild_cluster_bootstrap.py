"""Wild cluster bootstrap-t of one contrast of a least-squares regression, null imposed, from sums over clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_draws, check_level, check_seed, no_seed, one_of
from bscstudy.multilevel.bootstrap_inversion import confidence_set
from bscstudy.multilevel.cluster_scores import ClusterScores, cluster_scores

WEIGHTS = {"rademacher": (-1.0, 1.0), "webb": tuple(s * np.sqrt(v / 2) for s in (-1, 1) for v in (1, 2, 3))}
#: |t*| and |t| closer than this share of either tie
_TIE = 1e-9
_ROWS_AT_ONCE = 1 << 15
TIE_RULE = "draws with |t*| >= |t| count, ties included; without ties: p_value_strict"


@dataclass(frozen=True)
class WildClusterBootstrap:
    """A wild cluster bootstrap-t test of one contrast, and the values that it does not reject.

    Attributes
    ----------
    estimate, std_error : float
        The contrast by least squares and its CR1 standard error (J(n-1) / ((J-1)(n-k)), as in Stata).
    null : float
    statistic : float
        (estimate - null) / std_error.
    df : int
        Clusters - 1, for the usual t test beside it.
    p_value : float
        Symmetric, ties counted (see ``rule``).
    p_value_strict : float
        Symmetric, ties not counted. Not valid by itself: it can be 0.
    p_equal_tail : float
        Twice the smaller tail, ties counted; under full enumeration t* is symmetric and it equals ``p_value`` (jackknife: nearly).
    smallest_p : float
        The smallest ``p_value`` that any data could give.
    n_clusters, n_draws : int
        ``n_draws`` is the number of patterns where all were enumerated.
    enumerated : bool
    weights : str
        ``rademacher`` or ``webb``.
    jackknife : bool
    level : float or None
    confidence_set : tuple of (float, float)
        Intervals that together hold every null with p > 1 - level; infinite ends are real: the data exclude nothing there.
    rule : str
        How ties count.
    """

    estimate: float
    std_error: float
    null: float
    statistic: float
    df: int
    p_value: float
    p_value_strict: float
    p_equal_tail: float
    smallest_p: float
    n_clusters: int
    n_draws: int
    enumerated: bool
    weights: str
    jackknife: bool
    level: float | None
    confidence_set: tuple[tuple[float, float], ...]
    rule: str = TIE_RULE

    @property
    def method(self) -> str:
        """The method in words."""
        how = f"all {self.n_draws}" if self.enumerated else f"{self.n_draws} random"
        return f"wild cluster bootstrap{' with jackknifed scores' * self.jackknife}, {how} {self.weights.capitalize()} patterns"


def wild_cluster_bootstrap(
    response: np.ndarray,
    fixed: np.ndarray,
    clusters: np.ndarray,
    contrast: np.ndarray,
    *,
    null: float = 0.0,
    weights: str = "rademacher",
    draws: int = 9999,
    seed: int | None = None,
    level: float | None = 0.95,
    absorb: np.ndarray | None = None,
    jackknife: bool = False,
    enumerate_up_to: int = 280_000,
) -> WildClusterBootstrap:
    """Test ``contrast @ beta = null`` by the restricted wild cluster bootstrap-t and invert the test.

    Parameters
    ----------
    response : ndarray, shape (n,)
    fixed : ndarray, shape (n, p)
        Full rank; without a constant where ``absorb`` is given.
    clusters : ndarray, shape (n,)
        Cluster of each row; rows of different clusters are independent.
    contrast : ndarray, shape (p,)
    null : float
    weights : str
        ``rademacher`` (-1, 1) or ``webb`` (six points; for fewer than about 12 clusters).
    draws : int
        Random patterns where not all are enumerated.
    seed : int
        Needed where patterns are drawn.
    level : float or None
        Of the confidence set; None leaves it out.
    absorb : ndarray, shape (n,), optional
        Groups within the clusters (such as the clusters themselves) whose own means are taken out as fixed effects.
    jackknife : bool
        Scores from fits without the cluster (WCR-S of MacKinnon, Nielsen & Webb), for unequal clusters.
    enumerate_up_to : int
        Enumerate all patterns (2^G or 6^G) up to this number: Rademacher to 18 clusters, Webb to 7.

    Returns
    -------
    WildClusterBootstrap

    Raises
    ------
    BscError
        BSC-LMM-037 arrays that do not fit; 133 missing values; 134 a contrast of 0; 135 as many columns as rows; 038 unknown weights;
        039 fewer than two clusters; 040 columns that depend on each other; 041 absorbed groups that cross clusters; 042 a jackknife
        that loses a column; 043 a contrast without variance between clusters; 047 too many patterns and no seed; 048, 083, 111 draws,
        level or seed that are none.

    Notes
    -----
    t* depends on a pattern v only through the G scores, so a draw costs G^2 and n plays no part. Where the data's own pattern is not
    among the patterns (random draws, jackknife) it is added as one more: p = (1 + count) / (1 + draws).

    Source: Cameron, Gelbach & Miller (2008), REStat 90(3); Webb (2014); Roodman, Nielsen, MacKinnon & Webb (2019), Stata Journal 19(1);
    MacKinnon, Nielsen & Webb (2023), Journal of Applied Econometrics 38(5).
    Checked against: WildBootTests.jl's published example, and loops over refits, test_multilevel_wild_cluster_bootstrap.
    """
    _check(weights, draws, level, seed)
    scores = cluster_scores(response, fixed, clusters, contrast, absorb=absorb, jackknife=jackknife)
    n_patterns = len(WEIGHTS[weights]) ** scores.n_clusters
    enumerated = n_patterns <= enumerate_up_to
    if not enumerated and seed is None:
        raise no_seed(scores.n_clusters, "clusters")
    patterns = _all_patterns(weights, scores.n_clusters) if enumerated else _random_patterns(weights, scores.n_clusters, draws, seed)
    total = n_patterns if enumerated else draws
    added = 0 if enumerated and not jackknife else 1
    polynomials = np.hstack([scores.polynomials(part) for part in patterns])
    copies = total / polynomials.shape[1]
    statistic = (scores.estimate - null) / scores.std_error
    counts = copies * _counts(polynomials, statistic, mirrored=copies == 2)
    p_value, _, above, below = (counts + added) / (total + added)
    tied = 0 if jackknife else len(WEIGHTS[weights])
    limits = () if level is None else confidence_set(polynomials, 1 - level, copies, added)
    return WildClusterBootstrap(
        estimate=scores.estimate,
        std_error=scores.std_error,
        null=float(null),
        statistic=float(statistic),
        df=scores.n_clusters - 1,
        p_value=float(p_value),
        p_value_strict=float(counts[1] / total),
        p_equal_tail=float(min(1.0, 2 * above, 2 * below)),
        smallest_p=max(tied / n_patterns, added / (total + added)),
        n_clusters=scores.n_clusters,
        n_draws=int(total),
        enumerated=enumerated,
        weights=weights,
        jackknife=jackknife,
        level=level,
        confidence_set=_in_units(limits, scores),
    )


def _in_units(limits: tuple[tuple[float, float], ...], scores: ClusterScores) -> tuple[tuple[float, float], ...]:
    """From multiples of the standard error below the estimate to values of the contrast, in ascending order."""
    return tuple(tuple(float(scores.estimate - x * scores.std_error) for x in (high, low)) for low, high in limits[::-1])


def _counts(polynomials: np.ndarray, statistic: float, *, mirrored: bool) -> np.ndarray:
    """Draws with |t*| >= |t|, |t*| > |t|, t* >= t and t* <= t; with ``mirrored`` half of the draws for t* and half for -t*."""
    numerator = polynomials[0] + statistic * polynomials[1]
    square = polynomials[2] + statistic * polynomials[3] + statistic**2 * polynomials[4]
    error = np.sqrt(np.maximum(square, 0))
    margin = _TIE * (np.abs(numerator) + np.abs(statistic) * error)
    difference = np.abs(numerator) - np.abs(statistic) * error
    signs = (1, -1) if mirrored else (1,)
    above = sum(np.sum(s * numerator - statistic * error >= -margin) for s in signs) / len(signs)
    below = sum(np.sum(s * numerator - statistic * error <= margin) for s in signs) / len(signs)
    return np.array([np.sum(difference >= -margin), np.sum(difference > margin), above, below], float)


def _all_patterns(weights: str, n_clusters: int) -> Iterator[np.ndarray]:
    """Every pattern with a positive weight on the last cluster, in parts of shape (rows, G); the others are their negatives."""
    points = np.array(WEIGHTS[weights])
    size = len(points)
    total = size**n_clusters // 2
    for start in range(0, total, _ROWS_AT_ONCE):
        number = np.arange(start, min(start + _ROWS_AT_ONCE, total)) + total
        yield points[number[:, None] // size ** np.arange(n_clusters) % size]


def _random_patterns(weights: str, n_clusters: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(seed)
    points = np.array(WEIGHTS[weights])
    for start in range(0, draws, _ROWS_AT_ONCE):
        yield points[generator.integers(len(points), size=(min(_ROWS_AT_ONCE, draws - start), n_clusters))]


def _check(weights: str, draws: int, level: float | None, seed: int | None) -> None:
    if not one_of(weights, WEIGHTS):
        raise BscError(
            "BSC-LMM-038",
            f"There are no weights {weights!r} of the wild bootstrap.",
            "weights",
            "Which patterns there are, and with few clusters the smallest p, depends on the weights.",
            "Use rademacher or webb.",
        )
    check_draws(draws, "draws")
    check_seed(seed)
    if level is not None:
        check_level(level)
