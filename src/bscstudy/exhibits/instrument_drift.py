"""How the instruments changed between waves: each construct's items by wave, and what the map between versions says of each change."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.checks.drift_picture import CHANGED, NO_SCALE, drift_picture
from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.io.harmonisation import Step

TABLES = ("checks/drift",)
FIGURE = True
SECTIONS = ("items",)
#: state -> (colour, hatch); the word stands in the cell as well
LOOK = {
    "asked": ("#eef2f6", ""), "same": ("#eef2f6", ""), "reworded": ("#fbe3c0", "..."), "rescaled": ("#f3b27a", "////"),
    "dropped": ("#d9d9de", "xxx"), "added": ("#cfe8df", "\\\\\\"), "": ("white", ""),
}  # fmt: skip
MAPPED = "*"
_OTHERS = {"dropped": "no longer asked", "added": "asked for the first time"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the items of every construct in which something changed; option `constructs` (ids) shows these instead."""
    picture = drift_picture(tables["checks/drift"], context.config)
    if picture.empty:
        return empty_exhibit("No instrument was used in more than one wave.")
    shown = _chosen(picture, context)
    if shown.empty:
        return empty_exhibit("No item changed between the waves of any instrument.", _notes(picture, shown, context))
    return Exhibit(
        table=_table(shown, context),
        caption="Items of the constructs whose instruments changed between waves",
        notes=_notes(picture, shown, context),
        sentences=(_sentence(picture),),
        footnotes=(),
        group_by="Construct",
        figure=_figure(shown, context),
        alt=_alt(shown),
        data=shown[["construct", "instrument", "item", "wave", "state", "harmonised"]],
    )


def _chosen(picture: pd.DataFrame, context: Context) -> pd.DataFrame:
    wanted = context.option_list("constructs")
    groups = picture["construct"] + " " + picture["instrument"]
    kept = picture["construct"].isin(wanted) if wanted else groups.isin(groups[picture["state"].isin(CHANGED)])
    return picture[kept].reset_index(drop=True)


def _group(row: object) -> str:
    label = labels.words(row.label) if row.construct == NO_SCALE or row.label == row.construct else row.label
    return f"{label}: {labels.lower_first(labels.words(row.instrument))}"


def _cell(state: str, harmonised: str) -> str:
    return f"{state or 'not asked'}{f' {MAPPED}' if harmonised else ''}"


def _table(shown: pd.DataFrame, context: Context) -> pd.DataFrame:
    names, order = context.labels("waves"), in_order(shown["wave"], wave_order(context))
    asked = {(row["instrument"], row["item"]): str(row["label"]) for row in context.config.get("items") or []}
    rows = []
    for (_, instrument, item), part in shown.groupby(["construct", "instrument", "item"], sort=False):
        cells = {row.wave: _cell(row.state, row.harmonised) for row in part.itertuples()}
        changed = [row for row in part.itertuples() if row.state in CHANGED]
        details = [f"{names.get(row.wave, row.wave)}: {_OTHERS.get(row.state, row.detail)}" for row in changed]
        row = {"Construct": _group(next(part.itertuples())), "Item": f"{item}: {asked.get((instrument, item), labels.words(item))}"}
        row |= {names.get(wave, wave): cells.get(wave, numbers.MISSING) for wave in order}
        rows.append(row | {"What changed": "; ".join(details), "Map": _map(instrument, item, context)})
    return pd.DataFrame(rows)


def _map(instrument: str, item: str, context: Context) -> str:
    own = [r for r in context.config.get("harmonisation") or [] if r["instrument"] == instrument and item in (r["item"], r["new_item"])]
    return "; ".join(f"{r['rule']}, {r['reason'].rstrip('.')} ({r['decided_by']}, {r['decided_on']})" for r in own if r["item"])


def _notes(picture: pd.DataFrame, shown: pd.DataFrame, context: Context) -> dict[str, str]:
    changes = picture[picture["state"].isin(CHANGED)].drop_duplicates(["instrument", "item", "wave"])
    drawn = set(zip(shown["construct"], shown["instrument"], strict=True))
    rest = [
        row for row in picture.drop_duplicates(["construct", "instrument"]).itertuples() if (row.construct, row.instrument) not in drawn
    ]
    scales = [Step(row).in_words() for row in context.config.get("harmonisation") or [] if row["scale"]]
    items = numbers.plural(picture.groupby(["instrument", "item"]).ngroups, "item")
    notes = {
        "Estimator": "none; the codebook's versions are compared, wave by wave with the one before",
        "n": f"{items} of {numbers.plural(picture['instrument'].nunique(), 'instrument')}; {numbers.plural(len(changes), 'change')}",
        "Reading": "asked = in the first wave of the instrument; same = worded and answered as in the wave before; reworded = other words; "
        "rescaled = other answers or another range; a dash = the instrument was not used in that wave",
        MAPPED: "the map between versions (config/codebook/harmonisation.csv) says how answers to the one become answers to the other; "
        "across a change without it scores are not compared",
    }
    if scales:
        notes["Whole scales"] = "; ".join(scales)
    if rest:
        notes["Unchanged"] = "; ".join(_group(row) for row in rest)
    return notes


def _sentence(picture: pd.DataFrame) -> str:
    changes = picture[picture["state"].isin(CHANGED)].drop_duplicates(["instrument", "item", "wave"])
    mapped = int((changes["harmonised"] != "").sum())
    counts = [f"{numbers.count(n)} {state}" for state in CHANGED if (n := int((changes["state"] == state).sum()))]
    return (
        f"Between waves the instruments changed in {numbers.plural(len(changes), 'place')} ({numbers.listed(counts)}); a map between "
        f"versions covers {numbers.count(mapped)} of them, and across the others no scores are compared."
    )


def _figure(shown: pd.DataFrame, context: Context):
    from matplotlib.patches import Rectangle

    waves = in_order(shown["wave"], wave_order(context))
    lines = _lines(shown)
    figure, axis = style.new_figure(7.5, 1.0 + 0.24 * len(lines))
    for y, (text, states) in enumerate(lines):
        axis.text(-0.06, y, text, ha="right", va="center", fontsize=8.5 if states else 9, fontweight="normal" if states else "bold")
        for x, wave in enumerate(waves):
            if wave in states:
                state, mapped = states[wave]
                colour, hatch = LOOK[state]
                axis.add_patch(Rectangle((x, y - 0.46), 0.97, 0.92, facecolor=colour, edgecolor="#8a93a0", hatch=hatch, linewidth=0))
                box = {"boxstyle": "round,pad=0.12", "facecolor": "white" if hatch else colour, "linewidth": 0}
                axis.text(x + 0.485, y, _cell(state, mapped), ha="center", va="center", fontsize=8, bbox=box)
    axis.set(xlim=(0, len(waves)), ylim=(len(lines) - 0.4, -0.6), yticks=[])
    names = [textwrap.fill(context.labels("waves").get(wave, wave), max(8, 72 // len(waves))) for wave in waves]
    axis.set_xticks([x + 0.485 for x in range(len(waves))], names)
    axis.xaxis.tick_top()
    if (shown["harmonised"] != "").any():
        axis.set_xlabel(f"{MAPPED} a map between versions says how the answers compare", loc="right", fontsize=8)
        axis.xaxis.set_label_position("bottom")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    style.finish(figure, context)
    return figure


def _lines(shown: pd.DataFrame) -> list[tuple[str, dict[str, tuple[str, str]]]]:
    """Return the lines of the picture from the top: the heading of a construct without cells, an item with its cell for each wave."""
    lines: list[tuple[str, dict[str, tuple[str, str]]]] = []
    for _, part in shown.groupby(["construct", "instrument"], sort=False):
        heading = textwrap.shorten(_group(next(part.itertuples())), 46, placeholder=" ...")
        lines.append((heading, {}))
        for item, rows in part.groupby("item", sort=False):
            lines.append((item, {row.wave: (row.state, row.harmonised) for row in rows.itertuples()}))
    return lines


def _alt(shown: pd.DataFrame) -> str:
    items = shown.drop_duplicates(["instrument", "item"])
    counts = [f"{numbers.count(n)} {state}" for state in CHANGED if (n := int((shown["state"] == state).sum()))]
    mapped = int((shown["harmonised"] != "").sum())
    return (
        f"Grid of {numbers.plural(len(items), 'item')} by wave; each cell holds a word and has a colour and a hatch of its own: "
        f"{numbers.listed(counts or ['nothing changed'])}. A star marks {numbers.plural(mapped, 'cell')} that the map covers. "
        "The table says the same in words."
    )
