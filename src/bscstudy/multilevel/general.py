"""Linear mixed models with any set of grouping factors: crossed, partly crossed, nested to any depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.expansion import BatchFits, Expansion
from bscstudy.multilevel.general_kernel import Covariance, Totals, allocate_sums, allocate_work
from bscstudy.multilevel.general_large import LARGEST_COMPILED, expand_exactly
from bscstudy.multilevel.general_search import search_large, unpacked
from bscstudy.multilevel.general_search_kernel import allocate_parts, allocate_state, search_responses
from bscstudy.multilevel.general_start import Moments, moment_start, moments_of
from bscstudy.multilevel.general_structure import Structure, build_structure
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

_NUMBERS_HELD = 8_000_000  # of responses and their sums at a time


@dataclass(frozen=True)
class PreparedGeneral:
    """A design in the form of the general engine; memory grows with rows, links and squares of the largest component.

    Attributes
    ----------
    design : Design
    layout : CovarianceLayout
    structure : Structure
        Products of the random columns, divided by their root mean square.
    random : scipy.sparse.csr_array, shape (columns, n)
        Z' in the order of the structure, rows of Z multiplied by root weight.
    fixed : ndarray, shape (n, p)
        Orthonormal columns that span the fixed columns times root weight.
    upper : ndarray, shape (p, p)
        Triangle that turns them into the fixed columns times root weight.
    scales : Scales
    """

    design: Design
    layout: CovarianceLayout
    structure: Structure
    random: object
    fixed: np.ndarray
    upper: np.ndarray
    scales: Scales

    def expand(self, entries: np.ndarray) -> Expansion:
        """Return the exact expansion at the relative covariances ``entries`` (T,), which may be zero or of deficient rank."""
        inner = self.scales.by_row * self.scales.by_column
        theta = self.layout.theta_from_entries(np.asarray(entries, float)) * self.scales.by_row
        statistics, coefficients, _ = self.outcome
        covariance = self.covariance_of(np.asarray(entries, float) * inner, theta)
        pieces = unpacked(expand_exactly(self.structure, covariance, self.totals(statistics[:, 0])), self.design.p + 1)
        return in_own_units(pieces, self.upper, coefficients[:, 0], inner)

    def fit_many(self, responses: np.ndarray, start_theta: np.ndarray, *, reml: bool) -> BatchFits:
        """Return the optimum for each column of ``responses`` (n, B), unweighted and in the design's row order.

        Parameters
        ----------
        responses : ndarray, shape (n, B)
            A response with a missing or infinite value gets missing results and ``converged`` False.
        start_theta : ndarray, shape (T,)
            Where to start; the usual start (``layout.start()``) is replaced by moment estimates of each response. Where that ends on
            the boundary or fails, other starts are tried and the best optimum is kept.
        reml : bool

        Returns
        -------
        BatchFits
            A response that the fixed columns reproduce exactly has theta and sigma 0, criterion minus infinity, ``converged`` False.

        Notes
        -----
        Checked against: MixedModels.jl objectives of Penicillin and Pastes, lme4 1.1-31 (GTI reference models), test_multilevel_general.
        """
        start = np.asarray(start_theta, float)
        given = None if np.array_equal(start, self.layout.start()) else start * self.scales.by_row
        size = max(1, _NUMBERS_HELD // (self.design.n + self.random.shape[0]))
        parts = []
        for first in range(0, responses.shape[1], size):
            parts.append(self._fit_portion(self.reduce(np.asarray(responses[:, first : first + size], float)), given, reml))
        return BatchFits(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    @cached_property
    def outcome(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The design's own response, reduced."""
        return self.reduce(self.design.response[:, None])

    @cached_property
    def moments(self) -> Moments:
        """Expected squares of the random columns' sums, for starting values."""
        return moments_of(self.structure, self.random, self.design.n - self.design.p)

    @cached_property
    def fixed_totals(self) -> np.ndarray:
        """Z' times the orthonormal fixed columns, shape (columns, p)."""
        return self.random @ self.fixed

    def reduce(self, responses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return statistics (columns + P, B) of the residuals e, coefficients (p, B) of the fixed columns, sums of squares (B,)."""
        root = np.sqrt(self.design.weights)
        scaled = (responses - self.design.offset[:, None]) * root[:, None]
        coefficients = self.fixed.T @ scaled
        residual = scaled - self.fixed @ coefficients
        squares = np.einsum("ib,ib->b", residual, residual)
        statistics = np.concatenate([self.random @ residual, self.fixed.T @ residual, squares[None, :]])
        return np.ascontiguousarray(statistics), coefficients, np.einsum("ib,ib->b", scaled, scaled)

    def totals(self, statistics: np.ndarray) -> Totals:
        """Return the sums of [X y] for one response's statistics (columns + P,)."""
        (n_blocks, k, _), p, columns = self.structure.own.shape, self.design.p, self.random.shape[0]
        both = np.column_stack([self.fixed_totals, statistics[:columns]])
        cross = np.zeros((p + 1, p + 1))
        cross[:p, :p], cross[p] = self.fixed.T @ self.fixed, statistics[columns:]
        split = n_blocks * k
        blocks = np.ascontiguousarray(both[:split]).reshape(n_blocks, k, p + 1)
        return Totals(blocks, np.ascontiguousarray(both[split:]), cross[np.tril_indices(p + 1)][:, None].copy())

    def covariance_of(self, entries: np.ndarray, theta: np.ndarray) -> Covariance:
        """Return G and Lambda of each factor, padded to the largest number of columns."""
        largest = int(self.structure.sizes.max())
        relative, factor = np.zeros((2, len(self.structure.sizes), largest, largest))
        for value, root, entry in zip(entries, theta, self.layout.entries, strict=True):
            relative[entry.factor, entry.row, entry.column] = relative[entry.factor, entry.column, entry.row] = value
            factor[entry.factor, entry.row, entry.column] = root
        return Covariance(relative, factor)

    def _fit_portion(self, reduced: tuple, given: np.ndarray | None, reml: bool) -> tuple:
        statistics, coefficients, raw = reduced
        p, width, parameters = self.design.p, statistics.shape[1], search_parameters(self.layout)
        count, nu = len(parameters.alone), float(self.design.n - p if reml else self.design.n)
        exact = statistics[-1] <= EXACT * raw
        statistics[:, exact] = np.nan
        thetas = moment_start(self.structure, self.moments, statistics) if given is None else given[None, :]
        first = np.array(np.broadcast_to(start_points(self.layout, parameters.alone, thetas), (width, count)), order="C")
        search = self._search_compiled if self.structure.n_columns.max() <= LARGEST_COMPILED else self._search_large
        results = search(statistics, parameters, first, nu, reml)
        theta = theta_of(self.layout, self.scales, parameters.alone, results[PHI : PHI + count])
        return finished(results, theta, coefficients, self.upper, exact, nu, reml)

    def _search_compiled(self, statistics: np.ndarray, parameters: Parameters, first: np.ndarray, nu: float, reml: bool) -> np.ndarray:
        p, count, structure = self.design.p, len(self.layout.entries), self.structure
        covariance = self.covariance_of(np.zeros(count), np.zeros(count))
        results = np.full((PHI + count + p, statistics.shape[1]), np.nan)
        work, sums = allocate_work(structure, p + 1), allocate_sums(count, p + 1)
        parts, state = allocate_parts(count, p), allocate_state(count, p)
        totals = self.totals(np.zeros(len(statistics)))
        search_responses(structure, covariance, totals, work, sums, parts, parameters, state, nu, reml, first, statistics, results)
        return results

    def _search_large(self, statistics: np.ndarray, parameters: Parameters, first: np.ndarray, nu: float, reml: bool) -> np.ndarray:
        problems = zip(statistics.T, first, strict=True)
        found = [search_large(self.structure, self.totals(s), parameters, phi, self.design.n, reml) for s, phi in problems]
        return np.column_stack(found)


def prepare_general(design: Design, layout: CovarianceLayout) -> PreparedGeneral:
    """Lay out a design with any grouping factors for elimination of the one with most levels.

    Parameters
    ----------
    design : Design
        At least one factor; full-rank fixed columns, positive weights, no missing values.
    layout : CovarianceLayout

    Returns
    -------
    PreparedGeneral
    """
    scales = random_scales(design, layout)
    factors = tuple(replace(f, columns=f.columns / s) for f, s in zip(design.factors, scales.columns, strict=True))
    structure, random = build_structure(replace(design, factors=factors), layout)
    weighted = design.fixed * np.sqrt(design.weights)[:, None]
    fixed, upper = np.linalg.qr(weighted) if design.p else (weighted, np.zeros((0, 0)))
    return PreparedGeneral(design, layout, structure, random, np.ascontiguousarray(fixed), upper, scales)
