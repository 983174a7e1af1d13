"""How much each outcome changed between waves: model contrasts with intervals, as a table and a forest plot."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, model_cells, model_choice, model_notes, sentences
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in
from bscstudy.exhibits.forest import forest_figure
from bscstudy.exhibits.model_words import measure_words
from bscstudy.models.verdict import MAIN_CONTRAST

TABLES = ("models/estimates", "models/fits")
FIGURE = True


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return the contrasts of every model that asks about change.

    Options: `question` takes the models of another question (`moderation`: change of groups); `models` (ids)
    restricts them; `contrasts` (ids) says which are drawn, by default those that hold no other factor;
    `headline` (ids) are put into sentences, by default `change_post`.
    """
    question = context.options.get("question", "change")
    fits = model_notes.rows_of_fits(tables.get("models/fits"), question, context.option_list("models"))
    if fits.empty:
        return empty_exhibit(_NO_MODEL.get(question, f"No model of this study asks about {question}."))
    main = model_choice.main_models(fits, context)
    fits = fits.assign(variant=fits["model"].map(model_choice.variants(fits, context)), main=fits["model"].isin(main))
    estimates, small = model_cells.shown(tables["models/estimates"].query("kind == 'contrast' and model in @fits.model"), context)
    rows, footnotes = [], []
    _, flags = model_notes.split_flags(fits)
    for fit in _ordered(fits, context).to_dict("records"):
        found = estimates[estimates["model"] == fit["model"]]
        rows += _rows_of_model(fit, found, context, footnotes, flags.get(str(fit["model"]), []))
    data = pd.DataFrame(rows).reindex(columns=_COLUMNS)
    plotted = _plotted(data)
    in_sd = bool(plotted["in_sd"].all())
    drawn_note = {} if plotted["model"].nunique() == data["model"].nunique() else {"Figure": _NOT_DRAWN}
    unit = "Change in standard deviations of the first wave" if in_sd else _measure(data)
    return Exhibit(
        table=_shown(data),
        caption="Change between waves, estimated by multilevel models",
        notes={
            **_reading_notes(),
            **model_notes.interpretations(fits, context),
            **drawn_note,
            **small,
            **model_notes.estimate_notes(fits, data),
            **model_notes.model_notes(fits),
        },
        sentences=tuple(_sentences(data, context)),
        footnotes=tuple(footnotes),
        group_by="Outcome",
        figure=forest_figure(plotted, f"{unit} (point and 95% interval)", context),
        alt=_alt(data[data["model"].isin(plotted["model"])], unit),
        data=plotted,
    )


_NO_MODEL = {
    "change": "No model of this study asks about change.",
    "moderation": "No model of this study asks for whom it works, or none has the columns it needs.",
}
_NOT_DRAWN = "models whose estimates are not in points stand in the table only"
_COLUMNS = [
    "model", "main", "outcome", "mark", "harmonised", "better", "share", "measure", "unit", "n", "n_persons", "n_centers", "n_excluded",
    "sd", "contrast_id", "contrast", "drawn", "difference", "estimate", "low", "high", "df", "p_value", "p_adjusted", "standardized",
    "reasons", "estimated",
]  # fmt: skip


def _measure(data: pd.DataFrame) -> str:
    return "Change in points of the scale" if set(data["measure"]) <= {"points"} else "Change in the units of each model"


def _ordered(fits: pd.DataFrame, context: Context) -> pd.DataFrame:
    order = [*labels.scale_rows(context), *labels.score_rows(context)]
    rank = places_in(fits["outcome"], order)
    return fits.assign(_rank=rank).sort_values(["_rank", "model"], kind="stable").drop(columns="_rank")


def _rows_of_model(fit: dict, found: pd.DataFrame, context: Context, footnotes: list[str], flags: list[str]) -> list[dict]:
    common = {
        "model": fit["model"],
        "outcome": labels.outcome_label(fit["outcome"], context) + fit["variant"],
        "mark": model_notes.flag_mark(fit, flags, footnotes),
        "harmonised": model_notes.harmonised_word(fit),
        "better": labels.better_end(fit["outcome"], context),
        "share": labels.is_share(fit["outcome"], context) and measure_words(fit.get("link")) == "points",
        "measure": measure_words(fit.get("link")),
        "unit": str(fit["unit"]),
        "main": bool(fit["main"]),
        "sd": fit.get("outcome_sd_baseline"),
        **model_notes.sizes(fit),
    }
    if fit["state"] not in model_notes.ESTIMATED or found.empty:
        cell, reasons = model_notes.refusal(fit, footnotes, "it has no comparison, or its groups are too small")
        return [{**common, "contrast": cell, "drawn": True, "reasons": reasons, "estimated": fit["state"] in model_notes.ESTIMATED}]
    settings = {str(c["id"]): c for c in labels.model_settings(fit["model"], context).get("contrasts", [])}
    rank = places_in(found["term"], list(settings))
    ordered = found.assign(_rank=rank).sort_values(["_rank", "term"], kind="stable")
    drawn = context.option_list("contrasts") or [name for name in ordered["term"] if not settings.get(name, {}).get("at")]
    keep = ("estimate", "low", "high", "df", "p_value", "p_adjusted", "standardized")
    return [
        {
            **common,
            "contrast_id": r["term"],
            "contrast": str(r["label"]),
            "drawn": r["term"] in drawn,
            "difference": set(settings.get(r["term"], {}).get("compare", ["wave"])) != {"wave"},
            **{k: r.get(k) for k in keep},
        }
        for r in ordered.to_dict("records")
    ]


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Outcome": _outcome(row) + row["mark"],
                "Comparison": row["contrast"],
                "Change": numbers.estimate(row["estimate"], signed=True),
                "95% interval": numbers.interval(row["low"], row["high"]),
                "In SD": numbers.estimate(row["standardized"], signed=True),
                **model_notes.last_cells(row),
            }
            for row in data.to_dict("records")
        ]
    )


def _outcome(row: dict) -> str:
    return f"{row['outcome']} (lower is better)" if row["better"] == "lower" else str(row["outcome"])


def _plotted(data: pd.DataFrame) -> pd.DataFrame:
    """Return the drawn rows: models in points where there are any, in standard deviations of the first wave where each has that."""
    in_points = data["measure"] == "points"
    frame = data[data["drawn"].astype(bool) & (in_points | ~in_points.any())].reset_index(drop=True)
    one_sd = pd.to_numeric(frame["sd"], errors="coerce")
    estimated = frame["estimate"].notna()
    in_sd = bool(estimated.any() and (one_sd[estimated] > 0).all())
    out = pd.DataFrame({"model": frame["model"], "label": [_outcome(r) for r in frame.to_dict("records")]})
    out["series"] = frame["contrast"].where(estimated, "")
    for column in ("estimate", "low", "high"):
        out[column] = pd.to_numeric(frame[column], errors="coerce") / (one_sd if in_sd else 1.0)
    return out.assign(in_sd=in_sd)


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    known = data[data["estimate"].notna() & data["main"].astype(bool)]
    said = []
    for name in dict.fromkeys(known.loc[known["drawn"].astype(bool), "contrast_id"]) if data["model"].nunique() > 1 else ():
        part = known[known["contrast_id"] == name]
        clear = [sentences.is_clear(r["low"], r["high"], r["p_adjusted"]) for r in part.to_dict("records")]
        said.append(sentences.overview_sentence(part["contrast"].iloc[0], sum(clear), len(clear)))
    for _, part in data.groupby("model", sort=False):
        said += [_sentence(row) for row in _headlines(part, context.option_list("headline") or [MAIN_CONTRAST])]
    return said


def _sentence(row: dict) -> str:
    if numbers.is_missing(row["estimate"]):
        return sentences.not_estimated_sentence(row["outcome"], row["reasons"], row["estimated"] is True)
    named = (row, row["outcome"] + row["harmonised"], labels.lower_first(row["contrast"]), row["unit"])
    if row["difference"]:
        return sentences.difference_sentence(*named, share=bool(row["share"]))
    return sentences.change_sentence(*named, row["better"], share=bool(row["share"]))


def _headlines(part: pd.DataFrame, wanted: list[str]) -> list[dict]:
    chosen = part[part["contrast_id"].isin(wanted)]
    return (chosen if len(chosen) else part.head(1)).to_dict("records")


def _reading_notes() -> dict[str, str]:
    return {
        "Reading": "a change above zero means that the average rose; it is in points of the scale (a share runs from 0 to 1) "
        "unless the scale is named below",
        "Groups": model_notes.EQUAL_GROUPS,
        "In SD": "the change divided by the standard deviation of the outcome at its first wave",
    }


def _alt(data: pd.DataFrame, unit: str) -> str:
    known = data[data["estimate"].notna() & data["drawn"].astype(bool)].to_dict("records")
    clear = sum(sentences.is_clear(r["low"], r["high"], r["p_adjusted"]) for r in known)
    return (
        f"Forest plot. {unit} in {numbers.plural(data['outcome'].nunique(), 'row')} with 95% intervals; {clear} of {len(known)} "
        "comparisons differ clearly from zero. The table holds every number."
    )
