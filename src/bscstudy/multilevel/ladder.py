"""The ladder: one question answered by several methods side by side, from exact tests on group means to the parametric bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import check_draws, check_seed
from bscstudy.multilevel.contrasts import interval_limits

ANALYTIC = ("satterthwaite", "kenward_roger", "cr2", "between_within", "likelihood_ratio", "wald")
RUNGS = ("exact", *ANALYTIC, "wild_cluster_bootstrap", "parametric_bootstrap", "profile")
#: Webb's six points below this number of clusters, where two points give too few patterns
_WEBB_BELOW = 12
_LEVEL = 0.95
#: what must be said with a rung wherever it is shown
#: what benchmarks/rejection_rates.py found: a true null hypothesis rejected at .05, of 100 studies with 7, 12 and 24 centers
CAUTIONS = {
    "wald": "does not hold its level: 9 to 11, 8 and 7 of 100 true nulls about centers are rejected with 7, 12 and 24 centers",
    "likelihood_ratio": "does not hold its level: 10 to 11, 8 and 7 of 100 true nulls about centers are rejected with 7, 12 and 24 centers",
    "between_within": "does not hold its level where a change varies between centers: 7 of 100 true nulls are rejected with 7 centers",
    "parametric_bootstrap": "slightly above its level for terms of centers with 7 centers (6 to 7 of 100), holds it with 12 and 24",
    "profile": "too short with few centers by maximum likelihood: 83 to 88, 89 to 91 and 92 to 94 of 100 hold with 7, 12 and 24 centers",
}
#: Satterthwaite's df of CR2 below which its p-values are not to be relied on (Tipton 2015)
_FEWEST_DF = 4.0


@dataclass(frozen=True)
class Rung:
    """One contrast by one method.

    Attributes
    ----------
    contrast : int
        Row of the contrasts given.
    rung : str
        One of ``RUNGS``.
    method : str
        What was done, in words; empty where the rung does not apply.
    estimate, std_error, low, high : float
        In units of the response (of the link); 95% limits. Missing where the method has none.
    df : float
        Infinite for the normal distribution, missing for methods that count patterns.
    statistic, p_value : float
    smallest_p : float
        The smallest p that the method could have given; missing where p follows from a continuous distribution.
    n_clusters : int
        Groups the method rests on.
    note : str
        Why the rung does not apply, or what must be said with it.
    """

    contrast: int
    rung: str
    method: str = ""
    estimate: float = np.nan
    std_error: float = np.nan
    df: float = np.nan
    statistic: float = np.nan
    p_value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    smallest_p: float = np.nan
    n_clusters: int = 0
    note: str = ""


def ladder(result: object, contrasts: np.ndarray, rungs: Sequence[str], *, seed: int, draws: int = 999) -> tuple[Rung, ...]:
    """Answer each contrast by each method.

    Parameters
    ----------
    result : MixedModelResult
    contrasts : ndarray, shape (m, p)
        Tested against zero one by one.
    rungs : sequence of str
        Some of ``RUNGS``, in the order wanted.
    seed : int
        Of every random part; each starts its own generator from it, so that a rung does not depend on which others are asked for.
    draws : int
        Data sets of the parametric bootstrap.

    Returns
    -------
    tuple of Rung
        Contrasts in order, within each the rungs in order. A rung that does not apply has missing numbers and says why.

    Raises
    ------
    BscError
        BSC-LMM-110 for an unknown rung, 048 and 111 for draws or a seed that are none; contrasts are refused as in
        ``result_methods.contrast_matrix``.

    Notes
    -----
    Checked against: each method's own tests; the composition in test_multilevel_ladder.
    """
    from bscstudy.multilevel.group_estimates import independent_groups
    from bscstudy.multilevel.result_methods import contrast_matrix

    unknown = [name for name in rungs if name not in RUNGS]
    if unknown:
        raise BscError(
            "BSC-LMM-110",
            f"There is no rung '{unknown[0]}' of the ladder.",
            "rungs",
            "A method left out in silence would look like one that agreed.",
            f"Use some of {', '.join(RUNGS)}. {nearest(unknown[0], list(RUNGS))}".rstrip(),
        )
    check_draws(draws, "draws")
    check_seed(seed)
    contrasts = contrast_matrix(result.fit.design, np.asarray(contrasts, float))
    groups = independent_groups(result.fit.design)
    columns = [_answered(result, contrasts, name, groups, seed, draws) for name in rungs]
    return tuple(column[i] for i in range(len(contrasts)) for column in columns)


def _answered(result: object, contrasts: np.ndarray, name: str, groups: np.ndarray, seed: int, draws: int) -> list[Rung]:
    """One rung for all contrasts; a refusal becomes the note of each row."""
    caution = CAUTIONS.get(name, "")
    try:
        if name in ANALYTIC:
            found = _analytic(result, contrasts, name, groups)
        else:
            found = [_one(result, row, name, groups, seed, draws) for row in contrasts]
    except BscError as refusal:
        found, caution = [Rung(0, name, note=_reason(refusal)) for _ in contrasts], ""
    n_clusters = _n_clusters(result.fit.design, name, groups)
    return [
        replace(r, contrast=i, n_clusters=r.n_clusters or n_clusters, note="; ".join(filter(None, (r.note, caution if r.method else ""))))
        for i, r in enumerate(found)
    ]


def _n_clusters(design: object, name: str, groups: np.ndarray) -> int:
    by_cluster = name in ("cr2", "wild_cluster_bootstrap", "exact")
    return int(groups.max()) + 1 if by_cluster or not design.factors else min(f.n_levels for f in design.factors)


def _reason(refusal: BscError) -> str:
    text = refusal.what.removeprefix("The method does not apply: ").rstrip(".")
    return f"does not apply: {text[0].lower()}{text[1:]}"


def _analytic(result: object, contrasts: np.ndarray, name: str, groups: np.ndarray) -> list[Rung]:
    from bscstudy.multilevel.refit import refitter
    from bscstudy.multilevel.result_methods import inference

    if name == "cr2" and result.linear and result.fit.design.factors:
        from bscstudy.multilevel.cluster_robust import cluster_robust

        tests = cluster_robust(result.fit, groups, kind="CR2").tests(contrasts)
    else:
        tests = inference(result.fit, name, refitter(result, reml=False)).tests(contrasts)
    limits = interval_limits(tests, _LEVEL)
    if name == "likelihood_ratio":
        limits = np.full_like(limits, np.nan)
    rows = []
    for i in range(len(contrasts)):
        values = {column: float(getattr(tests, column)[i]) for column in ("estimate", "std_error", "df", "statistic", "p_value")}
        rows.append(Rung(i, name, tests.method, **values, low=float(limits[i, 0]), high=float(limits[i, 1]), note=_df_note(name, values)))
    return rows


def _df_note(name: str, values: dict) -> str:
    if np.isnan(values["p_value"]):
        return "does not apply: no two groups share the contrast" if name == "cr2" else "does not apply: no degrees of freedom are left"
    few = name == "cr2" and values["df"] < _FEWEST_DF
    return f"with fewer than {_FEWEST_DF:g} degrees of freedom its p is not to be relied on" if few else ""


def _one(result: object, contrast: np.ndarray, name: str, groups: np.ndarray, seed: int, draws: int) -> Rung:
    """A rung that is worked out contrast by contrast."""
    needs: dict[str, Callable[[], Rung]] = {
        "exact": lambda: _exact(result.fit, contrast, groups, seed),
        "wild_cluster_bootstrap": lambda: _wild(result.fit, contrast, groups, seed),
        "parametric_bootstrap": lambda: _bootstrap(result, contrast, seed, draws),
        "profile": lambda: _profile(result.fit, contrast),
    }
    if not result.linear and name != "parametric_bootstrap":
        return Rung(0, name, note="does not apply: there is no such method here for models that are not linear")
    if name in ("exact", "wild_cluster_bootstrap") and (groups.max() < 1 or not result.fit.design.factors):
        crossed = bool(result.fit.design.factors)
        why = "the grouping factors cross, so that no two groups of rows are independent" if crossed else "the model has no groups"
        return Rung(0, name, note=f"does not apply: {why}")
    try:
        return needs[name]()
    except BscError as refusal:
        return Rung(0, name, note=_reason(refusal))


def _exact(fit: object, contrast: np.ndarray, groups: np.ndarray, seed: int) -> Rung:
    from bscstudy.multilevel.exact_tests import sign_flip_test
    from bscstudy.multilevel.group_estimates import group_estimates

    found = group_estimates(fit.design, groups, contrast)
    if isinstance(found, str):
        return Rung(0, "exact", note=f"does not apply: {found}")
    count = len(found.values)
    left_out = f"{found.n_left_out} groups cannot answer by themselves and are left out" if found.n_left_out else ""
    if found.against is not None:
        return replace(_relation(found, seed), n_clusters=count, note=left_out)
    test = sign_flip_test(found.values, seed=seed)
    error = float(np.std(found.values, ddof=1) / np.sqrt(count))
    method = f"sign flips of {found.words}, each group counting the same: {test.method}"
    low, high = test.interval
    numbers = {"estimate": test.statistic, "std_error": error, "statistic": test.statistic, "p_value": test.p_value}
    return Rung(0, "exact", method, **numbers, low=low, high=high, smallest_p=test.smallest_p, n_clusters=count, note=left_out)


def _relation(found: object, seed: int) -> Rung:
    """Two kinds of groups: permutation of their difference; otherwise of the correlation with the property of groups."""
    from bscstudy.multilevel.exact_tests import correlation_test, two_group_test

    kinds = np.unique(found.against)
    if len(kinds) < 2:
        return Rung(0, "exact", note="does not apply: the groups that can answer do not differ in the property")
    if len(kinds) == 2:
        test = two_group_test(found.values, found.against == kinds[1], seed=seed)
        estimate, name = test.statistic / (kinds[1] - kinds[0]), "assignments of groups"
    else:
        test = correlation_test(found.against, found.values, method="pearson", seed=seed)
        estimate, name = float(np.polyfit(found.against, found.values, 1)[0]), "pairings of groups"
    method = f"permuted {name}, {found.words}: {test.method}"
    return Rung(0, "exact", method, estimate=float(estimate), statistic=test.statistic, p_value=test.p_value, smallest_p=test.smallest_p)


def _wild(fit: object, contrast: np.ndarray, groups: np.ndarray, seed: int) -> Rung:
    from bscstudy.multilevel.wild_cluster_bootstrap import wild_cluster_bootstrap

    data, _ = fit.design.scaled()
    weights = "webb" if groups.max() + 1 < _WEBB_BELOW else "rademacher"
    test = wild_cluster_bootstrap(data[:, -1], np.ascontiguousarray(data[:, :-1]), groups, contrast, weights=weights, seed=seed)
    ends = [end for part in test.confidence_set for end in part]
    parts = len(test.confidence_set)
    drawn = "" if test.enumerated else f", seed {seed}"
    return Rung(
        0,
        "wild_cluster_bootstrap",
        f"least squares, {test.method}{drawn}",
        estimate=test.estimate,
        std_error=test.std_error,
        statistic=test.statistic,
        p_value=test.p_value,
        low=min(ends, default=np.nan),
        high=max(ends, default=np.nan),
        smallest_p=test.smallest_p,
        n_clusters=test.n_clusters,
        note=f"the values not rejected form {parts} intervals; their outer limits are given" if parts > 1 else "",
    )


def _bootstrap(result: object, contrast: np.ndarray, seed: int, draws: int) -> Rung:
    from bscstudy.multilevel.refit import refitter
    from bscstudy.multilevel.result_methods import BootstrapTests

    if not result.fit.design.factors:
        return Rung(0, "parametric_bootstrap", note="does not apply: without groups the t test is exact")
    test = BootstrapTests(result.fit, refitter(result, reml=False), draws, seed).test(contrast[None])
    estimate = float(contrast @ result.fit.beta)
    return Rung(
        0,
        "parametric_bootstrap",
        f"likelihood ratio, {test.n_replicates} simulated data sets, seed {seed}",
        estimate=estimate,
        statistic=float(np.sign(estimate) * np.sqrt(test.statistic)),
        p_value=test.p_value,
        smallest_p=test.smallest_p,
        note=f"{test.n_failed} simulated data sets could not be fitted and count as more extreme" if test.n_failed else "",
    )


def _profile(fit: object, contrast: np.ndarray) -> Rung:
    """Profile likelihood of the contrast as a fixed effect of its own; p from the likelihood ratio."""
    from scipy.special import chdtrc

    from bscstudy.multilevel.linear import fit_linear
    from bscstudy.multilevel.parametric_bootstrap import restricted_design
    from bscstudy.multilevel.profile_likelihood import profile_likelihood

    design = turned_design(fit.design, contrast)
    full = fit_linear(design, reml=False)
    found = [row for row in profile_likelihood(full) if row.kind == "coefficient" and row.term == "contrast"][0]
    ratio = max(2 * (full.log_likelihood - fit_linear(restricted_design(fit.design, contrast[None])[0], reml=False).log_likelihood), 0.0)
    numbers = {"estimate": found.estimate, "std_error": float(np.sqrt(full.covariance[0, 0])), "low": found.lower, "high": found.upper}
    numbers |= {"statistic": float(np.sign(found.estimate) * np.sqrt(ratio)), "p_value": float(chdtrc(1, ratio))}
    return Rung(0, "profile", "profile likelihood (maximum likelihood), p by the likelihood ratio", **numbers, note=found.note)


def turned_design(design: object, contrast: np.ndarray) -> object:
    """Return the design whose first fixed effect is the contrast (p,) of the given one's; the model is the same."""
    lead = int(np.argmax(np.abs(contrast)))
    forward = np.delete(np.eye(design.p), lead, axis=0)
    forward = np.vstack([contrast, forward])
    names = ("contrast", *(name for i, name in enumerate(design.fixed_names) if i != lead))
    return replace(design, fixed=np.ascontiguousarray(design.fixed @ np.linalg.inv(forward)), fixed_names=names, information=None)
