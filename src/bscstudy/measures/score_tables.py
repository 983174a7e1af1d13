"""The table of all scale scores, and reliability and aggregation of each scale and wave."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.measures.aggregation import aggregation
from bscstudy.measures.identity import IDENTITY, add_identity
from bscstudy.measures.reliability import cronbach_alpha, describe_ends, omega_total
from bscstudy.measures.scales import ScalePart, possible_range, score_scale


@dataclass(frozen=True)
class Pooled:
    """All persons scored on one scale in one wave."""

    scale: dict
    keyed: np.ndarray
    scores: np.ndarray
    centers: np.ndarray
    bounds: tuple[tuple[float, float], ...]
    options: int | None


def row_ids(part: ScalePart) -> pd.Series:
    """Return the id of each row of a part, `source:row`."""
    return part.source + ":" + part.rows["row"].astype("str")


def score_table(parts: Iterable[ScalePart], people: pd.DataFrame | None, centers: pd.DataFrame | None) -> pd.DataFrame:
    """Score every scale for every row it is used in.

    Parameters
    ----------
    parts : iterable of ScalePart
        As `scale_parts` gives them.
    people, centers : DataFrame or None
        Registers; they fill what a row does not say of itself (`add_identity`).

    Returns
    -------
    DataFrame
        ``scale instrument construct wave row_id person_id center_id collaborative role core n_items n_valid score why``. A scale
        restricted to some roles is ``not_asked`` of the others; waves in which a scale is not used have no rows.

    Raises
    ------
    BscError
        BSC-KEY-203 if two rows score one person twice on one scale in one wave.
    """
    known: dict[tuple[str, str], pd.DataFrame] = {}
    tables = []
    for part in parts:
        place = (part.source, part.wave)
        if place not in known:
            known[place] = add_identity(part.rows, people, centers)[["person_id", *IDENTITY]].assign(row_id=row_ids(part))
        who, scale = known[place], part.scale
        roles = str(scale.get("roles") or "").split()
        meant = np.full(len(who), True) if not roles else (who["role"].isin(roles) | who["role"].isna()).to_numpy()
        result = score_scale(
            part.keyed,
            scale["rule"],
            scale.get("minimum_valid"),
            asked=part.asked & meant[:, None],
            answered=part.answered,
            coded=part.coded,
        )
        fixed = {"scale": scale["scale"], "instrument": scale["instrument"], "construct": scale.get("construct") or "", "wave": part.wave}
        counted = {"n_items": result.n_items, "n_valid": result.n_valid, "score": result.score, "why": result.why}
        tables.append(who.assign(**fixed, **counted))
    names = ["scale", "instrument", "construct", "wave", "row_id", "person_id", *IDENTITY, "n_items", "n_valid", "score", "why"]
    scores = pd.concat(tables, ignore_index=True)[names] if tables else pd.DataFrame(columns=names)
    _refuse_repeats(scores)
    return scores


def pool_parts(parts: Iterable[ScalePart], scores: pd.DataFrame) -> dict[tuple[str, str], Pooled]:
    """Put together the scored rows of each scale and wave over sources; (scale, wave) -> `Pooled`.

    Raises
    ------
    BscError
        BSC-CFG-208 if sources of one wave have different numbers of items for one scale.
    """
    scored = scores[scores["score"].notna()]
    lookup = {key: rows.set_index("row_id") for key, rows in scored.groupby([scored["scale"], scored["wave"].fillna("")])}
    gathered: dict[tuple[str, str], list[tuple[ScalePart, np.ndarray, pd.DataFrame]]] = {}
    for part in parts:
        key = (part.scale["scale"], part.wave)
        if key in lookup:
            found = lookup[key].reindex(row_ids(part))
            chosen = found["score"].notna().to_numpy()
            gathered.setdefault(key, []).append((part, part.keyed[chosen], found[chosen]))
    return {key: _pool(key, gathered[key]) for key in sorted(gathered)}


def _pool(key: tuple[str, str], found: list[tuple[ScalePart, np.ndarray, pd.DataFrame]]) -> Pooled:
    if len({part.keyed.shape[1] for part, _, _ in found}) > 1:
        raise BscError(
            "BSC-CFG-208",
            f"The scale '{key[0]}' has different numbers of items within one wave.",
            f"config/codebook/scales.csv, scale {key[0]}, wave {key[1] or '(none)'}",
            "Scores from different items are not one scale.",
            "Give each version of the scale an id of its own.",
        )
    first = found[0][0]
    keyed = np.vstack([answers for _, answers, _ in found])
    rows = pd.concat([rows for _, _, rows in found])
    if first.scale["rule"] == "count_correct":
        keyed = np.nan_to_num(keyed)
    centers = rows["center_id"].fillna("").to_numpy(dtype=object)
    return Pooled(first.scale, keyed, rows["score"].to_numpy(float), centers, first.bounds, first.options)


def reliability_row(pooled: Pooled) -> dict:
    """Return n, alpha, omega, mean, sd, floor and ceiling of one scale and wave; ``n_partial`` were scored without all items."""
    low, high = possible_range(pooled.scale, pooled.bounds)
    ends = describe_ends(pooled.scores, low, high)
    consistent = pooled.scale["rule"] != "count_missing"
    alpha = cronbach_alpha(pooled.keyed if consistent else pooled.keyed[:0])
    return {
        "n": ends.n,
        "k": pooled.keyed.shape[1],
        "alpha": alpha.value,
        "alpha_low": alpha.low,
        "alpha_high": alpha.high,
        "omega": omega_total(pooled.keyed) if consistent else math.nan,
        "mean": ends.mean,
        "sd": ends.sd,
        "floor": ends.floor,
        "ceiling": ends.ceiling,
        "n_partial": int(np.isnan(pooled.keyed).any(axis=1).sum()) if consistent else 0,
    }


def aggregation_row(pooled: Pooled) -> dict:
    """Return ICC(1), ICC(2), median r_wg and the decision of one scale and wave; rows without a center are left out."""
    known = pooled.centers != ""
    return dict(aggregation(pooled.scores[known], pooled.centers[known], pooled.keyed[known], pooled.options).__dict__)


def _refuse_repeats(scores: pd.DataFrame) -> None:
    named = scores[scores["person_id"].notna()]
    repeated = named[named.duplicated(["scale", "wave", "person_id"], keep=False)]
    if len(repeated):
        places = {(row_id.rpartition(":")[0], row_id.rpartition(":")[2]) for row_id in repeated["row_id"]}
        raise BscError(
            "BSC-KEY-203",
            "Some persons have two rows for one scale in one wave.",
            tuple(f"source {source}, row {row}" for source, row in sorted(places, key=lambda p: (p[0], len(p[1]), p[1]))),
            "A person would be counted twice, or one of two different scores would be chosen by chance.",
            "Exclude the surplus rows under `exclusions` in config/config.yaml with a reason.",
        )
