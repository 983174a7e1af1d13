"""What taking part cost: by kind, by center and for each person reached, with the range of the prices."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("measures/costs", "centers")
FIGURE = True
SECTIONS = ("costs",)
TOTAL = "total"
#: centers a collaborative must have to be shown where single centers may not be
FEWEST_CENTERS = 3
AMOUNTS = ["cost_low", "cost", "cost_high"]


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return median and range of costs over centers, and the costs of all centers together for each person reached."""
    data = tables.get("measures/costs")
    if data is None or data["cost"].notna().sum() == 0:
        return empty_exhibit("No costs of taking part are recorded.")
    data = data.assign(per=data["per"].fillna("").astype("str"))
    totals = data[(data["category"] == TOTAL) & (data["per"] == "")]
    return Exhibit(
        table=_shown(data, context),
        caption="Costs of taking part: median and range over centers, and all centers together",
        notes=_notes(totals, context),
        sentences=tuple(_sentences(data, context)),
        group_by="Collaborative",
        figure=_figure(data, tables, context),
        alt="Costs of each center by kind, in order of the total. " + " ".join(_sentences(data, context)),
        data=data[data["per"] == ""].groupby(["collaborative", "category"], sort=True)[AMOUNTS].median().reset_index(),
    )


def _settings(context: Context) -> dict:
    return context.config.get("costs") or {}


def _lines(context: Context) -> list[tuple[str, str, str]]:
    """Return (category, per, label) of each row of the table."""
    lines = [(str(price["category"]), "", str(price["label"])) for price in _settings(context)["prices"]]
    lines.append((TOTAL, "", "All costs of a center"))
    return lines + [(TOTAL, str(per["id"]), f"For each {per['label']}") for per in _settings(context).get("per") or []]


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    known, rows, withheld = context.labels("collaboratives"), [], _withheld(data, context)
    names = in_order(data["collaborative"], list(known))
    groups = [("All", data)]
    if len(names) > 1:
        groups += [(known.get(name, name), data[data["collaborative"].astype("str") == name]) for name in names]
    for group, part in groups:
        for category, per, label in _lines(context):
            mine = part[(part["category"] == category) & (part["per"] == per)]
            told = mine.dropna(subset=["cost"])
            if told.empty or (group, category, per) in withheld:
                continue
            low, middle, high = told["cost"].quantile([0, 0.5, 1])
            together = _together(part, told, per)
            rows.append(
                {
                    "Collaborative": group,
                    "Cost": label,
                    "Centers": numbers.count_of(len(told), len(mine)),
                    "Median": numbers.measure(middle),
                    "Lowest to highest": f"{numbers.measure(low)} to {numbers.measure(high)}",
                    "All together": numbers.measure(together["cost"]),
                    "With low to high prices": f"{numbers.measure(together['cost_low'])} to {numbers.measure(together['cost_high'])}",
                }
            )
    return pd.DataFrame(rows)


def _withheld(data: pd.DataFrame, context: Context) -> set[tuple[str, str, str]]:
    """Return (group as shown, category, per) of rows with few people reached, of fewer than three centers unless these may be shown,
    and of those that would give such a row of a collaborative away."""
    known, told = context.labels("collaboratives"), data.dropna(subset=["cost"]).assign(_all="All")
    told = told.assign(_part=told["collaborative"].astype("str").map(lambda name: known.get(name, name)))
    found = set()
    for column in ("_all", "_part"):
        sums = told.groupby(["category", "per", column], sort=True).agg(centers=("center_id", "nunique"), reached=("n_reached", "sum"))
        sums = sums.reset_index()
        hidden = masking.any_small((sums["reached"],), context.min_cell)
        hidden |= (column == "_part") & (sums["centers"] < FEWEST_CENTERS) & (not context.show_centers)
        if column == "_part":
            hidden = masking.with_complement(hidden, (sums["centers"], sums["reached"]), sums[["category", "per"]], context.min_cell)
        found |= set(sums.loc[hidden, [column, "category", "per"]].itertuples(index=False, name=None))
    return found


def _together(part: pd.DataFrame, told: pd.DataFrame, per: str) -> pd.Series:
    """Return the costs of all centers together; for each person the sum of costs over the sum of people, not a mean of ratios."""
    if not per:
        return told[AMOUNTS].sum()
    totals = part[(part["category"] == TOTAL) & (part["per"] == "") & part["center_id"].isin(told["center_id"])]
    return totals[AMOUNTS].sum() / told["n_reached"].sum()


def _notes(totals: pd.DataFrame, context: Context) -> dict[str, str]:
    prices = [f"{price['label']} {_price_words(price)} for each {price['unit']}" for price in _settings(context)["prices"]]
    known = totals["cost"].notna()
    return {
        "Estimator": "quantity times price; costs for each person are sums over centers divided by sums of people",
        "n": f"{numbers.count(int(known.sum()))} centers with a total",
        "Clusters": numbers.plural(totals["collaborative"].nunique(), "collaborative"),
        "Exclusions": f"{numbers.plural(int((~known).sum()), 'center')} without a total: no cost line, or a line without its quantity",
        "Privacy": f"not shown: costs for each of fewer than {context.min_cell} people, a collaborative of fewer than "
        f"{FEWEST_CENTERS} centers unless single centers may be shown, and what would give these away",
        "Prices": "; ".join(prices) + (f"; in {_settings(context)['currency']}" if _settings(context).get("currency") else ""),
    }


def _price_words(price: dict) -> str:
    middle = numbers.measure(price["price"])
    low, high = (numbers.measure(price.get(end, price["price"])) for end in ("low", "high"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    said = []
    for category, per, label in _lines(context):
        told = data[(data["category"] == category) & (data["per"] == per)].dropna(subset=["cost"])
        if category == TOTAL and len(told):
            if ("All", category, per) in _withheld(data, context):
                continue
            together = _together(data, told, per)
            middle = told["cost"].median() if not per else together["cost"]
            low, high = (together[["cost_low", "cost_high"]] if per else told[["cost_low", "cost_high"]].median()).map(numbers.measure)
            kind = "in the middle of the centers" if not per else "over all centers together"
            said.append(f"{label}, {kind}: {numbers.measure(middle)} ({low} to {high} with low and high prices).")
    return said


def _figure(data: pd.DataFrame, tables: dict[str, pd.DataFrame], context: Context):
    totals = data[(data["category"] == TOTAL) & (data["per"] == "")].dropna(subset=["cost"])
    totals = totals.sort_values(["cost", "center_id"], kind="stable")
    letters = center_codes(tables["centers"], context) if context.show_centers else {}
    order = totals["center_id"].tolist()
    figure, axis = style.new_figure(7.5, 1.6 + 0.2 * len(order))
    left, places = pd.Series(0.0, index=order), range(len(order))
    for number, (category, _, label) in enumerate(line for line in _lines(context) if line[0] != TOTAL):
        costs = data[(data["category"] == category) & (data["per"] == "")].set_index("center_id")["cost"].reindex(order).fillna(0.0)
        axis.barh(places, costs, left=left, color=style.PALETTE[number % len(style.PALETTE)], label=label, height=0.7)
        left = left + costs
    spread = [totals["cost"] - totals["cost_low"], totals["cost_high"] - totals["cost"]]
    axis.errorbar(totals["cost"], places, xerr=spread, fmt="none", ecolor=style.INK, elinewidth=0.9, capsize=2)
    axis.set_yticks(places, [letters.get(center, "") for center in order], fontsize=8)
    axis.set_ylabel("Center" if letters else "Centers, without names")
    currency = _settings(context).get("currency")
    axis.set_xlabel("Cost" + (f" ({currency})" if currency else "") + "; lines from low to high prices")
    axis.xaxis.set_major_formatter(lambda value, _: numbers.measure(value))
    axis.grid(axis="x")
    figure.legend(loc="outside lower center", ncols=4)
    style.finish(figure, context)
    return figure
