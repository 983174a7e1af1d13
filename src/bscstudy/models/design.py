"""The rows, groups and columns of one model: what enters, what is left out and why, and what the data cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.models.design_matrix import DesignMatrix, design_matrix
from bscstudy.models.formula import ModelFormula
from bscstudy.models.predictors import add_predictors, scale_predictors
from bscstudy.models.terms import Vocabulary
from bscstudy.models.verdict import NotEstimable

RANK_TOLERANCE = 1e-8  # length of what a unit-length column has of its own; rounding leaves about 1e-14


@dataclass(frozen=True)
class ModelFrame:
    """The rows of one model.

    ``frame`` (n rows) has ``score`` and every variable of the formula, none missing; ``groups`` are whole numbers (n,), outermost
    level first, each nested in the one before, with their id columns in ``group_names``; ``levels`` factor -> levels, the
    reference first; ``n_excluded`` reason -> rows; ``n_outside`` rows that the model's sample does not ask for.
    """

    frame: pd.DataFrame
    formula: ModelFormula
    groups: tuple[np.ndarray, ...]
    group_names: tuple[str, ...]
    levels: dict[str, list[str]]
    n_excluded: dict[str, int]
    n_outside: int
    predictors: dict[str, dict]

    @property
    def score(self) -> np.ndarray:
        """The outcome (n,), none missing."""
        return self.frame["score"].to_numpy(dtype=float)

    def counts(self) -> dict[str, int]:
        """Return the number of groups of each level, and of centers and persons where their ids are known."""
        found = {c: int(self.frame[c].nunique()) for c in ("collaborative", "center_id", "person_id") if c in self.frame}
        return {**found, **{n: len(np.unique(g)) for n, g in zip(self.group_names, self.groups, strict=True)}}


def model_frame(spec: dict, formula: ModelFormula, tables: dict[str, pd.DataFrame], words: Vocabulary) -> ModelFrame:
    """Return the rows of a model.

    Parameters
    ----------
    spec : dict
        A model of ``config/models`` with its ``id``.
    tables : dict
        Analysis tables by unit (person, visit, center); the model's own unit must be among them.

    Raises
    ------
    BscError
        BSC-MOD-012 for a column that does not exist, 013 for a predictor that cannot be attached, 014 for a sample query that
        cannot be read, 015 for groups that are crossed, 016 for a reference level that does not exist.
    """
    where = model_file(spec)
    table = tables[spec["unit"]]
    frame = _sample(spec, table, where)
    outcome = spec["outcome"]
    if outcome not in frame:
        raise unknown_column(outcome, where + ", outcome", list(table.columns))
    frame = frame.assign(score=pd.to_numeric(frame[outcome], errors="coerce"))
    n_outside = len(table) - len(frame)
    frame = add_predictors(spec, frame, tables, where)
    ids = tuple(dict.fromkeys(column for path in formula.groupings for column in path))
    for column in (*formula.variables, *ids):
        if column not in frame:
            raise unknown_column(column, where + ", formula", list(frame.columns))
    frame, n_excluded = _complete(frame, ids, formula.variables)
    frame, predictors = scale_predictors(spec, frame)
    groups, names = _nested_groups(frame, formula.groupings, where)
    levels = _levels(spec, frame, formula.variables, words, where)
    return ModelFrame(frame, formula, groups, names, levels, n_excluded, n_outside, predictors)


def model_design(model: ModelFrame) -> DesignMatrix:
    """Return the design matrix.

    Raises
    ------
    NotEstimable
        Where the data cannot answer the model: too few rows or groups, a factor with one level, dependent columns (named),
        a group level that cannot be told from the one above it or from the residual.
    """
    reasons = _too_little(model)
    if reasons:
        raise NotEstimable(*reasons)
    design = design_matrix(model.formula.fixed, model.frame, model.levels)
    dependent = dependent_columns(design.values, design.names)
    if dependent:
        raise NotEstimable(*dependent)
    residual = model.score - design.values @ np.linalg.lstsq(design.values, model.score, rcond=None)[0]
    if len(model.score) <= len(design.names) or np.std(residual) <= 1e-10 * (np.std(model.score) + 1e-300):
        raise NotEstimable("the rows leave nothing over to estimate the residual from")
    return design


def dependent_columns(x: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """Return a sentence for each design column that is a combination of earlier ones, naming them."""
    lengths = np.linalg.norm(x, axis=0)
    empty = [
        f"column {n} is zero in every row: this combination does not occur" for n, size in zip(names, lengths, strict=True) if size == 0
    ]
    if empty:
        return empty
    unit, found, kept = x / lengths, [], []
    for column, name in enumerate(names):
        weights = np.linalg.lstsq(unit[:, kept], unit[:, column], rcond=None)[0] if kept else np.zeros(0)
        if np.linalg.norm(unit[:, column] - unit[:, kept] @ weights) > RANK_TOLERANCE:
            kept.append(column)
            continue
        parts = [names[k] for k, w in zip(kept, weights, strict=True) if abs(w) > 1e-6]
        found.append(f"column {name} is a combination of {', '.join(parts)} in these rows")
    return found


def model_file(spec: dict) -> str:
    """Return the path of a model's file as messages name it."""
    return f"config/models/{spec.get('id', 'model')}.yaml"


def unknown_column(column: str, where: str, known: list[str]) -> BscError:
    """Return the error for a name that no analysis table has."""
    return BscError(
        "BSC-MOD-012",
        f"The model names '{column}', which no column of its analysis table is called. {nearest(column, known)}".rstrip(),
        where,
        "Without it the model would be another one.",
        "Use a scale, an observation score or a column of the analysis table, or declare it under `predictors`.",
    )


def _unknown_level(level: str, where: str, known: list[str]) -> BscError:
    return BscError(
        "BSC-MOD-016",
        f"The model compares with the level '{level}', which its factor does not have. {nearest(str(level), known)}".rstrip(),
        where,
        "Every coefficient would be a difference from another group than meant.",
        "Use a level that occurs in the analysis table, spelled as in config/config.yaml.",
    )


def _sample(spec: dict, table: pd.DataFrame, where: str) -> pd.DataFrame:
    sample = spec.get("sample") or {}
    frame = table
    for key, column in (("waves", "wave"), ("roles", "role")):
        if key in sample:
            if column not in frame:
                raise unknown_column(column, f"{where}, sample.{key}", list(frame.columns))
            frame = frame[frame[column].isin([str(v) for v in sample[key]])]
    if sample.get("where"):
        try:
            frame = frame.query(sample["where"])
        except Exception as error:
            raise BscError(
                "BSC-MOD-014",
                f"The sample condition cannot be applied: {type(error).__name__}.",
                f"{where}, sample.where",
                "The model would be fitted to other rows than meant.",
                "Write a condition on columns of the analysis table, such as `role == 'teacher'`.",
            ) from None
    return frame.reset_index(drop=True)


def _complete(frame: pd.DataFrame, ids: tuple[str, ...], variables: tuple[str, ...]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop rows with something missing, each counted once under the first reason that holds."""
    keep, reasons = np.ones(len(frame), dtype=bool), {}
    for column, reason in [("score", "no score"), *((c, f"no {c}") for c in dict.fromkeys((*ids, *variables)))]:
        lost = keep & frame[column].isna().to_numpy()
        if lost.any():
            reasons[reason] = int(lost.sum())
        keep &= ~lost
    return frame[keep].reset_index(drop=True), reasons


def _nested_groups(
    frame: pd.DataFrame, groupings: tuple[tuple[str, ...], ...], where: str
) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
    """Return group numbers outermost first; refuse groups of which neither lies inside the other."""
    found = []
    for path in groupings:
        code = frame.groupby(list(path), sort=True).ngroup().to_numpy()
        found.append((len(np.unique(code)), len(path), code, path[-1]))
    found.sort(key=lambda entry: entry[:2])
    for coarse, fine in zip(found, found[1:], strict=False):
        pairs = len(np.unique(fine[2].astype(np.int64) * (int(coarse[2].max(initial=0)) + 1) + coarse[2]))
        if pairs > fine[0]:
            raise BscError(
                "BSC-MOD-015",
                f"The groups '{coarse[3]}' and '{fine[3]}' are crossed: some of '{fine[3]}' lie in more than one of '{coarse[3]}'.",
                f"{where}, formula",
                "This engine fits nested groups only; to treat crossed groups as nested would be another model.",
                f"Write (1 | {coarse[3]}/{fine[3]}) if a group in another place counts as another group, or leave the model out.",
            )
    return tuple(entry[2] for entry in found), tuple(entry[3] for entry in found)


def _levels(spec: dict, frame: pd.DataFrame, variables: tuple[str, ...], words: Vocabulary, where: str) -> dict[str, list[str]]:
    levels = {}
    for name in variables:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        present = set(frame[name].astype(str))
        declared = [level for level in words.levels.get(name, {}) if level in present]
        ordered = declared + sorted(present - set(declared))
        first = (spec.get("reference") or {}).get(name)
        if first is not None and first not in ordered and (name not in words.levels or first not in words.levels[name]):
            raise _unknown_level(first, f"{where}, reference.{name}", [*words.levels.get(name, {}), *ordered])
        levels[name] = ordered if first is None else [first] + [level for level in ordered if level != first]
    return levels


def _too_little(model: ModelFrame) -> list[str]:
    if not len(model.frame):
        lacking = " or ".join(model.n_excluded)
        why = f"rows have {lacking}" if lacking else "no row is in the model's sample"
        return [f"no row has a score and all variables of the formula ({why})"]
    reasons = []
    for name, levels in model.levels.items():
        absent = [level for level in levels if level not in set(model.frame[name])]
        reasons += [f"the reference level {level} of {name} does not occur in the rows of the model" for level in absent]
        if len(levels) - len(absent) < 2:
            reasons.append(f"{name} has only one level in the rows of the model")
    sizes = [len(np.unique(g)) for g in model.groups] + [len(model.frame)]
    labels = [*model.group_names, "row"]
    if model.groups and sizes[0] < 2:
        reasons.append(f"there is only one {labels[0]}; its variance cannot be estimated")
    for outer, inner, size, next_size in zip(labels, labels[1:], sizes, sizes[1:], strict=False):
        if size == next_size:
            reasons.append(f"every {outer} has exactly one {inner}: their variances cannot be told apart")
    if np.ptp(model.score) == 0:
        reasons.append("the score is the same in every row")
    return reasons
