"""Centers by themes, ordered by the change of an outcome in each center.

Called by the rule `merge_strands`. With a handful of centers this is a picture to look at, not a test: themes may be associated
with change, and nothing here says why.
"""

from __future__ import annotations

import pandas as pd

from bscstudy.integrate.joint import ordered_constructs
from bscstudy.integrate.strands import change_models, contrast_waves, waves_in_words
from bscstudy.measures.analysis_tables import baseline_and_last, center_change

THEME_COLUMNS = ["n_asked", "n_present", "share", "n_facilitator", "n_barrier", "net_direction"]


def display_outcomes(config: dict) -> dict[str, tuple[str, str] | None]:
    """Return the outcome of each construct's main model of change and the waves its contrast compares, in the order of the theory."""
    found = {}
    for construct in ordered_constructs(config["theory_of_change"]):
        models = change_models(config["models"], construct)
        if models:
            found.setdefault(config["models"][models[0]]["outcome"], contrast_waves(config["models"], construct))
    return found


def rank_centers(changes: pd.Series, better: str) -> pd.Series:
    """Return the place of each center, 1 for the change most wanted; ties share the mean place, missing stays missing.

    Parameters
    ----------
    changes : Series of float
        Change of the outcome by center.
    better : {'higher', 'lower', 'none'}
        `none` ranks from the largest rise down.
    """
    return changes.rank(ascending=better == "lower", method="average")


def center_themes(config: dict, scores: pd.DataFrame, theme_center: pd.DataFrame, centers: pd.DataFrame) -> pd.DataFrame:
    """Return outcome x center x theme, over all waves, counted in sessions.

    Parameters
    ----------
    config : dict
        Sections `theory_of_change`, `models`, `waves`, `scales`, `items`, `themes`.
    scores : DataFrame
        measures/scores.csv. The change of a center's mean is taken between the two waves of the contrast that the joint display
        shows, so that both speak of the same time; a contrast that compares no waves is replaced by baseline and the last wave.
    theme_center : DataFrame
        qual/theme_center.csv; its rows of wave `all` are used.
    centers : DataFrame
        The register: `center_id`, `collaborative`. Each center appears, also where nobody was interviewed (blank, 0 asked).

    Returns
    -------
    DataFrame
        `outcome, center_id, theme, collaborative, outcome_waves, outcome_change, outcome_rank` and counts.
    """
    better_of = {scale["scale"]: scale.get("better") or "none" for scale in config["scales"]}
    whole = theme_center[theme_center["wave"] == "all"][["center_id", "theme", *THEME_COLUMNS]]
    grid = centers[["center_id", "collaborative"]].merge(pd.DataFrame({"theme": [t["theme"] for t in config["themes"]]}), how="cross")
    grid = grid.merge(whole, on=["center_id", "theme"], how="left")
    counts = [name for name in THEME_COLUMNS if name.startswith("n_")]
    grid[counts] = grid[counts].fillna(0).astype(int)
    parts = []
    for outcome, contrasted in display_outcomes(config).items():
        waves = contrasted or baseline_and_last(outcome, scores, config)
        if waves is None:
            continue
        known = center_change(outcome, scores, config, waves).reindex(sorted(centers["center_id"]))
        ranks = rank_centers(known, better_of.get(outcome, "none"))
        part = grid.assign(outcome=outcome, outcome_change=grid["center_id"].map(known), outcome_rank=grid["center_id"].map(ranks))
        parts.append(part.assign(outcome_waves=waves_in_words(waves)))
    columns = ["outcome", "center_id", "theme", "collaborative", "outcome_waves", "outcome_change", "outcome_rank", *THEME_COLUMNS]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
