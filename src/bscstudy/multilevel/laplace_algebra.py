"""Compiled: small dense algebra of the Laplace approximation."""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.laplace_structure import COLUMN_START, DENSE_START


@kernel
def set_zero(vector):
    """Set a vector to zero."""
    for j in range(vector.shape[0]):
        vector[j] = 0.0


@kernel
def invert_small(matrix, size):
    """Replace a positive definite matrix (lower triangle given) by its inverse; return the log-determinant, nan where not positive."""
    if size == 1:
        pivot = matrix[0, 0]
        matrix[0, 0] = 1.0 / pivot
        return np.log(pivot) if pivot > 0.0 else np.nan
    logarithm = 0.0
    for i in range(size):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    for c in range(size):
        pivot = matrix[c, c]
        if not pivot > 0.0:
            return np.nan
        logarithm += np.log(pivot)
        matrix[c, c] = 1.0
        for j in range(size):
            matrix[c, j] /= pivot
        for i in range(size):
            if i != c:
                value = matrix[i, c]
                matrix[i, c] = 0.0
                for j in range(size):
                    matrix[i, j] -= value * matrix[c, j]
    return logarithm


@kernel(fast=True)
def cholesky_lower(matrix, size):
    """Replace the lower triangle by its Cholesky factor; return the log-determinant, nan where not positive."""
    logarithm = 0.0
    for i in range(size):
        for j in range(i):
            total = matrix[i, j]
            for c in range(j):
                total -= matrix[i, c] * matrix[j, c]
            matrix[i, j] = total / matrix[j, j]
        total = matrix[i, i]
        for c in range(i):
            total -= matrix[i, c] * matrix[i, c]
        if not total > 0.0:
            return np.nan
        matrix[i, i] = np.sqrt(total)
        logarithm += np.log(total)
    return logarithm


@kernel(fast=True)
def solve_lower(matrix, vector, size):
    """Solve L L' x = vector in place; ``matrix`` holds L in its lower triangle."""
    for i in range(size):
        total = vector[i]
        for c in range(i):
            total -= matrix[i, c] * vector[c]
        vector[i] = total / matrix[i, i]
    for i in range(size - 1, -1, -1):
        value = vector[i] / matrix[i, i]
        vector[i] = value
        for c in range(i):
            vector[c] -= matrix[i, c] * value


@kernel
def dense_of(starts, storage, component):
    """Return the dense square of a component."""
    size = starts[COLUMN_START, component + 1] - starts[COLUMN_START, component]
    return storage[starts[DENSE_START, component] : starts[DENSE_START, component + 1]].reshape((size, size))


@kernel
def largest(vector):
    """Return the largest absolute value."""
    size = 0.0
    for value in vector:
        if not abs(value) <= size:
            size = abs(value)
    return size
