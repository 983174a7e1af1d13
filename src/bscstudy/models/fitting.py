"""A model's rows and declaration put to the engine `bscstudy.multilevel`: formula, family, method; and its refusals in turn."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from bscstudy.errors import BscError
from bscstudy.models.formula_words import ID_COLUMNS
from bscstudy.models.rows import SUCCESSES, TRIALS, ModelRows, group_label
from bscstudy.models.verdict import NotEstimable

#: a model file's word for a method -> the engine's
METHODS = {"residual": "t"}
DRAWS = 999
#: the parametric bootstrap refits every contrast thousands of times, so a model file asks for it
LADDER = ("exact", "satterthwaite", "kenward_roger", "cr2", "wild_cluster_bootstrap")
LADDER_OF_OTHER_FAMILIES = ("between_within", "likelihood_ratio", "wald")


def family_of(spec: dict) -> str:
    """Return the distribution of the outcome."""
    return spec.get("family", "gaussian")


def fit_rows(spec: dict, rows: ModelRows) -> object:
    """Return the engine's result for a model.

    Raises
    ------
    NotEstimable
        With the engine's reason, where the data cannot carry the model.
    """
    from bscstudy.multilevel.fit import fit_mixed_model

    right = rows.formula.parsed.text.partition("~")[2]
    left = f"cbind({SUCCESSES}, {TRIALS} - {SUCCESSES})" if spec.get("trials") else "score"
    how = {"family": family_of(spec), "link": spec.get("link"), "reml": bool(spec.get("reml", True))}
    try:
        return fit_mixed_model(f"{left} ~{right}", rows.frame, **how)
    except BscError as refusal:
        raise NotEstimable(*refusal_reasons(refusal)) from None


def refusal_reasons(refusal: BscError) -> list[str]:
    """Return an engine's refusal as reasons of a verdict: what it refuses, and each place where it is found."""
    places = (refusal.where,) if isinstance(refusal.where, str) else tuple(refusal.where)
    what = refusal.what.rstrip(".")
    found = f"{what[0].lower()}{what[1:]} ({'; '.join(plain_names(place) for place in places)})"
    return [found.replace("\n", " ")]


def plain_names(text: str) -> str:
    """Return text with factor levels written ``wave[T4]`` as in our tables, not ``wave[T.T4]`` as in formulaic's names."""
    return re.sub(r"\[T\.", "[", text)


def in_words(text: str, names: dict[str, str] | None = None) -> str:
    """Return a reason of a verdict as the model's formula would say it: ``center:wave``, not the engine's ``center_id:wave``.

    Parameters
    ----------
    names : dict, optional
        The engine's name of each grouping factor -> ours, see `group_names`.
    """
    for engine, own in sorted((names or {}).items(), key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<![\w:]){re.escape(engine)}(?![\w:])", own, text)
    short = {column: name for name, column in ID_COLUMNS.items()}
    text = re.sub("|".join(rf"\b{column}\b" for column in short), lambda match: short[match.group()], text)
    return text.replace("variance of (Intercept)", "variance of the mean")


def inference_of(spec: dict, result: object, where: str) -> object:
    """Return what tests contrasts by the model's declared method, or the default of its kind.

    Raises
    ------
    BscError
        BSC-MOD-018 where the declared method is not made for the model.
    """
    from bscstudy.multilevel.refit import refitter
    from bscstudy.multilevel.result_methods import inference

    name = spec.get("df")
    try:
        return inference(result.fit, METHODS.get(name, name), refitter(result, reml=False))
    except BscError as refusal:
        raise BscError(
            "BSC-MOD-018",
            f"The method '{name}' does not fit the model. {refusal.what}",
            f"{where}, df",
            "Tests and intervals by a method made for other models can be far from right.",
            refusal.todo,
        ) from None


def rungs_of(spec: dict, result: object) -> tuple[str, ...]:
    """Return the rungs of a model's ladder: as declared, else the usual ones of its kind."""
    if "ladder" in spec:
        return tuple(spec["ladder"])
    if not result.linear:
        return LADDER_OF_OTHER_FAMILIES
    return LADDER if result.fit.design.factors else ()


def group_names(result: object) -> dict[str, str]:
    """Return the engine's name of each grouping factor -> ours."""
    return {part.name: group_label(part.variables) for part in result.fit.design.information.parts}


def levels_of_columns(result: object) -> tuple[str, ...]:
    """Return for each fixed column the outermost grouping factor whose groups all hold its term constant, or ``row``."""
    design, names = result.fit.design, group_names(result)
    factors = sorted(design.factors, key=lambda f: (f.n_levels, f.name))
    level = ["row"] * design.p
    for term, columns in design.information.terms.items():
        values = design.fixed[:, list(columns)]
        found = next((names[f.name] for f in factors if _constant(values, f.codes)), "row")
        outermost = names[factors[0].name] if factors else "row"
        for column in columns:
            level[column] = outermost if term == "(Intercept)" else found
    return tuple(level)


def _constant(values: np.ndarray, codes: np.ndarray) -> bool:
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    spread = np.maximum.reduceat(values[order], starts) - np.minimum.reduceat(values[order], starts)
    return bool(np.all(spread <= 1e-12 * (np.ptp(values, axis=0) + 1e-300)))


def or_reason(work: Callable[[], list], what: str, notes: list[str]) -> list:
    """Return what a part of the result gives; where the engine refuses it, nothing, and the reason among the notes."""
    try:
        return work()
    except BscError as refusal:
        notes.append(f"no {what}: {refusal.what.rstrip('.')}")
        return []
