"""The verdict on a fit: may its numbers be shown, and what must be said with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

STATES = ("ok", "boundary", "unreliable", "failed")
ESTIMATED = ("ok", "boundary")
#: deviance still to be gained by one Newton step; the optimiser leaves far less
DECREMENT_TOLERANCE = 1e-8
#: fewest levels of a factor with which the variance between them is more than a guess
FEW_LEVELS = 5
DECIMALS = 8


@dataclass(frozen=True)
class Verdict:
    """What a fit is worth.

    Attributes
    ----------
    state : str
        ``ok``; ``boundary`` (a variance of 0 or a correlation of 1: usable, and said); ``unreliable`` (numbers exist but must not be
        shown); ``failed`` (no numbers).
    reasons : tuple of str
        Plain sentences; for ``ok`` only cautions.
    numbers : dict
        The figures behind the reasons, rounded to 8 decimals.
    """

    state: str
    reasons: tuple[str, ...] = ()
    numbers: dict = field(default_factory=dict)

    @property
    def estimated(self) -> bool:
        """Whether estimates may be shown."""
        return self.state in ESTIMATED


def judge_fit(fit: object) -> Verdict:
    """Weigh a fit by its own numbers: finite, at the optimum, curved upwards, inside or on the boundary.

    Parameters
    ----------
    fit : LinearFit or GeneralizedFit
        With ``gradient`` and ``hessian`` (of the deviance, in all optimised parameters), ``covariance``, ``log_likelihood``,
        ``converged``, ``boundary``, ``design``.

    Returns
    -------
    Verdict
        Source: the order of checks of the house plan (design, optimum, curvature, boundary).
    """
    gradient, hessian = np.asarray(fit.gradient), np.asarray(fit.hessian)
    decrement, smallest = _optimality(gradient, hessian)
    numbers = {
        "largest_gradient": float(np.max(np.abs(gradient), initial=0.0)),
        "newton_decrement": decrement,
        "smallest_curvature": smallest,
        "evaluations": float(fit.evaluations),
    }
    numbers = {name: None if value is None else round(value, DECIMALS) + 0.0 for name, value in numbers.items()}
    finite = np.isfinite(fit.log_likelihood) and np.all(np.isfinite(fit.covariance)) and np.all(np.diag(fit.covariance) > 0)
    faults = []
    if not finite:
        faults.append("the log-likelihood or a standard error is not finite")
    if finite and not decrement <= DECREMENT_TOLERANCE:
        faults.append(f"the optimiser stopped before the optimum (deviance still to gain: {decrement:.2g})")
    if finite and not fit.converged and decrement <= DECREMENT_TOLERANCE:
        faults.append("the optimiser reports that it did not converge")
    if smallest is not None and not smallest > -1e-8:
        faults.append("the criterion is not curved upwards: the parameters are not determined by these data")
    if faults:
        return Verdict("unreliable", tuple(faults), numbers)
    cautions = tuple(
        f"{f.name} has {f.n_levels} levels, too few to know the variance between them well"
        for f in fit.design.factors
        if f.n_levels < FEW_LEVELS
    )
    return Verdict("boundary" if fit.boundary else "ok", tuple(fit.boundary) + cautions, numbers)


def _optimality(gradient: np.ndarray, hessian: np.ndarray) -> tuple[float, float | None]:
    """Return half the Newton decrement on the curved directions and the smallest eigenvalue after scaling the diagonal to 1."""
    if not len(gradient):
        return 0.0, None
    if not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))):
        return np.inf, None
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    turned = vectors.T @ (gradient / scale)
    keep = np.abs(values) > 1e-10
    flat = float(np.sum(np.abs(turned[~keep])))
    return float(np.sum(turned[keep] ** 2 / np.abs(values[keep])) / 2 + flat), float(values.min())
