"""What may be shown: small cells masked, and letters in place of the centers' ids."""

from __future__ import annotations

import hashlib
import string

import numpy as np
import pandas as pd

COMPLEMENT = "hidden"


def mask_counts(frame: pd.DataFrame, columns: list[str], min_cell: int, within: list[str] | None = None) -> pd.DataFrame:
    """Replace counts from 1 to `min_cell` - 1 by ``<min_cell``, and protect them from being found by subtraction.

    Parameters
    ----------
    frame : DataFrame
        One row for each group; the columns hold whole counts of people (missing stays missing, 0 is shown).
    columns : list of str
        Columns of counts; each is treated by itself.
    min_cell : int
        Smallest count shown.
    within : list of str, optional
        Rows that agree in these columns add up to a total that may be shown elsewhere. Where exactly one of them is masked, the
        next smallest count that is not 0 is replaced by ``hidden`` (complementary suppression in one direction).

    Returns
    -------
    DataFrame
        A copy in which the columns hold int, text or None.

    Not for: two-way tables with both margins shown; those need a joint solution (`protect_sums`).
    """
    masked = frame.copy()
    groups = [frame.index] if not within else [group.index for _, group in frame.groupby(within, dropna=False, sort=True)]
    for column in columns:
        values = pd.to_numeric(frame[column], errors="coerce")
        shown = pd.Series([None if v != v else int(v) for v in values], index=frame.index, dtype=object)
        small = (values > 0) & (values < min_cell)
        shown[small] = f"<{min_cell}"
        for rows in groups:
            rest = values.loc[rows][~small.loc[rows] & (values.loc[rows] > 0)]
            if small.loc[rows].sum() == 1 and len(rest):
                shown[rest.sort_values(kind="stable").index[0]] = COMPLEMENT
        masked[column] = shown
    return masked


def protect_sums(
    counts: dict[str, int], made_of: dict[str, set[str]], min_cell: int, shown_elsewhere: set[str], at_least: dict[str, int] | None = None
) -> dict[str, int | str] | None:
    """Mask the small ones of counts that are sums of the same finest groups, so that nothing more can be found from the others.

    Parameters
    ----------
    counts : dict of str to int
        Whole counts of people by name.
    made_of : dict of str to set of str
        The finest groups each count adds up; groups may be in several counts.
    min_cell : int
        Smallest count shown.
    shown_elsewhere : set of str
        Counts that a reader knows from another place and that therefore protect nothing by being hidden.
    at_least : dict of str to int, optional
        What a reader knows a count to be at least, from parts that are shown.

    Returns
    -------
    dict or None
        Counts from 1 to `min_cell` - 1 become ``<min_cell``, as few others as this greedy search finds ``hidden``; whoever knows the
        rule, the groups and all shown counts can exclude no value from 1 to `min_cell` - 1 for any masked one. None if hiding
        everything that may be hidden does not achieve this.

    Source
    ------
    Cell suppression with full protection intervals, audited by integer programming: Fischetti and Salazar (2001), sections 1 and 2.
    """
    small = {name for name, n in counts.items() if is_small(n, min_cell)}
    spare = sorted((n, name) for name, n in counts.items() if n >= min_cell and name not in shown_elsewhere)
    hidden: list[str] = []
    while not _protected(counts, made_of, min_cell, small, set(hidden), at_least or {}):
        if len(hidden) == len(spare):
            return None
        hidden.append(spare[len(hidden)][1])
    for name in list(reversed(hidden)):
        fewer = [other for other in hidden if other != name]
        hidden = fewer if _protected(counts, made_of, min_cell, small, set(fewer), at_least or {}) else hidden
    words = {**dict.fromkeys(small, f"<{min_cell}"), **dict.fromkeys(hidden, COMPLEMENT)}
    return {name: words.get(name, n) for name, n in counts.items()}


def _protected(counts: dict, made_of: dict, min_cell: int, small: set[str], hidden: set[str], at_least: dict) -> bool:
    """Return whether every masked count could be anything from 1 to the smallest cell less 1, whatever it is."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    if not small:
        return True
    names, groups = sorted(counts), sorted(set().union(*made_of.values()))
    matrix = np.array([[group in made_of[name] for group in groups] for name in names], dtype=float)
    low = [1 if n in small else max(min_cell, at_least.get(n, 0)) if n in hidden else counts[n] for n in names]
    high = [min_cell - 1 if n in small else np.inf if n in hidden else counts[n] for n in names]
    rules = {"constraints": LinearConstraint(matrix, low, high), "bounds": Bounds(0), "integrality": np.ones(len(groups))}
    for name in sorted(small):
        row = matrix[names.index(name)]
        ends = [sign * milp(sign * row, **rules).fun for sign in (1, -1)]
        if round(ends[0]) > 1 or round(ends[1]) < min_cell - 1:
            return False
    return True


def is_small(count: object, min_cell: int) -> bool:
    """Return True for a count of people from 1 to `min_cell` - 1; 0 and missing are not small."""
    return count is not None and count == count and 0 < float(count) < min_cell


def display_codes(center_ids: list[str], seed: int) -> dict[str, str]:
    """Return center id -> public letter code (A, B, ... Z, AA, ...), drawn anew from the study's seed.

    The order of the letters tells nothing of the order of the ids; the same ids and seed give the same letters in any order
    of input. Ids are sorted before drawing, so a center added later changes the letters of all.
    """
    ids = sorted({str(name) for name in center_ids})
    own = int.from_bytes(hashlib.sha256(f"{seed}|display_codes".encode()).digest()[:8], "big")
    order = np.random.default_rng(own).permutation(len(ids))
    return {name: _letters(int(place)) for name, place in zip(ids, order, strict=True)}


def _letters(place: int) -> str:
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = string.ascii_uppercase[rest] + text
    return text
