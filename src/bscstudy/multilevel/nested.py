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
from bscstudy.multilevel.nested_search import Parts, allocate_lanes, allocate_parts, search_all
from bscstudy.multilevel.nested_sums import complete_rows, sort_rows, sum_classes, sum_units
from bscstudy.multilevel.newton_kernel import PHI, Parameters
from bscstudy.multilevel.scaled_search import (
    EXACT,
    Scales,
    finished,
    in_own_units,
    random_scales,
    search_parameters,
    start_points,
    theta_of,
)

_CELLS = 4096  # small matrices worked on at once
_LANES = 64  # responses worked on at once
_STATISTICS = 4_000_000  # numbers held of reduced responses


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
    scales : Scales
    """

    design: Design
    layout: CovarianceLayout
    rows: NestedRows
    plan: NestedPlan
    upper: np.ndarray
    scales: Scales

    @cached_property
    def outcome(self) -> tuple[np.ndarray, np.ndarray]:
        """Statistics (statistics, 1) and coefficients (p,) of the design's own response."""
        outcomes, coefficients, _ = self._reduce(self.design.response[:, None], 0, 1)
        return outcomes, coefficients[:, 0]

    def expand(self, entries: np.ndarray) -> Expansion:
        """Return the expansion at the relative covariances ``entries`` (T,), which may be zero or of deficient rank."""
        outcome, coefficients = self.outcome
        inner = self.scales.by_row * self.scales.by_column
        pieces = expand_fully(self.plan, outcome, np.asarray(entries, float) * inner)
        return in_own_units(pieces, self.upper, coefficients, inner)

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
        exact = outcomes[0] <= EXACT * raw
        outcomes[0, exact] = np.nan
        results = np.full((PHI + count + p, width), np.nan)
        space = *self._space(count, p, lanes), parameters, allocate_lanes(count, p, lanes)
        search_all(*space, nu, reml, np.ones((len(outcomes), lanes)), outcomes, results)
        theta = theta_of(self.layout, self.scales, parameters.alone, results[PHI : PHI + count])
        return finished(results, theta, coefficients, self.upper, exact, nu, reml)

    def _space(self, count: int, p: int, lanes: int) -> tuple[NestedWork, Parts]:
        """Memory, and the profile's work space with the expansion's part of it in that memory."""
        work, board, parts = self.plan.work(lanes), self.plan.board, allocate_parts(count, p, lanes)
        names = ("log_determinant", "log_gradient", "cross", "cross_gradient", "curvature", "weight", "entries")
        shared = {name: self.plan.view(work, getattr(board, name), getattr(parts, name).shape[:-1]) for name in names}
        return work, parts._replace(**shared)

    @cached_property
    def _usual(self) -> Parameters:
        """What the search moves, and the starts it may try after the given one."""
        return search_parameters(self.layout)

    def _parameters(self, start: np.ndarray) -> Parameters:
        """What the search moves, and where it starts: at ``start``, then from the usual places, none of them twice."""
        usual, scaled = self._usual, start * self.scales.by_row
        others = usual.starts[1:] if np.array_equal(scaled, usual.diagonal) else usual.starts
        return usual._replace(starts=np.concatenate([start_points(self.layout, usual.alone, scaled[None, :]), others]))


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
    scales = random_scales(design, layout)
    weighted = design.fixed * np.sqrt(design.weights)[:, None]
    fixed, upper = np.linalg.qr(weighted) if design.p else (weighted, np.zeros((0, 0)))
    rows = sort_rows(design, fixed, scales.columns)
    units = sum_units(rows)
    rows = complete_rows(rows, units)
    return PreparedNested(design, layout, rows, make_plan(sum_classes(rows, units, layout)), upper, scales)
