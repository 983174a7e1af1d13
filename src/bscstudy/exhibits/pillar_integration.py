"""Pillar integration: results and themes listed and matched by the program, checked and built into pillars by the researchers."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.joint_display import BLOCKS, fidelity_cell, observed_cell, survey_cell
from bscstudy.exhibits.joint_side_by_side import TODO, theme_findings
from bscstudy.exhibits.labels import words
from bscstudy.exhibits.model_notes import EQUAL_GROUPS, harmonised_note, model_notes
from bscstudy.exhibits.theme_words import theme_notes

TABLES = ("integrate/joint_display", "models/fits", "qual/presence", "qual/theme_summary")
FIGURE = True
SECTIONS = ("integration",)
STRANDS = {"survey": "Survey", "observation": "Observation", "fidelity": "Fidelity", "themes": "Interviews"}
STEPS = {"checking": "Checked", "pillar": "Pillar"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each construct that a strand speaks of; option `constructs` shows some of them."""
    frame = tables.get("integrate/joint_display")
    if frame is None or frame.empty:
        return empty_exhibit("The study has no coded interviews, no model of change, or no constructs to match.")
    frame = context.chosen(frame, constructs="construct").sort_values("place", kind="stable").reset_index(drop=True)
    written = {pillar["construct"]: pillar for pillar in context.config.get("integration", {}).get("pillars", [])}
    rows = [(row, speaking(row), written.get(row["construct"], {})) for row in frame.to_dict("records")]
    rows = [(row, strands, own) for row, strands, own in rows if strands]
    if not rows:
        return empty_exhibit("No strand speaks of any construct.")
    fits = tables["models/fits"]
    return Exhibit(
        table=pd.DataFrame([_row(row, strands, own, tables["qual/theme_summary"], context) for row, strands, own in rows]),
        caption="Pillar integration: listing, matching, checking and pillars",
        notes=_notes(fits[fits["model"].isin(frame["model"].dropna())], tables["qual/presence"], rows, context),
        sentences=_sentences(rows),
        group_by="Part",
        figure=_figure(rows, context),
        alt=_alt(rows),
        data=pd.DataFrame([{"construct": row["construct"], **_marks(strands, own)} for row, strands, own in rows]),
    )


def speaking(row: dict) -> list[str]:
    """Return the strands that have something to say of a construct; interviews do where a session asked raised a theme of it."""
    has = {
        "survey": not numbers.is_missing(row["change"]),
        "observation": not numbers.is_missing(row["observation_change"]),
        "fidelity": not numbers.is_missing(row["fidelity"]),
        "themes": row["n_present"] > 0,
    }
    return [strand for strand in STRANDS if has[strand]]


def matching(strands: list[str]) -> str:
    """Return how what was listed matches: results with themes, or one side alone."""
    results = [STRANDS[strand].lower() for strand in strands if strand != "themes"]
    if "themes" not in strands:
        return f"{numbers.listed(results)} alone; no theme to match"
    return f"{numbers.listed(results)} with themes" if results else "themes alone; no result to match"


def _row(row: dict, strands: list[str], own: dict, summary: pd.DataFrame, context: Context) -> dict:
    results = [("survey", f"Survey change {survey_cell(row)}"), ("observation", observed_cell(row, context))]
    listed = [text for strand, text in [*results, ("fidelity", fidelity_cell(row, context))] if strand in strands]
    return {
        "Part": BLOCKS.get(row["block"], words(row["block"])),
        "Domain": row["label"],
        "1 Listing: results": "; ".join(listed) or numbers.MISSING,
        "1 Listing: themes": "; ".join(theme_findings(row["construct"], summary, context)) or numbers.MISSING,
        "2 Matching": matching(strands),
        "3 Checking": own.get("checking", TODO),
        "4 Pillar": own.get("pillar", TODO) + _signed(own),
    }


def _signed(own: dict) -> str:
    named = [own[key] for key in ("author", "date") if own.get(key)]
    return f" ({', '.join(named)})" if named and "pillar" in own else ""


def _marks(strands: list[str], own: dict) -> dict[str, int]:
    return {strand: int(strand in strands) for strand in STRANDS} | {step: int(step in own) for step in STEPS}


def _notes(fits: pd.DataFrame, presence: pd.DataFrame, rows: list, context: Context) -> dict[str, str]:
    survey, themes = model_notes(fits, row_each=False), theme_notes(presence)
    names = ("Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions")
    notes = {name: f"survey: {survey[name]}. Themes: {themes[name]}." for name in names}
    notes["Steps"] = (
        "listing and matching are made by the program: results and themes are matched where config/theory_of_change.yaml and "
        "config/qual/themes.csv name the same construct. Checking and pillars are the researchers' (config/integration.yaml); "
        f"{TODO} where they have not written them yet"
    )
    notes["Survey"] = f"95% intervals, not adjusted for several constructs; {EQUAL_GROUPS}"
    notes["Direction"] = themes["Direction"]
    notes["Small cells"] = f"counts of sessions from 1 to {context.min_cell - 1} are not shown, nor the direction of so few"
    return notes | harmonised_note(fits)


def _sentences(rows: list) -> tuple[str, ...]:
    matched = sum("themes" in strands and len(strands) > 1 for _, strands, _ in rows)
    built = sum("pillar" in own for _, _, own in rows)
    return (
        f"Results and themes match in {numbers.count(matched)} of {numbers.plural(len(rows), 'domain')}; "
        f"pillars are written for {numbers.count(built)}.",
    )


def _figure(rows: list, context: Context):
    figure, axis = style.new_figure(7.5, 1.4 + 0.3 * len(rows))
    columns = {**STRANDS, **STEPS}
    places = list(range(len(rows)))[::-1]
    for place, (_, strands, own) in zip(places, rows, strict=True):
        marks = _marks(strands, own)
        for x, name in enumerate(columns):
            colour = style.ORANGE if name == "themes" else style.GREEN if name in STEPS else style.BLUE
            if marks[name]:
                axis.plot([x], [place], marker="s", markersize=11, color=colour, linestyle="none")
            else:
                axis.plot([x], [place], marker="s", markersize=11, markerfacecolor="white", markeredgecolor=style.RULE, linestyle="none")
    axis.axvline(len(STRANDS) - 0.5, color=style.RULE, linewidth=1)
    axis.set_xticks(range(len(columns)), columns.values())
    axis.xaxis.tick_top()
    axis.set_xlim(-0.6, len(columns) - 0.4)
    axis.set_yticks(places, [textwrap.fill(row["label"], 40) for row, _, _ in rows])
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.tick_params(axis="both", length=0)
    style.finish(figure, context)
    style.add_foot(
        figure, "Filled: the strand speaks of the domain (left), the researchers have written the step (right). Empty: not, or not yet."
    )
    return figure


def _alt(rows: list) -> str:
    counts = {name: sum(_marks(strands, own)[name] for _, strands, own in rows) for name in (*STRANDS, *STEPS)}
    each = [f"{words(name)} {numbers.count(count)}" for name, count in counts.items()]
    return f"Grid of {numbers.plural(len(rows), 'domain')} by strand and step, filled where there is something: {numbers.listed(each)}."
