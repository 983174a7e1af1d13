"""What taking part cost: quantities times prices with a low and a high price, by center and for each person reached."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError, rows_said

TOTAL = "total"
COLUMNS = ["center_id", "collaborative", "category", "label", "quantity", "unit", "cost_low", "cost", "cost_high", "per", "n_reached"]


def people_reached(indices: pd.DataFrame, per: list[dict]) -> dict[str, pd.Series]:
    """Return id -> number of people by center, from the fidelity indices that ``per`` names (BSC-CFG-293: not one value a center)."""
    reached, wrong = {}, []
    for part in per:
        rows = indices[indices["index"] == part["index"]]
        if (rows["level"] != "center").any() or rows["center_id"].duplicated().any():
            wrong.append(f"config/measures.yaml, costs, per, {part['id']}: {part['index']}")
        else:
            reached[part["id"]] = rows.set_index("center_id")["value"]
    if wrong:
        raise BscError(
            "BSC-CFG-293",
            f"{len(wrong)} indices that costs are to be divided by do not have one value for each center.",
            tuple(wrong),
            "Costs could not be divided by people of the same center.",
            "Name indices with `by: [center_id]`.",
        )
    return reached


def center_costs(rows: pd.DataFrame, spec: dict, reached: dict[str, pd.Series], centers: pd.DataFrame) -> pd.DataFrame:
    """Price what each center spent.

    Parameters
    ----------
    rows : DataFrame
        Cost lines with ``center_id`` and the columns that ``spec`` names.
    spec : dict
        ``category`` (a column) and ``prices``: list of {category, label, quantity (a column), unit, price, low, high}; low and high are
        the price itself where they are not given.
    reached : dict
        What costs are divided by (``team_member``, ``staff_reached``) -> number of people by center.
    centers : DataFrame
        ``center_id collaborative`` of every center.

    Returns
    -------
    DataFrame
        `COLUMNS`; one row for each center and category (``per`` blank), the center's total with the category `TOTAL`, and the total for
        each ``per`` with ``n_reached``. A category without a line costs nothing; a line without a quantity has no cost, nor has the total
        of its center. A center without any line has no total. Costs per person are NaN where nobody was reached.

    Raises
    ------
    BscError
        BSC-CFG-286 for a column that the source does not have, -287 for a category without a price or with two, -288 for a price that does
        not lie between its low and high price; BSC-DAT-282 for a quantity below 0, -283 for a line without center
        or category.
    """
    prices = {str(price["category"]): _priced(price) for price in spec["prices"]}
    _check(rows, spec, prices)
    lines = rows.assign(category=rows[spec["category"]].astype("str"))
    parts = []
    for category, price in prices.items():
        mine = lines[lines["category"] == category]
        quantity = mine.groupby("center_id", sort=True)[price["quantity"]].agg(lambda values: values.sum(skipna=False))
        quantity = quantity.astype(float).reindex(sorted(set(lines["center_id"].dropna())), fill_value=0.0)
        costs = {name: quantity * price[key] for name, key in (("cost_low", "low"), ("cost", "price"), ("cost_high", "high"))}
        row = {"category": category, "label": price["label"], "unit": price["unit"]}
        parts.append(pd.DataFrame({"quantity": quantity, **costs}).reset_index().assign(**row))
    by_category = pd.concat(parts, ignore_index=True)
    amounts = ["cost_low", "cost", "cost_high"]
    totals = by_category.groupby("center_id", sort=True)[amounts].agg(lambda values: values.sum(skipna=False)).reset_index()
    totals = totals.merge(centers[["center_id"]], how="outer").assign(category=TOTAL, label="All costs")
    per = [_per_person(totals, name, people, amounts) for name, people in reached.items()]
    table = pd.concat([by_category, totals, *per], ignore_index=True)
    places = centers.drop_duplicates("center_id").set_index("center_id")["collaborative"]
    table = table.assign(collaborative=table["center_id"].map(places), per=table.get("per", pd.Series("", index=table.index)).fillna(""))
    return table.reindex(columns=COLUMNS).sort_values(["center_id", "category", "per"], ignore_index=True)


def _per_person(totals: pd.DataFrame, name: str, people: pd.Series, amounts: list[str]) -> pd.DataFrame:
    n = totals["center_id"].map(people)
    return totals.assign(**{column: totals[column] / n.where(n > 0) for column in amounts}, per=name, n_reached=n)


def _priced(price: dict) -> dict:
    middle = float(price["price"])
    return {**price, "price": middle, "low": float(price.get("low", middle)), "high": float(price.get("high", middle))}


def _check(rows: pd.DataFrame, spec: dict, prices: dict[str, dict]) -> None:
    where = f"config/measures.yaml, costs, source {spec['source']}"
    absent = sorted({spec["category"], *(price["quantity"] for price in prices.values())} - set(rows.columns))
    if absent:
        raise BscError(
            "BSC-CFG-286",
            f"The table of costs has no column {', '.join(absent)}.",
            where,
            "Nothing can be priced.",
            "Name items or keys of the source.",
        )
    named = [str(price["category"]) for price in spec["prices"]]
    unpriced = sorted(set(rows[spec["category"]].dropna().astype("str")) - set(named))
    wrong = unpriced + sorted({category for category in named if named.count(category) > 1})
    if wrong:
        raise BscError(
            "BSC-CFG-287",
            f"{len(wrong)} kind(s) of cost have no price, or two.",
            tuple(f"config/measures.yaml, costs, prices: {category}" for category in wrong),
            "Their cost would be left out or counted twice.",
            "Give each kind of cost in the source one price; money that was spent has the price 1.",
        )
    mixed = [category for category, price in prices.items() if not 0 <= price["low"] <= price["price"] <= price["high"]]
    if mixed:
        raise BscError(
            "BSC-CFG-288",
            f"The prices of {len(mixed)} kind(s) of cost are not in order.",
            tuple(f"config/measures.yaml, costs, prices: {category}" for category in mixed),
            "The range of costs would not hold the cost.",
            "Write 0 or more for `low`, and `low` <= `price` <= `high`.",
        )
    _check_lines(rows, spec, prices)


def _check_lines(rows: pd.DataFrame, spec: dict, prices: dict[str, dict]) -> None:
    lost = rows[rows[["center_id", spec["category"]]].isna().any(axis=1)]
    if len(lost):
        raise BscError(
            "BSC-DAT-283",
            f"{len(lost)} cost line(s) name no center or no kind of cost.",
            f"source {spec['source']}{rows_said(lost.get('row', ()))}",
            "Their cost would be left out of a center's total.",
            "Complete the lines, or exclude them in config/config.yaml.",
        )
    kinds = rows[spec["category"]].astype("str")
    below = {c: rows[(kinds == c) & (rows[p["quantity"]] < 0)] for c, p in prices.items()}
    if any(len(lines) for lines in below.values()):
        raise BscError(
            "BSC-DAT-282",
            f"A quantity of {sum(map(len, below.values()))} cost line(s) is below 0.",
            tuple(f"source {spec['source']}, {c}: {len(x)} row(s){rows_said(x.get('row', ()))}" for c, x in below.items() if len(x)),
            "The cost of a center would be too low.",
            "Correct the lines, or exclude them in config/config.yaml.",
        )
