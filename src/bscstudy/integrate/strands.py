"""What each strand of the study says about a construct: survey, observation, fidelity, interviews.

Called by the rule `merge_strands`. One construct has one number of each strand, chosen by the order in which
config/theory_of_change.yaml lists its scales, observation scores and fidelity indices; scores on different scales are never
averaged. Survey and observation are compared over the same two waves, those of the contrast shown, where both were observed.
There was no comparison group: all differences are changes between waves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.models.verdict import ESTIMATED, MAIN_CONTRAST
from bscstudy.qual.presence import collapse_themes, collapse_waves
from bscstudy.qual.shares import centers_that_raised, count_units

NAN = float("nan")


@dataclass(frozen=True)
class MeanChange:
    """Mean change over `n_centers` centers with a t interval; nan where it cannot be had (limits need two centers)."""

    change: float
    low: float
    high: float
    n_centers: int


def mean_center_change(changes: np.ndarray, confidence: float = 0.95) -> MeanChange:
    """Return the mean of the centers' changes with a t interval over centers.

    Parameters
    ----------
    changes : array of float, shape (n_centers,)
        One change for each center; nan is left out. Each center counts the same.
    confidence : float
        Between 0 and 1.

    Source: one-sample t interval, n - 1 degrees of freedom.
    Checked against: scipy 1.17.1 ttest_1samp in tests/unit/test_integrate_strands.py.
    """
    from scipy.special import stdtrit

    values = np.asarray(changes, dtype=float)
    values = values[~np.isnan(values)]
    n = len(values)
    if n == 0:
        return MeanChange(NAN, NAN, NAN, 0)
    mean = float(values.mean())
    if n == 1:
        return MeanChange(mean, NAN, NAN, 1)
    half = float(stdtrit(n - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(n))
    return MeanChange(mean, mean - half, mean + half, n)


def main_contrast(model: dict) -> str | None:
    """Return the id of the contrast that displays show: `change_post`, else the first declared, else None."""
    ids = [contrast["id"] for contrast in model.get("contrasts") or []]
    return MAIN_CONTRAST if MAIN_CONTRAST in ids else ids[0] if ids else None


def change_models(models: dict[str, dict], construct: dict) -> list[str]:
    """Return the person-level models of change of a construct, the one of its first listed scale first.

    Models of visits are the observation strand and are not taken for the survey.
    """
    order = {scale: place for place, scale in enumerate(construct.get("scales") or [])}
    own = [
        name
        for name, model in models.items()
        if model["question"] == "change"
        and model["unit"] == "person"
        and model.get("construct") == construct["id"]
        and main_contrast(model)
    ]
    return sorted(own, key=lambda name: (order.get(models[name]["outcome"], len(order)), name))


def contrast_waves(models: dict[str, dict], construct: dict) -> tuple[str, str] | None:
    """Return the two waves (from, to) that the construct's displayed contrast compares; None without one, or if it compares no waves."""
    found = change_models(models, construct)
    if not found:
        return None
    model = models[found[0]]
    waves = next(c for c in model["contrasts"] if c["id"] == main_contrast(model)).get("compare", {}).get("wave")
    return (waves[0], waves[1]) if waves else None


def waves_in_words(waves: tuple[str, str] | None) -> str | None:
    """Return ``T1 to T3``; None for None."""
    return f"{waves[0]} to {waves[1]}" if waves else None


def survey_change(models: dict[str, dict], construct: dict, estimates: pd.DataFrame, fits: pd.DataFrame) -> dict:
    """Return the construct's main survey change; blank numbers with `change_state` where its model was not estimated.

    Returns
    -------
    dict
        `model, contrast, contrast_label, contrast_waves, outcome, change, std_error, low, high, df, p_value, p_adjusted, n, n_centers,
        change_state` (ok, boundary, unreliable, failed, no_model).
    """
    names = ["change", "std_error", "low", "high", "df", "p_value", "p_adjusted", "n", "n_centers"]
    row: dict = dict.fromkeys(["model", "contrast", "contrast_label", "contrast_waves", "outcome"]) | dict.fromkeys(names, NAN)
    found = change_models(models, construct)
    if not found:
        return row | {"change_state": "no_model"}
    model = models[found[0]]
    row |= {"model": found[0], "contrast": main_contrast(model), "outcome": model["outcome"]}
    row["contrast_label"] = next(c["label"] for c in model["contrasts"] if c["id"] == row["contrast"])
    row["contrast_waves"] = waves_in_words(contrast_waves(models, construct))
    fit = fits[fits["model"] == found[0]]
    state = fit["state"].iloc[0] if len(fit) else "failed"
    line = estimates[(estimates["model"] == found[0]) & (estimates["kind"] == "contrast") & (estimates["term"] == row["contrast"])]
    if state not in ESTIMATED or line.empty:
        return row | {"change_state": state if state not in ESTIMATED else "failed"}
    line, fit = line.iloc[0], fit.iloc[0]
    row |= {name: line.get(name, NAN) for name in ("std_error", "low", "high", "df", "p_value", "p_adjusted")}
    return row | {"change": line["estimate"], "n": fit["n"], "n_centers": fit["n_centers"], "change_state": state}


def observation_change(observation: pd.DataFrame, construct: dict, wave_order: list[str], compared: tuple[str, str] | None = None) -> dict:
    """Return the mean center change of the construct's first observation score that was observed in two waves or more.

    A center's value in a wave is the mean of its visits; only centers seen in both waves enter.

    Parameters
    ----------
    observation : DataFrame
        With `score`, `wave`, `center_id`, `value`.
    construct : dict
    wave_order : list of str
        Ids of all waves in time order.
    compared : tuple of str, optional
        The two waves (from, to) of the survey contrast. Where the score was not observed in both, or without it, the last wave
        observed is compared with the first; `observation_waves` says which two it was.

    Returns
    -------
    dict
        `observation_score, observation_waves, observation_change, observation_low, observation_high, observation_n_centers`.
    """
    blank = {"observation_score": None, "observation_waves": None, "observation_change": NAN}
    blank |= {"observation_low": NAN, "observation_high": NAN, "observation_n_centers": NAN}
    for score in construct.get("observation") or []:
        seen = observation[(observation["score"] == score) & observation["value"].notna() & observation["wave"].notna()]
        waves = [wave for wave in wave_order if wave in set(seen["wave"])]
        if len(waves) < 2:
            continue
        means = seen.groupby(["center_id", "wave"])["value"].mean().unstack("wave")
        first, last = compared if compared and set(compared) <= set(waves) else (waves[0], waves[-1])
        result = mean_center_change((means[last] - means[first]).to_numpy())
        return {
            "observation_score": score,
            "observation_waves": waves_in_words((first, last)),
            "observation_change": result.change,
            "observation_low": result.low,
            "observation_high": result.high,
            "observation_n_centers": result.n_centers,
        }
    return blank


def fidelity_mean(fidelity: pd.DataFrame, construct: dict) -> dict:
    """Return the mean over centers of the construct's first fidelity index that has values.

    Returns
    -------
    dict
        `fidelity_index, fidelity, fidelity_n_centers`.
    """
    for index in construct.get("fidelity") or []:
        by_center = fidelity_by_center(fidelity, index)
        if len(by_center):
            return {"fidelity_index": index, "fidelity": float(by_center.mean()), "fidelity_n_centers": len(by_center)}
    return {"fidelity_index": None, "fidelity": NAN, "fidelity_n_centers": NAN}


def fidelity_by_center(fidelity: pd.DataFrame, index: str) -> pd.Series:
    """Return the value of a fidelity index by center; no rows where no center has one.

    Rows of the whole study (blank wave) are taken where there are any, else the mean of the waves; persons are averaged in their
    center first, so that each center counts the same.
    """
    rows = fidelity[(fidelity["index"] == index) & fidelity["value"].notna() & fidelity["center_id"].notna()]
    whole = rows[rows["wave"].isna()] if "wave" in rows.columns else rows
    used = whole if len(whole) else rows
    return used.groupby(["center_id", "unit_id"])["value"].mean().groupby("center_id").mean()


def theme_counts(presence: pd.DataFrame, themes: list[dict]) -> pd.DataFrame:
    """Return, for each construct, the sessions asked about any of its themes and those that raised any, over all waves.

    Returns
    -------
    DataFrame
        `construct` and the columns of `bscstudy.qual.shares.count_units`, counted in interviews and focus groups, and
        `n_centers_raised`.
    """
    sessions = presence[presence["unit"] == "session"]
    construct_of = {theme["theme"]: theme.get("construct") or "" for theme in themes}
    collapsed = collapse_waves(collapse_themes(sessions, construct_of))
    counts = count_units(collapsed, ["theme"]).merge(centers_that_raised(collapsed, ["theme"]), on="theme", how="left")
    return counts.fillna({"n_centers_raised": 0}).astype({"n_centers_raised": int}).rename(columns={"theme": "construct"})
