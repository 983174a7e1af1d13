"""From a scale's item list to a matrix of keyed answers: reversal, codes that count, and which codebook row applies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.codebook import item_versions
from bscstudy.io.raw import number_of

#: item types that are never part of a score
NOT_SCORED = ("free_text", "text", "date")
#: item types that show that somebody filled in the form; a ``number`` may have been worked out by whoever made the file
ANSWER_TYPES = ("ordinal", "nominal", "yes_no", "integer")


@dataclass(frozen=True)
class Term:
    """One item of a scale: as it is, reversed, or 1 where the answer is one of ``codes`` and 0 otherwise."""

    item: str
    reverse: bool = False
    codes: tuple[str, ...] = ()


def parse_terms(text: str, every_item: list[str]) -> tuple[Term, ...]:
    """Read a scale's item list.

    Parameters
    ----------
    text : str
        Item ids separated by spaces; ``-item`` reversed, ``item=2`` or ``item=1|2`` codes that count, ``*`` every item.
    every_item : list of str
        What ``*`` stands for.

    Returns
    -------
    tuple of Term
    """
    terms: list[Term] = []
    for token in text.split():
        if token == "*":
            terms += [Term(item) for item in every_item]
        elif "=" in token:
            item, codes = token.split("=", 1)
            terms.append(Term(item, codes=tuple(codes.split("|"))))
        else:
            terms.append(Term(token.removeprefix("-"), reverse=token.startswith("-")))
    return tuple(terms)


def items_in_use(items: list[dict], instrument: str, source: str, wave: str) -> dict[str, dict]:
    """Return the codebook row of each item of an instrument that applies to one source and wave.

    Where several versions apply, one counts as in ingest (`item_versions`). ``wave`` is blank for a source without waves.
    """
    return item_versions([row for row in items if row["instrument"] == instrument], wave, [source])


def item_bounds(definition: dict, response_scales: list[dict], missing_codes: list[dict]) -> tuple[float, float]:
    """Return the lowest and highest answer an item allows, NaN where the codebook does not say.

    ``minimum`` and ``maximum`` of the item count first; a blank one is taken from the codes of its response scale without
    those declared as missing.
    """
    low, high = definition.get("minimum"), definition.get("maximum")
    codes = _response_codes(definition, response_scales, missing_codes)
    if not codes and definition.get("type") == "yes_no":
        codes = [0.0, 1.0]
    low = float(low) if low not in (None, "") else min(codes, default=np.nan)
    high = float(high) if high not in (None, "") else max(codes, default=np.nan)
    return low, high


def _response_codes(definition: dict, response_scales: list[dict], missing_codes: list[dict]) -> list[float]:
    missing = {
        str(row["code"])
        for row in missing_codes
        if row["instrument"] == definition["instrument"] and (row.get("item") or definition["item"]) == definition["item"]
    }
    own = [row for row in response_scales if row["response_scale"] == definition.get("response_scale") and str(row["code"]) not in missing]
    return [number for row in own if (number := number_of(str(row["code"]))) is not None]


def shared_options(terms: tuple[Term, ...], items: dict[str, dict], bounds: dict[str, tuple[float, float]]) -> int | None:
    """Return the number of answer options if all items are ordinal on one answer scale, else None."""
    if not terms or any(t.codes or items.get(t.item, {}).get("type") != "ordinal" for t in terms):
        return None
    ranges = {bounds[t.item] for t in terms}
    low, high = next(iter(ranges))
    return int(high - low) + 1 if len(ranges) == 1 and np.isfinite(high - low) else None


def keyed_answers(answers: pd.DataFrame, terms: tuple[Term, ...], bounds: dict[str, tuple[float, float]]) -> np.ndarray:
    """Return answers as they enter a score.

    Parameters
    ----------
    answers : DataFrame, n rows
        One column for each item; missing is NA.
    terms : tuple of Term, length k
    bounds : dict
        Item -> (minimum, maximum); needed for reversed items only.

    Returns
    -------
    ndarray, n x k
        Reversed items are ``minimum + maximum - value``; missing stays NaN.

    Raises
    ------
    BscError
        BSC-CFG-201 if a reversed item has no minimum or maximum; BSC-DAT-201 if an item holds text where a number is needed.
    """
    unbounded = sorted({t.item for t in terms if t.reverse and not np.isfinite(sum(bounds.get(t.item, (np.nan, np.nan))))})
    if unbounded:
        raise BscError(
            "BSC-CFG-201",
            "Reversed items have no lowest and highest answer.",
            tuple(f"config/codebook/items.csv, item {item}" for item in unbounded),
            "A reversed answer is minimum + maximum - answer.",
            "Fill in `minimum` and `maximum`, or name a `response_scale` with numbers as codes.",
        )
    matrix = np.full((len(answers), len(terms)), np.nan)
    for place, term in enumerate(terms):
        if term.item in answers.columns:
            matrix[:, place] = _keyed(answers[term.item], term, bounds)
    return matrix


def _keyed(values: pd.Series, term: Term, bounds: dict[str, tuple[float, float]]) -> np.ndarray:
    if term.codes:
        return np.where(values.isna(), np.nan, _is_one_of(values, term.codes).astype(float))
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        raise BscError(
            "BSC-DAT-201",
            "An item of a scale holds text where a number is needed.",
            f"item {term.item}",
            "Text cannot be averaged or summed.",
            "Correct the item's `type` in config/codebook/items.csv, or count codes with `item=code` in scales.csv.",
        ) from None
    return sum(bounds[term.item]) - numbers if term.reverse else numbers


def _is_one_of(values: pd.Series, codes: tuple[str, ...]) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.isin([float(code) for code in codes]).to_numpy()
    return values.astype("str").isin(codes).to_numpy()
