"""People linked across waves: who was expected, who answered, who stayed, left or joined; and the list of centers."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.registry import WHY, Source, items_of, ordered_waves
from bscstudy.identity import unchanging

PEOPLE_COLUMNS = [
    "person_id", "wave", "collaborative", "center_id", "role", "core", "expected", "responded", "present", "movement", "center_changed",
    "role_changed", "status", "first_wave", "last_wave",
]  # fmt: skip
ATTRIBUTES = ["collaborative", "center_id", "role", "core"]


def answered_items(source: Source, config: dict) -> list[str]:
    """Return the items whose answers show that a form was filled in.

    These are the items with a response scale or of type yes_no; where an instrument has none, all that are not dates or text.
    """
    rows = [row for row in items_of(config, source) if row["item"] in source.frame.columns]
    chosen = {row["item"] for row in rows if row.get("response_scale") or row["type"] == "yes_no"}
    return sorted(chosen or {row["item"] for row in rows if row["type"] not in ("date", "text", "free_text")})


def responded_rows(source: Source, config: dict) -> pd.Series:
    """Return which rows hold at least one valid answer."""
    items = answered_items(source, config)
    return source.frame[items].notna().any(axis=1) if items else pd.Series(True, index=source.frame.index)


def is_person_survey(source: Source) -> bool:
    """Return whether a source is a form filled in by a named person in a wave."""
    columns = source.frame.columns
    other = {"observation_id", "session_id", "document_id", "coder_id", "metric"} & set(columns)
    return {"person_id", "wave"} <= set(columns) and not other and source.frame["wave"].notna().any()


def expected_people(register: Source | None, waves: list[str]) -> pd.DataFrame:
    """Return one row for each person and wave the register of people lets expect.

    Parameters
    ----------
    register : Source or None
        A row a person and wave, or a row a person who is then expected in all of `waves`. A column `expected` (1/0)
        takes single rows out.
    waves : list of str
        The waves in which people are surveyed.

    Returns
    -------
    DataFrame
        person_id, wave and those of collaborative, center_id, role, core that the register has.
    """
    if register is None:
        return pd.DataFrame(columns=["person_id", "wave", *ATTRIBUTES])
    frame = register.frame[register.frame["person_id"].notna()]
    if "expected" in frame.columns:
        frame = frame[frame["expected"].fillna(1) != 0]
    if "wave" not in frame.columns or frame["wave"].isna().all():
        frame = frame.drop(columns="wave", errors="ignore").merge(pd.DataFrame({"wave": waves}), how="cross")
    columns = ["person_id", "wave", *(c for c in ATTRIBUTES if c in frame.columns)]
    return frame.loc[frame["wave"].notna(), columns].drop_duplicates(["person_id", "wave"]).reset_index(drop=True)


def centers_table(register: Source, tables: dict[str, Source]) -> pd.DataFrame:
    """Return one row a center with the register's items.

    Centers that people belong to and that the register does not list are kept with `in_register` 0 and blank items, so that
    nobody drops out of a center-level result in silence.
    """
    frame = register.frame[register.frame["center_id"].notna()]
    items = [c for c in frame.columns if c not in ("row", "wave", "excluded", "center_id", "collaborative") and not c.endswith(WHY)]
    centers = frame.reindex(columns=["center_id", "collaborative", *items]).drop_duplicates("center_id").assign(in_register=1)
    seen = [
        source.frame.reindex(columns=["center_id", "collaborative"]) for source in tables.values() if "center_id" in source.frame.columns
    ]
    others = pd.concat(seen).dropna(subset=["center_id"]).sort_values(["center_id", "collaborative"]) if seen else centers.iloc[:0]
    others = others[~others["center_id"].isin(centers["center_id"])].drop_duplicates("center_id").assign(in_register=0)
    whole = pd.concat([centers, others], ignore_index=True) if len(others) else centers
    return whole.sort_values("center_id").reset_index(drop=True)


def with_registered_collaborative(rows: pd.DataFrame, centers: Source | None) -> pd.DataFrame:
    """Return rows with the collaborative that the register gives their center; where it gives none, their own stays."""
    if centers is None or "collaborative" not in centers.frame.columns:
        return rows
    known = centers.frame.dropna(subset=["center_id"]).drop_duplicates("center_id").set_index("center_id")["collaborative"]
    registered = rows["center_id"].map(known)
    return rows.assign(collaborative=registered.where(registered.notna(), rows["collaborative"]))


def link_people(tables: dict[str, Source], config: dict) -> pd.DataFrame:
    """Link people across waves.

    Parameters
    ----------
    tables : dict of str to Source
        The registers and the person-level surveys, without excluded rows.
    config : dict
        Sections `waves`, `register`, `items`.

    Returns
    -------
    DataFrame
        One row for each person and wave in which the person was expected or answered, columns as `PEOPLE_COLUMNS`. `status`
        compares the first and the last survey wave: present in both is a stayer, in the first only a leaver, in the last only
        a joiner, in neither once. Present means on the register's list for that wave or with an answer; where the
        register does not say who is expected when, an answer alone counts. `movement` compares with the survey waves before: start
        (in the first wave), stayed (present in the wave before), returned (present earlier, not in the wave before), joined; blank
        where not present. `center_changed` and `role_changed` are 1 where the value differs from the last one known of the person,
        0 where it is the same or the first, blank where it is not known. Where sources disagree on a person's center, role or core
        in one wave, the register wins, then the first source by name; what a wave leaves blank is filled if the person has the
        same value in every wave that states one. The collaborative is that of the center's register row where known.
    """
    name = config["register"].get("people")
    register = tables.get(name) if name else None
    surveys = [s for n, s in sorted(tables.items()) if n != name and is_person_survey(s)]
    order = ordered_waves(config)
    used = [w for w in order if any((s.frame["wave"] == w).any() for s in surveys)]
    expected = expected_people(register, used).assign(expected=1, responded=0)
    answers = [_answers(source, config) for source in surveys]
    rows = pd.concat([part for part in (expected, *answers) if len(part)], ignore_index=True)
    rows = rows.reindex(columns=["person_id", "wave", *ATTRIBUTES, "expected", "responded"])
    people = rows.groupby(["person_id", "wave"], sort=True).agg(
        {**dict.fromkeys(ATTRIBUTES, "first"), "expected": "max", "responded": "max"},
    )
    people = people.reset_index()
    people = people[(people["expected"] == 1) | (people["responded"] == 1)]
    people["_order"] = people["wave"].map({wave: i for i, wave in enumerate(order)})
    people = _filled(people.sort_values(["person_id", "_order"]), tables.get(config["register"]["centers"]))
    timed = register is not None and "wave" in register.frame.columns and register.frame["wave"].notna().any()
    people = people.assign(
        present=((people["responded"] == 1) | ((people["expected"] == 1) & timed)).astype(int),
        center_changed=_changed(people, "center_id"),
        role_changed=_changed(people, "role"),
    )
    return _with_status(_with_movement(people, used), used)[PEOPLE_COLUMNS].reset_index(drop=True)


def _answers(source: Source, config: dict) -> pd.DataFrame:
    frame = source.frame[source.frame["person_id"].notna() & source.frame["wave"].notna()]
    part = frame.reindex(columns=["person_id", "wave", *ATTRIBUTES])
    return part.assign(expected=0, responded=responded_rows(source, config).loc[frame.index].astype(int))


def _filled(people: pd.DataFrame, centers: Source | None) -> pd.DataFrame:
    filled = {column: people[column].fillna(people["person_id"].map(unchanging(people, column))) for column in ATTRIBUTES}
    return with_registered_collaborative(people.assign(**filled), centers)


def _changed(people: pd.DataFrame, column: str) -> pd.Series:
    """Return 1 where a person's value differs from the last one known before, rows of a person being in time order."""
    before = people.groupby("person_id")[column].ffill().groupby(people["person_id"]).shift()
    changed = (before.notna() & (before != people[column])).astype("Int64")
    return changed.where(people[column].notna())


def _with_movement(people: pd.DataFrame, used: list[str]) -> pd.DataFrame:
    """Return the rows, in time order within a person, with how each person came to be present in a survey wave."""
    place = people["wave"].map({wave: i for i, wave in enumerate(used)}).where(people["present"] == 1)
    before = place.groupby(people["person_id"]).ffill().groupby(people["person_id"]).shift()
    movement = pd.Series("joined", index=people.index, dtype=object)
    movement[place == 0] = "start"
    movement[before.notna()] = "returned"
    movement[before == place - 1] = "stayed"
    return people.assign(movement=movement.where(place.notna()))


def _with_status(people: pd.DataFrame, used: list[str]) -> pd.DataFrame:
    present = people[people["present"] == 1]
    waves = present.groupby("person_id")["wave"].agg(["first", "last"])
    first = people["person_id"].map(waves["first"])
    last = people["person_id"].map(waves["last"])
    begins, ends = first == used[0] if used else first.isna(), last == used[-1] if used else last.isna()
    status = pd.Series("once", index=people.index)
    status[begins & ends] = "stayer" if len(used) > 1 else "once"
    status[begins & ~ends] = "leaver"
    status[~begins & ends] = "joiner"
    return people.assign(status=status.where(first.notna()), first_wave=first, last_wave=last)
