"""Compiled log densities of one observation and their derivatives in the linear predictor and the extra parameters."""

from __future__ import annotations

import math

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.ordinal_kernel import category_row
from bscstudy.multilevel.special_kernel import (
    log_factorial,
    log_logistic_distribution,
    log_normal_distribution,
    log_rising_factorial,
)

BINOMIAL, POISSON, NEGATIVE_BINOMIAL, BETA_BINOMIAL, CUMULATIVE = 1, 2, 3, 4, 5
IDENTITY, LOGIT, PROBIT, CLOGLOG, LOG = 0, 1, 2, 3, 4
_LARGEST_EXPONENT = 700.0
_LARGEST_BETA_PREDICTOR = 200.0


@kernel
def _log_cloglog(eta):
    """log(1 - exp(-exp(eta))) and three derivatives in eta."""
    t = math.exp(max(-_LARGEST_EXPONENT, min(eta, _LARGEST_EXPONENT)))
    if t > _LARGEST_EXPONENT:
        return 0.0, 0.0, 0.0, 0.0
    value = math.log(-math.expm1(-t))
    slope = t / math.expm1(t)
    square = t * t
    if t < 0.1:
        change = -0.5 * t - square * (1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600)))
    else:
        change = 1.0 - t - slope
    return value, slope, slope * change, slope * (change * change - t - slope * change)


@kernel
def _log_outcome(link_code, success, eta):
    """Log probability of a success or a failure and three derivatives in eta."""
    if link_code == CLOGLOG:
        if success:
            return _log_cloglog(eta)
        t = -math.exp(min(eta, _LARGEST_EXPONENT))
        return t, t, t, t
    sign = 1.0 if success else -1.0
    part = log_logistic_distribution(sign * eta) if link_code == LOGIT else log_normal_distribution(sign * eta)
    return part[0], sign * part[1], part[2], sign * part[3]


@kernel
def _binomial_row(link_code, successes, trials, eta):
    """Successes out of trials: value and three derivatives in eta."""
    failures = trials - successes
    value, d1, d2, d3 = 0.0, 0.0, 0.0, 0.0
    if successes > 0.0 and failures > 0.0:
        value = log_factorial(trials) - log_factorial(successes) - log_factorial(failures)
    for side in range(2):
        count = failures if side == 0 else successes
        if count > 0.0:
            part = _log_outcome(link_code, side == 1, eta)
            value, d1, d2, d3 = value + count * part[0], d1 + count * part[1], d2 + count * part[2], d3 + count * part[3]
    return value, d1, d2, d3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@kernel
def _poisson_row(count, eta):
    """Counts: value and three derivatives in eta = log mean."""
    mean = math.exp(min(eta, _LARGEST_EXPONENT))
    return count * eta - mean - log_factorial(count), count - mean, -mean, -mean, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0


@kernel
def _negative_binomial_row(count, eta, log_size):
    """Value, three derivatives in eta, then value, first, second derivatives in log size (NB2: variance mean + mean^2 / size)."""
    size = math.exp(min(log_size, _LARGEST_EXPONENT))
    difference = eta - log_size
    softened, share = log_logistic_distribution(-difference)[:2]
    rising = log_rising_factorial(size, count)
    rest = 1.0 - share if difference < 0.0 else math.exp(softened)
    product = share * rest
    total = size + count
    value = rising[0] - log_factorial(count) + count * difference + total * softened
    in_size = size * rising[1] - count + size * softened + total * share
    mean = math.exp(min(eta, _LARGEST_EXPONENT))
    return (
        value,
        count - total * share,
        -total * product,
        -total * product * (rest - share),
        in_size,
        product * (count - mean),
        product * (count * (rest - share) - 2.0 * mean * rest),
        0.0,
        0.0,
        0.0,
    )


@kernel
def _beta_binomial_row(successes, trials, eta, log_precision):
    """Value, three derivatives in eta, then value, first, second derivatives in log precision (alpha = mu phi)."""
    precision = math.exp(min(log_precision, _LARGEST_EXPONENT))
    bounded = max(-_LARGEST_BETA_PREDICTOR, min(eta, _LARGEST_BETA_PREDICTOR))
    above = log_logistic_distribution(bounded)[1]
    below = log_logistic_distribution(-bounded)[1]
    alpha, beta = precision * below, precision * above
    a = log_rising_factorial(alpha, successes)
    b = log_rising_factorial(beta, trials - successes)
    c = log_rising_factorial(precision, trials)
    slope = precision * below * above
    bend = slope * (above - below)
    twist = slope * (1.0 - 6.0 * below * above)
    odd, even, cubic = a[1] - b[1], a[2] + b[2], a[3] - b[3]
    shifted = odd + a[2] * alpha - b[2] * beta
    return (
        log_factorial(trials) - log_factorial(successes) - log_factorial(trials - successes) + a[0] + b[0] - c[0],
        odd * slope,
        even * slope * slope + odd * bend,
        cubic * slope * slope * slope + 3.0 * even * slope * bend + odd * twist,
        a[1] * alpha + b[1] * beta - c[1] * precision,
        shifted * slope,
        (a[3] * alpha + b[3] * beta + 2.0 * even) * slope * slope + shifted * bend,
        0.0,
        0.0,
        0.0,
    )


@kernel
def _observation_row(family_code, link_code, response, trials, eta, extra):
    """Ten numbers of one observation, as in ``ordinal_kernel``; one extra parameter stands in the place of the upper threshold."""
    if family_code == BINOMIAL:
        return _binomial_row(link_code, response, trials, eta)
    if family_code == POISSON:
        return _poisson_row(response, eta)
    if family_code == NEGATIVE_BINOMIAL:
        return _negative_binomial_row(response, eta, extra[0])
    if family_code == BETA_BINOMIAL:
        return _beta_binomial_row(response, trials, eta, extra[0])
    return category_row(link_code == LOGIT, int(response), eta, extra)


@kernel
def observation_derivatives(
    family_code,
    link_code,
    response,
    trials,
    weight,
    linear_predictor,
    extra,
    values,
    first,
    second,
    third,
    extra_value,
    extra_first,
    extra_second,
):
    """Fill the log density f of every observation and its derivatives, each multiplied by the observation's weight.

    Parameters
    ----------
    family_code, link_code : int
        As in ``families.Family``; the pair must be one that ``families.family_named`` returns.
    response, trials, weight, linear_predictor : ndarray of float64, shape (n,)
        Trials are read for the binomial and beta-binomial only; weights multiply the log density.
    extra : ndarray of float64, shape (m,)
        negative_binomial: log size. beta_binomial: log precision phi (alpha = mu phi, beta = (1 - mu) phi).
        cumulative: the K - 1 thresholds themselves, strictly increasing; the categories are 0 to K - 1 and
        P(response <= k) = F(threshold_k - eta). Otherwise empty.
    values, first, second, third : ndarray of float64, shape (n,), filled
        log f (with its normalising constant) and its derivatives 1 to 3 in the linear predictor.
    extra_value, extra_first, extra_second : ndarray of float64, shape (n, m), filled
        d log f / d extra, and its first and second derivatives in the linear predictor.

    Notes
    -----
    Thresholds out of order give ``-inf`` in ``values`` for the categories between them and zero derivatives.

    Checked against: scipy.stats densities and numerical differentiation (test_multilevel_families).
    """
    extra_value[:, :] = 0.0
    extra_first[:, :] = 0.0
    extra_second[:, :] = 0.0
    last = extra.shape[0]
    for i in range(response.shape[0]):
        r = _observation_row(family_code, link_code, response[i], trials[i], linear_predictor[i], extra)
        w = weight[i]
        values[i], first[i], second[i], third[i] = w * r[0], w * r[1], w * r[2], w * r[3]
        upper = int(response[i]) if family_code == CUMULATIVE else 0
        if upper < last:
            extra_value[i, upper], extra_first[i, upper], extra_second[i, upper] = w * r[4], w * r[5], w * r[6]
        if family_code == CUMULATIVE and upper > 0:
            lower = upper - 1
            extra_value[i, lower], extra_first[i, lower], extra_second[i, lower] = w * r[7], w * r[8], w * r[9]
