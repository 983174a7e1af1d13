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
        Rows that agree in these columns add up to a total that may be shown elsewhere. As many of the next smallest counts that
        are not 0 are replaced by ``hidden`` as it takes for the sum to be safe (`sum_is_safe`); where nothing makes it so, all
        counts of the sum that are not 0 are ``hidden``, and nobody learns which of them are small.

    Returns
    -------
    DataFrame
        A copy in which the columns hold int, text or None.

    Not for: two-way tables with both margins shown, which need a joint solution.
    """
    masked = frame.copy()
    groups = [frame.index] if not within else [group.index for _, group in frame.groupby(within, dropna=False, sort=True)]
    for column in columns:
        values = pd.to_numeric(frame[column], errors="coerce")
        shown = pd.Series([None if v != v else int(v) for v in values], index=frame.index, dtype=object)
        for rows in groups:
            counts = shown.loc[rows].dropna()
            for row, word in _masked_sum(counts[counts > 0].astype(int), min_cell).items():
                shown[row] = word
        masked[column] = shown
    return masked


def _masked_sum(counts: pd.Series, min_cell: int) -> dict:
    """Return index -> the word that stands for a count, of those counts (above 0) of one sum that may not be shown."""
    small = counts[counts < min_cell]
    if len(counts) == 1:  # the whole of its sum, which is masked too
        return dict.fromkeys(small.index, f"<{min_cell}")
    others = counts[counts >= min_cell].sort_values(kind="stable")
    enough = (n for n in range(len(others) + 1) if sum_is_safe([*small], [*others.iloc[:n]], min_cell))
    n_hidden = next(enough, None)
    if n_hidden is None:
        return dict.fromkeys(counts.index, COMPLEMENT)
    return {**dict.fromkeys(small.index, f"<{min_cell}"), **dict.fromkeys(others.index[:n_hidden], COMPLEMENT)}


def sum_is_safe(small: list[int], hidden: list[int], min_cell: int) -> bool:
    """Return whether the masked parts of a sum can each be any small count, for a reader who knows their sum and the rule.

    Parameters
    ----------
    small : list of int
        Counts from 1 to `min_cell` - 1, masked as small.
    hidden : list of int
        Counts of at least `min_cell` that are hidden with them.
    min_cell : int
        Smallest count shown.

    Returns
    -------
    bool
        True if no value from 1 to `min_cell` - 1 can be excluded for any of the small ones.

    Checked against
    ---------------
    Going through all counts that make up the sum (tests/unit/test_privacy.py).
    """
    if not small:
        return True
    rest, others = sum(small) + sum(hidden), len(small) - 1
    least = others + len(hidden) * min_cell
    most = np.inf if hidden else others * (min_cell - 1)
    return rest - (min_cell - 1) >= least and rest - 1 <= most


def possible_counts(target: str, shown: dict[str, tuple[int, int]], made_of: dict[str, set[str]]) -> tuple[int, int | None]:
    """Return the smallest and the largest value a count can have, given what is shown of other sums of the same finest groups.

    Parameters
    ----------
    target : str
        Name of the count that is asked for.
    shown : dict of str to (int, int)
        Counts a reader knows, as the smallest and the largest value they may have (equal for a number shown).
    made_of : dict of str to set of str
        The finest groups each count adds up; groups may be in several counts.

    Returns
    -------
    tuple
        Bounds; the upper one is None where there is none.

    Source
    ------
    Protection intervals audited by integer programming: Fischetti and Salazar (2001), sections 1 and 2.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    names, groups = sorted(shown), sorted(set().union(*made_of.values()))
    matrix = np.array([[group in made_of[name] for group in groups] for name in names], dtype=float)
    low, high = np.array([shown[name] for name in names], dtype=float).T
    rules = {"constraints": LinearConstraint(matrix, low, high), "bounds": Bounds(0), "integrality": np.ones(len(groups))}
    row = np.array([group in made_of[target] for group in groups], dtype=float)
    least, most = milp(row, **rules), milp(-row, **rules)
    if least.fun is None:
        raise ValueError("no counts fit what is shown")
    return round(least.fun), None if most.fun is None else round(-most.fun)


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
