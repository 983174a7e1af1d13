"""Rows that follow from each other, such as the PDSA cycles of a ramp: which chain a row stands in, and at which step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, rows_said


@dataclass(frozen=True)
class Chains:
    """The chain of each of n rows.

    Attributes
    ----------
    first : ndarray of int, n
        Position of the chain's first row; -1 where the chain has none, because it leads back to itself.
    step : ndarray of int, n
        Place in the chain, from 1; 0 where it has no first row. Where two rows follow one, both have the same step.
    length : ndarray of int, n
        Rows of the whole chain; 0 where it has no first row.
    last : ndarray of bool, n
        Whether no row follows.
    """

    first: np.ndarray
    step: np.ndarray
    length: np.ndarray
    last: np.ndarray


def follow_chains(previous: np.ndarray) -> Chains:
    """Follow each row back to the first of its chain.

    Parameters
    ----------
    previous : ndarray of int, n
        Position (from 0) of the row that a row follows from; -1 where it follows from none.

    Returns
    -------
    Chains

    Notes
    -----
    Checked against the connected components of scipy and walks row by row: tests/unit/test_measures_chains.py.
    """
    place = np.arange(len(previous))
    first, step = np.where(previous < 0, place, -1), (previous < 0).astype(int)
    waiting = np.flatnonzero(previous >= 0)
    while len(ready := waiting[step[previous[waiting]] > 0]):
        first[ready], step[ready] = first[previous[ready]], step[previous[ready]] + 1
        waiting = waiting[step[waiting] == 0]
    rows = np.bincount(first[first >= 0], minlength=len(previous))
    return Chains(first, step, np.where(first >= 0, rows[first], 0), ~np.isin(place, previous))


def chain_columns(column: str) -> tuple[str, str, str, str]:
    """Return the names of a field's columns: id of the chain's first row, step of the row, length of the chain, whether no row follows."""
    return column, f"{column}_step", f"{column}_length", f"{column}_last"


def chain_fields(rows: pd.DataFrame, field: dict) -> pd.DataFrame:
    """Return the chain of each row of a source.

    Parameters
    ----------
    rows : DataFrame
        Ingested rows.
    field : dict
        ``source column id previous``, and ``within``: the columns within which ids name one row each and links stay.

    Returns
    -------
    DataFrame
        `chain_columns`, with the index of ``rows``: text, two counts, 1 or 0. A row that follows from none and is followed by none is a
        chain of one row.

    Raises
    ------
    BscError
        BSC-DAT-240 for rows without an id of their own, -241 for links that lead to no row, -242 for chains that lead back to themselves.
    """
    place = pd.DataFrame({name: _as_text(rows[name]) for name in field.get("within", [])}, index=rows.index)
    ids, previous = (_as_text(rows[field[key]]) for key in ("id", "previous"))
    _refuse(
        rows[(ids == "") | place.assign(_id=ids).duplicated(keep=False)], field, "id", "BSC-DAT-240",
        "row(s) have no id, or the id of another row", "What follows from what could not be told.",
        "Give each row an id of its own, or name under `within` the columns within which ids are given.",
    )  # fmt: skip
    known = pd.MultiIndex.from_frame(place.assign(_id=ids))
    at = known.get_indexer(pd.MultiIndex.from_frame(place.assign(_id=previous)))
    _refuse(
        rows[(at < 0) & (previous != "").to_numpy()], field, "previous", "BSC-DAT-241",
        "row(s) follow from a row that is not there", "Their chain would begin too late.",
        "Correct the link, or leave it blank; a row that config/config.yaml excludes is not there either.",
    )  # fmt: skip
    chains = follow_chains(at)
    _refuse(
        rows[chains.step == 0], field, "previous", "BSC-DAT-242",
        "row(s) are in a chain that leads back to itself", "Such a chain has no first row.",
        "Correct the links: a row follows from an earlier one.",
    )  # fmt: skip
    values = (ids.to_numpy()[chains.first], chains.step, chains.length, chains.last.astype(int))
    return pd.DataFrame(dict(zip(chain_columns(field["column"]), values, strict=True)), index=rows.index)


def _as_text(column: pd.Series) -> pd.Series:
    """Return ids as text, blank where missing; whole numbers without a decimal point, whatever they are stored as."""
    if pd.api.types.is_numeric_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string").fillna("").str.strip().astype(object)


def _refuse(bad: pd.DataFrame, field: dict, key: str, code: str, what: str, why: str, todo: str) -> None:
    if len(bad):
        where = f"source {field['source']}, column {field[key]}{rows_said(bad.get('row', ()))}"
        raise BscError(code, f"{len(bad)} {what}.", where, why, todo)
