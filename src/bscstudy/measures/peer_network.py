"""Who turns to whom: ties among people or centers of a wave, and how dense, mutual and open to other centers they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.crosswalk import crosswalk_of, rename
from bscstudy.io.spelling import spell

TIES = ["wave", "from_center", "to_center", "n_people", "n_ties"]
NETWORK = [
    "wave", "level", "n_answered", "n_nodes", "n_ties", "density", "reciprocity", "n_mutual_pairs", "cross_center", "n_cross_center",
    "isolated", "n_isolated", "n_unknown", "n_left_out",
]  # fmt: skip


@dataclass(frozen=True)
class NetworkFigures:
    """Figures of one directed network; shares are NaN where nothing could be observed.

    Attributes
    ----------
    n_ties : int
        Ties from somebody who answered to a known node other than themselves.
    density : float
        Ties over those that the people who answered could have named.
    reciprocity : float
        Share of the ties between two who both answered that go both ways.
    n_mutual : int
        Pairs with ties both ways.
    cross : float
        Share of the ties whose ends differ in group; ties with an end of unknown group are not counted.
    n_cross : int
    isolated : float
        Share of those who answered that name nobody and are named by nobody.
    n_isolated : int
    """

    n_ties: int
    density: float
    reciprocity: float
    n_mutual: int
    cross: float
    n_cross: int
    isolated: float
    n_isolated: int


def network_figures(ties: np.ndarray, answered: np.ndarray, groups: np.ndarray | None = None) -> NetworkFigures:
    """Describe one network.

    Parameters
    ----------
    ties : ndarray of bool, n x n
        Row turns to column; the diagonal is passed over.
    answered : ndarray of bool
        Nodes that answered; the rows of others are passed over, they can be named only.
    groups : ndarray, optional
        Group of each node (its center); None where not known. Without groups nothing crosses.

    Notes
    -----
    Source: Wasserman and Faust (1994), Social network analysis, chapters 4 and 13; where some did not answer, shares are of the ties that
    could be observed. Checked against networkx 3.6.1 (density, overall_reciprocity, isolates): tests/unit/test_measures_peer_network.py.
    """
    ties, answered = np.array(ties, bool), np.asarray(answered, bool)
    ties[np.diag_indices(len(ties))] = False
    ties[~answered] = False
    n_ties, possible = int(ties.sum()), int(answered.sum()) * (len(ties) - 1)
    both = ties[np.ix_(answered, answered)]
    mutual = int((both & both.T).sum())
    alone = answered & ~ties.any(axis=0) & ~ties.any(axis=1)
    cross = known = 0
    if groups is not None:
        given = np.array([group == group and group is not None for group in groups])
        comparable = ties & given[:, None] & given[None, :]
        known, cross = int(comparable.sum()), int((comparable & (groups[:, None] != groups[None, :])).sum())
    return NetworkFigures(
        n_ties, _share(n_ties, possible), _share(mutual, int(both.sum())), mutual // 2, _share(cross, known), cross,
        _share(int(alone.sum()), int(answered.sum())), int(alone.sum()),
    )  # fmt: skip


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def nominations(rows: pd.DataFrame, spec: dict, spelling: dict | None = None, renamed: list[dict] | None = None) -> pd.DataFrame:
    """Return one row for each person, wave and node named.

    Parameters
    ----------
    rows : DataFrame
        Answers with ``wave person_id center_id`` and the columns of ``spec["named"]``: each holds the id of one node, or several with
        ``spec["separator"]`` between them; missing names nobody.
    spec : dict
        Section ``peer_network``.
    spelling : dict, optional
        The rule of section ``ids`` for the ids that are named, so that they are written as those of the register.
    renamed : list of dict, optional
        Rows of their crosswalk; the rows of `rows` then say their ``source``.

    Returns
    -------
    DataFrame
        ``wave person_id center_id named anonymous``, each tie once; a person who answered and names nobody has one row with ``named``
        missing. Forms without an id have an id of their own and are ``anonymous``.

    Raises
    ------
    BscError
        BSC-CFG-289 for a column that the source does not have.
    """
    absent = [column for column in spec["named"] if column not in rows.columns]
    if absent:
        raise BscError(
            "BSC-CFG-289",
            f"The answers on who turns to whom have no column {', '.join(absent)}.",
            f"config/measures.yaml, peer_network, source {', '.join(spec['sources'])}",
            "Ties would be missing from the network.",
            "Name items of the source under `named`.",
        )
    people = rows[["wave", "person_id", "center_id"]].dropna(subset=["wave"])
    own = pd.Series([f"form {number}" for number in range(len(people))], index=people.index, dtype="str")
    people = people.assign(anonymous=people["person_id"].isna(), person_id=people["person_id"].fillna(own))
    parts = [people.assign(named=pd.Series(pd.NA, index=people.index, dtype="str"))]
    for column in spec["named"]:
        told = rows.loc[people.index, column].astype("str")
        told = told.str.split(spec["separator"], regex=False).explode() if spec.get("separator") else told
        told = _current(told, rows, spelling or {}, renamed or [])
        parts.append(people.loc[told.index].assign(named=told.to_numpy()))
    listed = pd.concat(parts, ignore_index=True).drop_duplicates()
    names_somebody = listed.groupby(["wave", "person_id"])["named"].transform("count") > 0
    return listed[listed["named"].notna() | ~names_somebody].sort_values(["wave", "person_id", "named"], ignore_index=True)


def _current(told: pd.Series, rows: pd.DataFrame, spelling: dict, renamed: list[dict]) -> pd.Series:
    """Return the ids that are named, blanks left out, as the register writes them today."""
    told = told.dropna().astype("str").map(lambda text: spell(text, spelling)).astype("str")
    told = told[told != ""]
    if not renamed or told.empty:
        return told
    parts = []
    for source, part in told.groupby(rows.loc[told.index, "source"].to_numpy()):
        waves = rows.loc[part.index, "wave"].to_numpy(object)
        ids, _ = rename(part.to_numpy(object), waves, crosswalk_of(renamed, spelling, source))
        parts.append(pd.Series(ids, index=part.index, dtype="str"))
    return pd.concat(parts)


def networks(named: pd.DataFrame, nodes: str, people: pd.DataFrame, centers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Describe the network of each wave among people, where they are named, and among centers.

    Parameters
    ----------
    named : DataFrame
        As from `nominations`.
    nodes : str
        ``person`` (answers name people) or ``center`` (answers name centers).
    people : DataFrame
        ``person_id wave center_id`` of everybody who could be named.
    centers : DataFrame
        ``center_id`` of every center.

    Returns
    -------
    network : DataFrame
        `NETWORK`, one row for each wave and level (person, center). Anonymous forms count among centers; among people they could be
        anybody, are left out and counted in ``n_left_out``. At the level of people the nodes are the register's people of the wave
        and whoever answered; among centers one center turns to another where somebody in it does, and ``cross_center`` is blank.
        ``n_unknown`` names fit no node and are no ties. People who name their own center make no tie among centers.
    ties : DataFrame
        `TIES` among centers: how many people of one center turn to the other, and in how many ties.
    """
    figures, ties = [], []
    for wave, part in named.groupby("wave", sort=True):
        if nodes == "person":
            forms = part.loc[~part["anonymous"], ["person_id", "center_id"]]
            listed = pd.concat([people.loc[people["wave"] == wave, ["person_id", "center_id"]], forms])
            home = listed.dropna(subset=["person_id"]).drop_duplicates("person_id").set_index("person_id")["center_id"]
            known = part[~part["anonymous"]]
            left_out = part.loc[part["anonymous"], "person_id"].nunique()
            figures.append(_row(wave, "person", known["person_id"], known["named"], home) | {"n_left_out": left_out})
            reached = part["named"].map(home)
        else:
            reached = part["named"].where(part["named"].isin(set(centers["center_id"])))
        between = part.assign(reached=reached)
        own = pd.Series(centers["center_id"].to_numpy(), index=centers["center_id"].to_numpy()).sort_index()
        row = _row(wave, "center", between["center_id"], between["reached"], own) | {"cross_center": math.nan, "n_cross_center": math.nan}
        figures.append(row | {"n_unknown": int((part["named"].notna() & reached.isna()).sum())})
        crossing = between[(between["reached"] != between["center_id"])].dropna(subset=["center_id", "reached"])
        counted = crossing.groupby(["center_id", "reached"], sort=True).agg(n_people=("person_id", "nunique"), n_ties=("named", "size"))
        ties.append(counted.reset_index().rename(columns={"center_id": "from_center", "reached": "to_center"}).assign(wave=wave))
    found = pd.DataFrame(figures, columns=NETWORK)
    return found, pd.concat(ties, ignore_index=True)[TIES] if ties else pd.DataFrame(columns=TIES)


def _row(wave: str, level: str, who: pd.Series, whom: pd.Series, groups: pd.Series) -> dict:
    place = {node: i for i, node in enumerate(groups.index)}
    answered = np.zeros(len(place), bool)
    answered[[place[node] for node in who.dropna().unique() if node in place]] = True
    ties = np.zeros((len(place), len(place)), bool)
    for start, end in zip(who, whom, strict=True):
        if start in place and end in place:
            ties[place[start], place[end]] = True
    found = network_figures(ties, answered, groups.to_numpy(object))
    return {
        "wave": wave, "level": level, "n_answered": int(answered.sum()), "n_nodes": len(place), "n_ties": found.n_ties,
        "density": found.density, "reciprocity": found.reciprocity, "n_mutual_pairs": found.n_mutual, "cross_center": found.cross,
        "n_cross_center": found.n_cross, "isolated": found.isolated, "n_isolated": found.n_isolated,
        "n_unknown": int((whom.notna() & ~whom.isin(set(place))).sum()), "n_left_out": int(who.isna().sum()),
    }  # fmt: skip
