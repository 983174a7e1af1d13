"""Maximum likelihood of generalized and ordinal mixed models: a design made ready for the compiled search, and its optimum."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.families import Family
from bscstudy.multilevel.laplace_search import ZERO_THETA, Objective, Point, with_differences
from bscstudy.multilevel.laplace_structure import COLUMN, OUTCOME, ROW, Layout, Problem, lay_out
from bscstudy.multilevel.laplace_workspace import EFFECTS, Workspace, make_workspace

LEAST_THETA = 0.1


@dataclass(frozen=True)
class Optimum:
    """Where the likelihood is largest.

    ``d`` = T + p + m parameters: theta, beta, extra (thresholds themselves, other families on the scale of the kernels).

    Attributes
    ----------
    theta, beta, extra : ndarray, shape (T,), (p,), (m,)
    log_likelihood : float
    gradient, hessian : ndarray, shape (d,), (d, d)
        Of the log-likelihood.
    effects : ndarray, shape (q,)
        Spherical conditional modes u, in the order of the layout.
    decrement : float
        What a further Newton step promises to gain.
    evaluations : int
        Of the likelihood with its gradient.
    """

    theta: np.ndarray
    beta: np.ndarray
    extra: np.ndarray
    log_likelihood: float
    gradient: np.ndarray
    hessian: np.ndarray
    effects: np.ndarray
    decrement: float
    evaluations: int


@dataclass(frozen=True)
class PreparedLaplace:
    """One design in the form of the compiled kernels. Not to be shared between threads: it owns the arrays they write to.

    Attributes
    ----------
    design : Design
    covariance : CovarianceLayout
    family : Family
    layout : Layout
    work : Workspace
    """

    design: Design
    covariance: CovarianceLayout
    family: Family
    layout: Layout
    work: Workspace

    @property
    def problem(self) -> Problem:
        """What the kernels read."""
        return self.layout.problem

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of theta, beta and extra parameters."""
        return self.covariance.n_parameters, self.design.p, len(self.work.extra)

    def evaluate(self, theta: np.ndarray, beta: np.ndarray, extra: np.ndarray = ()) -> tuple[float, np.ndarray]:
        """Return the log-likelihood and its exact gradient (d,) in (theta, beta, extra) as users know them; nan without a mode."""
        parameters = self.inner(theta, beta, extra)
        value, gradient = self._objective().value(parameters)
        if not np.isfinite(value):
            return np.nan, np.full(len(parameters), np.nan)
        return -value, -self.jacobian(parameters).T @ gradient

    def _objective(self) -> Objective:
        """Return minus the log-likelihood of the response that the problem holds now."""
        from bscstudy.multilevel.laplace_gradient import laplace_gradient
        from bscstudy.multilevel.laplace_kernel import find_mode

        problem, work, ordinal = self.problem, self.work, self.family.is_ordinal
        if problem.nodes.shape[1]:
            from bscstudy.multilevel.quadrature_kernel import quadrature
        effects, n_theta = work.vectors[EFFECTS], self.sizes[0]
        thresholds = slice(sum(self.sizes[:2]), None)
        raising = np.tri(self.sizes[2]).T

        def value(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            gradient = np.empty(len(parameters))
            joint, logarithm = find_mode(problem, work, parameters)
            if not isfinite(joint + logarithm):
                effects[:] = 0.0
                joint, logarithm = find_mode(problem, work, parameters)
            if not isfinite(joint + logarithm):
                effects[:] = 0.0
                return inf, gradient
            if problem.nodes.shape[1]:
                total = quadrature(problem, work, gradient)
            else:
                laplace_gradient(problem, work, gradient)
                total = joint - 0.5 * logarithm
            if ordinal:
                gradient[thresholds] = raising @ gradient[thresholds]
                gradient[thresholds][1:] *= np.diff(work.extra)
            return -total, -gradient

        entries = np.full(sum(self.sizes), -1)
        entries[:n_theta] = problem.entries[COLUMN]
        diagonal = np.zeros(len(entries), bool)
        diagonal[:n_theta] = self._diagonal
        return Objective(value, effects, diagonal, entries)

    def fit(self, start_theta: np.ndarray | None = None) -> Optimum:
        """Return the optimum for the design's own response.

        Parameters
        ----------
        start_theta : ndarray, shape (T,), optional
            Otherwise from moments of the scores without random effects (see ``laplace_start``).
        """
        from bscstudy.multilevel.laplace_search import descend, polish, settled

        objective = self._objective()
        objective.effects[:] = 0.0
        point = self._first_point(objective, self._start(start_theta))
        if isfinite(point.value):
            point = polish(objective, settled(objective, descend(objective, point)))
        return self.optimum(point)

    def refit(self, response: np.ndarray, fit: object) -> Optimum:
        """Return the optimum for another response (n,), from the estimates and the curvature of a fit; its Hessian is a rough one."""
        from bscstudy.multilevel.laplace_search import descend, leave_saddle, on_saddle, settled

        self.problem.given[OUTCOME] = response[self.layout.order]
        objective, diagonal = self._objective(), self._diagonal
        parameters = self.inner(fit.theta, fit.beta, fit.extra)
        ahead = np.linalg.inv(self.jacobian(parameters))
        near = parameters[: self.sizes[0]]
        near[diagonal] = np.maximum(np.abs(near[diagonal]), LEAST_THETA)
        objective.effects[:] = fit.effects
        value, gradient = objective.value(parameters)
        curvature = 0.5 * ahead.T @ fit.hessian @ ahead
        point = settled(objective, descend(objective, Point(parameters, value, gradient, curvature, inf, 1)))
        zero = np.flatnonzero(objective.diagonal & (np.abs(point.parameters) < ZERO_THETA))
        if len(zero):
            point = with_differences(objective, point, zero)
            saddle = on_saddle(objective, point)
            point = leave_saddle(objective, point, saddle) if saddle.any() else point
        return self.optimum(point)

    def effects_at(self, theta: np.ndarray, beta: np.ndarray, extra: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the spherical modes (levels, k) of each factor and their squares of H^-1, shape (levels, k, k)."""
        from bscstudy.multilevel.laplace_structure import LINK_START
        from bscstudy.multilevel.laplace_workspace import GAIN, INVERSE

        self.problem.given[OUTCOME] = self.design.response[self.layout.order]
        self.evaluate(theta, beta, extra)
        work, problem, first = self.work, self.problem, self.layout.position[0]
        squares = _squares_of(problem, work.dense[INVERSE])
        own = work.own[:-1].copy()
        starts = problem.block_starts[LINK_START]
        component = np.repeat(np.arange(len(squares)), np.diff(problem.component_starts[0]))
        for block in np.flatnonzero(np.diff(starts)):
            held = slice(starts[block], starts[block + 1])
            columns, gain = problem.link_column[held], work.links[GAIN, held]
            own[block] += gain.T @ squares[component[block]][np.ix_(columns, columns)] @ gain
        place = first[:, 0] // first.shape[1]
        variances = [own[place]]
        diagonal = _diagonal_squares(problem, squares, [p - first.size for p in self.layout.position[1:]])
        return [work.vectors[EFFECTS][p] for p in self.layout.position], variances + diagonal

    def _first_point(self, objective: Objective, start: np.ndarray) -> Point:
        """Return the start with its curvature: information in the fixed coefficients, differences for the other parameters."""
        from bscstudy.multilevel.laplace_information import fixed_information

        n_theta, p, m = self.sizes
        value, gradient = objective.value(start)
        if not isfinite(value):
            return Point(start, value, gradient, np.eye(len(start)), inf, 1)
        information = np.zeros((p, p))
        fixed_information(self.problem, self.work, information)
        curvature = np.zeros((n_theta + p + m,) * 2)
        curvature[n_theta : n_theta + p, n_theta : n_theta + p] = information
        others = np.concatenate([np.arange(n_theta), np.arange(n_theta + p, n_theta + p + m)])
        return with_differences(objective, Point(start, value, gradient, curvature, np.inf, 1), others)

    def optimum(self, point: Point) -> Optimum:
        """Return a point of the search in the units of the model."""
        back = self.jacobian(point.parameters)
        theta, beta, extra = self.outer(point.parameters)
        return Optimum(
            theta=theta,
            beta=beta,
            extra=extra,
            log_likelihood=-point.value,
            gradient=-back.T @ point.gradient,
            hessian=-back.T @ point.curvature @ back,
            effects=self.work.vectors[EFFECTS].copy(),
            decrement=point.decrement,
            evaluations=point.evaluations,
        )

    def _start(self, start_theta: np.ndarray | None) -> np.ndarray:
        """Return the parameters to start from: without random effects first, then variances by moments of the scores."""
        from bscstudy.multilevel.laplace_start import fixed_start, moment_start

        parameters = fixed_start(self.problem, self.work, self.family, self.sizes[0])
        diagonal = self._diagonal
        if start_theta is None:
            return moment_start(self.problem, self.work, self.family, parameters, diagonal)
        given = self._theta_scale * np.asarray(start_theta, float)
        parameters[: self.sizes[0]] = np.where(diagonal, np.maximum(np.abs(given), LEAST_THETA), given)
        return parameters

    @property
    def _diagonal(self) -> np.ndarray:
        return self.problem.entries[ROW] == self.problem.entries[COLUMN]

    @property
    def _theta_scale(self) -> np.ndarray:
        return self.layout.column_scale[self.problem.entries[ROW]]

    def inner(self, theta: np.ndarray, beta: np.ndarray, extra: np.ndarray) -> np.ndarray:
        """Return the parameters of the search (d,): columns of root mean square 1, thresholds as first and log steps."""
        extra = np.array(extra, float)
        if self.family.is_ordinal:
            extra[1:] = np.log(np.diff(extra))
        return np.concatenate([self._theta_scale * theta, self.layout.upper @ np.asarray(beta, float), extra])

    def outer(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return theta, beta and extra of the parameters of the search."""
        n_theta, p, _ = self.sizes
        extra = parameters[n_theta + p :].copy()
        if self.family.is_ordinal:
            extra[1:] = np.exp(extra[1:])
            extra = np.cumsum(extra)
        beta = np.linalg.solve(self.layout.upper, parameters[n_theta : n_theta + p])
        return parameters[:n_theta] / self._theta_scale, beta, extra

    def jacobian(self, parameters: np.ndarray) -> np.ndarray:
        """Return d (parameters of the search) / d (theta, beta, extra), shape (d, d)."""
        n_theta, p, m = self.sizes
        matrix = np.zeros((n_theta + p + m,) * 2)
        matrix[:n_theta, :n_theta] = np.diag(self._theta_scale)
        matrix[n_theta : n_theta + p, n_theta : n_theta + p] = self.layout.upper
        steps = np.eye(m)
        if self.family.is_ordinal:
            steps -= np.eye(m, k=-1)
            steps[1:] *= np.exp(-parameters[n_theta + p + 1 :])[:, None]
        matrix[n_theta + p :, n_theta + p :] = steps
        return matrix


def _squares_of(problem: Problem, storage: np.ndarray) -> list[np.ndarray]:
    """Dense square of each component."""
    _, columns, dense = problem.component_starts
    return [storage[dense[c] : dense[c + 1]].reshape((columns[c + 1] - columns[c],) * 2) for c in range(len(columns) - 1)]


def _diagonal_squares(problem: Problem, squares: list[np.ndarray], positions: list[np.ndarray]) -> list[np.ndarray]:
    """Squares (levels, k, k) of the levels of the other factors, whose columns among all components are ``positions`` (levels, k)."""
    starts = problem.component_starts[1]
    found = []
    for columns in positions:
        component = np.searchsorted(starts, columns[:, 0], side="right") - 1
        local = columns - starts[component][:, None]
        found.append(np.array([squares[c][np.ix_(where, where)] for c, where in zip(component, local, strict=True)]))
    return found


def prepare_laplace(design: Design, layout: CovarianceLayout, family: Family, quadrature_points: int = 1) -> PreparedLaplace:
    """Return the design in the form of the compiled kernels; more than one point for adaptive quadrature (one scalar factor)."""
    from bscstudy.multilevel.quadrature import gauss_hermite

    held = lay_out(design, layout, (family.code, family.link_code), gauss_hermite(quadrature_points))
    work = make_workspace(held.problem, design.factors[0].n_effects, len(family.extra_names))
    return PreparedLaplace(design, layout, family, held, work)
