"""Linear functions of the fixed effects that compare marginal means, and their intervals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import check_level
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
        BSC-LMM-088 for an unknown kind, 116 for weights that do not fit the means, 117 for one mean only.

    Notes
    -----
    The directions are those of R's emmeans (pairwise, trt.vs.ctrl, consec).
    """
    count = len(labels)
    if isinstance(kind, Mapping):
        return _weighted(labels, kind)
    if not isinstance(kind, str) or kind not in KINDS:
        todo = f"Use one of {', '.join(KINDS)}, or a mapping of names to weights. {nearest(str(kind), list(KINDS))}"
        named = f"'{kind}'" if isinstance(kind, str) else f"given by a {type(kind).__name__}"
        raise _refusal("BSC-LMM-088", f"There is no kind of contrast {named}.", todo)
    pairs = {
        "pairwise": list(itertools.combinations(range(count), 2)),
        "treatment": [(i, 0) for i in range(1, count)],
        "consecutive": [(i + 1, i) for i in range(count - 1)],
    }[kind]
    if not pairs:
        todo = "Name a variable with several values in `over`."
        raise _refusal("BSC-LMM-117", "There is only one mean, so there is nothing to compare.", todo)
    weights = np.zeros((len(pairs), count))
    for row, (plus, minus) in enumerate(pairs):
        weights[row, plus], weights[row, minus] = 1.0, -1.0
    return ContrastSet(tuple(f"{labels[a]} - {labels[b]}" for a, b in pairs), weights)


def _weighted(labels: Sequence[str], kind: Mapping[str, Sequence[float]]) -> ContrastSet:
    count = len(labels)
    rows = {str(name): _numbers(values) for name, values in kind.items()}
    wrong = [name for name, values in rows.items() if values.shape != (count,) or not np.all(np.isfinite(values))]
    if wrong or not rows:
        named = f"contrast '{wrong[0]}'" if wrong else "the contrasts"
        todo = f"Give {count} numbers, for: {', '.join(labels)}."
        raise _refusal("BSC-LMM-116", f"The weights of {named} do not fit {count} mean{'' if count == 1 else 's'}.", todo)
    return ContrastSet(tuple(rows), np.array(list(rows.values())))


def _numbers(values: object) -> np.ndarray:
    """Return weights as numbers; an empty array where they are none."""
    try:
        return np.asarray(values, dtype=float)
    except (OverflowError, TypeError, ValueError):
        return np.zeros(0)


def _refusal(code: str, what: str, todo: str) -> BscError:
    return BscError(code, what, "contrasts", "A comparison has to say which means it compares.", todo.rstrip())


def interval_limits(tests: ContrastTests, level: float = 0.95) -> np.ndarray:
    """Return the t interval of each estimate, shape (m, 2); an infinite df means the normal distribution, none a missing interval.

    Raises
    ------
    BscError
        BSC-LMM-083 for a level outside 0 to 1.
    """
    from scipy.special import ndtri, stdtrit

    check_level(level)
    upper = (1 + level) / 2
    usable = np.isfinite(tests.df) & (tests.df > 0)
    reach = np.where(np.isinf(tests.df), ndtri(upper), np.where(usable, stdtrit(np.where(usable, tests.df, 1.0), upper), np.nan))
    return np.column_stack([tests.estimate - reach * tests.std_error, tests.estimate + reach * tests.std_error])
