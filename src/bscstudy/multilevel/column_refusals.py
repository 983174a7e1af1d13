"""Columns that a formula asks for and the data do not have, or not in a form that numbers can be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.variables import level_label, rows_text


def unknown_columns(found: Mapping[str, str], known: Sequence[str]) -> BscError:
    """Return the error for names the data do not have; ``found`` leads from a name to where it is used."""
    return BscError(
        "BSC-LMM-002",
        f"The data have no column {', '.join(repr(name) for name in found)}.",
        tuple(f"{place}: {name}. {nearest(name, list(known))}".rstrip() for name, place in found.items()),
        "Without it the model would be another one.",
        "Correct the spelling, or add the column to the data.",
    )


def not_evaluated(text: str, whole: str) -> BscError:
    """Return the error for an expression that cannot be worked out; the library's own text may hold values and is not passed on."""
    return BscError(
        "BSC-LMM-017",
        "A part of the formula cannot be worked out with these data.",
        f"'{text}' in {whole}",
        "Its columns would be made up.",
        "Check the function's arguments and the columns it uses; powers are written ** within I(...).",
    )


def refuse_not_finite(columns: Mapping[str, np.ndarray]) -> None:
    """Refuse infinite or undefined values (BSC-LMM-006); missing ones have been left out before."""
    places = []
    for name, values in columns.items():
        bad = len(values) - np.count_nonzero(np.isfinite(values))
        if bad:
            places.append(f"{name}: {rows_text(bad)}")
    if places:
        raise BscError(
            "BSC-LMM-006",
            "Values are infinite, or undefined after a transformation.",
            tuple(places),
            "One such value makes every estimate undefined.",
            "Correct them, or set them to missing; log(0) needs another transformation.",
        )


def one_level(found: Mapping[str, Sequence]) -> BscError:
    """Return the error for categorical variables with one level; ``found`` leads from a variable to its levels."""
    return BscError(
        "BSC-LMM-016",
        "A categorical variable has only one level in the rows of the model.",
        tuple(f"{name}: {', '.join(level_label(level) for level in levels) or 'no level'}" for name, levels in found.items()),
        "It has nothing to be compared with; its columns would silently disappear.",
        "Leave it out of the formula, or check which rows were lost to missing values.",
    )


def unusable(places: Sequence[str]) -> BscError:
    """Return the error for columns that are neither numbers nor text, or whose name stands twice."""
    return BscError(
        "BSC-LMM-015",
        "A column cannot be used: it holds dates or the like, or its name stands twice in the data.",
        tuple(places),
        "There is no single way to make numbers of it.",
        "Turn dates into numbers (days since a start), or rename one of the columns.",
    )


def bad_weights(place: str) -> BscError:
    """Return the error for weights or an offset that cannot be used."""
    return BscError(
        "BSC-LMM-008",
        "Weights or offset cannot be used.",
        place,
        "Weights divide the residual variance, so they must be positive; both need one number for each row of the data.",
        "Give a numeric column or an array as long as the data; leave rows out by leaving them out of the data.",
    )
