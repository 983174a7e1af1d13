"""The algebra of one or two nested factors, written once as a list of steps that a compiled loop carries out (nested_kernel).

Level 1 is the factor with more levels; its units fall into classes with the same C = Z'Z and the same coupling B = Z'Z_upper, of which
only class sums of products of A = Z'[X e] are needed. [X e] are orthonormal columns and the residual of their regression, so D'D is the
identity with e'e in its corner. Per class and lane, G never inverted, E_r = dG / d entry r:
    F = (I + C G)^-1,   K = G F,   M = F C;   d K = F' E_r F,   d2 K = -F' (E_s M E_r + E_r M E_s) F,
    d log|I + C G| = tr(M E_r),   d2 log|I + C G| = -tr(M E_s M E_r).
Second derivatives are only taken contracted with a weight w (the derivative of the deviance in D'V^-1D), so that they cost little more
than one evaluation. The upper level is in ``nested_recipe_upper``.
Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), section 3; Harville (1977), JASA 72, 320 (derivatives).
Checked against: dense algebra, test_multilevel_nested.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MULTIPLY, TRACE, CROSS, SPREAD, LOAD, WEIGH, SOLVE, SUBTRACT_MOMENTS, WEIGH_MOMENTS, SUBTRACT_PAIRS, COLLECT_PAIRS = range(11)
# Columns of a step: 0 code, 1 rows, 2 inner, 3 columns, 4 width, 5-7 left, 8-10 right, 11-13 out (first, row step, column step), 14 keep
_COLUMNS = 15


@dataclass(frozen=True)
class Matrix:
    """Small matrices in memory, one for each of ``width`` units: entry (i, j) begins at first + i row_step + j column_step (one lane)."""

    first: int
    rows: int
    columns: int
    width: int
    row_step: int
    column_step: int

    @property
    def place(self) -> tuple[int, int, int]:
        """First address, row step, column step."""
        return self.first, self.row_step, self.column_step

    @property
    def T(self) -> Matrix:  # noqa: N802
        """The transpose."""
        return replace(self, rows=self.columns, columns=self.rows, row_step=self.column_step, column_step=self.row_step)

    def row(self, i: int, j: int = 0) -> Matrix:
        """Row i from column j on."""
        return replace(self, first=self.first + i * self.row_step + j * self.column_step, rows=1, columns=self.columns - j)

    def column(self, j: int) -> Matrix:
        """Column j."""
        return self.T.row(j).T


class Recipe:
    """Steps in the order of their making, and the memory they use.

    Attributes
    ----------
    size : int
        Numbers of memory for one lane.
    constants : list of (Matrix, ndarray (rows columns, width))
        What memory holds from the start.
    """

    def __init__(self) -> None:
        self.size = 0
        self.constants: list[tuple[Matrix, np.ndarray]] = []
        self.steps: list[list[int]] = []
        self.times: list[tuple[float, float]] = []

    def matrix(self, rows: int, columns: int, width: int = 1, constant: np.ndarray | None = None) -> Matrix:
        """Return new matrices; width 1 is for numbers by lane alone."""
        made = Matrix(self.size, rows, columns, width, columns * width, width)
        self.size += rows * columns * width
        if constant is not None:
            self.constants.append((made, np.asarray(constant, float).reshape(rows * columns, width)))
        return made

    def step(self, code: int, times: float = 1.0, log_times: float = 0.0, **columns: int | tuple[int, int, int]) -> None:
        """Add a step; the columns are named rows, inner, columns, width, left, right, out, keep."""
        where = {"rows": 1, "inner": 2, "columns": 3, "width": 4, "left": 5, "right": 8, "out": 11, "keep": 14}
        made = [code] + [0] * (_COLUMNS - 1)
        for name, value in columns.items():
            values = value if isinstance(value, tuple) else (value,)
            made[where[name] : where[name] + len(values)] = [int(v) for v in values]
        self.steps.append(made)
        self.times.append((times, log_times))

    def multiply(
        self, left: Matrix, right: Matrix, out: Matrix, times: float = 1.0, *, log_times: float = 0.0, keep: bool = False
    ) -> Matrix:
        """out = (out +) (times + log_times * log_share) * left right; returns out."""
        sizes = {"rows": left.rows, "inner": left.columns, "columns": right.columns, "width": out.width, "keep": int(keep)}
        self.step(MULTIPLY, times, log_times, **sizes, left=left.place, right=right.place, out=out.place)
        return out

    def scale(self, one: Matrix, source: Matrix, out: Matrix, times: float = 1.0, *, log_times: float = 0.0, keep: bool = False) -> Matrix:
        """out = (out +) times * source, each unit times its number in ``one``."""
        flat = Matrix(source.first, source.rows * source.columns, 1, source.width, source.width, 0)
        target = replace(flat, first=out.first)
        return self.multiply(flat, replace(one, row_step=0, column_step=0, columns=1), target, times, log_times=log_times, keep=keep)

    def trace(self, left: Matrix, right: Matrix, out: Matrix, times: float = 1.0) -> None:
        """out += times * sum over units and entries of left * right (two matrices of one shape in plain order)."""
        rows = left.rows * left.columns
        self.step(
            TRACE, times, rows=rows, width=left.width, left=(left.first, left.width, 0), right=(right.first, right.width, 0), out=out.first
        )

    def fill(self, out: Matrix, value: float) -> None:
        """Set all numbers of ``out``."""
        self.step(SPREAD, value, width=out.rows * out.columns * out.width, left=-1, out=out.first)

    def spread_entries(self, entries: Matrix, directions: list[tuple[int, int, int]], out: Matrix) -> None:
        """Fill G of every unit from its lane's entries; (r, row, column) for each entry of the factor."""
        for r, a, b in directions:
            for i, j in sorted({(a, b), (b, a)}):
                self.step(SPREAD, width=out.width, left=entries.row(r).first, out=out.row(i, j).first)

    def directions(self, left: Matrix, middle: Matrix, one: list[tuple[int, int, int]], out: Matrix) -> None:
        """Subtract from the packed ``out`` the sums over units of tr(left E_s middle E_r) for all entries r, s of one factor."""
        for r, a, b in one:
            for s, c, d in one:
                if s > r:
                    continue
                target = out.row(r * (r + 1) // 2 + s)
                for i, j in sorted({(a, b), (b, a)}):
                    for u, v in sorted({(c, d), (d, c)}):
                        places = {"left": left.row(j, u).first, "right": middle.row(v, i).first, "out": target.first}
                        self.step(TRACE, -1.0, rows=1, width=left.width, **places)

    def entry_trace(self, table: Matrix, weights: Matrix, direction: tuple[int, int, int], out: Matrix) -> None:
        """out += sum over units, weighted, of tr(table E)."""
        _, a, b = direction
        for i, j in sorted({(a, b), (b, a)}):
            self.step(TRACE, rows=1, width=table.width, left=table.row(i, j).first, right=weights.first, out=out.first)

    def cross(self, left: Matrix, right: Matrix, out: Matrix, times: float, *, both: bool) -> None:
        """Add times * left' right (+ its transpose) of two rows to the packed symmetric ``out``."""
        self.step(CROSS, times, rows=left.columns, inner=int(both), width=left.width, left=left.first, right=right.first, out=out.first)


@dataclass(frozen=True)
class Board:
    """What goes in and comes out of a recipe, by lane: shapes as in profile_kernel, T parameters, P = p + 1.

    ``cross_gradient`` has one row of packed entries for each parameter.
    """

    entries: Matrix
    log_determinant: Matrix
    log_gradient: Matrix
    cross: Matrix
    cross_gradient: Matrix
    weight: Matrix
    curvature: Matrix


def make_board(recipe: Recipe, count: int, p: int) -> Board:
    """Reserve memory for T = ``count`` parameters and p fixed columns."""
    packed = (p + 1) * (p + 2) // 2
    shapes = ((count, 1), (1, 1), (count, 1), (1, packed), (count, packed), (p + 1, p + 1), (count * (count + 1) // 2, 1))
    return Board(*(recipe.matrix(*shape) for shape in shapes))


@dataclass(frozen=True)
class Level:
    """Matrices of level 1 by class: units; B; F, M and a work matrix, the weight on K; K and its derivatives in each entry."""

    count: Matrix
    couplings: Matrix
    reply: Matrix
    middle: Matrix
    spare: Matrix
    adjoint: Matrix
    full: list[Matrix]


def expand_level(recipe: Recipe, board: Board, directions: list[tuple[int, int, int]], p: int, sums: object) -> Level:
    """Steps for log|V| and D'V^-1D with first derivatives, level 1 only.

    ``sums`` (nested_sums.NestedSums) gives counts, products and couplings of the classes; directions are (r, row, column) of level 1.
    """
    k, classes = int(sums.sizes[0]), len(sums.counts)
    count, products = recipe.matrix(1, 1, classes, sums.counts), recipe.matrix(k, k, classes, sums.products)
    couplings = recipe.matrix(k, int(sums.sizes[1]), classes, sums.couplings)
    covariance, reply, middle, spare, adjoint = (recipe.matrix(k, k, classes, np.zeros((k * k, classes))) for _ in range(5))
    full = [recipe.matrix(k, k, classes) for _ in range(1 + len(directions))]
    log_determinant = recipe.matrix(1, 1, classes)
    _clear(recipe, board, p)
    recipe.spread_entries(board.entries, directions, covariance)
    recipe.step(SOLVE, rows=k, width=classes, left=products.first, right=covariance.first, out=(reply.first, log_determinant.first))
    recipe.multiply(reply, products, middle)
    recipe.multiply(covariance, reply, full[0])
    recipe.trace(log_determinant, count, board.log_determinant)
    for number, (r, a, b) in enumerate(directions):
        recipe.multiply(reply.row(a).T, reply.row(b), full[1 + number])
        if a != b:
            recipe.multiply(reply.row(b).T, reply.row(a), full[1 + number], keep=True)
        recipe.entry_trace(middle, count, (r, a, b), board.log_gradient.row(r))
    for matrix, out in zip(full, [board.cross, *(board.cross_gradient.row(r) for r, _, _ in directions)], strict=True):
        recipe.step(SUBTRACT_MOMENTS, rows=k, inner=p, width=classes, left=matrix.first, out=out.first)
    return Level(count, couplings, reply, middle, spare, adjoint, full)


def _clear(recipe: Recipe, board: Board, p: int) -> None:
    """D'D: the identity, and e'e in its corner; zeros for the rest."""
    for matrix in (board.log_determinant, board.log_gradient, board.cross, board.cross_gradient):
        recipe.fill(matrix, 0.0)
    for j in range(p):
        recipe.fill(board.cross.row(0, j * (j + 3) // 2).column(0), 1.0)
    recipe.step(LOAD, width=1, left=0, out=board.cross.row(0, p * (p + 3) // 2).first)


def weigh_level(recipe: Recipe, board: Board, level: Level, p: int) -> None:
    """First step of the curvature: zeros, and the weight on K from the moments."""
    recipe.fill(board.curvature, 0.0)
    step = {"rows": level.adjoint.rows, "inner": p, "width": level.adjoint.width, "right": board.weight.first, "out": level.adjoint.first}
    recipe.step(WEIGH_MOMENTS, **step)


def curve_level(recipe: Recipe, board: Board, level: Level, directions: list[tuple[int, int, int]]) -> None:
    """Last steps: <weight on K, d2 K> and the second derivatives of log|I + C G| together are -tr((2 F w F' + units M) E_s M E_r)."""
    recipe.multiply(level.reply, level.adjoint, level.spare)
    recipe.multiply(level.spare, level.reply.T, level.adjoint, 2.0)
    recipe.scale(level.count, level.middle, level.adjoint, 0.0, log_times=1.0, keep=True)
    recipe.directions(level.adjoint, level.middle, directions, board.curvature)
