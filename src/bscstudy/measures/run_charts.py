"""Run charts of monthly metrics: shifts and crossings by the Anhoj rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: fewest points off the median that the rules are read for
FEWEST_USEFUL = 10


@dataclass(frozen=True)
class RunSignals:
    """What the two rules say of one series; limits are NaN without useful points."""

    n_useful: int
    longest_run: int
    run_limit: float
    crossings: int
    crossing_limit: float
    signal: str


def run_signals(values: np.ndarray, centre: float, fewest_useful: int = 0) -> RunSignals:
    """Apply the Anhoj rules to a series.

    Parameters
    ----------
    values : ndarray
        In the order of time; NaN are passed over.
    centre : float
        The centre line (the median of a run chart).
    fewest_useful : int
        With fewer points off the centre line the signal is ``too_short``.

    Returns
    -------
    RunSignals
        Points exactly on the centre line are not useful. ``shift``: the longest run on one side is longer than
        round(log2 n) + 3; ``crossings``: the line is crossed less often than the 5 % point of a binomial(n - 1, 1/2).

    Notes
    -----
    Source: Anhoj and Olesen (2014), Anhoj (2015).
    Checked against R qicharts2 0.8.1, 15 series: tests/unit/test_measures_run_charts.py.
    """
    from scipy.special import bdtr

    above = values[~np.isnan(values) & (values != centre)] > centre
    n = len(above)
    if n == 0:
        return RunSignals(0, 0, math.nan, 0, math.nan, "too_short")
    changes = np.flatnonzero(np.diff(above)) + 1
    longest = int(np.diff(np.concatenate([[0], changes, [n]])).max())
    run_limit = round(math.log2(n)) + 3
    crossing_limit = int(np.searchsorted(bdtr(np.arange(n), n - 1, 0.5), 0.05))
    shift, few = longest > run_limit, len(changes) < crossing_limit
    signal = "both" if shift and few else "shift" if shift else "crossings" if few else "none"
    return RunSignals(n, longest, run_limit, len(changes), crossing_limit, "too_short" if n < fewest_useful else signal)


def monthly_series(rows: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Add up numerators and denominators of center-months that report both.

    Parameters
    ----------
    rows : DataFrame
        ``metric month numerator denominator`` and the group columns.
    groups : list of str
        Columns whose values become groups, beside ``all`` centers together.

    Returns
    -------
    DataFrame
        ``metric group month numerator denominator value`` with value = numerator / denominator; a month in which others reported
        but the group did not has NaN. A denominator of 0 gives NaN.
    """
    usable = rows.dropna(subset=["metric", "month", "numerator", "denominator"])
    labelled = [usable.assign(group="all")] + [usable.dropna(subset=[c]).assign(group=usable[c]) for c in groups]
    stacked = pd.concat(labelled, ignore_index=True)
    series = stacked.groupby(["metric", "group", "month"], sort=True)[["numerator", "denominator"]].sum().reset_index()
    pairs = series[["metric", "group"]].drop_duplicates().merge(series[["metric", "month"]].drop_duplicates(), on="metric")
    series = pairs.merge(series, on=["metric", "group", "month"], how="left").sort_values(["metric", "group", "month"], ignore_index=True)
    series["value"] = series["numerator"] / series["denominator"].where(series["denominator"] > 0)
    return series


def read_charts(series: pd.DataFrame, baseline_months: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the median to each series and read the signals.

    Parameters
    ----------
    series : DataFrame
        As from `monthly_series`.
    baseline_months : int or None
        The median of the first so many months with a value is frozen; None takes all months.

    Returns
    -------
    series : DataFrame
        With ``median`` and ``useful`` (1 off the median, 0 on it or without a value).
    signals : DataFrame
        ``metric group n_useful median longest_run run_limit crossings crossing_limit signal``.
    """
    charted, signals = [], []
    for (metric, group), part in series.groupby(["metric", "group"], sort=True):
        values = part["value"].to_numpy(float)
        known = values[~np.isnan(values)]
        centre = float(np.median(known[:baseline_months])) if len(known) else math.nan
        found = run_signals(values, centre, FEWEST_USEFUL)
        charted.append(part.assign(median=centre, useful=(~np.isnan(values) & (values != centre)).astype(int)))
        signals.append({"metric": metric, "group": group, "median": centre, **found.__dict__})
    names = ["metric", "group", "n_useful", "median", "longest_run", "run_limit", "crossings", "crossing_limit", "signal"]
    empty = series.assign(median=pd.Series(dtype=float), useful=pd.Series(dtype=int))
    return (pd.concat(charted, ignore_index=True) if charted else empty), pd.DataFrame(signals, columns=names)
