"""Profile-likelihood intervals for standard deviations, correlations and fixed effects of a linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.argument_checks import check_level
from bscstudy.multilevel.linear import LinearFit, fit_linear
from bscstudy.multilevel.profile_criterion import HALF_PI, Parameter, ProfilePoint, profile_point, surface, turned_layout

ROOT_TOLERANCE = 1e-9  # of the signed root of the rise in deviance, whose target is about 2
CORRELATION_LIMIT = HALF_PI - 1e-9


@dataclass(frozen=True)
class ProfileInterval:
    """One profile-likelihood interval.

    Attributes
    ----------
    kind : str
        ``sd``, ``correlation``, ``sigma`` or ``coefficient``.
    group, term, term2 : str
        Grouping factor and random columns, or the fixed effect; empty where they do not apply.
    estimate, lower, upper : float
        Units of the response (a correlation: -1 to 1). Missing where the parameter does not exist (correlation with a variance of 0).
    note : str
        Names a limit at the edge of the parameter's range.
    """

    kind: str
    group: str
    term: str
    term2: str
    estimate: float
    lower: float
    upper: float
    note: str = ""


def profile_likelihood(
    fit: LinearFit, *, level: float = 0.95, reml: bool = False, coefficients: bool = True
) -> tuple[ProfileInterval, ...]:
    """Return profile-likelihood intervals: the values at which twice the log-likelihood falls by the chi-square quantile.

    Parameters
    ----------
    fit : LinearFit
        Linear; refitted by maximum likelihood where it is not and ``reml`` is False.
    level : float
        Between 0 and 1.
    reml : bool
        Profile the restricted likelihood instead. For variances only: restricted likelihoods of different fixed parts are not
        comparable, so fixed effects are left out.
    coefficients : bool
        Also the fixed effects.

    Returns
    -------
    tuple of ProfileInterval
        Standard deviations and correlations factor by factor, the residual standard deviation, then fixed effects. A lower limit that
        lies at the edge of the range is 0 (-1 for a correlation) and its note says so.

    Raises
    ------
    BscError
        BSC-LMM-083 for a level outside 0 to 1.

    Notes
    -----
    Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 5.1; Bates, lme4: Mixed-effects modeling with R, chapter 1.5.
    The inner minimum is found by Newton's method with exact derivatives, the limits by Newton's method on the signed root, whose
    slope follows from the envelope theorem; no spline. Checked against: lme4 1.1-31 confint and the published sleepstudy limits,
    test_multilevel_profile_likelihood.
    Not for: few groups by maximum likelihood. Of 100 limits 83 to 88 hold the standard deviation of 7 centers, 89 to 91 of 12, 92 to 94 of
    24; with ``reml=True`` 95 to 97 (benchmarks/rejection_rates.py).
    """
    check_level(level)
    from scipy.special import chdtri

    root = float(np.sqrt(chdtri(1, 1 - level)))
    if fit.reml != reml:
        fit = fit_linear(fit.design, reml=reml, start=fit.theta)
    search = _Search(fit, reml, root, surface(fit, turned_layout(fit.layout), _place(fit, fit.theta), reml=reml).value)
    found = [_standard_deviation(search, number, column) for number, k in enumerate(fit.layout.sizes) for column in range(k)]
    found += [_correlation(search, *pair) for pair in _pairs(fit)]
    found.sort(key=lambda row: [f.name for f in fit.design.factors].index(row.group))
    found.append(_residual(search))
    if coefficients and not reml:
        found += [_coefficient(search, j) for j in range(fit.design.p)]
    return tuple(found)


@dataclass(frozen=True)
class _Search:
    """What every search for a limit needs: the fit, the criterion, the signed root to reach and the smallest deviance."""

    fit: LinearFit
    reml: bool
    root: float
    smallest: float

    def point(self, parameter: Parameter, value: float, start: np.ndarray) -> tuple[float, ProfilePoint]:
        """Return the root of the rise in deviance at a value, and the point."""
        found = profile_point(self.fit, parameter, value, start, reml=self.reml)
        return float(np.sqrt(max(found.deviance - self.smallest, 0.0))), found


def _place(fit: LinearFit, theta: np.ndarray) -> np.ndarray:
    return np.append(theta, np.log(fit.sigma))


def _pairs(fit: LinearFit) -> list[tuple[int, int, int]]:
    return [(e.factor, e.column, e.row) for e in fit.layout.entries if e.row != e.column]


def _standard_deviation(search: _Search, number: int, column: int) -> ProfileInterval:
    fit, factor = search.fit, search.fit.design.factors[number]
    turned = turned_layout(fit.layout, number, (column,))
    theta = turned.theta(fit.entries)
    parameter = Parameter("sd", turned, turned.position(number, 0, 0))
    estimate = fit.sigma * theta[parameter.position]
    start = parameter.free(_place(fit, theta))
    at_zero = search.point(parameter, 0.0, start)[0]
    lower = 0.0 if at_zero <= search.root else _limit(search, parameter, estimate, start, 0.0, -estimate / 2)
    upper = _limit(search, parameter, estimate, start, np.inf, max(estimate / 2, 0.05 * fit.sigma))
    note = "lower limit at the boundary: 0 cannot be ruled out" if at_zero <= search.root else ""
    return ProfileInterval("sd", factor.name, factor.effect_names[column], "", float(estimate), lower, upper, note)


def _correlation(search: _Search, number: int, first: int, second: int) -> ProfileInterval:
    fit, factor = search.fit, search.fit.design.factors[number]
    names = (factor.name, factor.effect_names[first], factor.effect_names[second])
    turned = turned_layout(fit.layout, number, (first, second))
    theta = turned.theta(fit.entries)
    parameter = Parameter("correlation", turned, turned.position(number, 1, 0))
    lengths = theta[turned.position(number, 0, 0)], np.hypot(theta[parameter.position], theta[parameter.below()])
    if min(lengths) < 1e-5:
        return ProfileInterval("correlation", *names, np.nan, np.nan, np.nan, "no correlation: a variance is estimated as 0")
    angle = float(np.arctan2(theta[parameter.position], theta[parameter.below()]))
    start = parameter.free(_place(fit, theta))
    limits, notes = [], []
    for edge, side in ((-HALF_PI, "lower"), (HALF_PI, "upper")):
        at_edge = search.point(parameter, edge, start)[0]
        if at_edge <= search.root:
            limits.append(float(np.sign(edge)))
            notes.append(f"{side} limit at the boundary: a perfect correlation cannot be ruled out")
        else:
            limits.append(float(np.sin(_limit(search, parameter, angle, start, edge, (edge - angle) / 3))))
    return ProfileInterval("correlation", *names, float(np.sin(angle)), limits[0], limits[1], "; ".join(notes))


def _residual(search: _Search) -> ProfileInterval:
    fit = search.fit
    turned = turned_layout(fit.layout)
    parameter = Parameter("sigma", turned)
    step = search.root * fit.sigma / np.sqrt(2 * fit.criterion.nu)
    limits = [_limit(search, parameter, fit.sigma, fit.theta, edge, sign * step) for edge, sign in ((0.0, -1), (np.inf, 1))]
    return ProfileInterval("sigma", "Residual", "", "", fit.sigma, limits[0], limits[1])


def _coefficient(search: _Search, column: int) -> ProfileInterval:
    fit = search.fit
    parameter = Parameter("coefficient", turned_layout(fit.layout), column)
    estimate, step = float(fit.beta[column]), search.root * float(np.sqrt(fit.covariance[column, column]))
    start = _place(fit, fit.theta)
    limits = [_limit(search, parameter, estimate, start, sign * np.inf, sign * step) for sign in (-1, 1)]
    return ProfileInterval("coefficient", "", fit.design.fixed_names[column], "", estimate, limits[0], limits[1])


def _limit(search: _Search, parameter: Parameter, estimate: float, start: np.ndarray, edge: float, step: float) -> float:
    """Return the value beyond the estimate at which the root of the rise reaches its target.

    Newton's method on the root, kept between a value known to be inside the interval and one known to be outside.
    """
    inside, outside, free = estimate, edge, start
    value, sign = estimate + step, np.sign(step)
    for _ in range(60):
        root, point = search.point(parameter, value, free)
        if abs(root - search.root) < ROOT_TOLERANCE:
            return float(value)
        if root < search.root:
            inside, free = value, point.free
        else:
            outside = value
        slope = point.slope / (2 * root) if root > 0 else 0.0
        proposal = value + (search.root - root) / slope if slope * sign > 0 else np.nan
        value = _kept_between(proposal, inside, outside, estimate, sign * abs(step))
        if abs(value - inside) <= 1e-13 * max(abs(value), abs(step)):
            return float(value)
    return float(sign * np.inf) if not np.isfinite(outside) else float(value)


def _kept_between(proposal: float, inside: float, outside: float, estimate: float, step: float) -> float:
    low, high = min(inside, outside), max(inside, outside)
    if np.isfinite(outside):
        return proposal if low < proposal < high else (inside + outside) / 2
    farthest = inside + 3 * max(abs(inside - estimate), abs(step)) * np.sign(step)
    if not np.isfinite(proposal) or not low < proposal < high:
        return farthest
    return max(proposal, farthest) if step < 0 else min(proposal, farthest)
