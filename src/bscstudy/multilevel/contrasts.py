"""Linear functions of the fixed effects that compare marginal means, and their intervals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.hypotheses import ContrastTests

KINDS = ("pairwise", "treatment", "consecutive")


@dataclass(frozen=True)
class ContrastSet:
    """Comparisons of r means.

    Attributes
    ----------
    labels : tuple of str, length c
    weights : ndarray, shape (c, r)
        What each mean counts in each comparison.
    """

    labels: tuple[str, ...]
    weights: np.ndarray


def contrast_set(labels: Sequence[str], kind: str | Mapping[str, Sequence[float]] = "pairwise") -> ContrastSet:
    """Return comparisons of means with these labels.

    Parameters
    ----------
    labels : sequence of str, length r
        Of the means, in their order.
    kind : str or mapping
        ``pairwise``: each mean minus each later one; ``treatment``: each later mean minus the first; ``consecutive``: each mean minus
        the one before it; a mapping gives the r weights of each named comparison.

    Raises
    ------
    BscError
        BSC-LMM-088 for an unknown kind, weights of another number than there are means, or nothing to compare.

    Notes
    -----
    The directions are those of R's emmeans (pairwise, trt.vs.ctrl, consec).
    """
    count = len(labels)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise _refusal(
                f"There is no kind of contrast '{kind}'.", f"Use one of {', '.join(KINDS)}, or weights. {nearest(kind, list(KINDS))}"
            )
        pairs = {
            "pairwise": list(itertools.combinations(range(count), 2)),
            "treatment": [(i, 0) for i in range(1, count)],
            "consecutive": [(i + 1, i) for i in range(count - 1)],
        }[kind]
        if not pairs:
            raise _refusal("There is only one mean, so there is nothing to compare.", "Name a variable with several values in `over`.")
        weights = np.zeros((len(pairs), count))
        for row, (plus, minus) in enumerate(pairs):
            weights[row, plus], weights[row, minus] = 1.0, -1.0
        return ContrastSet(tuple(f"{labels[a]} - {labels[b]}" for a, b in pairs), weights)
    wrong = [name for name, values in kind.items() if len(values) != count or not np.all(np.isfinite(np.asarray(values, float)))]
    if wrong or not kind:
        named = f"contrast '{wrong[0]}'" if wrong else "the contrasts"
        raise _refusal(f"The weights of {named} do not fit {count} means.", f"Give {count} numbers, for: {', '.join(labels)}.")
    return ContrastSet(tuple(kind), np.array([list(values) for values in kind.values()], dtype=float))


def _refusal(what: str, todo: str) -> BscError:
    return BscError("BSC-LMM-088", what, "contrasts", "A comparison has to say which means it compares.", todo.rstrip())


def interval_limits(tests: ContrastTests, level: float = 0.95) -> np.ndarray:
    """Return the t interval of each estimate, shape (m, 2); an infinite df means the normal distribution, none a missing interval.

    Raises
    ------
    BscError
        BSC-LMM-083 for a level outside 0 to 1.
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise level_refusal(level)
    upper = (1 + level) / 2
    usable = np.isfinite(tests.df) & (tests.df > 0)
    reach = np.where(np.isinf(tests.df), ndtri(upper), np.where(usable, stdtrit(np.where(usable, tests.df, 1.0), upper), np.nan))
    return np.column_stack([tests.estimate - reach * tests.std_error, tests.estimate + reach * tests.std_error])


def level_refusal(level: float) -> BscError:
    """Return the refusal of a level of confidence outside 0 to 1."""
    return BscError(
        "BSC-LMM-083",
        f"{level} is not a level of confidence.",
        "level",
        "The limits of an interval depend on it.",
        "Give a number between 0 and 1, such as 0.95.",
    )
