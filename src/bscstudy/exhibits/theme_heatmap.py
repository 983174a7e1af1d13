"""Themes by center as a heat map in the order of an outcome's change, and by wave and role as a table."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, heat_maps, style
from bscstudy.exhibits.aggregation import mean_note
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.exhibits.center_themes import cells_note, change_waves, chosen_outcome, display_groups
from bscstudy.exhibits.labels import better_end, outcome_label, words
from bscstudy.exhibits.theme_words import BANDS, UNITS, direction_words, few_raised, part_cell, raised_of_asked, theme_notes, withheld_parts

TABLES = ("qual/presence", "qual/theme_summary", "qual/theme_center", "integrate/center_themes", "centers", "measures/aggregation")
FIGURE = True
SECTIONS = ("items", "sources")
#: shade of the cells of which only so much is shown
SHADES = dict(zip(BANDS, (0.25, 0.75), strict=True))


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return themes by wave and role (table) and by center (figure; by collaborative where centers may not be shown)."""
    summary = tables.get("qual/theme_summary")
    if summary is None or summary.empty:
        return empty_exhibit("No interview or focus group was coded.")
    labels = context.labels("themes", "theme")
    sessions = summary[summary["unit"] == "session"]
    outcome = chosen_outcome(tables.get("integrate/center_themes"), context)
    groups = display_groups(tables, outcome, context)
    cells = groups.assign(theme_label=groups["theme"].map(lambda theme: labels.get(theme, words(theme))))
    whole = sessions[(sessions["wave"] == "all") & (sessions["role"] == "all")]
    notes = theme_notes(tables["qual/presence"])
    if outcome:
        notes["Order of the figure"] = (
            f"change of the center's mean of {outcome_label(outcome, context)}{change_waves(cells)}, not adjusted; "
            f"{better_end(outcome, context)} is better, the most wanted first"
        )
        notes |= harmonised.map_note([outcome], context) | mean_note(outcome, tables)
    notes["Small cells"] = (
        f"counts from 1 to {context.min_cell - 1}, those of a theme that only one center raised, and what would give them away, are not "
        "shown, nor the share and direction of so few; of a theme that one center raised, whether less than half or at least half of "
        "those asked raised it"
    ) + cells_note(groups, context)
    return Exhibit(
        table=_table(sessions, labels, context),
        caption=f"In how many of the {UNITS} that were asked each theme was raised",
        notes=notes,
        sentences=_sentences(whole[~whole.apply(few_raised, axis=1, args=(context.min_cell,))], labels),
        figure=_figure(cells, outcome, labels, context),
        alt=_alt(cells, outcome, context),
        data=cells[["group", "collaborative", "outcome_change", "theme", "n_asked", "n_present", "share", "net_direction", "raised"]],
    )


def _table(sessions: pd.DataFrame, labels: dict[str, str], context: Context) -> pd.DataFrame:
    themes = in_order(sessions["theme"], list(labels))
    waves = [w for w in in_order(sessions["wave"], wave_order(context)) if w != "all"]
    roles = [r for r in in_order(sessions["role"], list(context.labels("roles"))) if r != "all"]
    parts = {(row["theme"], row["wave"], row["role"]): row for row in withheld_parts(sessions, context.min_cell).to_dict("records")}
    whole = sessions[sessions["wave"].eq("all") & sessions["role"].eq("all")].set_index("theme").to_dict("index")
    rows = []
    for theme in themes:
        everyone, shown = whole[theme], not few_raised(whole[theme], context.min_cell)
        row = {
            "Theme": labels.get(theme, words(theme)),
            "All": raised_of_asked(everyone, context.min_cell),
            "Share (95% interval)": _share(everyone) if shown else numbers.MISSING,
            "Direction": numbers.estimate(everyone["net_direction"] if shown else None, signed=True),
        }
        row |= {context.labels("waves").get(wave, wave): _part_cell(parts.get((theme, wave, "all")), context) for wave in waves}
        if len(roles) > 1:
            names = context.labels("roles")
            row |= {names.get(role, words(role)): _part_cell(parts.get((theme, "all", role)), context) for role in roles}
        rows.append(row | {"Centers": numbers.count(everyone["n_centers"])})
    return pd.DataFrame(rows)


def _share(row: dict) -> str:
    if numbers.is_missing(row["share"]):
        return numbers.MISSING
    return f"{numbers.percent(row['share'])} ({numbers.percent(row['low'])} to {numbers.percent(row['high'])})"


def _part_cell(row: dict | None, context: Context) -> str:
    return numbers.MISSING if row is None else part_cell(row, context.min_cell)


def _sentences(whole: pd.DataFrame, labels: dict[str, str]) -> tuple[str, ...]:
    known = whole[whole["n_present"] > 0].sort_values(["share", "theme"], ascending=[False, True], kind="stable")
    said = []
    for wanted, sign in (("facilitator", 1), ("barrier", -1)):
        found = known[known["net_direction"] * sign > 0].head(1)
        for row in found.to_dict("records"):
            said.append(
                f"{labels.get(row['theme'], words(row['theme']))} was the most widely raised theme named more often as a {wanted}: "
                f"{numbers.count_of(row['n_present'], row['n_asked'])} of the {UNITS} that were asked "
                f"(95% interval {numbers.percent(row['low'])} to {numbers.percent(row['high'])})."
            )
    if not said:
        for row in known.head(1).to_dict("records"):
            said.append(
                f"{labels.get(row['theme'], words(row['theme']))} was raised most widely: "
                f"{numbers.count_of(row['n_present'], row['n_asked'])}, {direction_words(row['net_direction'])}."
            )
    return tuple(said)


def _figure(cells: pd.DataFrame, outcome: str | None, labels: dict[str, str], context: Context):
    import seaborn

    groups = list(dict.fromkeys(cells["group"]))
    themes = in_order(cells["theme"], list(labels))
    shades = cells.assign(shade=cells["share"].fillna(cells["raised"].map(SHADES)))
    shares = shades.pivot(index="theme", columns="group", values="shade").reindex(index=themes, columns=groups)
    change = cells.drop_duplicates("group").set_index("group")["outcome_change"].reindex(groups)
    ratios = [1, max(4, len(themes))]
    figure, (strip, grid) = style.new_figure(7.5, 1.9 + 0.3 * len(themes), 2, 1, height_ratios=ratios, sharex=False)
    shown = [labels.get(theme, words(theme)) for theme in themes]
    bar, colours = _shading(cells)
    seaborn.heatmap(shares, ax=grid, cmap=colours, vmin=0, vmax=1, yticklabels=shown, xticklabels=groups, cbar_kws=bar, **heat_maps.CELLS)
    heat_maps.hatch_missing(grid, shares, heat_maps.NOT_SHOWN)
    title = f"Change of the center's mean{change_waves(cells)}: {outcome_label(outcome, context)}" if outcome else ""
    heat_maps.outcome_strip(strip, change, title)
    grid.set(xlabel="Center (letter), in the order of the change" if context.show_centers else "Collaborative", ylabel="")
    grid.tick_params(axis="both", length=0)
    grid.tick_params(axis="x", rotation=0)
    style.finish(figure, context)
    return figure


def _shading(cells: pd.DataFrame) -> tuple[dict, object]:
    """Return the bar beside the map and its colours: two where no cell shows more than whether it was half."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    bar = {"label": "Share of asked sessions", "ticks": [0, 0.5, 1], "format": lambda v, _: numbers.percent(v)}
    colours = colormaps["Blues"]
    if not cells["raised"].isin(SHADES).any():
        return bar, colours
    bar |= {"ticks": list(SHADES.values()), "format": lambda v, _: next(name for name, shade in SHADES.items() if shade == v)}
    return bar, colours if cells["share"].notna().any() else ListedColormap([colours(shade) for shade in SHADES.values()])


def _alt(cells: pd.DataFrame, outcome: str | None, context: Context) -> str:
    kind = "centers" if context.show_centers else "collaboratives"
    change = f"{outcome_label(outcome, context)}{change_waves(cells)}" if outcome else ""
    order = f", in the order of the change in {change}, which a strip above shows" if outcome else ""
    blank = int((cells["share"].isna() & ~cells["raised"].isin(BANDS)).sum())
    return (
        f"Heat map of {cells['theme'].nunique()} themes by {cells['group'].nunique()} {kind}{order}. Darker cells: a larger share of the "
        f"asked sessions raised the theme. {numbers.plural(blank, 'cell')} hatched: not asked, not coded, or too few to show."
    )
