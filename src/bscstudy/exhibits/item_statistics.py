"""How each item does in its scale: what is missing of it, how often its ends are chosen, and what it adds."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, labels, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.exhibits.item_ends_figure import ends_figure
from bscstudy.privacy import is_small

TABLES = ("measures/items", "measures/reliability")
FIGURE = True
SECTIONS = ("items", "sources")
LOW_ITEM_TOTAL = 0.30
#: what is not shown of an item, by the count of people it rests on
_OF_COMPLETE = ["item_total", "alpha_if_deleted"]
_OF_PEOPLE = [*_OF_COMPLETE, "mean", "sd"]
#: what is counted of an item, and of whom
PARTS = {"floor": "n", "ceiling": "n", "missing": "asked"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each item and wave; options `scales` and `waves` restrict them."""
    data = context.chosen(tables["measures/items"], scales="scale", waves="wave")
    data = data[data["n"].fillna(0) > 0]
    if data.empty:
        return empty_exhibit("No item of a scale was answered by anyone.")
    data = data.merge(tables["measures/reliability"][["scale", "wave", "alpha"]], on=["scale", "wave"], how="left")
    data = _ordered(_withheld(_counted(data), context), context)
    return Exhibit(
        table=pd.DataFrame([_row(row, context) for row in data.to_dict("records")]),
        caption="Items of the scales by wave: missing answers, ends of the answers and what each item adds to its scale",
        notes=_notes(data, context) | harmonised.scale_notes(data["scale"], context),
        sentences=tuple(_sentences(data, context)),
        group_by="Scale",
        figure=ends_figure(drawn := _of_scales(data), context),
        alt=f"Bars by wave for {numbers.plural(data['scale'].nunique(), 'scale')}: shares of answers at the lowest and at the highest "
        "end and of answers that are missing; the table gives them for each item.",
        data=drawn,
    )


def _counted(data: pd.DataFrame) -> pd.DataFrame:
    """Add the people an item was put to, and counts in place of shares: at its lowest and highest answer, and without an answer."""
    missing = data[["n_skipped", "n_coded", "n_not_possible"]].sum(axis=1)
    ends = {end: (data[end] * data["n"]).round() for end in ("floor", "ceiling")}
    return data.assign(asked=data["n_asked"] - data["n_not_asked"], missing=missing, **ends)


def _withheld(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Blank what rests on too few people, and replace each count by the least and the most that a reader may know of it."""
    few = {name: data[name].map(lambda n: is_small(n, context.min_cell)) for name in ("n", "n_complete", *PARTS)}
    all_at_ends = data["floor"] + data["ceiling"] == data["n"]
    data.loc[few["n_complete"], [*_OF_COMPLETE, "alpha"]] = None
    data.loc[few["n"], _OF_PEOPLE] = None
    for part, of in PARTS.items():
        other = {"floor": "ceiling", "ceiling": "floor"}.get(part)
        given_away = all_at_ends & few[other] & ~few[part] if other else few[part] & False
        least, most = data[part].mask(few[part], 1), data[part].mask(few[part], context.min_cell - 1)
        least = least.mask(given_away, data["n"] - (context.min_cell - 1))
        most = most.mask(given_away, data["n"] - 1)
        hidden = few["n"] | (data[of] == 0)
        data[f"{part}_least"], data[f"{part}_most"] = ((end / data[of]).mask(hidden).clip(0, 1) for end in (least, most))
    return data.drop(columns=list(PARTS))


def _ordered(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    place = data.groupby(["scale", "item"])["place"].transform("min")
    rank = pd.DataFrame({"scale": places_in(data["scale"], list(labels.scale_rows(context))), "place": place, "item": data["item"]})
    rank["wave"] = places_in(data["wave"], wave_order(context))
    return data.loc[rank.sort_values(["scale", "place", "item", "wave"], kind="stable").index].reset_index(drop=True)


def _name(row: dict, context: Context) -> str:
    scale = labels.scale_rows(context).get(row["scale"], {})
    keyed = "" if row["keyed"] == "as answered" else f" ({row['keyed']})"
    return labels.item_label(row["item"], scale.get("instrument"), context) + keyed


def _share(row: dict, part: str) -> str:
    """Return a share of people; where its count may not be known, between which shares it lies."""
    least, most = row[f"{part}_least"], row[f"{part}_most"]
    return numbers.percent(least) if numbers.is_missing(least) or least == most else f"{numbers.percent(least)} to {numbers.percent(most)}"


def _row(row: dict, context: Context) -> dict:
    return {
        "Scale": labels.outcome_label(row["scale"], context),
        "Item": _name(row, context),
        "Wave": context.labels("waves").get(str(row["wave"]), str(row["wave"])),
        "n": numbers.count(masking.few(row["asked"], context.min_cell)),
        "Not answered": _share(row, "missing"),
        "Mean": numbers.estimate(row["mean"]),
        "SD": numbers.estimate(row["sd"]),
        "At lowest": _share(row, "floor"),
        "At highest": _share(row, "ceiling"),
        "Item-total": numbers.estimate(row["item_total"]),
        "Alpha without it": numbers.estimate(row["alpha_if_deleted"]),
        "Alpha": numbers.estimate(row["alpha"]),
    }


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    notes = {
        "Estimator": "correlation of an item with the sum of the other items of its scale; alpha of the other items, beside alpha of all",
        "n": "people (or forms) the item was put to; means and ends are of those with an answer and a score of the scale",
        "Exclusions": "correlations and alpha use people who answered every item of the scale (listwise); 'not answered' is blank, "
        "coded as missing or not possible",
        "Direction": "answers as they enter the scale: reversed items are turned round, and where answers are counted 1 is one that counts",
        "Figure": "means over the items of a scale; where a share may not be known, the filled bar ends at the least and the outline at "
        "the most that it can be",
        "Privacy": f"a share of 1 to {context.min_cell - 1} people, or one that would give such a share away, is shown as the range it can "
        f"lie in; what fewer than {context.min_cell} people answered is not shown",
    }
    if data[_OF_COMPLETE].isna().any(axis=None):
        notes["A dash"] = "not defined for one item or for items that do not vary, or not shown; alpha without it needs three items"
    return notes


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    known = data.dropna(subset=["item_total"])
    if known.empty:
        return ["No item has a correlation with the rest of its scale that can be computed."]
    item, low = known["scale"] + "\x1f" + known["item"], known["item_total"] < LOW_ITEM_TOTAL
    better = known["alpha_if_deleted"] > known["alpha"]
    lowest = known.loc[known["item_total"].idxmin()].to_dict()
    weak, surplus = (numbers.count_of(item[found].nunique(), item.nunique()) for found in (low, better))
    return [
        f"The correlation of an item with the rest of its scale lies between {numbers.estimate(known['item_total'].min())} and "
        f"{numbers.estimate(known['item_total'].max())}; it is below .30 at some wave for {weak} items.",
        f"It is lowest for '{_name(lowest, context)}' of {labels.outcome_label(lowest['scale'], context)}.",
        f"Alpha would be higher without the item for {surplus} items at some wave.",
    ]


def _of_scales(data: pd.DataFrame) -> pd.DataFrame:
    """Return the means over the items of each scale and wave of the least and the most that each share can be."""
    ends = [f"{part}_{end}" for part in PARTS for end in ("least", "most")]
    return data.groupby(["scale", "wave"], sort=False)[ends].agg(lambda values: values.mean(skipna=False)).reset_index()
