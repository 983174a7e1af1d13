"""Whether raters drift: how far each lies from the consensus, or from the others, in one period after the other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.measures.double_coding import rater_rows

COLUMNS = ["score", "rater_id", "period", "n_visits", "deviation", "low", "high", "reference"]
NO_DATE = "no date"


def visit_periods(rows: pd.DataFrame, instrument: dict) -> pd.Series:
    """Return the period each row lies in, as ``drift_by`` declares it.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source.
    instrument : dict
        ``drift_by``: ``wave`` (default), ``month`` (of the item ``visit_date``) or ``training`` (between ``training_dates``).

    Returns
    -------
    Series of str
        A wave id, ``2024-03``, ``from 2024-03-01`` or ``before 2024-03-01``; `NO_DATE` where the date is missing.

    Raises
    ------
    BscError
        BSC-DAT-260 where ``visit_date`` holds something else than dates.
    """
    by = instrument.get("drift_by", "wave")
    if by == "wave":
        known = rows["wave"] if "wave" in rows.columns else pd.Series("", index=rows.index)
        return known.astype(object).where(known.notna(), "").astype(str)
    dates = pd.to_datetime(rows[instrument["visit_date"]], errors="coerce", format="ISO8601")
    wrong = dates.isna() & rows[instrument["visit_date"]].notna()
    if wrong.any():
        raise BscError(
            "BSC-DAT-260",
            "The date of a visit is no date.",
            tuple(f"source {instrument['source']}, row {row}, column {instrument['visit_date']}" for row in rows.loc[wrong, "row"]),
            "Drift is seen from month to month, or from training to training.",
            "Declare the item as `date` in config/codebook/items.csv with the source's `date_format`.",
        )
    if by == "month":
        return dates.dt.strftime("%Y-%m").where(dates.notna(), NO_DATE)
    starts = sorted(str(day) for day in instrument["training_dates"])
    place = np.searchsorted(pd.to_datetime(starts).to_numpy(), dates.to_numpy(), side="right")
    names = [f"before {starts[0]}", *(f"from {day}" for day in starts)]
    return pd.Series([names[p] for p in place], index=rows.index).where(dates.notna(), NO_DATE)


def rater_deviations(rows: pd.DataFrame, instrument: dict, members: dict[str, list[str]]) -> pd.DataFrame:
    """Return how far each rater's answers to a double-coded visit lie from the reference, in the direction of the score.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source, one for each visit, rater and (for ratings) segment.
    instrument : dict
        ``consensus_rater`` names the rows of the consensus.
    members : dict
        Score id -> items, ``-item`` reversed.

    Returns
    -------
    DataFrame
        ``score observation_id rater_id period deviation reference``. Answers are compared item by item (and segment by segment) with
        those of the consensus where one was entered for the visit, else with the mean of the other raters; an answer with nothing to
        compare it with is left out. ``deviation`` is the mean over the items of the score: share of indicators, or points.
    """
    parts = [_item_deviations(rows, instrument, item) for item in sorted({i.removeprefix("-") for m in members.values() for i in m})]
    long = pd.concat(parts, ignore_index=True)
    found = []
    for score, items in members.items():
        sign = {item.removeprefix("-"): -1.0 if item.startswith("-") else 1.0 for item in items}
        own = long[long["item"].isin(sign)]
        own = own.assign(deviation=own["deviation"] * own["item"].map(sign))
        visits = own.groupby(["observation_id", "rater_id", "period"], sort=True).agg(
            deviation=("deviation", "mean"), reference=("reference", "min")
        )
        found.append(visits.reset_index().assign(score=score))
    columns = ["score", "observation_id", "rater_id", "period", "deviation", "reference"]
    return pd.concat(found, ignore_index=True).reindex(columns=columns)


def _item_deviations(rows: pd.DataFrame, instrument: dict, item: str) -> pd.DataFrame:
    unit = ["observation_id", *(["segment"] if "segment" in rows.columns else [])]
    values = rows.assign(value=pd.to_numeric(rows[item]), period=visit_periods(rows, instrument)).dropna(subset=["value", "rater_id"])
    own = rater_rows(values, instrument)[[*unit, "rater_id", "period", "value"]]
    agreed = values.drop(own.index).groupby(unit, dropna=False)["value"].mean().rename("agreed")
    own = own.join(agreed, on=unit)
    group = own.groupby(unit, dropna=False)["value"]
    others = (group.transform("sum") - own["value"]) / (group.transform("size") - 1).replace(0, np.nan)
    has_consensus = own["observation_id"].isin(set(agreed.index.get_level_values("observation_id")))
    reference = own["agreed"].where(has_consensus, others)
    named = np.where(has_consensus, "consensus", "other raters")
    return own.assign(item=item, deviation=own["value"] - reference, reference=named).dropna(subset=["deviation"])


def drift_by_period(deviations: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return each rater's mean deviation in each period, with a t interval over visits.

    Parameters
    ----------
    deviations : DataFrame
        See `rater_deviations`.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; limits are NaN with fewer than three visits, and where these do not differ.
        ``reference`` is ``consensus``, ``other raters`` or ``both``.
    """
    from scipy.special import stdtrit

    if deviations.empty:
        return pd.DataFrame(columns=COLUMNS)
    group = deviations.groupby(["score", "rater_id", "period"], sort=True)
    table = group["deviation"].agg(n_visits="size", deviation="mean", spread="std")
    n, spread = table["n_visits"], table["spread"].where((table["n_visits"] > 2) & (table["spread"] > 1e-12))
    half = stdtrit(n - 1, (1 + confidence) / 2) * spread / np.sqrt(n)
    ends = group["reference"].agg(["min", "max"])
    table = table.assign(low=table["deviation"] - half, high=table["deviation"] + half)
    table["reference"] = ends["min"].where(ends["min"] == ends["max"], "both")
    return table.reset_index()[COLUMNS]
