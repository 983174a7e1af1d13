"""Compiled: dense algebra of small symmetric matrices and of matrices in blocks of levels.

Matrices may be larger than the ``size`` in use. ``levels`` (m, 2) holds factor and first column of each level; ``small`` (F, k, k) holds
one matrix for each factor, and ``sizes`` (F,) its number of rows.
"""

from __future__ import annotations

import numpy as np

from bscstudy.multilevel.compiled import kernel


@kernel
def clear(matrix):
    """Fill a matrix with zeros."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[i, j] = 0.0


@kernel(fast=True)
def invert_from_factor(matrix, inverse, size):
    """Write the inverse of L L' into ``inverse``, both triangles; ``matrix`` holds L."""
    for j in range(size):
        inverse[j, j] = 1.0 / matrix[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for c in range(j, i):
                total += matrix[i, c] * inverse[j, c]
            inverse[j, i] = -total / matrix[i, i]
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for c in range(i, size):
                total += inverse[i, c] * inverse[j, c]
            inverse[i, j] = total
        for j in range(i):
            inverse[j, i] = inverse[i, j]


@kernel(fast=True)
def invert_positive(matrix, inverse, size):
    """Turn the lower triangle of a positive definite ``matrix`` into its Cholesky factor; write the inverse, return the log-determinant."""
    logarithm = 0.0
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for c in range(j):
                total -= matrix[i, c] * matrix[j, c]
            if i == j:
                matrix[i, i] = np.sqrt(total)
                logarithm += 2.0 * np.log(matrix[i, i])
            else:
                matrix[i, j] = total / matrix[j, j]
    invert_from_factor(matrix, inverse, size)
    return logarithm


@kernel(fast=True)
def square_product(left, right, product, size):
    """Write ``left`` times ``right``, both (size, size)."""
    for i in range(size):
        for j in range(size):
            product[i, j] = 0.0
        for c in range(size):
            value = left[i, c]
            for j in range(size):
                product[i, j] += value * right[c, j]


@kernel(fast=True)
def thin_product(matrix, thin, product, size):
    """Write ``thin`` (m, size) times the symmetric ``matrix`` (size, size)."""
    for i in range(size):
        for x in range(thin.shape[0]):
            total = 0.0
            for j in range(size):
                total += matrix[i, j] * thin[x, j]
            product[x, i] = total


@kernel
def mirror_lower(matrix, size):
    """Copy the lower triangle to the upper, in tiles that fit the cache."""
    tile = 32
    for first in range(0, size, tile):
        for second in range(0, first + 1, tile):
            for i in range(first, min(first + tile, size)):
                for j in range(second, min(second + tile, i)):
                    matrix[j, i] = matrix[i, j]


@kernel
def times_levels(matrix, small, levels, sizes, size, transposed):
    """Multiply each row of ``matrix`` in place by the block diagonal matrix of ``small``, or by its transpose."""
    held = np.empty(small.shape[1])
    for i in range(size):
        for level in range(levels.shape[0]):
            factor, first = levels[level, 0], levels[level, 1]
            if sizes[factor] == 1:
                matrix[i, first] *= small[factor, 0, 0]
                continue
            for a in range(sizes[factor]):
                held[a] = matrix[i, first + a]
            for b in range(sizes[factor]):
                total = 0.0
                for a in range(sizes[factor]):
                    total += held[a] * (small[factor, b, a] if transposed else small[factor, a, b])
                matrix[i, first + b] = total


@kernel
def levels_times(small, matrix, levels, sizes, size, transposed):
    """Multiply ``matrix`` in place from the left by the block diagonal matrix of ``small``, or by its transpose."""
    held = np.empty(small.shape[1])
    for level in range(levels.shape[0]):
        factor, first = levels[level, 0], levels[level, 1]
        if sizes[factor] == 1:
            for j in range(size):
                matrix[first, j] *= small[factor, 0, 0]
            continue
        for j in range(size):
            for a in range(sizes[factor]):
                held[a] = matrix[first + a, j]
            for b in range(sizes[factor]):
                total = 0.0
                for a in range(sizes[factor]):
                    total += (small[factor, a, b] if transposed else small[factor, b, a]) * held[a]
                matrix[first + b, j] = total
