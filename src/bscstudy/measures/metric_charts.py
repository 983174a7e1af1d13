"""The chart of each monthly metric and group: centre line and limits by phase, and what the rules say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, rows_said
from bscstudy.measures.control_charts import control_limits
from bscstudy.measures.metric_series import SERIES
from bscstudy.measures.run_charts import FEWEST_USEFUL, RunSignals, run_signals

#: fewest points from which limits are estimated; a chart with fewer has a centre line only
FEWEST_FOR_LIMITS = 10
CHART = [*SERIES, "kind", "phase", "centre", "lower", "upper", "sigma", "useful", "outside"]
SIGNALS = [
    "metric", "group", "level", "phase", "kind", "n_months", "n_baseline", "centre", "limits", "sigma_z", "n_outside",
    "n_useful", "longest_run", "run_limit", "crossings", "crossing_limit", "signal",
]  # fmt: skip


@dataclass(frozen=True)
class ChartPlan:
    """How one metric is charted.

    Attributes
    ----------
    kind : str
        run, or a kind of `control_charts.control_limits`.
    phases : tuple of str
        First months of the second and later phases (``2024-03``); each phase has its own centre line and limits.
    freeze_until : str
        Last month of the baseline from which the centre line is estimated; blank for none.
    baseline_months : int
        The same as a number: the first so many months of a group with a value; 0 for none.
    """

    kind: str = "run"
    phases: tuple[str, ...] = ()
    freeze_until: str = ""
    baseline_months: int = 0


def chart_plans(spec: dict) -> dict[str, ChartPlan]:
    """Return metric id -> its plan from the section ``run_charts``; what a metric says of itself comes first.

    Raises
    ------
    BscError
        BSC-CFG-280 for a metric whose centre line is set in two ways.
    """
    plans, twice = {}, []
    ways = ("phases", "freeze_until", "baseline_months")
    for metric in spec["metrics"]:
        said = metric if any(metric.get(way) for way in ways) else {**spec, **metric}
        phases = tuple(sorted(str(phase["start"]) for phase in said.get("phases") or []))
        plan = ChartPlan(metric.get("kind", "run"), phases, str(said.get("freeze_until") or ""), int(said.get("baseline_months") or 0))
        if sum(bool(said.get(way)) for way in ways) > 1:
            twice.append(f"config/measures.yaml, run_charts, {metric['id']}")
        plans[str(metric["id"])] = plan
    if twice:
        raise BscError(
            "BSC-CFG-280",
            f"The centre line of {len(twice)} metric(s) is set in two ways.",
            tuple(twice),
            "Phases have a centre line each, a frozen baseline has one for all months; both cannot hold.",
            "Keep one of `phases`, `freeze_until` and `baseline_months`.",
        )
    return plans


def check_counts(rows: pd.DataFrame, plans: dict[str, ChartPlan]) -> None:
    """Refuse numerators that a chart of shares or counts cannot have (BSC-DAT-280).

    A share needs 0 <= numerator <= denominator, a count or rate a numerator of at least 0; rows with a part missing are passed over.
    """
    known = rows.dropna(subset=["numerator", "denominator"])
    kinds = known["metric"].map({metric: plan.kind for metric, plan in plans.items()})
    wrong = kinds.isin(["p", "p_prime", "u", "u_prime", "c"]) & (known["numerator"] < 0)
    wrong |= kinds.isin(["p", "p_prime"]) & (known["numerator"] > known["denominator"])
    if wrong.any():
        counts = known[wrong].groupby(["metric", "month"], sort=True)
        raise BscError(
            "BSC-DAT-280",
            f"Numerators of {int(wrong.sum())} center-month(s) cannot be those of their chart.",
            tuple(f"metric {metric}, month {month}: {len(x)} row(s){rows_said(x.get('row', ()))}" for (metric, month), x in counts),
            "A chart of shares has no numerator above its denominator, and no chart of counts one below 0; its limits would be wrong.",
            "Correct the numbers, exclude the rows in config/config.yaml, or chart a rate with `kind: u`.",
        )


def read_charts(series: pd.DataFrame, plans: dict[str, ChartPlan]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add centre line, limits and phase to each series and read its signals.

    Parameters
    ----------
    series : DataFrame
        As from `metric_series.monthly_series`.
    plans : dict
        Metric -> its plan; a metric without one is a run chart.

    Returns
    -------
    series : DataFrame
        `CHART`: ``value`` is what the chart plots (for c the count, NaN in months in which a center of the group did not report; for
        xbar and s mean and standard deviation of the centers' own values; for mr the moving range). ``phase`` from 1; ``useful`` 1 off
        the centre line, 0 on it or without a value; limits are NaN in a run chart and where fewer than `FEWEST_FOR_LIMITS` points
        could tell.
    signals : DataFrame
        `SIGNALS`, one row for each metric, group and phase. ``limits``: drawn, too_few, none (a run chart). ``signal``: shift,
        crossings, both, none, too_short, no_baseline, not_read (neighbouring moving ranges share a point).
    """
    charted, signals = [], []
    for (metric, _), part in series.groupby(["metric", "group"], sort=True):
        plan = plans.get(str(metric), ChartPlan())
        phase = 1 + sum((part["month"] >= start).astype(int) for start in plan.phases) if plan.phases else pd.Series(1, index=part.index)
        for number, months in part.groupby(phase, sort=True):
            chart, found = _one_chart(months.assign(phase=int(number)), plan)
            charted.append(chart)
            signals.append(found)
    empty = series.reindex(columns=CHART)
    return (pd.concat(charted, ignore_index=True)[CHART] if charted else empty), pd.DataFrame(signals, columns=SIGNALS)


def _one_chart(part: pd.DataFrame, plan: ChartPlan) -> tuple[pd.DataFrame, dict]:
    values, sizes, spreads = _plotted(part, plan.kind)
    base = _baseline(part["month"], values, plan)
    if plan.kind == "run":
        centre = np.full(len(part), np.median(values[base]) if base.any() else np.nan)
        lines, limits, sigma_z = {name: np.nan for name in ("lower", "upper", "sigma")}, "none", np.nan
        outside = np.zeros(len(part), bool)
    else:
        chart = control_limits(plan.kind, values, sizes, spreads, base)
        values, centre, outside, sigma_z = chart.values, chart.centre, chart.outside, chart.sigma_z
        drawn = base.sum() >= FEWEST_FOR_LIMITS and bool(np.isfinite(chart.sigma).any())
        limits, sigma_z = ("drawn", sigma_z) if drawn else ("too_few", np.nan)
        lines = {name: getattr(chart, name) if drawn else np.nan for name in ("lower", "upper", "sigma")}
        outside = outside & drawn
    known = np.isfinite(values)
    found = RunSignals(0, 0, np.nan, 0, np.nan, "not_read") if plan.kind == "mr" else run_signals(values, centre, FEWEST_USEFUL)
    result = part.assign(
        kind=plan.kind, value=values, centre=centre, **lines, outside=outside.astype(int),
        useful=(known & np.isfinite(centre) & (values != centre)).astype(int),
    )  # fmt: skip
    middle = centre[np.isfinite(centre)]
    row = {name: part[name].iloc[0] for name in ("metric", "group", "level", "phase")} | {"kind": plan.kind, "n_months": int(known.sum())}
    row |= {"n_baseline": int(base.sum()), "centre": float(middle[0]) if len(middle) else np.nan, "limits": limits, "sigma_z": sigma_z}
    return result, row | {"n_outside": int(outside.sum())} | found.__dict__


def _plotted(part: pd.DataFrame, kind: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return values, sizes and spreads as `control_limits` takes them."""
    column = {"c": "numerator", "xbar": "center_mean", "s": "center_sd"}.get(kind, "value")
    values = part[column].to_numpy(float)
    if kind == "c":
        return np.where(part["n_centers"] == part["n_centers"].max(), values, np.nan), None, None
    if kind in ("xbar", "s"):
        return values, part["n_centers"].to_numpy(float), part["center_sd"].to_numpy(float)
    return values, part["denominator"].to_numpy(float) if kind in ("p", "p_prime", "u", "u_prime") else None, None


def _baseline(months: pd.Series, values: np.ndarray, plan: ChartPlan) -> np.ndarray:
    known = np.isfinite(values)
    if plan.freeze_until:
        return known & (months <= plan.freeze_until).to_numpy(bool)
    return known & (np.cumsum(known) <= plan.baseline_months) if plan.baseline_months else known
