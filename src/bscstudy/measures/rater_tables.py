"""The tables of raters of one instrument: agreement, intraclass correlations, drift, generalizability."""

from __future__ import annotations

import math
from dataclasses import asdict

import pandas as pd

from bscstudy.measures.agreement import indicator_agreement, rating_agreement
from bscstudy.measures.double_coding import rater_rows, visits_needed_for_icc, visits_needed_for_share
from bscstudy.measures.generalizability import GeneralizabilityStudy, coefficients, generalizability_study, occasions_needed
from bscstudy.measures.item_keys import item_bounds
from bscstudy.measures.rater_drift import drift_by_period, rater_deviations
from bscstudy.measures.rater_scores import members_of, score_icc
from bscstudy.tables import Column

_ITEM = [Column("instrument", "Observation instrument"), Column("item", "Item")]
_SCORE = [Column("instrument", "Observation instrument"), Column("score", "Score")]
AGREEMENT = [
    *_ITEM,
    Column("n_pairs", "Pairs of answers of two raters", "integer", units="pairs"),
    Column("n_units", "Visits coded by two or more raters", "integer", units="visits"),
    Column("n_visits", "Visits with an answer of any rater", "integer", units="visits"),
    Column("share_double_coded", "Share of these visits that two or more raters coded", "number", units="share"),
    Column("exact", "Share of pairs that agree exactly", "number", units="share"),
    Column("adjacent", "Share of pairs that differ by at most one point", "number", units="share"),
    Column("kappa", "Kappa, unweighted", "number"),
    Column("kappa_low", "Lower limit of its 95 % interval", "number"),
    Column("kappa_high", "Upper limit of its 95 % interval", "number"),
    Column("kappa_linear", "Kappa with linear weights", "number"),
    Column("kappa_quadratic", "Kappa with quadratic weights", "number"),
    Column("ac1", "Gwet's AC1", "number"),
    Column("ac1_low", "Lower limit of its 95 % interval", "number"),
    Column("ac1_high", "Upper limit of its 95 % interval", "number"),
    Column("icc", "ICC of one rater's visit mean", "number"),
    Column("icc_low", "Lower limit of its 95 % interval", "number"),
    Column("icc_high", "Upper limit of its 95 % interval", "number"),
    Column("icc_average", "ICC of the mean over raters", "number"),
    Column("statistic", "Which coefficient it is, or why there is none"),
    Column("agreement_width", "Width declared for the 95 % interval of the agreement", "number"),
    Column("visits_needed", "Visits that must be double-coded for that width", "integer", units="visits"),
]
ICC = [
    *_SCORE,
    Column("form", "Form of Shrout and Fleiss"),
    Column("estimate", "Intraclass correlation", "number"),
    Column("low", "Lower limit of its 95 % interval", "number"),
    Column("high", "Upper limit of its 95 % interval", "number"),
    Column("n_visits", "Visits scored by several raters", "integer", units="visits"),
    Column("n_raters", "Raters of these visits", "integer", units="raters"),
    Column("note", "Why forms are missing"),
]
DRIFT = [
    *_SCORE,
    Column("rater_id", "Rater"),
    Column("period", "Wave, month or time since a training"),
    Column("n_visits", "Double-coded visits", "integer", units="visits"),
    Column("deviation", "Mean deviation from the reference", "number", units="share of indicators, or points"),
    Column("low", "Lower limit of its 95 % interval", "number"),
    Column("high", "Upper limit of its 95 % interval", "number"),
    Column("reference", "What raters are compared with: consensus, other raters, both"),
]
GENERALIZABILITY = [
    *_SCORE,
    Column("component", "Classroom, rater, occasion, two of them together, or residual"),
    Column("n_levels", "Levels", "integer"),
    Column("variance", "Variance", "number", units="squared units of the score"),
    Column("share", "Share of the whole variance", "number", units="share"),
    Column("low", "Lower limit of its 95 % interval", "number"),
    Column("high", "Upper limit of its 95 % interval", "number"),
    Column("n", "Scores of one rater in one visit", "integer", units="scores"),
    Column("note", "What is part of the residual, or why there are no components"),
]
DECISION = [
    *_SCORE,
    Column("n_raters", "Raters of an occasion", "integer", units="raters"),
    Column("n_occasions", "Occasions of a classroom", "integer", units="occasions"),
    Column("g", "Coefficient for comparing classrooms (G)", "number"),
    Column("phi", "Coefficient for a classroom's own level (Phi)", "number"),
    Column("target", "Coefficient aimed at", "number"),
    Column("occasions_for_g", "Occasions with which G reaches it (blank: none do)", "integer", units="occasions"),
    Column("occasions_for_phi", "Occasions with which Phi reaches it (blank: none do)", "integer", units="occasions"),
]
MOST_RATERS, MOST_OCCASIONS = 3, 6


def agreement_rows(rows: pd.DataFrame, instrument: dict, codebook: dict | None = None) -> list[dict]:
    """Return the agreement of raters on each item of one instrument, without the rows of the consensus.

    Parameters
    ----------
    rows : DataFrame
        Its ingested rows.
    instrument : dict
        Its entry under ``observation`` in config/measures.yaml.
    codebook : dict, optional
        Sections ``sources``, ``items``, ``response_scales``, ``missing_codes``: the points of a rating scale.

    Returns
    -------
    list of dict
        Columns `AGREEMENT`. ``visits_needed`` is blank without ``agreement_width``.
    """
    own, width = rater_rows(rows, instrument), instrument.get("agreement_width", math.nan)
    found = []
    for item in dict.fromkeys(item.removeprefix("-") for items in members_of(instrument).values() for item in items):
        indicators = instrument["kind"] == "indicators"
        result = indicator_agreement(own, item) if indicators else rating_agreement(own, item, _points(instrument, item, codebook or {}))
        needed = math.nan
        if not math.isnan(width):
            needed = visits_needed_for_share(result.exact, width) if indicators else visits_needed_for_icc(result.icc, width)
        row = {"instrument": instrument["id"], "item": item, **asdict(result)}
        found.append({**row, "agreement_width": width, "visits_needed": needed})
    return found


def _points(instrument: dict, item: str, codebook: dict) -> tuple[float, ...]:
    """Return the points of an item's rating scale over all its versions, empty where the codebook names no whole range."""
    owner = codebook.get("sources", {}).get(instrument["source"], {}).get("instrument", "")
    versions = [row for row in codebook.get("items", []) if row["instrument"] == owner and row["item"] == item]
    extra = (codebook.get("response_scales", []), codebook.get("missing_codes", []))
    bounds = [item_bounds(row, *extra) for row in versions]
    if not bounds or not all(float(end).is_integer() for pair in bounds for end in pair):
        return ()
    return tuple(float(point) for point in range(int(min(low for low, _ in bounds)), int(max(high for _, high in bounds)) + 1))


def icc_rows(scores: pd.DataFrame, instrument: dict) -> list[dict]:
    """Return the intraclass correlations of each score (columns `ICC`) from `rater_scores`."""
    found = []
    for score, part in scores.groupby("score", sort=True):
        forms, n_visits, n_raters, note = score_icc(part)
        shared = {"instrument": instrument["id"], "score": score, "n_visits": n_visits, "n_raters": n_raters, "note": note}
        found += [{**shared, **asdict(form)} for form in forms]
    return found


def drift_rows(rows: pd.DataFrame, instrument: dict) -> list[dict]:
    """Return each rater's deviation by score and period (columns `DRIFT`); none where the source names no rater."""
    if "rater_id" not in rows.columns:
        return []
    table = drift_by_period(rater_deviations(rows, instrument, members_of(instrument)))
    return table.assign(instrument=instrument["id"]).to_dict("records")


def generalizability_rows(scores: pd.DataFrame, instrument: dict) -> tuple[list[dict], list[dict]]:
    """Return components (columns `GENERALIZABILITY`) and decision study (`DECISION`) of each score, where the instrument asks for them.

    Parameters
    ----------
    scores : DataFrame
        See `rater_scores`.
    instrument : dict
        ``generalizability``: ``occasion`` (wave, visit or both: the keys that number a classroom's occasions) and ``target``.
    """
    asked = instrument.get("generalizability", {})
    components, decisions = [], []
    for score, part in scores.groupby("score", sort=True) if "generalizability" in instrument else ():
        known = part[list(asked.get("occasion", ["wave"]))]
        occasion = known.astype(object).where(known.notna(), "").astype(str).agg(" ".join, axis=1).where(known.notna().all(axis=1))
        study = generalizability_study(part.rename(columns={"classroom_id": "classroom", "rater_id": "rater"}).assign(occasion=occasion))
        key = {"instrument": instrument["id"], "score": score}
        shared = {**key, "n": study.n, "note": study.note}
        rows = [{**shared, "component": c.name, **{k: v for k, v in asdict(c).items() if k != "name"}} for c in study.components]
        components += rows or [{**shared, "component": "none"}]
        decisions += [{**key, **row} for row in _decisions(study, float(asked.get("target", 0.8)))]
    return components, decisions


def _decisions(study: GeneralizabilityStudy, target: float) -> list[dict]:
    if not study.components:
        return []
    rows = []
    for n_raters in range(1, MOST_RATERS + 1):
        needed = [occasions_needed(study.variances, n_raters, target, absolute=absolute) for absolute in (False, True)]
        needed = [n if math.isfinite(n) else math.nan for n in needed]
        for n_occasions in range(1, MOST_OCCASIONS + 1):
            g, phi = coefficients(study.variances, n_raters, n_occasions)
            rows.append({"n_raters": n_raters, "n_occasions": n_occasions, "g": g, "phi": phi, "target": target})
            rows[-1] |= dict(zip(("occasions_for_g", "occasions_for_phi"), needed, strict=True))
    return rows
