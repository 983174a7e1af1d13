"""Coefficients and contrasts of a fitted model in words and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bscstudy.models.cells import Cell, cell_of_coefficient, cell_of_contrast
from bscstudy.models.rows import ModelRows
from bscstudy.models.terms import Part, Vocabulary, term_label

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """One coefficient or contrast, in points of the score (of the link for families other than gaussian).

    ``low`` and ``high`` bound the 95% interval; ``df`` is infinite for the normal distribution; ``standardized`` is the estimate over the
    baseline SD of the outcome (gaussian: contrasts, terms of wave, predictors scaled by their SD; otherwise None); ``level`` is the
    outermost grouping level at which the term varies; ``cell_n`` and ``cell_centers`` people and centers of the smallest group it compares.
    """

    term: str
    label: str
    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    low: float
    high: float
    standardized: float | None
    level: str
    in_family: bool
    cell_n: int | None = None
    cell_centers: int | None = None


@dataclass(frozen=True)
class Question:
    """One thing asked of the fit: a coefficient (kind fixed) or a declared contrast, with its weights (p,) of the fixed estimates."""

    kind: str
    term: str
    label: str
    weights: np.ndarray
    level: str
    standardize: bool
    in_family: bool
    declared: bool = False
    cell: Cell = Cell()

    def place(self) -> dict:
        """Return the columns by which tables know the question, and the size of the smallest group it compares."""
        own = {"term": self.term, "kind": self.kind, "label": self.label}
        return {**own, "cell_n": self.cell.people, "cell_centers": self.cell.centers}


def column_parts(name: str) -> tuple[Part, ...]:
    """Return the (variable, level) pairs of a fixed column from its name: ``wave[T.T4]:core[T.core]``; level None for a number."""
    if name == "(Intercept)":
        return ()
    found = []
    for piece in re.findall(r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[^:\[(])+(?:\[[^\]]*\])?", name):
        variable, _, level = piece.strip(":").partition("[")
        found.append((variable, re.sub(r"^T\.", "", level[:-1]) if level else None))
    return tuple(found)


def column_name(parts: tuple[Part, ...]) -> str:
    """Return the name of a fixed column in our tables, such as ``wave[T4]:core[core]``."""
    return ":".join(name if level is None else f"{name}[{level}]" for name, level in parts) or "(Intercept)"


def coefficient_questions(
    spec: dict, rows: ModelRows, names: tuple[str, ...], levels: tuple[str, ...], words: Vocabulary
) -> list[Question]:
    """Return each fixed column as a question.

    Without contrasts those of declared predictors and pieces of time belong to the family of hypotheses.
    """
    all_parts = tuple(column_parts(name) for name in names)
    predictors = spec.get("predictors") or {}
    references = {name: known[0] for name, known in rows.levels.items()}
    found = []
    for column, parts in enumerate(all_parts):
        variables = {name for name, _ in parts}
        declared = any(name in predictors or name in words.pieces for name in variables)
        scaled = bool(parts) and all(n in rows.levels or n in words.pieces or predictors.get(n, {}).get("scale") == "sd" for n in variables)
        in_family = bool(spec.get("hypotheses")) and not spec.get("contrasts") and declared
        label = term_label(parts, all_parts, references, predictors, words)
        weights = np.eye(len(names))[column]
        standardize = scaled and ("wave" in variables or declared)
        cell = cell_of_coefficient(parts, rows, spec["unit"])
        found.append(Question("fixed", column_name(parts), label, weights, levels[column], standardize, in_family, declared, cell))
    return found


def contrast_questions(spec: dict, rows: ModelRows, weights: list[np.ndarray], levels: tuple[str, ...]) -> list[Question]:
    """Return each declared contrast as a question; its level is the innermost of the columns it uses."""
    order = {level: place for place, level in enumerate(dict.fromkeys(levels))} | {"row": len(levels)}
    found = []
    for contrast, weight in zip(spec.get("contrasts") or [], weights, strict=True):
        used = [levels[k] for k in np.flatnonzero(np.abs(weight) > 1e-10)]
        level = max(used, key=lambda name: order[name], default="row")
        cell, in_family = cell_of_contrast(contrast, rows, spec["unit"]), bool(spec.get("hypotheses"))
        found.append(Question("contrast", contrast["id"], contrast["label"], weight, level, True, in_family, True, cell))
    return found


def answered(questions: list[Question], inference: object, baseline_sd: float | None) -> list[Estimate]:
    """Return the questions with their numbers by one method of inference."""
    from bscstudy.multilevel.contrasts import interval_limits

    if not questions:
        return []
    tests = inference.tests(np.array([q.weights for q in questions]))
    limits = interval_limits(tests, CONFIDENCE)
    rows = []
    for i, question in enumerate(questions):
        value, error, df, statistic, p_value = (
            float(getattr(tests, name)[i]) for name in ("estimate", "std_error", "df", "statistic", "p_value")
        )
        standardized = value / baseline_sd if question.standardize and baseline_sd else None
        low, high = (float(v) for v in limits[i])
        numbers = (value, error, df, statistic, p_value, low, high, standardized)
        sizes = (question.cell.people, question.cell.centers)
        rows.append(Estimate(question.term, question.label, *numbers, question.level, question.in_family, *sizes))
    return rows


def asked_of_ladder(fixed: list[Question], contrasts: list[Question]) -> list[Question]:
    """Return what the ladder answers: contrasts, else coefficients of predictors and pieces of time, else all but the intercept."""
    return contrasts or [q for q in fixed if q.declared] or [q for q in fixed if q.term != "(Intercept)"]
