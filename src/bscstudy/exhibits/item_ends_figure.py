"""The figure of the items' ends: shares of answers at the lowest, at the highest end and missing, one bar a scale and wave."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import in_order, wave_order

PANELS = {"floor": "At the lowest answer", "ceiling": "At the highest answer", "missing": "Not answered"}


def ends_figure(data: pd.DataFrame, context):
    """Return three panels of bars, scales below each other and waves side by side.

    Parameters
    ----------
    data : DataFrame
        ``scale wave``, and for each of `PANELS` ``<part>_least`` and ``<part>_most``: shares between which the share lies.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    scales, waves = list(dict.fromkeys(data["scale"])), in_order(data["wave"], wave_order(context))
    figure, axes = style.new_figure(7.5, 1.4 + (0.16 + 0.1 * len(waves)) * max(3, len(scales)), 1, len(PANELS), squeeze=False, sharey=True)
    names = ["\n".join(textwrap.wrap(labels.outcome_label(scale, context), 32)) for scale in scales]
    for axis, (part, title) in zip(axes.flat, PANELS.items(), strict=True):
        for number, wave in enumerate(waves):
            _bars(axis, data[data["wave"] == wave], part, scales, (number, len(waves)), context.labels("waves").get(wave, wave))
        axis.set_title(title)
        axis.set_yticks([-place for place in range(len(scales))], names)
        axis.set_ylim(-len(scales) + 0.4, 0.6)
        axis.margins(x=0.06)
        axis.set_xlim(left=0)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.grid(axis="x")
        axis.set_axisbelow(True)
        axis.tick_params(axis="y", length=0)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(waves))
    style.finish(figure, context)
    return figure


def _bars(axis, part: pd.DataFrame, name: str, scales: list[str], turn: tuple[int, int], label: str) -> None:
    number, of = turn
    height, color = 0.8 / of, style.PALETTE[number % len(style.PALETTE)]
    place = [-scales.index(scale) + 0.4 - (number + 0.5) * height for scale in part["scale"]]
    least, most = part[f"{name}_least"].fillna(0), part[f"{name}_most"].fillna(0)
    axis.barh(place, least, height * 0.86, color=color, label=label)
    for at, low, high in zip(place, least, most, strict=True):
        if high > low:
            axis.barh(at, high - low, height * 0.86, left=low, facecolor="none", edgecolor=color, linewidth=0.6)
