"""Linear mixed models with one grouping factor, or two nested ones: many responses of one design at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.expansion import BatchFits, Expansion
from bscstudy.multilevel.nested_expand import expand_fully
from bscstudy.multilevel.nested_kernel import NestedWork
from bscstudy.multilevel.nested_plan import NestedPlan, make_plan
from bscstudy.multilevel.nested_reduce import NestedRows, reduce_responses
from bscstudy.multilevel.nested_search import (
    EVALUATIONS,
    PHI,
    R2,
    STATUS,
    VALUE,
    Parameters,
    Parts,
    allocate_lanes,
    allocate_parts,
    search_all,
)
from bscstudy.multilevel.nested_sums import column_scales, complete_rows, sort_rows, sum_classes, sum_units
from bscstudy.multilevel.newton_kernel import CONVERGED, start_parameters

_CELLS = 4096  # small matrices worked on at once
_LANES = 64  # responses worked on at once
_STATISTICS = 4_000_000  # numbers held of reduced responses
_EXACT = 1e-24  # residual sum of squares, relative, at which the fixed columns reproduce a response
_ZERO = 1e-8  # diagonal Cholesky entry (random columns of mean square 1) taken for 0


@dataclass(frozen=True)
class PreparedNested:
    """A design in the form of the nested engine; holds sums over classes and groups, not the design's n x n anything.

    Attributes
    ----------
    design : Design
    layout : CovarianceLayout
    rows : NestedRows
        Sorted rows, to reduce responses with.
    plan : NestedPlan
        The steps of an evaluation and the fixed side as sums over classes and groups (``plan.sums``), with random columns divided by
        their root mean square and orthonormal fixed columns.
    upper : ndarray, shape (p, p)
        Triangle that turns the orthonormal columns into the fixed columns (times root weight).
    scales : ndarray, shape (T,) and (T,)
        Root mean square of the random columns of the row and of the column of each entry.
    """

    design: Design
    layout: CovarianceLayout
    rows: NestedRows
    plan: NestedPlan
    upper: np.ndarray
    scales: tuple[np.ndarray, np.ndarray]

    @cached_property
    def outcome(self) -> tuple[np.ndarray, np.ndarray]:
        """Statistics (statistics, 1) and coefficients (p,) of the design's own response."""
        outcomes, coefficients, _ = self._reduce(self.design.response[:, None], 0, 1)
        return outcomes, coefficients[:, 0]

    def expand(self, entries: np.ndarray) -> Expansion:
        """Return the expansion at the relative covariances ``entries`` (T,), which may be zero or of deficient rank."""
        outcome, coefficients = self.outcome
        inner = self.scales[0] * self.scales[1]
        pieces = expand_fully(self.plan, outcome, np.asarray(entries, float) * inner)
        change = np.eye(self.design.p + 1)
        change[:-1, :-1], change[:-1, -1] = self.upper, coefficients
        both = inner[:, None] * inner
        return Expansion(
            pieces.log_determinant,
            pieces.log_determinant_gradient * inner,
            pieces.log_determinant_hessian * both,
            change.T @ pieces.cross @ change,
            change.T @ (pieces.cross_gradient * inner[:, None, None]) @ change,
            change.T @ (pieces.cross_hessian * both[:, :, None, None]) @ change,
        )

    def fit_many(self, responses: np.ndarray, start_theta: np.ndarray, *, reml: bool) -> BatchFits:
        """Return the optimum for each column of ``responses`` (n, B), unweighted and in the design's row order.

        Parameters
        ----------
        responses : ndarray, shape (n, B)
            A response with a missing or infinite value gets missing results and ``converged`` False.
        start_theta : ndarray, shape (T,)
            Where to start; where that ends on the boundary or fails, other starts are tried and the best optimum is kept.
        reml : bool

        Returns
        -------
        BatchFits
            A response that the fixed columns reproduce exactly has theta and sigma 0, criterion minus infinity, ``converged`` False.
        """
        responses = np.ascontiguousarray(responses, float)
        parameters = self._parameters(np.asarray(start_theta, float))
        fits = []
        chunk = int(np.clip(_STATISTICS // self.plan.sums.n_statistics, 1, 4096))
        for first in range(0, responses.shape[1], chunk):
            width = min(chunk, responses.shape[1] - first)
            fits.append(self._fit_chunk(self._reduce(responses, first, width), parameters, reml))
        return BatchFits(*(np.concatenate(part) for part in zip(*fits, strict=True)))

    def _reduce(self, responses: np.ndarray, first: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        p = self.design.p
        outcomes, coefficients, raw = np.zeros((self.plan.sums.n_statistics, width)), np.zeros((p, width)), np.zeros(width)
        reduce_responses(self.rows, np.ascontiguousarray(responses, float), first, width, outcomes, coefficients, raw)
        return outcomes, coefficients, raw

    def _fit_chunk(self, reduced: tuple, parameters: Parameters, reml: bool) -> tuple:
        outcomes, coefficients, raw = reduced
        (p, width), count = coefficients.shape, len(parameters.alone)
        nu = float(self.design.n - p if reml else self.design.n)
        lanes = int(np.clip(_CELLS // self.plan.sums.n_cells, 1, _LANES))
        lanes = min(lanes - lanes % 8 if lanes > 8 else lanes, width)
        exact = outcomes[0] <= _EXACT * raw
        outcomes[0, exact] = np.nan
        results = np.full((PHI + count + p, width), np.nan)
        space = *self._space(count, p, lanes), parameters, allocate_lanes(count, p, lanes)
        search_all(*space, nu, reml, np.ones((len(outcomes), lanes)), outcomes, results)
        theta = self._theta(parameters, results[PHI : PHI + count])
        beta = (self._inverse @ (results[PHI + count :] + coefficients)).T
        value = np.where(np.isfinite(results[VALUE]), results[VALUE], np.nan)
        if reml:
            value = value + 2 * np.sum(np.log(np.abs(np.diag(self.upper))))
        sigma = np.sqrt(results[R2] / nu)
        if exact.any():
            theta[exact], sigma[exact], value[exact] = 0.0, 0.0, -np.inf
            beta[exact] = (self._inverse @ coefficients[:, exact]).T
        return theta, beta, sigma, value, results[EVALUATIONS].astype(np.int64), results[STATUS] == CONVERGED

    def _space(self, count: int, p: int, lanes: int) -> tuple[NestedWork, Parts]:
        """Memory, and the profile's work space with the expansion's part of it in that memory."""
        work, board, parts = self.plan.work(lanes), self.plan.board, allocate_parts(count, p, lanes)
        names = ("log_determinant", "log_gradient", "cross", "cross_gradient", "curvature", "weight", "entries")
        shared = {name: self.plan.view(work, getattr(board, name), getattr(parts, name).shape[:-1]) for name in names}
        return work, parts._replace(**shared)

    @cached_property
    def _roles(self) -> tuple[np.ndarray, ...]:
        """Of each entry: alone in its block, row, column; and the products of Cholesky entries that make the entries (newton_kernel)."""
        entries = self.layout.entries
        inside = {(factor, column): columns for factor, columns in self.layout.blocks for column in columns}
        alone = np.array([int(len(inside[e.factor, e.column]) == 1) for e in entries])
        position = {(e.factor, e.row, e.column): r for r, e in enumerate(entries)}
        products = [
            (r, position[e.factor, e.row, c], position[e.factor, e.column, c])
            for r, e in enumerate(entries)
            if not alone[r]
            for c in range(e.column + 1)
            if (e.factor, e.row, c) in position and (e.factor, e.column, c) in position
        ]
        rows, columns = (np.array([getattr(e, name) for e in entries]) for name in ("row", "column"))
        return alone, rows, columns, np.array(products, np.int64).reshape(-1, 3)

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.solve(self.upper, np.eye(len(self.upper))) if len(self.upper) else self.upper

    def _parameters(self, start: np.ndarray) -> Parameters:
        """What the search moves, and three starts: the given one, spread 1 and spread 0.1 of each random column's contribution."""
        alone, rows, columns, products = self._roles
        diagonal = (rows == columns).astype(np.int64)
        starts = [start * self.scales[0], 1.0 * diagonal, 0.1 * diagonal]
        if np.array_equal(starts[0], starts[1]):
            del starts[1]
        phi = np.empty((len(starts), len(alone)))
        for row, theta in zip(phi, starts, strict=True):
            start_parameters(alone, rows, columns, theta, row)
        return Parameters(alone, products, diagonal, phi)

    def _theta(self, parameters: Parameters, phi: np.ndarray) -> np.ndarray:
        """Return theta (B, T) with diagonals that are not negative and, on the boundary, exactly 0."""
        theta = np.where(parameters.alone[:, None] == 1, np.sqrt(np.maximum(phi, 0.0)), phi)
        again = np.zeros(theta.shape[1], bool)
        for r, entry in enumerate(self.layout.entries):
            if parameters.alone[r] or entry.row != entry.column:
                continue
            below = [s for s, e in enumerate(self.layout.entries) if (e.factor, e.column) == (entry.factor, entry.column)]
            theta[below] *= np.where(theta[r] < 0, -1.0, 1.0)
            zero = theta[r] < _ZERO
            theta[r, zero] = 0.0
            again |= zero & np.any(theta[below[1:]] != 0.0, axis=0)
        theta = theta.T / self.scales[0]
        for b in np.flatnonzero(again):
            theta[b] = self.layout.theta_from_entries(self.layout.entries_from_theta(theta[b]))
        return theta


def prepare_nested(design: Design, layout: CovarianceLayout) -> PreparedNested:
    """Find the classes and groups of a design with one grouping factor, or two of which the first lies within the second.

    Parameters
    ----------
    design : Design
        Full-rank fixed columns, positive weights, no missing values.
    layout : CovarianceLayout

    Returns
    -------
    PreparedNested
        Memory grows with rows times columns and with classes; no n x n matrix is formed.
    """
    scales = column_scales(design)
    weighted = design.fixed * np.sqrt(design.weights)[:, None]
    fixed, upper = np.linalg.qr(weighted) if design.p else (weighted, np.zeros((0, 0)))
    rows = sort_rows(design, fixed, scales)
    units = sum_units(rows)
    rows = complete_rows(rows, units)
    by_row, by_column = (np.array([scales[e.factor][getattr(e, name)] for e in layout.entries]) for name in ("row", "column"))
    return PreparedNested(design, layout, rows, make_plan(sum_classes(rows, units, layout)), upper, (by_row, by_column))
