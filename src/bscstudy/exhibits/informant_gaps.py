"""Leaders and staff of the same centers: what either reports and how far apart they are; no center is shown."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.exhibits.forest import forest_figure
from bscstudy.privacy import is_small

TABLES = ("measures/informant_gap_tests",)
FIGURE = True
SECTIONS = ("informant_gaps", "items", "sources")
_NUMBERS = ["leader", "staff", "difference", "low", "high", "p_value", "smallest_p"]


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each declared gap and wave; option `gaps` restricts them."""
    data = tables.get("measures/informant_gap_tests")
    if data is None:
        return empty_exhibit("The study declares no reports of leaders and staff to compare.")
    data = context.chosen(data, gaps="gap")
    data = data[data["n_centers"] > 0]
    if data.empty:
        return empty_exhibit("In no center have both leaders and staff a score.")
    withheld = (data["n_leader"] < context.min_cell) | (data["n_staff"] < context.min_cell)
    data.loc[withheld, _NUMBERS] = float("nan")
    order = [places_in(data["gap"], list(_labels(context))), places_in(data["wave"], wave_order(context))]
    data = data.assign(_gap=order[0], _wave=order[1], withheld=withheld).sort_values(["_gap", "_wave"], kind="stable")
    known = data["difference"].notna().any()
    return Exhibit(
        table=_shown(data, context),
        caption="Reports of leaders and staff of the same centers",
        notes=_notes(data, context) | harmonised.scale_notes(_scales(data, context), context),
        sentences=tuple(_sentences(data, context)),
        group_by="Report",
        figure=_figure(data, context) if known else None,
        alt="The mean difference of leaders and staff by wave with its 95% interval; the table holds every number." if known else "",
        data=data[["gap", "wave", "difference", "low", "high"]],
    )


def _scales(data: pd.DataFrame, context: Context) -> list[str]:
    shown = [gap for gap in context.rows("informant_gaps") if gap["id"] in set(data["gap"])]
    return [gap[end]["scale"] for gap in shown for end in ("leader", "staff") if gap.get(end)]


def _labels(context: Context) -> dict[str, str]:
    return context.labels("informant_gaps")


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves, names = context.labels("waves"), _labels(context)
    return pd.DataFrame(
        [
            {
                "Report": names.get(row["gap"], row["gap"]),
                "Wave": waves.get(str(row["wave"]), numbers.text(row["wave"])),
                "Centers": numbers.count(row["n_centers"]),
                "Leaders": numbers.count(masking.few(row["n_leader"], context.min_cell)),
                "Staff": numbers.count(masking.few(row["n_staff"], context.min_cell)),
                "Mean of leaders": numbers.estimate(row["leader"]),
                "Mean of staff": numbers.estimate(row["staff"]),
                "Difference": numbers.estimate(row["difference"], signed=True),
                "95% interval": numbers.interval(row["low"], row["high"]),
                "p": numbers.p_value(row["p_value"]),
            }
            for row in data.to_dict("records")
        ]
    )


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    exact = data["method"].astype(str).str.startswith("exact").all()
    low, high = int(data["n_centers"].min()), int(data["n_centers"].max())
    centers = numbers.count(low) if low == high else f"{numbers.count(low)} to {numbers.count(high)}"
    one_sided = int(data["n_one_sided"].max())
    notes = {
        "Estimator": "means over centers of each center's means, every center counting once; the difference is leaders less staff",
        "Degrees of freedom": f"none; {'exact' if exact else 'random'} sign flips of the centers' differences give interval and p",
        "n": "people with a score in centers where both sides have one",
        "Clusters": f"{centers} centers",
        "Exclusions": f"centers where only one side has a score: up to {numbers.count(one_sided)} at a wave",
        "Reading": "leaders and staff answer about different work; a difference is not an error of either, and both means are kept apart",
    }
    smallest = data["smallest_p"].max()
    if smallest > 0.001:
        notes["Smallest p"] = f"with so few centers no p could be below {numbers.p_value(smallest)}"
    if is_small(data["n_leader"].min(), context.min_cell) or data["withheld"].any():
        notes["Privacy"] = f"{masking.note(context.min_cell)}; the means of so few people, and what they are compared with, are not shown"
    return notes


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    waves, names = context.labels("waves"), _labels(context)
    for row in data.to_dict("records"):
        if numbers.is_missing(row["low"]) or row["low"] <= 0 <= row["high"]:
            continue
        higher = "leaders report more than" if row["difference"] > 0 else "leaders report less than"
        by = numbers.estimate_with_interval(abs(row["difference"]), *sorted((abs(row["low"]), abs(row["high"]))))
        yield f"{names.get(row['gap'], row['gap'])}, {waves.get(str(row['wave']), row['wave'])}: {higher} staff, by {by} points."


def _figure(data: pd.DataFrame, context: Context):
    waves, names = context.labels("waves"), _labels(context)
    rows = data.assign(label=data["gap"].map(lambda g: names.get(g, g)), series=data["wave"].map(lambda w: waves.get(str(w), str(w))))
    return forest_figure(
        rows.rename(columns={"difference": "estimate"}), "Leaders less staff, mean over centers with 95% interval (points)", context
    )
