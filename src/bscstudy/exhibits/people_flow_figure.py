"""The flow of people as a diagram, drawn in inches so that words and boxes keep their distance."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context

BOX, LEAST_GAP, MARGIN = 1.3, 1.05, 0.12
TALL, ABOVE, BELOW, HEAD = 0.86, 0.62, 0.52, 0.3
PANEL = HEAD + ABOVE + TALL + BELOW


def flow_diagram(data: pd.DataFrame, context: Context, *, merged: bool = False):
    """Return the figure: a row of boxes for each group, with arrows between the waves.

    Parameters
    ----------
    data : DataFrame
        `group`, `wave` (labels) and the masked counts, in the order to be drawn.
    merged : bool
        Whether `joined` are those who joined or returned.
    """
    groups = list(dict.fromkeys(data["group"]))
    n_gaps = len(data) // len(groups) - 1
    boxes = 2 * MARGIN + (n_gaps + 1) * BOX
    width = max(7.5, boxes + n_gaps * LEAST_GAP)
    gap = (width - boxes) / max(n_gaps, 1)
    height = PANEL * len(groups)
    figure, axis = style.new_figure(width, height + 0.5)
    axis.set_axis_off()
    axis.set_xlim(0, width)
    axis.set_ylim(0, height)
    for place, group in enumerate(groups):
        _panel(axis, data[data["group"] == group].to_dict("records"), height - PANEL * place, gap, by_role=place > 0, merged=merged)
    style.finish(figure, context)
    return figure


def _panel(axis, rows: list[dict], top: float, gap: float, *, by_role: bool, merged: bool) -> None:
    axis.text(MARGIN, top - 0.08, rows[0]["group"], fontweight="bold", fontsize=9.5, va="top")
    box_top = top - HEAD - ABOVE
    for place, row in enumerate(rows):
        left = MARGIN + place * (BOX + gap)
        _box(axis, left, box_top, row)
        if place:
            _between(axis, left, gap, box_top, row, by_role=by_role, merged=merged)


def _box(axis, left: float, top: float, row: dict) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch((left, top - TALL), BOX, TALL, boxstyle="round,pad=0,rounding_size=0.06", fc="white", ec=style.BLUE, lw=1.2)
    axis.add_patch(shape)
    name = "\n".join(textwrap.wrap(str(row["wave"]), 17, max_lines=2, placeholder="…"))
    counts = [f"{numbers.count(row['present'])} people"]
    counts += [] if numbers.is_missing(row["expected"]) else [f"{numbers.count(row['expected'])} expected"]
    counts += [f"{numbers.count(row['answered'])} answered"]
    middle = left + BOX / 2
    axis.text(middle, top - 0.06, name, ha="center", va="top", fontsize=7.8, fontweight="bold", linespacing=1.0)
    axis.text(middle, top - TALL + 0.05, "\n".join(counts), ha="center", va="bottom", fontsize=7.8, linespacing=1.15)


def _between(axis, left: float, gap: float, top: float, row: dict, *, by_role: bool, merged: bool) -> None:
    """Draw what happened between a wave and the one whose box begins at `left`."""
    middle, start = top - TALL / 2, left - gap
    _arrow(axis, (start, middle), (left, middle), style.INK)
    if numbers.is_missing(row["stayed"]):
        axis.text(left - gap / 2, middle + 0.05, "not shown", ha="center", va="bottom", fontsize=7, color=style.MUTED)
        return
    stayed = f"{numbers.count(row['stayed'])}\nstayed"
    axis.text(left - gap / 2, middle + 0.05, stayed, ha="center", va="bottom", fontsize=7.8, linespacing=1.0)
    moved = [f"{numbers.count(row['other_center'])} new center"] + ([] if by_role else [f"{numbers.count(row['from_role'])} new role"])
    axis.text(left - gap / 2, middle - 0.06, "\n".join(moved), ha="center", va="top", fontsize=7, color=style.MUTED, linespacing=1.05)
    joined = numbers.count(row["joined"])
    came = [f"{joined} joined", "or returned"] if merged else [f"{joined} joined", f"{numbers.count(row['returned'])} returned"]
    came += [f"{numbers.count(row['from_role'])} from another role"] if by_role else []
    _arrow(axis, (left + BOX / 2, top + 0.2), (left + BOX / 2, top), style.GREEN)
    axis.text(left + BOX / 2, top + 0.22, "\n".join(came), ha="center", va="bottom", fontsize=7.5, color=style.GREEN, linespacing=1.0)
    gone = [f"{numbers.count(row['left'])} left"] + ([f"{numbers.count(row['to_role'])} to another role"] if by_role else [])
    foot, bottom = start - BOX / 2, top - TALL
    _arrow(axis, (foot, bottom), (foot, bottom - 0.2), style.ORANGE)
    axis.text(foot, bottom - 0.22, "\n".join(gone), ha="center", va="top", fontsize=7.5, color=style.ORANGE, linespacing=1.0)


def _arrow(axis, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "lw": 1.1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axis.annotate("", end, start, arrowprops=look)
