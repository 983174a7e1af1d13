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
    """Return the error for columns that are neither numbers nor text."""
    return BscError(
        "BSC-LMM-015",
        "A column holds neither numbers nor text, but dates or the like.",
        tuple(places),
        "There is no single way to make numbers of it.",
        "Turn dates into numbers, such as days since a start.",
    )


def named_twice(places: Sequence[str]) -> BscError:
    """Return the error for columns whose name stands twice in the data."""
    return BscError(
        "BSC-LMM-127",
        "Two columns of the data have the name of a variable of the model.",
        tuple(places),
        "Which of them is meant cannot be told.",
        "Rename or drop one of them.",
    )


def no_numbers(place: str) -> BscError:
    """Return the error for weights or an offset that are not numeric."""
    return BscError(
        "BSC-LMM-008",
        "Weights or offset are not numeric.",
        place,
        "Weights divide the residual variance and an offset is added to the prediction; words and dates do neither.",
        "Give a numeric column or an array of numbers.",
    )


def not_one_a_row(place: str) -> BscError:
    """Return the error for weights or an offset that are not one a row of the data."""
    return BscError(
        "BSC-LMM-125",
        "Weights or offset are not one number for each row of the data.",
        place,
        "They would be given to other rows than those they belong to.",
        "Give an array as long as the data, a Series with the same index, or the name of a column.",
    )


def not_positive(place: str) -> BscError:
    """Return the error for weights that are 0, negative or infinite."""
    return BscError(
        "BSC-LMM-126",
        "Weights are not positive and finite.",
        place,
        "Weights divide the residual variance, which would be infinite or negative.",
        "Correct them; leave rows out by leaving them out of the data, not by a weight of 0.",
    )
