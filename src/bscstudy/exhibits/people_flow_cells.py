"""What may be shown of how people came and went: numbers where none is small, ranges where one is, so that no sum gives it back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pandas as pd

from bscstudy.checks.turnover import CHANGES, movements, presence_patterns, turnover
from bscstudy.exhibits.base import Context, in_order, wave_order
from bscstudy.exhibits.masking import few
from bscstudy.exhibits.people_flow_ranges import Gap, gap_of
from bscstudy.privacy import is_small, mask_counts, possible_counts

STATUSES = ("stayer", "leaver", "joiner", "once")


@dataclass(frozen=True)
class PeopleFlow:
    """The flow of people as it may be shown.

    ``everyone``: one row a wave, columns as `bscstudy.checks.turnover.turnover`; where a count of who stayed, joined, returned or
    left is small, ranges ("26 to 30"), or missing where no range protects it. ``merged``: whether who joined and who returned are one
    count, in `joined`. ``roles``: role -> the same for roles none of whose counts is small (``withheld`` are the others).
    ``statuses``: people by first and last wave, and `all`, as far as they may be shown beside ``everyone``.
    """

    everyone: pd.DataFrame
    merged: bool
    roles: dict[str, pd.DataFrame]
    withheld: tuple[str, ...]
    statuses: dict[str, int | str]

    @property
    def ranges(self) -> bool:
        """Whether a movement between two waves is shown as a range."""
        return any(isinstance(value, str) for value in self.everyone["stayed"])

    @property
    def gaps_hidden(self) -> bool:
        """Whether the movements between two waves are not shown at all."""
        return bool(self.everyone["stayed"][1:].isna().any())


def people_flow(people: pd.DataFrame, context: Context, forms: pd.DataFrame | None = None) -> PeopleFlow:
    """Return the flow of people with everything a reader must not see as a range, merged or left out.

    Roles of which the numbers of forms (checks/flow) would be masked are not shown either: their people would tell those.

    Notes
    -----
    The numbers of people in a wave are known from elsewhere. Between two waves they leave one number open (who stayed), which
    `people_flow_ranges.gap_of` shows as it may be shown; whatever happens between two other waves says nothing of it. Who joined
    apart from who returned, and people by first and last wave, tie the gaps together: they are shown only if an integer program
    finds that every small count could still be anything a reader of the gaps alone must hold possible.
    """
    present = people[people["present"] == 1]
    waves = [wave for wave in wave_order(context) if wave in set(present["wave"])]
    total = turnover(people, waves)
    roles = in_order(present.loc[present["wave"].isin(waves), "role"].fillna(""), list(context.labels("roles")))
    gaps = {at: _gap(total, at, context.min_cell) for at in range(1, len(waves))}
    merged, statuses = _richest(people, waves, total, gaps, context.min_cell)
    shown: dict[str, pd.DataFrame] = {}
    if all(gap.exact for gap in gaps.values()):
        tables = {role: turnover(people, waves, role) for role in roles}
        apart = _masked_in_forms(forms, context.min_cell)
        shown = {role: _joined_merged(tables[role], merged) for role in _roles_shown(total, tables, apart, context.min_cell)}
    return PeopleFlow(
        _everyone(total, gaps, merged, context.min_cell),
        merged,
        shown,
        tuple(role for role in roles if role not in shown),
        statuses,
    )


def _gap(total: pd.DataFrame, at: int, min_cell: int) -> Gap:
    return gap_of(int(total.at[at - 1, "present"]), int(total.at[at, "present"]), int(total.at[at, "stayed"]), min_cell)


def _richest(people: pd.DataFrame, waves: list[str], total: pd.DataFrame, gaps: dict[int, Gap], min_cell: int) -> tuple[bool, dict]:
    """Return whether joined and returned are merged, and the statuses: the richest of the choices that give nothing away."""
    counts, made_of = _counts(people, waves)
    known = {f"present {at}": _known(counts[f"present {at}"], min_cell) for at in range(len(waves))}
    between = known | {f"stayed {at}": gap.stayed for at, gap in gaps.items() if gap.stayed}
    returned = {f"returned {at}": (int(n), int(n)) for at, n in enumerate(total["returned"]) if at}
    split = all(_can_be_split(gap, int(total.at[at, "returned"]), min_cell) for at, gap in gaps.items())
    words, bounds = _statuses(counts, min_cell)
    choices = [(merged, statuses) for statuses in (words, {}) for merged in ((False, True) if split else (True,))]
    for merged, statuses in choices[:-1]:
        shown = between | ({} if merged else returned) | (bounds if statuses else {})
        if _nothing_given_away(counts, made_of, between, shown, min_cell):
            return merged, statuses
    return choices[-1]  # nothing but the gaps


def _can_be_split(gap: Gap, returned: int, min_cell: int) -> bool:
    """Return whether who returned may be told apart from who joined, as far as this gap is concerned."""
    if returned == 0:
        return True
    return gap.exact and not is_small(returned, min_cell) and not is_small(gap.came[0] - returned, min_cell)


def _known(n: int, min_cell: int) -> tuple[int, int]:
    return (1, min_cell - 1) if is_small(n, min_cell) else (n, n)


def _counts(people: pd.DataFrame, waves: list[str]) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Return all counts that are sums of patterns of presence, and the patterns of each."""
    sizes = presence_patterns(people, waves).value_counts()
    made_of: dict[str, set[str]] = {name: set() for name in (*STATUSES, "all")}
    made_of |= {f"{name} {at}": set() for at in range(1, len(waves)) for name in ("stayed", "joined", "returned", "left", "came")}
    made_of |= {f"present {at}": set() for at in range(len(waves))}
    for pattern in map("".join, product("01", repeat=len(waves))):
        if "1" not in pattern:
            continue
        for at in range(len(waves)):
            names = movements(pattern, at)
            for name in names | ({"came"} if names & {"joined", "returned"} else set()):
                made_of[f"{name} {at}"].add(pattern)
        made_of[status_of(pattern)].add(pattern)
        made_of["all"].add(pattern)
    return {name: int(sizes.reindex(sorted(parts)).fillna(0).sum()) for name, parts in made_of.items()}, made_of


def _statuses(counts: dict[str, int], min_cell: int) -> tuple[dict[str, int | str], dict[str, tuple[int, int]]]:
    """Return people by first and last wave as shown, and what a reader knows from it; `once` and `all` only where they are safe."""
    first, last = counts["stayer"] + counts["leaver"], counts["stayer"] + counts["joiner"]
    if not first:  # one wave
        return {"once": few(counts["once"], min_cell), "all": few(counts["all"], min_cell)}, {}
    gap = gap_of(first, last, counts["stayer"], min_cell)
    if gap.stayed is None:
        return {}, {}
    words = {"stayer": gap.words("stayed"), "leaver": gap.words("left"), "joiner": gap.words("came")}
    names = () if is_small(counts["once"], min_cell) else ("once", "all") if gap.exact else ("once",)
    return words | {name: counts[name] for name in names}, {"stayer": gap.stayed} | {name: (counts[name],) * 2 for name in names}


def _nothing_given_away(counts: dict, made_of: dict, between: dict, shown: dict, min_cell: int) -> bool:
    """Return whether every small count can still be every small number that the gaps between the waves leave possible."""
    for name in sorted(name for name, n in counts.items() if is_small(n, min_cell)):
        before, after = possible_counts(name, between, made_of), possible_counts(name, shown, made_of)
        most = min_cell if before[1] is None else min(before[1], min_cell)
        if after[0] > max(1, before[0]) or (after[1] is not None and after[1] < most):
            return False
    return True


def status_of(pattern: str) -> str:
    """Return stayer, leaver, joiner or once for a pattern of presence over the survey waves."""
    first, last = pattern[0] == "1", pattern[-1] == "1"
    if len(pattern) == 1 or first == last:
        return "stayer" if first and last and len(pattern) > 1 else "once"
    return "leaver" if first else "joiner"


def _joined_merged(table: pd.DataFrame, merged: bool) -> pd.DataFrame:
    return table.assign(joined=table["joined"] + table["returned"], returned=pd.NA) if merged else table


def _everyone(total: pd.DataFrame, gaps: dict[int, Gap], merged: bool, min_cell: int) -> pd.DataFrame:
    columns = {c: [None if pd.isna(n) else few(int(n), min_cell) for n in total[c]] for c in total.columns[1:]}
    shown = pd.DataFrame({"wave": total["wave"], **columns}, dtype=object)
    for at, gap in gaps.items():
        shown.at[at, "stayed"], shown.at[at, "left"] = gap.words("stayed"), gap.words("left")
        returned = None if merged or gap.stayed is None else int(total.at[at, "returned"])
        shown.at[at, "joined"], shown.at[at, "returned"] = gap.words("came", returned or 0), returned
    return shown


def _roles_shown(total: pd.DataFrame, tables: dict[str, pd.DataFrame], apart: set[str], min_cell: int) -> list[str]:
    """Return the roles without a small count, fewer where what the shown ones leave of a total would be a small count."""
    counted = ["present", "expected", "answered", *CHANGES]
    shown = [role for role, table in tables.items() if role not in apart and not _any_small(table[counted], min_cell)]
    shown = sorted(shown, key=lambda role: (-int(tables[role]["present"].sum()), role))
    while shown and len(shown) < len(tables) and _any_small(_rest(total, [tables[role] for role in shown]), min_cell):
        shown = shown[:-1]
    return [role for role in tables if role in shown] if len(tables) > 1 else []


def _masked_in_forms(forms: pd.DataFrame | None, min_cell: int) -> set[str]:
    """Return the roles that a table of forms by role masks in some wave."""
    if forms is None or forms.empty:
        return set()
    by_role = forms.assign(role=forms["role"].fillna("").astype(str)).groupby(["instrument", "wave", "role"], dropna=False)
    counts = by_role[["expected", "received"]].sum(min_count=1).reset_index()
    cells = mask_counts(counts, ["expected", "received"], min_cell, ["instrument", "wave"])
    masked = cells[["expected", "received"]].map(lambda cell: isinstance(cell, str)).any(axis=1)
    return set(cells.loc[masked, "role"])


def _rest(total: pd.DataFrame, shown: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what subtraction of the shown roles from the totals leaves."""
    rest = {c: total[c] - sum(t[c] for t in shown) for c in ("present", "expected", "answered", "joined", "returned", "left")}
    rest |= {c: total[c] - sum(t[c] for t in shown) for c in ("other_center", "from_role", "to_role")}
    rest["stayed_to"] = total["stayed"] - sum(t["stayed"] + t["from_role"] for t in shown)
    rest["stayed_from"] = total["stayed"] - sum(t["stayed"] + t["to_role"] for t in shown)
    return pd.DataFrame(rest)


def _any_small(frame: pd.DataFrame, min_cell: int) -> bool:
    return any(is_small(None if pd.isna(n) else n, min_cell) for n in frame.to_numpy(dtype=object).ravel())
