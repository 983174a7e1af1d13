"""What goes with the outcomes: coefficients of the facilitator and barrier models, as a table and forest plots."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, model_cells, model_notes, sentences
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.forest import forest_panels
from bscstudy.exhibits.model_words import measure_words

TABLES = ("models/estimates", "models/fits")
FIGURE = True
INTERCEPT = "(Intercept)"
_NO_MODEL = {
    "moderation": "No model of this study asks for whom it works, or none has the columns it needs.",
    "sustainment": "No model of this study asks whether change lasts.",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the fixed part of every facilitator model; drawn and said are the terms with a declared predictor.

    Options: `question` takes the models of another question (`sustainment`); `models` (ids) restricts the models.
    """
    fits = model_notes.rows_of_fits(
        tables.get("models/fits"), context.options.get("question", "facilitators"), context.option_list("models")
    )
    if fits.empty:
        return empty_exhibit(
            _NO_MODEL.get(context.options.get("question", ""), "No model of this study asks about facilitators and barriers.")
        )
    estimates = tables["models/estimates"]
    rows, footnotes = [], []
    _, flags = model_notes.split_flags(fits)
    estimates, small = model_cells.shown(estimates[estimates["model"].isin(fits["model"])], context)
    for fit in fits.to_dict("records"):
        found = estimates[(estimates["model"] == fit["model"]) & (estimates["kind"] == "fixed") & (estimates["term"] != INTERCEPT)]
        rows += _rows_of_model(fit, found, context, footnotes, flags.get(str(fit["model"]), []))
    data = pd.DataFrame(rows).reindex(columns=_COLUMNS)
    drawn = data[data["drawn"].astype(bool)].rename(columns={"predictor": "label"})
    panels = {str(name): part for name, part in drawn.groupby("title", sort=False)}
    axes = {name: _axis(part.iloc[0]) for name, part in panels.items()}
    return Exhibit(
        table=_shown(data),
        caption="What goes with the outcomes: coefficients of multilevel models",
        notes={
            "Reading": _READING,
            **model_notes.interpretations(fits, context),
            **small,
            **model_notes.estimate_notes(fits, data),
            **model_notes.model_notes(fits),
        },
        sentences=tuple(_sentences(data)),
        footnotes=tuple(footnotes),
        group_by="Model",
        figure=forest_panels(panels, axes, context),
        alt=_alt(data),
        data=drawn[["model", "term", "label", "estimate", "low", "high"]],
    )


_COLUMNS = [
    "model", "title", "mark", "harmonised", "outcome", "unit", "better", "measure", "term", "predictor", "drawn", "over_time", "headline",
    "series", "estimate", "low", "high", "df", "p_value", "p_adjusted", "n", "n_persons", "n_centers", "n_excluded", "reasons", "estimated",
]  # fmt: skip
_READING = (
    "each coefficient is the difference in the outcome, in points unless the scale is named below, that goes with one unit of the "
    "predictor (one standard deviation where it says so) or with a group against its reference group, the other predictors held; "
    "a link is not a cause"
)


def _axis(row: pd.Series) -> str:
    measure = str(row["measure"])
    return f"{measure[:1].upper()}{measure[1:]} of {labels.lower_first(row['outcome'])} (point and 95% interval)"


def _rows_of_model(fit: dict, found: pd.DataFrame, context: Context, footnotes: list[str], flags: list[str]) -> list[dict]:
    common = {
        "model": fit["model"],
        "title": str(fit["label"]),
        "mark": model_notes.flag_mark(fit, flags, footnotes),
        "harmonised": model_notes.harmonised_word(fit),
        "outcome": labels.outcome_label(fit["outcome"], context),
        "unit": str(fit["unit"]),
        "better": labels.better_end(fit["outcome"], context),
        "measure": measure_words(fit.get("link")),
        "series": "",
        **model_notes.sizes(fit),
    }
    if fit["state"] not in model_notes.ESTIMATED or found.empty:
        cell, reasons = model_notes.refusal(fit, footnotes, "it has no predictor, or its groups are too small")
        shown = fit["state"] in model_notes.ESTIMATED
        return [{**common, "predictor": cell, "drawn": True, "headline": True, "reasons": reasons, "estimated": shown}]
    settings = labels.model_settings(fit["model"], context)
    pieces, predictors = set(settings.get("time", {})), set(settings.get("predictors", {}))
    rows = [_term_row(row, common, predictors, pieces, _crossed(found, predictors)) for row in found.to_dict("records")]
    order = {name: place for place, name in enumerate(settings.get("time", {}))}
    place = {row["term"]: min((order.get(part, len(order)) for part in str(row["term"]).split(":")), default=0) for row in rows}
    return sorted(rows, key=lambda r: (not r["headline"], not r["drawn"], place[r["term"]]))


def _inside(term: object, predictors: set[str]) -> set[str]:
    return predictors & {part.partition("[")[0] for part in str(term).split(":")}


def _crossed(found: pd.DataFrame, predictors: set[str]) -> set[str]:
    """Return the predictors that stand in an interaction; of these only the interaction is put into words."""
    return {name for term in found["term"] if ":" in str(term) for name in _inside(term, predictors)}


def _term_row(row: dict, common: dict, predictors: set[str], pieces: set[str], crossed: set[str]) -> dict:
    inside, over_time = _inside(row["term"], predictors), str(row["term"]) in pieces
    return {
        **common,
        "term": row["term"],
        "predictor": str(row["label"]),
        "drawn": bool(inside) or over_time or not predictors,
        "over_time": over_time,
        "headline": over_time or (bool(inside) and (":" in str(row["term"]) or not inside & crossed)),
        **{k: row.get(k) for k in ("estimate", "low", "high", "df", "p_value", "p_adjusted")},
    }


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Model": row["title"] + row["mark"],
                "Term": row["predictor"],
                "Coefficient": numbers.estimate(row["estimate"], signed=True),
                "95% interval": numbers.interval(row["low"], row["high"]),
                **model_notes.last_cells(row),
            }
            for row in data.to_dict("records")
        ]
    )


def _sentences(data: pd.DataFrame) -> list[str]:
    said = []
    for row in data.to_dict("records"):
        if numbers.is_missing(row["estimate"]):
            said.append(sentences.not_estimated_sentence(row["title"], row["reasons"], row["estimated"] is True))
            continue
        outcome = row["outcome"] + row["harmonised"]
        if row["headline"] and row["over_time"]:
            said.append(sentences.change_sentence(row, outcome, labels.lower_first(row["predictor"]), row["unit"], row["better"]))
        elif row["headline"]:
            said.append(sentences.association_sentence(row, labels.lower_first(outcome), row["predictor"], row["unit"]))
    return said


def _alt(data: pd.DataFrame) -> str:
    known = data[data["estimate"].notna() & data["drawn"].astype(bool)].to_dict("records")
    clear = sum(sentences.is_clear(r["low"], r["high"], r["p_adjusted"]) for r in known)
    return (
        f"Forest plots, one for each of {data['title'].nunique()} models: coefficients with 95% intervals; {clear} of {len(known)} "
        "differ clearly from zero. The table holds every number."
    )
