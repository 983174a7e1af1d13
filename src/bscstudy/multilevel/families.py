"""Families of outcomes and their links: lookup, link functions, moments, simulation, residual variance on the link scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError, nearest
from bscstudy.multilevel.argument_checks import one_of

_CODES = {"gaussian": 0, "binomial": 1, "poisson": 2, "negative_binomial": 3, "beta_binomial": 4, "cumulative": 5}
_LINK_CODES = {"identity": 0, "logit": 1, "probit": 2, "cloglog": 3, "log": 4}
ALLOWED_LINKS = {
    "gaussian": ("identity",),
    "binomial": ("logit", "probit", "cloglog"),
    "poisson": ("log",),
    "negative_binomial": ("log",),
    "beta_binomial": ("logit",),
    "cumulative": ("logit", "probit"),
}
_EXTRA_NAMES = {"negative_binomial": ("log_size",), "beta_binomial": ("log_precision",)}
_LARGEST_LOG_MEAN = 700.0
_SMALLEST_SHAPE = 1e-290


@dataclass(frozen=True)
class Family:
    """One family with one link.

    Attributes
    ----------
    name, link : str
        As the user wrote them, such as ``binomial`` and ``logit``.
    code, link_code : int
        What the compiled kernels know them by.
    extra_names : tuple of str
        Parameters besides the linear predictor, on the scale of the optimiser: ``log_size`` (negative binomial),
        ``log_precision`` (beta-binomial), the thresholds ``low|high`` (cumulative).
    """

    name: str
    link: str
    code: int
    link_code: int
    extra_names: tuple[str, ...] = ()

    @property
    def has_trials(self) -> bool:
        """Whether the outcome is a number of successes out of trials."""
        return self.name in ("binomial", "beta_binomial")

    @property
    def is_ordinal(self) -> bool:
        """Whether the outcome is an ordered category (no intercept: the thresholds take its place)."""
        return self.name == "cumulative"


def family_named(name: str, link: str | None = None, *, categories: tuple[str, ...] = ()) -> Family:
    """Look up a family by name.

    Parameters
    ----------
    name : str
        gaussian, binomial, poisson, negative_binomial, beta_binomial or cumulative.
    link : str, optional
        The family's first allowed link where not given.
    categories : tuple of str
        Labels of the ordered categories, lowest first (cumulative only); they name the thresholds.

    Raises
    ------
    BscError
        BSC-LMM-070 unknown family, BSC-LMM-071 a link the family does not have.
    """
    if not one_of(name, ALLOWED_LINKS):
        allowed = ", ".join(ALLOWED_LINKS)
        raise BscError(
            "BSC-LMM-070",
            f"The family '{name}' is not known. {nearest(name, list(ALLOWED_LINKS))}".strip(),
            "family of the model",
            "The family says how the outcome varies around its mean; no family is assumed.",
            f"Write one of: {allowed}.",
        )
    links = ALLOWED_LINKS[name]
    if link is not None and not one_of(link, links):
        raise BscError(
            "BSC-LMM-071",
            f"The family '{name}' has no link '{link}'.",
            "link of the model",
            "The link decides the scale of every estimate, such as log odds or log rates.",
            f"Write one of: {', '.join(links)}; or leave the link out for {links[0]}.",
        )
    link = link or links[0]
    thresholds = tuple(f"{low}|{high}" for low, high in zip(categories[:-1], categories[1:], strict=True))
    return Family(name, link, _CODES[name], _LINK_CODES[link], thresholds if name == "cumulative" else _EXTRA_NAMES.get(name, ()))


def inverse_link(family: Family, eta: np.ndarray) -> np.ndarray:
    """Return the inverse link of a linear predictor of any shape.

    A probability (logit, probit, cloglog), a positive mean (log) or ``eta`` itself (identity). For ordered categories
    it is the distribution function F of P(response <= k) = F(threshold_k - eta).
    """
    from scipy import special

    eta = np.asarray(eta, dtype=float)
    if family.link == "logit":
        return special.expit(eta)
    if family.link == "probit":
        return special.ndtr(eta)
    if family.link == "cloglog":
        return -np.expm1(-np.exp(np.minimum(eta, _LARGEST_LOG_MEAN)))
    return np.exp(np.minimum(eta, _LARGEST_LOG_MEAN)) if family.link == "log" else eta


def category_probabilities(family: Family, eta: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the probabilities of K ordered categories, shape ``eta.shape`` + (K,), from K - 1 increasing thresholds."""
    distance = np.asarray(thresholds, dtype=float) - np.asarray(eta, dtype=float)[..., None]
    edges = np.concatenate([np.full(distance.shape[:-1] + (1,), -np.inf), distance, np.full(distance.shape[:-1] + (1,), np.inf)], axis=-1)
    lower, upper = edges[..., :-1], edges[..., 1:]
    mirrored = lower + upper > 0.0
    return np.where(
        mirrored,
        inverse_link(family, -lower) - inverse_link(family, -upper),
        inverse_link(family, upper) - inverse_link(family, lower),
    )


def mean_response(family: Family, eta: np.ndarray, extra: np.ndarray = (), trials: np.ndarray | float = 1.0) -> np.ndarray:
    """Return the expected response at a linear predictor.

    A number of successes (``trials`` times the probability), a count, or for ordered categories the expected category
    (0 to K - 1).
    """
    if family.is_ordinal:
        probabilities = category_probabilities(family, eta, extra)
        return probabilities @ np.arange(probabilities.shape[-1])
    centre = inverse_link(family, eta)
    return trials * centre if family.has_trials else centre


def response_variance(family: Family, eta: np.ndarray, extra: np.ndarray = (), trials: np.ndarray | float = 1.0) -> np.ndarray:
    """Return the variance of the response given the linear predictor (gaussian: in units of sigma squared, so one).

    Source: negative binomial mean + mean^2 / size; beta-binomial n mu (1 - mu) (phi + n) / (phi + 1).
    """
    if family.is_ordinal:
        probabilities = category_probabilities(family, eta, extra)
        scores = np.arange(probabilities.shape[-1])
        return probabilities @ scores**2 - (probabilities @ scores) ** 2
    centre = inverse_link(family, eta)
    if family.name == "poisson":
        return centre
    if family.name == "negative_binomial":
        return centre + centre**2 / np.exp(extra[0])
    if family.name == "gaussian":
        return np.ones_like(centre)
    variance = trials * centre * inverse_link_complement(family, eta)
    if family.name == "beta_binomial":
        precision = np.exp(extra[0])
        variance = variance * (precision + trials) / (precision + 1.0)
    return variance


def inverse_link_complement(family: Family, eta: np.ndarray) -> np.ndarray:
    """Return one minus the probability, without loss in the tail."""
    if family.link == "cloglog":
        return np.exp(-np.exp(np.minimum(eta, _LARGEST_LOG_MEAN)))
    return inverse_link(family, -np.asarray(eta, dtype=float))


def _beside(trials: np.ndarray | float, eta: np.ndarray) -> np.ndarray:
    """Trials of the rows, repeated over the columns where ``eta`` is (n, B)."""
    trials = np.asarray(trials, dtype=float)
    return trials[:, None] if trials.ndim == 1 and eta.ndim == 2 else trials


def simulate_response(
    family: Family,
    eta: np.ndarray,
    rng: np.random.Generator,
    *,
    extra: np.ndarray = (),
    trials: np.ndarray | float = 1.0,
    sigma: float = 1.0,
) -> np.ndarray:
    """Draw responses given linear predictors.

    Parameters
    ----------
    family : Family
        Any of them.
    eta : ndarray, shape (n,) or (n, B)
        Linear predictors, offset and random effects included.
    rng : numpy Generator
        The only source of chance.
    extra : ndarray, shape (m,)
        Extra parameters on the optimiser's scale.
    trials : ndarray, shape (n,), or float
        Number of trials (binomial and beta-binomial).
    sigma : float
        Residual standard deviation (gaussian).

    Returns
    -------
    ndarray of float64, the shape of ``eta``
        Successes, counts, categories 0 to K - 1, or values.
    """
    eta = np.asarray(eta, dtype=float)
    if family.is_ordinal:
        uniform = rng.random(eta.shape)[..., None]
        return (uniform > inverse_link(family, np.asarray(extra) - eta[..., None])).sum(axis=-1).astype(float)
    centre = inverse_link(family, eta)
    if family.name == "gaussian":
        return rng.normal(centre, sigma)
    if family.name == "poisson":
        return rng.poisson(centre).astype(float)
    if family.name == "negative_binomial":
        size = np.exp(extra[0])
        return rng.poisson(rng.gamma(size, centre / size)).astype(float)
    if family.name == "beta_binomial":
        precision = np.exp(extra[0])
        shapes = (np.maximum(precision * part, _SMALLEST_SHAPE) for part in (centre, inverse_link_complement(family, eta)))
        centre = rng.beta(*shapes)
    return rng.binomial(_beside(trials, eta).astype(np.int64), centre).astype(float)


def natural_extra(family: Family, extra: np.ndarray) -> dict[str, float]:
    """Return the extra parameters in the units they are reported in.

    ``size`` of the negative binomial (variance mean + mean^2 / size), ``precision`` of the beta-binomial with
    ``indicator_correlation`` = 1 / (1 + precision), and the thresholds of ordered categories under their own names.
    """
    if family.name == "negative_binomial":
        return {"size": float(np.exp(extra[0]))}
    if family.name == "beta_binomial":
        precision = float(np.exp(extra[0]))
        return {"precision": precision, "indicator_correlation": 1.0 / (1.0 + precision)}
    return {name: float(value) for name, value in zip(family.extra_names, extra, strict=True)}


_RESIDUAL_OF_LINK = {"logit": np.pi**2 / 3.0, "probit": 1.0, "cloglog": np.pi**2 / 6.0}


def link_residual_variance(
    family: Family, mean: float | None = None, extra: np.ndarray = (), *, method: str = "lognormal", sigma: float = 1.0
) -> float:
    """Return the variance of one observation on the scale of the link, for intraclass correlations and R2.

    Parameters
    ----------
    family : Family
        logit pi^2 / 3, probit 1, cloglog pi^2 / 6 for one trial (one indicator, one ordered category); a beta-binomial
        indicator is Bernoulli by itself, so its variance is that of the binomial. gaussian: ``sigma`` squared.
    mean : float
        Mean count over random effects and covariates (log link only), such as the average of the fitted values
        exp(X beta + half the summed random variances).
    extra : ndarray
        Log size of the negative binomial.
    method : {"lognormal", "delta", "trigamma"}
        Log link only: log(1 + v), v, or trigamma(1 / v), where v = 1 / mean + 1 / size.
    sigma : float
        Residual standard deviation (gaussian).

    Raises
    ------
    ValueError
        No positive mean for a count, or an unknown method.

    Source: Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14:20170213, table 1 and equations 2.4-2.6.
    """
    if family.name == "gaussian":
        return float(sigma) ** 2
    if family.link != "log":
        return float(_RESIDUAL_OF_LINK[family.link])
    if mean is None or not mean > 0.0:
        raise ValueError("the variance of a count on the log scale needs its positive mean")
    ratio = 1.0 / mean + (float(np.exp(-extra[0])) if family.name == "negative_binomial" else 0.0)
    if method == "lognormal":
        return float(np.log1p(ratio))
    if method == "delta":
        return float(ratio)
    if method == "trigamma":
        from scipy.special import polygamma

        return float(polygamma(1, 1.0 / ratio))
    raise ValueError(f"unknown method {method!r}")
