"""The tables of observation scores of one instrument: visits, and persons where visits name one."""

from __future__ import annotations

import math

import pandas as pd

from bscstudy.identity import add_identity
from bscstudy.measures.double_coding import rater_rows, scored_rows
from bscstudy.measures.item_keys import item_bounds, items_in_use, keyed_answers, parse_terms
from bscstudy.measures.observation import average_ratings, indicator_scores, segments_rated, visit_keys
from bscstudy.tables import Column

_OVER = "mean of the raters whose answers count"
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
    Column("n_interview", f"Of the denominator: answered in the interview, {_OVER}", "number", units="indicators"),
    Column("n_no_opportunity", f"Indicators without an opportunity, {_OVER}", "number", units="indicators"),
    Column("n_unanswered", f"Indicators without an answer for another reason, {_OVER}", "number", units="indicators"),
    Column("n_segments", "Segments with a rating of the score", "integer", units="segments"),
    Column("n_raters", "Raters of the visit", "integer", units="raters"),
    Column("scored_from", "Whose answers count: single, mean (of the raters), primary, consensus"),
    Column("value", "Score: share of yes, or mean rating", "number"),
    Column("why", "Why there is no score: not_applicable, no_applicable_indicator, no_rating, too_few_segments"),
]
PERSON = [
    Column("instrument", "Observation instrument"),
    Column("score", "Score"),
    Column("person_id", "Person observed"),
    Column("wave", "Wave (blank where visits belong to none)"),
    Column("n_visits", "Visits", "integer", units="visits"),
    Column("value", "Mean of the visits' scores", "number"),
]


def instrument_scores(
    rows: pd.DataFrame, instrument: dict, centers: pd.DataFrame | None, codebook: dict | None = None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Score one instrument.

    Parameters
    ----------
    rows : DataFrame
        Its ingested rows.
    instrument : dict
        Its entry under ``observation`` in config/measures.yaml.
    centers : DataFrame or None
        The center register, for the collaborative.
    codebook : dict, optional
        Sections ``sources``, ``items``, ``response_scales``, ``missing_codes``; needed where a rating is reversed.

    Returns
    -------
    visits, persons : DataFrame, DataFrame or None
        Columns `OBSERVATION` and `PERSON`; persons are None where ratings are not averaged over ``visits``.

    Raises
    ------
    BscError
        BSC-CFG-201 if a reversed rating has no lowest and highest point; what `scored_rows` and `average_ratings` raise.
    """
    counted = scored_rows(rows, instrument)
    keys = visit_keys(add_identity(rows, None, centers), f"source {instrument['source']}")
    keys["n_raters"] = visit_keys(rater_rows(rows, instrument))["n_raters"].reindex(keys.index).fillna(1).astype(int)
    persons = None
    if instrument["kind"] == "indicators":
        scores = indicator_scores(counted, instrument["parts"], instrument.get("interview")).assign(n_segments=math.nan)
    else:
        scores, persons = _rating_scores(keyed_ratings(counted, instrument, codebook), instrument)
    scores = scores.join(keys, on="observation_id").assign(instrument=instrument["id"])
    rule = instrument.get("double_coded", "mean")
    consensus = (
        set(rows.loc[rows["rater_id"].eq(instrument["consensus_rater"]).fillna(False), "observation_id"]) if rule == "consensus" else set()
    )
    several = (scores["n_raters"] > 1) | scores["observation_id"].isin(consensus)
    scores["scored_from"] = several.map({True: rule, False: "single"})
    return scores[[column.name for column in OBSERVATION]], persons


def keyed_ratings(rows: pd.DataFrame, instrument: dict, codebook: dict | None) -> pd.DataFrame:
    """Return rating rows with a column ``-item`` for each item that a score names so: lowest + highest - rating.

    Parameters
    ----------
    rows, instrument, codebook
        As for `instrument_scores`.
    """
    names = sorted({item for score in instrument.get("scores", []) for item in score["items"] if item.startswith("-")})
    if not names:
        return rows
    book, source = codebook or {}, instrument["source"]
    owner = book.get("sources", {}).get(source, {}).get("instrument", "")
    terms = parse_terms(" ".join(names), [])
    waves = rows["wave"].fillna("").astype(str) if "wave" in rows.columns else pd.Series("", index=rows.index)
    reversed_parts = []
    for wave, part in rows.groupby(waves, sort=False):
        in_use = items_in_use(book.get("items", []), owner, source, wave)
        extra = (book.get("response_scales", []), book.get("missing_codes", []))
        bounds = {term.item: item_bounds(in_use[term.item], *extra) for term in terms if term.item in in_use}
        reversed_parts.append(pd.DataFrame(keyed_answers(part, terms, bounds), index=part.index, columns=names))
    return pd.concat([rows, pd.concat(reversed_parts).loc[rows.index]], axis=1)


def _rating_scores(rows: pd.DataFrame, instrument: dict) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    members = {score["id"]: list(score["items"]) for score in instrument["scores"]}
    minimum = int(instrument.get("minimum_segments", 0))
    visits, persons = average_ratings(rows, members, instrument["average_order"], minimum)
    scores = visits.melt(id_vars="observation_id", var_name="score", value_name="value")
    segments = segments_rated(rows, members).melt(ignore_index=False, var_name="score", value_name="n_segments").reset_index()
    scores = scores.merge(segments, on=["observation_id", "score"], how="left", validate="one_to_one")
    blank = ("numerator", "denominator", "n_interview", "n_no_opportunity", "n_unanswered")
    scores = scores.assign(part=pd.NA, **dict.fromkeys(blank, math.nan))
    lacking = scores["n_segments"].gt(0).map({True: "too_few_segments" if minimum else "no_rating", False: "no_rating"})
    scores["why"] = lacking.where(scores["value"].isna(), "")
    if persons is not None:
        persons = persons.melt(id_vars=["person_id", "wave", "n_visits"], var_name="score", value_name="value")
        persons = persons.assign(instrument=instrument["id"])[[column.name for column in PERSON]]
    return scores, persons
