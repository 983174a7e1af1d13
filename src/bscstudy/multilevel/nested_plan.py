"""The recipe of one design, and its memory for a number of lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.nested_kernel import NestedWork
from bscstudy.multilevel.nested_recipe import Board, Matrix, Recipe, curve_level, expand_level, make_board, weigh_level
from bscstudy.multilevel.nested_recipe_upper import curve_upper, expand_upper, make_upper
from bscstudy.multilevel.nested_sums import NestedSums


@dataclass(frozen=True)
class NestedPlan:
    """What an evaluation consists of.

    Attributes
    ----------
    sums : NestedSums
    board : Board
        Where the expansion and its weight lie in memory.
    constants : tuple of (Matrix, ndarray)
    steps, times, sizes : ndarray
        As in nested_kernel.NestedWork.
    size : int
        Numbers of memory for one lane.
    """

    sums: NestedSums
    board: Board
    constants: tuple[tuple[Matrix, np.ndarray], ...]
    steps: np.ndarray
    times: np.ndarray
    sizes: np.ndarray
    size: int

    def work(self, lanes: int) -> NestedWork:
        """Return memory for ``lanes`` lanes with the constants in place."""
        memory = np.zeros(self.size * lanes)
        for matrix, values in self.constants:
            start = matrix.first * lanes
            memory[start : start + values.size * lanes].reshape(values.size, lanes)[:] = values.reshape(-1, 1)
        return NestedWork(self.sizes, self.steps, self.times, self.sums.moments, self.sums.pairs, self.sums.pair_sums, memory)

    def view(self, work: NestedWork, matrix: Matrix, shape: tuple[int, ...]) -> np.ndarray:
        """Return the numbers of ``matrix`` in memory, shape (*shape, lanes)."""
        lanes = len(work.memory) // self.size
        first, count = matrix.first * lanes, matrix.rows * matrix.columns * matrix.width * lanes
        return work.memory[first : first + count].reshape(*shape, lanes)


def make_plan(sums: NestedSums) -> NestedPlan:
    """Write the recipe of a design with one factor or two nested ones."""
    p, below, count = int(sums.sizes[2]), int(sums.sizes[3]), len(sums.directions)
    directions = [(r, int(a), int(b)) for r, (a, b) in enumerate(sums.directions)]
    recipe = Recipe()
    board = make_board(recipe, count, p)
    level = expand_level(recipe, board, directions[:below], p, sums)
    upper = make_upper(recipe, sums, below) if sums.sizes[1] else None
    if upper is not None:
        expand_upper(recipe, board, level, upper, directions[below:], sums)
    half = len(recipe.steps)
    weigh_level(recipe, board, level, p)
    if upper is not None:
        curve_upper(recipe, board, level, upper, directions[below:], sums)
    curve_level(recipe, board, level, directions[:below])
    sizes = np.array([p, 0, half, len(recipe.steps)])
    return NestedPlan(sums, board, tuple(recipe.constants), np.array(recipe.steps), np.array(recipe.times), sizes, recipe.size)
