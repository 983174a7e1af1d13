"""What every exhibit of model results must say below it: estimator, df, n, clusters, rows left out, models not estimated."""

from __future__ import annotations

import json

import pandas as pd

from bscstudy import numbers

ESTIMATED = ("ok", "boundary")


def rows_of_fits(fits: pd.DataFrame, question: str, wanted: list[str] | None = None) -> pd.DataFrame:
    """Return the fits of one question (or the listed models), in their order."""
    kept = fits[fits["model"].isin(wanted)] if wanted else fits[fits["question"] == question]
    return kept.reset_index(drop=True)


def split_reasons(reasons: object) -> str:
    """Return the reasons of a verdict as prose; they are stored as text, a list or JSON."""
    if isinstance(reasons, (list, tuple)):
        return "; ".join(str(r) for r in reasons)
    if numbers.is_missing(reasons):
        return ""
    text = str(reasons).strip()
    if text.startswith("["):
        try:
            return split_reasons(json.loads(text))
        except ValueError:
            return text
    return text


def split_flags(fits: pd.DataFrame) -> tuple[list[str], dict[str, list[str]]]:
    """Return the remarks that every estimated model shares, and those of single models (model -> remarks)."""
    used = fits[fits["state"].isin(ESTIMATED)]
    each = {str(row["model"]): [f for f in split_reasons(row.get("notes")).split("; ") if f] for row in used.to_dict("records")}
    first = next(iter(each.values()), [])
    shared = [flag for flag in first if len(each) > 1 and all(flag in flags for flags in each.values())]
    return shared, {model: [flag for flag in flags if flag not in shared] for model, flags in each.items()}


def model_notes(fits: pd.DataFrame) -> dict[str, str]:
    """Return the notes for the models of one exhibit."""
    used = fits[fits["state"].isin(ESTIMATED)]
    shared, _ = split_flags(fits)
    notes = {
        "Estimator": _distinct(used, "estimator") or "no model was estimated",
        "Degrees of freedom": _distinct(used, "df_method") or numbers.MISSING,
        "n": _range(used, "n", "rows of data") + _persons(used),
        "Clusters": _range(used, "n_centers", "centers"),
        "Exclusions": exclusion_text(used),
        "Models": f"{numbers.count(len(used))} of {numbers.count(len(fits))} estimated; the others stand in the table with the reason",
    }
    if len(used) == len(fits):
        notes["Models"] = f"all {numbers.count(len(fits))} estimated"
    boundary = used[used["state"] == "boundary"]
    if len(boundary):
        names = numbers.listed(sorted(boundary["label"].astype(str)))
        notes["Boundary"] = f"a variance was estimated as zero in: {names}; the model without it gives the same numbers"
    if shared:
        notes["All models"] = "; ".join(shared)
    return notes


def exclusion_text(fits: pd.DataFrame) -> str:
    """Return how many rows each model left out; the reasons are kept with the model."""
    left_out = pd.to_numeric(fits.get("n_excluded", pd.Series(dtype=float)), errors="coerce")
    if left_out.isna().all():
        return "not recorded"
    if (left_out.fillna(0) == 0).all():
        return "no row left out"
    low, high = int(left_out.min()), int(left_out.max())
    span = f"{numbers.count(low)} to {numbers.count(high)}" if low != high else numbers.count(high)
    return f"{span} rows a model left out because the outcome or a predictor is missing (the column 'Left out' gives each)"


def _distinct(fits: pd.DataFrame, column: str) -> str:
    values = sorted({str(v) for v in fits[column] if not numbers.is_missing(v)}) if column in fits else []
    return "; ".join(values)


def _range(fits: pd.DataFrame, column: str, word: str) -> str:
    values = pd.to_numeric(fits.get(column, pd.Series(dtype=float)), errors="coerce").dropna()
    if values.empty:
        return numbers.MISSING
    low, high = int(values.min()), int(values.max())
    return f"{numbers.count(low)} {word}" if low == high else f"{numbers.count(low)} to {numbers.count(high)} {word} by model"


def _persons(fits: pd.DataFrame) -> str:
    text = _range(fits[fits["unit"] == "person"], "n_persons", "people")
    return "" if text in (numbers.MISSING, "0 people") else f"; {text}"
