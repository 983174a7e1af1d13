"""Monthly metrics as run charts: values, median, denominators, and the signals of the Anhoj rules."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in

TABLES = ("measures/run_charts", "measures/run_chart_signals")
FIGURE = True
ALL = "all"
SIGNALS = {
    "shift": "a shift: an unusually long run on one side of the median",
    "crossings": "unusually few crossings of the median",
    "both": "a shift and unusually few crossings",
    "none": "no signal",
    "too_short": "too few months to tell",
}
CHANGED = ("shift", "crossings", "both")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the charts of one group (option `group`, else all centers) and the signals of every group."""
    chosen = context.options.get("group", ALL)
    series, signals = tables.get("measures/run_charts"), tables.get("measures/run_chart_signals")
    if series is None or series.empty:
        return empty_exhibit("No monthly metric was reported.")
    names = _metric_names(series, context)
    rank = places_in(signals["metric"], list(names))
    groups = [ALL, *context.labels("collaboratives")]
    group_rank = places_in(signals["group"], groups)
    signals = signals.assign(_metric=rank, _group=group_rank).sort_values(["_metric", "_group", "group"], kind="stable")
    drawn = series[series["group"] == chosen].sort_values(["metric", "month"], kind="stable")
    shown = signals[signals["group"] == chosen].set_index("metric")
    return Exhibit(
        table=_shown(signals, series, names, context),
        caption="Run charts of the monthly metrics: median and signals of the Anhoj rules",
        notes=_notes(series, context),
        sentences=tuple(_sentence(names[m], row, _better(m, context)) for m, row in shown.to_dict("index").items()),
        group_by="Metric",
        figure=_figure(drawn, shown, names, context),
        alt="Run charts by month. " + " ".join(_sentence(names[m], row, "none") for m, row in shown.to_dict("index").items()),
        data=drawn,
    )


def _settings(context: Context) -> list[dict]:
    return list((context.config.get("run_charts") or {}).get("metrics") or [])


def _metric_names(series: pd.DataFrame, context: Context) -> dict[str, str]:
    known = {str(m["id"]): str(m.get("label") or m["id"]) for m in _settings(context)}
    return {m: known.get(m, labels.words(m)) for m in in_order(series["metric"], list(known))}


def _better(metric: str, context: Context) -> str:
    return next((str(m.get("better", "none")) for m in _settings(context) if str(m["id"]) == metric), "none")


def _group_name(group: str, context: Context) -> str:
    return "All centers" if group == ALL else context.labels("collaboratives").get(str(group), str(group))


def _value(value: float, series: pd.DataFrame) -> str:
    """Return a percentage where every value of the metric is a share, else a rate."""
    return numbers.percent(value) if _is_share(series) and not numbers.is_missing(value) else numbers.measure(value)


def _is_share(series: pd.DataFrame) -> bool:
    known = series.dropna(subset=["value"])
    return bool(len(known) and (known["numerator"] <= known["denominator"]).all() and (known["numerator"] >= 0).all())


def _shown(signals: pd.DataFrame, series: pd.DataFrame, names: dict[str, str], context: Context) -> pd.DataFrame:
    rows = []
    for row in signals.to_dict("records"):
        part = series[(series["metric"] == row["metric"]) & (series["group"] == row["group"])]
        whole = series[series["metric"] == row["metric"]]
        rows.append(
            {
                "Metric": names[row["metric"]],
                "Group": _group_name(row["group"], context),
                "Months": numbers.count(part["value"].notna().sum()),
                "Median": _value(row["median"], whole),
                "Denominators": _span(part["denominator"]),
                "Useful months": numbers.count(row["n_useful"]),
                "Longest run (limit)": f"{numbers.count(row['longest_run'])} ({numbers.count(row['run_limit'])})",
                "Crossings (limit)": f"{numbers.count(row['crossings'])} ({numbers.count(row['crossing_limit'])})",
                "Signal": SIGNALS.get(row["signal"], str(row["signal"])),
            }
        )
    return pd.DataFrame(rows)


def _span(values: pd.Series) -> str:
    known = values.dropna()
    if known.empty:
        return numbers.MISSING
    low, high = numbers.measure(known.min()), numbers.measure(known.max())
    return low if low == high else f"{low} to {high}"


def _notes(series: pd.DataFrame, context: Context) -> dict[str, str]:
    months = (context.config.get("run_charts") or {}).get("baseline_months")
    line = f"median of the first {months} months" if months else "median of all months; there is no baseline before the collaborative"
    return {
        "Estimator": f"{line}; Anhoj rules for shifts and crossings; the trend rule is not used",
        "Degrees of freedom": "none; a signal is a rule of thumb with about 5% false alarms for each chart, not a test",
        "n": f"{numbers.count(series['month'].nunique())} months; the figure prints denominators below the months, the table their range",
        "Clusters": "numerators and denominators are summed over the centers that reported both in a month",
        "Exclusions": "center-months with a numerator or denominator missing; months on the median are not useful for the rules",
    }


def _sentence(name: str, row: dict, better: str) -> str:
    signal = SIGNALS.get(row["signal"], str(row["signal"]))
    aim = f" ({better} is better)" if better in ("higher", "lower") and row["signal"] in CHANGED else ""
    return f"{name}{aim}: {signal} over {numbers.plural(row['n_useful'], 'useful month')}."


def _figure(drawn: pd.DataFrame, shown: pd.DataFrame, names: dict[str, str], context: Context):
    metrics = [m for m in names if m in set(drawn["metric"])]
    columns = min(2, len(metrics)) or 1
    rows = -(-len(metrics) // columns) or 1
    figure, axes = style.new_figure(4.0 * columns, 2.05 * rows + 0.5, rows, columns, squeeze=False)
    for axis, metric in zip(axes.flat, metrics, strict=False):
        _panel(axis, drawn[drawn["metric"] == metric], names[metric], str(shown["signal"].get(metric, "none")))
    for axis in list(axes.flat)[len(metrics) :]:
        axis.set_visible(False)
    style.finish(figure, context)
    return figure


def _panel(axis, part: pd.DataFrame, name: str, signal: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    months, values = list(range(len(part))), part["value"].astype(float)
    colour = style.ORANGE if signal in CHANGED else style.BLUE
    axis.axhline(float(part["median"].iloc[0]), color=style.MUTED, linewidth=1, linestyle=(0, (5, 3)))
    axis.plot(months, values, color=colour, linewidth=1.4, marker="o", markersize=4)
    axis.set_title("\n".join(textwrap.wrap(name, 44)), fontsize=9)
    axis.annotate(
        SIGNALS.get(signal, signal).split(":")[0].capitalize(), (1, 0.02), xycoords="axes fraction", ha="right", va="bottom", fontsize=7.5,
        color=colour if signal in CHANGED else style.MUTED, fontweight="bold" if signal in CHANGED else "normal",
    )  # fmt: skip
    ticks = sorted({round(i * (len(part) - 1) / 3) for i in range(4)})
    wording = [f"{m}\nof {numbers.measure(d)}" for m, d in zip(part["month"].astype(str), part["denominator"], strict=True)]
    axis.set_xticks(ticks, [wording[tick] for tick in ticks], fontsize=7.5)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    if _is_share(part):
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.margins(y=0.22)
    axis.grid(axis="y")
