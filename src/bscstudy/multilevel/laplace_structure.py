"""Rows of a generalized model laid out for the compiled Laplace approximation: blocks of the first factor, components of the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design

# places in the arrays of Problem
OUTCOME, TRIALS, WEIGHT, OFFSET = range(4)
ROW, COLUMN = range(2)
PLACE, LOG_WEIGHT = range(2)
ROW_START, LINK_START = range(2)
BLOCK_START, COLUMN_START, DENSE_START = range(3)


class Problem(NamedTuple):
    """One model as the kernels know it: rows sorted so that those of a block (level of the first factor) stand together.

    ``n`` rows, ``K`` random columns of all factors (slots, factors in order), ``k`` of the first factor, ``J`` blocks. The effects of
    the other factors fall into connected components that share no block; their columns are numbered component by component.

    Attributes
    ----------
    family_code, link_code : int
    entries : ndarray of int64, shape (2, T)
        Row and column (slots) of each free entry of Lambda.
    nodes : ndarray, shape (2, points)
        Gauss-Hermite places and the logs of their weights; no points for the Laplace approximation.
    given : ndarray, shape (4, n)
        Outcome, trials, weight, offset.
    fixed : ndarray, shape (n, p)
        Fixed columns, orthonormal over the rows (times the root of n).
    columns : ndarray, shape (n, K)
        Random columns, each divided by its root mean square.
    position : ndarray of int64, shape (n, K)
        Place of each slot's random effect in the vector u.
    link : ndarray of int64, shape (n, K - k)
        Place of each slot of the other factors among the links of the row's block.
    link_column : ndarray of int64, shape (links,)
        Column, counted within the component, that shares rows with the block; ascending within the block.
    block_starts : ndarray of int64, shape (2, J + 1)
        Where the rows and the links of each block begin.
    component_starts : ndarray of int64, shape (3, components + 1)
        Where the blocks, the columns of the others and the dense square of each component begin.
    """

    family_code: int
    link_code: int
    entries: np.ndarray
    nodes: np.ndarray
    given: np.ndarray
    fixed: np.ndarray
    columns: np.ndarray
    position: np.ndarray
    link: np.ndarray
    link_column: np.ndarray
    block_starts: np.ndarray
    component_starts: np.ndarray


class Layout(NamedTuple):
    """A problem, with the way back to the design.

    Attributes
    ----------
    problem : Problem
    order : ndarray of int64, shape (n,)
        Design's row at each place.
    position : tuple of ndarray of int64, one for each factor, shape (levels, k)
        Place of each level's effects in u.
    upper : ndarray, shape (p, p)
        R with fixed = (columns as kept) R.
    column_scale : ndarray, shape (K,)
    """

    problem: Problem
    order: np.ndarray
    position: tuple[np.ndarray, ...]
    upper: np.ndarray
    column_scale: np.ndarray


def lay_out(design: Design, layout: CovarianceLayout, codes: tuple[int, int], nodes: np.ndarray) -> Layout:
    """Sort the rows by component and block, number the random effects and list the links.

    Parameters
    ----------
    design : Design
        At least one factor, the one with most levels first.
    layout : CovarianceLayout
    codes : (int, int)
        Of family and link.
    nodes : ndarray, shape (2, points)
    """
    first = design.factors[0]
    component, column_of, column_start = _components(design)
    blocks = np.argsort(component, kind="stable")
    place = np.empty(first.n_levels, np.int64)
    place[blocks] = np.arange(first.n_levels)
    k = first.n_effects
    position = [place[:, None] * k + np.arange(k)] + [first.n_levels * k + c for c in column_of]
    order = np.argsort(place[first.codes], kind="stable")
    row_position = np.hstack([p[f.codes] for p, f in zip(position, design.factors, strict=True)])[order]
    block = place[first.codes][order]
    link_start, link_column, link = _links(block, row_position[:, k:] - first.n_levels * k, first.n_levels)
    dense_start = np.concatenate([[0], np.cumsum(np.diff(column_start) ** 2)])
    given, fixed, columns, upper, scale = _numbers(design, order)
    problem = Problem(
        *codes,
        entries=_slots(layout),
        nodes=nodes,
        given=given,
        fixed=fixed,
        columns=columns,
        position=np.ascontiguousarray(row_position),
        link=np.ascontiguousarray(link),
        link_column=link_column - np.repeat(column_start[component[blocks]], np.diff(link_start)),
        block_starts=np.array([_starts(block, first.n_levels), link_start]),
        component_starts=np.array([_starts(component[blocks], len(column_start) - 1), column_start, dense_start], np.int64),
    )
    return Layout(problem, order, tuple(position), upper, scale)


def _slots(layout: CovarianceLayout) -> np.ndarray:
    first = np.cumsum([0, *layout.sizes])
    return np.array([[first[e.factor] + e.row for e in layout.entries], [first[e.factor] + e.column for e in layout.entries]], np.int64)


def _starts(sorted_codes: np.ndarray, count: int) -> np.ndarray:
    return np.searchsorted(sorted_codes, np.arange(count + 1)).astype(np.int64)


def _components(design: Design) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Component of each block; columns (levels, k) of each other factor, numbered component by component; their starts."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, others = design.factors[0], design.factors[1:]
    if not others:
        return np.zeros(first.n_levels, np.int64), [], np.zeros(2, np.int64)
    offset = np.cumsum([first.n_levels, *(f.n_levels for f in others)])
    ends = np.concatenate([f.codes + o for f, o in zip(others, offset[:-1], strict=True)])
    graph = coo_array((np.ones(len(ends)), (np.tile(first.codes, len(others)), ends)), shape=(offset[-1],) * 2)
    count, label = connected_components(graph.tocsr(), directed=False)
    label = label.astype(np.int64)
    size = np.repeat([f.n_effects for f in others], [f.n_levels for f in others])
    levels = np.argsort(label[first.n_levels :], kind="stable")
    begin = np.empty(len(size), np.int64)
    begin[levels] = np.cumsum(size[levels]) - size[levels]
    split = np.split(begin, np.cumsum([f.n_levels for f in others])[:-1])
    columns = [b[:, None] + np.arange(f.n_effects) for b, f in zip(split, others, strict=True)]
    starts = np.concatenate([[0], np.cumsum(np.bincount(label[first.n_levels :], weights=size, minlength=count))])
    return label[: first.n_levels], columns, starts.astype(np.int64)


def _links(block: np.ndarray, columns: np.ndarray, n_blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns (n, K - k) that meet each block: start (J + 1,), column (links,), and the place of each row's columns among them."""
    if not columns.shape[1]:
        return np.zeros(n_blocks + 1, np.int64), np.zeros(0, np.int64), np.zeros(columns.shape, np.int64)
    width = np.int64(columns.max() + 1)
    key = block[:, None] * width + columns
    found, place = np.unique(key.ravel(), return_inverse=True)
    return _starts(found // width, n_blocks), found % width, place.reshape(key.shape).astype(np.int64)


def _numbers(design: Design, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Given numbers (4, n), orthonormal fixed columns, random columns of root mean square 1; R and the scales that undo it."""
    columns = np.hstack([f.columns for f in design.factors])
    scale = np.sqrt(np.mean(columns**2, axis=0))
    scale[scale == 0] = 1.0
    upper = np.linalg.qr(design.fixed, mode="r") / np.sqrt(design.n) if design.p else np.zeros((0, 0))
    fixed = np.linalg.solve(upper.T, design.fixed.T).T if design.p else design.fixed
    trials = np.ones(design.n) if design.trials is None else design.trials
    given = np.array([design.response, trials, design.weights, design.offset], float)[:, order]
    return np.ascontiguousarray(given), np.ascontiguousarray(fixed[order]), np.ascontiguousarray((columns / scale)[order]), upper, scale
