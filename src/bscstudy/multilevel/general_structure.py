"""Crossed and nested factors laid out for elimination: the factor with most levels in blocks, the others in connected components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.blocks import random_columns
from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design


class Structure(NamedTuple):
    """What stays the same for every covariance and every response.

    The first factor's J levels are *blocks* of k columns. The levels of the other factors are the *others*; they fall into
    *components* that share no block with each other. Columns of a component are numbered from 0 within it.

    Attributes
    ----------
    starts : ndarray of int64, shape (components + 1, 4)
        Where the blocks, columns, other levels and products of each component begin.
    levels : ndarray of int64, shape (levels, 2)
        Factor of each other level and its first column within the component.
    product_place, product_value : ndarray, shape (products, 2) and (products,)
        Lower triangle of Z2'Z2: row and column within the component, and value.
    link_start : ndarray of int64, shape (J + 1,)
        Where the links of each block begin.
    link_column : ndarray of int64, shape (links,)
        Column of another level that shares rows with the block, ascending within the block.
    link_value : ndarray, shape (links, k)
        Z1'Z2 of block and column.
    own : ndarray, shape (J, k, k)
        Z1'Z1 of each block.
    sizes : ndarray of int64, shape (F,)
        Random columns of each factor.
    entries : ndarray of int64, shape (T, 3)
        Factor, row and column of each covariance parameter; those of the first factor come first.
    """

    starts: np.ndarray
    levels: np.ndarray
    product_place: np.ndarray
    product_value: np.ndarray
    link_start: np.ndarray
    link_column: np.ndarray
    link_value: np.ndarray
    own: np.ndarray
    sizes: np.ndarray
    entries: np.ndarray

    @property
    def n_columns(self) -> np.ndarray:
        """Columns of each component, shape (components,)."""
        return np.diff(self.starts[:, 1])


class Layout(NamedTuple):
    """A structure and the way into it.

    Attributes
    ----------
    structure : Structure
    random : scipy.sparse.csr_array, shape (columns, n)
        Z', rows in the order of the structure: blocks, then the columns of the others.
    """

    structure: Structure
    random: object


def build_structure(design: Design, layout: CovarianceLayout) -> Layout:
    """Find the components and lay out the products of the random columns.

    Parameters
    ----------
    design : Design
        At least one factor, the one with most levels first.
    layout : CovarianceLayout
    """
    order = _order(design)
    own = _pair_products(design, 0, 0)[2]
    link_start, link_column, link_value = _links(design, order)
    place, value, product_component = _products_of_others(design, order)
    count = len(order.column_start) - 1
    starts = [_starts(order.block_component, count), order.column_start, _starts(order.level_component, count)]
    structure = Structure(
        starts=np.column_stack([*starts, _starts(product_component, count)]),
        levels=np.column_stack([order.level_factor, order.level_column]),
        product_place=place,
        product_value=value,
        link_start=link_start,
        link_column=link_column,
        link_value=link_value,
        own=np.ascontiguousarray(own[order.blocks]),
        sizes=np.array(layout.sizes, np.int64),
        entries=np.array([(e.factor, e.row, e.column) for e in layout.entries], np.int64).reshape(-1, 3),
    )
    random = random_columns(design, np.sqrt(design.weights)).T.tocsr()[order.columns]
    return Layout(structure, random)


class _Order(NamedTuple):
    """Blocks and other levels sorted by component; ``position`` leads from an other level as given to its first column."""

    blocks: np.ndarray
    block_component: np.ndarray
    level_component: np.ndarray
    level_factor: np.ndarray
    level_column: np.ndarray
    column_start: np.ndarray
    columns: np.ndarray
    given_component: np.ndarray
    given_column: np.ndarray
    first_level: np.ndarray


def _order(design: Design) -> _Order:
    first, others = design.factors[0], design.factors[1:]
    block_component, given_component, count = _components(design)
    blocks = np.argsort(block_component, kind="stable")
    levels = np.argsort(given_component, kind="stable")
    first_level = np.cumsum([0, *(f.n_levels for f in others)])
    factor = np.repeat(np.arange(1, len(design.factors)), np.diff(first_level))
    size = np.array([f.n_effects for f in design.factors], np.int64)[factor]
    begin = first.n_levels * first.n_effects + np.cumsum(size) - size
    own = (blocks[:, None] * first.n_effects + np.arange(first.n_effects)).ravel()
    columns = np.concatenate([own, *(np.arange(begin[m], begin[m] + size[m]) for m in levels)])
    level_component = given_component[levels]
    column_start = _starts(np.repeat(level_component, size[levels]), count)
    level_column = np.cumsum(size[levels]) - size[levels] - column_start[level_component]
    given_column = np.empty(len(levels), np.int64)
    given_column[levels] = level_column
    return _Order(
        blocks=blocks,
        block_component=block_component[blocks],
        level_component=level_component,
        level_factor=factor[levels].astype(np.int64),
        level_column=level_column.astype(np.int64),
        column_start=column_start,
        columns=columns,
        given_component=given_component,
        given_column=given_column,
        first_level=first_level,
    )


def _components(design: Design) -> tuple[np.ndarray, np.ndarray, int]:
    """Component of each block and of each other level (factor after factor); one component where there is one factor."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, others = design.factors[0], design.factors[1:]
    if not others:
        return np.zeros(first.n_levels, np.int64), np.zeros(0, np.int64), 1
    offsets = np.cumsum([first.n_levels, *(f.n_levels for f in others)])
    ends = np.concatenate([f.codes + o for f, o in zip(others, offsets[:-1], strict=True)])
    begins = np.tile(first.codes, len(others))
    graph = coo_array((np.ones(len(ends)), (begins, ends)), shape=(offsets[-1], offsets[-1])).tocsr()
    count, label = connected_components(graph, directed=False)
    label = label.astype(np.int64)
    return label[: first.n_levels], label[first.n_levels :], count


def _starts(sorted_component: np.ndarray, count: int) -> np.ndarray:
    return np.searchsorted(sorted_component, np.arange(count + 1)).astype(np.int64)


def _pair_products(design: Design, left: int, right: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels (pairs,) of two factors that share rows, sorted, and the products of their columns (pairs, k_left, k_right)."""
    one, other = design.factors[left], design.factors[right]
    key = one.codes * np.int64(other.n_levels) + other.codes
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    begin = np.flatnonzero(np.r_[True, sorted_key[1:] != sorted_key[:-1]])
    values = (one.columns * design.weights[:, None])[order][:, :, None] * other.columns[order][:, None, :]
    pairs = sorted_key[begin]
    return pairs // other.n_levels, pairs % other.n_levels, np.add.reduceat(values, begin, axis=0)


def _links(design: Design, order: _Order) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products of each block with the other columns it shares rows with: start, column and value."""
    place = np.empty(len(order.blocks), np.int64)
    place[order.blocks] = np.arange(len(order.blocks))
    blocks, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros((0, design.factors[0].n_effects))]
    for factor in range(1, len(design.factors)):
        block, level, product = _pair_products(design, 0, factor)
        begin = order.given_column[order.first_level[factor - 1] + level]
        for column in range(product.shape[2]):
            blocks.append(place[block])
            columns.append(begin + column)
            values.append(product[:, :, column])
    block, column = np.concatenate(blocks), np.concatenate(columns)
    sequence = np.lexsort((column, block))
    return _starts(block[sequence], len(order.blocks)), column[sequence], np.concatenate(values)[sequence]


def _products_of_others(design: Design, order: _Order) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower triangle of Z2'Z2: rows and columns within each component, values, and the component."""
    none = np.zeros(0, np.int64)
    rows, columns, values, components = [none], [none], [np.zeros(0)], [none]
    for left in range(1, len(design.factors)):
        for right in range(1, left + 1):
            one, other, product = _pair_products(design, left, right)
            row = order.given_column[order.first_level[left - 1] + one]
            column = order.given_column[order.first_level[right - 1] + other]
            for a in range(product.shape[1]):
                for b in range(a + 1 if left == right else product.shape[2]):
                    rows.append(np.maximum(row + a, column + b))
                    columns.append(np.minimum(row + a, column + b))
                    values.append(product[:, a, b])
                    components.append(order.given_component[order.first_level[left - 1] + one])
    row, column, component = np.concatenate(rows), np.concatenate(columns), np.concatenate(components)
    sequence = np.lexsort((column, row, component))
    place = np.column_stack([row, column])[sequence]
    return place, np.concatenate(values)[sequence], component[sequence]
