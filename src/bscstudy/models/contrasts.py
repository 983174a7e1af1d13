"""Declared differences between adjusted means, as weights of the fixed estimates."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from bscstudy.models.rows import ModelRows
from bscstudy.models.verdict import NotEstimable


def refuse_contrasts(contrasts: list[dict], rows: ModelRows) -> None:
    """Raise NotEstimable where a contrast names what the formula or the rows of the model do not have."""
    absent = []
    for contrast in contrasts:
        start = f"contrast {contrast['id']}:"
        held = contrast.get("at") or {}
        named = (*contrast["compare"], *held)
        absent += [f"{start} {name} is not in the formula" for name in named if name not in rows.formula.fixed_names]
        pairs = [*((n, v) for n, both in contrast["compare"].items() for v in both), *held.items()]
        unseen = [(n, v) for n, v in pairs if n in rows.levels and str(v) not in rows.levels[n]]
        absent += [f"{start} the level {v} of {n} does not occur in the rows of the model" for n, v in unseen]
    if absent:
        raise NotEstimable(*absent)


def contrast_weights(contrast: dict, part: object, rows: ModelRows) -> np.ndarray:
    """Return the weights (p,) of the fixed estimates in one contrast.

    The grid crosses all levels of the factors, each with equal weight, numeric variables at their mean over the rows of the model, and
    what ``at`` names held there. ``compare`` {factor: [from, to]} is the mean at `to` minus the mean at `from`; with two factors it is
    the difference of the differences.

    Parameters
    ----------
    part : bscstudy.multilevel.reference_grid.FixedPart

    Source: Searle, Speed & Milliken 1980, The American Statistician 34 (population marginal means).
    Checked against: differences of cell means by hand in tests/unit/test_models_fit.py.
    """
    compare = contrast["compare"]
    held = {name: _value(name, value, rows) for name, value in (contrast.get("at") or {}).items()}
    total = 0.0
    for ends in itertools.product((0, 1), repeat=len(compare)):
        place = {**held, **{n: _value(n, both[end], rows) for (n, both), end in zip(compare.items(), ends, strict=True)}}
        total = total + (-1) ** (len(ends) - sum(ends)) * part.columns(_grid(rows, place)).mean(axis=0)
    return np.where(np.abs(total) < 1e-12, 0.0, total)


def means_at(rows: ModelRows) -> dict[str, float]:
    """Return the mean of each numeric variable of the fixed part over the rows of the model."""
    return {name: float(rows.frame[name].mean()) for name in rows.formula.fixed_names if name not in rows.levels}


def _value(name: str, value: object, rows: ModelRows) -> object:
    return str(value) if name in rows.levels else float(value)


def _grid(rows: ModelRows, place: dict) -> pd.DataFrame:
    names, means = rows.formula.fixed_names, means_at(rows)
    choices = [[place[n]] if n in place else rows.levels[n] if n in rows.levels else [means[n]] for n in names]
    grid = pd.DataFrame(list(itertools.product(*choices)), columns=list(names))
    return grid.assign(**{n: pd.Categorical(grid[n], categories=known) for n, known in rows.levels.items() if n in names})
