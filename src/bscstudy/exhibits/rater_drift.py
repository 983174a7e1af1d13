"""Whether raters drift: each rater's distance from the consensus or the other raters, from period to period."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.exhibits.panels import panel_grid

TABLES = ("measures/rater_drift",)
FIGURE = True
MOST_PANELS, MOST_RATERS = 9, 6


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each score and rater; options: `scores` and `instruments` restrict them."""
    data = tables.get("measures/rater_drift")
    if data is None:
        return empty_exhibit("The study has no classroom observation.")
    data = context.chosen(data, scores="score", instruments="instrument")
    if data.empty:
        return empty_exhibit("No visit was coded by two raters.")
    raters = {rater: f"Rater {number}" for number, rater in enumerate(sorted(data["rater_id"].unique()), start=1)}
    scores = in_order(data["score"], list(labels.score_rows(context)))
    periods = {name: _periods(part, context) for name, part in data.groupby("instrument", sort=True)}
    data = data.assign(rater=data["rater_id"].map(raters), period=data["period"].fillna("").astype(str))
    data["place"] = [periods[name].index(period) for name, period in zip(data["instrument"], data["period"], strict=True)]
    data = data.sort_values(["score", "rater_id", "place"], kind="stable")
    return Exhibit(
        table=_shown(data, scores, context),
        caption="Raters' distance from the reference in the first and the last period with double-coded visits",
        notes=_notes(data, scores, raters),
        sentences=tuple(_sentences(data, context)),
        group_by="Score",
        figure=_figure(data, scores, periods, context),
        alt=f"Mean deviation of {len(raters)} raters from period to period in {min(len(scores), MOST_PANELS)} scores; "
        "the table gives the first and the last.",
        data=data[["score", "rater", "period", "n_visits", "deviation", "low", "high", "reference"]],
    )


def _periods(data: pd.DataFrame, context: Context) -> list[str]:
    """Return the periods in time order: waves as configured, the time before a first training ahead, no date last."""
    found = in_order(data["period"].fillna("").astype(str), wave_order(context))
    return sorted(found, key=lambda p: (p == "no date", not p.startswith("before")))


def _labelled(period: str, context: Context) -> str:
    return context.labels("waves").get(period, period) or "All visits"


def _ends(part: pd.DataFrame) -> tuple[dict, dict]:
    rows = part.to_dict("records")
    return rows[0], rows[-1]


def _shown(data: pd.DataFrame, scores: list[str], context: Context) -> pd.DataFrame:
    rows = []
    for score in scores:
        for rater, part in data[data["score"] == score].groupby("rater", sort=False):
            first, last = _ends(part)
            change = last["deviation"] - first["deviation"] if len(part) > 1 else None
            row = {"Score": labels.outcome_label(score, context), "Rater": rater, "Visits": numbers.count(part["n_visits"].sum())}
            for name, end in (("First period", first), ("Last period", last)):
                row[name] = _labelled(str(end["period"]), context)
                row[f"Distance in the {name.lower()}"] = numbers.estimate_with_interval(
                    end["deviation"], end["low"], end["high"], signed=True
                )
            rows.append({**row, "Change": numbers.estimate(change, signed=True)})
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame, scores: list[str], raters: dict[str, str]) -> dict[str, str]:
    reference = sorted(set(data["reference"]))
    drawn = f"; drawn are the first {MOST_PANELS} scores" if len(scores) > MOST_PANELS else ""
    drawn += f" and the {MOST_RATERS} raters with most visits" if len(raters) > MOST_RATERS else ""
    return {
        "Estimator": "mean over double-coded visits of a rater's answers minus those of the reference, item by item, in the direction of "
        "the score: above 0, the rater scores higher; 95% t interval over three visits or more",
        "Reference": f"{numbers.listed(reference)}; where it is the other raters, two raters mirror each other",
        "n": f"{numbers.plural(len(raters), 'rater')}; a period counts the visits that the rater shares with another or with a consensus",
        "Exclusions": f"visits coded once, answers with nothing to compare them with{drawn}",
    }


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    said = []
    for instrument, part in data.groupby("instrument", sort=True):
        moved = [(abs(last["deviation"] - first["deviation"]), first, last) for _, rows in part.groupby(["score", "rater"], sort=True)
                 if len(rows) > 1 for first, last in [_ends(rows)]]  # fmt: skip
        if moved:
            _, first, last = max(moved, key=lambda found: found[0])
            name = context.labels("observation").get(str(instrument), labels.words(instrument))
            score = labels.lower_first(labels.outcome_label(first["score"], context))
            ends = f"from {numbers.estimate(first['deviation'], signed=True)} to {numbers.estimate(last['deviation'], signed=True)}"
            said.append(f"{name}: the largest move of a rater against the reference is {ends} ({first['rater']}, {score}).")
    return said


def _figure(data: pd.DataFrame, scores: list[str], periods: dict[str, list[str]], context: Context):
    shown = scores[:MOST_PANELS]
    visits = data.groupby("rater")["n_visits"].sum().sort_values(ascending=False, kind="stable")
    raters = [rater for rater in data["rater"].unique() if rater in set(visits.index[:MOST_RATERS])]
    raters = sorted(raters, key=lambda rater: int(rater.split()[-1]))
    figure, axes = panel_grid([labels.outcome_label(score, context) for score in shown], 1.7, context, columns=3)
    for axis, score in zip(axes, shown, strict=True):
        own = data[data["score"] == score]
        names = periods[own["instrument"].iloc[0]]
        axis.axhline(0, color=style.RULE, linewidth=1.2)
        for number, rater in enumerate(raters):
            _line(axis, own[own["rater"] == rater], number, rater, len(raters))
        axis.set_xticks(range(len(names)), ["\n".join(textwrap.wrap(_labelled(period, context), 14)) for period in names])
        axis.tick_params(axis="both", labelsize=7)
        axis.set_xlim(-0.5, len(names) - 0.5)
        axis.grid(axis="y")
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=min(6, len(handles)))
    figure.supylabel("Distance from the reference (95% interval)", fontsize=9)
    return figure


def _line(axis, part: pd.DataFrame, number: int, rater: str, n_raters: int) -> None:
    if part.empty:
        return
    shift = 0.0 if n_raters < 2 else 0.25 * (2 * number / (n_raters - 1) - 1)
    half = np.nan_to_num((part["high"] - part["low"]).to_numpy(float) / 2)
    axis.errorbar(
        part["place"].to_numpy(float) + shift,
        part["deviation"],
        yerr=half,
        fmt=style.MARKERS[number % len(style.MARKERS)],
        linestyle="-",
        color=style.PALETTE[number % len(style.PALETTE)],
        markersize=4,
        linewidth=1.0,
        elinewidth=0.8,
        label=rater,
    )
