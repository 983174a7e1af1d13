"""Rated constructs: the matrix of constructs by centers in the order of an outcome, and which constructs tell centers apart."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, heat_maps, style
from bscstudy.exhibits.aggregation import mean_note
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.exhibits.labels import better_end, lower_first, outcome_label, words
from bscstudy.exhibits.rating_cells import FEWEST, rating_cells
from bscstudy.exhibits.rating_notes import rating_notes
from bscstudy.qual.ratings import compared_values

TABLES = (
    "qual/ratings", "qual/distinguishing", "qual/rater_reliability", "qual/rating_outcome", "centers", "measures/aggregation",
)  # fmt: skip
FIGURE = True
SECTIONS = ("qual", "items", "sources")
LABELS = {
    "strong": "strongly", "weak": "weakly", "not_distinguishing": "no", "missing": "no rating in a group",
}  # fmt: skip


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each construct of one wave (option `wave`; the last one with ratings unless given)."""
    ratings = tables.get("qual/ratings")
    if ratings is None or ratings.empty:
        return empty_exhibit("No construct was rated.")
    wave = context.options.get("wave") or in_order(ratings["wave"], wave_order(context))[-1]
    spec = context.config["qual"]["ratings"]
    of_wave = ratings[ratings["wave"] == wave]
    found = tables["qual/distinguishing"]
    found = found[found["wave"] == wave]
    if of_wave.empty:
        return empty_exhibit("No construct was rated in this wave.")
    outcome, reliability = tables["qual/rating_outcome"], tables["qual/rater_reliability"]
    of_wave = of_wave.assign(compared=compared_values(of_wave, spec.get("mixed", "zero")))
    name = spec.get("outcome")
    lower = bool(name) and better_end(name, context) == "lower"
    cells = rating_cells(of_wave, outcome, tables["centers"], lower, context)
    notes = rating_notes(found, of_wave, outcome, reliability, spec, context)
    notes |= harmonised.map_note([name], context) | mean_note(name, tables) if name else {}
    return Exhibit(
        table=_table(found, reliability, spec),
        caption=f"Which rated constructs tell centers with more from centers with less {_of_what(outcome, context)}",
        notes=notes,
        sentences=_sentences(found, spec, outcome, context),
        group_by="Domain" if any(construct.get("domain") for construct in spec["constructs"]) else "",
        figure=_figure(cells, found, spec, outcome, context),
        alt=_alt(cells, context),
        data=cells,
    )


def _of_what(outcome: pd.DataFrame, context: Context) -> str:
    """Return ``change in Practice, T1 to T3``, or ``of the outcome`` where the study names the groups."""
    first = outcome.iloc[0]
    if numbers.is_missing(first["outcome"]):
        return "of the outcome"
    waves = "" if numbers.is_missing(first["outcome_waves"]) else f", {first['outcome_waves']}"
    return f"change in {outcome_label(first['outcome'], context)}{waves}"


def _names(spec: dict) -> dict[str, str]:
    return {construct["id"]: construct.get("label") or words(construct["id"]) for construct in spec["constructs"]}


def _label(row: dict) -> str:
    return LABELS[row["label"]] + (", but not without one center" if row["sensitive"] else "")


def _table(found: pd.DataFrame, reliability: pd.DataFrame, spec: dict) -> pd.DataFrame:
    by_construct = found.set_index("construct").to_dict("index")
    agreement = reliability.set_index(["construct", "coefficient"]).to_dict("index")
    names, rows = _names(spec), []
    for construct in (c for c in spec["constructs"] if c["id"] in by_construct):
        row = by_construct[construct["id"]]
        kappa, alpha = (agreement[(construct["id"], kind)]["estimate"] for kind in ("weighted_kappa", "ordinal_alpha"))
        rows.append(
            {
                "Domain": construct.get("domain") or "Constructs",
                "Construct": names[construct["id"]],
                "Mean where high": _mean(row["mean_high"], row["n_high"]),
                "Mean where low": _mean(row["mean_low"], row["n_low"]),
                "Difference (without one center)": _difference(row),
                "Distinguishes": _label(row),
                "Kendall's tau-b (without one center)": _with_range(row["tau_b"], row["tau_low"], row["tau_high"]),
                "p": numbers.p_value(row["p_value"]),
                "Raters' kappa": numbers.estimate(kappa),
                "Raters' alpha": numbers.estimate(alpha),
            }
        )
    table = pd.DataFrame(rows)
    return table if any(c.get("domain") for c in spec["constructs"]) else table.drop(columns="Domain")


def _mean(mean: object, n: int) -> str:
    """Return a group's mean with its centers; of few centers it would tell single ratings."""
    if n < FEWEST:
        return f"{numbers.MISSING} ({numbers.plural(int(n), 'center')})"
    return f"{numbers.estimate(mean, 1, signed=True)} ({numbers.plural(int(n), 'center')})"


def _difference(row: dict) -> str:
    if min(row["n_high"], row["n_low"]) < FEWEST:
        return numbers.MISSING
    return _with_range(row["difference"], row["difference_low"], row["difference_high"], 1)


def _with_range(value: object, low: object, high: object, digits: int = 2) -> str:
    if numbers.is_missing(value):
        return numbers.MISSING
    ends = [numbers.estimate(end, digits, signed=True) for end in (low, high)]
    text = numbers.estimate(value, digits, signed=True)
    return text if numbers.MISSING in ends else f"{text} ({ends[0]} to {ends[1]})"


def _sentences(found: pd.DataFrame, spec: dict, outcome: pd.DataFrame, context: Context) -> tuple[str, ...]:
    names, said = _names(spec), []
    for kind, how in (("strong", "strongly"), ("weak", "weakly")):
        rows = found[found["label"] == kind]
        listed = numbers.listed([lower_first(names[c]) for c in names if c in set(rows["construct"])])
        if listed:
            shaky = int(rows["sensitive"].sum())
            extra = f" (for {numbers.plural(shaky, 'of them', 'of them')} one center decides)" if shaky else ""
            said.append(
                f"{numbers.plural(len(rows), 'construct')} {how} told centers with more from centers with less "
                f"{_of_what(outcome, context)}: "
                f"{listed}{extra}."
            )
    known = found[found["p_value"].notna()]
    if len(known):
        row = known.loc[known["tau_b"].abs().idxmax()]
        ends = f"{numbers.estimate(row['tau_low'])} to {numbers.estimate(row['tau_high'])} without one center"
        said.append(
            f"Ratings of {lower_first(names[row['construct']])} were most closely associated with it across "
            f"{numbers.plural(int(row['n_centers']), 'center')}: tau-b {numbers.estimate(row['tau_b'])} ({ends}; exact "
            f"{numbers.p_value(row['p_value'], prefix=True)}, not adjusted for {numbers.plural(len(known), 'construct')})."
        )
    return tuple(said) or ("No rated construct told centers with more from centers with less of the outcome.",)


def _figure(cells: pd.DataFrame, found: pd.DataFrame, spec: dict, outcome: pd.DataFrame, context: Context):
    import seaborn
    from matplotlib import colormaps

    groups, names = list(dict.fromkeys(cells["group"])), _names(spec)
    constructs = [name for name in names if name in set(cells["construct"])]
    shades = cells.pivot(index="construct", columns="group", values="shade").reindex(index=constructs, columns=groups)
    texts = cells.pivot(index="construct", columns="group", values="text").reindex(index=constructs, columns=groups)
    label = {row["construct"]: _mark(row) for row in found.to_dict("records")}
    shown = [f"{label.get(name, '')}{names[name]}" for name in constructs]
    change = cells.drop_duplicates("group").set_index("group")["outcome_change"].reindex(groups)
    ratios = [1, max(4, len(constructs))]
    figure, (strip, grid) = style.new_figure(7.5, 1.9 + 0.33 * len(constructs), 2, 1, height_ratios=ratios, sharex=False)
    bar = {"ticks": [-2, -1, 0, 1, 2], "format": lambda v, _: numbers.estimate(v, 0, signed=True), "label": "Rating"}
    seaborn.heatmap(
        shades.astype(float), ax=grid, cmap=colormaps["RdBu"], vmin=-2.6, vmax=2.6, cbar_kws=bar, xticklabels=groups, yticklabels=shown,
        **heat_maps.CELLS,
    )  # fmt: skip
    blank = shades.mask(texts.isin(["M", "?"]), 0.0)
    heat_maps.hatch_missing(grid, blank, "too few informants to show")
    _write(grid, texts, shades)
    heat_maps.outcome_strip(strip, change, "" if change.isna().all() else words(_of_what(outcome, context)))
    grid.set(xlabel="Center (letter), in the order of the change" if context.show_centers else "Collaborative", ylabel="")
    grid.tick_params(axis="both", length=0)
    grid.tick_params(axis="x", rotation=0)
    style.finish(figure, context)
    return figure


def _mark(row: dict) -> str:
    """Return what stands before a construct's name in the figure."""
    if row["label"] not in ("strong", "weak"):
        return ""
    return f"{row['label']}{' (sensitive)' if row['sensitive'] else ''}: "


def _write(axis, texts: pd.DataFrame, shades: pd.DataFrame) -> None:
    for y in range(len(texts.index)):
        for x in range(len(texts.columns)):
            text, shade = texts.iat[y, x], shades.iat[y, x]
            if isinstance(text, str) and text:
                colour = "white" if abs(shade) > 1.5 else style.INK if shade == shade else style.MUTED
                axis.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7 if len(texts.columns) <= 15 else 6, color=colour)


def _alt(cells: pd.DataFrame, context: Context) -> str:
    kind = "centers" if context.show_centers else "collaboratives"
    return (
        f"Matrix of {numbers.plural(cells['construct'].nunique(), 'rated construct')} by {cells['group'].nunique()} {kind}, in the "
        "order of the "
        "outcome, which a strip above shows. Blue: the construct helps; red: it hinders; each cell carries its rating. The table says "
        "which "
        "constructs tell the ends of this order apart."
    )
