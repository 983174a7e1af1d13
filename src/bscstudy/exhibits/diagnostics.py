"""Do the residuals look as the models assume: normal quantiles, and spread against the fitted value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import model_choice, model_notes, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit

TABLES = ("models/diagnostics", "models/fits")
FIGURE = True
#: models that are told apart in the figure; the others are drawn in grey
NAMED = 4
#: distance from the normal line, in standard deviations, and ratio of spreads from which a model is named in the sentences
FAR, UNEVEN = 0.5, 2.0


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return how far the residuals of the chosen models lie from what is assumed.

    Options: `model` (ids) or `question` choose the models.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/diagnostics"), fits)
    rows = model_choice.floats(rows, ("place", "x", "y", "spread", "n")) if len(rows) else rows
    rows = rows[rows["y"].notna()].reset_index(drop=True) if len(rows) else rows
    if rows.empty:
        return empty_exhibit("No estimated model of this study has residuals to look at.")
    data = pd.DataFrame([_summary(part) for _, part in rows.groupby("model", sort=False)])
    return Exhibit(
        table=_shown(data),
        caption="Residuals of the models: distance from the normal shape, and evenness of their spread",
        notes={**_READING, **model_notes.model_notes(fits, row_each=False)},
        sentences=tuple(_sentences(data)),
        figure=_figure(rows, data, context),
        alt=_alt(data),
        data=rows[["model", "kind", "place", "x", "y", "spread", "n"]],
    )


_READING = {
    "Reading": "residuals are in standard deviations; a normal shape lies on the line, and an even spread is alike over all fitted values. "
    "Answers on a short scale are never quite normal; with many people that matters little for averages, but tells where to look",
    "Values": "each is a mean over at least ten rows, never one person's; the outermost tails are therefore not seen",
}


def _summary(part: pd.DataFrame) -> dict:
    """Return the largest distance from the normal line and where it is, and the smallest and largest spread."""
    quantiles = part[part["kind"] == "quantile"]
    distance = quantiles["y"] - quantiles["x"]
    furthest = distance.abs().idxmax() if len(distance) else None
    fitted = part[(part["kind"] == "fitted") & part["spread"].notna()]
    low, high = fitted["spread"].min(), fitted["spread"].max()
    return {
        "model": part["model"].iloc[0],
        "title": part["title"].iloc[0],
        "distance": np.nan if furthest is None else float(distance[furthest]),
        "where": numbers.MISSING if furthest is None else _where(float(quantiles.loc[furthest, "x"])),
        "spread_low": low,
        "spread_high": high,
        "ratio": high / low if len(fitted) > 1 and low > 0 else np.nan,
        "drift": fitted["y"].abs().max(),
    }


def _where(x: float) -> str:
    return "lower tail" if x < -1 else "upper tail" if x > 1 else "middle"


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Model": row["title"],
                "Furthest from normal (SD)": numbers.estimate(row["distance"], signed=True),
                "Where": row["where"],
                "Spread, smallest to largest (SD)": numbers.interval(row["spread_low"], row["spread_high"]),
                "Largest over smallest": numbers.estimate(row["ratio"], 1),
                "Largest mean residual (SD)": numbers.estimate(row["drift"]),
            }
            for row in data.to_dict("records")
        ]
    )


def _sentences(data: pd.DataFrame) -> list[str]:
    far, uneven = data[data["distance"].abs() >= FAR], data[data["ratio"] >= UNEVEN]
    n = len(data)
    said = []
    if far.empty:
        said.append(f"In {_all(n)} the residuals stay within {numbers.estimate(FAR, 1)} SD of a normal shape wherever that can be seen.")
    else:
        said.append(
            f"In {numbers.count_of(len(far), n)} models residuals lie "
            f"{numbers.estimate(FAR, 1)} SD or more from a normal shape: {_named(far)}."
        )
    if uneven.empty:
        said.append(f"In {_all(n)} the largest spread of residuals over the fitted values is less than twice the smallest.")
    else:
        said.append(f"In {numbers.count_of(len(uneven), n)} models the largest spread is at least twice the smallest: {_named(uneven)}.")
    return said


def _all(n: int) -> str:
    return f"all {numbers.count(n)} models" if n > 1 else "the model"


def _named(rows: pd.DataFrame) -> str:
    names = rows["title"].astype(str).tolist()
    rest = len(names) - NAMED
    return numbers.listed(names if rest < 1 else [*names[:NAMED], f"{numbers.count(rest)} more, which the table shows"])


def _figure(rows: pd.DataFrame, data: pd.DataFrame, context: Context):
    figure, (left, right) = style.new_figure(7.5, 4.4, 1, 2)
    named = _most_unusual(data)
    left.axline((0, 0), slope=1, color=style.MUTED, linewidth=1, zorder=1)
    right.axhline(1, color=style.MUTED, linewidth=1, zorder=1)
    for model in [m for m in data["model"] if m not in named] + named:
        part = rows[rows["model"] == model]
        look = _look(named.index(model) if model in named else None)
        quantiles, fitted = part[part["kind"] == "quantile"], part[part["kind"] == "fitted"]
        label = data.loc[data["model"] == model, "title"].iloc[0] if model in named else None
        left.plot(quantiles["x"], quantiles["y"], label=label, **look)
        share = (np.argsort(np.argsort(fitted["x"].to_numpy())) + 0.5) / max(1, len(fitted))
        right.plot(share, fitted["spread"], **look)
    left.set(title="Normal quantiles", xlabel="Expected of a normal shape (SD)", ylabel="Residual (SD)")
    right.set(
        title="Spread against the fitted value",
        xlabel="Rows in the order of the fitted value",
        ylabel="Spread of residuals (SD)",
        xlim=(0, 1),
    )
    right.xaxis.set_major_formatter(lambda value, _: numbers.percent(min(max(value, 0.0), 1.0)))
    right.set_ylim(bottom=0)
    for axis in (left, right):
        axis.grid(zorder=0)
    figure.legend(
        loc="outside lower left",
        ncols=2,
        title="Furthest from what is assumed" if len(data) > len(named) else None,
        alignment="left",
        title_fontsize=8.5,
    )
    style.finish(figure, context)
    return figure


def _most_unusual(data: pd.DataFrame) -> list[str]:
    """Return the models that are told apart: those furthest from the normal line or from an even spread."""
    score = np.fmax(data["distance"].abs() / FAR, np.log(data["ratio"]) / np.log(UNEVEN)).fillna(0)
    order = data.assign(_score=score).sort_values(["_score", "model"], ascending=[False, True], kind="stable")
    return order["model"].head(NAMED).tolist()


def _look(number: int | None) -> dict:
    if number is None:
        return {"color": style.RULE, "linewidth": 1, "zorder": 2}
    return {"color": style.PALETTE[number], "marker": style.MARKERS[number], "markersize": 3, "linewidth": 1.2, "zorder": 3}


def _alt(data: pd.DataFrame) -> str:
    distance, ratio = data["distance"].abs().max(), data["ratio"].max()
    return (
        f"Two plots of the residuals of {numbers.plural(len(data), 'model')}. Left, normal quantiles: the furthest value lies "
        f"{numbers.estimate(distance)} SD from the line. Right, spread against the fitted value: the largest ratio of two spreads in one "
        f"model is {numbers.estimate(ratio, 1)}. The table gives both for each model."
    )
