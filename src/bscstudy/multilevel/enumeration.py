"""All, or randomly drawn, subsets and orders of a few values, as arrays."""

from __future__ import annotations

import numpy as np


def subsets(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sizes of all 2^G subsets, by doubling."""
    sums, sizes = np.zeros(1 << len(values)), np.zeros(1 << len(values), np.int16)
    for i, value in enumerate(values):
        half = 1 << i
        sums[half : 2 * half] = sums[:half] + value
        sizes[half : 2 * half] = sizes[:half] + 1
    return sums, sizes


def drawn_subsets(values: np.ndarray, draws: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sizes of none, all, and random subsets with their complements."""
    values = np.sort(values)
    members = generator.integers(2, size=(draws, len(values)), dtype=np.int8)
    sums, sizes = members @ values, members.sum(axis=1, dtype=np.int64)
    sums = np.concatenate([[0.0, values.sum()], sums, values.sum() - sums])
    return sums, np.concatenate([[0, len(values)], sizes, len(values) - sizes])


def sums_of_size(values: np.ndarray, size: int) -> np.ndarray:
    """Sums of all subsets of one size, value after value."""
    by_size = [np.zeros(1)] + [np.zeros(0)] * size
    for i, value in enumerate(values):
        left = len(values) - i - 1
        for k in range(size, -1, -1):
            grown = np.concatenate([by_size[k], by_size[k - 1] + value]) if k else by_size[k]
            by_size[k] = grown if k + left >= size else np.zeros(0)
    return by_size[size]


def drawn_sums(values: np.ndarray, first: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The data's own sum of the first group, then those of random groups of its size."""
    ordered = np.sort(values)
    size = int(first.sum())
    drawn = [generator.permuted(np.tile(ordered, (m, 1)), axis=1)[:, :size].sum(axis=1) for m in _portions(draws)]
    return np.concatenate([[values[first].sum()], *drawn])


def _portions(draws: int) -> list[int]:
    return [min(10_000, draws - start) for start in range(0, draws, 10_000)]


def orders(n: int) -> np.ndarray:
    """All orders of 0 to n - 1, shape (n!, n); the first is 0, 1, ..., n - 1."""
    orders = np.zeros((1, 1), np.int8)
    for k in range(1, n):
        wider = [np.insert(orders, place, k, axis=1) for place in range(k, -1, -1)]
        orders = np.concatenate(wider)
    return orders


def drawn_orders(n: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The data's own order, then random ones."""
    same = np.arange(n, dtype=np.int32)
    return np.concatenate([same[None], *(generator.permuted(np.tile(same, (m, 1)), axis=1) for m in _portions(draws))])
