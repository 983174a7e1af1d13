"""Compiled special functions: factorials, rising factorials with derivatives, and the tails of the normal distribution."""

from __future__ import annotations

import math

import numpy as np

from bscstudy.multilevel.compiled import kernel

_TABLE_SIZE = 256
_LOG_FACTORIAL = np.array([math.lgamma(count + 1.0) for count in range(_TABLE_SIZE)])
_DIRECT_COUNT = 32
_ASYMPTOTIC_START = 16.0
_TAIL_START = -4.0
_TAIL_TERMS = 60
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_ROOT_HALF = math.sqrt(0.5)


@kernel
def log_factorial(count):
    """Return log(count!) for a whole number held as float64; a table below 256."""
    if count < _TABLE_SIZE:
        return _LOG_FACTORIAL[int(count)]
    return math.lgamma(count + 1.0)


@kernel
def _rising_sum(start, steps):
    """Sum of log(start + j) over j = 0..steps-1 with its three derivatives in ``start``."""
    logarithm, first, second, third, product = 0.0, 0.0, 0.0, 0.0, 1.0
    for j in range(steps):
        inverse = 1.0 / (start + j)
        product *= start + j
        if product > 1e200 or product < 1e-200:
            logarithm += math.log(product)
            product = 1.0
        first += inverse
        second -= inverse * inverse
        third += 2.0 * inverse * inverse * inverse
    return logarithm + math.log(product), first, second, third


@kernel
def _stirling_tail(x):
    """What Stirling's series adds to (x - 1/2) log x - x + log(2 pi)/2, with three derivatives, less the 1/(2x) terms; x >= 16."""
    i = 1.0 / x
    s = i * i
    value = i * (1 / 12 + s * (-1 / 360 + s * (1 / 1260 + s * (-1 / 1680 + s * (1 / 1188 - s * 691 / 360360)))))
    first = -s * (1 / 12 + s * (-1 / 120 + s * (1 / 252 + s * (-1 / 240 + s * (1 / 132 - s * 691 / 32760)))))
    second = s * i * (1 / 6 + s * (-1 / 30 + s * (1 / 42 + s * (-1 / 30 + s * (5 / 66 - s * 691 / 2730)))))
    third = s * s * (-1 / 2 + s * (1 / 6 + s * (-1 / 6 + s * (3 / 10 + s * (-5 / 6 + s * 691 / 210)))))
    return value, first, second, third


@kernel
def log_rising_factorial(start, count):
    """Return log(Gamma(start + count) / Gamma(start)) and its first three derivatives in ``start``.

    Parameters
    ----------
    start : float
        Positive.
    count : float
        A whole number, 0 or more.

    Returns
    -------
    tuple of float
        Value and derivatives 1 to 3 (differences of digamma, trigamma and tetragamma), free of the cancellation that
        separate gamma functions suffer for large ``start``. A direct sum for up to 32 factors, Stirling's series beyond.
    """
    steps = int(count)
    if steps > _DIRECT_COUNT:
        steps = max(0, int(math.ceil(_ASYMPTOTIC_START - start)))
    steps = min(steps, int(count))
    value, first, second, third = _rising_sum(start, steps)
    remaining = count - steps
    if remaining > 0.0:
        low = start + steps
        high = start + count
        ratio = math.log1p(remaining / low)
        span = remaining / (low * high)
        low_tail = _stirling_tail(low)
        high_tail = _stirling_tail(high)
        inverse_sum = 1.0 / low + 1.0 / high
        value += (low - 0.5) * ratio + remaining * (math.log(high) - 1.0) + high_tail[0] - low_tail[0]
        first += ratio + 0.5 * span + high_tail[1] - low_tail[1]
        second += -span * (1.0 + 0.5 * inverse_sum) + high_tail[2] - low_tail[2]
        squares = 1.0 / (low * low) + 1.0 / (low * high) + 1.0 / (high * high)
        third += span * (inverse_sum + squares) + high_tail[3] - low_tail[3]
    return value, first, second, third


@kernel
def _normal_lower_tail(x):
    """log Phi(x) and three derivatives for x < -4: Laplace's continued fraction of the Mills ratio, without cancellation."""
    t = -x
    fraction = t
    for j in range(_TAIL_TERMS, 2, -1):
        fraction = t + j / fraction
    excess = 2.0 / fraction
    gap = 1.0 / (t + excess)
    hazard = t + gap
    value = -0.5 * t * t - _LOG_ROOT_TWO_PI - math.log(hazard)
    return value, hazard, -hazard * gap, -hazard * gap * (excess - 2.0 * gap)


@kernel
def log_normal_distribution(x):
    """Return log Phi(x) and its first three derivatives, accurate in both tails."""
    if x < _TAIL_START:
        return _normal_lower_tail(x)
    upper = 0.5 * math.erfc(x * _ROOT_HALF)
    if x > 0.0:
        value = math.log1p(-upper)
        probability = 1.0 - upper
    else:
        probability = 0.5 * math.erfc(-x * _ROOT_HALF)
        value = math.log(probability)
    hazard = math.exp(-0.5 * x * x - _LOG_ROOT_TWO_PI) / probability
    second = -hazard * (x + hazard)
    return value, hazard, second, -second * (x + hazard) - hazard * (1.0 + second)


@kernel
def log_logistic_distribution(x):
    """Return log of 1 / (1 + exp(-x)) and its first three derivatives, accurate in both tails."""
    small = math.exp(-abs(x))
    inverse = 1.0 / (1.0 + small)
    softened = math.log1p(small)
    if x > 0.0:
        below, above, value = inverse, small * inverse, -softened
    else:
        below, above, value = small * inverse, inverse, x - softened
    second = -below * above
    return value, above, second, second * (above - below)
