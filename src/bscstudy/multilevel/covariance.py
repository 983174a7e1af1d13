"""The covariance parameters: relative covariance factor (theta), relative covariances (entries), and the way between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.design import Design


@dataclass(frozen=True)
class Entry:
    """One free entry of a factor's relative covariance matrix G: row >= column."""

    factor: int
    row: int
    column: int


@dataclass(frozen=True)
class CovarianceLayout:
    """Which entries of which factor are parameters.

    Attributes
    ----------
    sizes : tuple of int
        Number of random columns of each factor.
    entries : tuple of Entry, length T
        Free entries, factors in order, each lower triangle column by column (the order of lme4's theta).
    blocks : tuple of (factor, tuple of columns)
        Sets of columns that are correlated with each other; a set of one is a single variance.
    """

    sizes: tuple[int, ...]
    entries: tuple[Entry, ...]
    blocks: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def n_parameters(self) -> int:
        """Number of covariance parameters, T."""
        return len(self.entries)

    def start(self) -> np.ndarray:
        """Return the usual start: relative standard deviations of 1, correlations of 0, shape (T,)."""
        return np.array([1.0 if e.row == e.column else 0.0 for e in self.entries])

    def directions(self, factor: int) -> list[tuple[int, np.ndarray]]:
        """Return (parameter, dG/dentry) of one factor, the matrix of shape (k, k)."""
        return [(r, self._unit(e)) for r, e in enumerate(self.entries) if e.factor == factor]

    def _unit(self, entry: Entry) -> np.ndarray:
        matrix = np.zeros((self.sizes[entry.factor],) * 2)
        matrix[entry.row, entry.column] = matrix[entry.column, entry.row] = 1.0
        return matrix

    def _fill(self, values: np.ndarray, factor: int, *, symmetric: bool) -> np.ndarray:
        matrix = np.zeros((self.sizes[factor],) * 2)
        for value, entry in zip(values, self.entries, strict=True):
            if entry.factor == factor:
                matrix[entry.row, entry.column] = value
                if symmetric:
                    matrix[entry.column, entry.row] = value
        return matrix

    def factor_matrix(self, theta: np.ndarray, factor: int) -> np.ndarray:
        """Return the lower triangular Lambda of one factor, shape (k, k)."""
        return self._fill(theta, factor, symmetric=False)

    def covariance_matrix(self, entries: np.ndarray, factor: int) -> np.ndarray:
        """Return the relative covariance G of one factor, shape (k, k)."""
        return self._fill(entries, factor, symmetric=True)

    def entries_from_theta(self, theta: np.ndarray) -> np.ndarray:
        """Return the free entries of G = Lambda Lambda', shape (T,)."""
        matrices = [self.factor_matrix(theta, f) for f in range(len(self.sizes))]
        matrices = [m @ m.T for m in matrices]
        return np.array([matrices[e.factor][e.row, e.column] for e in self.entries])

    def theta_from_entries(self, entries: np.ndarray) -> np.ndarray:
        """Return the lower triangular factor of G, also where G is on the boundary (positive semidefinite)."""
        theta = np.zeros(self.n_parameters)
        for factor in range(len(self.sizes)):
            lower = _semidefinite_cholesky(self.covariance_matrix(entries, factor))
            for r, entry in enumerate(self.entries):
                if entry.factor == factor:
                    theta[r] = lower[entry.row, entry.column]
        return theta

    def moved(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what an optimiser moves (see ``newton_kernel``): ``alone`` (T,) and ``products`` (m, 3), both int64."""
        inside = {(factor, column): len(columns) for factor, columns in self.blocks for column in columns}
        alone = np.array([int(inside[e.factor, e.column] == 1) for e in self.entries], np.int64)
        position = {(e.factor, e.row, e.column): r for r, e in enumerate(self.entries)}
        products = [
            (r, position[e.factor, e.row, c], position[e.factor, e.column, c])
            for r, e in enumerate(self.entries)
            if not alone[r]
            for c in range(e.column + 1)
            if (e.factor, e.row, c) in position and (e.factor, e.column, c) in position
        ]
        return alone, np.array(products, np.int64).reshape(-1, 3)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Return d entries / d theta, shape (T, T): row is the entry, column the theta."""
        return self._second_derivatives() @ theta

    def _second_derivatives(self) -> np.ndarray:
        """d2 entry / d theta_u d theta_v, shape (T, T, T): entry = sum over c of Lambda[row, c] Lambda[column, c]."""
        position = {(e.factor, e.row, e.column): r for r, e in enumerate(self.entries)}
        second = np.zeros((self.n_parameters,) * 3)
        for r, entry in enumerate(self.entries):
            for c in range(entry.column + 1):
                u, v = position.get((entry.factor, entry.row, c)), position.get((entry.factor, entry.column, c))
                if u is not None and v is not None:
                    second[r, u, v] += 1.0
                    second[r, v, u] += 1.0
        return second

    def to_theta(self, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Carry a gradient (T,) and Hessian (T, T) in entries over to theta by the chain rule."""
        second = self._second_derivatives()
        jacobian = second @ theta
        return jacobian.T @ gradient, jacobian.T @ hessian @ jacobian + np.einsum("r,ruv->uv", gradient, second)


def _semidefinite_cholesky(matrix: np.ndarray) -> np.ndarray:
    size = len(matrix)
    lower = np.zeros((size, size))
    for column in range(size):
        pivot = matrix[column, column] - lower[column, :column] @ lower[column, :column]
        if pivot > 1e-14 * max(matrix[column, column], 1e-300):
            lower[column, column] = np.sqrt(pivot)
            rest = matrix[column + 1 :, column] - lower[column + 1 :, :column] @ lower[column, :column]
            lower[column + 1 :, column] = rest / lower[column, column]
    return lower


def covariance_layout(design: Design) -> CovarianceLayout:
    """Return the covariance parameters of a design."""
    entries, blocks = [], []
    for number, factor in enumerate(design.factors):
        size = factor.n_effects
        entries += [Entry(number, row, column) for column in range(size) for row in range(column, size) if factor.free[row, column]]
        left = set(range(size))
        while left:
            first = min(left)
            block = tuple(c for c in sorted(left) if c == first or factor.free[c, first])
            blocks.append((number, block))
            left -= set(block)
    return CovarianceLayout(tuple(f.n_effects for f in design.factors), tuple(entries), tuple(blocks))
