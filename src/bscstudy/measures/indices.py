"""Fidelity indices of centers and persons from the logs of a collaborative."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.identity import add_identity
from bscstudy.measures.chains import chain_columns, chain_fields
from bscstudy.measures.index_rules import ZERO_WITHOUT_ROWS, check_columns, index_table

COLUMNS = ["index", "label", "element", "level", "unit_id", "wave", "center_id", "collaborative", "numerator", "denominator", "value"]
LEVELS = {"person_id": "person", "center_id": "center", "collaborative": "collaborative"}


def derive_fields(rows: pd.DataFrame, fields: list[dict]) -> pd.DataFrame:
    """Return rows with the declared row fields.

    Parameters
    ----------
    rows : DataFrame
        Ingested rows of one source.
    fields : list of dict
        ``column`` and ``rule``: max, min, sum or mean ``of`` items (missing items are skipped), or chain (`chain_fields`).

    Raises
    ------
    BscError
        BSC-CFG-242 for a column that is not there, -243 for text where numbers are needed, -244 for a field that has the name of a
        column; BSC-DAT-240 to -242 for links of a chain that cannot be followed.
    """
    derived = rows.copy()
    for field in fields:
        where = f"config/measures.yaml, derive, {field['column']}"
        chained = field["rule"] == "chain"
        check_columns(derived, [field["id"], field["previous"], *field.get("within", [])] if chained else field["of"], where)
        _check_new(derived, chain_columns(field["column"]) if chained else (field["column"],), where)
        if chained:
            derived = derived.join(chain_fields(derived, field))
            continue
        values = _numbers(derived[list(field["of"])], where)
        options = {"min_count": 1} if field["rule"] == "sum" else {}
        derived[field["column"]] = getattr(values, field["rule"])(axis=1, **options)
    return derived


def _check_new(rows: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    taken = [column for column in columns if column in rows.columns]
    if taken:
        raise BscError(
            "BSC-CFG-244",
            f"A field under `derive` would replace {', '.join(taken)} of its source.",
            where,
            "The answers as they were given would be lost.",
            "Give the field a name that no item, key or other field has.",
        )


def _numbers(values: pd.DataFrame, where: str) -> pd.DataFrame:
    try:
        return values.apply(pd.to_numeric)
    except (ValueError, TypeError):
        text = [name for name in values.columns if not pd.api.types.is_numeric_dtype(values[name])]
        raise BscError(
            "BSC-CFG-243",
            "A field under `derive` is worked out from text.",
            f"{where}: {', '.join(text)}",
            "Only numbers have a largest one, a sum or a mean.",
            "Name number, integer, ordinal or yes_no items under `of`.",
        ) from None


def fidelity_indices(
    tables: dict[str, pd.DataFrame], config: dict, people: pd.DataFrame | None, centers: pd.DataFrame | None
) -> pd.DataFrame:
    """Work out every declared index.

    Parameters
    ----------
    tables : dict
        Source id -> ingested rows.
    config : dict
        Sections ``fidelity`` and ``derive``.
    people, centers : DataFrame or None
        Registers. Every registered center gets a row for an index of centers: 0 for counts and sums where the log has no row for it,
        NaN for shares and means. An index of persons has rows for persons in the log only.

    Returns
    -------
    DataFrame
        `COLUMNS`; ``wave`` is blank for the whole study. The denominator is NaN for plain counts and sums.

    Raises
    ------
    BscError
        BSC-CFG-204 to BSC-CFG-207 and BSC-CFG-242 for an index that cannot be worked out as declared; for fields see `derive_fields`.
    """
    prepared = {
        source: add_identity(derive_fields(table, [f for f in config["derive"] if f["source"] == source]), people, centers)
        for source, table in tables.items()
    }
    done: dict[str, pd.DataFrame] = {}
    for spec in config["fidelity"]:
        joined = {"mean_of": _mean_of, "ratio": _ratio}.get(spec["rule"])
        done[spec["id"]] = joined(spec, done) if joined else _one_index(spec, prepared, centers)
    return pd.concat(done.values(), ignore_index=True) if done else pd.DataFrame(columns=COLUMNS)


def _one_index(spec: dict, tables: dict[str, pd.DataFrame], centers: pd.DataFrame | None) -> pd.DataFrame:
    unit = next(key for key in LEVELS if key in spec["by"])
    by = [unit, *(["wave"] if "wave" in spec["by"] else [])]
    rows = tables[spec["source"]].dropna(subset=by)
    table = index_table(rows, spec, by)
    if unit == "center_id" and centers is not None:
        table = _with_all_centers(table, spec, by, centers)
    result = table.reset_index().rename(columns={unit: "unit_id"})
    places = rows.groupby(unit, sort=True)[["center_id", "collaborative"]].first()
    result["center_id"] = result["unit_id"] if unit == "center_id" else result["unit_id"].map(places["center_id"])
    result["collaborative"] = result["unit_id"].map(places["collaborative"]).astype("str")
    if unit == "collaborative":
        result["center_id"], result["collaborative"] = pd.NA, result["unit_id"]
    elif centers is not None:
        known = centers.set_index("center_id")["collaborative"]
        result["collaborative"] = result["collaborative"].fillna(result["center_id"].map(known).astype("str"))
    if "wave" not in by:
        result["wave"] = ""
    return result.assign(index=spec["id"], label=spec["label"], element=spec["element"], level=LEVELS[unit])[COLUMNS]


def _with_all_centers(table: pd.DataFrame, spec: dict, by: list[str], centers: pd.DataFrame) -> pd.DataFrame:
    registered = centers if "in_register" not in centers.columns else centers[centers["in_register"] == 1]
    units = sorted({*registered["center_id"], *table.index.get_level_values("center_id")})
    waves = sorted(table.index.get_level_values("wave").unique()) if "wave" in by else []
    full = pd.MultiIndex.from_product([units, waves], names=by) if waves else pd.Index(units, name="center_id")
    silent = ~full.isin(table.index)
    table = table.reindex(full)
    if spec["rule"] in ZERO_WITHOUT_ROWS:
        table.loc[silent, ["numerator", "value"]] = 0.0
        if "expected" in spec or "divided_by" in spec:
            table.loc[silent, "denominator"] = float(spec.get("expected", spec.get("divided_by")))
    return table


def _finished(spec: dict, done: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the finished indices that an index is made of, all of the same units."""
    later = [index for index in spec["indices"] if index not in done]
    if later or len({tuple(sorted(done[i]["level"].unique())) for i in spec["indices"]}) > 1:
        raise BscError(
            "BSC-CFG-207",
            f"The fidelity index '{spec['id']}' is made of indices that stand after it or belong to other units.",
            f"config/measures.yaml, fidelity, {spec['id']}: {', '.join(later or spec['indices'])}",
            "A mean or ratio needs finished indices of the same centers or persons.",
            "Put the index after those it is made of, and join indices with the same `by` only.",
        )
    return pd.concat([done[index] for index in spec["indices"]], ignore_index=True)


def _mean_of(spec: dict, done: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Average finished indices of the same units; a unit without one of them has no average."""
    grouped = _finished(spec, done).groupby(["level", "unit_id", "wave"], sort=True)
    result = grouped[["center_id", "collaborative"]].first()
    means = grouped["value"].mean()
    result["value"] = means.where(grouped["value"].count() == len(spec["indices"]))
    result["numerator"] = result["denominator"] = np.nan
    return result.reset_index().assign(index=spec["id"], label=spec["label"], element=spec["element"])[COLUMNS]


def _ratio(spec: dict, done: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Divide the first finished index by the second times ``divided_by``, such as posts by members and months."""
    parts, unit = _finished(spec, done), ["level", "unit_id", "wave"]
    places = parts.groupby(unit, sort=True)[["center_id", "collaborative"]].first()
    above, below = (done[index].set_index(unit)["value"].reindex(places.index) for index in spec["indices"])
    result = places.assign(numerator=above, denominator=below * float(spec.get("divided_by", 1)))
    result["value"] = result["numerator"] / result["denominator"].where(result["denominator"] > 0)
    return result.reset_index().assign(index=spec["id"], label=spec["label"], element=spec["element"])[COLUMNS]
