"""The upper of two nested levels, which receives what the lower level leaves of its groups.

For a group with Z = Z_upper and the units u below it: C = Z'Z - sum B_u' K_u B_u and U = Z'D - sum B_u' K_u A_u; then as for one level
F = (I + C G)^-1, K = G F, M = F C, W = F U = Z'V^-1 D, b = G W, and with subscripts for derivatives in the entries of level 1
    d (U'K U) = f'b + b'f,  f = U_r - C_r b / 2;      d2 (U'K U) = U_rs'b + b'U_rs - b'C_rs b + e_r'K e_s + e_s'K e_r,  e_r = U_r - C_r b;
mixed with an entry of the upper level: e_r'F'E_s W + W'E_s F e_r.
Checked against: dense algebra, test_multilevel_nested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.nested_recipe import COLLECT_PAIRS, LOAD, SOLVE, SUBTRACT_PAIRS, WEIGH, Board, Level, Matrix, Recipe


@dataclass(frozen=True)
class Upper:
    """Matrices of level 2 by group (k2 x k2, then k2 x P), and B'K, B'K B by class with derivatives."""

    one: Matrix
    covariance: Matrix
    reply: Matrix
    middle: Matrix
    full: Matrix
    spread: Matrix
    spare: Matrix
    left_over: list[Matrix]
    solved: Matrix
    modes: Matrix
    weighted: Matrix
    moved: Matrix
    residual: Matrix
    totals: list[Matrix]
    coupled: list[Matrix]
    carried: list[Matrix]


def make_upper(recipe: Recipe, sums: object, n_below: int) -> Upper:
    """Reserve memory; ``sums`` is nested_sums.NestedSums."""
    k, above, p = (int(size) for size in sums.sizes[:3])
    groups, classes, orders = sums.upper_products.shape[1], len(sums.counts), range(1 + n_below)
    one = recipe.matrix(1, 1, groups, np.ones(groups))
    squares = [recipe.matrix(above, above, groups, np.zeros((above**2, groups))) for _ in range(6)]
    left_over = [recipe.matrix(above, above, groups) for _ in orders]
    tables = [recipe.matrix(above, p + 1, groups) for _ in range(5)]
    totals = [recipe.matrix(above, p + 1, groups) for _ in orders]
    coupled = [recipe.matrix(above, k, classes) for _ in orders]
    carried = [recipe.matrix(above, above, classes) for _ in orders]
    return Upper(one, *squares, left_over, *tables, totals, coupled, carried)


def expand_upper(recipe: Recipe, board: Board, level: Level, upper: Upper, directions: list[tuple[int, int, int]], sums: object) -> None:
    """Add the upper level's share to log|V|, D'V^-1D and their first derivatives; directions are (r, row, column) of level 2."""
    above, groups = upper.reply.rows, upper.reply.width
    _receive(recipe, level, upper, sums)
    recipe.spread_entries(board.entries, directions, upper.covariance)
    log_determinant = recipe.matrix(1, 1, groups)
    places = {"left": upper.left_over[0].first, "right": upper.covariance.first, "out": (upper.reply.first, log_determinant.first)}
    recipe.step(SOLVE, rows=above, width=groups, **places)
    recipe.multiply(upper.reply, upper.left_over[0], upper.middle)
    recipe.multiply(upper.covariance, upper.reply, upper.full)
    recipe.multiply(upper.reply, upper.totals[0], upper.solved)
    recipe.multiply(upper.covariance, upper.solved, upper.modes)
    recipe.trace(log_determinant, upper.one, board.log_determinant)
    for a in range(above):
        recipe.cross(upper.totals[0].row(a), upper.modes.row(a), board.cross, -1.0, both=False)
    for r in range(len(upper.totals) - 1):
        _move(recipe, upper, r, -0.5)
        for a in range(above):
            recipe.cross(upper.moved.row(a), upper.modes.row(a), board.cross_gradient.row(r), -1.0, both=True)
        recipe.trace(upper.full, upper.left_over[1 + r], board.log_gradient.row(r))
    for s, a, b in directions:
        recipe.entry_trace(upper.middle, upper.one, (s, a, b), board.log_gradient.row(s))
        recipe.cross(upper.solved.row(a), upper.solved.row(b), board.cross_gradient.row(s), -1.0, both=a != b)


def _receive(recipe: Recipe, level: Level, upper: Upper, sums: object) -> None:
    """C and U of each group with their derivatives, from Z'Z, Z'D and, by class, B'K and B'K B."""
    above, groups = upper.reply.rows, upper.reply.width
    products = recipe.matrix(above, above, groups, sums.upper_products)
    fixed = recipe.matrix(above, int(sums.sizes[2]) + 1, groups, sums.upper_totals)
    for d, full in enumerate(level.full):
        recipe.multiply(level.couplings.T, full, upper.coupled[d])
        recipe.multiply(upper.coupled[d], level.couplings, upper.carried[d])
        if d == 0:
            recipe.scale(upper.one, products, upper.left_over[0])
            recipe.scale(upper.one, fixed, upper.totals[0])
            for a in range(above):
                out = upper.totals[0].row(a, fixed.columns - 1)
                recipe.step(LOAD, width=groups, left=sums.group_statistics + a * groups, out=out.first)
        else:
            recipe.fill(upper.left_over[d], 0.0)
            recipe.fill(upper.totals[d], 0.0)
        _pairs(recipe, SUBTRACT_PAIRS, (upper.coupled[d], upper.carried[d]), (upper.left_over[d], upper.totals[d]), sums)


def _pairs(recipe: Recipe, code: int, by_class: tuple[Matrix, Matrix], by_group: tuple[Matrix, Matrix], sums: object) -> None:
    k, above, p = (int(size) for size in sums.sizes[:3])
    sizes = {"rows": k, "inner": p, "columns": above, "width": by_class[0].width, "keep": sums.pair_statistics}
    out = (by_group[0].first, by_group[1].first, by_group[0].width)
    recipe.step(code, **sizes, left=by_class[0].first, right=by_class[1].first, out=out)


def _move(recipe: Recipe, upper: Upper, r: int, share: float) -> None:
    """U_r + share * C_r b."""
    recipe.scale(upper.one, upper.totals[1 + r], upper.moved)
    recipe.multiply(upper.left_over[1 + r], upper.modes, upper.moved, share, keep=True)


def _weigh(recipe: Recipe, board: Board, source: Matrix, out: Matrix) -> None:
    sizes = {"rows": source.rows, "inner": source.columns, "width": source.width}
    recipe.step(WEIGH, **sizes, left=source.first, right=board.weight.first, out=out.first)


def curve_upper(recipe: Recipe, board: Board, level: Level, upper: Upper, directions: list[tuple[int, int, int]], sums: object) -> None:
    """Add the upper level's share to the curvature, and to the weight on K of each class: Y B' + B Y' - B S B'.

    Y is the sum over groups of (sums of A) w b', S the sum of units * (b w b' + log_share K).
    """
    _weigh(recipe, board, upper.solved, upper.moved)
    recipe.multiply(upper.moved, upper.solved.T, upper.spread, -2.0)
    recipe.scale(upper.one, upper.middle, upper.spread, 0.0, log_times=1.0, keep=True)
    recipe.directions(upper.spread, upper.middle, directions, board.curvature)
    recipe.multiply(upper.covariance, upper.moved, upper.weighted)
    for r in range(len(upper.totals) - 1):
        _move(recipe, upper, r, -1.0)
        _weigh(recipe, board, upper.moved, upper.residual)
        _curve_mixed(recipe, board, upper, directions, r)
        _curve_below(recipe, board, upper, r)
    recipe.multiply(upper.weighted, upper.modes.T, upper.spread)
    recipe.scale(upper.one, upper.full, upper.spread, 0.0, log_times=1.0, keep=True)
    k, above, classes = level.reply.rows, upper.reply.rows, level.reply.width
    linear, square, carried = (recipe.matrix(*shape, classes) for shape in ((k, above), (above, above), (k, above)))
    recipe.fill(linear, 0.0)
    recipe.fill(square, 0.0)
    _pairs(recipe, COLLECT_PAIRS, (linear, square), (upper.spread, upper.weighted), sums)
    recipe.multiply(linear, level.couplings.T, level.adjoint, keep=True)
    recipe.multiply(level.couplings, linear.T, level.adjoint, keep=True)
    recipe.multiply(level.couplings, square, carried)
    recipe.multiply(carried, level.couplings.T, level.adjoint, -1.0, keep=True)


def _curve_mixed(recipe: Recipe, board: Board, upper: Upper, directions: list[tuple[int, int, int]], r: int) -> None:
    """Entry r of level 1 with each entry of the upper level: F (log_share C_r F' - e_r w W') minus the transpose of the last."""
    recipe.multiply(upper.reply, upper.left_over[1 + r], upper.spare, 0.0, log_times=1.0)
    recipe.multiply(upper.spare, upper.reply.T, upper.spread)
    recipe.multiply(upper.reply, upper.residual, upper.moved)
    recipe.multiply(upper.moved, upper.solved.T, upper.spread, -1.0, keep=True)
    recipe.multiply(upper.solved, upper.moved.T, upper.spread, -1.0, keep=True)
    for s, a, b in directions:
        recipe.entry_trace(upper.spread, upper.one, (s, a, b), board.curvature.row(s * (s + 1) // 2 + r))


def _curve_below(recipe: Recipe, board: Board, upper: Upper, r: int) -> None:
    """Entries r and s <= r of level 1: -2 <w, e_r'K e_s> - log_share tr(K C_r K C_s)."""
    recipe.multiply(upper.full, upper.residual, upper.moved)
    recipe.multiply(upper.full, upper.left_over[1 + r], upper.spare)
    recipe.multiply(upper.spare, upper.full, upper.spread, 0.0, log_times=-1.0)
    recipe.multiply(upper.moved, upper.modes.T, upper.spread, 2.0, keep=True)
    for s in range(r + 1):
        here = board.curvature.row(r * (r + 1) // 2 + s)
        recipe.trace(upper.moved, upper.totals[1 + s], here, -2.0)
        recipe.trace(upper.spread, upper.left_over[1 + s], here)
