"""What heat maps share: cells without a number are hatched, and a strip above shows the outcome by which columns are ordered."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style

#: how cells are drawn
CELLS = {"linewidths": 0.6, "linecolor": "white", "square": False}
NOT_SHOWN = "not asked, not coded, or too few to show"


def hatch_missing(axis, values: pd.DataFrame, legend: str = "") -> None:
    """Hatch the cells (rows x columns, as drawn) without a number; with a legend of the figure where one is named and needed."""
    from matplotlib.patches import Patch, Rectangle

    look = {"facecolor": "white", "edgecolor": style.MUTED, "hatch": "////", "linewidth": 0}
    for y in range(len(values.index)):
        for x in range(len(values.columns)):
            if pd.isna(values.iat[y, x]):
                axis.add_patch(Rectangle((x, y), 1, 1, **look))
    if legend and values.isna().any().any():
        axis.figure.legend(handles=[Patch(**look, label=legend)], loc="outside lower left")


def outcome_strip(axis, change: pd.Series, title: str) -> None:
    """Draw the change of the outcome in each column, in the columns' order; nothing without a title or a change."""
    import seaborn

    if not title or change.isna().all():
        axis.set_axis_off()
        return
    limit = float(change.abs().max()) or 1.0
    bar = {"ticks": [-limit, 0, limit], "format": lambda v, _: numbers.estimate(v, 1, signed=True)}
    row = change.to_frame().T.astype(float)
    seaborn.heatmap(row, ax=axis, cmap="PuOr", vmin=-limit, vmax=limit, xticklabels=False, yticklabels=False, cbar_kws=bar, **CELLS)
    hatch_missing(axis, row)
    axis.set_title(textwrap.fill(title, 84), fontsize=8.5, fontweight="normal")
    axis.set(xlabel="", ylabel="")
