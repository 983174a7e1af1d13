"""Compiled log probabilities of ordered categories, F(upper - eta) - F(lower - eta), and their derivatives."""

from __future__ import annotations

import math

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.special_kernel import log_logistic_distribution, log_normal_distribution

_CLOSE = 0.3
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# A row is (value, d1, d2, d3, upper, upper1, upper2, lower, lower1, lower2): the log probability, its derivatives in the
# linear predictor, and its derivatives in the upper and the lower threshold with their first two derivatives in the
# linear predictor.


@kernel
def _one_sided(logistic, distance, sign):
    """First category (sign -1, distance = threshold - eta) or last (sign +1, distance = eta - threshold)."""
    part = log_logistic_distribution(distance) if logistic else log_normal_distribution(distance)
    in_threshold = -sign * part[1], -part[2], -sign * part[3]
    if sign < 0.0:
        return part[0], -part[1], part[2], -part[3], in_threshold[0], in_threshold[1], in_threshold[2], 0.0, 0.0, 0.0
    return part[0], part[1], part[2], part[3], 0.0, 0.0, 0.0, in_threshold[0], in_threshold[1], in_threshold[2]


@kernel
def _logistic_between(above, below):
    """Logistic: F(a) - F(b) = F(a) F(-b) (1 - exp(b - a)), so that nothing cancels."""
    top = log_logistic_distribution(above)
    bottom = log_logistic_distribution(-below)
    width = above - below
    crowding = math.exp(-width) / -math.expm1(-width)
    return (
        top[0] + bottom[0] + math.log(-math.expm1(-width)),
        bottom[1] - top[1],
        bottom[2] + top[2],
        bottom[3] - top[3],
        top[1] + crowding,
        -top[2],
        top[3],
        -bottom[1] - crowding,
        -bottom[2],
        -bottom[3],
    )


@kernel
def _normal_apart(above, below):
    """Normal, middle of the interval at or below zero: log Phi(a) + log(1 - Phi(b) / Phi(a))."""
    a = log_normal_distribution(above)
    b = log_normal_distribution(below)
    d1, d2, d3 = b[1] - a[1], b[2] - a[2], b[3] - a[3]
    ratio = math.exp(b[0] - a[0])
    rest = -math.expm1(b[0] - a[0])
    l1, l2, l3 = -ratio / rest, -ratio / (rest * rest), -ratio * (1.0 + ratio) / (rest * rest * rest)
    bend = l3 * d1 * d1 + l2 * d2
    return (
        a[0] + math.log(rest),
        -(a[1] + l1 * d1),
        a[2] + l2 * d1 * d1 + l1 * d2,
        -(a[3] + bend * d1 + 2.0 * l2 * d1 * d2 + l1 * d3),
        a[1] * (1.0 - l1),
        -(a[2] * (1.0 - l1) - a[1] * l2 * d1),
        a[3] * (1.0 - l1) - 2.0 * a[2] * l2 * d1 - a[1] * bend,
        l1 * b[1],
        -(l2 * d1 * b[1] + l1 * b[2]),
        bend * b[1] + 2.0 * l2 * d1 * b[2] + l1 * b[3],
    )


@kernel
def _normal_close(above, below):
    """Normal, a narrow interval: Gauss-Legendre quadrature of the density (a sum of positive terms) and its cumulants."""
    middle, half = 0.5 * (above + below), 0.5 * (above - below)
    total, mean, square, cube = 0.0, 0.0, 0.0, 0.0
    for node in range(_NODES.shape[0]):
        z = half * _NODES[node]
        mass = 0.5 * _NODE_WEIGHTS[node] * math.exp(-z * (middle + 0.5 * z))
        total += mass
        mean += mass * z
        square += mass * z * z
        cube += mass * z * z * z
    mean, square, cube = mean / total, square / total, cube / total
    spread = square - mean * mean
    skew = cube - 3.0 * mean * square + 2.0 * mean * mean * mean
    upper = math.exp(-half * (middle + 0.5 * half)) / (2.0 * half * total)
    lower = math.exp(half * (middle - 0.5 * half)) / (2.0 * half * total)
    value = math.log(2.0 * half * total) - 0.5 * middle * middle - _LOG_ROOT_TWO_PI
    to_upper, to_lower = half - mean, half + mean
    return (
        value,
        middle + mean,
        spread - 1.0,
        skew,
        upper,
        upper * to_upper,
        upper * (to_upper * to_upper - spread),
        -lower,
        lower * to_lower,
        -lower * (to_lower * to_lower - spread),
    )


@kernel
def _between(logistic, above, below):
    """A middle category, from above = upper threshold - eta and below = lower threshold - eta."""
    if logistic:
        return _logistic_between(above, below)
    middle = 0.5 * (above + below)
    if (above - below) * (1.0 + abs(middle)) < _CLOSE:
        return _normal_close(above, below)
    if middle <= 0.0:
        return _normal_apart(above, below)
    r = _normal_apart(-below, -above)
    return r[0], -r[1], r[2], -r[3], -r[7], r[8], -r[9], -r[4], r[5], -r[6]


@kernel
def category_row(logistic, category, eta, thresholds):
    """Log probability of one category with its derivatives (the ten numbers named at the top of this file)."""
    last = thresholds.shape[0]
    if category == 0:
        return _one_sided(logistic, thresholds[0] - eta, -1.0)
    if category == last:
        return _one_sided(logistic, eta - thresholds[last - 1], 1.0)
    if not thresholds[category] > thresholds[category - 1]:
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    return _between(logistic, thresholds[category] - eta, thresholds[category - 1] - eta)
