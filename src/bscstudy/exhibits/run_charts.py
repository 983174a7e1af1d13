"""Monthly metrics as run and control charts: values, centre line, limits, denominators, and what the rules say of them."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in
from bscstudy.exhibits.run_chart_panels import is_share, panels_figure
from bscstudy.exhibits.theme_words import center_codes
from bscstudy.privacy import is_small

TABLES = ("measures/run_charts", "measures/run_chart_signals", "measures/run_chart_events", "centers")
FIGURE = True
ALL = "all"
SIGNALS = {
    "shift": "a shift: an unusually long run on one side of the centre line",
    "crossings": "unusually few crossings of the centre line",
    "both": "a shift and unusually few crossings",
    "none": "no signal",
    "too_short": "too few months to tell",
    "no_baseline": "no value to take the centre line from",
    "not_read": "runs are not read for moving ranges",
}
NO_LIMITS = {"too_few": "too few months for limits", "none": numbers.MISSING}
CHANGED = ("shift", "crossings", "both")
KINDS = {
    "run": "run chart", "p": "p chart", "p_prime": "p′ chart", "u": "u chart", "u_prime": "u′ chart", "c": "c chart", "i": "I chart",
    "mr": "moving ranges", "xbar": "x̄ chart of centers", "s": "s chart of centers",
}  # fmt: skip


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the charts and what the rules say of them.

    Options: `group` (whose charts are drawn; all centers together by default), `metrics` (which), `by=center` or `by=collaborative`
    (one small chart for each, of the first of `metrics`). Single centers are shown by letters where the study allows it, else
    collaboratives stand in for them.
    """
    series, signals = tables.get("measures/run_charts"), tables.get("measures/run_chart_signals")
    if series is None or series.empty:
        return empty_exhibit("No monthly metric was reported.")
    series = series.assign(share=series["metric"].isin([m for m, part in series.groupby("metric", sort=True) if is_share(part)]))
    series, signals, events = (_permitted(t, tables, context) for t in (series, signals, tables.get("measures/run_chart_events")))
    names = _metric_names(series, context)
    signals = signals.assign(
        _metric=places_in(signals["metric"], list(names)), _level=places_in(signals["level"], [ALL, "collaborative", "center"]),
        _group=places_in(signals["group"], list(context.labels("collaboratives"))),
    ).sort_values(["_metric", "_level", "_group", "group", "phase"], kind="stable")  # fmt: skip
    panels = _panels(signals, names, context)
    if not panels:
        return empty_exhibit("No monthly metric was reported by the groups that this exhibit may show.")
    chosen = pd.MultiIndex.from_tuples(panels)
    drawn = series[pd.MultiIndex.from_frame(series[["metric", "group"]]).isin(chosen)]
    drawn = drawn.sort_values(["metric", "group", "month"], kind="stable")
    told = signals[pd.MultiIndex.from_frame(signals[["metric", "group"]]).isin(chosen)]
    said = [_sentence(_title(row, names, context), row, _better(row["metric"], context), context) for row in told.to_dict("records")]
    titles = {panel: _panel_title(told, panel, names, context) for panel in panels}
    if context.options.get("by"):
        listed = signals[signals["metric"].isin({metric for metric, _ in panels})]
    else:
        listed = signals[signals["level"] != "center"]
    return Exhibit(
        table=_shown(listed, series, names, context),
        caption="Charts of the monthly metrics: centre line and signals of the Anhoj rules",
        notes=_notes(series, signals, events, context),
        sentences=tuple(said),
        group_by="Metric",
        figure=panels_figure(drawn, titles, events, context, shared=bool(context.options.get("by"))),
        alt="Charts by month. " + " ".join(said),
        data=drawn,
    )


def _permitted(table: pd.DataFrame | None, tables: dict[str, pd.DataFrame], context: Context) -> pd.DataFrame:
    """Return the rows that may be shown: centers by letters or not at all, without the sizes by which they could be known."""
    if table is None:
        return pd.DataFrame(columns=["label", "kind", "group", "level", "month", "name", "n"])
    of_centers = table["level"] == "center"
    if not context.show_centers or not of_centers.any():
        return table[~of_centers]
    letters = center_codes(tables["centers"], context)
    table = table.assign(group=table["group"].where(~of_centers, table["group"].map(letters)))
    if "denominator" not in table:
        return table
    small = of_centers & table["denominator"].map(lambda d: is_small(d, context.min_cell))
    told_by_size = {name: table[name].mask(of_centers) for name in ("numerator", "denominator", "lower", "upper", "sigma")}
    return table.assign(**told_by_size, value=table["value"].mask(small), center_mean=table["center_mean"].mask(small), withheld=small)


def _panels(signals: pd.DataFrame, names: dict[str, str], context: Context) -> list[tuple[str, str]]:
    """Return (metric, group) of each panel in the order of the table."""
    by, wanted = context.options.get("by", ""), context.option_list("metrics")
    if by:
        level = "center" if by == "center" and context.show_centers else "collaborative"
        metric = next((m for m in wanted or names if m in names), "")
        kept = signals[(signals["level"] == level) & (signals["metric"] == metric)]
    else:
        kept = signals[(signals["group"] == context.options.get("group", ALL)) & signals["metric"].isin(wanted or list(names))]
    return list(dict.fromkeys(zip(kept["metric"], kept["group"], strict=True)))


def _settings(context: Context) -> dict:
    return context.config.get("run_charts") or {}


def _metrics(context: Context) -> list[dict]:
    return list(_settings(context).get("metrics") or [])


def _metric_names(series: pd.DataFrame, context: Context) -> dict[str, str]:
    known = {str(m["id"]): str(m.get("label") or m["id"]) for m in _metrics(context)}
    return {m: known.get(m, labels.words(m)) for m in in_order(series["metric"], list(known))}


def _better(metric: str, context: Context) -> str:
    return next((str(m.get("better", "none")) for m in _metrics(context) if str(m["id"]) == metric), "none")


def _group_name(row: dict, context: Context) -> str:
    if row["level"] == "center":
        return f"Center {row['group']}"
    return "All centers" if row["group"] == ALL else context.labels("collaboratives").get(str(row["group"]), str(row["group"]))


def _phase_name(row: dict, context: Context) -> str:
    """Return the name of a phase; blank in a chart that has one only."""
    metric = next((m for m in _metrics(context) if str(m["id"]) == row["metric"]), {})
    phases = sorted(metric.get("phases") or _settings(context).get("phases") or [], key=lambda phase: str(phase["start"]))
    if not phases:
        return ""
    if row["phase"] == 1:
        return f"before {phases[0]['start']}"
    phase = phases[int(row["phase"]) - 2]
    return f"{phase['label']} (from {phase['start']})" if phase.get("label") else f"from {phase['start']}"


def _title(row: dict, names: dict[str, str], context: Context) -> str:
    group = "" if row["group"] == ALL else f", {_group_name(row, context)}"
    phase = _phase_name(row, context)
    return f"{names[row['metric']]}{group}" + (f", {phase}" if phase else "")


def _panel_title(told: pd.DataFrame, panel: tuple[str, str], names: dict[str, str], context: Context) -> tuple[str, str, bool]:
    """Return the title of a panel, its verdict in a few words, and whether the verdict is a signal."""
    rows = told[(told["metric"] == panel[0]) & (told["group"] == panel[1])].to_dict("records")
    verdicts = [SIGNALS.get(row["signal"], str(row["signal"])).split(":")[0] for row in rows]
    beyond = sum(int(row["n_outside"]) for row in rows)
    same = f"{verdicts[0]}, in each phase" if len(verdicts) > 1 and len(set(verdicts)) == 1 else "; then ".join(verdicts)
    verdict = same + (f"; {numbers.plural(beyond, 'month')} beyond the limits" if beyond else "")
    title = _group_name(rows[0], context) if context.options.get("by") else names[panel[0]]
    return title, verdict[:1].upper() + verdict[1:], bool(beyond) or any(row["signal"] in CHANGED for row in rows)


def _value(value: float, series: pd.DataFrame) -> str:
    """Return a percentage where every value of the metric is a share, else a rate."""
    return numbers.percent(value) if series["share"].all() and not numbers.is_missing(value) else numbers.measure(value)


def _shown(signals: pd.DataFrame, series: pd.DataFrame, names: dict[str, str], context: Context) -> pd.DataFrame:
    rows = []
    for row in signals.to_dict("records"):
        part = series[(series["metric"] == row["metric"]) & (series["group"] == row["group"]) & (series["phase"] == row["phase"])]
        whole = series[series["metric"] == row["metric"]]
        cells = {
            "Metric": names[row["metric"]],
            "Group": _group_name(row, context),
            "Phase": _phase_name(row, context) or numbers.MISSING,
            "Chart": KINDS.get(row["kind"], row["kind"]),
            "Months": numbers.count(row["n_months"]),
            "Centre": _value(row["centre"], whole),
            "Denominators": _span(part),
            "Useful months": numbers.count(row["n_useful"]),
            "Longest run (limit)": f"{numbers.count(row['longest_run'])} ({numbers.count(row['run_limit'])})",
            "Crossings (limit)": f"{numbers.count(row['crossings'])} ({numbers.count(row['crossing_limit'])})",
            "Beyond limits": numbers.count(row["n_outside"]) if row["limits"] == "drawn" else NO_LIMITS[row["limits"]],
            "Signal": SIGNALS.get(row["signal"], str(row["signal"])),
        }
        rows.append(cells)
    table = pd.DataFrame(rows)
    plain = [] if (table["Phase"] != numbers.MISSING).any() else ["Phase"]
    return table.drop(columns=plain + (["Chart", "Beyond limits"] if (table["Chart"] == KINDS["run"]).all() else []))


def _span(part: pd.DataFrame) -> str:
    known = part["denominator"].dropna()
    if known.empty:
        return numbers.MISSING
    low, high = numbers.measure(known.min()), numbers.measure(known.max())
    return low if low == high else f"{low} to {high}"


def _centre_words(context: Context) -> str:
    said = _settings(context)
    if said.get("phases"):
        return "one for each phase"
    if said.get("freeze_until"):
        return f"frozen on the months up to {said['freeze_until']}"
    if said.get("baseline_months"):
        return f"frozen on the first {said['baseline_months']} months"
    return "of all months; there is no baseline before the collaborative"


def _notes(series: pd.DataFrame, signals: pd.DataFrame, events: pd.DataFrame, context: Context) -> dict[str, str]:
    control = (signals["kind"] != "run").any()
    limits = "; control limits at three sigma, drawn from 10 months on" if control else ""
    missing = int((series[series["level"] == ALL]["numerator"].isna()).sum())
    notes = {
        "Estimator": f"centre line (median of a run chart, mean of a control chart) {_centre_words(context)}; Anhoj rules for shifts and "
        f"crossings, read from 10 useful months on; the trend rule is not used{limits}",
        "Degrees of freedom": "none; a signal is a rule of thumb with about 5% false alarms for each chart, not a test",
        "n": f"{numbers.count(series['month'].nunique())} months; the figure prints denominators below the months, the table their range",
        "Clusters": "numerators and denominators are summed over the centers that reported both in a month",
        "Exclusions": "center-months with a numerator or denominator missing; months on the centre line are not useful for the rules; "
        f"{numbers.plural(missing, 'month')} of a metric without any report (gaps in the lines)",
    }
    undated = int(events.loc[(events["month"] == "undated") & (events["level"] == ALL), "n"].sum())
    if len(events):
        marked = numbers.listed([labels.lower_first(label) for label in dict.fromkeys(events["label"])])
        notes["Marks"] = f"{marked}; upright lines are single events, numbers at the foot counts of a month"
        notes["Marks"] += f"; {numbers.count(undated)} without a date are not drawn" if undated else ""
    if context.options.get("by") == "center" and not context.show_centers:
        notes["Privacy"] = "single centers are not shown in this study; collaboratives stand in for them"
    elif "withheld" in series:
        notes["Privacy"] = "denominators and limits of single centers, which tell their size, are not shown, nor their months with a "
        notes["Privacy"] += f"denominator below {context.min_cell}; the rules were read with them"
    return notes


def _sentence(name: str, row: dict, better: str, context: Context) -> str:
    signal = SIGNALS.get(row["signal"], str(row["signal"]))
    aim = f" ({better} is better)" if better in ("higher", "lower") and row["signal"] in CHANGED else ""
    beyond = int(row["n_outside"])
    outside = f"; {numbers.plural(beyond, 'month')} beyond the control limits" if beyond else ""
    return f"{name}{aim}: {signal} over {numbers.plural(row['n_useful'], 'useful month')}{outside}."
