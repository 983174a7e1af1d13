"""What one model can depend on: the rows and columns it names, and whether its scores can be compared between their waves."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.comparability import judged, observed_rows
from bscstudy.models.center_means import center_mean_columns
from bscstudy.models.formula_words import ModelFormula, read_formula
from bscstudy.models.rows import ModelRows, model_file, model_rows
from bscstudy.models.terms import Vocabulary, vocabulary
from bscstudy.models.time_pieces import with_time_pieces

#: columns that any model may need of a table, besides ids
KEYS = ("wave", "collaborative", "role", "core", "anonymous")


@dataclass(frozen=True)
class ModelComparability:
    """Why the scores of a model cannot be compared over its waves, and the rows of the map that they rest on, in words."""

    refusals: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def named_in(spec: object) -> set[str]:
    """Return every word that a model's file holds: all columns it can ask for are among them."""
    if isinstance(spec, dict):
        return set().union(*(named_in(part) for pair in spec.items() for part in pair))
    if isinstance(spec, (list, tuple)):
        return set().union(*map(named_in, spec))
    return set(re.findall(r"\w+", str(spec)))


def model_waves(spec: dict) -> list[str] | None:
    """Return the waves that a model's file names, in its sample and its pieces of time; None where its sample takes all."""
    wanted = (spec.get("sample") or {}).get("waves")
    return sorted({str(wave) for part in (wanted, *(spec.get("time") or {}).values()) for wave in part}) if wanted else None


def model_units(spec: dict) -> list[str]:
    """Return the analysis tables that a model reads: its own, and those its predictors come from."""
    return sorted({spec["unit"], *(p.get("from", spec["unit"]) for p in (spec.get("predictors") or {}).values())})


def model_table(spec: dict, unit: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return of an analysis table the rows of the waves in a model's sample, and the columns that its file names.

    Where a column of outcome or predictors is not in the table all columns stay, so that the fit can say which name was meant.
    """
    predictors = (spec.get("predictors") or {}).values()
    wanted = {p["column"] for p in predictors if p.get("from", spec["unit"]) == unit} | (
        {spec["outcome"]} if unit == spec["unit"] else set()
    )
    words = named_in(spec) | set(KEYS)
    if wanted <= set(table.columns):
        table = table[[column for column in table.columns if column in words or column.endswith("_id")]]
    waves = (spec.get("sample") or {}).get("waves")
    if waves and "wave" in table.columns:
        table = table[table["wave"].isin([str(wave) for wave in waves])]
    return table.reset_index(drop=True)


def model_evidence(spec: dict, evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of measures/aggregation about scales whose center means a model uses, in its waves unless it uses all."""
    used, waves = center_mean_columns(spec), (spec.get("sample") or {}).get("waves")
    everywhere = evidence["scale"].isin([scale for scale, all_waves in used.items() if all_waves])
    within = evidence["scale"].isin(list(used)) & (evidence["wave"].isin([str(wave) for wave in waves]) if waves else True)
    return evidence[everywhere | within].reset_index(drop=True)


def read_rows(spec: dict, tables: dict[str, pd.DataFrame], config: dict) -> tuple[ModelRows, Vocabulary]:
    """Return the rows of a model and the words for its terms (raises as `bscstudy.models.rows.model_rows`)."""
    words = vocabulary(config, spec.get("time"))
    formula: ModelFormula = read_formula(spec["formula"], model_file(spec) + ", formula")
    return model_rows(spec, formula, with_time_pieces(spec, tables, config.get("waves") or []), words), words


def waves_present(rows: ModelRows, words: Vocabulary) -> list[str]:
    """Return the waves among the rows of a model, in time order; none where its rows have no wave."""
    if "wave" not in rows.frame:
        return []
    present = set(rows.frame["wave"].dropna().astype(str))
    declared = [w for w in words.levels.get("wave", {}) if w in present]
    return declared + sorted(present - set(declared))


def model_comparability(spec: dict, tables: dict[str, pd.DataFrame], config: dict) -> ModelComparability:
    """Return whether the scores of outcome and predictors can be compared over the waves of a model's rows.

    A change of a scale (``<scale>__change``) was refused where it was worked out; it carries the flags of all waves of the scale.
    A model whose rows cannot be read at all has nothing to compare; its fit says why.

    Parameters
    ----------
    spec : dict
        A model of ``config/models``.
    tables : dict
        Analysis tables by unit.
    config : dict
        Sections waves, roles, collaboratives, scales, items, sources, harmonisation, observation.
    """
    try:
        waves = waves_present(*read_rows(spec, tables, config))
    except BscError:
        return ModelComparability()
    refusals, flags = [], []
    columns = [spec["outcome"], *(p["column"] for p in (spec.get("predictors") or {}).values())]
    for column in dict.fromkeys(columns):
        name = column.removesuffix("__change")
        if name not in {row["scale"] for row in (*(config.get("scales") or []), *observed_rows(config))}:
            continue
        found = judged(name, config, waves if name == column else None)
        if name == column and len(waves) > 1:
            refusals += [f"scores of {column} cannot be compared between waves: {reason}" for reason in found.reasons]
        flags += [f"{column}: {text}" for text in found.harmonised]
    return ModelComparability(tuple(refusals), tuple(flags))
