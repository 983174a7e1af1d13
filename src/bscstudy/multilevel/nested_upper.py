"""Compiled: the upper of two nested levels, which receives what the lower level leaves of its groups.

For a group with Z = Z_upper and the units u below it: C = Z'Z - sum B_u' K_u B_u and U = Z'D - sum B_u' K_u A_u; then as for one level
F = (I + C G)^-1, K = G F, M = F C, W = F U = Z'V^-1 D, b = G W, and with subscripts for derivatives in the entries of level 1
    d (U'K U) = f'b + b'f,  f = U_r - C_r b / 2;      d2 (U'K U) = U_rs'b + b'U_rs - b'C_rs b + e_r'K e_s + e_s'K e_r,  e_r = U_r - C_r b;
mixed with an entry of the upper level: e_r'F'E_s W + W'E_s F e_r. Column i of row a of a k2 x P matrix is in row a P + i.
"""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_cells import (
    add_crosses,
    add_directions,
    add_entries,
    add_products,
    multiply_cells,
    solve_cells,
    spread_covariance,
)

ONE, LOG_DETERMINANT = 0, 1  # single rows of ``squares``: ones, log|I + C G|
PRODUCTS, COVARIANCE, REPLY, MIDDLE, FULL, SPREAD, SPARE = 2, 3, 4, 5, 6, 7, 8  # Z'Z, G, F, M, K, work, work
LEFT_OVER = 9  # matrices of ``squares`` from here: C and its derivatives
FIXED, SOLVED, MODES, WEIGHTED, MOVED, RESIDUAL = 0, 1, 2, 3, 4, 5  # matrices of ``tables``: Z'[X .], W, b, b weight, work, e_r weight
TOTALS = 6  # from here: U and its derivatives
COUPLINGS = 3  # nested_kernel.COUPLINGS


@kernel
def expand_upper(work, full, outcome, entries, log_determinant, log_gradient, cross, cross_gradient):
    """Add the upper level's share to log|V|, D'V^-1D and their first derivatives; K and derivatives are in ``level`` from row ``full``."""
    above, size, below = work.sizes[1], work.sizes[2] + 1, work.sizes[3]
    squares, tables, packed = work.squares, work.tables, cross.shape[0]
    solved, modes, middle = SOLVED * above * size, MODES * above * size, MIDDLE * above**2
    _receive(work, full, outcome, entries.shape[1])
    _solve_upper(work, entries)
    add_products(squares, LOG_DETERMINANT, squares, ONE, 1.0, log_determinant, 0)
    for a in range(above):
        totals = (TOTALS * above + a) * size
        add_crosses(size, tables, totals, tables, modes + a * size, -1.0, False, cross, 0)
    for r in range(below):
        _move_residual(work, r, -0.5)
        for a in range(above):
            moved = (MOVED * above + a) * size
            add_crosses(size, tables, moved, tables, modes + a * size, -1.0, True, cross_gradient, r * packed)
        for row in range(above * above):
            add_products(squares, FULL * above**2 + row, squares, (LEFT_OVER + 1 + r) * above**2 + row, 1.0, log_gradient, r)
    for s in range(below, entries.shape[0]):
        a, b = work.directions[s, 0], work.directions[s, 1]
        add_entries(squares, middle, above, a, b, squares, ONE, log_gradient, s)
        add_crosses(size, tables, solved + a * size, tables, solved + b * size, -1.0, a != b, cross_gradient, s * packed)


@kernel
def _receive(work, full, outcome, lanes):
    """C and U of each group with their derivatives, from Z'Z, Z'D and, by class, B'K and B'K B."""
    k, above, below = work.sizes[0], work.sizes[1], work.sizes[3]
    level, block = work.level, max(k, above) ** 2
    couplings = COUPLINGS * block
    for d in range(1 + below):
        here, linear = full + d * block, full + (1 + below + d) * block
        square = linear + (1 + below) * block
        multiply_cells((above, k, k), level, (couplings, 1, above), level, (here, k, 1), 1.0, 0.0, level, linear)
        multiply_cells((above, k, above), level, (linear, k, 1), level, (couplings, above, 1), 1.0, 0.0, level, square)
        _start_groups(work.squares, work.tables, above**2, above * (work.sizes[2] + 1), d)
        if d == 0:
            _add_outcome(work, outcome, lanes)
        _subtract_pairs(work, outcome, linear, square, d, lanes)


@kernel(fast=True)
def _start_groups(squares, tables, n_squares, n_tables, d):
    """Z'Z and Z'D for the value (d = 0), zeros for the derivatives."""
    share = 1.0 if d == 0 else 0.0
    for row in range(n_squares):
        for cell in range(squares.shape[1]):
            squares[(LEFT_OVER + d) * n_squares + row, cell] = share * squares[PRODUCTS * n_squares + row, cell]
    for row in range(n_tables):
        for cell in range(tables.shape[1]):
            tables[(TOTALS + d) * n_tables + row, cell] = share * tables[FIXED * n_tables + row, cell]


@kernel(fast=True)
def _add_outcome(work, outcome, lanes):
    """Z'e of each group, the last rows of ``outcome``."""
    above, size, tables = work.sizes[1], work.sizes[2] + 1, work.tables
    groups = tables.shape[1] // lanes
    first = outcome.shape[0] - above * groups
    for a in range(above):
        for group in range(groups):
            for lane in range(lanes):
                tables[(TOTALS * above + a) * size + size - 1, group * lanes + lane] = outcome[first + a * groups + group, lane]


@kernel(fast=True)
def _subtract_pairs(work, outcome, linear, square, d, lanes):
    """Subtract B'K B for every unit and B'K A for every pair of group and class (or their derivatives)."""
    k, above, p = work.sizes[0], work.sizes[1], work.sizes[2]
    level, squares, tables = work.level, work.squares, work.tables
    first = outcome.shape[0] - above * (tables.shape[1] // lanes) - work.pairs.shape[0] * k
    for pair in range(work.pairs.shape[0]):
        here, there = work.pairs[pair, 0] * lanes, work.pairs[pair, 1] * lanes
        for row in range(above * above):
            for lane in range(lanes):
                squares[(LEFT_OVER + d) * above * above + row, here + lane] -= (
                    work.pair_sums[pair, 0] * level[square + row, there + lane]
                )
        for b in range(above):
            totals = ((TOTALS + d) * above + b) * (p + 1)
            for a in range(k):
                row = linear + b * k + a
                for i in range(p):
                    for lane in range(lanes):
                        tables[totals + i, here + lane] -= work.pair_sums[pair, 1 + a * p + i] * level[row, there + lane]
                for lane in range(lanes):
                    tables[totals + p, here + lane] -= outcome[first + pair * k + a, lane] * level[row, there + lane]


@kernel
def _solve_upper(work, entries):
    """F, M, K, W and b."""
    above, size, below = work.sizes[1], work.sizes[2] + 1, work.sizes[3]
    squares, tables, block = work.squares, work.tables, above**2
    left, covariance, reply = LEFT_OVER * block, COVARIANCE * block, REPLY * block
    cube, table = (above, above, above), (above, above, size)
    totals, solved, modes = TOTALS * above * size, SOLVED * above * size, MODES * above * size
    spread_covariance(above, entries, work.directions, below, entries.shape[0], squares, covariance)
    solve_cells(above, squares, left, covariance, reply, LOG_DETERMINANT)
    multiply_cells(cube, squares, (reply, above, 1), squares, (left, above, 1), 1.0, 0.0, squares, MIDDLE * block)
    multiply_cells(cube, squares, (covariance, above, 1), squares, (reply, above, 1), 1.0, 0.0, squares, FULL * block)
    multiply_cells(table, squares, (reply, above, 1), tables, (totals, size, 1), 1.0, 0.0, tables, solved)
    multiply_cells(table, squares, (covariance, above, 1), tables, (solved, size, 1), 1.0, 0.0, tables, modes)


@kernel
def _move_residual(work, r, share):
    """U_r + share * C_r b, into MOVED."""
    above, size = work.sizes[1], work.sizes[2] + 1
    squares, tables, block = work.squares, work.tables, above * size
    moved, totals, left = MOVED * block, (TOTALS + 1 + r) * block, (LEFT_OVER + 1 + r) * above**2
    multiply_cells((block, 1, 1), tables, (totals, 1, 0), squares, (ONE, 0, 0), 1.0, 0.0, tables, moved)
    multiply_cells((above, above, size), squares, (left, above, 1), tables, (MODES * block, size, 1), share, 1.0, tables, moved)


@kernel
def contract_upper(work, full, outcome, weight, log_share, curvature):
    """Add the upper level's share to the curvature.

    Leaves by class, where ``level`` held B'K and B'K B: the sum over groups of (sums of A) weight b' and of units * (b weight b' + log_share K).
    """
    above, size, below = work.sizes[1], work.sizes[2] + 1, work.sizes[3]
    squares, tables, block = work.squares, work.tables, above * size
    solved, modes, weighted, moved = SOLVED * block, MODES * block, WEIGHTED * block, MOVED * block
    spread, middle = SPREAD * above**2, MIDDLE * above**2
    table, outer, scale = (above, above, size), (above, size, above), (above * above, 1, 1)
    _weigh(above, size, tables, solved, weight, moved)
    multiply_cells(outer, tables, (moved, size, 1), tables, (solved, 1, size), -2.0, 0.0, squares, spread)
    multiply_cells(scale, squares, (middle, 1, 0), squares, (ONE, 0, 0), log_share, 1.0, squares, spread)
    add_directions(above, squares, spread, squares, middle, work.directions, below, work.directions.shape[0], curvature)
    multiply_cells(table, squares, (COVARIANCE * above**2, above, 1), tables, (moved, size, 1), 1.0, 0.0, tables, weighted)
    for r in range(below):
        _move_residual(work, r, -1.0)
        _weigh(above, size, tables, moved, weight, RESIDUAL * block)
        _add_mixed(work, r, log_share, curvature)
        _add_lower_pairs(work, r, log_share, curvature)
    multiply_cells(outer, tables, (weighted, size, 1), tables, (modes, 1, size), 1.0, 0.0, squares, spread)
    multiply_cells(scale, squares, (FULL * above**2, 1, 0), squares, (ONE, 0, 0), log_share, 1.0, squares, spread)
    _collect_pairs(work, full, outcome, weight.shape[2])


@kernel(fast=True)
def _weigh(above, size, tables, first, weight, out):
    """Multiply each row of the k2 x P matrix at ``first`` by the weight (P, P, lanes)."""
    lanes = weight.shape[2]
    for a in range(above * size):
        for cell in range(tables.shape[1]):
            tables[out + a, cell] = 0.0
    for a in range(above):
        for i in range(size):
            for j in range(size):
                for group in range(tables.shape[1] // lanes):
                    for lane in range(lanes):
                        tables[out + a * size + i, group * lanes + lane] += (
                            weight[i, j, lane] * tables[first + a * size + j, group * lanes + lane]
                        )


@kernel
def _add_mixed(work, r, log_share, curvature):
    """Curvature in entry r of level 1 and each entry of the upper level: F (log_share C_r F' - e_r weight W') minus the transpose of the last."""
    above, size, below = work.sizes[1], work.sizes[2] + 1, work.sizes[3]
    squares, tables, block = work.squares, work.tables, above * size
    reply, spread, spare, left = REPLY * above**2, SPREAD * above**2, SPARE * above**2, (LEFT_OVER + 1 + r) * above**2
    cube, table, outer = (above, above, above), (above, above, size), (above, size, above)
    solved, moved, residual = SOLVED * block, MOVED * block, RESIDUAL * block
    multiply_cells(cube, squares, (reply, above, 1), squares, (left, above, 1), log_share, 0.0, squares, spare)
    multiply_cells(cube, squares, (spare, above, 1), squares, (reply, 1, above), 1.0, 0.0, squares, spread)
    multiply_cells(table, squares, (reply, above, 1), tables, (residual, size, 1), 1.0, 0.0, tables, moved)
    multiply_cells(outer, tables, (moved, size, 1), tables, (solved, 1, size), -1.0, 1.0, squares, spread)
    multiply_cells(outer, tables, (solved, size, 1), tables, (moved, 1, size), -1.0, 1.0, squares, spread)
    for s in range(below, work.directions.shape[0]):
        a, b = work.directions[s, 0], work.directions[s, 1]
        add_entries(squares, spread, above, a, b, squares, ONE, curvature, s * (s + 1) // 2 + r)


@kernel
def _add_lower_pairs(work, r, log_share, curvature):
    """Curvature in entries r and s <= r of level 1: -2 <weight, e_r'K e_s> - log_share tr(K C_r K C_s)."""
    above, size = work.sizes[1], work.sizes[2] + 1
    squares, tables, block = work.squares, work.tables, above * size
    full, spread, spare, left = FULL * above**2, SPREAD * above**2, SPARE * above**2, (LEFT_OVER + 1 + r) * above**2
    cube, table, outer = (above, above, above), (above, above, size), (above, size, above)
    modes, moved, residual = MODES * block, MOVED * block, RESIDUAL * block
    multiply_cells(table, squares, (full, above, 1), tables, (residual, size, 1), 1.0, 0.0, tables, moved)
    multiply_cells(cube, squares, (full, above, 1), squares, (left, above, 1), 1.0, 0.0, squares, spare)
    multiply_cells(cube, squares, (spare, above, 1), squares, (full, above, 1), -log_share, 0.0, squares, spread)
    multiply_cells(outer, tables, (moved, size, 1), tables, (modes, 1, size), 2.0, 1.0, squares, spread)
    for s in range(r + 1):
        here = r * (r + 1) // 2 + s
        for row in range(block):
            add_products(tables, moved + row, tables, (TOTALS + 1 + s) * block + row, -2.0, curvature, here)
        for row in range(above * above):
            add_products(squares, spread + row, squares, (LEFT_OVER + 1 + s) * above**2 + row, 1.0, curvature, here)


@kernel(fast=True)
def _collect_pairs(work, full, outcome, lanes):
    """Sums over the groups of each class, (k1 x k2) and (k2 x k2), where B'K and B'K B were."""
    k, above, p = work.sizes[0], work.sizes[1], work.sizes[2]
    level, squares, tables = work.level, work.squares, work.tables
    orders, block = 1 + work.sizes[3], max(k, above) ** 2
    linear, square = full + orders * block, full + 2 * orders * block
    first = outcome.shape[0] - above * (tables.shape[1] // lanes) - work.pairs.shape[0] * k
    for row in range(block):
        for cell in range(level.shape[1]):
            level[linear + row, cell] = 0.0
            level[square + row, cell] = 0.0
    for pair in range(work.pairs.shape[0]):
        here, there = work.pairs[pair, 0] * lanes, work.pairs[pair, 1] * lanes
        for row in range(above * above):
            for lane in range(lanes):
                level[square + row, there + lane] += work.pair_sums[pair, 0] * squares[SPREAD * above * above + row, here + lane]
        for b in range(above):
            weighted = (WEIGHTED * above + b) * (p + 1)
            for a in range(k):
                row = linear + a * above + b
                for i in range(p):
                    for lane in range(lanes):
                        level[row, there + lane] += work.pair_sums[pair, 1 + a * p + i] * tables[weighted + i, here + lane]
                for lane in range(lanes):
                    level[row, there + lane] += outcome[first + pair * k + a, lane] * tables[weighted + p, here + lane]
