"""Generalizability: how much of a score's variance lies between classrooms, raters and occasions, and how many of these it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from bscstudy.errors import BscError

OBJECT, RATER, OCCASION, RESIDUAL = "classroom", "rater", "occasion", "residual"
MAIN = (OBJECT, RATER, OCCASION)
CROSSED = (f"{OBJECT}:{RATER}", f"{OBJECT}:{OCCASION}", f"{RATER}:{OCCASION}")


@dataclass(frozen=True)
class Component:
    """One source of variance: its number of levels, variance (squared units of the score) and share with a 95 % interval."""

    name: str
    n_levels: int
    variance: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class GeneralizabilityStudy:
    """The components of a score's variance, or why there are none.

    Attributes
    ----------
    components : tuple of Component
        Classroom, rater, occasion, what they do together, and the residual; empty where they cannot be told apart.
    n : int
        Scores of one rater in one visit.
    note : str
        Which components could not be told from the residual, or why there are none at all.
    """

    components: tuple[Component, ...]
    n: int
    note: str

    @property
    def variances(self) -> dict[str, float]:
        """Component -> variance."""
        return {component.name: component.variance for component in self.components}


def generalizability_study(scores: pd.DataFrame) -> GeneralizabilityStudy:
    """Divide the variance of raters' scores between classrooms, raters, occasions, their pairs and the residual.

    Parameters
    ----------
    scores : DataFrame
        ``classroom occasion rater value``: one row for each score of a rater on an occasion. Rows with a missing value are left out.

    Returns
    -------
    GeneralizabilityStudy
        Without components where fewer than three classrooms or two raters or two occasions are there, fewer than three classrooms
        were seen on two occasions, a rater scored a classroom twice on one of them, no occasion was scored by two raters, or the
        model cannot be fitted. A pair whose levels are as many as the scores, or the same as those of another
        component, is part of the residual, and the note says so; the same holds for what raters do with classrooms and with occasions
        where the whole model cannot be fitted.

    Notes
    -----
    Source: Brennan (2001), Generalizability Theory, chapters 3 to 5; fitted with crossed random intercepts by restricted maximum
    likelihood, which for a balanced design without negative estimates equals the analysis of variance.
    Checked against the mean squares of balanced designs: tests/unit/test_measures_generalizability.py.
    """
    data = scores[[*MAIN, "value"]].dropna()
    reason = _cannot(data)
    if reason:
        return GeneralizabilityStudy((), len(data), reason)
    for name in CROSSED:
        first, second = name.split(":")
        data[name] = data[first].astype(str) + "\x1f" + data[second].astype(str)
    kept, left_out = _estimable(data)
    study = _fitted(data, kept, left_out)
    simple = [name for name in kept if name in (*MAIN, CROSSED[1])]
    if not study.components and len(simple) < len(kept):
        return _fitted(data, simple, [name for name in CROSSED if name not in simple])
    return study


def _cannot(data: pd.DataFrame) -> str:
    for name, least, words in ((OBJECT, 3, "three classrooms"), (RATER, 2, "two raters"), (OCCASION, 2, "two occasions")):
        if data[name].nunique() < least:
            return f"fewer than {words}"
    if data.duplicated(list(MAIN)).any():
        return "a rater scored a classroom twice on one occasion; `occasion` does not tell its visits apart"
    if (data.groupby(OBJECT)[OCCASION].nunique() > 1).sum() < 3:
        return "fewer than three classrooms were seen on two occasions"
    if not (data.groupby([OBJECT, OCCASION])[RATER].nunique() > 1).any():
        return "no occasion was scored by two raters, so that raters and occasions cannot be told apart"
    return "every score is the same" if data["value"].nunique() < 2 else ""


def _estimable(data: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the components that the design can tell apart, and those that it cannot."""
    kept, left_out = [], []
    for name in (*MAIN, *CROSSED):
        levels = data[name].nunique()
        same = any(data[other].nunique() == levels == len(data[[name, other]].drop_duplicates()) for other in kept)
        (left_out if levels >= len(data) or same else kept).append(name)
    return kept, left_out


def _fitted(data: pd.DataFrame, kept: list[str], left_out: list[str]) -> GeneralizabilityStudy:
    from bscstudy.multilevel import fit_mixed_model

    note = f"part of the residual, as the visits do not tell them from it: {', '.join(left_out)}" if left_out else ""
    plain = data.rename(columns={name: name.replace(":", "_by_") for name in CROSSED})
    names = {name.replace(":", "_by_"): name for name in kept}
    try:
        fit = fit_mixed_model("value ~ 1 + " + " + ".join(f"(1 | {name})" for name in names), plain)
    except BscError as fault:
        return GeneralizabilityStudy((), len(data), f"the model is refused ({fault.code})")
    if fit.verdict.state not in ("ok", "boundary"):
        return GeneralizabilityStudy((), len(data), f"the model is {fit.verdict.state}: {'; '.join(fit.verdict.reasons)}")
    shares = fit.variance_partition().set_index("group")
    found = [
        Component(
            names.get(group, RESIDUAL), int(row["n_groups"]), *(float(row[c]) for c in ("variance", "share", "share_lower", "share_upper"))
        )
        for group, row in shares.iterrows()
    ]
    order = [*MAIN, *CROSSED, RESIDUAL]
    return GeneralizabilityStudy(tuple(sorted(found, key=lambda component: order.index(component.name))), len(data), note)


def coefficients(variances: dict[str, float], n_raters: float, n_occasions: float) -> tuple[float, float]:
    """Return the coefficients of a mean over raters and occasions.

    Parameters
    ----------
    variances : dict
        Component -> variance; a component that is absent counts 0.
    n_raters, n_occasions : number
        Raters of each occasion, and occasions of a classroom.

    Returns
    -------
    g : float
        For comparing classrooms with each other (relative): what shifts all classrooms alike is no error.
    phi : float
        For a classroom's own level (absolute). Both between 0 and 1; NaN without any variance.

    Notes
    -----
    Source: Brennan (2001), equations 1.18 and 1.19 extended to two crossed facets (chapter 4).
    """
    relative, absolute = _errors(variances, n_raters, n_occasions)
    between = variances.get(OBJECT, 0.0)
    return tuple(between / (between + error) if between + error > 0 else math.nan for error in (relative, absolute))


def _errors(variances: dict[str, float], n_raters: float, n_occasions: float) -> tuple[float, float]:
    v = {name: variances.get(name, 0.0) for name in (*MAIN, *CROSSED, RESIDUAL)}
    both = n_raters * n_occasions
    relative = v[CROSSED[0]] / n_raters + v[CROSSED[1]] / n_occasions + v[RESIDUAL] / both
    return relative, relative + v[RATER] / n_raters + v[OCCASION] / n_occasions + v[CROSSED[2]] / both


def occasions_needed(variances: dict[str, float], n_raters: int, target: float, *, absolute: bool) -> float:
    """Return the fewest occasions with which the coefficient reaches a target.

    Parameters
    ----------
    variances : dict
        Component -> variance.
    n_raters : int
        Raters of each occasion.
    target : float in (0, 1)
    absolute : bool
        Whether phi (a classroom's own level) shall reach it, else g.

    Returns
    -------
    float
        Whole number of at least 1; infinity where no number of occasions is enough, NaN without any variance.
    """
    between = variances.get(OBJECT, 0.0)
    if sum(variances.values()) <= 0:
        return math.nan
    allowed = between * (1 - target) / target
    never = _errors(variances, n_raters, math.inf)[absolute]
    one = _errors(variances, n_raters, 1)[absolute]
    if allowed <= never * (1 + 1e-12):
        return 1.0 if one <= allowed else math.inf
    return float(max(1, math.ceil((one - never) / (allowed - never) - 1e-9)))
