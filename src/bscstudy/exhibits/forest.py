"""The forest plot: one row for each estimate with its interval, a line at no change, series told apart by colour and marker."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy.exhibits import style

#: letters after which a label of a panel is broken
WRAP = 40


def draw_forest(axis, rows: pd.DataFrame, x_label: str, *, wrap: int = 34) -> None:
    """Draw rows onto an axis, the first row on top.

    Parameters
    ----------
    rows : DataFrame
        label, series, estimate, low, high; equal labels share a place and are set apart by series. Rows with a missing
        estimate keep their place and say `no estimate shown`.
    x_label : str
        What the axis measures, with its unit.
    wrap : int
        Letters after which a label is broken.
    """
    labels = list(dict.fromkeys(rows["label"]))
    series = list(dict.fromkeys(s for s in rows["series"] if s))
    place = {label: len(labels) - 1 - i for i, label in enumerate(labels)}
    axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    for position in place.values():
        axis.axhline(position - 0.5, color="#eceff3", linewidth=0.8, zorder=0)
    for number, name in enumerate(series or [""]):
        shift = 0.0 if len(series) < 2 else 0.28 * (1 - 2 * number / (len(series) - 1))
        _draw_series(axis, rows[rows["series"] == name] if series else rows, place, shift, number, name)
    missing = rows[rows.groupby("label")["estimate"].transform("count") == 0].drop_duplicates("label")
    for label in missing["label"]:
        axis.text(0.02, place[label], "no estimate shown", transform=axis.get_yaxis_transform(), va="center", fontsize=8, color=style.MUTED)
    axis.set_yticks(list(place.values()), ["\n".join(textwrap.wrap(label, wrap)) for label in place])
    axis.set_ylim(-0.6, len(labels) - 0.4)
    axis.set_xlabel(x_label)
    axis.grid(axis="x", zorder=0)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def _draw_series(axis, rows: pd.DataFrame, place: dict, shift: float, number: int, name: str) -> None:
    known = rows.dropna(subset=["estimate"])
    centre = known["estimate"].astype(float)
    errors = [(centre - known["low"].astype(float)).fillna(0), (known["high"].astype(float) - centre).fillna(0)]
    axis.errorbar(
        centre,
        [place[label] + shift for label in known["label"]],
        xerr=errors,
        fmt=style.MARKERS[number % len(style.MARKERS)],
        color=style.PALETTE[number % len(style.PALETTE)],
        markersize=5.5,
        elinewidth=1.6,
        capsize=0,
        label=name or None,
        zorder=3,
    )


def forest_figure(rows: pd.DataFrame, x_label: str, context):
    """Return a figure with one forest plot and, for several series, a legend below."""
    n_series = max(1, rows["series"].nunique())
    height = 1.5 + rows["label"].nunique() * (0.24 + 0.13 * n_series)
    figure, axis = style.new_figure(7.5, max(2.4, height))
    draw_forest(axis, rows, x_label)
    if n_series > 1:
        figure.legend(loc="outside lower center", ncols=min(3, n_series))
    style.finish(figure, context)
    return figure


def _height(rows: pd.DataFrame) -> float:
    """Inches for the rows of a panel: places are alike, so each has room for the longest label."""
    lines = max((len(textwrap.wrap(str(label), WRAP)) for label in rows["label"]), default=1)
    return max(1, rows["label"].nunique()) * max(0.3, 0.17 * lines)


def forest_panels(panels: dict[str, pd.DataFrame], x_labels: dict[str, str], context):
    """Return a figure with one forest plot below the other, each with an axis of its own; heights follow the rows."""
    heights = [_height(rows) for rows in panels.values()]
    figure, axes = style.new_figure(
        7.5, 0.9 + sum(h + 0.8 for h in heights), len(panels), 1, squeeze=False, height_ratios=[h + 0.42 for h in heights]
    )
    for axis, (name, rows) in zip(axes.flat, panels.items(), strict=True):
        draw_forest(axis, rows, x_labels[name], wrap=WRAP)
        axis.set_title(name)
    style.finish(figure, context)
    return figure
