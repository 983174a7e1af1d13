"""Predictors of a model: brought to its rows from the analysis tables, centred and scaled as declared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, nearest


def add_predictors(spec: dict, frame: pd.DataFrame, tables: dict[str, pd.DataFrame], where: str) -> pd.DataFrame:
    """Return the rows with one column for each declared predictor.

    A predictor of the center table is joined by center_id; one of the person table by person_id, and by wave where both have it.

    Raises
    ------
    BscError
        BSC-MOD-013 if a column is not there or its rows cannot be assigned.
    """
    added = {}
    for name, settings in (spec.get("predictors") or {}).items():
        source = settings.get("from", spec["unit"])
        table = tables.get(source)
        if table is None or settings["column"] not in table:
            known = [] if table is None else list(table.columns)
            raise _cannot_attach(
                f"the column '{settings['column']}' is not in the {source} table. {nearest(settings['column'], known)}", name, where
            )
        if source == spec["unit"]:
            added[name] = frame[settings["column"]]
            continue
        keys = {"center": ["center_id"], "person": [k for k in ("person_id", "wave") if k in frame and k in table]}.get(source)
        if keys is None or not keys or spec["unit"] == "center" or any(k not in frame for k in keys):
            raise _cannot_attach(f"rows of the {source} table cannot be assigned to rows of the {spec['unit']} table", name, where)
        lookup = table[[*keys, settings["column"]]].dropna(subset=keys)
        if lookup.duplicated(keys).any():
            raise _cannot_attach(f"the {source} table has more than one row for a {' and '.join(keys)}", name, where)
        added[name] = frame[keys].merge(lookup, on=keys, how="left", validate="many_to_one")[settings["column"]].set_axis(frame.index)
    return frame.assign(**added)


def scale_predictors(spec: dict, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Centre and scale the predictors over the rows of the model.

    Mean and standard deviation (n - 1) are taken over centers, one value each, for a predictor of the center table and for ``between``,
    and over rows otherwise. ``within`` takes off the mean of the rows of the same center; ``between`` is that mean, less the mean over
    centers.

    Returns
    -------
    tuple
        The frame, and for each predictor {mean, sd, over} as used.
    """
    changed, used = {}, {}
    for name, settings in (spec.get("predictors") or {}).items():
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values):
            continue
        by_center = settings.get("from", spec["unit"]) == "center" and "center_id" in frame
        if settings.get("center") in ("within", "between"):
            means = values.groupby(frame["center_id"]).transform("mean")
            by_center, values = settings["center"] == "between", values - means if settings["center"] == "within" else means
        basis = values[~frame["center_id"].duplicated()] if by_center else values
        mean, sd = float(basis.mean()) if len(basis) else np.nan, float(basis.std(ddof=1)) if len(basis) > 1 else np.nan
        values = values - mean if settings.get("center") in ("grand", "between") else values
        values = values / sd if settings.get("scale") == "sd" and sd > 0 else values
        changed[name] = values.astype(float)
        used[name] = {"mean": mean, "sd": sd, "over": "centers" if by_center else "rows"}
    return frame.assign(**changed), used


def _cannot_attach(what: str, name: str, where: str) -> BscError:
    return BscError(
        "BSC-MOD-013",
        f"The predictor '{name}' cannot be brought to the rows of the model: {what.rstrip()}",
        f"{where}, predictors.{name}",
        "A predictor attached to the wrong rows would give a wrong coefficient without any sign of it.",
        "Correct `column` and `from`, or use a predictor of the model's own table or of the center table.",
    )
