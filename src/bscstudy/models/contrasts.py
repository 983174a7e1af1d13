"""Differences between adjusted means on a reference grid, and Holm's adjustment of a family of tests."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from bscstudy.models.design_matrix import DesignMatrix, design_rows
from bscstudy.models.verdict import NotEstimable


def contrast_weights(
    contrast: dict, design: DesignMatrix, frame: pd.DataFrame, levels: dict[str, list[str]], variables: tuple[str, ...]
) -> np.ndarray:
    """Return the weights (p,) of the fixed estimates in one contrast.

    The grid crosses all levels of the factors, each with equal weight, numeric variables at their mean over the rows of the model, and
    what ``at`` names held there. ``compare`` {factor: [from, to]} is the mean at `to` minus the mean at `from`; with two factors it is
    the difference of the differences.

    Source: Searle, Speed & Milliken 1980, The American Statistician 34 (population marginal means).
    Checked against: differences of cell means by hand in tests/unit/test_models_fit.py.

    Raises
    ------
    NotEstimable
        Where a level does not occur in the rows of the model.
    """
    compare, held = contrast["compare"], {k: _value(k, v, levels) for k, v in (contrast.get("at") or {}).items()}
    start = f"contrast {contrast['id']}:"
    absent = [f"{start} {name} is not in the formula" for name in (*compare, *held) if name not in variables]
    pairs = [*((n, v) for n, both in compare.items() for v in both), *(contrast.get("at") or {}).items()]
    unseen = [(n, v) for n, v in pairs if n in levels and str(v) not in levels[n]]
    absent += [f"{start} the level {v} of {n} does not occur in the rows of the model" for n, v in unseen]
    if absent:
        raise NotEstimable(*absent)
    total = np.zeros(len(design.names))
    for ends in itertools.product((0, 1), repeat=len(compare)):
        place = {**held, **{n: _value(n, both[end], levels) for (n, both), end in zip(compare.items(), ends, strict=True)}}
        grid = _grid(frame, levels, variables, place)
        total += (-1) ** (len(ends) - sum(ends)) * design_rows(design, grid, levels).mean(axis=0)
    return np.where(np.abs(total) < 1e-12, 0.0, total)


def holm(p_values: list[float]) -> list[float]:
    """Return Holm's adjusted p-values in the order given; missing values stay missing and do not count.

    Source: Holm 1979, Scandinavian Journal of Statistics 6.
    Checked against: the definition by hand in tests/unit/test_models_fit.py.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return [float(v) for v in adjusted]


def _value(name: str, value: object, levels: dict[str, list[str]]) -> object:
    return str(value) if name in levels else float(value)


def _grid(frame: pd.DataFrame, levels: dict[str, list[str]], variables: tuple[str, ...], place: dict) -> pd.DataFrame:
    choices = [[place[n]] if n in place else levels[n] if n in levels else [float(frame[n].mean())] for n in variables]
    return pd.DataFrame(list(itertools.product(*choices)), columns=list(variables))
