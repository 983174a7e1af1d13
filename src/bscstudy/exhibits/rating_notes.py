"""What must be known to read rated constructs: the rule, the groups, who rated what and how blind, what is missing."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.labels import better_end, outcome_label
from bscstudy.exhibits.rating_cells import FEWEST


def rating_notes(
    found: pd.DataFrame, ratings: pd.DataFrame, outcome: pd.DataFrame, reliability: pd.DataFrame, spec: dict, context: Context
) -> dict[str, str]:
    """Return the notes of the exhibit of rated constructs.

    Parameters
    ----------
    found, ratings : DataFrame
        Rows of qual/distinguishing.csv and qual/ratings.csv of one wave.
    outcome, reliability : DataFrame
        qual/rating_outcome.csv and qual/rater_reliability.csv.
    spec : dict
        The section `ratings` of config/qual.yaml.
    context : Context
    """
    kinds = ratings["kind"].value_counts()
    strong, weak = (numbers.measure(spec.get(name, value)) for name, value in (("strong", 2), ("weak", 1)))
    counted_as = "count as 0" if spec.get("mixed", "zero") == "zero" else "do not enter"
    return {
        "Estimator": f"difference of mean ratings (−2 hinders to 2 helps); strongly: at least {strong} and the groups' ratings do not "
        f"overlap; weakly: at least {weak}; Kendall's tau-b of rating and outcome over all centers",
        "Degrees of freedom": "none; p of tau-b is exact, over all orders of centers, two-sided and not adjusted; "
        f"the smallest p that the ties allow is {numbers.p_value(found['smallest_p'].min())}",
        "n": f"{numbers.plural(ratings['center_id'].nunique(), 'center')}; {numbers.plural(len(found), 'construct')}; "
        f"{numbers.plural(len(ratings), 'rating')}, {int((ratings['stage'] == 'consensus').sum())} of them by consensus",
        "Clusters": "centers, each with one rating of a construct",
        "Exclusions": f"{_counted(kinds, 'missing')} without evidence (M) and {_counted(kinds, 'not_settled')} on which raters differ "
        f"without a consensus (?); {_counted(kinds, 'mixed')} mixed (X), which {counted_as}",
        "Groups": _groups(outcome, spec, context),
        "Blind": _blind(ratings),
        "Raters": _raters(reliability),
        "Evidence": _evidence(ratings),
        "Reading": "the rule describes these centers; it is no test. With one center on a side a label rests on that center alone; "
        "'but not without one center' (in the figure: sensitive) marks labels that one center decides",
        "Small cells": f"of a center with fewer than {context.min_cell} informants only the direction (+, 0, −) is shown, with fewer than "
        f"{FEWEST} or an unknown number nothing; means of fewer than {FEWEST} centers are not shown; * evidence that points both ways",
    }


def _counted(kinds: pd.Series, kind: str) -> str:
    return numbers.plural(int(kinds.get(kind, 0)), "rating")


def _groups(outcome: pd.DataFrame, spec: dict, context: Context) -> str:
    n = {group: int((outcome["group"] == group).sum()) for group in ("high", "low")}
    if "high" in spec:
        return f"named by the study: {numbers.plural(n['high'], 'center')} high, {numbers.plural(n['low'], 'center')} low"
    first, half = outcome.iloc[0], spec.get("groups", "halves")
    waves = "" if numbers.is_missing(first["outcome_waves"]) else f", {first['outcome_waves']}"
    return (
        f"high and low are the {half} of centers ({n['high']} and {n['low']}) with the most and the least wanted change of the center's "
        f"mean of {outcome_label(first['outcome'], context)}{waves}, not adjusted; {better_end(first['outcome'], context)} is better"
    )


def _blind(ratings: pd.DataFrame) -> str:
    n, unknown = int((ratings["blind"] == 1).sum()), int(ratings["blind"].isna().sum())
    said = f"ratings made without knowing the outcome: {numbers.count_of(n, len(ratings))}"
    return said + (f"; of {unknown} it is not said" if unknown else "")


def _raters(reliability: pd.DataFrame) -> str:
    whole = reliability[reliability["construct"] == "all"].set_index("coefficient")
    kappa, alpha = whole.loc["weighted_kappa"], whole.loc["ordinal_alpha"]
    if not kappa["n_units"]:
        return "no construct was rated by two raters on their own; their agreement is not known"
    return (
        f"{numbers.plural(int(kappa['n_raters']), 'rater')} before any consensus, {numbers.plural(int(kappa['n_units']), 'rating')} "
        f"compared: weighted kappa ({kappa['weights']}) {_interval(kappa)}, Krippendorff's ordinal alpha {_interval(alpha)} over all "
        f"constructs, bootstrap over centers; {numbers.plural(int(kappa['n_not_numbers']), 'rating')} with X or M not compared"
    )


def _interval(row: pd.Series) -> str:
    return numbers.estimate_with_interval(row["estimate"], row["low"], row["high"])


def _evidence(ratings: pd.DataFrame) -> str:
    few, none = (int(ratings["note"].fillna("").str.contains(word).sum()) for word in ("few_informants", "no_evidence"))
    return (
        f"{numbers.plural(few, 'rating')} of 2 or −2 from fewer than two informants; {numbers.plural(none, 'rating')} that name no "
        "session or passage as evidence"
    )
