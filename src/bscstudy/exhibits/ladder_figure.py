"""Panels of one question each: the estimate and interval by every method, one below the other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.exhibits import style
from bscstudy.exhibits.model_choice import MOST_PANELS
from bscstudy.exhibits.model_words import RUNG_WORDS, rung_words
from bscstudy.exhibits.panels import panel_grid


def ladder_figure(drawn: pd.DataFrame, context):
    """Return the figure of the drawn questions.

    Parameters
    ----------
    drawn : DataFrame
        question, title, label, rung, estimate, low, high; one row for each method. A method that a panel lacks stays blank.
    """
    parts = dict(list(drawn.groupby("question", sort=False))[:MOST_PANELS])
    known = {rung for part in parts.values() for rung in part["rung"]}
    rungs = [r for r in RUNG_WORDS if r in known] + sorted(known - set(RUNG_WORDS))
    figure, axes = panel_grid(
        [_title(part) for part in parts.values()],
        0.55 + 0.19 * len(rungs),
        context,
        columns=3,
        letters={1: 70, 2: 33}.get(len(parts), 24),
        sharey=True,
    )
    for axis, part in zip(axes, parts.values(), strict=True):
        _draw(axis, part, rungs)
    axes[0].set_yticks(range(len(rungs)), [rung_words(r) for r in reversed(rungs)])
    axes[0].set_ylim(-0.6, len(rungs) - 0.4)
    figure.supxlabel("Estimate, in the units of the model (point and 95% interval)", fontsize=9)
    return figure


def _title(part: pd.DataFrame) -> str:
    return f"{part['title'].iloc[0]}\n{part['label'].iloc[0]}"


def _draw(axis, part: pd.DataFrame, rungs: list[str]) -> None:
    axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    reach = _reach(part)
    for row in part.to_dict("records"):
        number = rungs.index(row["rung"])
        place = len(rungs) - 1 - number
        if not np.isfinite(row["estimate"]):
            axis.text(0.03, place, "does not apply", transform=axis.get_yaxis_transform(), va="center", fontsize=7, color=style.MUTED)
            continue
        color, marker = (
            style.PALETTE[number % len(style.PALETTE)],
            style.MARKERS[(number + number // len(style.PALETTE)) % len(style.MARKERS)],
        )
        bounded = not (np.isnan(row["low"]) or np.isnan(row["high"]))
        if bounded:
            ends = np.clip([row["low"], row["high"]], *reach)
            axis.plot(ends, [place, place], color=color, linewidth=1.6, zorder=2)
        axis.plot(row["estimate"], place, marker, color=color, markersize=4.5, markerfacecolor=color if bounded else "white", zorder=3)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=7.5)
    axis.locator_params(axis="x", nbins=4)
    axis.grid(axis="x", zorder=0)
    axis.spines["left"].set_visible(False)


def _reach(part: pd.DataFrame) -> tuple[float, float]:
    """Return how far intervals without an end are drawn: a little beyond the finite limits."""
    values = part[["estimate", "low", "high"]].to_numpy(float)
    values = values[np.isfinite(values)]
    if not len(values):
        return -1.0, 1.0
    extra = 0.1 * (values.max() - values.min() or 1.0)
    return float(values.min() - extra), float(values.max() + extra)
