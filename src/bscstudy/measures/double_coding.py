"""Which rater's row counts where a visit was coded twice, and how many visits must be coded twice."""

from __future__ import annotations

import math

import pandas as pd

from bscstudy.errors import BscError, rows_said

#: where a score comes from: one rater, the mean of several, the primary rater, the raters' consensus
RULES = ("mean", "primary", "consensus")


def rater_rows(rows: pd.DataFrame, instrument: dict) -> pd.DataFrame:
    """Return the rows that raters filled in on their own: all but those of the consensus.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source.
    instrument : dict
        Its entry in config/measures.yaml; ``consensus_rater`` names the rater id under which a consensus was entered.
    """
    name = instrument.get("consensus_rater")
    return rows if name is None or "rater_id" not in rows.columns else rows[rows["rater_id"].ne(name).fillna(True)]


def scored_rows(rows: pd.DataFrame, instrument: dict) -> pd.DataFrame:
    """Return the rows that a visit's score is worked out from, by the rule ``double_coded``.

    Parameters
    ----------
    rows : DataFrame
        ``observation_id``, ``rater_id`` and, where there are, ``segment``.
    instrument : dict
        ``double_coded``: ``mean`` (default: every rater's answers; counts of two raters may then be halves), ``primary`` (only the
        rows of the primary rater: the first rater listed under ``primary_rater: order``, or those that meet ``primary_rater: where``)
        or ``consensus`` (only the rows of ``consensus_rater``). A visit that one rater coded keeps that rater's rows whatever the rule.

    Returns
    -------
    DataFrame
        For `primary` and `consensus`, rows of exactly one rater in each visit.

    Raises
    ------
    BscError
        BSC-KEY-260 where the rule leaves a double-coded visit without one rater that counts; BSC-CFG-260 where the condition
        cannot be used.
    """
    rule = instrument.get("double_coded", "mean")
    own = rater_rows(rows, instrument)
    if rule == "mean" or "rater_id" not in rows.columns:
        return own
    double = _double_coded(own)
    chosen = rows[rows["rater_id"].eq(instrument["consensus_rater"]).fillna(False)] if rule == "consensus" else _primary(own, instrument)
    counted = chosen.groupby("observation_id")["rater_id"].nunique().reindex(double, fill_value=0)
    if (counted != 1).any():
        unclear = own[own["observation_id"].isin(counted.index[counted != 1])]
        raise BscError(
            "BSC-KEY-260",
            f"{int((counted != 1).sum())} double-coded visits have no single rater whose answers count.",
            tuple(f"instrument {instrument['id']}{rows_said(visit.get('row', ()))}" for _, visit in unclear.groupby("observation_id")),
            f"`double_coded: {rule}` takes the answers of one rater, so that counts stay whole.",
            "Correct the raters in the source, or `primary_rater`, `consensus_rater` and `double_coded` in config/measures.yaml.",
        )
    agreed = set(double) | (set(chosen["observation_id"]) if rule == "consensus" else set())
    return pd.concat([own[~own["observation_id"].isin(agreed)], chosen[chosen["observation_id"].isin(agreed)]]).sort_index()


def _double_coded(rows: pd.DataFrame) -> list:
    n_raters = rows.groupby("observation_id", sort=True)["rater_id"].nunique()
    return n_raters.index[n_raters > 1].tolist()


def _primary(rows: pd.DataFrame, instrument: dict) -> pd.DataFrame:
    rule = instrument["primary_rater"]
    if "where" in rule:
        try:
            return rows.query(rule["where"])
        except Exception as fault:  # pandas raises many kinds for a condition it cannot read
            raise BscError(
                "BSC-CFG-260",
                "The condition that names the primary rater cannot be used.",
                f"config/measures.yaml, {instrument['id']}, primary_rater, where",
                "Without it nobody knows whose answers count.",
                "Write a pandas query on columns of the source's derived table.",
            ) from fault
    place = rows["rater_id"].map({rater: place for place, rater in enumerate(rule["order"])})
    return rows[place.notna() & (place == place.groupby(rows["observation_id"]).transform("min"))]


def visits_needed_for_share(share: float, width: float, most: int = 100_000) -> float:
    """Return how many visits must be double-coded for the interval of exact agreement to be no wider than `width`.

    Parameters
    ----------
    share : float in [0, 1]
        The agreement expected, one pair a visit.
    width : float in (0, 1)
        Of the 95 % interval.

    Returns
    -------
    float
        Whole number; NaN without a share, or where more than `most` would be needed.

    Notes
    -----
    Source: Wilson (1927); the width falls with n, so that halving finds the smallest.
    Checked against the width at every n: tests/unit/test_measures_double_coding.py.
    """
    if math.isnan(share) or wilson_width(share, most) > width:
        return math.nan
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wilson_width(share, middle) <= width else (middle + 1, high)
    return float(low)


def wilson_width(share: float, n: int) -> float:
    """Return the width of Wilson's 95 % interval of a share of n."""
    z = 1.959963984540054
    return 2 * z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)


def visits_needed_for_icc(icc: float, width: float, raters: int = 2) -> float:
    """Return how many visits must be coded by `raters` raters for the ICC's 95 % interval to be no wider than `width`.

    Parameters
    ----------
    icc : float
        The intraclass correlation of one rater that is expected; a negative one is taken as 0.
    width : float in (0, 1)
    raters : int
        At least 2.

    Returns
    -------
    float
        Whole number; NaN without an ICC.

    Notes
    -----
    Source: Bonett (2002), Statistics in Medicine 21, equation 3; with two raters and an ICC of .7 or more, 5 times the ICC are added as
    he advises. Checked against his examples: tests/unit/test_measures_double_coding.py.
    """
    if math.isnan(icc):
        return math.nan
    icc, z = max(0.0, icc), 1.959963984540054
    n = 8 * z**2 * (1 - icc) ** 2 * (1 + (raters - 1) * icc) ** 2 / (raters * (raters - 1) * width**2) + 1
    return float(math.ceil(n + (5 * icc if raters == 2 and icc >= 0.7 else 0)))
