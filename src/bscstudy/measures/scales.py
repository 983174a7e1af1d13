"""Scale scores by declared rule: mean, sum, count of correct answers, count of coded missing answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.harmonisation import WHOLE_SCALE, HarmonisedItem, Step, harmonised_answers, harmonised_items, scale_step
from bscstudy.measures.item_keys import (
    ANSWER_TYPES,
    NOT_SCORED,
    Term,
    item_bounds,
    items_in_use,
    keyed_answers,
    parse_terms,
    shared_options,
)

RULES = ("mean", "sum", "count_correct", "count_missing")
#: kinds of missing that no code of the file stands for
NOT_CODED = ("skipped", "not_asked", "out_of_range", "invalid")


@dataclass(frozen=True)
class ScaleScores:
    """Scores of n persons on one scale; ``why`` is blank where there is a score."""

    score: np.ndarray
    n_items: int
    n_valid: np.ndarray
    why: np.ndarray


@dataclass(frozen=True)
class ScalePart:
    """The rows of one source and wave with the answers that enter one scale.

    ``keyed`` is n x k (NaN missing), ``reasons`` n x k (the kind of missing, blank elsewhere), ``answered`` is n: any item of the
    instrument answered that is of one of the `ANSWER_TYPES`.
    ``options`` is the number of answers the items share, None where they do not share one ordinal scale. ``harmonised`` names the items
    whose answers the map between versions brought to another version; ``step`` is the map's row for the whole scale.
    """

    scale: dict
    source: str
    wave: str
    rows: pd.DataFrame
    terms: tuple[Term, ...]
    bounds: tuple[tuple[float, float], ...]
    options: int | None
    keyed: np.ndarray
    reasons: np.ndarray
    answered: np.ndarray
    harmonised: tuple[str, ...] = ()
    step: Step | None = None

    @property
    def asked(self) -> np.ndarray:
        """Items put to the person, n x k."""
        return self.reasons != "not_asked"

    @property
    def coded(self) -> np.ndarray:
        """Missing answers with a reason coded in the file, n x k."""
        return ~np.isin(self.reasons, ("", *NOT_CODED)) & np.isnan(self.keyed)


def score_scale(
    keyed: np.ndarray,
    rule: str,
    minimum_valid: int | None,
    *,
    asked: np.ndarray | None = None,
    answered: np.ndarray | None = None,
    coded: np.ndarray | None = None,
    prorate: bool = False,
) -> ScaleScores:
    """Score one scale.

    Parameters
    ----------
    keyed : ndarray, n x k
        Answers after reversal and coding, NaN missing.
    rule : str
        ``mean`` of the valid answers; ``sum`` of the valid answers; ``count_correct``, a sum
        in which an unanswered item counts 0; ``count_missing``, the number of items with a coded reason.
    minimum_valid : int or None
        Valid answers needed by ``mean`` and ``sum``; None means all k.
    asked : ndarray of bool, n x k, optional
        Items that were put to the person; all by default.
    answered : ndarray of bool, n, optional
        Whether the person answered any item of the instrument; decides ``count_correct``. By default: any item of the scale.
    coded : ndarray of bool, n x k, optional
        Missing answers with a reason coded in the file; needed by ``count_missing``.
    prorate : bool
        Whether a ``sum`` is scaled up to all k items, as if the person had answered the others with the mean of the valid ones; else
        items without an answer add nothing.

    Returns
    -------
    ScaleScores
        ``why`` is ``not_asked`` where no item was put to the person, ``too_few_items`` where too few are valid.

    Notes
    -----
    Checked against the official scores of a published study: tests/unit/test_measures_scales.py.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, not {rule!r}")
    n, k = keyed.shape
    valid = ~np.isnan(keyed)
    n_valid = valid.sum(axis=1)
    total = np.where(valid, keyed, 0.0).sum(axis=1)
    if rule == "count_missing":
        score, enough = coded.sum(axis=1).astype(float), np.full(n, True)
    elif rule == "count_correct":
        score, enough = total, (n_valid > 0 if answered is None else answered)
    else:
        enough = n_valid >= max(k if minimum_valid is None else minimum_valid, 1)
        mean = total / np.maximum(n_valid, 1)
        score = mean if rule == "mean" else mean * k if prorate else total
    put = np.full(n, True) if asked is None else asked.any(axis=1)
    why = np.where(~put, "not_asked", np.where(enough, "", "too_few_items"))
    return ScaleScores(score=np.where(why == "", score, np.nan), n_items=k, n_valid=n_valid, why=why)


def scale_parts(tables: dict[str, pd.DataFrame], config: dict) -> Iterator[ScalePart]:
    """Give each scale with each source and wave it is used in.

    Parameters
    ----------
    tables : dict
        Source id -> ingested table (items, ``<item>__why``, ``wave`` where there is one).
    config : dict
        Sections ``sources``, ``items``, ``scales`` and, where there are, ``response_scales``, ``missing_codes`` and ``harmonisation``.

    Raises
    ------
    BscError
        BSC-DAT-202 if an item the codebook asks in a wave is not in the table; BSC-CFG-202 if missing answers are to be counted
        that cannot be told from blanks; BSC-CFG-087 if a recode table of the map between versions lacks an answer.
    """
    _refuse_uncountable(config)
    for source in sorted(tables):
        table = tables[source]
        instrument = config["sources"][source]["instrument"]
        scales = [scale for scale in config["scales"] if scale["instrument"] == instrument]
        if not scales:
            continue
        labels = table["wave"].fillna("") if "wave" in table.columns else pd.Series("", index=table.index)
        for wave in sorted(labels.unique()):
            here = (labels == wave).to_numpy()
            rows = (table if here.all() else table[here]).reset_index(drop=True)
            items = items_in_use(config["items"], instrument, source, wave)
            told = [item for item in items if items[item].get("type") in ANSWER_TYPES and item in rows.columns]
            answered = rows[told].notna().any(axis=1).to_numpy()
            found = harmonised_items(items, config["items"], config.get("harmonisation") or [])
            own = [scale for scale in scales if not str(scale.get("waves") or "").split() or wave in str(scale["waves"]).split()]
            yield from _parts_of_wave(own, (source, wave, harmonised_answers(rows, found), answered), found, config)


def _parts_of_wave(
    scales: list[dict], place: tuple[str, str, pd.DataFrame, np.ndarray], found: dict[str, HarmonisedItem], config: dict
) -> Iterator[ScalePart]:
    source, wave, rows, answered = place
    items = {name: item.definition for name, item in found.items()}
    scored = [item for item in items if items[item].get("type") not in NOT_SCORED]
    response_scales, missing_codes = config.get("response_scales") or [], config.get("missing_codes") or []
    bounds = {item: item_bounds(items[item], response_scales, missing_codes) for item in scored}
    as_asked = {name: definition for name, definition in items.items() if not found[name].changes_numbers}
    for scale in scales:
        terms = parse_terms(scale["items"], scored)
        _refuse_absent(scale, source, wave, [t.item for t in terms if t.item in items and t.item not in rows.columns])
        reasons = np.full((len(rows), len(terms)), "", dtype=object)
        for column, term in enumerate(terms):
            reasons[:, column] = _reasons(rows, term.item) if term.item in items else "not_asked"
        step = scale_step(scale, wave, config.get("harmonisation") or [])
        keyed = keyed_answers(rows[[t.item for t in terms if t.item in items]], terms, bounds)
        yield ScalePart(
            scale=scale,
            source=source,
            wave=wave,
            rows=rows,
            terms=terms,
            bounds=tuple((0.0, 1.0) if t.codes else bounds.get(t.item, (math.nan, math.nan)) for t in terms),
            options=shared_options(terms, as_asked, bounds),
            keyed=keyed,
            reasons=reasons,
            answered=answered,
            harmonised=_harmonised(terms, found, step),
            step=step,
        )


def _reasons(rows: pd.DataFrame, item: str) -> np.ndarray:
    why = rows.get(f"{item}__why")
    return np.full(len(rows), "", dtype=object) if why is None else why.to_numpy(dtype=object, na_value="")


def _harmonised(terms: tuple[Term, ...], found: dict[str, HarmonisedItem], step: Step | None) -> tuple[str, ...]:
    """Return the items of the scale that stand for another version, and the marker of the whole scale where its scores do."""
    items = sorted(term.item for term in terms if term.item in found and found[term.item].steps)
    return (*items, *([WHOLE_SCALE] if step else []))


def possible_range(scale: dict, bounds: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Return the lowest and highest possible score: as declared, else from the items, NaN where neither says."""
    low, high = scale.get("low"), scale.get("high")
    lows, highs = np.array([b[0] for b in bounds], float), np.array([b[1] for b in bounds], float)
    if scale["rule"] in ("mean", "sum", "count_correct") and len(bounds):
        combine = np.mean if scale["rule"] == "mean" else np.sum
        low = combine(lows) if low in (None, "") else low
        high = combine(highs) if high in (None, "") else high
    return tuple(math.nan if value in (None, "") else float(value) for value in (low, high))


def _refuse_uncountable(config: dict) -> None:
    counted = {scale["instrument"] for scale in config["scales"] if scale["rule"] == "count_missing"}
    rows = [row for row in config.get("missing_codes") or [] if row["instrument"] in counted and row["reason"] == "skipped"]
    if rows:
        raise BscError(
            "BSC-CFG-202",
            "A scale counts coded missing answers of an instrument whose codes include `skipped`.",
            tuple(f"config/codebook/missing_codes.csv, {row['instrument']}, code {row['code']}" for row in rows),
            "A blank cell is `skipped` too, so blanks and coded answers could not be told apart.",
            "Give the code another reason (for example `no_answer` or `dont_know`).",
        )


def _refuse_absent(scale: dict, source: str, wave: str, absent: list[str]) -> None:
    if absent:
        raise BscError(
            "BSC-DAT-202",
            f"Items of the scale '{scale['scale']}' are not in a source that should hold them.",
            tuple(f"source {source}, wave {wave or '(none)'}, item {item}" for item in absent),
            "The scale would be scored from fewer items than its rule says.",
            "Name the raw column in `column` of config/codebook/items.csv, or restrict the item's `waves` or `sources`.",
        )
