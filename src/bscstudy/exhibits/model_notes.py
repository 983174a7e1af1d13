"""What every exhibit of model results must say below it: estimator, df, n, clusters, rows left out, models not estimated."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels
from bscstudy.exhibits.base import HARMONISED, Context, footnote_mark
from bscstudy.models.verdict import ESTIMATED

EQUAL_GROUPS = (
    "a change that names no group is the plain mean over the groups of the model, such as core team and other staff; "
    "each group counts the same, however many people it holds"
)


def rows_of_fits(fits: pd.DataFrame | None, question: str, wanted: list[str] | None = None) -> pd.DataFrame:
    """Return the fits of one question (or the listed models), in their order; none of a study without models, none left out as optional."""
    if fits is None:
        return pd.DataFrame()
    kept = fits[fits["model"].isin(wanted)] if wanted else fits[fits["question"] == question]
    return kept[~is_left_out(kept)].reset_index(drop=True)


def is_left_out(fits: pd.DataFrame) -> pd.Series:
    """Return which models are optional and were left out because a column that they need does not exist."""
    if "left_out" not in fits:
        return pd.Series(False, index=fits.index)
    return pd.to_numeric(fits["left_out"], errors="coerce").fillna(0).astype(float) == 1


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


def model_notes(fits: pd.DataFrame, *, row_each: bool = True) -> dict[str, str]:
    """Return the notes for the models of one exhibit; `row_each`: its table has a row and its size for every model, also those refused."""
    used = fits[fits["state"].isin(ESTIMATED)]
    shared, _ = split_flags(fits)
    notes = {
        "Estimator": by_models(used, "estimator") or "no model was estimated",
        "Degrees of freedom": by_models(used, "df_method") or numbers.MISSING,
        "n": _range(used, "n", "rows of data") + _persons(used),
        "Clusters": _range(used, "n_centers", "centers"),
        "Exclusions": exclusion_text(used, row_each=row_each),
        "Models": f"{numbers.count(len(used))} of {numbers.count(len(fits))} estimated; "
        + ("the others stand in the table with the reason" if row_each else "the others are not shown here"),
    }
    if len(used) == len(fits):
        notes["Models"] = f"all {numbers.count(len(fits))} estimated" if len(fits) > 1 else "estimated"
    notes |= second_engine_note(used)
    boundary = used[used["state"] == "boundary"]
    if len(boundary):
        names = numbers.listed(sorted(boundary["label"].astype(str)))
        notes["Boundary"] = f"a variance of zero or a correlation of one in: {names}; the numbers are usable"
    mapped = harmonised_note(used)
    shared = [flag for flag in shared if flag not in mapped.get(HARMONISED, "")]
    if shared:
        notes["All models"] = "; ".join(shared)
    return notes | mapped


def harmonised_note(fits: pd.DataFrame) -> dict[str, str]:
    """Return what the map between versions did to the scales of these models, each row of the map once; nothing where it did nothing."""
    said = [split_reasons(text).split("; ") for text in fits["harmonised"]] if "harmonised" in fits else []
    flags = list(dict.fromkeys(flag for texts in said for flag in texts if flag))
    return {HARMONISED: "; ".join(flags)} if flags else {}


def harmonised_word(fit: dict) -> str:
    """Return the word that stands behind an outcome in a sentence if its scores rest on a map between versions, blank if they do not."""
    names = {flag.partition(": ")[0].removesuffix("__change") for flag in split_reasons(fit.get("harmonised")).split("; ")}
    return f" ({HARMONISED.lower()})" if str(fit["outcome"]).removesuffix("__change") in names else ""


def by_models(fits: pd.DataFrame, column: str) -> str:
    """Return the distinct values of a column; where models differ, with the number of models that have each."""
    values = [str(v) for v in fits[column] if not numbers.is_missing(v)] if column in fits else []
    found = sorted(set(values))
    return found[0] if len(found) == 1 else "; ".join(f"{v} ({numbers.plural(values.count(v), 'model')})" for v in found)


def second_engine_note(fits: pd.DataFrame) -> dict[str, str]:
    """Return how many of the estimated models a second, independent computation agrees with; nothing where none was run."""
    if "second_engine_agrees" not in fits or fits["second_engine_agrees"].isna().all():
        return {}
    agrees = pd.to_numeric(fits["second_engine_agrees"], errors="coerce").astype(float)
    checked = int(agrees.notna().sum())
    text = f"an independent computation agrees with {numbers.count(int((agrees == 1).sum()))} of {numbers.plural(checked, 'model')}"
    parts = []
    for column, words in _DIFFERENCES.items():
        values = pd.to_numeric(fits.get(column, pd.Series(dtype=float)), errors="coerce").astype(float).abs()
        if values.notna().any():
            parts.append(f"{words} {difference(values.max())}")
    if parts:
        text += f"; largest difference: {', '.join(parts)}"
    if checked < len(fits):
        text += f"; {numbers.plural(len(fits) - checked, 'model')} without a second computation"
    return {"Second engine": text}


_DIFFERENCES = {
    "log_likelihood_difference": "log-likelihood",
    "estimate_difference_in_se": "estimates in standard errors",
    "std_error_ratio_difference": "standard errors as a share",
}


def difference(value: object) -> str:
    """Return a difference between two engines: in full from 0.001 on, else only that it lies below a power of ten."""
    if numbers.is_missing(value):
        return numbers.MISSING
    size = abs(float(value))
    if size == 0 or size >= 0.001:
        return numbers.measure(size, 2)
    return next(f"<0.{'0' * (k - 1)}1" for k in (3, 4, 5, 6, 7, 8) if size >= 10.0 ** -(k + 1) or k == 8)


def adjust_note(fits: pd.DataFrame, p_adjusted: pd.Series) -> dict[str, str]:
    """Return how p values were adjusted, nothing where none was."""
    if p_adjusted.isna().all():
        return {}
    used = fits[fits["state"].isin(ESTIMATED)]
    methods = sorted({str(v) for v in used["adjust"] if not numbers.is_missing(v)}) if "adjust" in used else []
    named = numbers.listed([_ADJUST_WORDS.get(m, m) for m in methods or ["holm"]])
    return {"p adjusted": f"{named}, over all comparisons of a family of hypotheses, which may take in several models"}


_ADJUST_WORDS = {"holm": "Holm's method", "benjamini_hochberg": "Benjamini and Hochberg's method (false discovery rate)"}


def estimate_notes(fits: pd.DataFrame, rows: pd.DataFrame) -> dict[str, str]:
    """Return what must be said of estimates and their p values beside the notes on the models."""
    return {**adjust_note(fits, rows["p_adjusted"]), **link_note(fits)}


def link_note(fits: pd.DataFrame) -> dict[str, str]:
    """Return the scale of the estimates of models that are not in points of the score, nothing where there is none."""
    used = fits[fits["state"].isin(ESTIMATED)]
    found = {link: part["label"].astype(str).tolist() for link, part in used.groupby("link")} if "link" in used else {}
    texts = [f"{_LINK_NOTES[link]} in: {numbers.listed(sorted(found[link]))}" for link in _LINK_NOTES if link in found]
    return {"Scale": "; ".join(texts)} if texts else {}


_LINK_NOTES = {
    "logit": "log odds, whose exponential is an odds ratio,",
    "log": "logarithms of a mean, whose exponential is a ratio of means,",
    "probit": "units of a standard normal variable (probit)",
    "cloglog": "units of the complementary log-log link",
}


def exclusion_text(fits: pd.DataFrame, *, row_each: bool = True) -> str:
    """Return how many rows each model left out; the reasons are kept with the model."""
    left_out = pd.to_numeric(fits.get("n_excluded", pd.Series(dtype=float)), errors="coerce")
    if left_out.isna().all():
        return "not recorded"
    if (left_out.fillna(0) == 0).all():
        return "no row left out"
    low, high = int(left_out.min()), int(left_out.max())
    span = f"{numbers.count(low)} to {numbers.count(high)}" if low != high else numbers.count(high)
    each = " (the column 'Left out' gives each)" if row_each else ""
    return f"{span} rows a model left out because the outcome or a predictor is missing{each}"


def interpretations(fits: pd.DataFrame, context: Context) -> dict[str, str]:
    """Return how the models' files say that they should be read; what several models say once, with their number."""
    said: dict[str, list[str]] = {}
    for row in fits.to_dict("records"):
        text = str(labels.model_settings(str(row["model"]), context).get("interpretation") or "").strip().replace("`", "")
        if text:
            said.setdefault(text, []).append(str(row["label"]))
    parts = [
        text if len(said) == 1 else f"{names[0] if len(names) == 1 else f'{len(names)} models'}: {text}" for text, names in said.items()
    ]
    return {"Interpretation": " ".join(parts)} if parts else {}


def flag_mark(fit: dict, flags: list[str], footnotes: list[str]) -> str:
    """Add a model's own remarks to the footnotes; return the mark to stand after its name, blank without remarks."""
    if not flags:
        return ""
    footnotes.append(f"{fit['label']}: {'; '.join(flags)}.")
    return f" {footnote_mark(len(footnotes) - 1)}"


def refusal(fit: dict, footnotes: list[str], without: str) -> tuple[str, str]:
    """Add why a model shows no number to the footnotes (`without`: it is estimated and has nothing to show); return cell and reasons."""
    estimated = fit["state"] in ESTIMATED
    word, reasons = ("not shown", without) if estimated else ("not estimated", split_reasons(fit.get("reasons")) or "no reason is known")
    footnotes.append(f"{fit['label']}: {word}; {reasons}.")
    return f"{word} {footnote_mark(len(footnotes) - 1)}", reasons


def sizes(fit: dict) -> dict:
    """Return what a model rests on: rows, people, centers and rows left out."""
    return {name: fit.get(name) for name in ("n", "n_persons", "n_centers", "n_excluded")}


def last_cells(row: dict) -> dict[str, str]:
    """Return the last cells of a row of results: degrees of freedom, p values and sizes."""
    known = not numbers.is_missing(row["p_value"])  # a p without df is that of the normal distribution
    return {
        "df": numbers.degrees_of_freedom(float("inf") if numbers.is_missing(row["df"]) and known else row["df"]),
        "p": numbers.p_value(row["p_value"]),
        "p adjusted": numbers.p_value(row["p_adjusted"]),
        "n": numbers.count(row["n"]),
        "Centers": numbers.count(row["n_centers"]),
        "Left out": numbers.count(row["n_excluded"]),
    }


def _range(fits: pd.DataFrame, column: str, word: str) -> str:
    values = pd.to_numeric(fits.get(column, pd.Series(dtype=float)), errors="coerce").dropna()
    if values.empty:
        return numbers.MISSING
    low, high = int(values.min()), int(values.max())
    return f"{numbers.count(low)} {word}" if low == high else f"{numbers.count(low)} to {numbers.count(high)} {word} by model"


def _persons(fits: pd.DataFrame) -> str:
    text = _range(fits[fits["unit"] == "person"], "n_persons", "people")
    return "" if text in (numbers.MISSING, "0 people") else f"; {text}"
