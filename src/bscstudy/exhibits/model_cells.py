"""Comparisons of small groups are withheld: the rows of model results that would say what a handful of people or two centers did."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context
from bscstudy.privacy import is_small

#: centers below which each could tell the other's place, so that a group of them is not shown unless centers may be named
FEWEST_CENTERS = 3


def few_centers(count: object, context: Context) -> bool:
    """Return True for 1 or 2 centers in a study that does not name centers."""
    return not context.show_centers and is_small(count, FEWEST_CENTERS)


def withheld(rows: pd.DataFrame, context: Context) -> pd.Series:
    """Return which rows compare a group of fewer people than the smallest cell, or of too few centers.

    Parameters
    ----------
    rows : DataFrame
        With `cell_n` and `cell_centers`, people and centers of the smallest group compared; missing where none is.
    """
    if rows.empty or "cell_n" not in rows:
        return pd.Series(False, index=rows.index)
    pairs = zip(rows["cell_n"], rows["cell_centers"], strict=True)
    return pd.Series(
        [
            (not numbers.is_missing(n) and is_small(n, context.min_cell)) or (not numbers.is_missing(c) and few_centers(c, context))
            for n, c in pairs
        ],
        index=rows.index,
    )


def shown(rows: pd.DataFrame, context: Context) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows that may be shown and, where one may not, the note that says so."""
    hidden = withheld(rows, context)
    return rows[~hidden].reset_index(drop=True), note(int(rows.loc[hidden, ["model", "kind", "term"]].drop_duplicates().shape[0]), context)


def note(n_withheld: int, context: Context) -> dict[str, str]:
    """Return the note on withheld comparisons, nothing where there is none."""
    if not n_withheld:
        return {}
    return {"Small cells": f"{numbers.plural(n_withheld, 'comparison')} withheld, which would show {group_words(context)}"}


def group_words(context: Context) -> str:
    """Return which groups are too small to be shown."""
    centers = "" if context.show_centers else f" or {FEWEST_CENTERS} centers"
    return f"a group of fewer than {context.min_cell} people{centers}"
