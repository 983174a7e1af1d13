"""What a user passes to a function: the right kind of thing, or a refusal that names the argument."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from bscstudy.errors import BscError

MOST_DRAWS = 1_000_000_000


def check_table(data: object, where: str = "data") -> None:
    """Refuse data that are no DataFrame (BSC-LMM-119)."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise BscError(
            "BSC-LMM-119",
            f"The data are {_kind(data)}, not a table.",
            where,
            "Variables are found by the names of a table's columns.",
            "Give a pandas DataFrame with one row for each observation, such as pandas.DataFrame(data).",
        )


def check_flag(value: object, name: str) -> None:
    """Refuse anything but True and False (BSC-LMM-120); ``name`` is the argument's."""
    if not isinstance(value, (bool, np.bool_)):
        raise BscError(
            "BSC-LMM-120",
            f"The argument '{name}' is {_shown(value)}, which is neither True nor False.",
            name,
            "Words such as 'no' count as true in Python, so that the opposite of what was meant would be done.",
            "Write True or False, without quotation marks.",
        )


def check_level(level: object) -> None:
    """Refuse a level of confidence outside 0 to 1 (BSC-LMM-083)."""
    if not _is_number(level) or not 0 < level < 1:
        raise BscError(
            "BSC-LMM-083",
            f"The level of confidence is {_shown(level)}, not a number between 0 and 1.",
            "level",
            "The limits of an interval depend on it.",
            "Give a number between 0 and 1, such as 0.95.",
        )


def check_draws(count: object, name: str) -> None:
    """Refuse a number of draws or replicates that is not whole, below 1 or beyond a thousand million (BSC-LMM-048)."""
    if not _is_whole(count) or not 1 <= count <= MOST_DRAWS:
        raise BscError(
            "BSC-LMM-048",
            f"The argument '{name}' is {_shown(count)}, not a whole number from 1 to {MOST_DRAWS}.",
            name,
            "It says how many random data sets or patterns the p-value or the interval rests on.",
            "Give a whole number, such as 1000, or leave it out.",
        )


def check_seed(seed: object) -> None:
    """Refuse a seed that is not a whole number of 0 or more (BSC-LMM-111); None passes."""
    if seed is not None and (not _is_whole(seed) or seed < 0):
        raise BscError(
            "BSC-LMM-111",
            f"The seed is {_shown(seed)}, not a whole number of 0 or more.",
            "seed",
            "The seed decides which random numbers are drawn, so that they can be drawn again.",
            "Give a whole number, such as seed=1, and keep it.",
        )


def no_seed(count: int, what: str) -> BscError:
    """Return the refusal of a test whose patterns must be drawn, without a seed (BSC-LMM-047)."""
    return BscError(
        "BSC-LMM-047",
        f"The patterns of {count} {what} are too many to enumerate, and there is no seed to draw them.",
        "seed",
        "A random test must give the same p when it is run again.",
        "Give a whole number as seed, and keep it.",
    )


def check_names(names: object, where: str) -> tuple[str, ...]:
    """Return the names given as one text or several, each once; refuse anything else (BSC-LMM-121)."""
    given = (names,) if isinstance(names, str) else names
    try:
        found = None if isinstance(given, Mapping) else tuple(given)
    except TypeError:
        found = None
    if found is None or not all(isinstance(name, str) for name in found):
        raise BscError(
            "BSC-LMM-121",
            f"The argument '{where}' is {_shown(names)}, not the name of a variable or a list of names.",
            where,
            "Variables are found by their names.",
            "Write the name in quotation marks, or several in a list, such as ['wave', 'arm'].",
        )
    return tuple(dict.fromkeys(found))


def check_places(at: object) -> dict:
    """Return the values at which variables are held; refuse anything but a mapping of names to values (BSC-LMM-122)."""
    found = {} if at is None else dict(at) if isinstance(at, Mapping) else None
    if found is None or any(hasattr(values, "__len__") and len(values) == 0 for values in found.values()):
        raise BscError(
            "BSC-LMM-122",
            "The argument 'at' does not give each variable named one or several values.",
            "at",
            "A mean is taken at one value of every variable.",
            "Write for example at={'wave': 'T1'} or at={'month': [0, 12]}.",
        )
    return found


def check_number(value: object, name: str) -> None:
    """Refuse anything but one finite number (BSC-LMM-123); ``name`` is the argument's."""
    if not _is_number(value) or not abs(value) <= sys.float_info.max:
        raise BscError(
            "BSC-LMM-123",
            f"The argument '{name}' is {_shown(value)}, not one finite number.",
            name,
            "It is added to every mean.",
            "Give one number, or leave it out.",
        )


def one_of(value: object, known: tuple[str, ...] | Mapping) -> bool:
    """Tell whether a value is one of the words known; anything but a text is none."""
    return isinstance(value, str) and value in known


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) or value is None else str(value) if isinstance(value, Real) else _kind(value)


def _kind(value: object) -> str:
    """Return such as ``a dict``; values themselves are not shown."""
    name = type(value).__name__
    return "missing" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
