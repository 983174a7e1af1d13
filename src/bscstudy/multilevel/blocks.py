"""The numpy path: random effects in connected blocks, dense within a block; oracle of the compiled engines and their stand-in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.expansion import BatchFits, Expansion


@dataclass(frozen=True)
class Block:
    """Random effects that share rows with each other, directly or through others, and with no effect outside.

    Attributes
    ----------
    positions : ndarray of int64, shape (q,)
        Of the effects among all (factor after factor, level after level, column after column).
    factor_levels : tuple of (factor, start)
        The levels in this block: ``start`` is where the k effects of the level stand in the block.
    products : ndarray, shape (q, q)
        Z' Z of the block.
    """

    positions: np.ndarray
    factor_levels: tuple[tuple[int, int], ...]
    products: np.ndarray


@dataclass(frozen=True)
class PreparedBlocks:
    """A design with its random effects in blocks.

    Attributes
    ----------
    random : scipy.sparse.csr_array, shape (n, q)
        Z, rows multiplied by root weight.
    data : ndarray, shape (n, P)
        [X y], rows multiplied by root weight.
    """

    design: Design
    layout: CovarianceLayout
    random: object
    data: np.ndarray
    blocks: tuple[Block, ...]

    def relative_covariance(self, block: Block, entries: np.ndarray) -> np.ndarray:
        """Return G of one block, shape (q, q)."""
        matrix = np.zeros_like(block.products)
        small = [self.layout.covariance_matrix(entries, f) for f in range(len(self.layout.sizes))]
        for factor, start in block.factor_levels:
            stop = start + self.layout.sizes[factor]
            matrix[start:stop, start:stop] = small[factor]
        return matrix

    def directions(self, block: Block) -> list[np.ndarray]:
        """Return dG / d entry of one block for every parameter, each of shape (q, q)."""
        return [self.relative_covariance(block, unit) for unit in np.eye(self.layout.n_parameters)]

    def expand(self, entries: np.ndarray) -> Expansion:
        """Return the expansion at the relative covariances ``entries`` (T,)."""
        return expand_blocks(self, np.asarray(entries, float))

    def fit_many(self, responses: np.ndarray, start_theta: np.ndarray, *, reml: bool) -> BatchFits:
        """Return the optimum for each column of ``responses`` (n, B), one after the other."""
        from bscstudy.multilevel.blocks_search import search_blocks

        return search_blocks(self, responses, start_theta, reml)


def prepare_blocks(design: Design, layout: CovarianceLayout) -> PreparedBlocks:
    """Find the connected blocks of random effects of a design with at least one factor."""
    from scipy.sparse.csgraph import connected_components

    data, root = design.scaled()
    random = random_columns(design, root)
    products = (random.T @ random).tocsr()
    n_blocks, label = connected_components(products, directed=False)
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(n_blocks + 1))
    owner = np.concatenate([np.full(f.n_levels * f.n_effects, i) for i, f in enumerate(design.factors)])
    within = np.concatenate([np.tile(np.arange(f.n_effects), f.n_levels) for f in design.factors])
    blocks = []
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        positions = order[first:last]
        starts = tuple((int(owner[c]), i) for i, c in enumerate(positions) if within[c] == 0)
        blocks.append(Block(positions, starts, products[positions][:, positions].toarray()))
    return PreparedBlocks(design, layout, random, data, tuple(_whole_levels(blocks, design, owner)))


def _whole_levels(blocks: list[Block], design: Design, owner: np.ndarray) -> list[Block]:
    """Join blocks until no level is divided (columns of one level that never meet in a row)."""
    level = np.concatenate([np.repeat(np.arange(f.n_levels), f.n_effects) for f in design.factors])
    if all(len(b.positions) == sum(design.factors[f].n_effects for f, _ in b.factor_levels) for b in blocks):
        return blocks
    positions = np.sort(np.concatenate([b.positions for b in blocks]))
    keys = owner[positions] * (level.max() + 1) + level[positions]
    starts = tuple((int(owner[c]), i) for i, c in enumerate(positions) if i == 0 or keys[i] != keys[i - 1])
    products = np.zeros((len(positions),) * 2)
    for block in blocks:
        products[np.ix_(block.positions, block.positions)] = block.products
    return [Block(positions, starts, products)]


def random_columns(design: Design, root: np.ndarray) -> object:
    """Return Z as a sparse array, shape (n, q), rows multiplied by ``root`` (n,); effects factor after factor, level after level."""
    from scipy.sparse import csr_array, hstack

    parts = []
    for factor in design.factors:
        k, n = factor.n_effects, design.n
        values = (factor.columns * root[:, None]).ravel()
        columns = (factor.codes[:, None] * k + np.arange(k)).ravel()
        pointers = np.arange(0, n * k + 1, k)
        parts.append(csr_array((values, columns, pointers), shape=(n, factor.n_levels * k)))
    return hstack(parts, format="csr")


def expand_blocks(prepared: PreparedBlocks, entries: np.ndarray) -> Expansion:
    """Return the expansion by dense algebra within each block: V^-1 is never formed.

    Notes
    -----
    With C = Z'Z and A = Z'D of a block: Z'V^-1 Z = M = C (I + G C)^-1 and Z'V^-1 D = U = (I + C G)^-1 A.
    Checked against: the n x n definition, test_multilevel_blocks.
    """
    count, size = prepared.layout.n_parameters, prepared.data.shape[1]
    log_determinant = 0.0
    first, second = np.zeros(count), np.zeros((count, count))
    cross = prepared.data.T @ prepared.data
    cross_first, cross_second = np.zeros((count, size, size)), np.zeros((count, count, size, size))
    totals = prepared.random.T @ prepared.data
    for block in prepared.blocks:
        covariance = prepared.relative_covariance(block, entries)
        inner = np.eye(len(covariance)) + block.products @ covariance
        right = totals[block.positions]
        middle = np.linalg.solve(inner, np.column_stack([block.products, right]))
        middle, solved = middle[:, : len(inner)], middle[:, len(inner) :]
        log_determinant += np.linalg.slogdet(inner)[1]
        cross -= right.T @ covariance @ solved
        turned = [middle @ d for d in prepared.directions(block)]
        moved = [d @ solved for d in prepared.directions(block)]
        for r in range(count):
            first[r] += np.trace(turned[r])
            cross_first[r] -= solved.T @ moved[r]
            for s in range(count):
                second[r, s] -= np.sum(turned[r] * turned[s].T)
                product = moved[r].T @ middle @ moved[s]
                cross_second[r, s] += product + product.T
    return Expansion(log_determinant, first, second, (cross + cross.T) / 2, cross_first, cross_second)
