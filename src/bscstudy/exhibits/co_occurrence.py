"""Themes that come up in the same sessions: a heat map of all pairs, and the pairs that go together most as a table."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import heat_maps, masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order
from bscstudy.exhibits.labels import words
from bscstudy.exhibits.theme_words import UNITS

TABLES = ("qual/co_occurrence",)
FIGURE = True
COUNTS = ("n_asked", "n_1", "n_2", "n_both")
#: pairs in the table unless the option `pairs` says otherwise
PAIRS = 15


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the pairs of themes with the largest share of sessions that raised both among those that raised either."""
    data = tables.get("qual/co_occurrence")
    if data is None or data.empty:
        return empty_exhibit("There are no two themes that were asked about in the same session.")
    data = _withheld(data, context)
    known = data.dropna(subset=["share"]).sort_values(["share", "theme_1", "theme_2"], ascending=[False, True, True], kind="stable")
    pairs = known.head(int(context.options.get("pairs", PAIRS)))
    if pairs.empty:
        return empty_exhibit("Too few sessions raised two themes together to show them.")
    labels = context.labels("themes", "theme")
    return Exhibit(
        table=_table(pairs, labels),
        caption=f"The {numbers.plural(len(pairs), 'pair')} of themes that most often come up in the same session",
        notes=_notes(data, len(known) - len(pairs), context),
        sentences=_sentences(pairs, labels),
        figure=_figure(data, labels, context),
        alt=f"Heat map of {numbers.plural(len(data), 'pair')} of themes; darker: a larger share of the sessions that raised either theme "
        f"raised both. {numbers.plural(int(data['share'].isna().sum()), 'pair')} hatched: too few to show.",
        data=data[["theme_1", "theme_2", "n_asked", "n_both", "share", "low", "high"]].reset_index(drop=True),
    )


def _withheld(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Take the numbers from pairs of which a count is small, or which come up together in one center only."""
    hidden = masking.any_small(tuple(data[name] for name in COUNTS), context.min_cell) | (data["n_centers"] == 1)
    shown = ["share", "low", "high", *COUNTS]
    return data.assign(**{name: data[name].astype(float).where(~hidden) for name in shown}, hidden=hidden)


def _table(pairs: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    rows = [
        {
            "Themes": f"{labels.get(row['theme_1'], words(row['theme_1']))} + {labels.get(row['theme_2'], words(row['theme_2']))}",
            "Raised both": numbers.count(row["n_both"]),
            "Raised either": numbers.count(row["n_1"] + row["n_2"] - row["n_both"]),
            "Asked about both": numbers.count(row["n_asked"]),
            "Both of either (95% interval)": f"{numbers.percent(row['share'])} "
            f"({numbers.percent(row['low'])} to {numbers.percent(row['high'])})",
        }
        for row in pairs.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame, n_more: int, context: Context) -> dict[str, str]:
    return {
        "Estimator": "c = both / (first + second − both), in sessions asked about both themes; 95% Jeffreys intervals, which take sessions "
        "as independent",
        "n": f"{UNITS} as shown, each counted once",
        "Exclusions": "sessions not coded, or not asked about one of the two themes",
        "Pairs": f"{numbers.plural(n_more, 'further pair')} in the figure only" if n_more else "",
        "Reading": "themes that are raised widely come up together by that alone; the order of pairs is no test",
        "Small cells": f"{numbers.plural(int(data['hidden'].sum()), 'pair')} not shown: a count from 1 to {context.min_cell - 1}, or "
        "raised "
        "together in one center only",
    }


def _sentences(pairs: pd.DataFrame, labels: dict[str, str]) -> tuple[str, ...]:
    row = pairs.iloc[0]
    first, second = (labels.get(row[name], words(row[name])) for name in ("theme_1", "theme_2"))
    return (
        f"{first} and {second} came up together most often: in {numbers.count_of(row['n_both'], row['n_1'] + row['n_2'] - row['n_both'])} "
        "of the sessions that raised either.",
    )


def _figure(data: pd.DataFrame, labels: dict[str, str], context: Context):
    import numpy as np
    import seaborn

    themes = in_order(pd.concat([data["theme_1"], data["theme_2"]]), list(labels))
    place = {theme: number for number, theme in enumerate(themes)}
    values = pd.DataFrame(np.nan, index=themes[1:], columns=themes[:-1])
    for row in data.to_dict("records"):
        first, second = sorted((row["theme_1"], row["theme_2"]), key=place.get)
        values.loc[second, first] = row["share"]
    names = [labels.get(theme, words(theme)) for theme in themes]
    figure, axis = style.new_figure(7.5, 1.9 + 0.34 * len(themes))
    upper = np.triu(np.ones(values.shape, bool), k=1)
    bar = {"label": "Raised both, of sessions that raised either", "format": lambda v, _: numbers.percent(v)}
    texts = values.map(lambda v: "" if pd.isna(v) else numbers.percent(v)).to_numpy() if len(themes) <= 15 else False
    seaborn.heatmap(
        values, ax=axis, mask=upper, cmap="Blues", vmin=0, vmax=1, annot=texts, fmt="", annot_kws={"fontsize": 7}, cbar_kws=bar,
        xticklabels=names[:-1], yticklabels=names[1:], **heat_maps.CELLS,
    )  # fmt: skip
    heat_maps.hatch_missing(axis, values.where(~upper, 0.0), "too few to show")
    axis.tick_params(axis="both", length=0)
    axis.set_xticks(axis.get_xticks(), axis.get_xticklabels(), rotation=40, ha="right")
    axis.set(xlabel="", ylabel="")
    style.finish(figure, context)
    return figure
