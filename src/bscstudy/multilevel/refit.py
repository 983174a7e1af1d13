"""A result's own model once more, on other rows or other outcomes; and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_draws, check_seed


def refitter(result: object, *, reml: bool) -> Callable:
    """Return ``refit(design, start_theta)``, which fits the model of a result to another design.

    Parameters
    ----------
    result : MixedModelResult
    reml : bool
        For linear models; generalized models are always fitted by maximum likelihood.
    """
    if result.linear:
        from bscstudy.multilevel.linear import fit_linear

        return lambda design, start: fit_linear(design, reml=reml, start=start)
    from bscstudy.multilevel.generalized import fit_generalized

    return lambda design, start: fit_generalized(design, result.family, quadrature_points=result.quadrature_points, start=start)


def bootstrap(result: object, terms: object, replicates: int, seed: int | None) -> object:
    """Return a bootstrap likelihood-ratio test of terms, or refits of simulated outcomes where ``terms`` is None."""
    from bscstudy.multilevel.result_methods import BootstrapTests, contrast_matrix, seed_refusal

    check_draws(replicates, "replicates")
    check_seed(seed)
    if seed is None:
        raise seed_refusal()
    refit = refitter(result, reml=False)
    if terms is not None:
        tests = BootstrapTests(result.fit, refit, replicates, seed)
        return tests.test(contrast_matrix(result.fit.design, terms))
    if result.linear:
        from bscstudy.multilevel.parametric_bootstrap import bootstrap_sample

        return bootstrap_sample(result.fit, replicates=replicates, seed=seed)
    from bscstudy.multilevel.generalized_bootstrap import generalized_bootstrap_sample

    return generalized_bootstrap_sample(result.fit, replicates=replicates, seed=seed)


def refuse_generalized(result: object, what: str) -> None:
    """Refuse what rests on the linear model (BSC-LMM-097)."""
    if not result.linear:
        raise BscError(
            "BSC-LMM-097",
            f"There is no such thing yet for a {result.family.name} model: {what}.",
            f"model {result.formula}",
            "The computation rests on the linear model; applied here it would give a number that means nothing.",
            "Use likelihood_ratio or between_within.",
        )


def title(result: object) -> str:
    """Return the kind of model in words."""
    name, grouped = result.family.name, bool(result.fit.design.factors)
    if name == "gaussian":
        return "Linear mixed model" if grouped else "Linear regression"
    words = {"cumulative": "Ordinal", "beta_binomial": "Beta-binomial", "negative_binomial": "Negative binomial"}
    kind = f"{words.get(name, name.capitalize())} {'mixed model' if grouped else 'regression'}"
    return f"{kind} ({'cumulative ' if name == 'cumulative' else ''}{result.family.link})"


def estimator(result: object) -> str:
    """Return how a model was fitted, in words."""
    if result.linear:
        return "restricted maximum likelihood" if result.restricted else "maximum likelihood"
    points = result.quadrature_points
    return "maximum likelihood, " + ("Laplace approximation" if points == 1 else f"adaptive Gauss-Hermite quadrature with {points} points")


def content(result: object, method: str | None) -> dict:
    """Return everything a result states, for JSON."""
    frame = result.to_frame(method)
    verdict = result.verdict
    numbers = {} if verdict.state == "failed" else {"theta": np.asarray(result.theta), "variance_components": result.variance_components}
    if verdict.state != "failed":
        numbers |= {"sigma": result.sigma, "log_likelihood": result.log_likelihood, "other_parameters": result.extra_parameters}
    return {
        "formula": result.formula,
        "model": result.title,
        "family": result.family.name,
        "link": result.family.link,
        "estimator": result.estimator,
        "n": result.n,
        "n_groups": result.n_groups,
        "n_missing": result.n_missing,
        "method": frame.attrs.get("method", ""),
        "fixed_effects": frame.drop(columns=["method", "verdict"]),
        "verdict": {"state": verdict.state, "reasons": verdict.reasons, "numbers": verdict.numbers},
        **numbers,
    }
