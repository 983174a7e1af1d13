"""Rejection rates of generalized mixed models: counts of indicators in classrooms, and ordered answers of staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from rejection_data import Study, draw_study, factor
from rejection_rungs import FAILED, STAGES, Answer, attempt, of_test, staged_bootstrap
from rejection_tally import Tally

from bscstudy.errors import BscError
from bscstudy.multilevel.between_within import between_within
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.families import family_named, simulate_response
from bscstudy.multilevel.generalized import fit_generalized
from bscstudy.multilevel.generalized_bootstrap import generalized_likelihood_ratio_bootstrap
from bscstudy.multilevel.likelihood_ratio import likelihood_ratio
from bscstudy.multilevel.wald import wald

QUESTIONS = ("change", "exposure")
MODEL = "intercepts"
BASELINE, THRESHOLDS = 0.5, np.array([-2.0, -0.7, 0.7, 2.0])
CATEGORIES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True)
class Outcome:
    """One kind of outcome on the logit scale.

    Attributes
    ----------
    family, group : str
        ``group`` is what is nested in centers.
    center_sd, group_sd : float
    slope_sds : tuple of float
        Standard deviations of the change of a center, of which the model knows nothing.
    data_sets, bootstrapped : int
        Of each draw of centers where the linear models have 100; the bootstrap only where the change does not vary.
    """

    family: str
    group: str
    center_sd: float
    group_sd: float
    slope_sds: tuple[float, ...]
    data_sets: int
    bootstrapped: int


INDICATORS = Outcome("binomial", "classroom", 0.4, 0.5, (0.0, 0.3), 100, 4)
ANSWERS = Outcome("cumulative", "person", 0.5, 1.0, (0.0,), 40, 0)


def draw_classrooms(n_centers: int, rng: np.random.Generator) -> Study:
    """Draw centers of 2 to 6 classrooms, each visited in both waves but for one visit in twenty."""
    size = rng.integers(2, 7, n_centers)
    center = np.repeat(np.arange(n_centers), size)
    exposure = rng.standard_normal(n_centers)
    while True:
        present = rng.random((len(center), 2)) < 0.95
        if all(np.bincount(center, present[:, wave]).min() > 0 for wave in (0, 1)):
            break
    which, wave = np.nonzero(present)
    classroom = np.unique(which, return_inverse=True)[1].astype(np.int64)
    return Study(n_centers, center[which].astype(np.int64), classroom, wave.astype(float), exposure)


def simulate_outcome(outcome: Outcome, n_centers: int, responses: int, rng: np.random.Generator) -> Tally:
    """Return the counts of one draw of centers; ``responses`` is the number of data sets where a full run has 100."""
    tally = Tally()
    study, trials = draw_units(outcome, n_centers, rng)
    design = generalized_design(study, outcome, trials)
    for slope_sd in outcome.slope_sds:
        truth = f"change varies (sd {slope_sd:g})" if slope_sd else "change does not vary"
        bootstraps = _share(responses, outcome.bootstrapped) if slope_sd == 0 else 0
        for number in range(_share(responses, outcome.data_sets)):
            drawn = replace(design, response=draw_outcome(study, outcome, trials, slope_sd, rng))
            seed = int(rng.integers(2**31))
            _count(tally, truth, outcome, drawn, seed, bootstrapped=number < bootstraps)
    return tally


def draw_units(outcome: Outcome, n_centers: int, rng: np.random.Generator) -> tuple[Study, np.ndarray | None]:
    """Return classrooms with their numbers of applicable indicators, or staff."""
    if outcome.family != "binomial":
        return draw_study(n_centers, rng), None
    study = draw_classrooms(n_centers, rng)
    return study, rng.integers(9, 15, len(study.wave)).astype(float)


def _share(responses: int, of_hundred: int) -> int:
    return -(-responses * of_hundred // 100)


def generalized_design(study: Study, outcome: Outcome, trials: np.ndarray | None) -> Design:
    """Return the design of ``y ~ wave + exposure + (1 | center/group)``; ordered answers have thresholds in place of a constant."""
    n = len(study.wave)
    first = 1 if outcome.family == "cumulative" else 0
    ones = np.ones((n, 1))
    return Design(
        response=np.zeros(n),
        trials=trials,
        fixed=np.ascontiguousarray(study.fixed[:, first:]),
        fixed_names=("(Intercept)", "wave", "exposure")[first:],
        factors=(
            factor(f"center:{outcome.group}", study.person, ("(Intercept)",), ones),
            factor("center", study.center, ("(Intercept)",), ones),
        ),
        weights=np.ones(n),
        offset=np.zeros(n),
        rows=np.arange(n),
        response_name="outcome",
    )


def draw_outcome(study: Study, outcome: Outcome, trials: np.ndarray | None, slope_sd: float, rng: np.random.Generator) -> np.ndarray:
    """Draw one response under the null hypothesis, shape (n,)."""
    eta = outcome.center_sd * rng.standard_normal(study.n_centers)[study.center]
    eta += outcome.group_sd * rng.standard_normal(study.person.max() + 1)[study.person]
    eta += slope_sd * rng.standard_normal(study.n_centers)[study.center] * study.wave
    if outcome.family == "binomial":
        return simulate_response(family_named("binomial"), BASELINE + eta, rng, trials=trials)
    drawn = simulate_response(family_named("cumulative", categories=CATEGORIES), eta, rng, extra=THRESHOLDS)
    return np.unique(drawn, return_inverse=True)[1].astype(float)  # a category that nobody chose is joined, as its users are told to


def _count(tally: Tally, truth: str, outcome: Outcome, design: Design, seed: int, *, bootstrapped: bool) -> None:
    again = partial(refit, family=outcome.family)
    try:
        fit = again(design)
    except (BscError, np.linalg.LinAlgError):
        fit = None
    boundary = bool(fit.boundary) if fit is not None else None
    tally.add(truth, MODEL, rungs_of_generalized(fit, again), boundary)
    if bootstrapped:
        tally.add(truth, MODEL, generalized_bootstrap(fit, again, seed), boundary)


def refit(design: Design, start: np.ndarray | None = None, *, family: str) -> object:
    """Fit a model of the family; ``start`` is not used, so that a refit is what its user would get."""
    return fit_generalized(design, family=family)


def rungs_of_generalized(fit: object | None, refit: Callable) -> Iterator[tuple[str, str, Answer]]:
    """Yield (rung, question, answer) of one fit; all failed where there is no fit or it did not converge."""
    methods = {
        "Wald (normal)": wald,
        "between-within": between_within,
        "likelihood ratio (chi-square)": lambda fit: likelihood_ratio(fit, refit),
    }
    for name, method in methods.items():
        for column, question in zip((-2, -1), QUESTIONS, strict=True):
            yield name, question, attempt(partial(_one_test, fit, method, column)) if usable(fit) else FAILED


def _one_test(fit: object, method: Callable, column: int) -> Answer:
    return of_test(float(method(fit).tests(np.eye(fit.design.p)[[column]]).p_value[0]))


def usable(fit: object | None) -> bool:
    """Tell whether there is a fit and it converged."""
    return fit is not None and bool(fit.converged)


def generalized_bootstrap(fit: object | None, refit: Callable, seed: int) -> Iterator[tuple[str, str, Answer]]:
    """Yield the likelihood-ratio tests against 199 data sets drawn from the model fitted under the null hypothesis."""
    for number, (column, question) in enumerate(zip((-2, -1), QUESTIONS, strict=True)):
        if not usable(fit):
            yield "parametric bootstrap", question, FAILED
            continue
        row = np.eye(fit.design.p)[[column]]
        test = partial(generalized_likelihood_ratio_bootstrap, fit, row, refit)
        yield "parametric bootstrap", question, attempt(partial(staged_bootstrap, test, seed + number * len(STAGES)))
