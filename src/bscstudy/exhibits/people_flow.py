"""How people came and went: boxes with who was there in each wave, arrows with who stayed, left, joined and returned."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, wave_order
from bscstudy.exhibits.people_flow_cells import PeopleFlow, people_flow
from bscstudy.exhibits.people_flow_figure import flow_diagram

TABLES = ("people", "checks/flow")
FIGURE = True
ALL = "Everyone"
RANGES = "; who stayed, joined and left between two waves is shown as ranges where one of these counts is small"
NOT_SHOWN = "; between some waves not at all, as the numbers of people there would give small counts away"
MERGED = "; who joined and who returned are one number, as one of them is small or would give a small count away"
COLUMNS = {
    "present": "People", "expected": "Expected", "answered": "Answered", "stayed": "Stayed", "joined": "Joined", "returned": "Returned",
    "left": "Left", "other_center": "Other center", "from_role": "From another role", "to_role": "To another role",
}  # fmt: skip
CAME = "Joined or returned"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the flow of people over the survey waves, of everyone and of the roles whose counts allow it."""
    people = tables.get("people")
    if people is None or not (people["present"] == 1).any():
        return empty_exhibit("No person was expected or answered in any wave.")
    forms = tables.get("checks/flow")
    flow = people_flow(people, context, forms)
    groups = {ALL: flow.everyone} | {context.labels("roles").get(role, role): table for role, table in flow.roles.items()}
    data = pd.concat([table.assign(group=name) for name, table in groups.items()], ignore_index=True)
    data["wave"] = data["wave"].map(lambda wave: context.labels("waves").get(wave, wave))
    columns = {c: title for c, title in COLUMNS.items() if c != "returned"} | {"joined": CAME} if flow.merged else COLUMNS
    shown = {title: data[column].map(numbers.count) for column, title in columns.items()}
    return Exhibit(
        table=pd.DataFrame({"Group": data["group"], "Wave": data["wave"], **shown}),
        caption="People in each survey wave, and how they came and went since the wave before",
        notes=_notes(flow, forms, context),
        sentences=tuple(_sentences(data[data["group"] == ALL], flow)),
        group_by="Group",
        figure=flow_diagram(data, context, merged=flow.merged),
        alt=_alt(data, flow),
        data=data[["group", "wave", *columns]].rename(columns={"joined": "joined_or_returned"} if flow.merged else {}),
    )


def _sentences(total: pd.DataFrame, flow: PeopleFlow) -> list[str]:
    rows = total.to_dict("records")
    returned = lambda row: " or returned" if flow.merged else f" and {numbers.count(row['returned'])} returned"  # noqa: E731
    return [
        f"Of {numbers.count(before['present'])} people at {before['wave']}, {numbers.count(row['stayed'])} were there at {row['wave']} and "
        f"{numbers.count(row['left'])} had left; {numbers.count(row['joined'])} joined{returned(row)}."
        for before, row in zip(rows, rows[1:], strict=False)
        if not numbers.is_missing(row["stayed"])
    ]


def _alt(data: pd.DataFrame, flow: PeopleFlow) -> str:
    parts = ["Diagram of the flow of people: one box a wave, with arrows for those who stayed, joined, returned and left."]
    came = CAME.lower() if flow.merged else "joined"
    for group, table in data.groupby("group", sort=False):
        parts.append(f"{group}:")
        for row in table.to_dict("records"):
            said = [f"{numbers.count(row['present'])} people", f"{numbers.count(row['answered'])} answered"]
            said += [] if numbers.is_missing(row["expected"]) else [f"{numbers.count(row['expected'])} expected"]
            kinds = {"stayed": "stayed", "joined": came, "returned": "returned", "left": "left since the wave before"}
            kinds |= {} if group == ALL else {"from_role": "came from another role", "to_role": "went to another role"}
            said += [f"{numbers.count(row[name])} {words}" for name, words in kinds.items() if not numbers.is_missing(row[name])]
            parts.append(f"{row['wave']}: {', '.join(said)}.")
    return " ".join(parts)


def _notes(flow: PeopleFlow, forms: pd.DataFrame | None, context: Context) -> dict[str, str]:
    notes = {
        "People": "on the register's list for the wave or with an answer; where the register does not say who is expected when, an "
        "answer alone counts, and who did not answer counts as gone",
        "Stayed": "present in the wave before too (of a role: in this role in both); returned: present in an earlier wave, not in the "
        "wave before",
        "Moves": "other center, from and to another role: among those who stayed, compared with the wave before; models use the center "
        "and the role of each wave",
        "Exclusions": "forms named under `exclusions` in the configuration are no answers",
        "n": "people, each once a wave",
        "Clusters": "not shown: a count by center would be of a few people",
        "Estimator": "counts; nothing is estimated",
        "Privacy": _privacy(flow, context),
    }
    unlinked = _unlinked(forms, context)
    return notes | ({"Forms without a person": unlinked} if unlinked else {})


def _privacy(flow: PeopleFlow, context: Context) -> str:
    said = f"counts of people below {context.min_cell} are shown as <{context.min_cell}"
    said += (RANGES if flow.ranges or flow.gaps_hidden else "") + (NOT_SHOWN if flow.gaps_hidden else "")
    return said + (MERGED if flow.merged else "") + _withheld(flow, context)


def _withheld(flow: PeopleFlow, context: Context) -> str:
    if not flow.withheld or len(flow.roles) + len(flow.withheld) == 1:
        return ""
    names = [context.labels("roles").get(role, role or "no role stated") for role in flow.withheld]
    return f"; not shown by themselves, as a count of theirs is small or would give one away: {numbers.listed(names)}"


def _unlinked(forms: pd.DataFrame | None, context: Context) -> str:
    """Return how many forms name no person, by instrument and wave; blank where there are none."""
    if forms is None or not forms["unlinked"].fillna(0).any():
        return ""
    counts = forms[forms["unlinked"].fillna(0) > 0].groupby(["instrument", "wave"])["unlinked"].sum()
    waves = context.labels("waves")
    order = wave_order(context)
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][0], order.index(entry[0][1]) if entry[0][1] in order else len(order)))
    said = [
        f"{numbers.count(masking.few(int(n), context.min_cell))} of {labels.words(instrument)} at {waves.get(wave, wave)}"
        for (instrument, wave), n in ordered
    ]
    where = "they are not in this flow and in no model of persons, only in results of centers"
    return f"{numbers.listed(said)}; nobody can follow them over waves: {where}"
