"""The elements of the collaborative by center, and how far a composite's ranks rest on its weights."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("measures/elements", "centers")
FIGURE = True
SECTIONS = ("elements", "composite")
COMPOSITE = "composite"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the scores of the elements over centers and, where weights are declared, the ranks of centers under other weights."""
    data = tables.get("measures/elements")
    if data is None or data.empty:
        return empty_exhibit("No elements of the collaborative are declared.")
    composite = data[data["element"] == COMPOSITE].dropna(subset=["rank"]).sort_values(["rank", "center_id"], kind="stable")
    return Exhibit(
        table=_shown(data, context),
        caption="Elements of the collaborative: scores over centers" + (" and their weighted composite" if len(composite) else ""),
        notes=_notes(data, composite, context),
        sentences=tuple(_sentences(composite)),
        figure=_figure(composite, tables, context) if len(composite) else None,
        alt="Centers in the order of the composite, with the ranks they have under other weights. " + " ".join(_sentences(composite)),
        data=composite.drop(columns=["center_id", "collaborative", "label", "weight"]),
    )


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    labels, rows = context.labels("fidelity"), []
    weights = {str(row["id"]): row.get("weight") for row in context.rows("elements")}
    whole = sum(weight or 0 for weight in weights.values())
    for element in context.rows("elements"):
        rows.append((element["label"], weights[element["id"]], [labels.get(i, i) for i in element["indices"]], element["id"]))
    rows += [(data.loc[data["element"] == COMPOSITE, "label"].iloc[0], None, [], COMPOSITE)] if COMPOSITE in set(data["element"]) else []
    shown = []
    for label, weight, indices, element in rows:
        scores = data.loc[data["element"] == element, "score"]
        known = scores.dropna()
        low, middle, high = known.quantile([0, 0.5, 1]) if len(known) else (None, None, None)
        shown.append(
            {
                "Element": label,
                "Weight": numbers.percent(weight / whole) if weight and whole else numbers.MISSING,
                "Indices": "; ".join(indices) or "all elements",
                "Centers": numbers.count(len(known)),
                "No score": numbers.count(len(scores) - len(known)),
                "Lowest": numbers.estimate(low),
                "Median": numbers.estimate(middle),
                "Highest": numbers.estimate(high),
            }
        )
    return pd.DataFrame(shown)


def _notes(data: pd.DataFrame, composite: pd.DataFrame, context: Context) -> dict[str, str]:
    settings = context.config.get("composite") or {}
    scale = "shares as they are" if settings.get("scale") == "share" else "z scores over centers, high = better"
    notes = {
        "Estimator": f"mean of an element's indices as {scale}; the composite is their mean with the declared weights",
        "n": numbers.plural(data["center_id"].nunique(), "center"),
        "Clusters": numbers.plural(data["collaborative"].nunique(), "collaborative"),
        "Exclusions": "a center without one of the indices has no score of the element; without one of the elements no composite",
    }
    if len(composite):
        notes["Sensitivity"] = (
            "ranks with equal weights, with one element left out, and under "
            f"{numbers.count(settings.get('draws', 2000))} drawn sets of weights, each set as likely as any other "
            "(2.5th to 97.5th percentile of the rank)"
        )
    return notes


def _sentences(composite: pd.DataFrame) -> list[str]:
    if composite.empty:
        return []
    same, n = int((composite["rank"] == composite["rank_equal"]).sum()), len(composite)
    width = (composite["rank_drawn_high"] - composite["rank_drawn_low"]).median()
    return [
        f"With equal weights {numbers.count_of(same, n)} centers keep their rank of the declared weights.",
        f"Under drawn weights the rank of the median center spans {numbers.measure(width)} places of {numbers.count(n)}.",
    ]


def _figure(composite: pd.DataFrame, tables: dict[str, pd.DataFrame], context: Context):
    letters = center_codes(tables["centers"], context) if context.show_centers else {}
    figure, axis = style.new_figure(7.5, 1.5 + 0.22 * len(composite))
    places = list(range(len(composite)))
    ends = composite.filter(like="rank").astype(float)
    drawn = axis.hlines(places, ends["rank_drawn_low"], ends["rank_drawn_high"], color=style.RULE, linewidth=5)
    left_out = axis.hlines(places, ends["rank_without_low"], ends["rank_without_high"], color=style.MUTED, linewidth=1.4)
    equal = axis.plot(ends["rank_equal"], places, linestyle="none", marker="D", color=style.ORANGE, markersize=4)[0]
    own = axis.plot(ends["rank"], places, linestyle="none", marker="o", color=style.BLUE, markersize=6)[0]
    axis.set_yticks(places, [letters.get(center, "") for center in composite["center_id"]], fontsize=8)
    axis.set_ylim(len(composite) - 0.4, -0.6)
    axis.set_xlim(0.4, len(composite) + 0.6)
    axis.set_xlabel("Rank of the center (1 = highest)")
    axis.set_ylabel("Center" if letters else "Centers, without names")
    axis.grid(axis="x")
    names = ["declared weights", "equal weights", "one element left out", "drawn weights"]
    figure.legend([own, equal, left_out, drawn], names, loc="outside lower center", ncols=4)
    style.finish(figure, context)
    return figure
