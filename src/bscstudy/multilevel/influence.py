"""What each group does to the estimates: refits without it, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import one_of
from bscstudy.multilevel.design import Design, GroupingFactor

#: fewest groups of a factor for leaving one out: three remain
FEWEST_GROUPS = 4


@dataclass(frozen=True)
class LeaveOneOut:
    """Refits without each group of one factor.

    Attributes
    ----------
    factor : str
    labels : tuple of str, length J
        The group left out.
    n_rows : ndarray of int, shape (J,)
        Rows it has.
    states : tuple of str, length J
        Verdict on each refit: ok, boundary, unreliable or failed; estimates of the last two are missing.
    reasons : tuple of str, length J
        Why a refit is not ``ok``.
    names : tuple of str, length p
        Fixed effects.
    estimate, std_error : ndarray, shape (p,)
        Of the fit with all groups.
    beta : ndarray, shape (J, p)
        Fixed effects without the group.
    change_in_std_errors : ndarray, shape (J, p)
        (estimate with all groups - estimate without) / standard error of the refit (DFBETAS).
    cooks_distance : ndarray, shape (J,)
        Squared distance of all fixed effects together, in units of their covariance in the full fit, over p.
    """

    factor: str
    labels: tuple[str, ...]
    n_rows: np.ndarray
    states: tuple[str, ...]
    reasons: tuple[str, ...]
    names: tuple[str, ...]
    estimate: np.ndarray
    std_error: np.ndarray
    beta: np.ndarray
    change_in_std_errors: np.ndarray
    cooks_distance: np.ndarray

    @property
    def estimated(self) -> np.ndarray:
        """Which refits gave estimates, shape (J,)."""
        return np.all(np.isfinite(self.beta), axis=1)

    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and the highest estimate of each fixed effect over the refits, each of shape (p,); missing without any."""
        known = self.beta[self.estimated]
        if not len(known):
            return np.full(len(self.names), np.nan), np.full(len(self.names), np.nan)
        return known.min(axis=0), known.max(axis=0)


def leave_one_out(fit: object, refit: Callable, judge: Callable, factor: str | None = None) -> LeaveOneOut:
    """Refit a model without each group of a factor, started at the estimates of all groups.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
    refit : callable
        ``refit(design, start_theta)`` fits the same model to a design; ``start_theta`` is None where the order of factors changes.
    judge : callable
        ``judge(fit)`` returns a verdict.
    factor : str, optional
        The factor whose groups are left out; by default the one with the fewest groups (the centers).

    Raises
    ------
    BscError
        BSC-LMM-084 for a factor that the model does not have, 085 for fewer than 4 groups, 115 for a model without factors.

    Notes
    -----
    Source: Belsley, Kuh & Welsch (1980), Regression Diagnostics; Cook's distance for groups as in Demidenko & Stukel (2005),
    Statistics in Medicine 24. Checked against: refits by lme4 1.1-31 without each group, test_multilevel_influence.
    """
    design = fit.design
    chosen = _chosen(design, factor)
    n_fixed = design.p
    beta, error = np.full((chosen.n_levels, n_fixed), np.nan), np.full((chosen.n_levels, n_fixed), np.nan)
    states, reasons = [], []
    for level in range(chosen.n_levels):
        state, reason, part = _without(fit, chosen, level, refit, judge)
        states.append(state)
        reasons.append(reason)
        if part is not None:
            beta[level] = part.beta[:n_fixed]
            error[level] = np.sqrt(np.diag(part.covariance)[:n_fixed])
    covariance = fit.covariance[:n_fixed, :n_fixed]
    difference = fit.beta[:n_fixed] - beta
    distance = np.einsum("jp,pq,jq->j", difference, np.linalg.inv(covariance), difference) / n_fixed
    return LeaveOneOut(
        factor=chosen.name,
        labels=chosen.labels,
        n_rows=np.bincount(chosen.codes, minlength=chosen.n_levels),
        states=tuple(states),
        reasons=tuple(reasons),
        names=design.fixed_names,
        estimate=fit.beta[:n_fixed].copy(),
        std_error=np.sqrt(np.diag(covariance)),
        beta=beta,
        change_in_std_errors=difference / error,
        cooks_distance=distance,
    )


def _chosen(design: Design, name: str | None) -> GroupingFactor:
    names = [f.name for f in design.factors]
    if not names:
        raise BscError(
            "BSC-LMM-115",
            "The model has no grouping factor.",
            "factor",
            "Groups are left out one at a time, and this model knows none.",
            "Fit a model with groups, such as (1 | center).",
        )
    if name is not None and not one_of(name, tuple(names)):
        raise BscError(
            "BSC-LMM-084",
            f"The model has no grouping factor {repr(name) if isinstance(name, str) else f'given by a {type(name).__name__}'}.",
            "factor",
            "Groups are left out one at a time, so the factor has to be one of the model's.",
            f"Name one of: {', '.join(names)}. {nearest(str(name), names)}".rstrip(),
        )
    found = min(design.factors, key=lambda f: (f.n_levels, f.name)) if name is None else design.factors[names.index(name)]
    if found.n_levels < FEWEST_GROUPS:
        raise BscError(
            "BSC-LMM-085",
            f"The factor {found.name} has {found.n_levels} groups, too few to leave one out.",
            f"grouping factor {found.name}",
            "Two groups left tell next to nothing about the variance between groups, so the refits would be noise.",
            f"Use a factor with at least {FEWEST_GROUPS} groups.",
        )
    return found


def _without(fit: object, factor: GroupingFactor, level: int, refit: Callable, judge: Callable) -> tuple[str, str, object]:
    design = subset(fit.design, factor.codes != level)
    deficient = _inseparable(design)
    if deficient:
        return "failed", f"without this group {deficient} cannot be told apart from the other fixed effects", None
    same = [f.name for f in design.factors] == [f.name for f in fit.design.factors]
    try:
        part = refit(design, fit.theta if same else None)
    except BscError as refusal:
        return "failed", refusal.what, None
    verdict = judge(part)
    return verdict.state, "; ".join(verdict.reasons), part if verdict.estimated else None


def _inseparable(design: Design) -> str:
    """Name the fixed columns that depend on those before them."""
    rank, named = 0, []
    for column, name in enumerate(design.fixed_names):
        found = np.linalg.matrix_rank(design.fixed[:, : column + 1])
        if found == rank:
            named.append(name)
        rank = found
    return ", ".join(named)


def subset(design: Design, kept: np.ndarray) -> Design:
    """Return the design of some of its rows, levels without rows dropped.

    Parameters
    ----------
    kept : ndarray of bool, shape (n,)
    """
    factors = []
    for factor in design.factors:
        present, codes = np.unique(factor.codes[kept], return_inverse=True)
        labels = tuple(factor.labels[i] for i in present)
        columns = np.ascontiguousarray(factor.columns[kept])
        factors.append(replace(factor, codes=codes.astype(np.int64), labels=labels, columns=columns))
    factors.sort(key=lambda f: (-f.n_levels, f.name))
    parts = {name: getattr(design, name)[kept] for name in ("response", "weights", "offset", "rows")}
    trials = None if design.trials is None else design.trials[kept]
    return replace(design, fixed=np.ascontiguousarray(design.fixed[kept]), trials=trials, factors=tuple(factors), **parts)
