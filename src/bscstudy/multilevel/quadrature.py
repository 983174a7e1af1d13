"""Adaptive Gauss-Hermite quadrature: which models can have it, nodes and weights."""

from __future__ import annotations

from numbers import Real

import numpy as np

from bscstudy.errors import BscError
from bscstudy.multilevel.design import Design

MOST_POINTS = 100


def gauss_hermite(points: int) -> np.ndarray:
    """Return places and log weights (2, points): int exp(g(x)) dx / sqrt(2 pi) = sum exp(log weight + g(place)); empty for one point.

    The weights are those of the standard normal density times exp(x^2 / 2), so that the integrand is exp(g) itself.
    """
    if points <= 1:
        return np.zeros((2, 0))
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return np.array([nodes, np.log(weights / weights.sum()) + 0.5 * nodes**2])


def refuse_points(points: int) -> None:
    """Refuse a number of quadrature points that is not whole or not between 1 and 100 (BSC-LMM-050)."""
    number = isinstance(points, Real) and not isinstance(points, bool)
    if not number or not 1 <= points <= MOST_POINTS or points != int(points):
        raise BscError(
            "BSC-LMM-050",
            f"The number of quadrature points is {points if number or isinstance(points, str) else f'a {type(points).__name__}'}.",
            "quadrature_points",
            "An integral is a sum over a whole number of points; one point is the Laplace approximation.",
            f"Write a whole number from 1 to {MOST_POINTS}; 10 to 20 are exact for practical purposes.",
        )


def refuse_quadrature(design: Design, points: int) -> None:
    """Refuse numbers of quadrature points that the model cannot have.

    Raises
    ------
    BscError
        BSC-LMM-050 a number of points that is not whole or not between 1 and 100; BSC-LMM-051 several points for more than one
        random column.
    """
    refuse_points(points)
    if points == 1 or (len(design.factors) == 1 and design.factors[0].n_effects == 1):
        return
    raise BscError(
        "BSC-LMM-051",
        f"The model has more than one random column, but {int(points)} quadrature points are asked for.",
        tuple(f"random part: {', '.join(f.effect_names)} by {f.name}" for f in design.factors),
        "Quadrature works level by level along one random intercept; in several dimensions its cost grows beyond use.",
        "Leave quadrature_points at 1 (Laplace), or keep a single random intercept.",
    )
