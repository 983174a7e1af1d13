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


def with_complement(hidden: pd.Series, counts: tuple[pd.Series, ...], within: pd.DataFrame, min_cell: int) -> pd.Series:
    """Return which rows are hidden for themselves, or because what is hidden could be had from a printed total.

    Parameters
    ----------
    hidden : Series of bool
        Rows that may not be shown.
    counts : tuple of Series
        Counts of people shown of a row; of rows with people by the first of them, the smallest are hidden next.
    within : DataFrame
        Rows that agree in all its columns add up to a printed total: of each set none or at least two rows are hidden, so many
        that none of their sums is small. What the shown rows leave of the total is then no small group either.
    min_cell : int
        Smallest count shown.
    """
    both = hidden.copy()
    for _, rows in counts[0].groupby([within[name] for name in within], sort=True, dropna=False):
        spare = rows[~hidden.loc[rows.index] & (rows > 0)].sort_values(kind="stable").index.tolist()
        away = hidden.loc[rows.index][hidden.loc[rows.index]].index.tolist()
        while away and spare and (len(away) == 1 or any(is_small(count.loc[away].sum(), min_cell) for count in counts)):
            away.append(spare.pop(0))
        both.loc[away] = True
    return both


def any_small(counts: tuple[pd.Series, ...], min_cell: int) -> pd.Series:
    """Return the rows in which at least one of the counts is small."""
    return pd.concat([count.map(lambda n: is_small(n, min_cell)) for count in counts], axis=1).any(axis=1)


def few(n: int, min_cell: int) -> str | int:
    """Return one count of people, masked if it is small."""
    return f"<{min_cell}" if is_small(n, min_cell) else int(n)


def note(min_cell: int) -> str:
    """Return the note that goes below a masked table."""
    return f"counts of people below {min_cell} are shown as <{min_cell}; 'hidden' marks counts that would give a small one away"
