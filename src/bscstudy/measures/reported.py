"""What people report: shares with a practice, a tool or a skill by wave and group, and how many keep it to a later wave."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.comparability import Comparability, comparable
from bscstudy.measures.index_rules import matching

ALL = "all"
SHARES = ["set", "item", "label", "wave", "by", "group", "n_asked", "n_answered", "n_yes", "share", "not_comparable", "harmonised"]
KEPT = [
    "set", "item", "label", "wave_from", "wave_to", "by", "group", "n_both", "n_before", "n_kept", "n_taken_up", "share_kept",
    "share_taken_up",
]  # fmt: skip


def item_verdicts(spec: dict, waves: list[str], config: dict) -> dict[str, Comparability]:
    """Return item -> whether its answers can be compared over these waves, by the codebook and its map between versions.

    ``config`` has the sections ``items``, ``sources`` and ``harmonisation``.
    """
    instruments = sorted({config["sources"][source]["instrument"] for source in spec["sources"]})
    verdicts = {}
    for item in (part["item"] for part in spec["items"]):
        rows = [{"scale": f"item {item}", "instrument": name, "items": item} for name in instruments]
        verdicts[item] = comparable(rows, waves, config["items"], config["sources"], config["harmonisation"])
    return verdicts


def report_answers(rows: pd.DataFrame, spec: dict, scales: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Return the answers of a set as yes (1), no (0) or missing.

    Parameters
    ----------
    rows : DataFrame
        Answers with ``wave person_id`` and whatever ``who`` and the groups need.
    spec : dict
        ``id``, ``who`` (a condition; all, if there is none) and ``items``: list of {item, label, at_least}. Without ``at_least`` yes is 1;
        with it, this code or a higher one; a mapping response scale -> code where the scale changes between waves.
    scales : dict
        (item, wave) -> response scale.

    Returns
    -------
    DataFrame
        The rows that meet ``who``, one for each item: ``item label yes`` beside the columns of ``rows``.

    Raises
    ------
    BscError
        BSC-CFG-290 for an item that the source does not have or that is neither yes and no nor given a code, -291 for one code where the
        scale changes, -292 for a group that is no column.
    """
    _require_groups(rows, spec)
    kept = rows[matching(rows, spec.get("who"), spec["id"])]
    parts = []
    for item in spec["items"]:
        _require_item(kept, spec, item)
        code = _codes(kept, spec, item, scales)
        values = kept[item["item"]].astype(float)
        yes = (values >= code).astype(float).where(values.notna() & code.notna())
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


def _codes(rows: pd.DataFrame, spec: dict, item: dict, scales: dict[tuple[str, str], str]) -> pd.Series:
    """Return the lowest code that is a yes, for each row."""
    code = item.get("at_least", 1)
    used = {wave: scales.get((item["item"], wave), "") for wave in rows["wave"].dropna().unique()}
    lacking = sorted(set(used.values()) - set(code if isinstance(code, dict) else ()))
    lacking = lacking if isinstance(code, dict) or len(lacking) > 1 else []
    if lacking:
        raise BscError(
            "BSC-CFG-291",
            f"The item '{item['item']}' has different response scales in different waves.",
            f"config/measures.yaml, reported, {spec['id']}, {item['item']}: {', '.join(lacking)}",
            "One code stands for different answers, and the shares of the waves could not be compared.",
            "Give `at_least` a code for each response scale, or name sources of waves with one scale.",
        )
    by_wave = {wave: float(code[scale] if isinstance(code, dict) else code) for wave, scale in used.items()}
    return rows["wave"].map(by_wave)
