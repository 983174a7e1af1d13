"""How far a leader's report lies from that of the staff of the same center, in place of one mean over both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.exact_tests import sign_flip_test

SIDES = ("leader", "staff")
GAPS = ["gap", "wave", "center_id", "n_leader", "n_staff", "leader", "staff", "difference"]
TESTS = [
    "gap", "wave", "n_centers", "n_one_sided", "n_leader", "n_staff", "leader", "staff", "difference", "sd", "low", "high", "p_value",
    "smallest_p", "method",
]  # fmt: skip


def refuse_other_ranges(gaps: list[dict], scales: list[dict]) -> None:
    """Raise BSC-CFG-241 for gaps whose two scales do not state the same rule, lowest and highest possible score."""
    rows = {row["scale"]: row for row in scales}
    wrong = []
    for gap in gaps:
        first, second = ([rows[gap[side]["scale"]].get(name) for name in ("rule", "low", "high")] for side in SIDES)
        if first != second or None in first:
            wrong.append(f"config/measures.yaml, informant_gaps, {gap['id']}: {gap['leader']['scale']} and {gap['staff']['scale']}")
    if wrong:
        raise BscError(
            "BSC-CFG-241",
            "The two scales of an informant gap are not on one range.",
            tuple(wrong),
            "A difference of scores on different ranges is no difference of what people report.",
            "Compare scales of the same rule, and state `low` and `high` of both in config/codebook/scales.csv.",
        )


def center_gaps(scores: pd.DataFrame, gaps: list[dict]) -> pd.DataFrame:
    """Return the two reports of each center and wave, and their difference.

    Parameters
    ----------
    scores : DataFrame
        All scale scores.
    gaps : list of dict
        Section ``informant_gaps``: id, and for leader and staff a scale and its roles.

    Returns
    -------
    DataFrame
        ``gap wave center_id n_leader n_staff leader staff difference``: persons and mean scores of either side, the leader's less the
        staff's; NaN where one side has no score. Restricted: a leader may be one person.
    """
    known = scores[scores["score"].notna() & scores["center_id"].notna()].assign(wave=lambda rows: rows["wave"].fillna(""))
    tables = []
    for gap in gaps:
        sides = {}
        for side in SIDES:
            chosen = known[(known["scale"] == gap[side]["scale"]) & known["role"].isin(gap[side]["roles"])]
            sides[side] = chosen.groupby(["wave", "center_id"], sort=True)["score"].agg(**{f"n_{side}": "size", side: "mean"})
        table = sides["leader"].join(sides["staff"], how="outer").reset_index()
        counts = {name: table[name].fillna(0).astype(int) for name in ("n_leader", "n_staff")}
        tables.append(table.assign(gap=gap["id"], difference=table["leader"] - table["staff"], **counts)[GAPS])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=GAPS)


def gap_tests(gaps: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the mean difference over centers of each gap and wave, each center counting once.

    Parameters
    ----------
    gaps : DataFrame
        As `center_gaps` gives them.
    seed : int
        Of the random sign flips where there are too many centers to list all.

    Returns
    -------
    DataFrame
        Columns `TESTS`: centers with both sides, centers with one, persons and means over centers of either side among the first, the mean
        difference with its standard deviation, 95% limits and p of the sign-flip test; NaN with fewer than two centers.
    """
    rows = []
    for (name, wave), part in gaps.groupby(["gap", "wave"], sort=True):
        both = part[part["difference"].notna()]
        row = {"gap": name, "wave": wave, "n_centers": len(both), "n_one_sided": len(part) - len(both)}
        row |= {side: both[side].mean() for side in SIDES} | {f"n_{side}": int(both[f"n_{side}"].sum()) for side in SIDES}
        row |= {"difference": both["difference"].mean(), "sd": both["difference"].std(ddof=1)}
        rows.append({**row, **_tested(both["difference"].to_numpy(float), seed)})
    return pd.DataFrame(rows, columns=TESTS)


def _tested(differences: np.ndarray, seed: int) -> dict:
    if len(differences) < 2:
        return {"method": "fewer than two centers"}
    test = sign_flip_test(differences, seed=seed)
    low, high = (value if np.isfinite(value) else np.nan for value in test.interval)
    return {"low": low, "high": high, "p_value": test.p_value, "smallest_p": test.smallest_p, "method": test.method}
