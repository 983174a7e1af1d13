"""How far each center lies from the model's mean, sorted, with intervals; centers have no names unless they may be shown."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import model_choice, model_notes, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.model_cells import FEWEST_CENTERS
from bscstudy.exhibits.panels import panel_grid
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("models/center_modes", "models/fits", "centers")
FIGURE = True


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the centers of each chosen model and random effect in the order of their modes.

    Options: `model` (ids) or `question` choose the models. Without `privacy.show_centers` a center is a rank of its own in every panel,
    so that no center can be followed from one panel to the next.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/center_modes"), fits)
    if rows.empty:
        return empty_exhibit("No estimated model of this study lets centers differ.")
    data = _ranked(model_choice.floats(rows, ("mode", "low", "high")), tables, context)
    if data.empty:
        return empty_exhibit(f"Models of fewer than {FEWEST_CENTERS} centers are not shown center by center.")
    return Exhibit(
        table=_shown(data, fits),
        caption="Centers in the order of their distance from the mean of the model",
        notes={
            **_notes(context),
            **model_notes.link_note(fits),
            **model_choice.panels_note(data["panel"].nunique()),
            **model_notes.model_notes(fits, row_each=False),
        },
        sentences=tuple(_sentences(data)),
        figure=_figure(data, context),
        alt=_alt(data, context),
        data=data[["model", "panel", "center", "mode", "low", "high"]],
    )


def _ranked(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], context: Context) -> pd.DataFrame:
    """Return model, panel, place, center (letter or rank), mode, low, high; no id of a center is kept."""
    parts = []
    for _, part in rows.groupby(["model", "term"], sort=False, dropna=False):
        if len(part) < FEWEST_CENTERS and not context.show_centers:
            continue
        ordered = part.sort_values(["mode", "low", "high"], kind="stable").reset_index(drop=True)
        place = pd.Series(range(1, len(ordered) + 1))
        if context.show_centers:
            center = ordered["center_id"].astype(str).map(center_codes(tables["centers"], context))
        else:
            center = "rank " + place.astype(str)
        panel = [_panel(row) for row in ordered.to_dict("records")]
        parts.append(ordered[["model", "title", "mode", "low", "high"]].assign(place=place, center=center, panel=panel))
    columns = ["model", "title", "mode", "low", "high", "place", "center", "panel"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _panel(row: dict) -> str:
    label = numbers.text(row.get("label"))
    return str(row["title"]) if label in ("", "Mean") else f"{row['title']}: {label}"


def _shown(data: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    n, rows = fits.set_index("model")["n"], []
    for panel, part in data.groupby("panel", sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        rows.append(
            {
                "Model": panel,
                "n": numbers.count(n[first["model"]]),
                "Centers": numbers.count(len(part)),
                "Lowest (95% interval)": _cell(first),
                "Highest (95% interval)": _cell(last),
                "Clearly below": numbers.count(int((part["high"] < 0).sum())),
                "Clearly above": numbers.count(int((part["low"] > 0).sum())),
            }
        )
    return pd.DataFrame(rows)


def _cell(row: pd.Series) -> str:
    name = "" if row["center"].startswith("rank ") else f"{row['center']}: "
    return name + numbers.estimate_with_interval(row["mode"], row["low"], row["high"], signed=True)


def _notes(context: Context) -> dict[str, str]:
    named = "letters drawn anew for the study; letters follow no order of the centers"
    unnamed = "not named; ranked anew in every panel, so that none can be followed from one to the next"
    return {
        "Reading": "each value is a center's distance from what the fixed part of the model expects, in points unless "
        "the scale is named below, drawn towards zero the more, the less the center tells of itself; "
        "it is a picture of differences, not a ranking of quality",
        "Interval": "95%, taking the estimated parameters of the model as known, so rather too short",
        "Centers": named if context.show_centers else unnamed,
    }


def _sentences(data: pd.DataFrame) -> list[str]:
    said = []
    for panel, part in data.groupby("panel", sort=False):
        clear = int(((part["low"] > 0) | (part["high"] < 0)).sum())
        said.append(
            f"{panel}: {numbers.count_of(clear, len(part))} centers lie clearly away from the model's mean; distances run from "
            f"{numbers.estimate(part['mode'].min(), signed=True)} to {numbers.estimate(part['mode'].max(), signed=True)}."
        )
    return said


def _figure(data: pd.DataFrame, context: Context):
    parts = dict(list(data.groupby("panel", sort=False))[: model_choice.MOST_PANELS])
    longest = max(len(part) for part in parts.values())
    figure, axes = panel_grid(list(parts), max(1.0, 0.35 + 0.075 * longest), context, columns=3)
    for axis, part in zip(axes, parts.values(), strict=True):
        axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
        clear = (part["low"] > 0) | (part["high"] < 0)
        for chosen, color, marker in ((~clear, style.MUTED, "o"), (clear, style.BLUE, "s")):
            some = part[chosen]
            axis.hlines(some["place"], some["low"], some["high"], color=color, linewidth=1.4, zorder=2)
            axis.plot(some["mode"], some["place"], marker, color=color, markersize=3.5, zorder=3)
        axis.set_ylim(0.2, len(part) + 0.8)
        if context.show_centers:
            axis.set_yticks(part["place"], part["center"])
            axis.tick_params(axis="y", labelsize=6)
        else:
            axis.set_yticks([])
        axis.locator_params(axis="x", nbins=4)
        axis.tick_params(axis="x", labelsize=7.5)
        axis.spines["left"].set_visible(False)
    figure.supxlabel("Distance from the model's mean (point and 95% interval; blue squares: interval leaves out zero)", fontsize=8.5)
    return figure


def _alt(data: pd.DataFrame, context: Context) -> str:
    n = min(data["panel"].nunique(), model_choice.MOST_PANELS)
    names = "letters" if context.show_centers else "no names"
    return (
        f"Caterpillar plots in {numbers.plural(n, 'panel')}, one for each model and part that varies over centers: centers ({names}) "
        "from lowest to highest "
        "distance from the model's mean with 95% intervals; intervals that leave out zero are marked. The table says how many."
    )
