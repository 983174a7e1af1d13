"""The elements of a breakthrough series collaborative: scores from declared indices, and a composite with declared weights only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

COMPOSITE = "composite"
COLUMNS = [
    "element", "label", "weight", "center_id", "collaborative", "score", "rank", "rank_equal", "rank_without_low", "rank_without_high",
    "rank_drawn_low", "rank_drawn_high",
]  # fmt: skip


@dataclass(frozen=True)
class Sensitivity:
    """Ranks of n centers (1 is the highest score; equal scores share the best rank) under other weights.

    Attributes
    ----------
    score, rank : ndarray
        With the declared weights.
    rank_equal : ndarray
        With equal weights.
    rank_without : ndarray, n x elements
        With one element left out, the others keeping their weights.
    rank_drawn : ndarray, n x 2
        The 2.5th and 97.5th percentile of the ranks under drawn weights, each set of weights being as likely as any other.
    """

    score: np.ndarray
    rank: np.ndarray
    rank_equal: np.ndarray
    rank_without: np.ndarray
    rank_drawn: np.ndarray


def ranks(scores: np.ndarray) -> np.ndarray:
    """Return the rank of each row in each column; 1 is the highest, equal scores (within 1e-12) share the best rank."""
    scores = np.round(np.atleast_2d(scores.T).T, 12)
    return 1 + (scores[None, :, :] > scores[:, None, :]).sum(axis=1)


def weight_sensitivity(scores: np.ndarray, weights: np.ndarray, draws: int, seed: int) -> Sensitivity:
    """Rank centers by the weighted mean of their element scores, and see how far the ranks rest on the weights.

    Parameters
    ----------
    scores : ndarray, n x elements
        No missing values.
    weights : ndarray
        Above 0; only their ratios matter.
    draws : int
        How many sets of weights are drawn, evenly over all sets that add up to 1 (a flat Dirichlet distribution).
    seed : int

    Notes
    -----
    Source: OECD and JRC (2008), Handbook on constructing composite indicators, section 7 (uncertainty and sensitivity analysis).
    """
    weights = np.asarray(weights, float) / np.sum(weights)
    left = np.where(np.eye(len(weights), dtype=bool), 0.0, weights[:, None])
    without = left / left.sum(axis=0) if len(weights) > 1 else np.ones((1, 1))
    drawn = np.random.default_rng(seed).dirichlet(np.ones(len(weights)), draws).T
    score = scores @ weights
    found = np.percentile(ranks(scores @ drawn), [2.5, 97.5], axis=1, method="nearest").T
    return Sensitivity(score, ranks(score)[:, 0], ranks(scores.mean(axis=1))[:, 0], ranks(scores @ without), found)


def element_scores(table: pd.DataFrame, elements: list[dict], composite: dict | None, better: dict[str, str], seed: int) -> pd.DataFrame:
    """Score every declared element for each center, and the composite where its weights are declared.

    Parameters
    ----------
    table : DataFrame
        Fidelity indices (measures/fidelity).
    elements : list of dict
        ``id label indices`` and, for a composite, ``weight``.
    composite : dict or None
        ``label``, ``scale`` (share: the indices are shares and are averaged as they are; z_score: each is first divided by its spread
        over centers) and ``draws``. Without it elements are scored on z scores and not joined.
    better : dict
        Index -> higher or lower; the values of an index that is better low are turned round.
    seed : int

    Returns
    -------
    DataFrame
        `COLUMNS`, one row for each element and center and, with the element `COMPOSITE`, for the composite. A center that lacks an index
        has no score of its element; one that lacks an element has no composite and no rank.

    Raises
    ------
    BscError
        BSC-CFG-282 for a composite without weights, -283 for an index that cannot speak for its element, -284 for a share outside
        0 to 1.
    """
    _require_weights(elements, composite)
    _require_indices(table, elements, better)
    shares = bool(composite) and composite.get("scale", "z_score") == "share"
    parts, scores = [], {}
    for element in elements:
        values = pd.concat([_standardized(table, index, better[index], shares) for index in element["indices"]], axis=1)
        scores[element["id"]] = values.mean(axis=1, skipna=False)
        row = {"element": element["id"], "label": element["label"], "weight": element.get("weight")}
        parts.append(pd.DataFrame({"center_id": values.index, "score": scores[element["id"]].to_numpy()}).assign(**row))
    if composite:
        parts.append(_composite(pd.DataFrame(scores), [float(e["weight"]) for e in elements], composite, seed))
    joined = pd.concat(parts, ignore_index=True)
    places = table.dropna(subset=["center_id"]).drop_duplicates("center_id").set_index("center_id")["collaborative"]
    return joined.assign(collaborative=joined["center_id"].map(places)).reindex(columns=COLUMNS)


def _composite(scores: pd.DataFrame, weights: list[float], composite: dict, seed: int) -> pd.DataFrame:
    result = pd.DataFrame(index=scores.index, columns=COLUMNS[5:], dtype=float)
    whole = scores.dropna()
    if len(whole):
        found = weight_sensitivity(whole.to_numpy(), np.array(weights), int(composite.get("draws", 2000)), seed)
        result.loc[whole.index] = np.column_stack(
            [found.score, found.rank, found.rank_equal, found.rank_without.min(axis=1), found.rank_without.max(axis=1), found.rank_drawn]
        )
    return result.rename_axis("center_id").reset_index().assign(element=COMPOSITE, label=composite["label"])


def _standardized(table: pd.DataFrame, index: str, better: str, shares: bool) -> pd.Series:
    """Return the values of an index by center with high as better; a z score that does not differ between centers is 0."""
    values = table[table["index"] == index].set_index("center_id")["value"].sort_index()
    if shares:
        if not values.dropna().between(0, 1).all():
            raise BscError(
                "BSC-CFG-284",
                f"The fidelity index '{index}' is not a share.",
                f"config/measures.yaml, elements: {index}",
                "With `scale: share` it would outweigh the indices that lie between 0 and 1.",
                "Declare `scale: z_score` under `composite`, or leave the index out.",
            )
        return 1 - values if better == "lower" else values
    spread = values.std()
    scored = (values - values.mean()) / spread if spread > 0 else values * 0
    return -scored if better == "lower" else scored


def _require_weights(elements: list[dict], composite: dict | None) -> None:
    lacking = [element["id"] for element in elements if "weight" not in element]
    if composite and (lacking or not elements):
        raise BscError(
            "BSC-CFG-282",
            "A composite of the elements is asked for, but weights are not declared.",
            f"config/measures.yaml, elements: {', '.join(lacking) or 'none'}",
            "Equal weights are a choice as well; a ranking of centers may rest on it.",
            "Give every element a `weight`, or delete `composite`.",
        )


def _require_indices(table: pd.DataFrame, elements: list[dict], better: dict[str, str]) -> None:
    found = []
    for element in elements:
        for index in element["indices"]:
            rows = table[table["index"] == index]
            if better.get(index, "none") == "none":
                found.append(f"config/measures.yaml, elements, {element['id']}, {index}: `better` is neither higher nor lower.")
            elif (rows["level"] != "center").any() or rows["center_id"].duplicated().any():
                found.append(f"config/measures.yaml, elements, {element['id']}, {index}: it does not have one value for each center.")
            elif (rows["element"] != element["id"]).any():
                found.append(f"config/measures.yaml, elements, {element['id']}, {index}: its own `element` is another one.")
    if found:
        raise BscError(
            "BSC-CFG-283",
            f"{len(found)} indices cannot speak for the element that lists them.",
            tuple(found),
            "The element's score would mean something else than its name.",
            "List indices counted for centers over the whole study, with `better` and `element` set.",
        )
