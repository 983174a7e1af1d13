"""Agreement of raters who observed the same visit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from bscstudy.measures.chance_corrected import UNDEFINED, WEIGHTS, Coefficient, agreement_weights, cohen_kappa, pooled_coefficients
from bscstudy.measures.intraclass import Intraclass, crossed_icc, one_way_icc

#: a scale with more points is no set of categories
MOST_POINTS = 20


@dataclass(frozen=True)
class Agreement:
    """Agreement on one item: shares of pairs, coefficients corrected for chance, and which ones they are; NaN where undefined.

    Attributes
    ----------
    n_pairs : int
        Pairs of answers of two raters to the same visit (and segment).
    n_units : int
        Double-coded visits behind ``kappa`` or ``icc``.
    n_visits : int
        Visits in which anybody answered the item.
    share_double_coded : float
        n_units / n_visits.
    exact, adjacent : float
        Shares of the pairs that are equal, and that differ by at most 1 (ratings only).
    kappa, kappa_linear, kappa_quadratic, ac1 : float
        With `kappa_low`, `kappa_high`, `ac1_low`, `ac1_high`: 95 % intervals, in which segments of a visit are not independent. The
        weighted kappas are for ratings only.
    icc, icc_low, icc_high, icc_average : float
        Of one rater's visit mean and of the mean over raters (ratings only).
    statistic : str
        Which coefficient it is, or why there is none.
    """

    n_pairs: int = 0
    n_units: int = 0
    n_visits: int = 0
    share_double_coded: float = math.nan
    exact: float = math.nan
    adjacent: float = math.nan
    kappa: float = math.nan
    kappa_low: float = math.nan
    kappa_high: float = math.nan
    kappa_linear: float = math.nan
    kappa_quadratic: float = math.nan
    ac1: float = math.nan
    ac1_low: float = math.nan
    ac1_high: float = math.nan
    icc: float = math.nan
    icc_low: float = math.nan
    icc_high: float = math.nan
    icc_average: float = math.nan
    statistic: str = "no visit was coded by two raters"


def indicator_agreement(rows: pd.DataFrame, item: str) -> Agreement:
    """Return agreement on a yes / no indicator; pairs without a yes or no from both raters are left out.

    Parameters
    ----------
    rows : DataFrame
        ``observation_id``, ``rater_id`` and the item (0 and 1, or any category) of each visit and rater.
    item : str

    Returns
    -------
    Agreement
        Cohen's kappa where the same two raters coded every double-coded visit, else Fleiss' kappa (which does not depend on who is
        called the first rater). NaN where only one category was used; AC1 is defined there too.

    Notes
    -----
    Source: see `cohen_kappa` and `pooled_coefficients`.
    Checked against Fleiss' table in R irr 0.84: tests/unit/test_measures_agreement.py.
    """
    rated = _by_rater(rows, ["observation_id"], item)
    visits = _n_visits(rows, item)
    if rated.empty:
        return Agreement(n_visits=visits)
    n_pairs, exact, _ = _pairs(rated, item)
    seen = sorted(rated[item].unique())
    levels = [0, 1] if set(seen) <= {0, 1} else seen
    kappas, ac1, statistic = _beyond_chance(rated, item, levels, WEIGHTS[:1])
    units = rated["observation_id"].nunique()
    return Agreement(
        n_pairs, units, visits, units / visits, exact, **_named(kappas, ac1), statistic=statistic
    )  # fmt: skip


def rating_agreement(rows: pd.DataFrame, item: str, levels: tuple[float, ...] = ()) -> Agreement:
    """Return agreement on a rated item: pairs of ratings of the same segment, and the ICC of raters' visit means.

    Parameters
    ----------
    rows : DataFrame
        ``observation_id``, ``rater_id``, the item and, where there are, ``segment``.
    item : str
    levels : tuple of float
        The points of the rating scale, on which AC1 depends; others that were used, such as halves, are added.

    Returns
    -------
    Agreement
        One-way ICC (visits have different raters), or the two-way ICC for absolute agreement where the same raters coded every
        double-coded visit; ``icc_average`` is that of the mean over raters. A rating that is missing enters no pair and no mean.
        Kappa (plain, linear, quadratic) and AC1 are of the ratings of segments, and only given for at most `MOST_POINTS` points.

    Notes
    -----
    Source: see `one_way_icc`, `crossed_icc`, `cohen_kappa` and `pooled_coefficients`.
    Checked against the published reliability of the GTI lesson raters: tests/unit/test_measures_agreement.py.
    """
    unit = ["observation_id", *(["segment"] if "segment" in rows.columns else [])]
    rows = rows.assign(**{item: pd.to_numeric(rows[item])})
    rated, visits = _by_rater(rows, unit, item), _n_visits(rows, item)
    if rated.empty:
        return Agreement(n_visits=visits)
    n_pairs, exact, adjacent = _pairs(rated, item)
    means = rows.dropna(subset=[item, "rater_id"]).groupby(["observation_id", "rater_id"], sort=True)[item].mean().reset_index()
    means = means[means.groupby("observation_id")["rater_id"].transform("size") > 1]
    icc, statistic = _visit_icc(means, item)
    units = means["observation_id"].nunique()
    points = sorted({*levels, *rated[item].unique()})
    few = len(points) <= MOST_POINTS
    kappas, ac1, _ = _beyond_chance(rated, item, points, WEIGHTS) if few else ((UNDEFINED,) * 3, UNDEFINED, "")
    return Agreement(
        n_pairs, units, visits, units / visits, exact, adjacent, **_named(kappas, ac1), icc=icc.single, icc_low=icc.low,
        icc_high=icc.high, icc_average=icc.average, statistic=statistic,
    )  # fmt: skip


def _named(kappas: tuple[Coefficient, ...], ac1: Coefficient) -> dict[str, float]:
    weighted = {f"kappa_{kind}": kappa.estimate for kind, kappa in zip(WEIGHTS[1:], kappas[1:], strict=False)}
    plain = {"kappa": kappas[0].estimate, "kappa_low": kappas[0].low, "kappa_high": kappas[0].high}
    return {**plain, **weighted, "ac1": ac1.estimate, "ac1_low": ac1.low, "ac1_high": ac1.high}


def _n_visits(rows: pd.DataFrame, item: str) -> int:
    return int(rows.loc[rows[item].notna(), "observation_id"].nunique())


def _by_rater(rows: pd.DataFrame, unit: list[str], item: str) -> pd.DataFrame:
    """Return the ratings of units that two or more raters coded, in a fixed order."""
    if "rater_id" not in rows.columns:
        return rows.head(0)
    rated = rows.dropna(subset=[item, "rater_id"])[[*unit, "rater_id", item]].sort_values([*unit, "rater_id"])
    return rated[rated.groupby(unit, dropna=False)["rater_id"].transform("size") > 1].assign(
        unit=lambda r: r.groupby(unit, dropna=False).ngroup()
    )


def _pairs(rated: pd.DataFrame, item: str) -> tuple[int, float, float]:
    place = rated.groupby("unit").cumcount()
    wide = rated.assign(place=place).pivot(index="unit", columns="place", values=item)
    exact = adjacent = n_pairs = 0
    numeric = pd.api.types.is_numeric_dtype(rated[item])
    for first, second in combinations(wide.columns, 2):
        both = wide[[first, second]].dropna()
        n_pairs += len(both)
        exact += int((both[first] == both[second]).sum())
        adjacent += int(((both[first] - both[second]).abs() <= 1).sum()) if numeric else 0
    return n_pairs, exact / n_pairs, adjacent / n_pairs if numeric else math.nan


def _beyond_chance(rated: pd.DataFrame, item: str, levels: list, kinds: tuple[str, ...]) -> tuple[tuple, Coefficient, str]:
    """Return kappa by kind of weights, AC1, and which kappa it is or why there is none."""
    code = rated[item].map({level: place for place, level in enumerate(levels)}).to_numpy(int)
    _, unit = np.unique(rated["unit"], return_inverse=True)
    clusters = rated.groupby("unit", sort=True)["observation_id"].first().astype(str).to_numpy()
    counts = np.zeros((len(clusters), len(levels)))
    np.add.at(counts, (unit, code), 1)
    distances = np.arange(len(levels)) if not pd.api.types.is_numeric_dtype(rated[item]) else np.asarray(levels, float)
    weights = [agreement_weights(distances, kind) for kind in kinds]
    ac1 = pooled_coefficients(counts, weights[0], clusters)[1]
    if rated[item].nunique() < 2:
        return (UNDEFINED,) * len(kinds), ac1, "kappa undefined: only one category was used"
    if rated["rater_id"].nunique() == 2:
        first = rated["rater_id"].to_numpy() == min(rated["rater_id"])
        table = np.zeros((len(clusters), len(levels), len(levels)))
        table[unit[first], code[first], code[~first]] = 1  # both raters are in the order of the units
        return tuple(cohen_kappa(table, w, clusters) for w in weights), ac1, "Cohen's kappa"
    return tuple(pooled_coefficients(counts, w, clusters)[0] for w in weights), ac1, "Fleiss' kappa"


def _visit_icc(means: pd.DataFrame, item: str) -> tuple[Intraclass, str]:
    if means.groupby("observation_id")["rater_id"].agg(tuple).nunique() == 1 and means["observation_id"].nunique() > 2:
        matrix = means.pivot(index="observation_id", columns="rater_id", values=item).to_numpy()
        if np.ptp(matrix) > 0:
            return crossed_icc(matrix), "ICC(A,1), two-way, visit means"
    return one_way_icc(means[item].to_numpy(), means["observation_id"].to_numpy()), "ICC(1), one-way, visit means"
