"""The tables that models read: one row for each person and wave, each visit, each center."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.identity import IDENTITY
from bscstudy.io.comparability import judged
from bscstudy.measures.observation import VISIT_KEYS


def person_table(people: pd.DataFrame | None, scores: pd.DataFrame, scales: list[str]) -> pd.DataFrame:
    """Return one row for each person and wave with a column for each scale.

    Parameters
    ----------
    people : DataFrame or None
        The people table; persons who are only in the scores are added.
    scores : DataFrame
        All scale scores. Anonymous forms enter under their row id, with ``anonymous`` 1: nobody can follow them over waves.
    scales : list of str
        Column order.

    Returns
    -------
    DataFrame
        ``person_id wave``, the people columns, ``anonymous``, the scales (NaN without a score).
    """
    named = scores.assign(anonymous=scores["person_id"].isna().astype(int), person_id=scores["person_id"].fillna(scores["row_id"]))
    key = ["person_id", "wave"]
    named["wave"] = named["wave"].fillna("")
    wide = named.set_index([*key, "scale"])["score"].unstack("scale").reindex(columns=scales)
    who = named.groupby(key, sort=True)[[*IDENTITY, "anonymous"]].first()
    if people is not None and len(people):
        register = people.assign(wave=people["wave"].fillna("")).set_index(key)
        who = register.combine_first(who)
        who = who[[*register.columns, *(c for c in who.columns if c not in register.columns)]]
    who["anonymous"] = who["anonymous"].fillna(0).astype(int)
    return who.join(wide).reset_index()


def visit_table(observation: pd.DataFrame, scores: list[str]) -> pd.DataFrame:
    """Return one row for each visit: keys, each score, and ``<score>__n`` of ``<score>__of`` where it is a share.

    Raises
    ------
    BscError
        BSC-KEY-204 if two instruments give one visit different keys.
    """
    key = "observation_id"
    conflicts = [c for c in VISIT_KEYS if (observation.groupby(key)[c].nunique() > 1).any()]
    if conflicts:
        raise BscError(
            "BSC-KEY-204",
            "Two observation instruments disagree on the keys of the same visit.",
            tuple(f"column {column}" for column in conflicts),
            "Scores of different visits would stand in one row.",
            "Give visits of different instruments different ids, or correct the keys.",
        )
    table = observation.groupby(key, sort=True)[list(VISIT_KEYS)].first()
    columns = {}
    for score in scores:
        rows = observation[observation["score"] == score].set_index(key)
        columns[score] = rows["value"]
        if rows["denominator"].notna().any():
            columns[f"{score}__n"], columns[f"{score}__of"] = rows["numerator"], rows["denominator"]
    return table.join(pd.DataFrame(columns)).reset_index()


def center_table(centers: pd.DataFrame, scores: pd.DataFrame, fidelity: pd.DataFrame | None, config: dict) -> pd.DataFrame:
    """Return one row for each center: register items, fidelity indices and the change of each scale.

    Parameters
    ----------
    centers : DataFrame
        The center register.
    scores, fidelity : DataFrame
        All scale scores and indices. An index by wave gives columns ``<index>__<wave>``; an index of persons gives the mean over the
        center's persons.
    config : dict
        Sections ``waves``, ``scales``, ``items`` and, where there are, ``sources`` and ``harmonisation``.

    Returns
    -------
    DataFrame
        ``<scale>__change`` is the center's mean at the last wave with scores minus that at baseline; NaN for a center without both,
        and for a scale that cannot be compared between the two waves.
    """
    table = centers.set_index("center_id")
    parts = [table, *([_index_columns(fidelity)] if fidelity is not None and len(fidelity) else [])]
    scales = dict.fromkeys(scale["scale"] for scale in config["scales"])
    changes = {f"{scale}__change": center_change(scale, scores, config) for scale in scales}
    return pd.concat([*(p.reindex(table.index) for p in parts), pd.DataFrame(changes).reindex(table.index)], axis=1).reset_index()


def _index_columns(fidelity: pd.DataFrame) -> pd.DataFrame:
    rows = fidelity[fidelity["level"].isin(["center", "person"])]
    wave = rows["wave"].fillna("")
    names = rows["index"].where(wave == "", rows["index"] + "__" + wave)
    return rows.groupby(["center_id", names], sort=True)["value"].mean().unstack().reindex(columns=names.unique())


def baseline_and_last(scale: str, scores: pd.DataFrame, config: dict) -> tuple[str, str] | None:
    """Return the first baseline wave with scores and the last wave with scores; None where these are not two waves."""
    ordered = sorted(config["waves"], key=lambda wave: wave["order"])
    scored = set(scores.loc[(scores["scale"] == scale) & scores["score"].notna(), "wave"])
    present = [wave for wave in ordered if wave["id"] in scored]
    first = next((wave["id"] for wave in present if wave["phase"] == "baseline"), None)
    return None if first is None or present[-1]["id"] == first else (first, present[-1]["id"])


def center_change(scale: str, scores: pd.DataFrame, config: dict, waves: tuple[str, str] | None = None) -> pd.Series:
    """Return the change of each center's mean score between two waves, the second minus the first.

    Parameters
    ----------
    scale : str
    scores : DataFrame
        All scale scores; everybody with a score in a wave enters the mean of that wave.
    config : dict
        Sections ``waves``, ``scales``, ``items`` and, where there are, ``sources`` and ``harmonisation``.
    waves : tuple of str, optional
        The two waves; baseline and the last wave with scores if None.

    Returns
    -------
    Series
        Points of the scale by ``center_id``; no rows where a wave has no scores or the two cannot be compared, NaN
        for a center without scores in both.
    """
    waves = waves or baseline_and_last(scale, scores, config)
    rows = scores[(scores["scale"] == scale) & scores["score"].notna()]
    if waves is None or not set(waves) <= set(rows["wave"].dropna()) or not judged(scale, config, list(waves)).comparable:
        return pd.Series(dtype=float)
    means = rows.groupby(["center_id", "wave"], sort=True)["score"].mean().unstack()
    return means[waves[1]] - means[waves[0]]
