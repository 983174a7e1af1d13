"""Which method of inference answers, by name; and why one does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import check_draws, check_seed

ROBUST = ("cr0", "cr1", "cr2", "cr3")
METHODS = ("satterthwaite", "kenward_roger", *ROBUST, "between_within", "wald", "t", "likelihood_ratio", "parametric_bootstrap")
LINEAR_ONLY = ("satterthwaite", "kenward_roger", *ROBUST, "t")


def default_method(fit: object) -> str:
    """Return the method used where none is named.

    ``satterthwaite`` for linear models: it costs next to nothing and is exact in balanced designs; ``kenward_roger`` also corrects
    the standard errors and is the better choice with few groups. ``t``, which is exact, without random effects. Generalized and
    ordinal models: ``between_within`` where the factors are nested, else ``wald``.
    """
    from bscstudy.multilevel.engine import nested_in

    factors = fit.design.factors
    if is_linear(fit):
        return "satterthwaite" if factors else "t"
    ordered = sorted(factors, key=lambda f: (f.n_levels, f.name))
    nested = all(nested_in(b.codes, a.codes, b.n_levels) for a, b in zip(ordered[:-1], ordered[1:], strict=True))
    return "between_within" if nested else "wald"


def is_linear(fit: object) -> bool:
    """Tell whether a fit is of a linear (gaussian) model."""
    return hasattr(fit, "reml")


def inference(fit: object, method: str | None, refit: Callable, replicates: int = 1000, seed: int | None = None) -> object:
    """Return the object that tests contrasts of the fixed effects by a method.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
    method : str or None
        One of ``METHODS``; None for the default of the model.
    refit : callable
        ``refit(design, start_theta)`` by maximum likelihood.
    replicates, seed : int
        For ``parametric_bootstrap``.

    Returns
    -------
    object
        With ``tests(contrasts)``, ``joint(contrasts)`` and, except for the bootstrap, ``df(contrasts)``; contrasts have shape (m, p).

    Raises
    ------
    BscError
        BSC-LMM-089 for an unknown method, BSC-LMM-091 without a seed, BSC-LMM-106 for a method of linear models where the model is
        none, BSC-LMM-107 for t with random effects, BSC-LMM-108 for a method about groups where the model has none; 048 and 111 for
        a number of replicates or a seed that is none.
    """
    check_draws(replicates, "replicates")
    check_seed(seed)
    name = default_method(fit) if method is None else method if isinstance(method, str) else f"given by a {type(method).__name__}"
    if name not in METHODS:
        raise BscError(
            "BSC-LMM-089",
            f"There is no method of inference '{name}'.",
            "method",
            "Standard errors, degrees of freedom and p-values depend on the method.",
            f"Use one of {', '.join(METHODS)}. {nearest(name, list(METHODS))}".rstrip(),
        )
    _refuse_misfit(fit, name)
    if name in ROBUST:
        from bscstudy.multilevel.cluster_robust import cluster_robust

        return cluster_robust(fit, kind=name.upper())
    if name == "parametric_bootstrap":
        if seed is None:
            raise seed_refusal()
        return BootstrapTests(fit, refit, replicates, seed)
    return _analytic(fit, name, refit)


def _analytic(fit: object, name: str, refit: Callable) -> object:
    if name == "satterthwaite":
        from bscstudy.multilevel.satterthwaite import satterthwaite

        return satterthwaite(fit)
    if name == "kenward_roger":
        from bscstudy.multilevel.kenward_roger import kenward_roger

        return kenward_roger(fit)
    if name == "between_within":
        from bscstudy.multilevel.between_within import between_within

        return between_within(fit)
    if name == "likelihood_ratio":
        from bscstudy.multilevel.likelihood_ratio import likelihood_ratio

        return likelihood_ratio(fit, refit)
    from bscstudy.multilevel.wald import ordinary_t, wald

    return ordinary_t(fit) if name == "t" else wald(fit)


def _refuse_misfit(fit: object, name: str) -> None:
    linear, grouped = is_linear(fit), bool(fit.design.factors)
    if name in LINEAR_ONLY and not linear:
        reason = f"{name} is derived for linear models, and this one is generalized or ordinal"
        raise _misfit("BSC-LMM-106", reason, "Use between_within, wald or likelihood_ratio.")
    if name == "t" and grouped:
        reason = "t is exact only without random effects, and this model has some"
        raise _misfit("BSC-LMM-107", reason, "Use satterthwaite or kenward_roger.")
    if name in ("satterthwaite", "kenward_roger", *ROBUST) and not grouped:
        reason = f"{name} is about groups, and this model has no random effects, so that no group is known to it"
        raise _misfit("BSC-LMM-108", reason, "Use t, which is exact here.")


def _misfit(code: str, reason: str, todo: str) -> BscError:
    why = "A p-value from a method made for other models can be far from right."
    return BscError(code, f"The method does not apply: {reason}.", "method", why, todo)


def seed_refusal() -> BscError:
    """Return the refusal of a random procedure without a seed."""
    return BscError(
        "BSC-LMM-091",
        "A parametric bootstrap needs a seed.",
        "seed",
        "Without one the p-value changes from run to run.",
        "Give a whole number, such as seed=1, and keep it.",
    )


class BootstrapTests:
    """Likelihood-ratio tests against their parametric bootstrap distribution, one seed for all.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
    refit : callable
        ``refit(design, start_theta)`` by maximum likelihood.
    replicates, seed : int
    """

    def __init__(self, fit: object, refit: Callable, replicates: int, seed: int):
        self.fit, self.refit, self.replicates, self.seed = fit, refit, replicates, seed
        self.method = f"parametric bootstrap ({replicates} replicates, seed {seed}, smallest p {1 / (replicates + 1):.2g})"

    def test(self, contrasts: np.ndarray) -> object:
        """Return the whole test of contrasts (m, p) all zero."""
        from bscstudy.multilevel.likelihood_ratio import refuse_empty_null

        refuse_empty_null(self.fit, contrasts)
        how = {"replicates": self.replicates, "seed": self.seed}
        if is_linear(self.fit):
            from bscstudy.multilevel.parametric_bootstrap import likelihood_ratio_bootstrap

            return likelihood_ratio_bootstrap(self.fit, contrasts, **how)
        from bscstudy.multilevel.generalized_bootstrap import generalized_likelihood_ratio_bootstrap

        return generalized_likelihood_ratio_bootstrap(self.fit, contrasts, self.refit, **how)

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return missing degrees of freedom: the bootstrap distribution has none."""
        return np.full(len(np.atleast_2d(contrasts)), np.nan)

    def tests(self, contrasts: np.ndarray) -> object:
        """Return one test for each contrast (m, p); the statistic is the signed root of the likelihood ratio."""
        from bscstudy.multilevel.hypotheses import ContrastTests

        contrasts, p = np.atleast_2d(contrasts), self.fit.design.p
        estimate = contrasts @ self.fit.beta[:p]
        error = np.sqrt(np.einsum("mi,ij,mj->m", contrasts, self.fit.covariance[:p, :p], contrasts))
        found = [self.test(row[None]) for row in contrasts]
        root = np.sign(estimate) * np.sqrt([t.statistic for t in found])
        return ContrastTests(estimate, error, self.df(contrasts), root, np.array([t.p_value for t in found]), self.method)

    def joint(self, contrasts: np.ndarray) -> object:
        """Return the test of contrasts (m, p) all zero; the statistic is the likelihood ratio over its degrees of freedom."""
        from bscstudy.multilevel.hypotheses import JointTest

        found = self.test(np.atleast_2d(contrasts))
        return JointTest(found.statistic / found.df, float(found.df), np.inf, found.p_value, self.method)


def contrast_matrix(design: object, terms: object) -> np.ndarray:
    """Return the contrasts (m, p) that set terms of the formula, or single fixed columns, to zero; a matrix is returned as it is.

    Parameters
    ----------
    terms : str, sequence of str, or ndarray of shape (m, p) or (p,)

    Raises
    ------
    BscError
        BSC-LMM-092 for an unknown term, BSC-LMM-093 for a matrix of another width, 137 for one not finite, 138 for one all zero.
    """
    from bscstudy.multilevel.between_within import terms_of

    named = [terms] if isinstance(terms, str) else list(terms) if isinstance(terms, (Sequence, Set)) else []
    if not named or not all(isinstance(t, str) for t in named):
        return _given_matrix(design, terms)
    known = {**{name: (i,) for i, name in enumerate(design.fixed_names)}, **terms_of(design)}
    for name in named:
        if name not in known:
            raise BscError(
                "BSC-LMM-092",
                f"The fixed part has no term '{name}'.",
                "terms",
                "A test of a term that is not in the model tests nothing.",
                f"Use some of: {', '.join(known)}. {nearest(name, list(known))}".rstrip(),
            )
    columns = sorted({c for name in named for c in known[name]})
    return np.eye(design.p)[columns]


def _given_matrix(design: object, matrix: object) -> np.ndarray:
    try:
        contrasts = np.atleast_2d(np.asarray(matrix, dtype=float))
    except (OverflowError, TypeError, ValueError):
        contrasts = np.zeros((0, 0))
    if contrasts.shape[1:] != (design.p,):
        raise BscError(
            "BSC-LMM-093",
            f"The contrasts do not fit {design.p} fixed effects.",
            "contrasts",
            "Each fixed effect needs its weight, otherwise another question is answered.",
            f"Give rows of {design.p} numbers, in the order: {', '.join(design.fixed_names)}.",
        )
    if not np.all(np.isfinite(contrasts)):
        raise BscError(
            "BSC-LMM-137",
            "A matrix of contrasts holds weights that are missing or infinite.",
            "contrasts",
            "What it asks cannot be worked out.",
            "Give 0 to the fixed effects that a contrast does not concern.",
        )
    if not np.any(contrasts):
        raise BscError(
            "BSC-LMM-138",
            "A matrix of contrasts is zero throughout.",
            "contrasts",
            "It asks nothing.",
            "Give at least one fixed effect a weight other than 0.",
        )
    return contrasts
