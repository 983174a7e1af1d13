"""Statistics by themes: the change of an outcome in the centers where a theme was raised widely, and in the others."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, style
from bscstudy.exhibits.aggregation import mean_note
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in
from bscstudy.exhibits.center_themes import change_waves, chosen_outcome
from bscstudy.exhibits.labels import better_end, lower_first, outcome_label, words
from bscstudy.exhibits.theme_words import theme_notes
from bscstudy.integrate.rank_links import FEWEST_SESSIONS, SPLIT_RULES

TABLES = ("integrate/theme_groups", "integrate/center_themes", "qual/presence", "measures/aggregation")
FIGURE = True
SECTIONS = ("items", "sources")
GROUPS = {"high": "half or more of the sessions raised it", "low": "fewer raised it"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each theme; options: `outcome` (a scale), `themes`."""
    outcome = chosen_outcome(tables.get("integrate/center_themes"), context)
    if outcome is None:
        return empty_exhibit("There is no outcome with a change for each center, or no coded interview.")
    groups = tables["integrate/theme_groups"]
    rows = context.chosen(groups[groups["outcome"] == outcome], themes="theme")
    labels = context.labels("themes", "theme")
    rows = rows.assign(_place=places_in(rows["theme"], list(labels)), label=[labels.get(t, words(t)) for t in rows["theme"]])
    rows = _withheld(rows.sort_values("_place", kind="stable"), context)
    name = f"{outcome_label(outcome, context)}{change_waves(rows)}"
    return Exhibit(
        table=pd.DataFrame([_row(row) for row in rows.to_dict("records")]),
        caption=f"Change in {lower_first(name)}, in centers that raised a theme widely and in the others",
        notes=_notes(outcome, name, rows, tables["qual/presence"], context)
        | harmonised.map_note([outcome], context)
        | mean_note(outcome, tables),
        sentences=_sentences(rows, name),
        figure=_figure(rows, name, context),
        alt=_alt(rows, name),
        data=rows[["theme", "high_n_centers", "high_mean", "low_n_centers", "low_mean", "difference", "p_value"]],
    )


def _withheld(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Take the means of themes with a group of one center, where single centers may not be shown: either mean would tell the other."""
    alone = (rows[["high_n_centers", "low_n_centers"]] == 1).any(axis=1) & (not context.show_centers)
    told = ["high_mean", "high_sd", "low_mean", "low_sd", "difference", "p_value", "smallest_p"]
    return rows.assign(alone=alone, **{name: rows[name].mask(alone) for name in told})


def _row(row: dict) -> dict:
    cells = {"Theme": row["label"]}
    for group, said in GROUPS.items():
        mean = numbers.estimate(row[f"{group}_mean"], signed=True)
        spread = "" if numbers.is_missing(row[f"{group}_sd"]) else f" (SD {numbers.estimate(row[f'{group}_sd'])})"
        cells[f"Centers: {said}"] = numbers.count(row[f"{group}_n_centers"])
        cells[f"Mean change: {said}"] = mean + spread
    cells["Difference"] = numbers.estimate(row["difference"], signed=True)
    return cells | {"Exact p (smallest possible)": _p(row)}


def _p(row: dict) -> str:
    if numbers.is_missing(row["p_value"]):
        return "not shown: one center" if row["alone"] else "no two groups"
    return f"{numbers.p_value(row['p_value'])} ({numbers.p_value(row['smallest_p'])})"


def _notes(outcome: str, name: str, rows: pd.DataFrame, presence: pd.DataFrame, context: Context) -> dict[str, str]:
    themes = theme_notes(presence)
    low, high = (numbers.count((rows["high_n_centers"] + rows["low_n_centers"]).agg(how)) for how in ("min", "max"))
    notes = {
        "Estimator": "plain means and standard deviations of the centers' changes; p by all assignments of the centers to groups of these "
        "sizes, two-sided by the absolute difference, ties counted",
        "Degrees of freedom": "none; permutation tests",
        "n": themes["n"],
        "Clusters": f"{low if low == high else f'{low} to {high}'} centers with a change and enough sessions",
        "Exclusions": f"centers without a change or with fewer than {FEWEST_SESSIONS} sessions asked; {themes['Exclusions']}",
        "Outcome": f"change of the center's mean of {name}, not adjusted; {better_end(outcome, context)} is better",
        "Groups": f"{SPLIT_RULES['share']}; said beforehand, not chosen by the data",
        "Several themes": f"{numbers.plural(len(rows), 'theme')}, none adjusted for; associated across centers, nothing more",
    }
    if rows["alone"].any():
        notes["Privacy"] = "single centers are not shown in this study, nor means of groups from which one center's change would follow"
    return notes


def _sentences(rows: pd.DataFrame, name: str) -> tuple[str, ...]:
    known = rows.dropna(subset=["difference"])
    if known.empty:
        return ()
    row = known.loc[known["difference"].abs().idxmax()].to_dict()
    return (
        f"The change in {lower_first(name)} differed most by {lower_first(row['label'])}: "
        f"{numbers.estimate(row['high_mean'], signed=True)} points in the {numbers.plural(row['high_n_centers'], 'center')} where at least "
        "half of the sessions raised it, "
        f"{numbers.estimate(row['low_mean'], signed=True)} in the other {numbers.count(row['low_n_centers'])} (exact "
        f"{numbers.p_value(row['p_value'], prefix=True)}, not adjusted; the largest of {numbers.plural(len(rows), 'difference')}).",
    )


def _figure(rows: pd.DataFrame, name: str, context: Context):
    figure, axis = style.new_figure(7.5, 1.5 + 0.33 * len(rows))
    places = list(range(len(rows)))[::-1]
    axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        if not numbers.is_missing(row["difference"]):
            axis.hlines(place, *sorted((row["high_mean"], row["low_mean"])), color=style.RULE, linewidth=1.5, zorder=2)
    for group, colour, marker in (("high", style.BLUE, "o"), ("low", style.ORANGE, "D")):
        axis.plot(rows[f"{group}_mean"], places, linestyle="none", marker=marker, color=colour, markersize=6, label=GROUPS[group], zorder=3)
    axis.set_yticks(places, [textwrap.fill(label, 30) for label in rows["label"]])
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        text = f"{numbers.count(row['high_n_centers'])} and {numbers.count(row['low_n_centers'])}"
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=8)
    axis.text(1.02, len(rows) - 0.4, "Centers", transform=axis.get_yaxis_transform(), va="center", fontsize=8.5)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.grid(axis="x", zorder=0)
    axis.set_xlabel(textwrap.fill(f"Mean change of centers: {name}", 70))
    figure.legend(loc="outside lower left", ncols=2)
    style.finish(figure, context)
    return figure


def _alt(rows: pd.DataFrame, name: str) -> str:
    return (
        f"For each of {numbers.plural(len(rows), 'theme')} two points: the mean change in {lower_first(name)} of the centers "
        "where at least half of the sessions raised the theme, and of the others; with the number of centers of either."
    )
