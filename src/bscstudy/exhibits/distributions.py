"""Small panels of boxes by wave: medians, quartiles and the range without any single person's dot."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import masking, style
from bscstudy.exhibits.base import Context

COLUMNS = 3
MEAN = {"marker": "D", "markerfacecolor": style.ORANGE, "markeredgecolor": "white", "markersize": 5}


def box_panels(values: pd.DataFrame, panels: list[str], waves: list[str], context: Context, *, min_cell: int):
    """Return a figure with one panel for each measure and one box for each wave.

    Parameters
    ----------
    values : DataFrame
        panel, wave, value (missing values are left out); optional low, high: ends of the panel's scale.
    panels, waves : list of str
        Labels in the order to be shown.
    min_cell : int
        Boxes of fewer values are not drawn; whiskers end at the 5th and 95th percentile, so no extreme person shows.
    """
    import seaborn

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.new_figure(2.6 * columns + 0.3, 2.0 * rows + 0.8, rows, columns, squeeze=False)
    for axis, panel in zip(axes.flat, panels, strict=False):
        part = values[(values["panel"] == panel) & values["value"].notna()]
        sizes = part.groupby("wave")["value"].size().reindex(waves, fill_value=0)
        drawn = part[part["wave"].isin(sizes.index[sizes >= min_cell])]
        seaborn.boxplot(
            drawn, x="wave", y="value", order=waves, ax=axis, color="#cfe3f1", width=0.55, whis=(5, 95), showfliers=False, linewidth=1,
            linecolor=style.BLUE, showmeans=True, meanprops=MEAN,
        )  # fmt: skip
        _finish_panel(axis, panel, part, waves, sizes, min_cell)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    style.finish(figure, context)
    return figure


def _finish_panel(axis, panel: str, part: pd.DataFrame, waves: list[str], sizes: pd.Series, min_cell: int) -> None:
    axis.set_title("\n".join(textwrap.wrap(panel, 27)), fontsize=9)
    axis.set_xlabel("")
    axis.set_ylabel("Score")
    shown = [
        "\n".join([*textwrap.wrap(wave, 13, break_long_words=False), f"n = {numbers.count(masking.few(int(sizes[wave]), min_cell))}"])
        for wave in waves
    ]
    axis.set_xticks(range(len(waves)), shown, fontsize=7)
    axis.set_xlim(-0.6, len(waves) - 0.4)
    axis.grid(axis="y", zorder=0)
    if {"low", "high"} <= set(part.columns) and part["low"].notna().any() and part["high"].notna().any():
        low, high = float(part["low"].dropna().iloc[0]), float(part["high"].dropna().iloc[0])
        axis.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
