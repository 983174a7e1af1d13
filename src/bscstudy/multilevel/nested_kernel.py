"""Compiled: carry out a recipe (nested_recipe) step by step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bscstudy.multilevel import nested_steps
from bscstudy.multilevel.compiled import kernel
from bscstudy.multilevel.nested_recipe import (
    COLLECT_PAIRS,
    CROSS,
    LOAD,
    MULTIPLY,
    SOLVE,
    SPREAD,
    SUBTRACT_MOMENTS,
    SUBTRACT_PAIRS,
    TRACE,
    WEIGH,
    WEIGH_MOMENTS,
)

multiply, add_product, cross, spread, load, weigh, solve = (
    nested_steps.multiply,
    nested_steps.add_product,
    nested_steps.cross,
    nested_steps.spread,
    nested_steps.load,
    nested_steps.weigh,
    nested_steps.solve,
)
subtract_moments, weigh_moments = nested_steps.subtract_moments, nested_steps.weigh_moments
subtract_pairs, collect_pairs = nested_steps.subtract_pairs, nested_steps.collect_pairs


class NestedWork(NamedTuple):
    """What the fixed side of a design comes to, its recipe, and memory for a number of lanes."""

    sizes: np.ndarray  # (4,) int64: p, first step, first step of the curvature, number of steps
    steps: np.ndarray  # (steps, columns) int64
    times: np.ndarray  # (steps, 2): factor of each step, and what of it is multiplied by log_share
    moments: np.ndarray  # (packed k1 x classes, p (p + 1) / 2): class sums of A A', fixed columns
    pairs: np.ndarray  # (pairs, 2) int64: group and class of each pair that occurs
    pair_sums: np.ndarray  # (pairs, 1 + k1 p): units, sums of A (fixed columns)
    memory: np.ndarray  # (size x lanes,)


@kernel
def run_steps(work, first, last, log_share, outcome):
    """Carry out steps ``first`` to ``last`` - 1 for the statistics ``outcome`` (statistics, lanes)."""
    memory, lanes = work.memory, outcome.shape[1]
    for number in range(first, last):
        step = work.steps[number]
        times = work.times[number, 0] + work.times[number, 1] * log_share
        code = step[0]
        if code == MULTIPLY:
            multiply(step, times, memory, lanes)
        elif code == TRACE:
            for row in range(step[1]):
                left, right = step[5] + row * step[6], step[8] + row * step[9]
                add_product(step[4], left * lanes, right * lanes, times, memory, step[11] * lanes, lanes)
        elif code == CROSS:
            cross(step, times, memory, lanes)
        elif code == SPREAD:
            spread(step, times, memory, lanes)
        elif code == LOAD:
            load(step, memory, lanes, outcome)
        elif code == WEIGH:
            weigh(step, memory, lanes)
        elif code == SOLVE:
            solve(step, memory, lanes)
        elif code == SUBTRACT_MOMENTS:
            subtract_moments(step, memory, lanes, work.moments, outcome)
        elif code == WEIGH_MOMENTS:
            weigh_moments(step, memory, lanes, work.moments, outcome)
        elif code == SUBTRACT_PAIRS:
            subtract_pairs(step, memory, lanes, work.pairs, work.pair_sums, outcome)
        elif code == COLLECT_PAIRS:
            collect_pairs(step, memory, lanes, work.pairs, work.pair_sums, outcome)
