"""Who came to the learning sessions, by role and mode."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in

TABLES = ("measures/attendance",)
FIGURE = True
ALL = "all"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return people due and present by session and role; option `collaborative` restricts it (all together by default)."""
    data = tables.get("measures/attendance")
    data = data if data is None else data[data["collaborative"] == context.options.get("collaborative", ALL)]
    if data is None or data.empty:
        return empty_exhibit("No attendance at learning sessions is recorded.")
    data = data.assign(day=data["day"].fillna("").astype("str"), date=data["date"].fillna("").astype("str"))
    roles = [ALL, *in_order(data.loc[data["role"] != ALL, "role"], list(context.labels("roles")))]
    by_role = data[data["mode"] == ALL].assign(_role=lambda d: places_in(d["role"], roles))
    by_role = by_role.sort_values(["date", "session", "day", "_role"], kind="stable")
    shares = by_role.assign(share=_share(by_role, context))
    return Exhibit(
        table=_shown(by_role, data[data["mode"] != ALL], context),
        caption="Attendance at learning sessions: people present of those due, by role",
        notes=_notes(by_role, context),
        sentences=tuple(_sentences(by_role[by_role["role"] == ALL], context)),
        group_by="Session",
        figure=_figure(shares, roles, context),
        alt="Share of people present by session, one line for each role. " + " ".join(_sentences(by_role[by_role["role"] == ALL], context)),
        data=shares[["session", "day", "date", "role", "share"]],
    )


def _share(rows: pd.DataFrame, context: Context) -> pd.Series:
    """Return the share present of those with an entry; blank where so few are due, present or absent that it tells of single people."""
    entered, alone = rows["n_expected"] - rows["n_unknown"], rows["role"] != ALL
    counts = (entered, rows["n_present"], entered - rows["n_present"])
    # who is due could be had from the number present and its share
    hidden = masking.any_small(counts, context.min_cell) | _due(rows, context).map(lambda n: isinstance(n, str))
    parts = tuple(count[alone] for count in counts)
    beside = masking.with_complement(hidden[alone], parts, rows.loc[alone, ["session", "day"]], context.min_cell)
    return (rows["n_present"] / entered.where(entered > 0)).mask(hidden | beside.reindex(rows.index, fill_value=False))


def _due(rows: pd.DataFrame, context: Context) -> pd.Series:
    sessions = rows.assign(_session=rows["session"] + "|" + rows["day"])
    return masking.masked(sessions, ["n_expected"], ["_session"], context.min_cell, rows["role"] == ALL)["n_expected"]


def _shown(rows: pd.DataFrame, modes: pd.DataFrame, context: Context) -> pd.DataFrame:
    counts = rows.assign(n_expected=_due(rows, context), share=_share(rows, context))
    names, shown = context.labels("roles"), []
    for row in counts.to_dict("records"):
        whole, hidden = row["role"] == ALL, numbers.is_missing(row["share"])
        day, date = (f", day {row['day']}" if row["day"] else ""), (f" ({row['date']})" if row["date"] else "")
        shown.append(
            {
                "Session": f"{row['session']}{day}{date}",
                "Role": "All" if whole else names.get(row["role"], row["role"]),
                "Due": numbers.count(row["n_expected"]),
                "Present": numbers.MISSING if hidden else numbers.count(row["n_present"]),
                "Share": numbers.percent(row["share"]),
                "No entry": numbers.MISSING if hidden else numbers.count(row["n_unknown"]),
                "Centers": numbers.count_of(row["n_centers_present"], row["n_centers"]) if whole else numbers.MISSING,
                "Mode": _modes(modes, row, context) if whole and not hidden else numbers.MISSING,
            }
        )
    return pd.DataFrame(shown)


def _modes(modes: pd.DataFrame, row: dict, context: Context) -> str:
    """Return how many were there in which mode."""
    mine = modes[(modes["session"] == row["session"]) & (modes["day"] == row["day"])]
    counts = masking.masked(mine, ["n_present"], ["session"], context.min_cell)["n_present"] if len(mine) else mine["n_present"]
    told = [f"{labels.lower_first(labels.words(mode))} {numbers.count(n)}" for mode, n in zip(mine["mode"], counts, strict=True)]
    return ", ".join(told) or numbers.MISSING


def _notes(rows: pd.DataFrame, context: Context) -> dict[str, str]:
    whole = rows[rows["role"] == ALL]
    kind = "day" if (whole["day"] != "").any() else "session"
    due = whole.loc[whole["n_expected"] >= context.min_cell, "n_expected"].sum()
    return {
        "Estimator": "shares of people with an entry; nothing is estimated",
        "n": f"{numbers.count(due)} entries due over {numbers.plural(len(whole), kind)}",
        "Clusters": f"{numbers.count(whole['n_centers'].max())} centers; 'Centers' counts those with somebody present",
        "Exclusions": "people without an entry count as neither present nor absent",
        "Privacy": masking.note(context.min_cell) + "; rows with so few due, present or absent, and what tells them, are not shown",
    }


def _sentences(whole: pd.DataFrame, context: Context) -> list[str]:
    """Return who came over all the sessions that are shown; of a session that is not, a sum over all would tell."""
    known = _share(whole, context).notna()
    which, whole = "all sessions" if known.all() else "the sessions shown", whole[known]
    entered = (whole["n_expected"] - whole["n_unknown"]).sum()
    return [] if not entered else [f"Over {which} {numbers.count_of(whole['n_present'].sum(), entered)} people due were present."]


def _figure(shares: pd.DataFrame, roles: list[str], context: Context):
    from matplotlib.ticker import PercentFormatter

    sessions = list(dict.fromkeys(zip(shares["session"], shares["day"], strict=True)))
    place, names = {session: i for i, session in enumerate(sessions)}, context.labels("roles")
    figure, axis = style.new_figure(7.5, 3.4)
    for number, role in enumerate(roles):
        part = shares[shares["role"] == role].dropna(subset=["share"])
        colour = style.INK if role == ALL else style.PALETTE[(number - 1) % len(style.PALETTE)]
        x = [place[pair] for pair in zip(part["session"], part["day"], strict=True)]
        label = "All" if role == ALL else names.get(role, role)
        if len(part):
            marker = style.MARKERS[number % len(style.MARKERS)]
            axis.plot(x, part["share"], marker=marker, color=colour, linewidth=2.4 if role == ALL else 1.2, markersize=5, label=label)
    axis.set_xticks(range(len(sessions)), [session + (f"\nday {day}" if day else "") for session, day in sessions])
    axis.set_xlim(-0.3, len(sessions) - 0.7)
    axis.set_ylim(0, 1.03)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_ylabel("Present of those due")
    axis.grid(axis="y")
    if axis.lines:
        figure.legend(loc="outside right center")
    style.finish(figure, context)
    return figure
