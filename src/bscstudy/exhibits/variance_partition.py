"""Where the differences between scores lie: the share of each level, and how much the model accounts for."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import model_choice, model_notes, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.model_words import level_words

TABLES = ("models/variance_partition", "models/fits")
FIGURE = True
RESIDUAL = "residual"
#: share from which a bar is wide enough to hold its number
WIDE = 0.07
#: share from which it holds the name of its level too
NAMED = 0.25
_R2 = {
    "r2_marginal": "R² of the fixed part (marginal)",
    "r2_conditional": "R² of the fixed part and all levels (conditional)",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the shares of every level for the chosen models.

    Options: `model` (ids) or `question` choose the models.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/variance_partition"), fits)
    if rows.empty:
        return empty_exhibit("No estimated model of this study has levels to share the variance between.")
    data = _ordered(model_choice.floats(rows, ("n_groups", "share", "low", "high")))
    return Exhibit(
        table=_shown(data, fits),
        caption="Share of the variance that lies at each level, after the fixed part of the model",
        notes={**_READING, **_scale(fits), **model_notes.model_notes(fits, row_each=False)},
        sentences=tuple(_sentences(data)),
        group_by="Model",
        figure=_figure(data, context),
        alt=_alt(data),
        data=data[["model", "level", "n_groups", "share", "low", "high"]],
    )


_READING = {
    "Reading": "of the variance that the fixed part leaves, how much is between centers, between persons of a center, and so on; "
    "the rest is between answers of one person, and error",
    "Interval": "95%, by the delta method; none where a share is zero or the method gives none; with few centers it is rough",
    "R²": "share of the whole variance that goes with the fixed part alone, and with the fixed part and the levels together",
}


def _scale(fits: pd.DataFrame) -> dict[str, str]:
    """Return the remark on models that are not in points, nothing where there is none."""
    if not model_notes.link_note(fits):
        return {}
    rest = "in models with a link function the rest is that of one answer or one indicator"
    return {"Scale": f"{rest}, so the shares of levels are small beside those of a mean"}


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the levels of each model from the outermost (fewest groups) to the rest."""
    models = {name: place for place, name in enumerate(dict.fromkeys(rows["model"]))}
    ordered = rows.assign(_model=rows["model"].map(models), _last=rows["level"] == RESIDUAL)
    ordered = ordered.sort_values(["_model", "_last", "n_groups", "level"], kind="stable")
    return ordered.drop(columns=["_model", "_last"]).reset_index(drop=True)


def _shown(data: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    by_model = fits.set_index("model").to_dict("index")
    rows = []
    for model, part in data.groupby("model", sort=False):
        for row in part.to_dict("records"):
            groups = numbers.count(by_model[model].get("n") if row["level"] == RESIDUAL else row["n_groups"])
            rows.append(_row(row["title"], _level(row["level"]), groups, row["share"], _interval(row)))
        for column, words in _R2.items():
            rows.append(_row(part["title"].iloc[0], words, numbers.MISSING, by_model[model].get(column), numbers.MISSING))
    return pd.DataFrame(rows)


def _row(title: str, level: str, groups: str, share: object, interval: str) -> dict:
    return {"Model": title, "Part": level, "Groups (rows, n)": groups, "Share": numbers.percent(share), "95% interval": interval}


def _level(level: str) -> str:
    words = level_words(level)
    return words[:1].upper() + words[1:]


def _interval(row: dict) -> str:
    if numbers.is_missing(row["low"]) or numbers.is_missing(row["high"]):
        return numbers.MISSING
    return f"{numbers.percent(min(max(row['low'], 0.0), 1.0))} to {numbers.percent(min(max(row['high'], 0.0), 1.0))}"


def _sentences(data: pd.DataFrame) -> list[str]:
    centers = data[data["level"] == "center_id"]
    if centers.empty:
        return []
    low, high = centers["share"].min(), centers["share"].max()
    span = numbers.percent(low) if numbers.percent(low) == numbers.percent(high) else f"{numbers.percent(low)} to {numbers.percent(high)}"
    where = (
        f"in {numbers.plural(centers['model'].nunique(), 'model')}" if len(centers) > 1 else f"in the model '{centers['title'].iloc[0]}'"
    )
    return [f"Differences between centers hold {span} of the variance that the fixed part leaves ({where})."]


def _figure(data: pd.DataFrame, context: Context):
    titles = list(dict.fromkeys(data["title"]))
    levels = [v for v in dict.fromkeys(data["level"]) if v != RESIDUAL]
    colors = {level: style.PALETTE[i % len(style.PALETTE)] for i, level in enumerate(levels)} | {RESIDUAL: "#d5dae1"}
    figure, axis = style.new_figure(7.5, 1.3 + 0.32 * len(titles))
    for place, title in enumerate(reversed(titles)):
        left = 0.0
        for row in data[data["title"] == title].to_dict("records"):
            _draw_part(axis, place, left, row, colors[row["level"]])
            left += row["share"]
    axis.set_yticks(range(len(titles)), ["\n".join(textwrap.wrap(t, 38)) for t in reversed(titles)], fontsize=7.5)
    axis.set(xlim=(0, 1), ylim=(-0.6, len(titles) - 0.4), xlabel="Share of the variance that the fixed part leaves")
    axis.xaxis.set_major_formatter(lambda value, _: numbers.percent(min(max(value, 0.0), 1.0)))
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    _legend(figure, colors)
    style.finish(figure, context)
    return figure


def _draw_part(axis, place: int, left: float, row: dict, color: str) -> None:
    share = row["share"]
    axis.barh(place, share, left=left, height=0.72, color=color, edgecolor="white", linewidth=1)
    if share >= WIDE:
        ink = style.INK if row["level"] == RESIDUAL else "white"
        named = "" if share < NAMED else f"{level_words(row['level']).partition(' (')[0]} "
        axis.text(left + share / 2, place, named + numbers.percent(share), ha="center", va="center", fontsize=7.5, color=ink)


def _legend(figure, colors: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=color, label=_level(level)) for level, color in colors.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))


def _alt(data: pd.DataFrame) -> str:
    parts = []
    for level in dict.fromkeys(data["level"]):
        shares = data.loc[data["level"] == level, "share"]
        parts.append(f"{level_words(level)} {numbers.percent(shares.min())} to {numbers.percent(shares.max())}")
    return (
        f"Stacked bars, one for each of {numbers.plural(data['model'].nunique(), 'model')}: share of the variance at each level. "
        f"Over the models: {'; '.join(parts)}. The table holds every number."
    )
