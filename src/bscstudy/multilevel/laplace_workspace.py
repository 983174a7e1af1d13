"""The arrays the Laplace kernels write to, made once for a design."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.laplace_structure import LINK_START, Problem

# places in the arrays of Workspace
BASE, PREDICTOR, VALUE, FIRST, SECOND, THIRD, LEVERAGE = range(7)
EXTRA_VALUE, EXTRA_FIRST, EXTRA_SECOND = range(3)
EFFECTS, MODE, SCORE, STEP, ADJOINT, RESPONSES = range(6)
LINK, GAIN, SPREAD = range(3)
FACTOR, INVERSE = range(2)


class Workspace(NamedTuple):
    """Arrays the kernels write to.

    ``n`` rows, ``K`` slots (random columns), ``q`` random effects, ``J`` blocks of ``k`` effects, ``m`` extra parameters.

    Attributes
    ----------
    tracks : ndarray, shape (7, n)
        Fixed part with offset, linear predictor, log density and its three derivatives, leverage.
    scaled, solved : ndarray, shape (n, K)
        a = Lambda' z, and H^-1 a at the row's own effects.
    extra : ndarray, shape (m,)
        The family's own parameters as its density takes them.
    extras : ndarray, shape (3, n, m)
        Derivative of the log density in the extra parameters, and its first two derivatives in the linear predictor.
    vectors : ndarray, shape (5 + p, q)
        Effects u, mode, score, step, adjoint, and how the mode answers to each fixed coefficient.
    own : ndarray, shape (J + 1, k, k)
        Inverse of each block; last the block's square of H^-1.
    links : ndarray, shape (3, links, k)
        Links, gains (block inverse times links), gains spread over the dense inverse.
    dense : ndarray, shape (2, squares)
        Factor and inverse of the dense square of each component, one component after the other.
    node_values : ndarray, shape (points, n, 1 + m)
        First derivative and derivatives in the extra parameters at each quadrature node.
    node_share : ndarray, shape (points, J)
    """

    tracks: np.ndarray
    scaled: np.ndarray
    solved: np.ndarray
    extra: np.ndarray
    extras: np.ndarray
    vectors: np.ndarray
    own: np.ndarray
    links: np.ndarray
    dense: np.ndarray
    node_values: np.ndarray
    node_share: np.ndarray


def make_workspace(problem: Problem, block_effects: int, n_extra: int) -> Workspace:
    """Return zeroed arrays for a problem."""
    n, slots = problem.columns.shape
    n_blocks, points = problem.block_starts.shape[1] - 1, problem.nodes.shape[1]
    effects = n_blocks * block_effects + int(problem.component_starts[1, -1])
    return Workspace(
        tracks=np.zeros((7, n)),
        scaled=np.zeros((n, slots)),
        solved=np.zeros((n, slots)),
        extra=np.zeros(n_extra),
        extras=np.zeros((3, n, n_extra)),
        vectors=np.zeros((RESPONSES + problem.fixed.shape[1], effects)),
        own=np.zeros((n_blocks + 1, block_effects, block_effects)),
        links=np.zeros((3, int(problem.block_starts[LINK_START, -1]), block_effects)),
        dense=np.zeros((2, int(problem.component_starts[2, -1]))),
        node_values=np.zeros((points, n if points else 0, 1 + n_extra)),
        node_share=np.zeros((points, n_blocks)),
    )
