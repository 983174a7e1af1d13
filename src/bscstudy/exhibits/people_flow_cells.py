"""What may be shown of how people came and went: counts by wave, small ones masked so that no sum gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pandas as pd

from bscstudy.checks.turnover import CHANGES, movements, presence_patterns, turnover
from bscstudy.exhibits.base import Context, in_order, wave_order
from bscstudy.exhibits.masking import few
from bscstudy.privacy import is_small, protect_sums

STATUSES = ("stayer", "leaver", "joiner", "once")
#: counts of `turnover` that are sums of patterns of presence
SUMMED = ("present", "stayed", "joined", "returned", "left")


@dataclass(frozen=True)
class PeopleFlow:
    """The flow of people as it may be shown.

    ``everyone``: one row a wave, columns as `bscstudy.checks.turnover.turnover`, masked; who stayed, joined, returned and left is
    missing where no masking protects it. ``roles``: role -> the same for roles none of whose counts is small (``withheld`` are
    the others). ``statuses``: people by first and last wave, and `all`, masked together with ``everyone``; empty where that is
    not possible.
    """

    everyone: pd.DataFrame
    roles: dict[str, pd.DataFrame]
    withheld: tuple[str, ...]
    statuses: dict[str, int | str]


def people_flow(people: pd.DataFrame, context: Context) -> PeopleFlow:
    """Return the flow of people with everything a reader must not see masked."""
    present = people[people["present"] == 1]
    waves = [wave for wave in wave_order(context) if wave in set(present["wave"])]
    total = turnover(people, waves)
    roles = in_order(present.loc[present["wave"].isin(waves), "role"].fillna(""), list(context.labels("roles")))
    tables = {role: turnover(people, waves, role) for role in roles}
    shown = _roles_shown(total, tables, context.min_cell)
    cells = _protected(people, waves, total, [tables[role] for role in shown], context.min_cell)
    if cells is None and shown:
        shown, cells = [], _protected(people, waves, total, [], context.min_cell)
    if cells is None:
        return PeopleFlow(_masked(total.assign(**dict.fromkeys(CHANGES, pd.NA)), {}, context.min_cell), {}, tuple(roles), {})
    return PeopleFlow(
        _masked(total, cells, context.min_cell),
        {role: tables[role] for role in shown},
        tuple(role for role in roles if role not in shown),
        {name: cells[name] for name in (*STATUSES, "all")},
    )


def _roles_shown(total: pd.DataFrame, tables: dict[str, pd.DataFrame], min_cell: int) -> list[str]:
    """Return the roles without a small count, fewer where what the shown ones leave of a total would be a small count."""
    counted = ["present", "expected", "answered", *CHANGES]
    shown = [role for role, table in tables.items() if not _any_small(table[counted], min_cell)]
    shown = sorted(shown, key=lambda role: (-int(tables[role]["present"].sum()), role))
    while shown and len(shown) < len(tables) and _any_small(_rest(total, [tables[role] for role in shown]), min_cell):
        shown = shown[:-1]
    return [role for role in tables if role in shown] if len(tables) > 1 else []


def _rest(total: pd.DataFrame, shown: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what subtraction of the shown roles from the totals leaves."""
    rest = {c: total[c] - sum(t[c] for t in shown) for c in ("present", "expected", "answered", "joined", "returned", "left")}
    rest |= {c: total[c] - sum(t[c] for t in shown) for c in ("other_center", "from_role", "to_role")}
    rest["stayed_to"] = total["stayed"] - sum(t["stayed"] + t["from_role"] for t in shown)
    rest["stayed_from"] = total["stayed"] - sum(t["stayed"] + t["to_role"] for t in shown)
    return pd.DataFrame(rest)


def _any_small(frame: pd.DataFrame, min_cell: int) -> bool:
    return any(is_small(None if pd.isna(n) else n, min_cell) for n in frame.to_numpy(dtype=object).ravel())


def _protected(people: pd.DataFrame, waves: list[str], total: pd.DataFrame, roles: list[pd.DataFrame], min_cell: int) -> dict | None:
    """Return the counts that are sums of patterns of presence, masked together."""
    made_of: dict[str, set[str]] = {}
    for pattern in map("".join, product("01", repeat=len(waves))):
        names = {f"{name} {at}" for at in range(len(waves)) for name in movements(pattern, at)} | {status_of(pattern), "all"}
        for name in names if "1" in pattern else ():
            made_of.setdefault(name, set()).add(pattern)
    rows = enumerate(total.to_dict("records"))
    counts = {f"{name} {at}": int(row[name]) for at, row in rows for name in SUMMED if not pd.isna(row[name])}
    statuses = presence_patterns(people, waves).map(status_of).value_counts()
    counts |= {name: int(statuses.get(name, 0)) for name in STATUSES} | {"all": int(statuses.sum())}
    counts = {name: n for name, n in counts.items() if name in made_of} | {name: 0 for name in STATUSES if name not in made_of}
    known = {f"present {at}" for at in range(len(waves))}
    at_least = {name: sum(_part_of(table, name) for table in roles) for name in counts if " " in name}
    return protect_sums(counts, {name: made_of.get(name, set()) for name in counts}, min_cell, known, at_least)


def _part_of(table: pd.DataFrame, name: str) -> int:
    column, at = name.split(" ")
    row = table.iloc[int(at)]
    return int(row["stayed"] + row["from_role"] if column == "stayed" else row[column])


def status_of(pattern: str) -> str:
    """Return stayer, leaver, joiner or once for a pattern of presence over the survey waves."""
    first, last = pattern[0] == "1", pattern[-1] == "1"
    if len(pattern) == 1 or first == last:
        return "stayer" if first and last and len(pattern) > 1 else "once"
    return "leaver" if first else "joiner"


def _masked(total: pd.DataFrame, cells: dict[str, int | str], min_cell: int) -> pd.DataFrame:
    shown = total.astype(object).copy()
    for at in range(len(total)):
        for column in total.columns[1:]:
            value = total.at[at, column]
            shown.at[at, column] = None if pd.isna(value) else cells.get(f"{column} {at}", few(int(value), min_cell))
    return shown
