"""Every rung of the ladder applied to one simulated data set of a linear model: p-values and whether intervals hold the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from rejection_data import CENTER_SD, Study
from scipy.special import chdtrc

from bscstudy.errors import BscError
from bscstudy.multilevel.between_within import between_within
from bscstudy.multilevel.cluster_blocks import cluster_blocks, nested_codes
from bscstudy.multilevel.cluster_robust import robust_covariance
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.exact_tests import correlation_test, sign_flip_test
from bscstudy.multilevel.expansion import BatchFits
from bscstudy.multilevel.kenward_roger import kenward_roger
from bscstudy.multilevel.linear import LinearFit, finish
from bscstudy.multilevel.parametric_bootstrap import bootstrap_sample, likelihood_ratio_bootstrap
from bscstudy.multilevel.profile_likelihood import profile_likelihood
from bscstudy.multilevel.satterthwaite import satterthwaite
from bscstudy.multilevel.wald import wald
from bscstudy.multilevel.wild_cluster_bootstrap import wild_cluster_bootstrap

QUESTIONS = {"change": np.array([[0.0, 1, 0]]), "exposure": np.array([[0.0, 0, 1]]), "both": np.array([[0.0, 1, 0], [0.0, 0, 1]])}
ANALYTIC = {"Satterthwaite": satterthwaite, "Kenward-Roger": kenward_roger, "between-within": between_within, "Wald (normal)": wald}
ROBUST = ("CR0", "CR1", "CR2", "CR3")
DRAWS = 999
STAGES, HOPELESS = (23, 40, 136), 10
REPLICATES = sum(STAGES)
LEVEL = 0.95


@dataclass(frozen=True)
class Answer:
    """What one rung says to one question about one data set.

    Attributes
    ----------
    p_value : float or None
        None where the rung is an interval only; missing where it failed.
    covered : bool or None
        Whether the 95 % interval holds the truth; None where the rung has no interval.
    smallest_p : float
        The smallest p it could have given, 0 where there is no such limit.
    failed_replicates : int
    failed : bool
    """

    p_value: float | None
    covered: bool | None = None
    smallest_p: float = 0.0
    failed_replicates: int = 0
    failed: bool = False


FAILED = Answer(np.nan, failed=True)


def rejects(p_value: float, level: float) -> bool:
    """Tell whether p is at most the level, rounding aside; a missing p rejects nothing."""
    return bool(p_value <= level * (1 + 1e-9))


def attempt(question: Callable[[], Answer]) -> Answer:
    """Return the answer, or a missing one where the rung refuses or its algebra breaks down."""
    try:
        return question()
    except (BscError, np.linalg.LinAlgError):
        return FAILED


def of_test(p_value: float) -> Answer:
    """Return the answer of a test whose interval is its inversion, so that it holds the true value of 0 where p exceeds .05."""
    return Answer(p_value, not rejects(p_value, 1 - LEVEL)) if np.isfinite(p_value) else FAILED


def of_joint(p_value: float) -> Answer:
    """Return the answer of a test of several contrasts, which has no interval."""
    return Answer(p_value) if np.isfinite(p_value) else FAILED


def rungs_of_data(study: Study, response: np.ndarray, seed: int) -> Iterator[tuple[str, str, Answer]]:
    """Yield (rung, question, answer) of the rungs that need no mixed model: exact tests and wild cluster bootstraps."""
    means = [study.center_means(response[:, None], wave)[:, 0] for wave in (None, 0, 1)]
    yield "sign flips of center changes", "change", attempt(lambda: _sign_flips(means[2] - means[1], seed))
    yield "permutation of center means", "exposure", attempt(lambda: _permutation(study.exposure, means[0], seed))
    for weights, jackknife in (("rademacher", False), ("rademacher", True), ("webb", False)):
        name = f"wild bootstrap, {weights.capitalize()}{', jackknifed' * jackknife}"
        for question in ("change", "exposure"):
            yield name, question, attempt(lambda q=question, w=weights, j=jackknife: _wild(study, response, QUESTIONS[q][0], w, j, seed))


def _sign_flips(changes: np.ndarray, seed: int) -> Answer:
    test = sign_flip_test(changes, level=LEVEL, draws=DRAWS, seed=seed)
    return Answer(test.p_value, bool(test.interval[0] <= 0 <= test.interval[1]), test.smallest_p)


def _permutation(exposure: np.ndarray, means: np.ndarray, seed: int) -> Answer:
    test = correlation_test(exposure, means, method="pearson", draws=DRAWS, seed=seed)
    return Answer(test.p_value, None, test.smallest_p)


def _wild(study: Study, response: np.ndarray, contrast: np.ndarray, weights: str, jackknife: bool, seed: int) -> Answer:
    """Rademacher patterns enumerated up to 12 centers; the confidence set inverts the test, so p alone decides on coverage."""
    settings = {"weights": weights, "jackknife": jackknife, "draws": DRAWS, "seed": seed, "level": None, "enumerate_up_to": 4096}
    test = wild_cluster_bootstrap(response, study.fixed, study.center, contrast, **settings)
    return replace(of_test(test.p_value), smallest_p=test.smallest_p)


def fit_of(design: Design, prepared: object, layout: object, fits: BatchFits, number: int, response: np.ndarray) -> LinearFit:
    """Return the REML fit of one of many responses of a design, the preparation shared."""
    own = replace(design, response=response)
    one = BatchFits(*(getattr(fits, name)[number : number + 1] for name in BatchFits.__dataclass_fields__))
    return finish(own, layout, replace(prepared, design=own), one, True, centre=np.zeros(design.p))


def rungs_of_fit(fit: LinearFit) -> Iterator[tuple[str, str, Answer]]:
    """Yield (rung, question, answer) of the rungs on a mixed model that need no refits."""
    for name, method in ANALYTIC.items():
        yield from _analytic(name, lambda method=method: method(fit))
    blocks = list(cluster_blocks(fit, nested_codes(fit.design, "center")))
    scaled = fit.covariance / fit.sigma**2
    size = {"n_clusters": len(blocks), "n_rows": fit.design.n}
    for kind in ROBUST:  # as cluster_robust does, the clusters' arrays made once
        yield from _analytic(kind, lambda kind=kind: robust_covariance(fit.beta, scaled, blocks, kind=kind, **size))


def _analytic(name: str, method: Callable) -> Iterator[tuple[str, str, Answer]]:
    try:
        inference = method()
        separate = inference.tests(QUESTIONS["both"]).p_value
    except (BscError, np.linalg.LinAlgError):
        inference, separate = None, (np.nan, np.nan)
    yield name, "change", of_test(float(separate[0]))
    yield name, "exposure", of_test(float(separate[1]))
    yield name, "both", attempt(lambda: of_joint(inference.joint(QUESTIONS["both"]).p_value)) if inference else FAILED


def likelihood_ratio_rungs(ratios: dict[str, float]) -> Iterator[tuple[str, str, Answer]]:
    """Yield the answers of the chi-square distribution to twice the differences of the log-likelihoods."""
    for question, ratio in ratios.items():
        p_value = float(chdtrc(len(QUESTIONS[question]), ratio))
        yield "likelihood ratio (chi-square)", question, of_joint(p_value) if question == "both" else of_test(p_value)


def bootstrap_rungs(fit: LinearFit, questions: tuple[str, ...], seed: int) -> Iterator[tuple[str, str, Answer]]:
    """Yield (rung, question, answer) of the parametric bootstrap."""
    for number, question in enumerate(questions):
        test = partial(likelihood_ratio_bootstrap, fit, QUESTIONS[question])
        yield "parametric bootstrap", question, attempt(partial(staged_bootstrap, test, seed + number * len(STAGES)))


def staged_bootstrap(test: Callable, seed: int, *, hopeless: int = HOPELESS) -> Answer:
    """Return the bootstrap test of 199 replicates; ``test(replicates=, seed=)`` gives a BootstrapTest.

    Ten replicates as large as the data already mean p >= .055 of 199 whatever the others say, so the others are then left out. The
    p-value is right below .055; above it only its being above is used.
    """
    larger = failed = used = 0
    for number, replicates in enumerate(STAGES):
        found = test(replicates=replicates, seed=seed + number)
        larger += round(found.p_value * (1 + replicates)) - 1
        failed, used = failed + found.n_failed, used + replicates
        if larger >= hopeless:
            break
    return Answer((1 + larger) / (1 + used), None, 1 / (1 + REPLICATES), failed)


def percentile_rungs(fit: LinearFit, seed: int) -> Iterator[tuple[str, str, Answer]]:
    """Yield the coverage of percentile intervals of the parametric bootstrap."""
    sample = bootstrap_sample(fit, replicates=REPLICATES, seed=seed)
    intervals = sample.intervals(QUESTIONS["both"], LEVEL)
    for question, (low, high) in zip(("change", "exposure"), intervals, strict=True):
        yield "bootstrap percentile interval", question, Answer(None, bool(low <= 0 <= high), 0.0, sample.n_failed)


def profile_rungs(fit: LinearFit) -> Iterator[tuple[str, str, Answer]]:
    """Yield the coverage of profile-likelihood intervals for the standard deviation between centers, by ML and by REML."""
    for name, reml in (("profile likelihood, ML", False), ("profile likelihood, REML", True)):
        yield name, "standard deviation of centers", attempt(lambda reml=reml: _profile(fit, reml))


def _profile(fit: LinearFit, reml: bool) -> Answer:
    rows = profile_likelihood(fit, level=LEVEL, reml=reml, coefficients=False)
    row = next(r for r in rows if (r.kind, r.group, r.term) == ("sd", "center", "(Intercept)"))
    if not np.isfinite([row.lower, row.upper]).all():
        return FAILED
    return Answer(None, bool(row.lower <= CENTER_SD <= row.upper))
