"""The answers of all persons on one scale in one wave, put together over sources, and what of them is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.harmonisation import Step
from bscstudy.measures.item_keys import Term
from bscstudy.measures.scales import ScalePart
from bscstudy.measures.score_tables import row_ids

#: how missing answers are told apart in tables: not put to the person, left blank, coded in the file, or not a possible answer
KINDS = ("not_asked", "skipped", "coded", "not_possible")
#: what is kept of a row of the score table
ROWS = ["score", "person_id", "center_id", "collaborative", "role", "core"]
#: what is read of the score table
SCORE_COLUMNS = ["scale", "wave", "row_id", "why", *ROWS]
_NOT_POSSIBLE = ("out_of_range", "invalid")


@dataclass(frozen=True)
class Pooled:
    """All persons scored on one scale in one wave.

    Attributes
    ----------
    scale : dict
    terms : tuple of Term, length k
    bounds : tuple of (lowest, highest possible answer), length k
    options : int or None
        Number of answers the items share, None where they do not share one ordinal scale.
    keyed : ndarray, n x k
        Keyed answers of those with a score; NaN missing.
    rows : DataFrame, n rows
        Their rows of the score table, by row id: score, person_id, center_id, collaborative, role, core.
    missing : ndarray, k x 4
        Answers missing by `KINDS` among all the scale was put to, whether they have a score or not.
    n_asked, n_not_asked : int
        Persons the scale was put to, and persons of the same forms it was not.
    step : Step or None
        The map's row by which the scores became those of other waves.
    """

    scale: dict
    terms: tuple[Term, ...]
    bounds: tuple[tuple[float, float], ...]
    options: int | None
    keyed: np.ndarray
    rows: pd.DataFrame
    missing: np.ndarray
    n_asked: int
    n_not_asked: int
    step: Step | None = None

    @property
    def scores(self) -> np.ndarray:
        """Scores, n."""
        return self.rows["score"].to_numpy(float)

    @property
    def centers(self) -> np.ndarray:
        """Centers, n; blank where not known."""
        return self.rows["center_id"].fillna("").to_numpy(dtype=object)


def pool_parts(parts: Iterable[ScalePart], scores: pd.DataFrame) -> dict[tuple[str, str], Pooled]:
    """Put together the scored rows of each scale and wave over sources; (scale, wave) -> `Pooled`, where anybody has a score.

    Raises
    ------
    BscError
        BSC-CFG-208 if sources of one wave have different numbers of items for one scale.
    """
    places = scores.groupby([scores["scale"], scores["wave"].fillna("")]).indices
    scores = scores[["row_id", "why", *ROWS]]
    ids: dict[tuple[str, str], pd.Series] = {}
    gathered: dict[tuple[str, str], list[Pooled]] = {}
    for part in parts:
        key = (part.scale["scale"], part.wave)
        if key in places:
            if (part.source, part.wave) not in ids:
                ids[part.source, part.wave] = row_ids(part)
            found = scores.iloc[places[key]].set_index("row_id").reindex(ids[part.source, part.wave])
            gathered.setdefault(key, []).append(_pooled_part(part, found))
    pooled = {key: _together(key, found) for key, found in sorted(gathered.items())}
    return {key: found for key, found in pooled.items() if len(found.rows)}


def _pooled_part(part: ScalePart, found: pd.DataFrame) -> Pooled:
    scored = found["score"].notna().to_numpy()
    asked = (found["why"].fillna("") != "not_asked").to_numpy()
    keyed = part.keyed[scored]
    return Pooled(
        scale=part.scale,
        terms=part.terms,
        bounds=part.bounds,
        options=part.options,
        keyed=np.nan_to_num(keyed) if part.scale["rule"] == "count_correct" else keyed,
        rows=found.loc[scored, ROWS],
        missing=_missing(part, asked),
        n_asked=int(asked.sum()),
        n_not_asked=int((~asked).sum()),
        step=part.step,
    )


def _missing(part: ScalePart, asked: np.ndarray) -> np.ndarray:
    blank, reasons = np.isnan(part.keyed[asked]), part.reasons[asked]
    kinds = {"not_asked": reasons == "not_asked", "not_possible": np.isin(reasons, _NOT_POSSIBLE), "coded": part.coded[asked]}
    kinds["skipped"] = ~(kinds["not_asked"] | kinds["not_possible"] | kinds["coded"])
    return np.column_stack([(blank & kinds[kind]).sum(axis=0) for kind in KINDS])


def _together(key: tuple[str, str], found: list[Pooled]) -> Pooled:
    first = found[0]
    if len(found) == 1:
        return first
    if len({len(part.terms) for part in found}) > 1:
        raise BscError(
            "BSC-CFG-208",
            f"The scale '{key[0]}' has different numbers of items within one wave.",
            f"config/codebook/scales.csv, scale {key[0]}, wave {key[1] or '(none)'}",
            "Scores from different items are not one scale.",
            "Give each version of the scale an id of its own.",
        )
    return Pooled(
        scale=first.scale,
        terms=first.terms,
        bounds=first.bounds,
        options=first.options,
        keyed=np.vstack([part.keyed for part in found]),
        rows=pd.concat([part.rows for part in found]),
        missing=sum(part.missing for part in found),
        n_asked=sum(part.n_asked for part in found),
        n_not_asked=sum(part.n_not_asked for part in found),
        step=first.step,
    )
