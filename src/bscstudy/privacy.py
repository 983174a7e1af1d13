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

    Not for: two-way tables with both margins shown; those need a joint solution.
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
