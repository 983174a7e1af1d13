"""The rows of one model: what enters, what is left out and why, the order of levels, and what the rows cannot answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.models.formula_words import ModelFormula
from bscstudy.models.predictors import add_predictors, scale_predictors
from bscstudy.models.stayers import stayer_rows, stayers_note
from bscstudy.models.terms import Vocabulary
from bscstudy.models.verdict import NotEstimable

#: columns that hold the counts of a share, where `trials` is declared
SUCCESSES, TRIALS = "score__n", "score__of"
_WHOLE = 1e-6  # a share times its number is a whole number but for rounding in the table


@dataclass(frozen=True)
class ModelRows:
    """The rows of one model.

    ``frame`` (n rows) has ``score`` and every variable of the formula, none missing, factors as categoricals with the reference level
    first; ``levels`` factor -> levels; ``n_excluded`` reason -> rows; ``n_outside`` rows of its waves that the model's sample does not
    ask for; ``predictors`` mean and standard deviation by which each was scaled; ``notes`` on who the sample takes and on counts.
    """

    frame: pd.DataFrame
    formula: ModelFormula
    levels: dict[str, list[str]]
    n_excluded: dict[str, int]
    n_outside: int
    predictors: dict[str, dict]
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> np.ndarray:
        """The outcome (n,), none missing."""
        return self.frame["score"].to_numpy(dtype=float)

    def counts(self) -> dict[str, int]:
        """Return the number of groups of each factor, and of collaboratives, centers and persons where their ids are known."""
        found = {c: int(self.frame[c].nunique()) for c in ("collaborative", "center_id", "person_id") if c in self.frame}
        by_factor = {group_label(path): int(self.frame.groupby(list(path)).ngroups) for path in self.formula.groupings}
        return {**found, **by_factor}


def group_label(path: tuple[str, ...]) -> str:
    """Return the name of a grouping factor: the id column of its innermost groups, or all names where the last is no id."""
    return path[-1] if path[-1].endswith("_id") or len(path) == 1 else ":".join(path)


def model_rows(spec: dict, formula: ModelFormula, tables: dict[str, pd.DataFrame], words: Vocabulary) -> ModelRows:
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
        cannot be read, 016 for a reference level that does not exist, 017 for shares that do not fit their number.
    """
    where = model_file(spec)
    table = tables.get(spec["unit"], pd.DataFrame())
    frame = _sample(spec, table, where)
    outcome = spec["outcome"]
    if outcome not in frame:
        raise unknown_column(outcome, where + ", outcome", list(table.columns))
    frame = frame.assign(score=pd.to_numeric(frame[outcome], errors="coerce"))
    frame, notes = _stayers(spec, frame, where)
    n_outside = len(table) - len(frame)
    frame = _with_trials(spec, add_predictors(spec, frame, tables, where), where)
    variables = (*formula.fixed_names, *formula.slope_names)
    for column in (*variables, *formula.group_columns):
        if column not in frame:
            raise unknown_column(column, where + ", formula", list(frame.columns))
    trials = (TRIALS,) if spec.get("trials") else ()
    frame, n_excluded = _complete(frame, (*trials, *formula.group_columns), variables)
    frame, halves = _with_successes(frame, where) if trials else (frame, ())
    frame, predictors = scale_predictors(spec, frame)
    levels = _levels(spec, frame, variables, words, where)
    return ModelRows(_as_factors(frame, levels), formula, levels, n_excluded, n_outside, predictors, (*notes, *halves))


def refuse_too_little(rows: ModelRows, *, gaussian: bool = True) -> None:
    """Raise NotEstimable where the rows cannot answer: none, one level, one group, groups that cannot be told apart."""
    reasons = _too_little(rows, gaussian)
    if reasons:
        raise NotEstimable(*reasons)


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


def _stayers(spec: dict, frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Keep only people with the outcome in every wave, where the model asks for stayers; and say so."""
    sample = spec.get("sample") or {}
    if sample.get("people", "everyone") != "stayers":
        return frame, ()
    for column in ("person_id", "wave"):
        if column not in frame:
            raise unknown_column(column, f"{where}, sample.people", list(frame.columns))
    waves = [str(wave) for wave in sample.get("waves") or sorted(set(frame.loc[frame["score"].notna(), "wave"].astype(str)))]
    kept = frame[stayer_rows(frame, waves)].reset_index(drop=True)
    return kept, (stayers_note(kept, frame, waves),)


def _with_trials(spec: dict, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    column = spec.get("trials")
    if column is None:
        return frame
    if column not in frame:
        raise unknown_column(column, where + ", trials", list(frame.columns))
    number = pd.to_numeric(frame[column], errors="coerce")
    return frame.assign(**{TRIALS: number.where(number > 0)})


def _with_successes(frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add the counts behind the shares. Two raters' mean may be half a count: it becomes the even number next to it, and that is said."""
    counts = frame["score"] * frame[TRIALS]
    twice, tolerance = (2 * counts).round(), _WHOLE * frame[TRIALS].clip(lower=1)
    misfit = (2 * counts - twice).abs() > 2 * tolerance
    if misfit.any() or (frame["score"] < 0).any() or (frame["score"] > 1).any():
        raise BscError(
            "BSC-MOD-017",
            "The outcome is no share of the number that `trials` names.",
            f"{where}, trials",
            "A binomial model counts how many of the applicable indicators were met; other numbers have no such count.",
            "Name a share between 0 and 1 as outcome and the column with its own number applicable as `trials`.",
        )
    n_halves = int((twice % 2 == 1).sum())
    note = f"{n_halves} outcomes are half a count, the mean of two raters, and are taken as the even number next to it"
    return frame.assign(**{SUCCESSES: (twice / 2).round()}), (note,) if n_halves else ()


def _complete(frame: pd.DataFrame, ids: tuple[str, ...], variables: tuple[str, ...]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop rows with something missing, each counted once under the first reason that holds; where persons are followed, also
    anonymous forms: each would stand for a person of its own."""
    keep, reasons = np.ones(len(frame), dtype=bool), {}
    absent = {"no score": frame["score"].isna()}
    if "person_id" in ids and "anonymous" in frame:
        absent["anonymous form"] = frame["anonymous"] == 1
    absent |= {f"no {column}": frame[column].isna() for column in (*ids, *variables)}
    for reason, rows in absent.items():
        lost = keep & rows.to_numpy()
        if lost.any():
            reasons[reason] = int(lost.sum())
        keep &= ~lost
    return frame[keep].reset_index(drop=True), reasons


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


def _as_factors(frame: pd.DataFrame, levels: dict[str, list[str]]) -> pd.DataFrame:
    return frame.assign(**{n: pd.Categorical(frame[n].astype(str).astype(object), categories=list(known)) for n, known in levels.items()})


def _too_little(rows: ModelRows, gaussian: bool) -> list[str]:
    if not len(rows.frame):
        lacking = " or ".join(rows.n_excluded)
        why = f"rows have {lacking}" if lacking else "no row is in the model's sample"
        return [f"no row has a score and all variables of the formula ({why})"]
    reasons = []
    for name, levels in rows.levels.items():
        absent = [level for level in levels if level not in set(rows.frame[name])]
        reasons += [f"the reference level {level} of {name} does not occur in the rows of the model" for level in absent]
        if len(levels) - len(absent) < 2:
            reasons.append(f"{name} has only one level in the rows of the model")
    reasons += _groups_too_alike(rows, gaussian)
    if np.ptp(rows.score) == 0:
        reasons.append("the score is the same in every row")
    return reasons


def _groups_too_alike(rows: ModelRows, gaussian: bool) -> list[str]:
    """Factors with one group, and random intercepts of the same groups, or (gaussian) of groups that are single rows."""
    intercepts = {term.group for term in rows.formula.parsed.random if term.effects.lstrip().startswith("1")}
    codes = {path: rows.frame.groupby(list(path), sort=False).ngroup().to_numpy() for path in rows.formula.groupings}
    reasons = [f"there is only one {group_label(path)}; its variance cannot be estimated" for path, own in codes.items() if not own.any()]
    paths = sorted((path for path in codes if path in intercepts), key=lambda path: (codes[path].max(), len(path)))
    for outer, inner in zip(paths, paths[1:], strict=False):
        if outer == inner[: len(outer)] and codes[outer].max() == codes[inner].max():
            reasons.append(f"every {group_label(outer)} has exactly one {group_label(inner)}: their variances cannot be told apart")
    if gaussian and paths and codes[paths[-1]].max() + 1 == len(rows.frame):
        reasons.append(f"every {group_label(paths[-1])} has exactly one row: their variances cannot be told apart")
    return reasons
