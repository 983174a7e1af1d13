"""The verdict on a fit: may its numbers be shown, and what must be said with them."""

from __future__ import annotations

from dataclasses import dataclass, field

STATES = ("ok", "boundary", "unreliable", "failed")
ESTIMATED = ("ok", "boundary")
NO_RANDOM_SLOPE = "no random slope is fitted"
CLEAR = 0.05  # a change is called clear if its interval leaves out zero and its adjusted p lies below this
MAIN_CONTRAST = "change_post"  # the contrast that displays and sentences show where a model declares it
CRITERION_TOLERANCE = 1e-5  # log-likelihood units; two optimisers that agree on the optimum differ far less
GLS_TOLERANCE = 1e-4  # in standard errors; style rule for the independent check
DECIMALS = 8  # of the numbers kept with a verdict: what lies below is rounding and differs between machines
DECREMENT_TOLERANCE = 1e-9  # half the Newton decrement, log-likelihood units still to be gained


@dataclass(frozen=True)
class Verdict:
    """State of a fit (ok, boundary, unreliable, failed), the reasons in plain sentences, and the numbers behind them."""

    state: str
    reasons: tuple[str, ...] = ()
    numbers: dict = field(default_factory=dict)

    @property
    def estimated(self) -> bool:
        """Whether estimates may be shown."""
        return self.state in ESTIMATED


class NotEstimable(Exception):
    """A model that the data at hand cannot answer; carries the reasons, becomes a verdict `failed`."""

    def __init__(self, *reasons: str):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def judge(fit, check, *, lacking_df: list[str], flags: list[str]) -> Verdict:
    """Weigh a fit and its independent check.

    Parameters
    ----------
    fit : bscstudy.models.mixed.MixedFit
    check : bscstudy.models.check.IndependentCheck
    lacking_df : list of str
        Terms without any degree of freedom left at their level.
    flags : list of str
        Sentences that do not forbid the numbers but must stand beside them (a reworded item).

    Returns
    -------
    Verdict
        `unreliable` with every fault; else `boundary` if a variance is exactly zero, else `ok`. Limits are the constants of this module.
    """
    bad = _faults(fit, check) + [f"no degrees of freedom are left for {term}" for term in lacking_df]
    numbers = {
        "newton_decrement": fit.decrement,
        "smallest_curvature": fit.smallest_curvature,
        "powell_below_optimum": fit.powell_below_optimum,
        "second_optimiser_gain": check.second_gain,
        "log_likelihood_difference": check.criterion_difference,
        "statsmodels_log_likelihood_difference": check.statsmodels_difference,
        "gls_difference_in_standard_errors": check.gls_difference,
        "closed_form_difference": check.closed_form_difference,
    }
    numbers = {name: None if value is None else round(float(value), DECIMALS) + 0.0 for name, value in numbers.items()}
    if bad:
        return Verdict("unreliable", tuple(bad), numbers)
    zero = [name for name, variance in zip(fit.group_names, fit.variances, strict=True) if variance == 0]
    at_zero = (
        [f"the variance of {' and '.join(zero)} is estimated as zero; the estimates are those of the model without it"] if zero else []
    )
    return Verdict("boundary" if zero else "ok", tuple(at_zero + flags), numbers)


def _faults(fit, check) -> list[str]:
    bad = []
    if not fit.finite:
        bad.append("the log-likelihood or a standard error is not finite")
    elif fit.decrement > DECREMENT_TOLERANCE:
        bad.append(f"the optimiser stopped before the optimum (still to gain: {fit.decrement:.2g})")
    if fit.smallest_curvature is not None and not fit.smallest_curvature > 0:
        bad.append("the criterion is not curved upwards in the variances: they are not determined by these data")
    if check.second_gain > CRITERION_TOLERANCE or check.statsmodels_gain > CRITERION_TOLERANCE:
        bad.append("another optimiser found a better optimum")
    if not max(check.criterion_difference, check.statsmodels_difference) <= CRITERION_TOLERANCE:
        bad.append("the log-likelihood computed a second way differs")
    if not check.gls_difference <= GLS_TOLERANCE:
        bad.append("fixed estimates or standard errors computed a second way differ")
    if check.closed_form_difference is not None and not check.closed_form_difference <= GLS_TOLERANCE:
        bad.append("the variances differ from their closed form for a balanced design")
    return bad
