"""Does a response suit its family, and where its extra parameters start."""

from __future__ import annotations

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.families import Family

_LEAST_CATEGORIES = 3
_STARTING_LOG = 1.0


def _places(name: str, wrong: np.ndarray, rows: np.ndarray | None) -> str:
    """First few data rows (counted from 1) that are wrong; never their values."""
    positions = np.flatnonzero(wrong) if rows is None else np.sort(np.asarray(rows)[wrong])
    shown = ", ".join(str(position + 1) for position in positions[:5])
    return f"column '{name}', data rows {shown}" + (f" and {len(positions) - 5} more" if len(positions) > 5 else "")


def check_response(
    family: Family, response: np.ndarray, trials: np.ndarray | None = None, *, name: str = "response", rows: np.ndarray | None = None
) -> None:
    """Refuse a response that cannot come from the family.

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
        BSC-LMM-072 counts that are negative or not whole, BSC-LMM-073 more successes than trials, BSC-LMM-074 fewer
        than three ordered categories or one that nobody chose, BSC-LMM-075 an outcome that never varies.
    """
    if family.name == "gaussian":
        return
    if family.is_ordinal:
        _check_categories(response, name)
        return
    counted = response if trials is None else np.minimum(response, trials)
    wrong = (counted < 0) | (response != np.floor(response)) | ((trials != np.floor(trials)) if trials is not None else False)
    if wrong.any():
        raise BscError(
            "BSC-LMM-072",
            f"A {family.name} outcome counts something, but {int(wrong.sum())} values are negative or not whole numbers.",
            _places(name, wrong, rows),
            "The likelihood of a count is not defined there.",
            "Give whole counts (successes and trials for indicators), or use family gaussian for means and shares.",
        )
    most = np.ones(len(response)) if trials is None else trials
    wrong = (response > most) | (most < 1) if family.has_trials else np.zeros(len(response), dtype=bool)
    if wrong.any():
        raise BscError(
            "BSC-LMM-073",
            f"{int(wrong.sum())} rows have more successes than trials, or no trial at all.",
            _places(name, wrong, rows),
            "A share above one, or of nothing, has no probability.",
            "Check the two columns; leave out rows where no indicator applies.",
        )
    _check_variation(family, response, most, name)


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


def _check_variation(family: Family, response: np.ndarray, most: np.ndarray, name: str) -> None:
    """Refuse outcomes that are all zero or all full: their best estimate lies at infinity."""
    full = bool(np.all(response == most)) if family.has_trials else False
    if np.any(response > 0) and not full:
        return
    raise BscError(
        "BSC-LMM-075",
        f"Every row of the {family.name} outcome is {'full' if full else 'zero'}.",
        f"column '{name}'",
        "The estimate would lie at infinity, and no model can say anything about differences.",
        "Report the counts as they are; do not fit a model to this outcome.",
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
