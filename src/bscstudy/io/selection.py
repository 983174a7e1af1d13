"""Which records and columns of a raw table are used: filter, repeated columns, exclusions."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import code_text, number_of, places, texts_of
from bscstudy.io.spelling import spell

_QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Slice:
    """One turn of the repeated columns: its key (``{"segment": "1"}``, empty without reshape) and where each item stands."""

    key: dict[str, str]
    columns: dict[str, str]


def query_columns(query: str) -> list[str]:
    """Return the raw columns that a ``keep_where`` query names."""
    tree, quoted = _parsed(query)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return sorted(quoted.get(name, name) for name in names)


def keep_rows(frame: pd.DataFrame, query: str, file: str) -> np.ndarray:
    """Return which rows fulfil a query on the raw columns.

    A column compared with a number is read as numbers (text that is none compares as missing), any other as text; blank is
    missing. So ``Finished == 1`` and ``Finished == '1'`` select the same rows.

    Raises
    ------
    BscError
        BSC-SRC-022 if the query cannot be used or keeps no row.
    """
    tree, quoted = _parsed(query)
    numbers, words = _compared(tree)
    if numbers & words:
        both = ", ".join(sorted(quoted.get(name, name) for name in numbers & words))
        raise _query_error(file, f"The query compares {both} with numbers and with text.")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    columns = {name: _query_column(frame[quoted.get(name, name)], name in numbers) for name in sorted(names)}
    try:
        kept = pd.DataFrame(columns, index=frame.index).eval(_plain(query), engine="python")
        kept = pd.Series(kept, index=frame.index).astype("boolean").fillna(False).to_numpy(dtype=bool)
    except Exception as fault:  # pandas raises whatever the expression raises
        raise _query_error(file, f"The query cannot be evaluated ({type(fault).__name__}).") from None
    if not kept.any():
        raise _query_error(file, "The query keeps no row at all.")
    return kept


def slices_of(columns: list[str], reshape: dict | None) -> list[Slice]:
    """Return the turns of the repeated columns, in natural order; one turn with all columns where nothing repeats.

    Raises
    ------
    BscError
        BSC-SRC-024 if the pattern has not two groups, matches no column, or a turn lacks an item the others have.
    """
    if not reshape:
        return [Slice({}, {name: name for name in columns})]
    try:
        pattern = re.compile(reshape["pattern"])
    except re.error:
        raise _reshape_error("The pattern is no regular expression.") from None
    others = [name for name in pattern.groupindex if name != "item"]
    if "item" not in pattern.groupindex or len(others) != 1:
        raise _reshape_error("The pattern needs two named groups: `item` and one key, for example `segment`.")
    found = {name: match for name in columns if (match := pattern.fullmatch(name))}
    turns: dict[str, dict[str, str]] = {}
    for name, match in found.items():
        turns.setdefault(match[others[0]], {})[match["item"]] = name
    if not turns:
        raise _reshape_error("The pattern matches no column of the file.")
    items = {item for turn in turns.values() for item in turn}
    lacking = [f"{others[0]} {value}: no column for '{item}'" for value in turns for item in sorted(items - set(turns[value]))]
    if lacking:
        raise _reshape_error("Some repeated columns are missing.", places(lacking))
    single = {name: name for name in columns if name not in found}
    ordered = sorted(turns, key=lambda value: (number_of(value) is None, number_of(value) or 0, value))
    return [Slice({others[0]: value}, {**single, **turns[value]}) for value in ordered]


def exclusion_reasons(frame: pd.DataFrame, exclusions: list[dict], ids: dict, file: str) -> np.ndarray:
    """Return the reason of exclusion for each row of an ingested frame, None where it stays.

    Raises
    ------
    BscError
        BSC-SRC-023 if an exclusion names a column that is not there or fits no row.
    """
    reasons = np.full(len(frame), None, dtype=object)
    faults = []
    for number, exclusion in enumerate(exclusions, start=1):
        wanted = {"row": exclusion["row"]} if "row" in exclusion else exclusion["match"]
        absent = [column for column in wanted if column not in frame.columns]
        hit = np.zeros(len(frame), dtype=bool) if absent else _matching(frame, wanted, ids)
        if not hit.any():
            place = f", row {exclusion['row']}" if "row" in exclusion else f", match on {', '.join(wanted)}"
            faults.append(
                f"config/config.yaml, exclusions, number {number} of this source ({file}){place}"
                + "".join(f", no column '{c}'" for c in absent)
            )
        reasons[hit & (reasons == None)] = exclusion["reason"]  # noqa: E711 - element-wise
    if faults:
        raise BscError(
            "BSC-SRC-023",
            f"{len(faults)} exclusion(s) fit no record.",
            tuple(faults),
            "A record that was meant to be left out may still be counted.",
            "Correct row or match, or take the exclusion out if the record is gone.",
        )
    return reasons


def _matching(frame: pd.DataFrame, wanted: dict, ids: dict) -> np.ndarray:
    hit = np.ones(len(frame), dtype=bool)
    for column, value in wanted.items():
        meant = code_text(spell(str(value), ids.get(column) or {}))
        hit &= np.array([code_text(text) == meant for text in texts_of(frame[column])])
    return hit


def _plain(query: str) -> str:
    counter = iter(range(len(query)))
    return " ".join(_QUOTED.sub(lambda match: f"quoted_{next(counter)}", query).split())


def _parsed(query: str) -> tuple[ast.Expression, dict[str, str]]:
    quoted = {f"quoted_{i}": match[1] for i, match in enumerate(_QUOTED.finditer(query))}
    try:
        tree = ast.parse(_plain(query), mode="eval")
    except SyntaxError:
        raise _query_error("config/sources.yaml, keep_where", "The query is not a valid expression.") from None
    if any(isinstance(node, ast.Attribute) and node.attr.startswith("_") for node in ast.walk(tree)):
        raise _query_error("config/sources.yaml, keep_where", "The query uses a name that starts with an underscore.")
    return tree, quoted


def _compared(tree: ast.Expression) -> tuple[set[str], set[str]]:
    numbers: set[str] = set()
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            sides = [node.func.value, *node.args]
        else:
            continue
        names = {side.id for side in sides if isinstance(side, ast.Name)}
        constants = [c.value for side in sides for c in ast.walk(side) if isinstance(c, ast.Constant)]
        if any(isinstance(c, (int, float)) for c in constants):
            numbers |= names
        if any(isinstance(c, str) for c in constants):
            words |= names
    return numbers, words


def _query_column(cells: pd.Series, numeric: bool) -> pd.Series:
    texts = [text.strip() for text in texts_of(cells)]
    if numeric:
        return pd.Series([number_of(text) for text in texts], index=cells.index, dtype=float)
    return pd.Series([text or None for text in texts], index=cells.index, dtype="str")


def _query_error(where: str, what: str) -> BscError:
    todo = "Correct `keep_where` of this source in config/sources.yaml."
    return BscError("BSC-SRC-022", what, where, "The wrong records would be used.", todo)


def _reshape_error(what: str, where: str | tuple[str, ...] = "config/sources.yaml, reshape.pattern") -> BscError:
    todo = "Correct `reshape.pattern` of this source in config/sources.yaml."
    return BscError("BSC-SRC-024", what, where, "Ratings would be lost or put under the wrong item.", todo)
