"""The table of all scale scores."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.identity import IDENTITY, add_identity
from bscstudy.measures.scales import ScalePart, score_scale


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
        ``scale instrument construct wave row_id person_id center_id collaborative role core n_items n_valid score why harmonised``
        (items whose answers stand for another version, or ``whole_scale``). A scale restricted to some roles is ``not_asked`` of the
        others; waves in which a scale is not used have no rows.

    Raises
    ------
    BscError
        BSC-KEY-203 if two rows score one person twice on one scale in one wave.
    """
    known: dict[tuple[str, str], pd.DataFrame] = {}
    scored: dict[tuple[str, str], list[tuple[str, str]]] = {}
    tables = []
    for part in parts:
        place = (part.source, part.wave)
        if place not in known:
            stated = part.rows[part.rows.columns.intersection(["wave", "person_id", *IDENTITY])]
            known[place] = add_identity(stated, people, centers)[["person_id", *IDENTITY]].assign(row_id=row_ids(part))
        who, scale = known[place], part.scale
        scored.setdefault((scale["scale"], part.wave), []).append(place)
        roles = str(scale.get("roles") or "").split()
        meant = np.full(len(who), True) if not roles else (who["role"].isin(roles) | who["role"].isna()).to_numpy()
        result = score_scale(
            part.keyed,
            scale["rule"],
            scale.get("minimum_valid"),
            asked=part.asked & meant[:, None],
            answered=part.answered,
            coded=part.coded if scale["rule"] == "count_missing" else None,
            prorate=scale.get("prorate") == "yes",
        )
        fixed = {"scale": scale["scale"], "instrument": scale["instrument"], "construct": scale.get("construct") or "", "wave": part.wave}
        score = result.score if part.step is None else part.step.convert(result.score)
        counted = {"n_items": result.n_items, "n_valid": result.n_valid, "score": score, "why": result.why}
        tables.append(who.assign(**fixed, **counted, harmonised=" ".join(part.harmonised)))
    names = ["scale", "instrument", "construct", "wave", "row_id", "person_id", *IDENTITY, "n_items", "n_valid", "score", "why"]
    names += ["harmonised"]
    for places in dict.fromkeys(map(tuple, scored.values())):
        _refuse_repeats(pd.concat([known[place] for place in places]))
    return pd.concat(tables, ignore_index=True)[names] if tables else pd.DataFrame(columns=names)


def _refuse_repeats(who: pd.DataFrame) -> None:
    """Refuse persons with two of the rows that one scale is scored from in one wave."""
    repeated = who[who["person_id"].notna() & who["person_id"].duplicated(keep=False)]
    if len(repeated):
        places = {(row_id.rpartition(":")[0], row_id.rpartition(":")[2]) for row_id in repeated["row_id"]}
        raise BscError(
            "BSC-KEY-203",
            "Some persons have two rows for one scale in one wave.",
            tuple(f"source {source}, row {row}" for source, row in sorted(places, key=lambda p: (p[0], len(p[1]), p[1]))),
            "A person would be counted twice, or one of two different scores would be chosen by chance.",
            "Exclude the surplus rows under `exclusions` in config/config.yaml with a reason.",
        )
