"""The change of an outcome in centers that raised a theme widely and in the others: statistics by themes.

Called by the rule `merge_strands`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.integrate.rank_links import FEWEST_SESSIONS, NAN, is_high, split_high_low


def theme_groups(center_themes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return outcome x theme with the change of the outcome in the high and the low group of centers.

    Parameters
    ----------
    center_themes : DataFrame
        integrate/center_themes.csv. Centers enter a row if they have a change and three sessions were asked about the theme.
    seed : int
        Of random assignments, needed beyond 23 centers.

    Returns
    -------
    DataFrame
        `outcome, theme, outcome_waves`, and of the groups `high` and `low`: `n_centers`, `n_asked`, `n_present`, `mean`, `sd`
        (points of the scale; blank for fewer than two centers); the `difference` of the means with its exact p and the smallest p possible.
    """
    rows = []
    for (outcome, theme), cells in center_themes.groupby(["outcome", "theme"], sort=True):
        known = cells[cells["outcome_change"].notna() & (cells["n_asked"] >= FEWEST_SESSIONS)]
        split = split_high_low(known["share"].to_numpy(dtype=float), known["outcome_change"].to_numpy(dtype=float), seed)
        row = {"outcome": outcome, "theme": theme, "outcome_waves": cells["outcome_waves"].iloc[0]}
        high = is_high(known["share"].to_numpy(dtype=float))
        for group, part in (("high", known[high]), ("low", known[~high])):
            changes = part["outcome_change"].to_numpy(dtype=float)
            row |= {f"{group}_n_centers": len(part), f"{group}_n_asked": int(part["n_asked"].sum())}
            row |= {f"{group}_n_present": int(part["n_present"].sum()), f"{group}_mean": changes.mean() if len(part) else NAN}
            row |= {f"{group}_sd": float(np.std(changes, ddof=1)) if len(part) > 1 else NAN}
        rows.append(row | {"difference": split.difference, "p_value": split.p_value, "smallest_p": split.smallest_p})
    return pd.DataFrame(rows, columns=COLUMNS)


_OF_GROUP = ("n_centers", "n_asked", "n_present", "mean", "sd")
COLUMNS = [
    "outcome", "theme", "outcome_waves", *(f"{group}_{name}" for group in ("high", "low") for name in _OF_GROUP),
    "difference", "p_value", "smallest_p",
]  # fmt: skip
