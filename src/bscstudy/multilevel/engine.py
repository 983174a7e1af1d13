"""Which engine carries a design: ordinary least squares, nested, general, or numpy where numba is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.compiled import HAVE_NUMBA
from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.expansion import BatchFits, Expansion


def prepare(design: Design, layout: CovarianceLayout) -> object:
    """Return the design in the form of the engine that fits it best.

    Each form offers ``expand(entries) -> Expansion`` and ``fit_many(responses (n, B), start_theta, *, reml) -> BatchFits``.
    """
    if not design.factors:
        return IndependentRows(design)
    if not HAVE_NUMBA:
        from bscstudy.multilevel.blocks import prepare_blocks

        return prepare_blocks(design, layout)
    if is_nested_pair(design):
        from bscstudy.multilevel.nested import prepare_nested

        return prepare_nested(design, layout)
    from bscstudy.multilevel.general import prepare_general

    return prepare_general(design, layout)


def is_nested_pair(design: Design) -> bool:
    """Tell whether there is one factor, or two of which the first lies within the second."""
    if len(design.factors) == 1:
        return True
    return len(design.factors) == 2 and nested_in(design.factors[0].codes, design.factors[1].codes, design.factors[0].n_levels)


def nested_in(inner: np.ndarray, outer: np.ndarray, n_levels: int) -> bool:
    """Tell whether every level of ``inner`` meets one level of ``outer`` only."""
    first = np.empty(n_levels, np.int64)
    first[inner] = outer
    return bool(np.all(first[inner] == outer))


@dataclass(frozen=True)
class IndependentRows:
    """A design without grouping: the same interface, no covariance parameters."""

    design: Design

    def expand(self, entries: np.ndarray) -> Expansion:
        """Return the cross products; there is nothing to differentiate."""
        data, _ = self.design.scaled()
        size = data.shape[1]
        return Expansion(0.0, np.zeros(0), np.zeros((0, 0)), data.T @ data, np.zeros((0, size, size)), np.zeros((0, 0, size, size)))

    def fit_many(self, responses: np.ndarray, start_theta: np.ndarray, *, reml: bool) -> BatchFits:
        """Return ordinary (weighted) least squares for each column of ``responses`` (n, B)."""
        root = np.sqrt(self.design.weights)
        fixed = self.design.fixed * root[:, None]
        scaled = (responses - self.design.offset[:, None]) * root[:, None]
        orthogonal, upper = np.linalg.qr(fixed)
        beta = np.linalg.solve(upper, orthogonal.T @ scaled)
        n, p = fixed.shape
        nu = n - p if reml else n
        r2 = np.sum((scaled - fixed @ beta) ** 2, axis=0)
        value = nu * (1 + np.log(2 * np.pi * r2 / nu)) + (2 * np.sum(np.log(np.abs(np.diag(upper)))) if reml else 0.0)
        count = responses.shape[1]
        return BatchFits(np.zeros((count, 0)), beta.T, np.sqrt(r2 / nu), value, np.ones(count, np.int64), np.ones(count, bool))
