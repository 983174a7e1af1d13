"""From a design to the sums over units, classes and groups that the nested engine works with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.nested_reduce import NestedRows


@dataclass(frozen=True)
class Units:
    """Sums over the units of level 1, in the order of the sorted rows.

    Attributes
    ----------
    products, couplings, totals : ndarray, shape (units, k1, k1), (units, k1, k2) and (units, k1, p)
        Z'Z, Z'Z_upper and Z'X.
    classes, pairs, groups : ndarray of int64, shape (units,)
    first : ndarray of int64, shape (classes,)
        One unit of each class.
    """

    products: np.ndarray
    couplings: np.ndarray
    totals: np.ndarray
    classes: np.ndarray
    pairs: np.ndarray
    groups: np.ndarray
    first: np.ndarray


@dataclass(frozen=True)
class NestedSums:
    """What the fixed side of a design comes to; k1, k2 random columns (k2 = 0: one factor), T1 parameters of level 1.

    Symmetric matrices over random columns are packed by rows of the lower triangle, off-diagonal products counted in both orders.

    Attributes
    ----------
    sizes : ndarray of int64, shape (4,)
        k1, k2, p, T1.
    directions : ndarray of int64, shape (T, 2)
        Row and column of each entry of G.
    moments : ndarray, shape (packed k1 x classes, p (p + 1) / 2)
        Class sums of products of sums Z'X.
    pairs, pair_sums : ndarray, shape (pairs, 2) and (pairs, 1 + k1 p)
        Group and class of each pair that occurs; its number of units and sums of Z'X.
    counts : ndarray, shape (classes,)
        Units of each class.
    products, couplings : ndarray, shape (k1 k1, classes) and (k1 k2, classes)
        Z'Z and Z'Z_upper of a unit of each class.
    upper_products, upper_totals : ndarray, shape (k2 k2, groups) and (k2 P, groups)
        Z_upper'Z_upper and Z_upper'[X 0].
    """

    sizes: np.ndarray
    directions: np.ndarray
    moments: np.ndarray
    pairs: np.ndarray
    pair_sums: np.ndarray
    counts: np.ndarray
    products: np.ndarray
    couplings: np.ndarray
    upper_products: np.ndarray
    upper_totals: np.ndarray

    @property
    def n_statistics(self) -> int:
        """Number of sums kept of each response."""
        return self.group_statistics + int(self.sizes[1]) * self.upper_products.shape[1]

    @property
    def pair_statistics(self) -> int:
        """Position of the first pair total among them: after e'e and the class moments with e (packed k1 x classes x P)."""
        return 1 + len(self.moments) * (int(self.sizes[2]) + 1)

    @property
    def group_statistics(self) -> int:
        """Position of the first group total among them: after the pair totals (pairs x k1); group totals are k2 x groups."""
        return self.pair_statistics + len(self.pairs) * int(self.sizes[0])

    @property
    def n_cells(self) -> int:
        """Number of classes or of groups, whichever is larger."""
        return max(len(self.counts), self.upper_products.shape[1])


def sort_rows(design: Design, fixed: np.ndarray, scales: tuple[np.ndarray, ...]) -> NestedRows:
    """Return the rows sorted by group and unit; ``fixed`` (n, p) are the orthonormal columns. Classes and pairs are filled in later."""
    codes = [factor.codes for factor in design.factors]
    order = np.lexsort(codes) if len(codes) == 2 else np.argsort(codes[0], kind="stable")
    root = np.sqrt(design.weights)[order]
    random = [factor.columns[order] * root[:, None] / scale for factor, scale in zip(design.factors, scales, strict=True)]
    unit_codes = codes[0][order]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(unit_codes)) + 1, [design.n]])
    groups = np.zeros(len(starts) - 1, np.int64)
    if len(codes) == 2:
        groups[1:] = np.cumsum(np.diff(codes[1][order][starts[:-1]]) != 0)
    empty = np.zeros(0, np.int64)
    return NestedRows(
        order=order.astype(np.int64),
        root=root,
        offset=design.offset[order] * root,
        fixed=np.ascontiguousarray(fixed[order]),
        random=np.ascontiguousarray(random[0]),
        upper_random=np.ascontiguousarray(random[1]) if len(random) == 2 else np.zeros((design.n, 0)),
        starts=starts.astype(np.int64),
        classes=empty,
        pairs=empty,
        groups=groups,
        totals=np.zeros((0, 0)),
        counts=empty,
    )


def sum_units(rows: NestedRows) -> Units:
    """Sum over the rows of each unit and find classes (same Z'Z and Z'Z_upper) and pairs (group and class)."""
    above = rows.upper_random.shape[1]
    products = _cross_sums(rows.random, rows.random, rows.starts)
    couplings = _cross_sums(rows.random, rows.upper_random, rows.starts)
    count = len(products)
    keys = np.concatenate([products.reshape(count, -1), couplings.reshape(count, couplings[0].size)], axis=1) + 0.0  # no negative zeros
    first, classes = _equal_rows(keys)
    pairs = np.zeros(0, np.int64)
    if above:
        _, pairs = np.unique(rows.groups * len(first) + classes, return_inverse=True)
    totals = _cross_sums(rows.random, rows.fixed, rows.starts)
    return Units(products, couplings, totals, classes, pairs.astype(np.int64), rows.groups, first)


def complete_rows(rows: NestedRows, units: Units) -> NestedRows:
    """Return the rows with the classes, pairs and totals of their units."""
    n_pairs = int(units.pairs.max()) + 1 if len(units.pairs) else 0
    n_groups = int(units.groups.max()) + 1 if n_pairs else 0
    totals = units.totals.reshape(-1, units.totals.shape[2])
    counts = np.array([len(units.first), n_pairs, n_groups])
    return rows._replace(classes=units.classes, pairs=units.pairs, totals=np.ascontiguousarray(totals), counts=counts)


def sum_classes(rows: NestedRows, units: Units, layout: CovarianceLayout) -> NestedSums:
    """Return what the kernels need of the fixed side."""
    k, above, p = rows.random.shape[1], rows.upper_random.shape[1], rows.fixed.shape[1]
    n_classes, n_pairs, n_groups = (int(count) for count in rows.counts)
    below = sum(e.factor == 0 for e in layout.entries)
    group_starts = np.append(rows.starts[:-1][np.flatnonzero(np.diff(units.groups, prepend=-1))], len(rows.root))
    upper_products = _cross_sums(rows.upper_random, rows.upper_random, group_starts)[:n_groups]
    upper_totals = _cross_sums(rows.upper_random, rows.fixed, group_starts)[:n_groups]
    pair_first = np.zeros(n_pairs, np.int64)
    pair_first[units.pairs[::-1]] = np.arange(len(units.pairs))[::-1]
    pair_counts = np.bincount(units.pairs, minlength=n_pairs).astype(float)
    pair_totals = _sums_by(units.totals, units.pairs, n_pairs).reshape(n_pairs, k * p)
    return NestedSums(
        sizes=np.array([k, above, p, below]),
        directions=np.array([(e.row, e.column) for e in layout.entries], np.int64).reshape(-1, 2),
        moments=_class_moments(units, k, p),
        pairs=np.ascontiguousarray(np.column_stack([units.groups[pair_first], units.classes[pair_first]])),
        pair_sums=np.ascontiguousarray(np.column_stack([pair_counts, pair_totals])),
        counts=np.bincount(units.classes, minlength=n_classes).astype(float),
        products=units.products[units.first].reshape(n_classes, k * k).T,
        couplings=units.couplings[units.first].reshape(n_classes, k * above).T,
        upper_products=upper_products.reshape(n_groups, above * above).T,
        upper_totals=np.concatenate([upper_totals, np.zeros((n_groups, above, 1))], axis=2).reshape(n_groups, above * (p + 1)).T,
    )


def _class_moments(units: Units, k: int, p: int) -> np.ndarray:
    """Class sums of A A' over pairs of random columns (packed) and pairs of fixed columns (packed)."""
    lower = np.tril_indices(p)
    moments = []
    for a in range(k):
        for b in range(a + 1):
            products = units.totals[:, a, lower[0]] * units.totals[:, b, lower[1]]
            if a != b:
                products += units.totals[:, b, lower[0]] * units.totals[:, a, lower[1]]
            moments.append(_sums_by(products, units.classes, len(units.first)))
    return np.ascontiguousarray(np.concatenate(moments))


def _cross_sums(left: np.ndarray, right: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums of left' right over the rows of each unit, shape (units, columns of left, columns of right)."""
    sums = np.zeros((len(starts) - 1, left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            sums[:, a, b] = np.add.reduceat(left[:, a] * right[:, b], starts[:-1])
    return sums


def _sums_by(values: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Sums of ``values`` (units, ...) by label 0 to count - 1, each of which occurs."""
    if count == 0:
        return np.zeros((0, *values.shape[1:]))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(count))
    return np.add.reduceat(values[order], starts, axis=0)


def _equal_rows(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of each set of equal rows, and the set of each row; sets stand in the order of their values."""
    order = np.lexsort(keys.T[::-1])
    ordered = keys[order]
    new = np.append(True, np.any(ordered[1:] != ordered[:-1], axis=1))
    sets = np.empty(len(keys), np.int64)
    sets[order] = np.cumsum(new) - 1
    return order[new], sets
