"""Links between themes and outcomes that were declared in advance: associated across N centers, nothing more.

Called by the rule `link_themes`. Every declared link has its row, also where nothing can be said of it; the Benjamini-Hochberg values
are over all of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import numpy as np
import pandas as pd

from bscstudy.integrate.rank_links import FEWEST_SESSIONS, NAN, SPLIT_RULES, correlate_ranks, split_high_low
from bscstudy.integrate.share_error import rho_under_share_error
from bscstudy.integrate.share_slopes import share_slope
from bscstudy.integrate.strands import contrast_waves, fidelity_by_center, waves_in_words
from bscstudy.measures.analysis_tables import baseline_and_last, center_change
from bscstudy.multilevel.multiplicity import adjust

COUNTS = ["n_asked", "n_present"]
ONE_VALUE = "the outcome is one value of a center, so that there are no people to model in it"
NO_SHARE = "presence in a center is taken without error"


def theme_links(
    config: dict, theme_center: pd.DataFrame, scores: pd.DataFrame, fidelity: pd.DataFrame, centers: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the declared links, and the values of each center that they rest on.

    Parameters
    ----------
    config : dict
        Sections `integration`, `theory_of_change`, `models`, `waves`, `scales`, `items` and, where there are, `sources`, `harmonisation`.
    theme_center : DataFrame
        qual/theme_center.csv; its rows of wave `all` are used.
    scores, fidelity : DataFrame
        measures/scores.csv and measures/fidelity.csv (may have no rows).
    centers : DataFrame
        `center_id`, `collaborative`.
    seed : int
        Of random orders and draws; each link has its own, so that a link added changes no other.

    Returns
    -------
    tuple of DataFrame
        One row a link; link x center with `theme_value`, `outcome_value` and their ranks (1: the lowest; blank where one of the two
        is missing: only centers with both enter).
    """
    rows, values = [], []
    for link in config["integration"]["links"]:
        waves = outcome_waves(link, config, scores)
        outcome = outcome_by_center(link, config, scores, fidelity, waves)
        own = link_values(link, theme_center, outcome, people_behind(link, scores, waves), centers)
        values.append(own)
        rows.append(_link_row(link, own, waves) | _numbers(own, _own_seed(seed, link["id"])) | _slope(link, own, scores, waves))
    table = pd.DataFrame(rows)
    table["rho_p_bh"] = adjust(table["rho_p_value"].to_numpy(dtype=float), "benjamini_hochberg")
    return table, pd.concat(values, ignore_index=True)


def measure_of(link: dict, config: dict) -> str:
    """Return `change`, `level` or `index`: what of its outcome a link is about."""
    scales = {scale["scale"] for scale in config["scales"]}
    return link.get("measure", "change") if link["outcome"] in scales else "index"


def outcome_waves(link: dict, config: dict, scores: pd.DataFrame) -> tuple[str, ...]:
    """Return the waves of a link's outcome.

    Of a change the two declared, else those that the joint display shows for the scale's construct, else baseline and the last with
    scores; of a level the one declared, else the last with scores; none of an index, or where there are none.
    """
    measure, scale = measure_of(link, config), link["outcome"]
    if measure == "index":
        return ()
    if link.get("waves"):
        return tuple(link["waves"])
    if measure == "level":
        scored = set(scores.loc[(scores["scale"] == scale) & scores["score"].notna(), "wave"])
        return tuple([w["id"] for w in sorted(config["waves"], key=lambda w: w["order"]) if w["id"] in scored][-1:])
    constructs = [c for c in config["theory_of_change"]["constructs"] if scale in (c.get("scales") or [])]
    shown = next((w for c in constructs if (w := contrast_waves(config["models"], c))), None)
    return tuple(shown or baseline_and_last(scale, scores, config) or ())


def outcome_by_center(link: dict, config: dict, scores: pd.DataFrame, fidelity: pd.DataFrame, waves: tuple[str, ...]) -> pd.Series:
    """Return the outcome of each center: change or level of its mean score, or its fidelity index; no rows where there is none."""
    measure = measure_of(link, config)
    if measure == "index":
        return fidelity_by_center(fidelity, link["outcome"])
    if not waves:
        return pd.Series(dtype=float)
    if measure == "change":
        return center_change(link["outcome"], scores, config, waves)
    rows = scores[(scores["scale"] == link["outcome"]) & scores["score"].notna() & (scores["wave"] == waves[0])]
    return rows.groupby("center_id")["score"].mean()


def people_behind(link: dict, scores: pd.DataFrame, waves: tuple[str, ...]) -> pd.Series:
    """Return how many forms each center's outcome rests on, in the wave with fewer; no rows for an index."""
    rows = scores[(scores["scale"] == link["outcome"]) & scores["score"].notna() & scores["wave"].isin(waves)]
    return rows.groupby(["center_id", "wave"]).size().unstack("wave").min(axis=1)


def link_values(link: dict, theme_center: pd.DataFrame, outcome: pd.Series, people: pd.Series, centers: pd.DataFrame) -> pd.DataFrame:
    """Return the theme's and the outcome's value of every center of the register, with ranks among the centers that have both."""
    whole = theme_center[(theme_center["wave"] == "all") & (theme_center["theme"] == link["theme"])].set_index("center_id")
    table = centers[["center_id", "collaborative"]].sort_values("center_id").reset_index(drop=True)
    table[COUNTS] = whole[COUNTS].reindex(table["center_id"]).fillna(0).astype(int).to_numpy()
    table["theme_value"] = table["n_present"] / table["n_asked"].where(table["n_asked"] > 0)
    if link.get("theme_value") == "presence":
        table["theme_value"] = (table["n_present"] > 0).astype(float).where(table["n_asked"] > 0)
    table["outcome_value"] = table["center_id"].map(outcome).astype(float)
    table["n_people"] = table["center_id"].map(people).astype(float)
    both = table[["theme_value", "outcome_value"]].notna().all(axis=1)
    for name in ("theme", "outcome"):
        table[f"{name}_rank"] = table[f"{name}_value"].where(both).rank(method="average")
    return table.assign(link=link["id"])[["link", "center_id", "collaborative", *COUNTS, *_VALUES]]


_VALUES = ["theme_value", "outcome_value", "n_people", "theme_rank", "outcome_rank"]


def _link_row(link: dict, values: pd.DataFrame, waves: tuple[str, ...]) -> dict:
    both = values[["theme_value", "outcome_value"]].notna().all(axis=1)
    return {
        "link": link["id"],
        "theme": link["theme"],
        "theme_measure": link.get("theme_value", "share"),
        "outcome": link["outcome"],
        "outcome_waves": waves_in_words(waves) if len(waves) == 2 else "".join(waves) or None,
        "expected": link.get("expected"),
        "split_rule": SPLIT_RULES[link.get("theme_value", "share")],
        "n_centers": int(both.sum()),
        "n_sessions": int(values.loc[both, "n_asked"].sum()),
    }


def _numbers(values: pd.DataFrame, seed: int) -> dict:
    """Return both rank correlations, the interval of rho under the shares' error, and the difference of high and low centers."""
    known = values.dropna(subset=["theme_value", "outcome_value"])
    x, y = known["theme_value"].to_numpy(dtype=float), known["outcome_value"].to_numpy(dtype=float)
    found: dict = {}
    for name, method in (("rho", "spearman"), ("tau", "kendall")):
        ranks = asdict(correlate_ranks(x, y, method, seed))
        found |= {name: ranks.pop("estimate")} | {f"{name}_{key}": value for key, value in ranks.items()}
    shares = np.array_equal(x, (known["n_present"] / known["n_asked"]).to_numpy(dtype=float))
    possible = shares and not np.isnan(found["rho"])
    low, high = rho_under_share_error(*(known[c].to_numpy() for c in reversed(COUNTS)), y, seed) if possible else (NAN, NAN)
    found |= {"rho_share_low": low, "rho_share_high": high}
    enough = (known["n_asked"] >= FEWEST_SESSIONS).to_numpy()
    split = asdict(split_high_low(x[enough], y[enough], seed))
    return found | {f"split_{key}": value for key, value in split.items()}


def _slope(link: dict, values: pd.DataFrame, scores: pd.DataFrame, waves: tuple[str, ...]) -> dict:
    """Return the slope of the outcome's people on the share, or why there is none."""
    scored = scores[(scores["scale"] == link["outcome"]) & scores["wave"].isin(waves)]
    reason = NO_SHARE if link.get("theme_value") == "presence" else "" if len(scored) else ONE_VALUE
    if reason:
        return {"slope_reason": reason}
    usable = values.dropna(subset=["outcome_value"]).set_index("center_id")[COUNTS]
    later = (scored["wave"] == waves[-1]).astype(float)
    slope = asdict(share_slope(scored.assign(later=later), usable, change=len(waves) == 2))
    names = {"naive": "slope_naive", "naive_std_error": "slope_naive_std_error", "slope": "slope", "reliability": "share_reliability"}
    return {names.get(key, f"slope_{key}"): value for key, value in slope.items()}


def _own_seed(seed: int, link: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{link}".encode()).digest()[:4], "big")
