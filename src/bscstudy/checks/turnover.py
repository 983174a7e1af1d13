"""How people came and went: who stayed, left, joined and returned between the survey waves, counted from the people table."""

from __future__ import annotations

import pandas as pd

#: columns of `turnover` that compare a wave with the wave before
CHANGES = ["stayed", "joined", "returned", "left", "other_center", "from_role", "to_role"]


def presence_patterns(people: pd.DataFrame, waves: list[str]) -> pd.Series:
    """Return person_id -> a text with 1 or 0 for each wave: whether the person was present."""
    present = people[(people["present"] == 1) & people["wave"].isin(waves)]
    table = pd.crosstab(present["person_id"], present["wave"]).reindex(columns=waves, fill_value=0)
    return (table > 0).astype(int).astype(str).agg("".join, axis=1) if len(table) else pd.Series(dtype="str")


def movements(pattern: str, at: int) -> set[str]:
    """Return the counts of wave number `at` (from 0) in which a person of this pattern of presence is one: present, stayed, ..."""
    here, before = pattern[at] == "1", at > 0 and pattern[at - 1] == "1"
    if not here:
        return {"left"} if before else set()
    if at == 0:
        return {"present"}
    return {"present", "stayed" if before else "returned" if "1" in pattern[:at] else "joined"}


def turnover(people: pd.DataFrame, waves: list[str], role: str | None = None) -> pd.DataFrame:
    """Count how people came and went from wave to wave.

    Parameters
    ----------
    people : DataFrame
        As `bscstudy.checks.people.link_people` returns it.
    waves : list of str
        The survey waves in time order.
    role : str, optional
        Only people who have this role in the wave (in the wave before, for those who left it); ``""`` is no known role.

    Returns
    -------
    DataFrame
        One row a wave: `present`, `expected` (missing where the register lists nobody for the wave), `answered`, and compared with
        the wave before (missing in the first) `stayed`, `joined`, `returned`, `left`; of all who stayed, `other_center`,
        `from_role` and `to_role` (both the number who changed their role). With `role`, `stayed` are those who stayed in the
        role, `from_role` and `to_role` those who came from and went to another, so that present is stayed + from_role + joined +
        returned, and the present of the wave before stayed + to_role + left.
    """
    here = people[people["wave"].isin(waves)]
    listed = set(here.loc[here["expected"] == 1, "wave"])
    present = here[here["present"] == 1]
    by_wave = {wave: part.set_index("person_id") for wave, part in present.groupby("wave")}
    patterns = presence_patterns(people, waves)
    rows = []
    for at, wave in enumerate(waves):
        now = _of_wave(by_wave, wave)
        mine = now if role is None else now[now["role"] == role]
        row = {"wave": wave, "present": len(mine), "expected": int((mine["expected"] == 1).sum()) if wave in listed else pd.NA}
        row |= {"answered": int((mine["responded"] == 1).sum()), **dict.fromkeys(CHANGES, pd.NA)}
        rows.append(row | (_changes(_of_wave(by_wave, waves[at - 1]), now, patterns, at, role) if at else {}))
    return pd.DataFrame(rows, columns=["wave", "present", "expected", "answered", *CHANGES])


def _of_wave(by_wave: dict[str, pd.DataFrame], wave: str) -> pd.DataFrame:
    columns = ["role", "center_id", "expected", "responded"]
    part = by_wave.get(wave, pd.DataFrame(columns=["person_id", *columns]).set_index("person_id"))[columns]
    return part.assign(role=part["role"].fillna("").astype(str))


def _changes(before: pd.DataFrame, now: pd.DataFrame, patterns: pd.Series, at: int, role: str | None) -> dict[str, int]:
    both = before.add_suffix("_before").join(now, how="inner")
    gone, came = before[~before.index.isin(now.index)], now[~now.index.isin(before.index)]
    returned = patterns.reindex(came.index).str[:at].str.contains("1")
    was, is_now = both["role_before"], both["role"]
    centers = both["center_id"].notna() & both["center_id_before"].notna() & (both["center_id"] != both["center_id_before"])
    if role is None:
        counts = {"stayed": len(both), "from_role": (was != is_now).sum(), "to_role": (was != is_now).sum()}
    else:
        gone, came, returned = gone[gone["role"] == role], came[came["role"] == role], returned[came["role"] == role]
        centers = centers & (is_now == role)
        counts = {
            "stayed": ((was == role) & (is_now == role)).sum(),
            "from_role": ((was != role) & (is_now == role)).sum(),
            "to_role": ((was == role) & (is_now != role)).sum(),
        }
    counts |= {"joined": (~returned.astype(bool)).sum(), "returned": returned.astype(bool).sum(), "left": len(gone)}
    return {name: int(n) for name, n in {**counts, "other_center": centers.sum()}.items()}
