"""Agreement of raters who observed the same visit."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from bscstudy.measures.intraclass import Intraclass, crossed_icc, one_way_icc


@dataclass(frozen=True)
class Agreement:
    """Agreement on one item: shares of pairs, one chance-corrected coefficient, and which one it is.

    ``exact`` and ``adjacent`` (differ by at most 1) are shares of ``n_pairs`` pairs of ratings; ``n_units`` is the number of double-coded
    visits behind ``kappa`` or ``icc``. NaN where a figure is undefined or not used for this kind of item.
    """

    n_pairs: int
    n_units: int
    exact: float
    adjacent: float
    kappa: float
    icc: float
    icc_low: float
    icc_high: float
    icc_average: float
    statistic: str


NO_PAIRS = Agreement(0, 0, *([math.nan] * 7), "no visit was coded by two raters")


def indicator_agreement(rows: pd.DataFrame, item: str) -> Agreement:
    """Return agreement on a yes / no indicator; pairs without a yes or no from both raters are left out.

    Parameters
    ----------
    rows : DataFrame
        ``observation_id``, ``rater_id`` and the item (or any category) of each visit and rater.
    item : str

    Returns
    -------
    Agreement
        Cohen's kappa where the same two raters coded every double-coded visit, else Fleiss' kappa (which does not depend on who is
        called the first rater). NaN where only one category was used, or visits differ in their number of raters.

    Notes
    -----
    Source: Cohen (1960); Fleiss (1971); both computed by statsmodels.
    Checked against Fleiss' table in R irr 0.84: tests/unit/test_measures_agreement.py.
    """
    wide = _by_rater(rows, ["observation_id"], item)
    if wide.empty:
        return NO_PAIRS
    n_pairs, exact, _ = _pairs(wide, item)
    kappa, statistic = _kappa(wide, item)
    return Agreement(n_pairs, wide["observation_id"].nunique(), exact, math.nan, kappa, *([math.nan] * 4), statistic)


def rating_agreement(rows: pd.DataFrame, item: str) -> Agreement:
    """Return agreement on a rated item: pairs of ratings of the same segment, and the ICC of raters' visit means.

    Parameters
    ----------
    rows : DataFrame
        ``observation_id``, ``rater_id``, the item and, where there are, ``segment``.
    item : str

    Returns
    -------
    Agreement
        One-way ICC (visits have different raters), or the two-way ICC for absolute agreement where the same raters coded every
        double-coded visit; ``icc_average`` is that of the mean over raters. A rating that is missing enters no pair and no mean.

    Notes
    -----
    Source: see `one_way_icc` and `crossed_icc`.
    Checked against the published reliability of the GTI lesson raters: tests/unit/test_measures_agreement.py.
    """
    unit = ["observation_id", *(["segment"] if "segment" in rows.columns else [])]
    rows = rows.assign(**{item: pd.to_numeric(rows[item])})
    wide = _by_rater(rows, unit, item)
    if wide.empty:
        return NO_PAIRS
    n_pairs, exact, adjacent = _pairs(wide, item)
    means = rows.dropna(subset=[item, "rater_id"]).groupby(["observation_id", "rater_id"], sort=True)[item].mean().reset_index()
    means = means[means.groupby("observation_id")["rater_id"].transform("size") > 1]
    icc, statistic = _visit_icc(means, item)
    return Agreement(
        n_pairs,
        means["observation_id"].nunique(),
        exact,
        adjacent,
        math.nan,
        icc.single,
        icc.low,
        icc.high,
        icc.average,
        statistic,
    )


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


def _kappa(rated: pd.DataFrame, item: str) -> tuple[float, str]:
    from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

    sizes = rated.groupby("unit").size()
    if rated[item].nunique() < 2:
        return math.nan, "kappa undefined: only one category was used"
    if sizes.nunique() > 1:
        return math.nan, "kappa not given: visits differ in their number of raters"
    if rated["rater_id"].nunique() == 2:
        wide = rated.pivot(index="unit", columns="rater_id", values=item)
        levels = sorted(rated[item].unique())
        table = pd.crosstab(wide.iloc[:, 0], wide.iloc[:, 1]).reindex(index=levels, columns=levels, fill_value=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return float(cohens_kappa(table.to_numpy(), return_results=True).kappa), "Cohen's kappa"
    return float(fleiss_kappa(pd.crosstab(rated["unit"], rated[item]).to_numpy(), method="fleiss")), "Fleiss' kappa"


def _visit_icc(means: pd.DataFrame, item: str) -> tuple[Intraclass, str]:
    if means.groupby("observation_id")["rater_id"].agg(tuple).nunique() == 1 and means["observation_id"].nunique() > 2:
        matrix = means.pivot(index="observation_id", columns="rater_id", values=item).to_numpy()
        if np.ptp(matrix) > 0:
            return crossed_icc(matrix), "ICC(A,1), two-way, visit means"
    return one_way_icc(means[item].to_numpy(), means["observation_id"].to_numpy()), "ICC(1), one-way, visit means"
