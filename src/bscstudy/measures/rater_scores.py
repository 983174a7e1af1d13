"""What each rater alone would have scored a visit, as reliability, drift and generalizability compare raters."""

from __future__ import annotations

import pandas as pd

from bscstudy.measures.double_coding import rater_rows
from bscstudy.measures.intraclass import FORMS, IntraclassForm, one_way_icc, six_icc
from bscstudy.measures.observation import average_ratings, indicator_scores

#: keys of a visit that stand beside a rater's score
PLACES = ("wave", "visit", "center_id", "classroom_id")


def members_of(instrument: dict) -> dict[str, list[str]]:
    """Return score id -> items (``-item`` reversed) of an instrument of either kind."""
    parts = instrument["parts"] if instrument["kind"] == "indicators" else instrument["scores"]
    return {part["id"]: list(part["items"]) for part in parts}


def rater_scores(rows: pd.DataFrame, instrument: dict) -> pd.DataFrame:
    """Return the score that each rater's own answers give, without the consensus and without the interview.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source; for reversed ratings with their ``-item`` columns (`keyed_ratings`).
    instrument : dict
        Its entry in config/measures.yaml.

    Returns
    -------
    DataFrame
        ``observation_id rater_id score value`` and `PLACES`; one row for each visit, rater and score with a value, sorted.
    """
    own = rater_rows(rows, instrument)
    if "rater_id" not in own.columns:
        return pd.DataFrame(columns=["observation_id", "rater_id", *PLACES, "score", "value"])
    own = own.dropna(subset=["rater_id", "observation_id"])
    group = own.groupby(["observation_id", "rater_id"], sort=True)
    places = group[[c for c in PLACES if c in own.columns]].first().reset_index().reindex(columns=["observation_id", "rater_id", *PLACES])
    alone = own.assign(observation_id=group.ngroup())
    if instrument["kind"] == "indicators":
        found = indicator_scores(alone, instrument["parts"])[["observation_id", "score", "value"]]
    else:
        order = [level for level in instrument["average_order"] if level in ("items", "segments")]
        visits, _ = average_ratings(alone.drop(columns="rater_id"), members_of(instrument), order)
        found = visits.melt(id_vars="observation_id", var_name="score", value_name="value")
    found = found.dropna(subset=["value"]).rename(columns={"observation_id": "place"}).join(places, on="place")
    found = found.sort_values(["score", "observation_id", "rater_id"], ignore_index=True)
    return found[["observation_id", "rater_id", *PLACES, "score", "value"]]


def score_icc(scores: pd.DataFrame) -> tuple[list[IntraclassForm], int, int, str]:
    """Return the ICCs of one score over the visits that several raters scored.

    Parameters
    ----------
    scores : DataFrame
        ``observation_id rater_id value`` of one score.

    Returns
    -------
    forms : list of IntraclassForm
        All six where the same raters scored each of these visits; else the one-way forms, since visits have raters of their own.
    n_visits, n_raters : int
        Visits that several raters scored, and raters who scored one of them.
    note : str
        Why forms are missing; blank where all are there.
    """
    several = scores[scores.groupby("observation_id")["rater_id"].transform("nunique") > 1]
    n_visits, n_raters = several["observation_id"].nunique(), several["rater_id"].nunique()
    if n_visits < 2:
        return [], n_visits, n_raters, "fewer than two visits were scored by two raters"
    if several.groupby("observation_id")["rater_id"].agg(tuple).nunique() == 1:
        wide = several.pivot(index="observation_id", columns="rater_id", values="value")
        return list(six_icc(wide.to_numpy(float))), n_visits, n_raters, ""
    found = one_way_icc(several["value"].to_numpy(float), several["observation_id"].to_numpy())
    size = several.groupby("observation_id").size()
    average = (found.low, found.high) if size.nunique() == 1 else (float("nan"), float("nan"))
    k = float(size.iloc[0])
    low, high = (k * value / (1 + (k - 1) * value) for value in average)
    forms = [IntraclassForm(FORMS[0], found.single, found.low, found.high), IntraclassForm(FORMS[3], found.average, low, high)]
    return forms, n_visits, n_raters, "visits have different raters, so the two-way forms are not defined"
