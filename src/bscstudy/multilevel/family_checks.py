"""Does a response suit its family, and where its extra parameters start."""

from __future__ import annotations

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.column_refusals import refuse_not_finite
from bscstudy.multilevel.families import Family
from bscstudy.multilevel.variables import rows_text

COUNT_FAMILIES = ("poisson", "negative_binomial")
_LEAST_CATEGORIES = 3
_STARTING_LOG = 1.0


def check_response(
    family: Family, response: np.ndarray, trials: np.ndarray | None = None, *, name: str = "response", rows: np.ndarray | None = None
) -> None:
    """Refuse a response that the family's likelihood cannot be worked out for.

    What a formula's left side gives has been through ``check_values`` before; here it is for designs made in another way, and for
    those that have lost rows since (a group left out).

    Parameters
    ----------
    family : Family
        As from ``family_named``.
    response, trials : ndarray, shape (n,)
        Without missing values.
    name : str
        Column of the response, for the message.
    rows : ndarray of int, shape (n,), optional
        Position of each row in the data as given.

    Raises
    ------
    BscError
        As ``check_values``; BSC-LMM-074 fewer than three ordered categories or one that nobody chose.
    """
    if family.name == "gaussian":
        return
    check_values(response, trials, family.name, name, rows=rows)
    if family.is_ordinal:
        _check_categories(response, name)


def check_values(
    values: np.ndarray,
    trials: np.ndarray | None,
    family: str,
    name: str,
    *,
    categories: tuple[str, ...] | None = None,
    rows: np.ndarray | None = None,
) -> None:
    """Refuse values that an outcome of the family cannot have, and an outcome that never varies.

    Parameters
    ----------
    values, trials : ndarray, shape (n,)
        Without missing values.
    family, name : str
        Of the outcome.
    categories : tuple of str, optional
        Of an ordered outcome.
    rows : ndarray of int, shape (n,), optional
        Position of each row in the data as given, for the message.

    Raises
    ------
    BscError
        BSC-LMM-005 values that the family cannot have, 006 infinite values, 019 where all values are the same.
    """
    refuse_not_finite({name: values} if trials is None else {name: values, f"{name}, trials": trials})
    findings = []
    if family in ("binomial", "beta_binomial") and trials is None:
        findings = [("neither 0 nor 1", (values != 0) & (values != 1))]
    elif family in COUNT_FAMILIES:
        findings = [("negative", values < 0), ("not a whole number", values != np.floor(values))]
    elif trials is not None:
        findings = [
            ("negative", (values < 0) | (trials < 0)),
            ("not a whole number", (values != np.floor(values)) | (trials != np.floor(trials))),
            ("more successes than trials", values > trials),
            ("no trial at all", trials == 0),
        ]
    places = tuple(f"{name}: {what} in {_rows(wrong, rows)}" for what, wrong in findings if wrong.any())
    if places:
        raise _impossible(family, places)
    _refuse_constant(values if trials is None else values / trials, name, categories)


def _rows(wrong: np.ndarray, rows: np.ndarray | None) -> str:
    """How many rows are wrong, and the first few of them (counted from 1); never their values."""
    count = int(np.count_nonzero(wrong))
    if rows is None or len(rows) != len(wrong):
        return rows_text(count)
    shown = ", ".join(str(position + 1) for position in np.sort(rows[wrong])[:5])
    return f"{rows_text(count)} (data row{'' if count == 1 else 's'} {shown}{', ...' if count > 5 else ''})"


def _impossible(family: str, places: tuple[str, ...]) -> BscError:
    return BscError(
        "BSC-LMM-005",
        f"The outcome has values that a {family} outcome cannot have.",
        places,
        "The likelihood of such a value does not exist.",
        "Correct the values, leave these rows out, or choose the family that fits the outcome.",
    )


def _refuse_constant(values: np.ndarray, name: str, categories: tuple[str, ...] | None) -> None:
    if len(values) and np.ptp(values) == 0:
        what = f"'{categories[0]}'" if categories else format(values[0], ".6g")
        raise BscError(
            "BSC-LMM-019",
            "The outcome is the same in every row.",
            f"{name}: {what} in all {rows_text(len(values))}",
            "There is nothing to explain, and no variance to divide.",
            "Check the outcome and the rows chosen.",
        )


def _check_categories(response: np.ndarray, name: str) -> None:
    """Refuse too few ordered categories and empty ones."""
    chosen = np.bincount(response.astype(np.int64))
    if len(chosen) >= _LEAST_CATEGORIES and chosen.min() > 0:
        return
    raise BscError(
        "BSC-LMM-074",
        f"The ordered outcome uses {int((chosen > 0).sum())} of {len(chosen)} categories; three or more are needed, none of them empty.",
        f"column '{name}'",
        "A threshold beside an empty category cannot be estimated, and two categories are a binomial outcome.",
        "Join an empty category with its neighbour, or use family binomial for two categories.",
    )


def starting_extra(family: Family, response: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return where the optimiser starts the extra parameters, shape (m,).

    Thresholds at the link of the cumulative proportions; log size and log precision at 1.
    """
    if not family.is_ordinal:
        return np.full(len(family.extra_names), _STARTING_LOG)
    from scipy import special

    share = np.cumsum(np.bincount(response.astype(np.int64), weights=weight))
    share = share[:-1] / share[-1]
    return special.logit(share) if family.link == "logit" else special.ndtri(share)
