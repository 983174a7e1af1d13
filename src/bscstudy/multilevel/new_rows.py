"""New rows and reference grids in terms of a design: its fixed columns, random columns and levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.design import Design
from bscstudy.multilevel.predictions import NewRows
from bscstudy.multilevel.reference_grid import FixedPart


def fixed_part(design: Design) -> FixedPart:
    """Return how rows of data become the fixed columns of a design made from a formula."""
    information = design.information
    return FixedPart(information.data, dict(information.factors), lambda frame: _worked_out(information.columns_for, frame))


def new_rows(design: Design, data: pd.DataFrame, *, random_effects: bool) -> NewRows:
    """Return new rows in terms of a design.

    Parameters
    ----------
    data : DataFrame, m rows
        Every variable of the fixed part (and, with random effects, of the random part and the groups), none missing. An offset that
        was a column is read from it; one that was given as values is 0 here.
    random_effects : bool

    Raises
    ------
    BscError
        BSC-LMM-018 for what is absent or unknown, BSC-LMM-104 where a term cannot be worked out (a spline outside its range),
        BSC-LMM-105 for an offset that is absent or missing.
    """
    information = design.information
    fixed = _worked_out(information.columns_for, data)
    codes = information.codes_for(data) if random_effects else ()
    columns = _worked_out(information.random_columns_for, data) if random_effects else ()
    return NewRows(fixed, _offset(information.offset_name, data), np.ones(len(data)), codes, columns)


def _offset(name: str | None, data: pd.DataFrame) -> np.ndarray:
    if name is None:
        return np.zeros(len(data))
    values = pd.to_numeric(data[name], errors="coerce").to_numpy(float) if name in data.columns else np.array([np.nan])
    if not np.all(np.isfinite(values)):
        raise BscError(
            "BSC-LMM-105",
            f"The offset '{name}' is absent or missing in the new rows.",
            "new rows",
            "A row without its offset would be predicted as if the offset were 0.",
            "Give it for every row.",
        )
    return values


def _worked_out(columns: Callable, frame: pd.DataFrame) -> object:
    try:
        return columns(frame)
    except BscError:
        raise
    except Exception as error:
        raise BscError(
            "BSC-LMM-104",
            f"A term of the formula cannot be worked out at these values ({type(error).__name__}).",
            "new rows or reference grid",
            "A value the model knows nothing of would be made up.",
            "Stay within the range of the data, or use terms that are defined there.",
        ) from None
