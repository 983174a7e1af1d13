"""Panels of expected means with intervals: lines over waves, points for other groups."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from bscstudy.exhibits import style
from bscstudy.exhibits.model_choice import MOST_PANELS
from bscstudy.exhibits.panels import panel_grid


def means_figure(data: pd.DataFrame, context):
    """Return the figure.

    Parameters
    ----------
    data : DataFrame
        panel, x (words on the axis), series, over_waves, estimate, low, high; a missing estimate leaves a gap.
    """
    parts = dict(list(data.groupby("panel", sort=False))[:MOST_PANELS])
    figure, axes = panel_grid(list(parts), 1.7, context, columns=3)
    series = list(dict.fromkeys(s for part in parts.values() for s in part["series"] if s))
    for axis, part in zip(axes, parts.values(), strict=True):
        _draw(axis, part, series)
    if series:
        handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=min(4, len(series)))
    figure.supylabel("Expected mean (95% interval)", fontsize=9)
    return figure


def _draw(axis, part: pd.DataFrame, series: list[str]) -> None:
    places = {x: k for k, x in enumerate(dict.fromkeys(part["x"]))}
    own = list(dict.fromkeys(part["series"]))
    for k, name in enumerate(own):
        rows = part[part["series"] == name]
        number = series.index(name) if name else 0
        shift = 0.0 if len(own) < 2 else 0.18 * (2 * k / (len(own) - 1) - 1)
        x = np.array([places[v] for v in rows["x"]]) + shift
        y = rows["estimate"].to_numpy(float)
        errors = np.nan_to_num(np.abs(np.vstack([y - rows["low"].to_numpy(float), rows["high"].to_numpy(float) - y])), posinf=0.0)
        axis.errorbar(
            x,
            y,
            yerr=np.where(np.isnan(y), 0.0, errors),
            fmt=style.MARKERS[number % len(style.MARKERS)],
            linestyle="-" if rows["over_waves"].iloc[0] else "none",
            color=style.PALETTE[number % len(style.PALETTE)],
            markersize=4.5,
            linewidth=1.2,
            elinewidth=1.2,
            label=name or None,
        )
    axis.set_xticks(list(places.values()), ["\n".join(textwrap.wrap(str(x), 40 // len(places))) for x in places])
    axis.tick_params(axis="x", labelsize=7.5, rotation=0 if len(places) < 4 else 25)
    axis.set_xlim(-0.5, len(places) - 0.5)
    axis.tick_params(axis="y", labelsize=7.5)
    axis.locator_params(axis="y", nbins=5)
    axis.grid(axis="y", zorder=0)
