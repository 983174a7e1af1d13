"""What people report: shares with a practice, a tool or a skill by wave and group, and how many keep it to a later wave."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.comparability import Comparability, comparable
from bscstudy.io.harmonisation import HarmonisedItem, harmonised_answers, harmonised_items
from bscstudy.measures.index_rules import matching
from bscstudy.measures.item_keys import items_in_use

ALL = "all"
#: a line of the map may end a rounding error below a code
_SLACK = 1e-9
SHARES = ["set", "item", "label", "wave", "by", "group", "n_asked", "n_answered", "n_yes", "share", "not_comparable", "harmonised"]
KEPT = [
    "set", "item", "label", "wave_from", "wave_to", "by", "group", "n_both", "n_before", "n_kept", "n_taken_up", "share_kept",
    "share_taken_up",
]  # fmt: skip


def item_verdicts(spec: dict, waves: dict[str, list[str]], config: dict) -> dict[str, Comparability]:
    """Return item -> whether its answers can be compared over its waves, by the codebook and its map between versions.

    ``config`` has the sections ``items``, ``sources`` and ``harmonisation``.
    """
    instruments = sorted({config["sources"][source]["instrument"] for source in spec["sources"]})
    verdicts = {}
    for item in (part["item"] for part in spec["items"]):
        rows = [{"scale": f"item {item}", "instrument": name, "items": item} for name in instruments]
        verdicts[item] = comparable(rows, waves[item], config["items"], config["sources"], config["harmonisation"])
    return verdicts


def mapped_rows(tables: dict[str, pd.DataFrame], spec: dict, config: dict) -> pd.DataFrame:
    """Return the rows of a set's sources with every answer under the item and in the codes that the map takes it as.

    Parameters
    ----------
    tables : dict
        Source id -> ingested table with ``wave``.
    spec : dict
        ``id``, ``sources`` and ``items`` of the set.
    config : dict
        Sections ``sources``, ``items`` and ``harmonisation``.

    Returns
    -------
    DataFrame
        The rows in the order of the sources, and for each item of the set ``<item>__scale``: the response scale that its answer is in,
        missing where the item is not asked in that source and wave.

    Raises
    ------
    BscError
        BSC-CFG-087 if a recode table lacks an answer; BSC-CFG-250 if a bare code says what is a yes while the map changes the codes;
        BSC-CFG-251 if the map takes an item of the set as another item.
    """
    asked, parts, unclear, renamed = {part["item"]: part for part in spec["items"]}, [], set(), set()
    for source in spec["sources"]:
        table, instrument = tables[source], config["sources"][source]["instrument"]
        labels = table["wave"].fillna("")
        for wave in labels.unique() if len(table) else [""]:
            found = harmonised_items(items_in_use(config["items"], instrument, source, wave), config["items"], config["harmonisation"])
            here = {item: found[item] for item in asked if item in found}
            unclear |= {item for item in here if _is_unclear(asked[item], here[item])}
            renamed |= {mapped.item for name, mapped in found.items() if mapped.item != name} & set(asked)
            scales = {f"{item}__scale": mapped.definition.get("response_scale") or "" for item, mapped in here.items()}
            parts.append(harmonised_answers(table[labels == wave], found).assign(**scales))
    _refuse_renamed(spec, sorted(renamed))
    _refuse_unclear(spec, sorted(unclear))
    return pd.concat(parts, ignore_index=True)


def asked_waves(rows: pd.DataFrame, spec: dict, waves: list[str]) -> dict[str, list[str]]:
    """Return item -> those of the waves in which the rows of `mapped_rows` were asked it."""
    asked = {item["item"]: set(rows.loc[_scale_of(rows, item["item"]).notna(), "wave"]) for item in spec["items"]}
    return {item: [wave for wave in waves if wave in known] for item, known in asked.items()}


def report_answers(rows: pd.DataFrame, spec: dict) -> pd.DataFrame:
    """Return the answers of a set as yes (1), no (0) or missing.

    Parameters
    ----------
    rows : DataFrame
        Answers as `mapped_rows` returns them, with ``wave person_id`` and whatever ``who`` and the groups need.
    spec : dict
        ``id``, ``who`` (a condition; all, if there is none) and ``items``: list of {item, label, at_least}. Without ``at_least`` yes is 1;
        with it, this code or a higher one; a mapping response scale -> code where the scale changes between waves.

    Returns
    -------
    DataFrame
        The rows that meet ``who``, one for each item: ``item label yes`` beside the columns of ``rows``.

    Raises
    ------
    BscError
        BSC-CFG-290 for an item that the source does not have or that is neither yes and no nor given a code, -291 for a response scale
        without a code of its own, -292 for a group that is no column.
    """
    _require_groups(rows, spec)
    kept = rows[matching(rows, spec.get("who"), spec["id"])]
    parts = []
    for item in spec["items"]:
        _require_item(kept, spec, item)
        code = _codes(kept, spec, item)
        values = kept[item["item"]].astype(float)
        yes = (values >= code - _SLACK).astype(float).where(values.notna() & code.notna())
        parts.append(kept.assign(item=item["item"], label=item["label"], yes=yes))
    return pd.concat(parts, ignore_index=True)


def report_shares(answers: pd.DataFrame, set_id: str, groups: list[str], verdicts: dict[str, Comparability]) -> pd.DataFrame:
    """Count answers of yes by wave, for all and for each value of the group columns.

    Returns
    -------
    DataFrame
        `SHARES`; missing answers are in ``n_asked`` only. ``not_comparable`` says why the waves of an item cannot be compared, blank where
        they can; ``harmonised`` which rows of the map between versions this rests on.
    """
    parts = []
    for by in (ALL, *groups):
        grouped = answers.assign(group=ALL if by == ALL else answers[by]).dropna(subset=["group", "wave"])
        counted = grouped.groupby(["item", "label", "wave", "group"], sort=True).agg(
            n_asked=("yes", "size"), n_answered=("yes", "count"), n_yes=("yes", "sum")
        )
        parts.append(counted.reset_index().assign(by=by))
    table = pd.concat(parts, ignore_index=True).assign(set=set_id)
    table["n_yes"] = table["n_yes"].astype(int)
    judged = [verdicts.get(item, Comparability(True)) for item in table["item"]]
    table["not_comparable"] = ["; ".join(verdict.reasons) for verdict in judged]
    table["harmonised"] = ["; ".join(verdict.harmonised) for verdict in judged]
    table["share"] = table["n_yes"] / table["n_answered"].where(table["n_answered"] > 0)
    return table[SHARES]


def kept_shares(answers: pd.DataFrame, set_id: str, waves: tuple[str, str], groups: list[str]) -> pd.DataFrame:
    """Follow people who answered at both waves.

    Returns
    -------
    DataFrame
        `KEPT`: of ``n_both`` people with an answer at both waves, ``n_before`` said yes at the first, of these ``n_kept`` at the second too
        (``share_kept``), and of the others ``n_taken_up`` (``share_taken_up``). A person counts in the group of the first wave. People
        without an id cannot be followed and are not counted.
    """
    before, after = (answers[(answers["wave"] == wave) & answers["yes"].notna()].dropna(subset=["person_id"]) for wave in waves)
    key = ["item", "label", "person_id"]
    both = before.drop_duplicates(key).merge(after.drop_duplicates(key)[[*key, "yes"]], on=key, suffixes=("", "_after"))
    both = both.assign(kept=both["yes"] * both["yes_after"], taken_up=(1 - both["yes"]) * both["yes_after"])
    parts = []
    for by in (ALL, *groups):
        grouped = both.assign(group=ALL if by == ALL else both[by]).dropna(subset=["group"])
        counted = grouped.groupby(["item", "label", "group"], sort=True).agg(
            n_both=("yes", "size"), n_before=("yes", "sum"), n_kept=("kept", "sum"), n_taken_up=("taken_up", "sum")
        )
        parts.append(counted.astype(int).reset_index().assign(by=by))
    table = pd.concat(parts, ignore_index=True).assign(set=set_id, wave_from=waves[0], wave_to=waves[1])
    without = table["n_both"] - table["n_before"]
    table["share_kept"] = table["n_kept"] / table["n_before"].where(table["n_before"] > 0)
    table["share_taken_up"] = table["n_taken_up"] / without.where(without > 0)
    return table[KEPT]


def _require_groups(rows: pd.DataFrame, spec: dict) -> None:
    absent = [by for by in spec.get("by") or [] if by not in rows.columns]
    if absent:
        raise BscError(
            "BSC-CFG-292",
            f"{len(absent)} kind(s) of groups of the set '{spec['id']}' are neither a key nor an item.",
            tuple(f"config/measures.yaml, reported, {spec['id']}, by: {by}" for by in absent),
            "Who reports it and who does not could not be told apart.",
            "Name role, core, collaborative, center_id, an item of the sources or one of the register of centers.",
        )


def _require_item(rows: pd.DataFrame, spec: dict, item: dict) -> None:
    name = item["item"]
    known = name in rows.columns and (pd.api.types.is_numeric_dtype(rows[name]) or rows[name].isna().all())
    if not known or ("at_least" not in item and not rows[name].dropna().astype(float).isin([0, 1]).all()):
        raise BscError(
            "BSC-CFG-290",
            f"The item '{name}' of the set '{spec['id']}' cannot be read as yes or no.",
            f"config/measures.yaml, reported, {spec['id']}, {name}",
            "Its share of people would be of something else.",
            "Name a yes_no item of the sources, or say with `at_least` from which code an answer counts as yes.",
        )


def _is_unclear(item: dict, mapped: HarmonisedItem) -> bool:
    """Return whether a bare code says what is a yes, although the map changes codes and the answers' response scale has a name."""
    bare = "at_least" in item and not isinstance(item["at_least"], dict)
    return bare and mapped.changes_numbers and bool(mapped.definition.get("response_scale"))


def _refuse_unclear(spec: dict, items: list[str]) -> None:
    if items:
        raise BscError(
            "BSC-CFG-250",
            f"One code says what is a yes to {len(items)} item(s) of the set '{spec['id']}', and the map between versions changes codes.",
            tuple(f"config/measures.yaml, reported, {spec['id']}, {item}: at_least" for item in items),
            "It is not clear of which version the code is, and people could be counted who did not say yes.",
            "Write `at_least` with the response scale that answers are taken as, such as {agree4: 3}.",
        )


def _refuse_renamed(spec: dict, items: list[str]) -> None:
    if items:
        raise BscError(
            "BSC-CFG-251",
            f"The map between versions takes {len(items)} item(s) of the set '{spec['id']}' as other items.",
            tuple(f"config/measures.yaml, reported, {spec['id']}, {item}" for item in items),
            "The waves that are taken as the other item would be missing from its shares.",
            "Name the item that config/codebook/harmonisation.csv has under `new_item`.",
        )


def _scale_of(rows: pd.DataFrame, item: str) -> pd.Series:
    name = f"{item}__scale"
    return rows[name] if name in rows.columns else pd.Series(None, index=rows.index, dtype=object)


def _codes(rows: pd.DataFrame, spec: dict, item: dict) -> pd.Series:
    """Return the lowest code that is a yes, for each row; missing where the item was not asked."""
    code, scale = item.get("at_least", 1), _scale_of(rows, item["item"])
    used = sorted(scale.dropna().unique())
    lacking = [name for name in used if name not in code] if isinstance(code, dict) else used if len(used) > 1 else []
    if lacking:
        raise BscError(
            "BSC-CFG-291",
            f"A response scale of the item '{item['item']}' has no code of its own that says what is a yes.",
            f"config/measures.yaml, reported, {spec['id']}, {item['item']}: {', '.join(name or '(none)' for name in lacking)}",
            "One code stands for different answers, and the shares of the waves could not be compared.",
            "Give `at_least` a code for each response scale, or name sources of waves with one scale.",
        )
    by_scale = {name: float(code[name] if isinstance(code, dict) else code) for name in used}
    return scale.map(by_scale).astype(float)
