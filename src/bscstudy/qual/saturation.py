"""Saturation: how many themes and codes were new in each further session, and how many would be in sessions of any order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.qual.codes import counted_codings
from bscstudy.qual.columns import SATURATION

DRAWS = 2000


def sessions_in_order(documents: pd.DataFrame, waves: list[str]) -> pd.DataFrame:
    """Return the sessions in the order in which they were held.

    Parameters
    ----------
    documents : DataFrame
        `document_id`, `wave`, and where known `session_id` and `date` (ISO text).
    waves : list of str
        Ids in order of time.

    Returns
    -------
    DataFrame
        `session_id, wave, date` (blank without one), by wave, within it by date where it is known, then by id.
    """
    rows = documents.reindex(columns=["document_id", "session_id", "wave", "date"])
    rows = rows.assign(session_id=rows["session_id"].where(rows["session_id"].notna(), rows["document_id"]))
    place = {wave: number for number, wave in enumerate(waves)}
    sessions = rows.groupby("session_id", as_index=False, sort=True).agg({"wave": "first", "date": "min"})
    sessions = sessions.assign(_wave=sessions["wave"].map(place).fillna(len(waves)))
    ordered = sessions.sort_values(["_wave", "date", "session_id"], kind="stable", na_position="last")
    return ordered.drop(columns="_wave").reset_index(drop=True)


def saturation_curve(found: list[set[str]], seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Return how many different things were found after each session, and what sessions in random order would give.

    Parameters
    ----------
    found : list of set
        What each session holds, in order.
    seed : int
    draws : int
        Random orders behind the band.

    Returns
    -------
    DataFrame
        `place` (1, 2, ...), `n_new`, `n_found`; `expected` is the mean of `n_found` over all orders, `low` and `high` hold 95% of the
        orders drawn at that place (not a band for whole curves).

    Notes
    -----
    Source: the mean is the sample-based rarefaction curve (Gotelli and Colwell 2001, Ecology Letters 4, in the closed form of Mao Tau:
    Colwell, Mao and Chang 2004, Ecology 85, equation 5).
    Checked against all orders gone through one by one: tests/unit/test_qual_saturation.py.
    """
    n, names = len(found), sorted(set().union(*found))
    pairs = sorted((names.index(name), place) for place, held in enumerate(found) for name in held)
    seen: set[str] = set()
    new = []
    for held in found:
        new.append(len(held - seen))
        seen |= held
    curve = pd.DataFrame({"place": range(1, n + 1), "n_new": new, "n_found": np.cumsum(new)})
    held_by = np.bincount([name for name, _ in pairs], minlength=len(names)).astype(float)
    low, high = _band(pairs, n, seed, draws)
    return curve.assign(expected=[_expected(held_by, n, k) for k in range(1, n + 1)], low=low, high=high)


def _expected(held_by: np.ndarray, n: int, k: int) -> float:
    """Return the mean number of things found in k of n sessions: one minus the chance that none of the k holds it, summed."""
    from scipy.special import gammaln

    can = n - held_by >= k
    rest = n - held_by[can]
    none = np.exp(gammaln(rest + 1) - gammaln(rest - k + 1) - gammaln(n + 1) + gammaln(n - k + 1))
    return float(len(held_by) - none.sum())


def _band(pairs: list[tuple[int, int]], n: int, seed: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    if not pairs:
        return np.zeros(n), np.zeros(n)
    random = np.random.default_rng(seed)
    names, sessions = np.array(pairs).T
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    curves = np.empty((draws, n))
    for draw in range(draws):
        first = np.minimum.reduceat(random.permutation(n)[sessions], starts)
        curves[draw] = np.cumsum(np.bincount(first, minlength=n))
    low, high = np.quantile(curves, [0.025, 0.975], axis=0, method="inverted_cdf")
    return low, high


def saturation_table(documents: pd.DataFrame, codings: pd.DataFrame, waves: list[str], seed: int) -> pd.DataFrame:
    """Return the curves of themes and of codes over the coded sessions.

    Parameters
    ----------
    documents : DataFrame
        See `sessions_in_order`; with `coded` and `settled` where known, see `bscstudy.qual.presence.complete_documents`.
    codings : DataFrame
        Rows of qual/codings.csv. Codes that the code map ignores do not count; a theme counts from wherever it came up first, asked or not.
    waves : list of str
    seed : int
    """
    counted = counted_codings(codings, documents).dropna(subset=["theme"])
    documents = documents.assign(session_id=documents["session_id"].where(documents["session_id"].notna(), documents["document_id"]))
    session = documents.set_index("document_id")["session_id"]
    read = {*counted["document_id"], *documents.loc[(documents["coded"] == 1) | (documents["settled"] == 1), "document_id"]}
    ordered = sessions_in_order(documents[documents["document_id"].isin(read)], waves)
    parts = []
    for kind, column in (("theme", "theme"), ("code", "code_path")):
        held = counted.groupby(counted["document_id"].map(session))[column].agg(set).to_dict()
        curve = saturation_curve([held.get(name, set()) for name in ordered["session_id"]], seed)
        parts.append(pd.concat([curve.assign(kind=kind), ordered], axis=1))
    return pd.concat(parts, ignore_index=True)[[column.name for column in SATURATION]]
