"""What every exhibit of model results must say below it: estimator, df, n, clusters, rows left out, models not estimated."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import footnote_mark
from bscstudy.models.verdict import ESTIMATED

EQUAL_GROUPS = (
    "a change that names no group is the plain mean over the groups of the model, such as core team and other staff; "
    "each group counts the same, however many people it holds"
)


def rows_of_fits(fits: pd.DataFrame | None, question: str, wanted: list[str] | None = None) -> pd.DataFrame:
    """Return the fits of one question (or the listed models), in their order; none where the study has no model."""
    if fits is None:
        return pd.DataFrame()
    kept = fits[fits["model"].isin(wanted)] if wanted else fits[fits["question"] == question]
    return kept.reset_index(drop=True)


def split_reasons(reasons: object) -> str:
    """Return the reasons or notes of a verdict as prose, blank where there are none."""
    return numbers.text(reasons).strip()


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
        "Estimator": distinct(used, "estimator") or "no model was estimated",
        "Degrees of freedom": distinct(used, "df_method") or numbers.MISSING,
        "n": _range(used, "n", "rows of data") + _persons(used),
        "Clusters": _range(used, "n_centers", "centers"),
        "Exclusions": exclusion_text(used),
        "Models": f"{numbers.count(len(used))} of {numbers.count(len(fits))} estimated; the others stand in the table with the reason",
    }
    if len(used) == len(fits):
        notes["Models"] = f"all {numbers.count(len(fits))} estimated" if len(fits) > 1 else "estimated"
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


def flag_mark(fit: dict, flags: list[str], footnotes: list[str]) -> str:
    """Add a model's own remarks to the footnotes; return the mark to stand after its name, blank without remarks."""
    if not flags:
        return ""
    footnotes.append(f"{fit['label']}: {'; '.join(flags)}.")
    return f" {footnote_mark(len(footnotes) - 1)}"


def refusal(fit: dict, footnotes: list[str], without: str) -> tuple[str, str]:
    """Add why a model is not estimated to the footnotes (`without`: the verdict gives no reason); return cell and reasons."""
    reasons = split_reasons(fit.get("reasons")) or without
    footnotes.append(f"{fit['label']}: not estimated; {reasons}.")
    return f"not estimated {footnote_mark(len(footnotes) - 1)}", reasons


def sizes(fit: dict) -> dict:
    """Return what a model rests on: rows, people, centers and rows left out."""
    return {name: fit.get(name) for name in ("n", "n_persons", "n_centers", "n_excluded")}


def last_cells(row: dict) -> dict[str, str]:
    """Return the last cells of a row of results: degrees of freedom, p values and sizes."""
    return {
        "df": numbers.degrees_of_freedom(row["df"]),
        "p": numbers.p_value(row["p_value"]),
        "p adjusted": numbers.p_value(row["p_adjusted"]),
        "n": numbers.count(row["n"]),
        "Centers": numbers.count(row["n_centers"]),
        "Left out": numbers.count(row["n_excluded"]),
    }


def distinct(fits: pd.DataFrame, column: str) -> str:
    """Return the distinct values of a column in one line, blank without any."""
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
