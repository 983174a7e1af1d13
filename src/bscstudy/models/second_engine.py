"""Every reported model a second time, by a path that shares no code with the engine; and what is wrong where the two differ.

Linear models: estimates and likelihood by generalised least squares written out (`dense_gls`) at the engine's variances, and an optimum
sought from another start: by statsmodels MixedLM where it can express the model, otherwise by a derivative-free search. Balanced
designs also have a closed form (`balanced`). Without groups: statsmodels least squares. Generalized and ordinal models: the dense
Laplace approximation of `bscstudy.multilevel.laplace_dense`, which is the engine's own oracle: value, gradient and curvature.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from bscstudy.models.balanced import balanced_variances
from bscstudy.models.dense_gls import PlainFit, PlainModel, gls, plain_model
from bscstudy.models.statsmodels_fit import expressible, statsmodels_fit

LOG_LIKELIHOOD_TOLERANCE = 1e-5  # log-likelihood units; two ways to the same number differ by rounding only
ESTIMATE_TOLERANCE = 1e-4  # in standard errors; style rule for the independent check
STD_ERROR_TOLERANCE = 1e-4  # relative; the same rule
CURVATURE_TOLERANCE = 1e-3  # relative; standard errors from second differences of a log-likelihood have no more digits
CLOSED_FORM_TOLERANCE = 1e-6  # share of the total variance; both are exact up to the optimiser's stop
#: rows times variance parameters up to which a search without derivatives takes a second or two
SEARCH_COST = 3000
#: largest cluster and number of clusters beyond which the sparse form is the quicker one in a search
QUICK_BLOCK, QUICK_CLUSTERS = 250, 60
DECIMALS = 8  # of the differences kept: what lies below is rounding and differs between machines


@dataclass(frozen=True)
class SecondEngine:
    """How far two independent ways to one model lie apart; largest absolute differences, relative for standard errors.

    ``better_optimum_by``: how much higher the log-likelihood of another optimiser is (0 or less: nothing better), None where none was
    run; ``closed_form_difference``: of the variances from their closed form, None where the design is not balanced.
    """

    engine: str
    log_likelihood_difference: float
    estimate_difference_in_se: float
    std_error_ratio_difference: float
    better_optimum_by: float | None = None
    closed_form_difference: float | None = None
    std_error_tolerance: float = STD_ERROR_TOLERANCE

    @property
    def faults(self) -> tuple[str, ...]:
        """One sentence for each difference above its tolerance; a missing difference is a fault."""
        found = []
        if self.better_optimum_by is not None and not self.better_optimum_by <= LOG_LIKELIHOOD_TOLERANCE:
            found.append(f"another optimiser found a better optimum (log-likelihood higher by {self.better_optimum_by:.2g})")
        if not self.log_likelihood_difference <= LOG_LIKELIHOOD_TOLERANCE:
            found.append(f"the log-likelihood computed a second way differs by {self.log_likelihood_difference:.2g}")
        if not self.estimate_difference_in_se <= ESTIMATE_TOLERANCE:
            found.append(f"estimates computed a second way differ by up to {self.estimate_difference_in_se:.2g} standard errors")
        if not self.std_error_ratio_difference <= self.std_error_tolerance:
            found.append(f"standard errors computed a second way differ by a share of {self.std_error_ratio_difference:.2g}")
        if self.closed_form_difference is not None and not self.closed_form_difference <= CLOSED_FORM_TOLERANCE:
            found.append("the variances differ from their closed form for a balanced design")
        return tuple(found)

    @property
    def agrees(self) -> bool:
        """Whether nothing differs above its tolerance."""
        return not self.faults

    def as_dict(self) -> dict:
        """Return plain values for JSON, rounded."""
        plain = {k: v if v is None or isinstance(v, str) else round(float(v), DECIMALS) + 0.0 for k, v in asdict(self).items()}
        plain.pop("std_error_tolerance")
        return {**plain, "agrees": self.agrees}


def second_engine(result: object) -> SecondEngine | None:
    """Recompute a fitted model independently; None where no second way to it is small enough (large generalized models).

    Parameters
    ----------
    result : bscstudy.multilevel.result.MixedModelResult
    """
    if not result.linear:
        return _generalized(result)
    fit = result.fit
    model = plain_model(fit.design)
    covariances = [fit.layout.covariance_matrix(fit.entries, i) for i in range(len(fit.design.factors))]
    dense = gls(model, covariances, fit.reml)
    if not fit.design.factors:
        return _compared("statsmodels least squares; normal likelihood written out", fit, _least_squares(model, dense, fit.reml))
    free = tuple(np.asarray(f.free) for f in fit.design.factors)
    closed = _closed_form_difference(fit, model, free)
    name = f"generalised least squares {'written out' if model.largest <= 2000 else 'from sparse mixed-model equations'}"
    other = statsmodels_fit(model, free, covariances, fit.reml) if expressible(model, free) else None
    if other is not None:
        differing = abs(other.at_estimates - fit.log_likelihood)
        better = None if other.optimum is None else other.optimum - fit.log_likelihood
        return _compared(f"statsmodels MixedLM (Powell); {name}", fit, dense, differing, better, closed)
    if fit.design.n * fit.layout.n_parameters > SEARCH_COST:
        return _compared(name, fit, dense, 0.0, None, closed)
    better = other_optimum(model, free, fit.reml) - fit.log_likelihood
    return _compared(f"{name}; Nelder-Mead from another start", fit, dense, 0.0, better, closed)


def _compared(
    engine: str, fit: object, other: PlainFit, differing: float = 0.0, better: float | None = None, closed: float | None = None
) -> SecondEngine:
    errors = np.sqrt(np.diag(fit.covariance))
    return SecondEngine(
        engine,
        max(abs(other.log_likelihood - fit.log_likelihood), differing),
        float(np.max(np.abs(other.estimates - fit.beta) / errors)),
        float(np.max(np.abs(other.std_errors / errors - 1))),
        better,
        closed,
    )


def _least_squares(model: PlainModel, dense: PlainFit, reml: bool) -> PlainFit:
    """Estimates and standard errors of statsmodels; its likelihood is another one, that of the normal density is kept."""
    from statsmodels.regression.linear_model import WLS

    found = WLS(model.y, model.x, weights=model.weights).fit()
    n, p = model.x.shape
    covariance = np.asarray(found.cov_params()) * (1.0 if reml else (n - p) / n)
    return PlainFit(dense.log_likelihood, np.asarray(found.params), covariance, dense.sigma2)


def other_optimum(model: PlainModel, free: tuple[np.ndarray, ...], reml: bool) -> float:
    """Return the best log-likelihood of a derivative-free search over the covariance factors, from another start than the engine's."""
    from scipy.optimize import minimize

    places = [(i, tuple(place)) for i, own in enumerate(free) for place in np.argwhere(np.tril(own))]
    sparse = model.largest > QUICK_BLOCK or len(model.clusters) > QUICK_CLUSTERS

    def minus_log_likelihood(values: np.ndarray) -> float:
        lower = [np.zeros(own.shape) for own in free]
        for value, (i, place) in zip(values, places, strict=True):
            lower[i][place] = value
        return -gls(model, [m @ m.T for m in lower], reml, sparse=sparse).log_likelihood

    start = np.array([0.4 if row == column else 0.05 for _, (row, column) in places])
    options = {"xatol": 1e-5, "fatol": 1e-8, "maxfev": 150 * len(places)}
    return -float(minimize(minus_log_likelihood, start, method="Nelder-Mead", options=options).fun)


def _closed_form_difference(fit: object, model: PlainModel, free: tuple[np.ndarray, ...]) -> float | None:
    """Largest difference of the variances from the balanced closed form, as a share of their sum."""
    order = sorted(range(len(free)), key=lambda i: int(model.codes[i].max()))
    intercepts = all(len(own) == 1 and np.all(columns == 1) for own, columns in zip(free, model.columns, strict=True))
    nested = all(_inside(model.codes[b], model.codes[a]) for a, b in zip(order, order[1:], strict=False))
    if not (fit.reml and intercepts and nested and np.all(model.weights == 1)):
        return None
    closed = balanced_variances(model.y, model.x, tuple(model.codes[i] for i in order))
    if closed is None:
        return None
    relative = [float(fit.layout.covariance_matrix(fit.entries, i)[0, 0]) for i in order]
    own = fit.sigma**2 * np.array([*relative, 1.0])
    return float(np.max(np.abs(closed - own)) / own.sum())


def _inside(inner: np.ndarray, outer: np.ndarray) -> bool:
    return len(np.unique(np.column_stack([inner, outer]), axis=0)) == len(np.unique(inner))


def _generalized(result: object) -> SecondEngine | None:
    """The dense Laplace approximation; None where it would be too large."""
    from bscstudy.models.dense_laplace import dense_comparison, small_enough

    fit = result.fit
    if not small_enough(fit) or result.quadrature_points != 1:
        return None
    dense = dense_comparison(fit)
    differing = abs(dense.log_likelihood - fit.log_likelihood)
    shift, ratio = float(np.max(np.abs(dense.shift))), float(np.max(np.abs(dense.ratio - 1)))
    return SecondEngine(
        "dense Laplace approximation, differentiated numerically", differing, shift, ratio, dense.gain, None, CURVATURE_TOLERANCE
    )
