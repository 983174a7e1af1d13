"""Links between themes and outcomes declared in advance: associated across the centers, with exact p and the range without each center."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in
from bscstudy.exhibits.labels import lower_first, outcome_label, words
from bscstudy.exhibits.theme_links_figure import links_figure
from bscstudy.exhibits.theme_words import theme_notes
from bscstudy.models.verdict import CLEAR

TABLES = ("integrate/theme_links", "integrate/theme_link_centers", "qual/presence", "qual/theme_center", "centers")
FIGURE = True
SECTIONS = ("integration", "items", "sources")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each declared link; option `links` (ids) shows some of them."""
    links = tables.get("integrate/theme_links")
    if links is None or links.empty:
        return empty_exhibit("No link between a theme and an outcome was declared in config/integration.yaml.")
    declared = [link["id"] for link in context.config.get("integration", {}).get("links", [])]
    links = links.assign(_place=places_in(links["link"], declared)).sort_values(["_place", "link"], kind="stable")
    shown = context.chosen(links, links="link")
    records = shown.to_dict("records")
    names = {row["link"]: (theme_label(row, context), outcome_words(row, context)) for row in records}
    return Exhibit(
        table=pd.DataFrame([_row(row, *names[row["link"]]) for row in records]),
        caption="Themes and outcomes associated across centers: links declared before looking",
        notes=_notes(links, tables["qual/presence"], context) | harmonised.map_note(_scales(records, context), context),
        sentences=tuple(_sentence(row, *names[row["link"]]) for row in records),
        figure=links_figure(records, names, tables, context),
        alt=_alt(records, names, context),
        data=shown[
            ["link", "theme", "outcome", "n_centers", "rho", "rho_without_low", "rho_without_high", "rho_share_low", "rho_share_high"]
        ],
    )


def theme_label(row: dict, context: Context) -> str:
    """Return the label of a link's theme, and that it is presence where it is."""
    label = context.labels("themes", "theme").get(row["theme"], words(row["theme"]))
    return label if row["theme_measure"] == "share" else f"{label} (raised at all)"


def outcome_words(row: dict, context: Context) -> str:
    """Return a link's outcome in words: ``change in Practice, T1 to T3``, ``Turnover intention at T3``, or the label of an index."""
    indices = context.labels("fidelity")
    if row["outcome"] in indices and numbers.is_missing(row["outcome_waves"]):
        return indices[row["outcome"]]
    label, waves = outcome_label(row["outcome"], context), numbers.text(row["outcome_waves"])
    if not waves:
        return label
    return f"Change in {lower_first(label)}, {waves}" if " to " in waves else f"{label} at {waves}"


def _scales(records: list[dict], context: Context) -> list[str]:
    known = {str(scale["scale"]) for scale in context.rows("scales", "scale")}
    return [row["outcome"] for row in records if row["outcome"] in known]


def _row(row: dict, theme: str, outcome: str) -> dict:
    expected = numbers.text(row["expected"]).replace("-", numbers.MINUS)
    return {
        "Theme": theme,
        "Outcome": outcome,
        "Expected": expected or numbers.MISSING,
        "Centers": numbers.count(row["n_centers"]),
        "Spearman's rho (p)": _with_p(row, "rho"),
        "Without one center": numbers.interval(row["rho_without_low"], row["rho_without_high"]),
        "Within the shares' error": numbers.interval(row["rho_share_low"], row["rho_share_high"]),
        "Kendall's tau-b (p)": _with_p(row, "tau"),
        "High minus low centers (p)": _split(row),
        "Slope for 10 points of share (95% interval)": _slope(row),
    }


def _with_p(row: dict, name: str) -> str:
    if numbers.is_missing(row[name]):
        return numbers.MISSING
    return f"{numbers.estimate(row[name], signed=True)} ({numbers.p_value(row[f'{name}_p_value'], prefix=True)})"


def _split(row: dict) -> str:
    groups = f"{numbers.count(row['split_n_high'])} and {numbers.count(row['split_n_low'])}"
    if numbers.is_missing(row["split_difference"]):
        return f"no two groups ({groups})"
    if 1 in (row["split_n_high"], row["split_n_low"]):
        return f"not shown: one center ({groups})"  # its outcome, which may be one person's answer, would follow from the other mean
    difference = numbers.estimate(row["split_difference"], signed=True)
    return f"{difference} ({groups}; {numbers.p_value(row['split_p_value'], prefix=True)})"


def _slope(row: dict) -> str:
    if numbers.is_missing(row["slope"]):
        return f"not given: {numbers.text(row['slope_reason'])}"
    corrected = numbers.estimate_with_interval(row["slope"], row["slope_low"], row["slope_high"], signed=True)
    return f"{corrected}; uncorrected {numbers.estimate(row['slope_naive'], signed=True)}"


def _sentence(row: dict, theme: str, outcome: str) -> str:
    if numbers.is_missing(row["rho"]):
        return f"{theme} and {lower_first(outcome)}: {numbers.plural(row['n_centers'], 'center')} with both, or no difference between them."
    p = row["rho_p_value"]
    said = "associated" if p < CLEAR else "no clear association"
    fragile = " (one center decides the sign)" if row["rho_without_low"] < 0 < row["rho_without_high"] else ""
    return (
        f"{theme} and {lower_first(outcome)}: {said} across {numbers.plural(row['n_centers'], 'center')}, rho "
        f"{numbers.estimate(row['rho'], signed=True)} (permutation {numbers.p_value(p, prefix=True)}), "
        f"{numbers.interval(row['rho_without_low'], row['rho_without_high'])} without one center{fragile}."
    )


def _notes(links: pd.DataFrame, presence: pd.DataFrame, context: Context) -> dict[str, str]:
    themes = theme_notes(presence)
    low, high = links["n_centers"].min(), links["n_centers"].max()
    return {
        "Estimator": "rank correlations with mid-ranks; p two-sided by permutation of the centers, ties counted, collaboratives not kept "
        "apart" + _patterns(links),
        "Degrees of freedom": "none for the permutations; slopes: t with centers minus 2 (one property of centers at a time)",
        "n": themes["n"],
        "Clusters": f"{numbers.count(low) if low == high else f'{numbers.count(low)} to {numbers.count(high)}'} centers with both values",
        "Exclusions": f"centers without one of the two values; {themes['Exclusions']}",
        "Smallest p possible": _smallest(links),
        "Within the shares' error": "2.5% and 97.5% of rho when each share is drawn from its Jeffreys posterior; drawing adds the error of "
        "the few sessions a second time, so the range lies nearer to zero than rho and is no confidence interval",
        "High and low": "; ".join(dict.fromkeys(links["split_rule"]))
        + ". p by the absolute difference of means over all assignments of centers",
        "Slope": "of people's scores in a multilevel model, on the share calibrated for the error of few sessions (regression calibration, "
        "beta-binomial); interval by leaving out each center in turn. Not given where the shares differ hardly more than by chance",
        "Several links": _adjusted(links, context),
        "Declared": _declared(links, context),
        "Reading": "associated across centers; there was no comparison group, and nothing here says which leads to which",
    }


def _patterns(links: pd.DataFrame) -> str:
    drawn = links[links["rho_p_error"] > 0]
    if drawn.empty:
        return "; all orders compared"
    largest = numbers.estimate(drawn["rho_p_error"].max(), 4)
    orders = numbers.count(drawn["rho_n_patterns"].max())
    return f"; beyond 9 centers from {orders} orders drawn at random (standard error of p up to {largest})"


def _smallest(links: pd.DataFrame) -> str:
    known = links.dropna(subset=["rho_smallest_p"])
    if known.empty:
        return numbers.MISSING
    return f"rho {numbers.p_value(known['rho_smallest_p'].max())}, high and low {numbers.p_value(links['split_smallest_p'].max())}, or less"


def _adjusted(links: pd.DataFrame, context: Context) -> str:
    each = [
        f"{theme_label(row, context)} and {lower_first(outcome_words(row, context))} {numbers.p_value(row['rho_p_bh'])}"
        for row in links.to_dict("records")
        if not numbers.is_missing(row["rho_p_bh"])
    ]
    return f"Benjamini-Hochberg values of rho's p over all {numbers.count(len(links))} declared links: {'; '.join(each) or numbers.MISSING}"


def _declared(links: pd.DataFrame, context: Context) -> str:
    days = sorted({link["declared"] for link in context.config.get("integration", {}).get("links", []) if link.get("declared")})
    when = f" ({numbers.listed(days)})" if days else " (days not recorded)"
    return f"{numbers.plural(len(links), 'link')} in config/integration.yaml{when}; all are reported"


def _alt(records: list[dict], names: dict[str, tuple[str, str]], context: Context) -> str:
    kind = "Small charts of the centers, by letters: outcome by theme" if context.show_centers else "Rank correlations with their ranges"
    each = [
        f"{names[row['link']][0]} and {lower_first(names[row['link']][1])}: rho {numbers.estimate(row['rho'], signed=True)}"
        for row in records
    ]
    return f"{kind}, for each declared link. {'; '.join(each)}."
