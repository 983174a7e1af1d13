"""Random parts of a formula -> grouping factors: levels of each row, random columns, which covariances are estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.design import GroupingFactor
from bscstudy.multilevel.formula import MixedFormula, RandomTerm
from bscstudy.multilevel.formula_parts import formula_part, term_texts
from bscstudy.multilevel.term_columns import INTERCEPT, ColumnRecipe, part_columns
from bscstudy.multilevel.variables import Variable, level_label

_DENSE = 4  # combinations of levels counted in a table while there are at most this many times the rows


@dataclass(frozen=True)
class FactorPart:
    """What new rows need to be given a level and random columns of one factor.

    Attributes
    ----------
    name : str
    variables : tuple of str
        The columns that name a level, outermost first.
    levels : tuple of tuple
        Levels of each of these columns.
    present : ndarray of int64
        The combinations that occur, in the order of the factor's labels, as mixed-radix numbers of the level positions.
    recipes : tuple of ColumnRecipe
        One for each block of random columns.
    """

    name: str
    variables: tuple[str, ...]
    levels: tuple[tuple, ...]
    present: np.ndarray
    recipes: tuple[ColumnRecipe, ...]

    def random_columns(self, variables: Mapping[str, Variable], n: int) -> np.ndarray:
        """Return the random columns, shape (n, k)."""
        return _side_by_side([recipe.columns(variables, n) for recipe in self.recipes])

    def codes(self, columns: Mapping[str, Variable]) -> np.ndarray:
        """Return the level of each new row, shape (m,); -1 where the combination did not occur in the rows of the fit."""
        combined, unknown = 0, False
        for name, levels in zip(self.variables, self.levels, strict=True):
            codes = matching_codes(columns[name], levels)
            combined, unknown = combined * len(levels) + codes, unknown | (codes < 0)
        place = np.minimum(np.searchsorted(self.present, combined), len(self.present) - 1)
        return np.where(unknown | (self.present[place] != combined), -1, place).astype(np.int64)


def matching_codes(column: Variable, levels: tuple) -> np.ndarray:
    """Return the positions of a column's values among known levels, -1 where absent or missing."""
    given = column.as_category()
    position = {level: i for i, level in enumerate(levels)}
    found = np.array([*(position.get(level, -1) for level in given.levels), -1], dtype=np.int64)
    return found[given.values]


@dataclass(frozen=True)
class Levels:
    """The levels of one factor: ``codes`` (n,), ``labels`` in their order, ``present`` as in FactorPart."""

    name: str
    variables: tuple[str, ...]
    codes: np.ndarray
    labels: tuple[str, ...]
    present: np.ndarray
    levels: tuple[tuple, ...]


def factor_levels(group: tuple[str, ...], variables: Mapping[str, Variable]) -> Levels:
    """Return the levels of a factor named by several columns, sorted by the first, then the second and so on."""
    combined, sizes, columns = 0, 1, []
    for name in group:
        column = variables[name].as_category().used()
        combined, sizes = combined * len(column.levels) + column.values, sizes * len(column.levels)
        columns.append(column)
    if len(columns) == 1:
        present, codes = np.arange(sizes), combined
    elif sizes <= _DENSE * len(combined) + 1024:
        occurs = np.bincount(combined, minlength=sizes) > 0
        present = np.flatnonzero(occurs)
        codes = (np.cumsum(occurs) - 1)[combined]
    else:
        present, codes = np.unique(combined, return_inverse=True)
    levels = tuple(column.levels for column in columns)
    return Levels(":".join(group), group, np.asarray(codes, dtype=np.int64), _labels(present, levels), present, levels)


def _labels(present: np.ndarray, levels: tuple[tuple, ...]) -> tuple[str, ...]:
    texts = [[level_label(level) for level in found] for found in levels]
    if len(texts) == 1:
        return tuple(texts[0])
    pieces, rest = [], present
    for found in reversed(texts):
        rest, place = np.divmod(rest, len(found))
        pieces.append([found[i] for i in place.tolist()])
    return tuple(map(":".join, zip(*reversed(pieces), strict=True)))


def terms_by_factor(formula: MixedFormula) -> dict[frozenset[str], list[RandomTerm]]:
    """Return the random parts that share a factor, whatever the order in which its columns were named."""
    found: dict[frozenset[str], list[RandomTerm]] = {}
    for term in formula.random:
        found.setdefault(frozenset(term.group), []).append(term)
    return found


def block_texts(term: RandomTerm, whole: str) -> list[str]:
    """Return the blocks of one random part, each as formulaic reads it: one, or one for each term where ``||`` stands."""
    if term.correlated:
        return [term.effects]
    return ["1" if text == "1" else f"0 + {text}" for text in term_texts(formula_part(term.effects, whole))]


def random_blocks(
    terms: list[RandomTerm], variables: Mapping[str, Variable], n: int, whole: str
) -> tuple[tuple[ColumnRecipe, np.ndarray], ...]:
    """Return recipe and columns (n, k) of each block of random columns of a factor.

    Notes
    -----
    Under ``||`` a categorical variable is coded with all its levels, as in lme4. A separate intercept is then part of that block's
    own covariances, so it is left out: the model is the same and its parameters are unique.
    """
    found = []
    for term in terms:
        blocks = [part_columns(formula_part(text, whole), variables, n, whole) for text in block_texts(term, whole)]
        spanning = not term.correlated and any(_spans_constant(recipe) for recipe, _ in blocks)
        found += [block for block in blocks if not (spanning and block[0].names == (INTERCEPT,))]
    return tuple(found)


def _spans_constant(recipe: ColumnRecipe) -> bool:
    if recipe.products is None or len(recipe.terms) != 1 or not all(len(parts) >= 1 for _, parts in recipe.products):
        return False
    return all(isinstance(what, int) for _, parts in recipe.products for _, what in parts)


def grouping_factor(levels: Levels, blocks: tuple[tuple[ColumnRecipe, np.ndarray], ...]) -> GroupingFactor:
    """Return the factor with the columns of all its blocks; entries between two blocks are not estimated."""
    sizes = [columns.shape[1] for _, columns in blocks]
    free = np.zeros((sum(sizes),) * 2, dtype=bool)
    for start, size in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True):
        free[start : start + size, start : start + size] = _LOWER.get(size, np.tri(size, dtype=bool))
    names = tuple(name for recipe, _ in blocks for name in recipe.names)
    return GroupingFactor(levels.name, levels.codes, levels.labels, names, _side_by_side([columns for _, columns in blocks]), free)


_LOWER = {size: np.tri(size, dtype=bool) for size in range(1, 4)}


def _side_by_side(blocks: list[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.ascontiguousarray(np.hstack(blocks))
