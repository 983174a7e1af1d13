"""What may be shown of a center's rating: the value, only its direction, or nothing, by the number of informants behind it."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.center_themes import FEWEST_SESSIONS
from bscstudy.exhibits.theme_words import center_codes

#: from how many informants the direction of a rating is shown, and from how many rated centers a mean
FEWEST = FEWEST_SESSIONS
MARKS = {"missing": "M", "not_settled": "?"}


def rating_cells(ratings: pd.DataFrame, outcome: pd.DataFrame, centers: pd.DataFrame, lower: bool, context: Context) -> pd.DataFrame:
    """Return construct x group as shown, groups in the order of the outcome, the most wanted change first.

    Parameters
    ----------
    ratings : DataFrame
        Rows of qual/ratings.csv of one wave, with `compared` (the value that enters means).
    outcome : DataFrame
        qual/rating_outcome.csv.
    centers : DataFrame
        The register.
    lower : bool
        Whether lower is better.
    context : Context

    Returns
    -------
    DataFrame
        `construct`, `group` (a center's letter, or a collaborative where centers may not be shown), `outcome_change`, `shade` (-2 to 2;
        missing where nothing may be shown) and `text`. With fewer informants than the smallest cell a center's rating is shown as its
        direction (shade of 1 or -1), with fewer than `FEWEST` not at all.
    """
    register = centers[["center_id", "collaborative"]]
    rows = ratings.merge(outcome[["center_id", "outcome_change"]], on="center_id", how="left").merge(register, on="center_id", how="left")
    rows = rows.assign(_order=rows["outcome_change"] * (1 if lower else -1))
    if not context.show_centers:
        return _by_collaborative(rows, context)
    codes = center_codes(centers, context)
    rows = rows.assign(group=rows["center_id"].map(codes))
    shown = [_center_cell(row, context) for row in rows.to_dict("records")]
    rows = rows.assign(shade=[shade for shade, _ in shown], text=[text for _, text in shown], _width=rows["group"].str.len())
    ordered = rows.sort_values(["_order", "_width", "group", "construct"], kind="stable", na_position="last")
    return ordered[["construct", "group", "outcome_change", "shade", "text"]].reset_index(drop=True)


def _center_cell(row: dict, context: Context) -> tuple[float, str]:
    if row["kind"] in MARKS:
        return float("nan"), MARKS[row["kind"]]
    informants = row["n_informants"]
    if numbers.is_missing(informants) or informants < FEWEST:
        return float("nan"), ""
    value = row["value"] if row["kind"] == "number" else 0.0
    if row["kind"] == "mixed":
        return 0.0, "X"
    if informants < context.min_cell:
        return float((value > 0) - (value < 0)), "+" if value > 0 else numbers.MINUS if value < 0 else "0"
    return float(value), numbers.estimate(value, 0, signed=True) + ("*" if row["mixed"] else "")


def _by_collaborative(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    names = context.labels("collaboratives")
    rows = rows.assign(group=rows["collaborative"].map(lambda name: names.get(name, "")))
    change = rows.drop_duplicates("center_id").groupby("group")[["outcome_change", "_order"]].mean()
    means = rows.groupby(["construct", "group"], as_index=False).agg(mean=("compared", "mean"), n=("compared", "count"))
    means = means.join(change, on="group").sort_values(["_order", "group", "construct"], kind="stable", na_position="last")
    shade = means["mean"].where(means["n"] >= FEWEST)
    text = [numbers.estimate(value, 1, signed=True) if value == value else "" for value in shade]
    return means.assign(shade=shade, text=text)[["construct", "group", "outcome_change", "shade", "text"]].reset_index(drop=True)
