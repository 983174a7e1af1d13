"""The figure of links: the centers by letters where they may be shown, else the correlations with their ranges."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.center_themes import display_groups
from bscstudy.exhibits.theme_words import BANDS, center_codes
from bscstudy.privacy import is_small

#: where the centers stand of whose share only so much is shown
PLACES = dict(zip(BANDS, (0.25, 0.75), strict=True))
#: letters of one place side by side, and how close two outcomes may come, in shares of the axes
STEP, NEAR = 0.055, 0.085


def links_figure(records: list[dict], names: dict[str, tuple[str, str]], tables: dict[str, pd.DataFrame], context: Context):
    """Return small charts of outcome by theme, one a link; of correlations alone where single centers may not be shown."""
    if not context.show_centers:
        return _ranges(records, names, context)
    columns = min(3, len(records))
    lines = -(-len(records) // columns)
    figure, axes = style.new_figure(2.9 * columns + 0.3, 2.75 * lines + 0.4, lines, columns, squeeze=False)
    cells = display_groups(tables, None, context).set_index(["theme", "group"])
    for axis, row in zip(axes.flat, records, strict=False):
        points = _points(row, tables, cells, context)
        _panel(axis, row, points, *names[row["link"]])
    for axis in list(axes.flat)[len(records) :]:
        axis.set_visible(False)
    style.finish(figure, context)
    style.add_foot(
        figure,
        f"Letters are centers, drawn anew for the study. Where fewer than {context.min_cell} sessions were asked or raised the theme, only "
        "whether less than half or at least half raised it is shown; side by side there they stand in no order.",
    )
    return figure


def _points(row: dict, tables: dict[str, pd.DataFrame], cells: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return letter, place of the theme (share, or where its half stands) and outcome of the centers that may be shown."""
    values = tables["integrate/theme_link_centers"]
    own = values[(values["link"] == row["link"]) & values["theme_value"].notna() & values["outcome_value"].notna()]
    letters = own["center_id"].map(center_codes(tables["centers"], context))
    shown = cells.loc[row["theme"]].reindex(letters)
    place = shown["share"].astype(float).where(shown["share"].notna(), shown["raised"].map(PLACES)).to_numpy()
    points = pd.DataFrame({"letter": letters.to_numpy(), "x": place, "y": own["outcome_value"].to_numpy()})
    points["banded"] = shown["share"].isna().to_numpy()
    points["few"] = own["n_people"].map(lambda n: is_small(n, context.min_cell)).to_numpy()
    return points


def _panel(axis, row: dict, points: pd.DataFrame, theme: str, outcome: str) -> None:
    drawn = points[points["x"].notna() & ~points["few"]].sort_values(["y", "letter"], kind="stable")
    exact = drawn[~drawn["banded"]]
    reach = float(drawn["y"].max() - drawn["y"].min()) or 1.0 if len(drawn) else 1.0
    if drawn.empty:
        axis.text(0.5, 0.5, "too few people\nor sessions to show", transform=axis.transAxes, ha="center", va="center", color=style.MUTED)
    else:
        axis.set_ylim(drawn["y"].min() - 0.1 * reach, drawn["y"].max() + 0.1 * reach)
    for place, part in drawn.groupby("x"):
        for offset, point in zip(_side_by_side(part["y"].to_list(), NEAR * reach), part.to_dict("records"), strict=True):
            colour = style.BLUE if point["banded"] else style.ORANGE
            axis.text(place + offset * STEP, point["y"], point["letter"], ha="center", va="center", fontsize=7.5, color=colour)
    axis.axvline(0.5, color=style.RULE, linewidth=1, zorder=1)
    if len(drawn) and drawn["y"].min() < 0 < drawn["y"].max():
        axis.axhline(0, color=style.RULE, linewidth=1, zorder=1)
    axis.set_xlim(-0.06, 1.06)
    axis.set_xticks(*(([0, 0.5, 1], ["0%", "50%", "100%"]) if len(exact) else ([0.25, 0.75], ["less than\nhalf", "half or\nmore"])))
    axis.set_xlabel(textwrap.fill(theme, 34))
    axis.set_ylabel(textwrap.fill(outcome, 26), fontsize=8)
    hidden = len(points) - len(drawn)
    said = f"rho {numbers.estimate(row['rho'], signed=True)}, {numbers.count(row['n_centers'])} centers"
    axis.set_title(said + (f"\n({numbers.count(hidden)} not drawn: too few)" if hidden else ""), fontsize=8.5)


def _side_by_side(heights: list[float], near: float) -> list[int]:
    """Return steps to the side (0, 1, -1, 2, ...) so that letters of one place at about one height do not cover each other."""
    order = [0, 1, -1, 2, -2, 3, -3, 4, -4]
    taken: list[tuple[float, int]] = []
    for height in heights:
        beside = {step for other, step in taken if abs(other - height) < near}
        taken.append((height, next((step for step in order if step not in beside), 0)))
    return [step for _, step in taken]


def _ranges(records: list[dict], names: dict[str, tuple[str, str]], context: Context):
    figure, axis = style.new_figure(7.5, 1.3 + 0.5 * len(records))
    places = list(range(len(records)))[::-1]
    axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    for place, row in zip(places, records, strict=True):
        if numbers.is_missing(row["rho"]):
            axis.text(0.02, place, "not computed", va="center", fontsize=8, color=style.MUTED)
            continue
        if not numbers.is_missing(row["rho_share_low"]):
            axis.hlines(place - 0.14, row["rho_share_low"], row["rho_share_high"], color=style.ORANGE, linewidth=1.4)
        axis.hlines(place, row["rho_without_low"], row["rho_without_high"], color=style.BLUE, linewidth=4, alpha=0.5)
        axis.plot([row["rho"]], [place], marker="o", color=style.BLUE, markersize=6, linestyle="none", zorder=3)
    axis.set_yticks(places, ["\n".join(textwrap.wrap(" · ".join(names[row["link"]]), 42)) for row in records])
    axis.set_ylim(-0.6, len(records) - 0.4)
    axis.set_xlim(-1.03, 1.03)
    axis.grid(axis="x", zorder=0)
    axis.set_xlabel("Spearman's rho across centers")
    style.finish(figure, context)
    style.add_foot(figure, "Thick: range without one center. Thin: range within the error of the shares (see the note below the table).")
    return figure
