"""The verdict on every declared model, and whether an independent computation agrees with it."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import model_choice, model_notes
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.model_words import STATE_WORDS

TABLES = ("models/fits",)
FIGURE = False
LEFT_OUT = "left out (optional)"
NOT_RUN = "not run"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for every declared model, those that were left out or refused with the reason.

    Options: `model` (ids) or `question` choose the models.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    if fits.empty:
        return empty_exhibit("No model was declared.")
    table = pd.DataFrame([_row(fit, title) for fit, title in zip(fits.to_dict("records"), model_choice.titles(fits).values(), strict=True)])
    return Exhibit(
        table=table,
        caption="Verdict on every declared model, and agreement with an independent computation",
        notes={**_READING, **_model_notes(fits[~model_notes.is_left_out(fits)])},
        sentences=tuple(_sentences(fits)),
        data=table,
    )


_READING = {
    "Reading": "a model is shown only with the verdict ok or boundary; where an independent computation disagrees, it is unreliable",
    "Differences": "largest absolute difference between the model's engine and the second one: of the log-likelihood, of the estimates in "
    "standard errors, of the standard errors as a share",
}


def _model_notes(fits: pd.DataFrame) -> dict[str, str]:
    notes = model_notes.model_notes(fits)
    return notes | {"Exclusions": model_notes.exclusion_text(model_choice.estimated(fits), row_each=False)}


def _row(fit: dict, title: str) -> dict[str, str]:
    left_out = fit.get("left_out") == 1
    reasons = model_notes.split_reasons(fit.get("reasons")) or (model_notes.split_reasons(fit.get("notes")) if left_out else "")
    return {
        "Model": title,
        "Verdict": LEFT_OUT if left_out else STATE_WORDS.get(str(fit["state"]), str(fit["state"])),
        "Reasons": reasons or numbers.MISSING,
        "Estimator": numbers.text(fit.get("estimator")) or numbers.MISSING,
        "n": numbers.count(fit.get("n")),
        "Second engine": numbers.text(fit.get("second_engine")) or NOT_RUN,
        "Agrees": _agrees(fit.get("second_engine_agrees")),
        "Log-likelihood": model_notes.difference(fit.get("log_likelihood_difference")),
        "Estimates (SE)": model_notes.difference(fit.get("estimate_difference_in_se")),
        "Standard errors": model_notes.difference(fit.get("std_error_ratio_difference")),
    }


def _agrees(value: object) -> str:
    return numbers.MISSING if numbers.is_missing(value) else "yes" if float(value) == 1 else "no"


def _sentences(fits: pd.DataFrame) -> list[str]:
    left_out = model_notes.is_left_out(fits)
    fitted = fits[~left_out]
    shown = model_choice.estimated(fits)
    said = [f"{numbers.count_of(len(shown), len(fitted))} models may be shown."] if len(fitted) else []
    agrees = pd.to_numeric(fitted.get("second_engine_agrees", pd.Series(dtype=float)), errors="coerce").astype(float).dropna()
    if len(agrees):
        said.append(
            f"An independent computation agrees with {numbers.count(int((agrees == 1).sum()))} of the "
            f"{numbers.plural(len(agrees), 'model')} it was run on."
        )
    if left_out.any():
        names = numbers.listed(fits.loc[left_out, "label"].astype(str).tolist())
        said.append(f"Left out because a column that they need does not exist: {names}.")
    return said
