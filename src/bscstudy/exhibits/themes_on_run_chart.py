"""Over time: the run chart of a monthly metric with the themes of each wave of interviews below it, on one axis of months."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.exhibits.labels import words
from bscstudy.exhibits.run_chart_panels import draw_panel, is_share
from bscstudy.exhibits.run_charts import CHANGED, SIGNALS
from bscstudy.exhibits.theme_words import NOT_ASKED, theme_notes
from bscstudy.privacy import mask_counts

TABLES = ("measures/run_charts", "measures/run_chart_signals", "qual/presence", "qual/theme_summary")
FIGURE = True
ALL = "all"
#: a share in words where the interviews of a wave did not ask, or so few that nothing is shown
FEW = "too few"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return themes by wave below a metric of all centers; options: `metric` (the first without it), `themes`."""
    series, summary = tables.get("measures/run_charts"), tables.get("qual/theme_summary")
    waves = _waves(context, summary)
    if series is None or series.empty or not waves:
        return empty_exhibit("No monthly metric was reported, or no interview was coded in a wave with dates.")
    metric = _metric(series, context)
    part = series[(series["metric"] == metric) & (series["group"] == ALL)].sort_values("month", kind="stable").reset_index(drop=True)
    if part.empty:
        return empty_exhibit("The metric has no chart of all centers together.")
    part = part.assign(share=is_share(part))
    cells = _cells(context.chosen(summary, themes="theme"), waves, context)
    signals = tables["measures/run_chart_signals"]
    signals = signals[(signals["metric"] == metric) & (signals["group"] == ALL)].sort_values("phase", kind="stable")
    name = _metric_label(metric, context)
    return Exhibit(
        table=_table(part, cells, waves, name, context),
        caption=f"Themes by wave of interviews, with {name} over the months",
        notes=_notes(part, tables["qual/presence"], context),
        sentences=_sentences(part, signals, cells, waves, name, context),
        figure=_figure(part, signals, cells, waves, name, context),
        alt=f"Above, {name} by month with its centre line. Below, on the same months, {numbers.plural(cells['theme'].nunique(), 'theme')} "
        f"as bars over the time of each of {numbers.plural(len(waves), 'wave')} of interviews; darker where a larger share of the sessions "
        "asked raised the theme.",
        data=cells[["theme", "wave", "share", "raised"]],
    )


def _waves(context: Context, summary: pd.DataFrame | None) -> dict[str, dict]:
    """Return the waves with coded interviews and with dates, in time order."""
    if summary is None or summary.empty:
        return {}
    rows = {str(wave["id"]): wave for wave in context.rows("waves") if wave.get("start") and wave.get("end")}
    return {wave: rows[wave] for wave in in_order(summary["wave"], wave_order(context)) if wave in rows}


def _metric(series: pd.DataFrame, context: Context) -> str:
    known = [str(m["id"]) for m in (context.config.get("run_charts") or {}).get("metrics") or []]
    present = in_order(series["metric"], known)
    return next((m for m in context.option_list("metric") if m in present), present[0])


def _metric_label(metric: str, context: Context) -> str:
    metrics = (context.config.get("run_charts") or {}).get("metrics") or []
    return next((str(m.get("label") or m["id"]) for m in metrics if str(m["id"]) == metric), words(metric))


def _cells(summary: pd.DataFrame, waves: dict[str, dict], context: Context) -> pd.DataFrame:
    """Return theme x wave as shown: counts of few and what would tell them are hidden, and the share with them."""
    rows = summary[(summary["unit"] == "session") & (summary["role"] == ALL) & (summary["wave"] != ALL)]
    rows = mask_counts(rows, ["n_asked", "n_present"], context.min_cell, ["theme"])
    labels = context.labels("themes", "theme")
    whole = [not isinstance(a, str) and not isinstance(p, str) for a, p in zip(rows["n_asked"], rows["n_present"], strict=True)]
    said = [_raised(row) for row in rows.to_dict("records")]
    rows = rows.assign(raised=said, share=rows["share"].where(whole), label=[labels.get(t, words(t)) for t in rows["theme"]])
    order = {theme: place for place, theme in enumerate(in_order(rows["theme"], list(labels)))}
    kept = rows[rows["wave"].isin(waves)]
    return kept.assign(place=kept["theme"].map(order)).sort_values(["place", "wave"], kind="stable").reset_index(drop=True)


def _raised(row: dict) -> str:
    asked, present = row["n_asked"], row["n_present"]
    if isinstance(asked, str):
        return f"{asked} asked"
    return NOT_ASKED if not asked else f"{numbers.count(present)} of {numbers.count(asked)}"


def _table(part: pd.DataFrame, cells: pd.DataFrame, waves: dict[str, dict], name: str, context: Context) -> pd.DataFrame:
    heads = {wave: f"{row.get('label') or wave} ({_month(row['start'])} to {_month(row['end'])})" for wave, row in waves.items()}
    first = {"Strand": "Monthly metric", "Row": name} | {heads[wave]: _metric_in(part, row) for wave, row in waves.items()}
    rows = [first]
    for _, own in cells.groupby("theme", sort=False):
        raised = dict(zip(own["wave"], own["raised"], strict=True))
        rows.append({"Strand": "Themes", "Row": own["label"].iloc[0]} | {heads[wave]: raised.get(wave, numbers.MISSING) for wave in waves})
    return pd.DataFrame(rows)


def _month(day: object) -> str:
    return str(day)[:7]


def _metric_in(part: pd.DataFrame, wave: dict) -> str:
    """Return the values of the metric in the months that a wave touches."""
    inside = part[part["month"].astype(str).between(_month(wave["start"]), _month(wave["end"])) & part["value"].notna()]
    if inside.empty:
        return "no month reported"
    low, high = (_value(value, part) for value in (inside["value"].min(), inside["value"].max()))
    return f"{low if low == high else f'{low} to {high}'} ({numbers.plural(len(inside), 'month')})"


def _value(value: float, part: pd.DataFrame) -> str:
    return numbers.percent(value) if part["share"].all() else numbers.measure(value)


def _notes(part: pd.DataFrame, presence: pd.DataFrame, context: Context) -> dict[str, str]:
    themes = theme_notes(presence)
    months = part["month"].astype(str)
    return {
        "Estimator": f"metric: centre line and Anhoj rules as in the run charts. Themes: {themes['Estimator']}",
        "Degrees of freedom": "none; nothing is tested",
        "n": f"{numbers.count(len(months))} months ({months.iloc[0]} to {months.iloc[-1]}); {themes['n']}",
        "Clusters": f"metric: summed over the centers that reported; themes: {themes['Clusters']}",
        "Exclusions": themes["Exclusions"],
        "Small cells": f"counts of sessions from 1 to {context.min_cell - 1}, and what would tell them, are not shown",
        "Reading": "a picture in time: what was said and what was counted in the same months. Nothing is lagged, fitted or tested",
    }


def _verdict(signals: pd.DataFrame) -> tuple[str, bool]:
    said = [SIGNALS.get(signal, str(signal)).split(":")[0] for signal in signals["signal"]]
    return "; then ".join(dict.fromkeys(said)), bool(signals["signal"].isin(CHANGED).any())


def _sentences(part, signals, cells, waves, name, context: Context) -> tuple[str, ...]:
    said = [f"{name}: {_verdict(signals)[0]} over {numbers.plural(int(part['value'].notna().sum()), 'month')}."]
    if len(waves) > 1:
        first, last = list(waves)[0], list(waves)[-1]
        shares = cells.pivot(index="label", columns="wave", values="share").reindex(columns=[first, last]).astype(float).dropna()
        if len(shares):
            moved = (shares[last] - shares[first]).abs().sort_index(kind="stable").idxmax()
            times = [context.labels("waves").get(wave, wave) for wave in (first, last)]
            then, now = (numbers.percent(shares.loc[moved, wave]) for wave in (first, last))
            said.append(f"Of the themes, {moved} moved most: raised in {then} of the sessions asked at {times[0]}, in {now} at {times[1]}.")
    return tuple(said)


def _figure(part, signals, cells, waves, name, context: Context):
    themes = cells.drop_duplicates("theme")
    height = 2.6 + 0.27 * len(themes)
    figure, (chart, strip) = style.new_figure(7.5, 1.0 + height, 2, 1, height_ratios=[2.3, 0.3 + 0.27 * len(themes)], sharex=False)
    verdict, signal = _verdict(signals)
    draw_panel(chart, part, (name, verdict[:1].upper() + verdict[1:], signal), wide=True)
    ends = {wave: (_place(row["start"], part), _place(row["end"], part, end=True)) for wave, row in waves.items()}
    last = max([len(part) - 0.5, *(end for _, end in ends.values())])
    months = pd.period_range(part["month"].astype(str).iloc[0], periods=int(last + 1.5), freq="M").astype(str)
    ticks = range(0, len(months), max(1, len(months) // 6))
    for axis in (chart, strip):
        axis.set_xlim(min([-0.5, *(start for start, _ in ends.values())]), last)
        axis.set_xticks(ticks, [months[tick] for tick in ticks], fontsize=7.5)
        for start, end in ends.values():
            axis.axvspan(start, end, color=style.RULE, alpha=0.25, linewidth=0, zorder=0)
    chart.tick_params(labelbottom=False)
    _draw_themes(strip, themes["label"].to_list(), cells, ends)
    for wave, (start, end) in ends.items():
        label = context.labels("waves").get(wave, wave)
        chart.annotate(
            label,
            ((start + end) / 2, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
        )
    style.finish(figure, context)
    return figure


def _place(day: object, part: pd.DataFrame, *, end: bool = False) -> float:
    """Return where a day stands on an axis on which month i goes from i - 1/2 to i + 1/2."""
    first, given = pd.Period(str(part["month"].iloc[0]), "M"), pd.Timestamp(str(day))
    months = (given.year - first.year) * 12 + given.month - first.month
    return months - 0.5 + (given.day - (0 if end else 1)) / given.days_in_month


def _draw_themes(axis, labels: list[str], cells: pd.DataFrame, ends: dict[str, tuple[float, float]]) -> None:
    from matplotlib import colormaps

    colours = colormaps["Blues"]
    places = {label: place for place, label in enumerate(reversed(labels))}
    for row in cells.to_dict("records"):
        start, end = ends[row["wave"]]
        known = not numbers.is_missing(row["share"])
        colour = colours(0.05 + 0.5 * float(row["share"])) if known else "white"  # light enough for dark words
        axis.barh(places[row["label"]], end - start, left=start, height=0.82, color=colour, edgecolor=style.RULE, linewidth=0.6)
        text = numbers.percent(row["share"]) if known else NOT_ASKED if row["raised"] == NOT_ASKED else FEW
        axis.text((start + end) / 2, places[row["label"]], text, ha="center", va="center", fontsize=7.5, color=style.INK)
    axis.set_yticks(list(places.values()), [textwrap.fill(label, 26) for label in places])
    axis.set_ylim(-0.6, len(labels) - 0.4)
    axis.set_xlabel("Share of the sessions asked that raised the theme, by wave of interviews")
    axis.tick_params(axis="y", length=0)
