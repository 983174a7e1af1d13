"""The sample flow: forms expected, received and excluded by instrument, wave, collaborative, center and role."""

from __future__ import annotations

import pandas as pd

from bscstudy.checks.people import expected_people, is_person_survey, responded_rows, with_registered_collaborative
from bscstudy.checks.registry import Source, items_of, listed_ids, ordered_waves, waves_of

FLOW_KEY = ["instrument", "wave", "collaborative", "center_id", "role"]
COUNTS = ["received", "excluded", "unlinked"]
FLOW_COLUMNS = [*FLOW_KEY, "expected", *COUNTS]
PLACE = ["collaborative", "center_id", "role"]


def sample_flow(tables: dict[str, Source], config: dict) -> pd.DataFrame:
    """Count forms expected, received and excluded.

    Parameters
    ----------
    tables : dict of str to Source
        All ingested sources, with their excluded rows.
    config : dict
        Sections `waves`, `register`, `items`, `scales`.

    Returns
    -------
    DataFrame
        Columns as `FLOW_COLUMNS`. A form is received if it is not excluded and has at least one valid answer; people are
        counted once, visits once whatever their raters and segments, anonymous forms by row. Of an instrument whose sources set one
        role, or core or other, for all forms only such people are expected. `expected` is missing where no register says who
        should answer (visits, anonymous forms, a wave for which the register lists nobody of these roles). `unlinked`
        are the received forms that name no person, so that nobody can follow them over waves (no visits). A person on the
        register counts under the register's center and role of that wave.
    """
    name = config["register"].get("people")
    surveyed = [s for s in tables.values() if s.id != name and _in_flow(s, config)]
    instruments = sorted({s.instrument for s in surveyed})
    waves = [w for w in ordered_waves(config) if any(is_person_survey(s) and w in waves_of(s) for s in surveyed)]
    register = tables[name].kept() if name in tables else None
    expected = expected_people(register, waves)
    parts = [_instrument_flow([s for s in surveyed if s.instrument == i], expected, config) for i in instruments]
    parts = [part for part in parts if len(part)]
    flow = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FLOW_COLUMNS)
    flow = with_registered_collaborative(flow, tables.get(config["register"]["centers"]))
    counts = flow.groupby(FLOW_KEY, dropna=False, sort=True)[["expected", *COUNTS]].sum(min_count=1)
    return counts.astype("Int64").reset_index()[FLOW_COLUMNS]


def _in_flow(source: Source, config: dict) -> bool:
    """A survey of people, an anonymous form with scales, or an observation; each with a wave and a center."""
    if "center_id" not in source.frame.columns or "wave" not in source.frame.columns or not waves_of(source):
        return False
    anonymous = "person_id" not in source.frame.columns and any(s["instrument"] == source.instrument for s in config.get("scales", []))
    return "observation_id" in source.frame.columns or is_person_survey(source) or (anonymous and "session_id" not in source.frame.columns)


def _instrument_flow(sources: list[Source], expected: pd.DataFrame, config: dict) -> pd.DataFrame:
    forms = pd.concat([_forms(source, config) for source in sources], ignore_index=True)
    people = all(is_person_survey(source) for source in sources)
    if people and len(expected):
        forms = _placed_by_register(forms, expected)
    rows = forms.assign(expected=pd.NA)
    if people and len(expected):
        used = {wave for source in sources for wave in waves_of(source)}
        wanted = expected[expected["wave"].isin(used) & expected["role"].isin(_roles(sources, forms, config))]
        wanted = wanted[wanted["core"].isin(_fixed(sources, "core"))] if "core" in wanted and _fixed(sources, "core") else wanted
        rows["expected"] = pd.Series(0, index=rows.index, dtype="Int64").where(rows["wave"].isin(wanted["wave"]))
        rows = pd.concat([rows, wanted.assign(expected=1, **dict.fromkeys(COUNTS, 0))], ignore_index=True)
    rows["expected"] = rows["expected"].astype("Int64")
    return rows.assign(instrument=sources[0].instrument).reindex(columns=FLOW_COLUMNS)


def _forms(source: Source, config: dict) -> pd.DataFrame:
    """Return one row a form: the subject, the wave, the place, and whether it was received or excluded."""
    frame = source.frame
    subject = next((c for c in ("observation_id", "person_id") if c in frame.columns), None)
    out = frame["excluded"].notna() if "excluded" in frame.columns else pd.Series(False, index=frame.index)
    table = frame.reindex(columns=["wave", *PLACE]).assign(
        person_id=frame[subject].astype("str").where(frame[subject].notna(), "row " + frame["row"].astype("str"))
        if subject else "row " + frame["row"].astype("str"),
        received=(responded_rows(source, config) & ~out).astype(int),
        excluded=out.astype(int),
        nameless=int(subject != "observation_id") if subject != "person_id" else frame[subject].isna().astype(int),
    )  # fmt: skip
    table["unlinked"] = table.pop("nameless") * table["received"]
    table = table[table["wave"].notna()].sort_values("received", ascending=False, kind="stable")
    counts = table.groupby(["person_id", "wave"], sort=False)[COUNTS].max()
    if subject == "person_id":
        counts["excluded"] = table.groupby(["person_id", "wave"], sort=False)["excluded"].sum()
    place = table.drop_duplicates(["person_id", "wave"]).set_index(["person_id", "wave"])[PLACE]
    return place.join(counts).reset_index()


def _placed_by_register(forms: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    known = expected.drop_duplicates(["person_id", "wave"]).reindex(columns=["person_id", "wave", *PLACE])
    joined = forms.merge(known, how="left", on=["person_id", "wave"], suffixes=("", "_register"))
    for column in PLACE:
        registered = joined.pop(f"{column}_register")
        joined[column] = registered.where(registered.notna(), joined[column])
    return joined


def _roles(sources: list[Source], forms: pd.DataFrame, config: dict) -> set[str]:
    """Return the roles an instrument is meant for: fixed by the source, named by every item, or seen among its forms."""
    fixed = _fixed(sources, "role")
    if fixed:
        return fixed
    named = [listed_ids(row.get("roles")) for source in sources for row in items_of(config, source)]
    if named and all(named):
        return {role for roles in named for role in roles}
    return set(forms["role"].dropna())


def _fixed(sources: list[Source], key: str) -> set[str]:
    """Return the values of a key that sources set for all their forms."""
    return {s.keys[key]["constant"] for s in sources if isinstance(s.keys.get(key), dict) and "constant" in s.keys[key]}
