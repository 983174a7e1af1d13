"""The tables of observation scores and rater agreement of one instrument."""

from __future__ import annotations

import math
from dataclasses import asdict

import pandas as pd

from bscstudy.measures.agreement import indicator_agreement, rating_agreement
from bscstudy.measures.identity import add_identity
from bscstudy.measures.observation import average_ratings, indicator_scores, visit_keys
from bscstudy.tables import Column

OBSERVATION = [
    Column("instrument", "Observation instrument"),
    Column("score", "Score"),
    Column("observation_id", "Visit"),
    Column("wave", "Wave"),
    Column("collaborative", "Collaborative"),
    Column("center_id", "Center"),
    Column("classroom_id", "Classroom"),
    Column("person_id", "Person observed"),
    Column("visit", "Number or name of the visit"),
    Column("part", "Part of an indicator instrument"),
    Column("numerator", "Indicators answered yes, mean of the raters who scored the part", "number", units="indicators"),
    Column("denominator", "Indicators answered yes or no, mean of the raters who scored the part", "number", units="indicators"),
    Column("n_raters", "Raters of the visit", "integer", units="raters"),
    Column("value", "Score: share of yes, or mean rating", "number"),
    Column("why", "Why there is no score: not_applicable, no_applicable_indicator, no_rating"),
]
PERSON = [
    Column("instrument", "Observation instrument"),
    Column("score", "Score"),
    Column("person_id", "Person observed"),
    Column("wave", "Wave (blank where visits belong to none)"),
    Column("n_visits", "Visits", "integer", units="visits"),
    Column("value", "Mean of the visits' scores", "number"),
]
AGREEMENT = [
    Column("instrument", "Observation instrument"),
    Column("item", "Item"),
    Column("n_pairs", "Pairs of answers of two raters", "integer", units="pairs"),
    Column("n_units", "Visits coded by two or more raters", "integer", units="visits"),
    Column("exact", "Share of pairs that agree exactly", "number", units="share"),
    Column("adjacent", "Share of pairs that differ by at most one point", "number", units="share"),
    Column("kappa", "Kappa", "number"),
    Column("icc", "ICC of one rater's visit mean", "number"),
    Column("icc_low", "Lower limit of its 95 % interval", "number"),
    Column("icc_high", "Upper limit of its 95 % interval", "number"),
    Column("statistic", "Which coefficient it is, or why there is none"),
    Column("icc_average", "ICC of the mean over raters", "number"),
]


def instrument_scores(rows: pd.DataFrame, instrument: dict, centers: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Score one instrument.

    Parameters
    ----------
    rows : DataFrame
        Its ingested rows.
    instrument : dict
        Its entry under ``observation`` in config/measures.yaml.
    centers : DataFrame or None
        The center register, for the collaborative.

    Returns
    -------
    visits, persons : DataFrame, DataFrame or None
        Columns `OBSERVATION` and `PERSON`; persons are None where ratings are not averaged over ``visits``.
    """
    keys = visit_keys(add_identity(rows, None, centers))
    persons = None
    if instrument["kind"] == "indicators":
        scores = indicator_scores(rows, instrument["parts"])
    else:
        members = {score["id"]: list(score["items"]) for score in instrument["scores"]}
        visits, persons = average_ratings(rows, members, instrument["average_order"])
        scores = visits.melt(id_vars="observation_id", var_name="score", value_name="value")
        scores = scores.assign(part=pd.NA, numerator=math.nan, denominator=math.nan)
        scores["why"] = scores["value"].isna().map({True: "no_rating", False: ""})
    scores = scores.join(keys, on="observation_id").assign(instrument=instrument["id"])
    if persons is not None:
        persons = persons.melt(id_vars=["person_id", "wave", "n_visits"], var_name="score", value_name="value")
        persons = persons.assign(instrument=instrument["id"])[[column.name for column in PERSON]]
    return scores[[column.name for column in OBSERVATION]], persons


def agreement_rows(rows: pd.DataFrame, instrument: dict) -> list[dict]:
    """Return the agreement of raters on each item of one instrument."""
    indicators = instrument["kind"] == "indicators"
    members = instrument["parts"] if indicators else instrument["scores"]
    items = list(dict.fromkeys(item for member in members for item in member["items"]))
    agree = indicator_agreement if indicators else rating_agreement
    return [{"instrument": instrument["id"], "item": item, **asdict(agree(rows, item))} for item in items]
