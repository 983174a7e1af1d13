"""How fully the collaborative was carried out: each index of engagement and fidelity by element and collaborative."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in

TABLES = ("measures/fidelity",)
FIGURE = True
ELEMENTS = {
    "collaborative_change_framework": "Collaborative change framework",
    "inclusive_teams": "Inclusive teams",
    "expert_faculty": "Expert faculty",
    "shared_learning": "Shared learning",
    "model_for_improvement": "Model for improvement",
    "dose": "Dose",
    "cost": "Cost",
}
ALL = "All"
SHARES = ("share", "share_of_groups", "completeness", "mean_of")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the middle and spread of each index over its units; options: `indices` restricts them."""
    data = tables.get("measures/fidelity")
    if data is None:
        return empty_exhibit("No index of engagement or fidelity is configured.")
    data = context.chosen(data, indices="index")
    if data.empty:
        return empty_exhibit("No index of engagement or fidelity is configured.")
    data = data.assign(element=data["element"].fillna("dose"), wave=data["wave"].fillna("").astype(str) if "wave" in data else "")
    order = in_order(data["index"], [row["id"] for row in context.rows("fidelity")])
    data = data.assign(_element=places_in(data["element"], list(ELEMENTS)), _index=places_in(data["index"], order))
    data = data.sort_values(["_element", "_index", "wave", "collaborative", "unit_id"], kind="stable")
    return Exhibit(
        table=_shown(data, context),
        caption="Engagement and fidelity: middle and range over centers (or people), by element of the collaborative",
        notes=_notes(data, context),
        sentences=tuple(_sentences(data, context)),
        group_by="Element",
        figure=_figure(data, context),
        alt=f"Boxes of {data['index'].nunique()} indices by collaborative; the table gives median, quartiles and number of units of each.",
        data=_figure_data(data),
    )


def _groups(part: pd.DataFrame, context: Context) -> list[tuple[str, pd.DataFrame]]:
    known = context.labels("collaboratives")
    names = in_order(part["collaborative"], list(known))
    groups = [(ALL, part)]
    return groups + [(known.get(n, n), part[part["collaborative"].astype(str) == n]) for n in names] if len(names) > 1 else groups


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves, rows = context.labels("waves"), []
    for (_, _, wave), part in data.groupby(["_element", "_index", "wave"], sort=True):
        first = part.iloc[0]
        name = str(first["label"]) + (f", {waves.get(wave, wave)}" if wave else "")
        people = first["level"] == "person"
        for group, units in _groups(part, context):
            values = units["value"].dropna().astype(float)
            small = people and 0 < len(values) < context.min_cell
            quartiles = values.quantile([0.25, 0.5, 0.75]).tolist() if len(values) and not small else [None] * 3
            text = _as_text(part, context)
            rows.append(
                {
                    "Element": ELEMENTS.get(first["element"], labels.words(first["element"])),
                    "Index": name if group == ALL else f"{name}: {group}",
                    "Units": numbers.count(masking.few(len(values), context.min_cell)) if people else numbers.count(len(values)),
                    "Unit": "people" if people else "centers",
                    "Median": text(quartiles[1]),
                    "25%": text(quartiles[0]),
                    "75%": text(quartiles[2]),
                    "No value": numbers.MISSING
                    if people and 0 < len(units) - len(values) < context.min_cell
                    else numbers.count(len(units) - len(values)),
                }
            )
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    n_units, n_collaboratives = data.loc[data["level"] != "person", "unit_id"].nunique(), data["collaborative"].nunique()
    notes = {
        "Estimator": "medians and quartiles over units; nothing is estimated",
        "n": f"{numbers.count(n_units)} centers; the column 'Units' counts those with a value",
        "Clusters": f"{numbers.count(data['center_id'].nunique())} centers in {numbers.plural(n_collaboratives, 'collaborative')}",
        "Exclusions": "units without a record of the kind an index needs have no value; only a count says 0 for them",
        "Figure": "line = median, box = middle half, whiskers = 5th to 95th percentile"
        + (", dots = centers" if context.show_centers else ""),
    }
    if (data["level"] == "person").any():
        notes["Privacy"] = masking.note(context.min_cell)
    return notes


def _as_text(part: pd.DataFrame, context: Context):
    """Return how values of an index are written: a percentage where the index is a share, else a number."""
    rules = {str(row["id"]): str(row.get("rule")) for row in context.rows("fidelity")}
    values = part["value"].dropna()
    if rules.get(str(part["index"].iloc[0])) in SHARES and values.between(0, 1).all():
        return numbers.percent
    return numbers.measure


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    said = []
    for _, part in data[data["level"] != "person"].groupby(["_element", "_index", "wave"], sort=True):
        values = part["value"].dropna()
        if len(values):
            text = _as_text(part, context)
            low, middle, high = (text(v) for v in values.quantile([0.25, 0.5, 0.75]))
            centers = numbers.plural(len(values), "center")
            said.append(f"{part['label'].iloc[0]}: at least half of the {centers} reached {middle} or more (middle half {low} to {high}).")
    return said


def _figure_data(data: pd.DataFrame) -> pd.DataFrame:
    grouped = data.groupby(["index", "wave", "collaborative"], sort=True, dropna=False)["value"]
    return grouped.agg(n="count", median="median", q1=lambda v: v.quantile(0.25), q3=lambda v: v.quantile(0.75)).reset_index()


def _drawn(data: pd.DataFrame, context: Context) -> tuple[pd.DataFrame, bool]:
    """Return the rows that are drawn and whether dots may be: indices of centers, or of people where a study has no others."""
    valued = data[data["value"].notna()]
    of_centers = valued[valued["level"] != "person"]
    if len(of_centers):
        return of_centers, context.show_centers
    people = valued.groupby(["index", "collaborative"])["unit_id"].transform("nunique")
    return valued[people >= context.min_cell], False


def _figure(data: pd.DataFrame, context: Context):
    import seaborn
    from matplotlib.ticker import PercentFormatter

    kept, dots = _drawn(data, context)
    if kept.empty:
        return None
    indices = list(dict.fromkeys(kept["index"]))
    known = context.labels("collaboratives")
    names = [known.get(n, n) for n in in_order(kept["collaborative"], list(known))]
    columns = min(3, len(indices))
    rows = -(-len(indices) // columns)
    figure, axes = style.new_figure(
        2.6 * columns + 0.3, (0.75 + 0.3 * max(2, len(names))) * rows + 0.7, rows, columns, squeeze=False, sharey=True
    )
    for axis, index in zip(axes.flat, indices, strict=False):
        part = kept[kept["index"] == index].assign(group=lambda d: d["collaborative"].map(lambda n: known.get(n, n)))
        seaborn.boxplot(
            part, x="value", y="group", order=names, ax=axis, color="#cfe3f1", width=0.55, whis=(5, 95), showfliers=False, linewidth=1,
            linecolor=style.BLUE,
        )  # fmt: skip
        if dots:
            seaborn.stripplot(part, x="value", y="group", order=names, ax=axis, color=style.ORANGE, size=3.5, jitter=False)
        _finish(axis, str(part["label"].iloc[0]))
        if _as_text(part, context) is numbers.percent:
            axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axis in list(axes.flat)[len(indices) :]:
        axis.set_visible(False)
    style.finish(figure, context)
    return figure


def _finish(axis, title: str) -> None:
    import textwrap

    from matplotlib.ticker import MaxNLocator

    axis.set_title("\n".join(textwrap.wrap(title, 28)), fontsize=9)
    axis.set_xlabel("")
    axis.set_ylabel("")
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
