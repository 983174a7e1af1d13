"""Approved quotes by theme and by how the outcome changed in the speakers' centers. Absent unless declared."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order
from bscstudy.exhibits.center_themes import change_waves, chosen_outcome
from bscstudy.exhibits.labels import better_end, outcome_label, words
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("qual/quotes", "qual/presence", "integrate/center_themes", "people", "centers")
FIGURE = False
SECTIONS = ("items", "sources")
GROUPS = ("Upper half of centers by change", "Lower half of centers by change")
ALL = "Quotes"
FEWEST_CENTERS = 2
WHY = {
    "no_theme": "of a code without a theme",
    "not_approved": "not approved",
    "place_not_certain": "whose place in the text is not known for certain",
    "no_text": "whose text is not at hand",
    "no_group_consent": "of a group without its consent",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each quote of a theme, side by side for the halves of centers by the outcome's change."""
    quotes = tables.get("qual/quotes")
    if quotes is None or not (quotes["shown"] == 1).any():
        return empty_exhibit("No quote was approved.")
    shown = quotes[quotes["shown"] == 1].sort_values("quote", kind="stable")
    cells = tables.get("integrate/center_themes")
    outcome = chosen_outcome(cells, context)
    ranked = None if outcome is None else cells[cells["outcome"] == outcome].drop_duplicates("center_id")
    group_of = outcome_groups(ranked, tables["people"], context.min_cell)
    shown = shown.assign(group=shown["center_id"].map(group_of).fillna(ALL))
    said = [_attribution(quote, group_of, tables, context) for quote in shown.to_dict("records")]
    shown = shown.assign(said=said)
    return Exhibit(
        table=_table(shown, context),
        caption="Approved quotes by theme" + (" and by the change in the speakers' centers" if group_of else ""),
        notes=_notes(quotes, shown, ranked, group_of, outcome, context),
        group_by="Theme",
    )


def outcome_groups(ranked: pd.DataFrame | None, people: pd.DataFrame, min_cell: int) -> dict[str, str]:
    """Return center -> the half it is in by the change of the outcome; nothing where a half would have few centers or people.

    With an odd number the middle center is in the lower half. Centers without a change are in neither.
    """
    known = pd.DataFrame() if ranked is None else ranked.dropna(subset=["outcome_rank"]).sort_values(["outcome_rank", "center_id"])
    if known.empty:
        return {}
    half = len(known) // 2
    found = {center: GROUPS[place >= half] for place, center in enumerate(known["center_id"])}
    groups = pd.Series(found)
    enough = all(
        len(centers) >= FEWEST_CENTERS and fewest_people(people[people["center_id"].isin(centers)]) >= min_cell
        for centers in (groups.index[groups == name] for name in GROUPS)
    )
    return found if enough else {}


def _attribution(quote: dict, group_of: dict[str, str], tables: dict[str, pd.DataFrame], context: Context) -> str:
    """Return the role or the center's letter of a quote's speaker, blank where neither is asked for or either would point at few people.

    A role is said only where at least `min_cell` people have it in the centers of the quote's column (one director a center: never in
    few centers), a center only where at least `min_cell` of its people have a role that was interviewed; in every wave.
    """
    people = tables["people"]
    if quote["attribution"] == "role":
        centers = [center for center, group in group_of.items() if group == quote["group"]] or list(tables["centers"]["center_id"])
        able = people[people["center_id"].isin(centers) & people["role"].eq(quote["role"])]
        label = context.labels("roles").get(quote["role"], words(quote["role"])) if quote["role"] == quote["role"] else ""
    elif quote["attribution"] == "center" and context.show_centers:
        roles = tables["qual/presence"]["role"].dropna().unique()
        able = people[people["center_id"].eq(quote["center_id"]) & people["role"].isin(roles)]
        label = f"Center {center_codes(tables['centers'], context).get(quote['center_id'], '')}"
    else:
        return ""
    return label if fewest_people(able) >= context.min_cell else ""


def fewest_people(people: pd.DataFrame) -> int:
    """Return the number of people in the wave that has fewest of them; who followed whom in a post does not count as two."""
    return int(people.groupby("wave")["person_id"].nunique().min()) if len(people) else 0


def _table(shown: pd.DataFrame, context: Context) -> pd.DataFrame:
    labels = context.labels("themes", "theme")
    columns = [name for name in (*GROUPS, ALL) if (shown["group"] == name).any()]
    if set(columns) & set(GROUPS):
        columns = [*GROUPS, *(name for name in columns if name == ALL)]
    rows = []
    for theme in in_order(shown["theme"], list(labels)):
        held = {name: _cells(shown[(shown["theme"] == theme) & (shown["group"] == name)]) for name in columns}
        for place in range(max(map(len, held.values()))):
            row = {"Theme": labels.get(theme, words(theme)), "Quote": str(place + 1)}
            rows.append(
                row | {_heading(name, columns): (held[name][place] if place < len(held[name]) else numbers.MISSING) for name in columns}
            )
    return pd.DataFrame(rows)


def _heading(name: str, columns: list[str]) -> str:
    return ("Words" if len(columns) == 1 else "Other centers") if name == ALL else name


def _cells(quotes: pd.DataFrame) -> list[str]:
    return [f"\u201c{text}\u201d" + (f" ({said})" if said else "") for text, said in zip(quotes["text"], quotes["said"], strict=True)]


def _notes(
    quotes: pd.DataFrame, shown: pd.DataFrame, ranked: pd.DataFrame | None, group_of: dict, outcome: str | None, context: Context
) -> dict[str, str]:
    reasons = quotes.loc[quotes["shown"] != 1, "why"].value_counts()
    left = [f"{numbers.count(reasons[why])} {said}" for why, said in WHY.items() if why in reasons.index]
    withheld = int((shown["attribution"].ne("neither") & shown["said"].eq("")).sum())
    notes = {
        "Estimator": "none; quotes are chosen by the study team to show what a theme means, not how often it was raised",
        "n": numbers.plural(len(shown), "quote"),
        "Exclusions": f"listed but not shown: {numbers.listed(left)}" if left else "none",
        "Words in brackets": "stand for names, places, ids, contact data, dates and ages, which a program took out before a person read "
        "and approved each quote; neither can rule out that somebody who was there knows the speaker",
        "Attribution": "role or center's letter, never both, and neither where fewer than "
        f"{context.min_cell} people could be meant" + (f"; withheld for {numbers.plural(withheld, 'quote')}" if withheld else ""),
    }
    if group_of:
        name = outcome_label(outcome, context)
        notes["Columns"] = (
            f"the halves of the centers by the change of their mean of {name}{change_waves(ranked)}, not adjusted; "
            f"{better_end(outcome, context)} is better"
        )
    return notes
