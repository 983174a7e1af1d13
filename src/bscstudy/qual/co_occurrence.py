"""Which themes come up in the same sessions, among the sessions that were asked about both."""

from __future__ import annotations

import pandas as pd

from bscstudy.qual.shares import share_among_asked


def co_occurrence(presence: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of themes with the sessions that raised either and both.

    Parameters
    ----------
    presence : DataFrame
        Rows of qual/presence.csv; those of sessions are used, over all waves.

    Returns
    -------
    DataFrame
        `theme_1 < theme_2`; `n_asked`: sessions asked about both and coded; of these `n_1`, `n_2`, `n_both`; `n_centers`: centers of
        those that raised both; `share`: `n_both / (n_1 + n_2 - n_both)`, blank where neither came up, with its Jeffreys interval.

    Notes
    -----
    Source: the coefficient c of ATLAS.ti's table of co-occurring codes, which is Jaccard's (1901); here of sessions, not of passages.
    """
    sessions = presence[(presence["unit"] == "session") & (presence["asked"] == 1) & presence["present"].notna()]
    themes = sorted(sessions["theme"].unique())
    wide = sessions.set_index(["unit_id", "wave", "theme"])["present"].astype(float).unstack("theme")
    centers = sessions.drop_duplicates(["unit_id", "wave"]).set_index(["unit_id", "wave"])["center_id"].reindex(wide.index)
    rows = []
    for place, first in enumerate(themes):
        for second in themes[place + 1 :]:
            both = wide[[first, second]].dropna()
            together = (both[first] == 1) & (both[second] == 1)
            n_1, n_2, n_both = int((both[first] == 1).sum()), int((both[second] == 1).sum()), int(together.sum())
            counted = share_among_asked(n_both, n_1 + n_2 - n_both)
            n_centers = int(centers.reindex(both.index)[together].nunique())
            rows.append((first, second, len(both), n_1, n_2, n_both, n_centers, counted.share, counted.low, counted.high))
    columns = ["theme_1", "theme_2", "n_asked", "n_1", "n_2", "n_both", "n_centers", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)
