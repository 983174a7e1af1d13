"""Small counts of people hidden in the exhibits' breakdowns."""

from __future__ import annotations

import pandas as pd

from bscstudy.privacy import is_small, mask_counts


def masked(frame: pd.DataFrame, columns: list[str], within: list[str], min_cell: int, total: pd.Series | None = None) -> pd.DataFrame:
    """Return the count columns with the small counts of the parts masked (see `bscstudy.privacy.mask_counts`).

    Parameters
    ----------
    frame : DataFrame
        One row for each group; counts are whole numbers or missing.
    within : list of str
        Columns whose equal values form a set of groups that add up to a printed total.
    total : Series of bool, optional
        Rows that are such totals: small ones are masked too, but they are no part of a sum.
    """
    is_total = pd.Series(False, index=frame.index) if total is None else total.astype(bool)
    parts = mask_counts(frame[~is_total], columns, min_cell, within or None)
    alone = frame[is_total].assign(_row=range(int(is_total.sum())))
    whole = mask_counts(alone, columns, min_cell, ["_row"]) if len(alone) else alone
    return pd.concat([parts[columns], whole[columns]]).astype(object).loc[frame.index]


def with_complement(hidden: pd.Series, sizes: pd.Series, within: pd.DataFrame) -> pd.Series:
    """Return which rows are hidden for themselves, or because one hidden row alone could be had from a printed total.

    Parameters
    ----------
    hidden : Series of bool
        Rows that may not be shown.
    sizes : Series
        People in each row; among equal sets of rows the next smallest row is hidden too.
    within : DataFrame
        Rows that agree in all its columns add up to a printed total.
    """
    both = hidden.copy()
    for _, rows in sizes.groupby([within[name] for name in within], sort=True, dropna=False):
        shown = rows[~hidden.loc[rows.index] & (rows > 0)]
        if hidden.loc[rows.index].sum() == 1 and len(shown):
            both.loc[shown.sort_values(kind="stable").index[0]] = True
    return both


def few(n: int, min_cell: int) -> str | int:
    """Return one count of people, masked if it is small."""
    return f"<{min_cell}" if is_small(n, min_cell) else int(n)


def note(min_cell: int) -> str:
    """Return the note that goes below a masked table."""
    return f"counts of people below {min_cell} are shown as <{min_cell}; 'hidden' marks a further count that would give a small one away"
