"""The figure of what people report: shares by wave, one panel an item and one line a group."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pandas as pd

from bscstudy.exhibits import style
from bscstudy.exhibits.panels import panel_grid


def shares_figure(data: pd.DataFrame, items: list[str], name: Callable[[dict], str], context):
    """Return one panel for each item with a share and kind of group, with everybody as a thick line.

    Single centers are grey; waves that cannot be compared are not joined.
    """
    from matplotlib.ticker import PercentFormatter

    shown = data.dropna(subset=["share"])
    kinds = [by for by in dict.fromkeys(data["by"]) if by != "all"] or ["all"]
    panels = [(item, by) for item in items if item in set(shown["label"]) for by in kinds]
    if not panels:
        return None
    waves = list(dict.fromkeys(data.sort_values("_wave", kind="stable")["wave"]))
    names, place = context.labels("waves"), {wave: i for i, wave in enumerate(waves)}
    ticks = ["\n".join(textwrap.wrap(names.get(wave, wave), 14)) for wave in waves]
    figure, axes = panel_grid([item for item, _ in panels], 1.7, context, columns=min(4, len(kinds)), sharey=True)
    for axis, (item, by) in zip(axes, panels, strict=True):
        part = shown[(shown["label"] == item) & shown["by"].isin(["all", by])]
        for number, (kind, group) in enumerate(dict.fromkeys(zip(part["by"], part["group"], strict=True))):
            mine = part[(part["by"] == kind) & (part["group"] == group)]
            joined = "none" if mine["not_comparable"].fillna("").ne("").any() else "-"
            _line(axis, mine["wave"].map(place), mine["share"], number, kind, name({"by": kind, "group": group}), joined)
        axis.set_xticks(range(len(waves)), ticks, fontsize=7)
        axis.set_xlim(-0.3, len(waves) - 0.7)
        axis.set_ylim(0, 1.03)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.grid(axis="y")
    for by in kinds:
        _legend([axis for axis, (_, kind) in zip(axes, panels, strict=True) if kind == by])
    return figure


def _legend(axes: list) -> None:
    """Name the groups of one kind once, below the last of its panels, where no line is covered."""
    found = {name: handle for axis in axes for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    axes[-1].legend(found.values(), found.keys(), fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)


def _line(axis, waves: pd.Series, shares: pd.Series, number: int, kind: str, name: str, joined: str) -> None:
    if kind == "center_id":
        axis.plot(waves, shares, color=style.RULE, linewidth=0.9, linestyle=joined, marker=".", markersize=3, zorder=1)
        return
    look = {"color": style.INK if kind == "all" else style.PALETTE[(number - 1) % 5], "marker": style.MARKERS[number % len(style.MARKERS)]}
    axis.plot(waves, shares, linewidth=2.4 if kind == "all" else 1.2, linestyle=joined, markersize=4, label=name, zorder=2, **look)
