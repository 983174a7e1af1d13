"""Whether two observers saw the same: agreement on double-coded visits, item by item."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit

TABLES = ("measures/rater_agreement",)
FIGURE = True
SECTIONS = ("items",)


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each item that two raters coded; option `instruments` restricts them."""
    data = tables.get("measures/rater_agreement")
    if data is None:
        return empty_exhibit("The study has no classroom observation.")
    data = context.chosen(data, instruments="instrument").sort_values(["instrument", "item"], kind="stable")
    data = data[data["n_pairs"].fillna(0) > 0].reset_index(drop=True)
    if data.empty:
        return empty_exhibit("No visit was coded by two raters.")
    data = data.assign(corrected=data["icc"].fillna(data["kappa"]))
    return Exhibit(
        table=_shown(data, context),
        caption="Agreement of raters who coded the same visit",
        notes=_notes(data),
        sentences=tuple(_sentences(data, context)),
        group_by="Instrument",
        figure=_figure(data, context),
        alt=f"Exact agreement and the chance-corrected coefficient for {len(data)} items; the table holds every number.",
        data=data[["instrument", "item", "exact", "corrected", "ac1", "statistic"]],
    )


def _instrument(name: str, context: Context) -> str:
    return context.labels("observation").get(str(name), labels.words(name))


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    return pd.DataFrame([_row(row, context) for row in data.to_dict("records")])


def _row(row: dict, context: Context) -> dict:
    rated = not numbers.is_missing(row["icc"])
    low, high = (row["icc_low"], row["icc_high"]) if rated else (row["kappa_low"], row["kappa_high"])
    shown = {
        "Instrument": _instrument(row["instrument"], context),
        "Item": labels.item_label(row["item"], row["instrument"], context),
        "Visits coded twice": numbers.count_of(row["n_units"], row["n_visits"]),
        "Pairs": numbers.count(row["n_pairs"]),
        "Exact": numbers.percent(row["exact"]),
        "Within 1": numbers.percent(row["adjacent"]),
        "Kappa": numbers.estimate(row["kappa_quadratic"] if rated else row["kappa"]),
        "AC1": numbers.estimate(row["ac1"]),
        "ICC": numbers.estimate(row["icc"]),
        "95% interval": numbers.interval(low, high),
        "Statistic": numbers.text(row["statistic"]),
    }
    needed = {} if numbers.is_missing(row["agreement_width"]) else {"Visits needed": numbers.count(row["visits_needed"])}
    return {**shown, **needed}


def _notes(data: pd.DataFrame) -> dict[str, str]:
    widths = sorted(data["agreement_width"].dropna().unique())
    needed = {
        "Visits needed": f"to be coded twice for a 95% interval no wider than {numbers.listed([numbers.measure(w) for w in widths])}, if "
        "the agreement stays as it is: of the exact agreement (Wilson) for yes / no, of the ICC (Bonett) for ratings"
    }
    return {
        "Estimator": "share of pairs in exact agreement and within one point; kappa for yes / no; for ratings the intraclass correlation, "
        "beside kappa with squared weights; AC1 (Gwet) is corrected for chance too, but stands where nearly all answers are the same",
        "95% interval": "of the ICC, or of kappa; of the coefficient that the last column names",
        "n": f"{numbers.count(data['n_units'].max())} double-coded visits at most, of {numbers.count(data['n_visits'].max())}; an "
        "item counts the pairs with an answer of both raters",
        "Clusters": "visits; pairs of one visit are not independent, so no interval is given for percent agreement",
        "Exclusions": "pairs in which one rater gave no answer or saw no opportunity; a dash stands where every answer is the same; "
        "the ICC compares the raters' means of a visit, each over all that this rater answered; a consensus is no rater",
        **(needed if widths else {}),
    }


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    said = []
    for name, part in data.groupby("instrument", sort=True):
        known = part["corrected"].dropna()
        middle = f"; the chance-corrected coefficient has a median of {numbers.estimate(known.median())}" if len(known) else ""
        said.append(
            f"{_instrument(name, context)}: two raters agreed exactly in {numbers.percent(part['exact'].min())} to "
            f"{numbers.percent(part['exact'].max())} of pairs, by item{middle}."
        )
    return said


def _figure(data: pd.DataFrame, context: Context):
    instruments = list(dict.fromkeys(data["instrument"]))
    wrapped = [any("\n" in _wrapped(row, context) for row in data[data["instrument"] == name].to_dict("records")) for name in instruments]
    sizes = [int((data["instrument"] == name).sum()) * (1.35 if lines else 1.0) for name, lines in zip(instruments, wrapped, strict=True)]
    figure, axes = style.new_figure(
        7.5,
        1.2 + 0.23 * sum(sizes) + 0.6 * len(sizes),
        len(instruments),
        1,
        squeeze=False,
        height_ratios=[s + 1.5 for s in sizes],
        sharex=True,
    )
    for axis, name in zip(axes.flat, instruments, strict=True):
        _panel(axis, data[data["instrument"] == name].iloc[::-1], context)
        axis.set_title(_instrument(name, context))
    low = float(data[["exact", "corrected"]].min().min())
    axes.flat[-1].set_xlim(min(0.0, low - 0.05), 1.03)
    axes.flat[-1].set_xlabel("Agreement (1 = complete; kappa and ICC: 0 = chance)")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    style.finish(figure, context)
    return figure


def _wrapped(row: dict, context: Context) -> str:
    return "\n".join(textwrap.wrap(labels.item_label(row["item"], row["instrument"], context), 46))


def _panel(axis, part: pd.DataFrame, context: Context) -> None:
    height = range(len(part))
    axis.hlines(height, part[["exact", "corrected"]].min(axis=1), part[["exact", "corrected"]].max(axis=1), color=style.RULE, linewidth=1.5)
    axis.scatter(part["exact"], height, color=style.BLUE, marker="o", s=28, label="Exact agreement", zorder=3)
    axis.scatter(
        part["corrected"],
        height,
        facecolors="none",
        edgecolors=style.ORANGE,
        linewidths=1.6,
        marker="D",
        s=40,
        label="Kappa or ICC",
        zorder=4,
    )
    axis.set_yticks(list(height), [_wrapped(row, context) for row in part.to_dict("records")])
    axis.set_ylim(-0.6, len(part) - 0.4)
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
