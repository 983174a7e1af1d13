"""Centers and themes in the order of an outcome's change: a picture of seven or so centers, not a test."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, masking
from bscstudy.exhibits.aggregation import mean_note
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order
from bscstudy.exhibits.labels import better_end, outcome_label, words
from bscstudy.exhibits.theme_words import BANDS, center_codes, direction_mark, raised_of_asked, theme_notes
from bscstudy.integrate.rank_links import FEWEST_SESSIONS
from bscstudy.privacy import mask_counts

TABLES = ("qual/presence", "qual/theme_center", "integrate/center_themes", "centers", "measures/aggregation")
FIGURE = False
SECTIONS = ("items", "sources")
COUNTS = ["n_asked", "n_present", "n_facilitator", "n_barrier"]


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each center (collaborative, where centers may not be shown), the most wanted change first."""
    frame = tables.get("integrate/center_themes")
    outcome = chosen_outcome(frame, context)
    if outcome is None:
        return empty_exhibit("There is no outcome with a change for each center, or no coded interview.")
    cells = display_groups(tables, outcome, context)
    labels = context.labels("themes", "theme")
    name = outcome_label(outcome, context)
    better = better_end(outcome, context)
    notes = theme_notes(tables["qual/presence"])
    notes["Outcome"] = f"change of the center's mean of {name}{change_waves(cells)}, not adjusted; {better} is better"
    notes["Cells"] = "sessions that raised the theme of those asked; (+) more facilitators, (−) more barriers, (±) as many of both"
    notes["Small cells"] = f"counts from 1 to {context.min_cell - 1}, and what would tell them, are not shown{cells_note(cells, context)}"
    notes |= harmonised.map_note([outcome], context) | mean_note(outcome, tables)
    if context.show_centers:
        notes["Centers"] = "shown by letters drawn anew for the study; letters follow no order of the centers"
    shown = cells.drop_duplicates("group")
    return Exhibit(
        table=_table(cells, name, labels, context),
        caption=f"Themes raised in each {'center' if context.show_centers else 'collaborative'}, in the order of the change in {name}"
        + change_waves(cells),
        notes=notes,
        sentences=_sentences(cells, name, better, context),
        data=shown[["group", "outcome_change"]].reset_index(drop=True),
    )


def chosen_outcome(frame: pd.DataFrame | None, context: Context) -> str | None:
    """Return the option `outcome` if the table has it, else the first outcome in the order of the theory of change; None without one."""
    if frame is None or frame.empty:
        return None
    known = set(frame.loc[frame["outcome_change"].notna(), "outcome"])
    wanted = context.option_list("outcome")
    constructs = sorted(context.config.get("theory_of_change", {}).get("constructs", []), key=lambda c: c.get("order") or 0)
    order = [scale for construct in constructs for scale in construct.get("scales") or []]
    return next((name for name in [*wanted, *order, *sorted(known)] if name in known), None)


def change_waves(cells: pd.DataFrame) -> str:
    """Return ``, T1 to T3`` for the waves of the outcome's change, nothing where they are not known."""
    known = cells["outcome_waves"].dropna() if "outcome_waves" in cells.columns else cells.iloc[:0, 0]
    return f", {known.iloc[0]}" if len(known) else ""


def display_groups(tables: dict[str, pd.DataFrame], outcome: str | None, context: Context) -> pd.DataFrame:
    """Return group x theme with counts, the most wanted change first, centers without a change last.

    Returns
    -------
    DataFrame
        `group` (letter of a center, or label of a collaborative), `collaborative`, `outcome_waves`, `outcome_change`, `theme`,
        `n_asked`, `n_present`, `share`, `n_facilitator`, `n_barrier`, `net_direction` (these missing where they may not be shown),
        `raised` and `mark` (how many raised the theme and its direction, as shown).
    """
    centers = tables["centers"]
    if outcome is None:
        cells = _without_outcome(tables["qual/theme_center"], centers, context)
    else:
        whole = tables["integrate/center_themes"]
        cells = whole[whole["outcome"] == outcome]
    names = context.labels("collaboratives")
    cells = cells.assign(collaborative=cells["collaborative"].map(lambda c: names.get(c, "")))
    cells = cells.assign(n_centers_raised=(cells["n_present"] > 0).groupby(cells["theme"]).transform("sum"))
    if context.show_centers:
        codes = center_codes(centers, context)
        cells = cells.assign(group=cells["center_id"].map(codes))
        cells = cells.assign(width=cells["group"].str.len())
        ordered = cells.sort_values(["outcome_rank", "width", "group", "theme"], kind="stable", na_position="last")
        return _withheld(ordered.drop(columns=["center_id", "width"]).reset_index(drop=True), context)
    return _withheld(_by_collaborative(cells, better_end(outcome, context) if outcome else "none"), context)


def _withheld(cells: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Take the counts from cells with few sessions or one center alone raising the theme, and from what would give them away.

    A center's cell keeps whether less than half or at least half of its sessions raised the theme, if `FEWEST_SESSIONS` were asked.
    """
    counts = (cells["n_asked"], cells["n_present"])
    masked = mask_counts(cells, ["n_asked", "n_present"], context.min_cell, ["theme"])[["n_asked", "n_present"]]
    own = masked.map(lambda cell: isinstance(cell, str)).any(axis=1) | ((cells["n_present"] > 0) & (cells["n_centers_raised"] == 1))
    hidden = masking.with_complement(own, counts, cells[["theme"]], context.min_cell)
    half = cells["n_present"] * 2 >= cells["n_asked"]
    enough = hidden & context.show_centers & (cells["n_asked"] >= FEWEST_SESSIONS)
    raised = cells.apply(raised_of_asked, axis=1, args=(context.min_cell,)).where(~hidden, "hidden")
    raised = raised.mask(masked["n_asked"].eq(f"<{context.min_cell}"), f"<{context.min_cell} asked")
    raised = raised.mask(enough, half.map({True: BANDS[1], False: BANDS[0]}))
    marks = cells["net_direction"].where(~hidden | (enough & half)).map(direction_mark)
    blank = {name: cells[name].astype(float).where(~hidden) for name in [*COUNTS, "share", "net_direction"]}
    return cells.assign(**blank, raised=raised, mark=marks).drop(columns="n_centers_raised")


def cells_note(cells: pd.DataFrame, context: Context) -> str:
    """Return what is said of cells in which a half stands for counts; blank where there are none."""
    if not cells["raised"].isin(BANDS).any():
        return ""
    return (
        f"; of a center with so few, only whether less than half or at least half of its sessions raised the theme, and that only "
        f"from {FEWEST_SESSIONS} sessions asked"
    )


def _without_outcome(theme_center: pd.DataFrame, centers: pd.DataFrame, context: Context) -> pd.DataFrame:
    whole = theme_center[theme_center["wave"] == "all"]
    grid = centers[["center_id", "collaborative"]].merge(pd.DataFrame({"theme": list(context.labels("themes", "theme"))}), how="cross")
    cells = grid.merge(whole[["center_id", "theme", "share", "net_direction", *COUNTS]], on=["center_id", "theme"], how="left")
    return cells.assign(outcome_change=float("nan"), outcome_rank=float("nan"), **{c: cells[c].fillna(0).astype(int) for c in COUNTS})


def _by_collaborative(cells: pd.DataFrame, better: str) -> pd.DataFrame:
    counts = cells.groupby(["collaborative", "theme"], as_index=False)[COUNTS].sum()
    raised = cells[cells["n_present"] > 0].groupby(["collaborative", "theme"]).size().rename("n_centers_raised")
    counts = counts.join(raised, on=["collaborative", "theme"]).fillna({"n_centers_raised": 0})
    change = cells.drop_duplicates("center_id").groupby("collaborative")["outcome_change"].mean()
    counts["group"] = counts["collaborative"]
    counts["outcome_change"] = counts["collaborative"].map(change)
    counts["outcome_waves"] = cells["outcome_waves"].iloc[0] if "outcome_waves" in cells.columns and len(cells) else None
    counts["share"] = counts["n_present"] / counts["n_asked"].where(counts["n_asked"] > 0)
    both = counts["n_facilitator"] + counts["n_barrier"]
    counts["net_direction"] = (counts["n_facilitator"] - counts["n_barrier"]) / both.where(both > 0)
    sign = 1 if better == "lower" else -1
    return (
        counts.assign(_order=counts["outcome_change"] * sign)
        .sort_values(["_order", "group", "theme"], kind="stable")
        .drop(columns="_order")
        .reset_index(drop=True)
    )


def _table(cells: pd.DataFrame, outcome: str, labels: dict[str, str], context: Context) -> pd.DataFrame:
    themes = in_order(cells["theme"], list(labels))
    rows = []
    for group, part in cells.groupby("group", sort=False):
        of_theme = part.set_index("theme").to_dict("index")
        first = part.iloc[0]
        row = {"Center": group, "Collaborative": first["collaborative"]} if context.show_centers else {"Collaborative": group}
        row[f"Change in {outcome}{change_waves(cells)}"] = numbers.estimate(first["outcome_change"], signed=True)
        row |= {labels.get(theme, words(theme)): f"{of_theme[theme]['raised']} {of_theme[theme]['mark']}".strip() for theme in themes}
        rows.append(row)
    return pd.DataFrame(rows)


def _sentences(cells: pd.DataFrame, outcome: str, better: str, context: Context) -> tuple[str, ...]:
    groups = cells.drop_duplicates("group").dropna(subset=["outcome_change"])
    if groups.empty:
        return ()
    wanted = int(((groups["outcome_change"] < 0) if better == "lower" else (groups["outcome_change"] > 0)).sum())
    kind = "center" if context.show_centers else "collaborative"
    verb = "fell" if better == "lower" else "rose"
    low, high = groups["outcome_change"].min(), groups["outcome_change"].max()
    return (
        f"The mean of {outcome}{change_waves(cells)}, {verb} in {numbers.count_of(wanted, len(groups))} {kind}s; changes ran from "
        f"{numbers.estimate(low, signed=True)} to {numbers.estimate(high, signed=True)} points.",
    )
