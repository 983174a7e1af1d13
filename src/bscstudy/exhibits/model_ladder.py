"""One question answered by several methods side by side: the ladder of each contrast or coefficient, as a table and intervals."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, model_cells, model_choice, model_notes
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, footnote_mark, places_in
from bscstudy.exhibits.ladder_figure import ladder_figure
from bscstudy.exhibits.model_words import RUNG_WORDS, rung_words
from bscstudy.models.verdict import CLEAR

TABLES = ("models/ladder", "models/fits")
FIGURE = True
_NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "low", "high", "smallest_p", "n_clusters")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return every rung for every contrast (coefficient, where a model has none) of the chosen models.

    Options: `model` (ids) or `question` choose the models; `contrasts` (ids) says which are drawn and put into sentences, by default the
    main contrast of each model.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/ladder"), fits)
    if rows.empty:
        return empty_exhibit("No estimated model of this study was answered by several methods.")
    rows, small = model_cells.shown(rows, context)
    if rows.empty:
        return empty_exhibit("Every comparison is withheld, as its groups are small.", small)
    data = _ordered(model_choice.floats(rows, _NUMBERS), context)
    footnotes: list[str] = []
    table = _shown(data, footnotes)
    drawn = data[data["drawn"]]
    return Exhibit(
        table=table,
        caption="Each question of the models answered by several methods side by side",
        notes={
            **_READING,
            **model_notes.link_note(fits),
            **small,
            **model_choice.panels_note(drawn["question"].nunique()),
            **_model_notes(fits),
        },
        sentences=tuple(_sentence(part) for _, part in drawn.groupby("question", sort=False) if part["p_value"].notna().any()),
        footnotes=tuple(footnotes),
        group_by="Question",
        figure=ladder_figure(drawn, context),
        alt=_alt(drawn),
        data=drawn[["model", "term", "question", "rung", "estimate", "low", "high", "p_value"]],
    )


_READING = {
    "Reading": "methods further down take more for granted, such as many centers or one shape of the differences between them; where the "
    "methods agree, little hangs on the choice",
    "Smallest p": "the smallest p that a method could have given with these centers; none where p comes from a continuous distribution",
    "Estimate": "the exact test and the wild cluster bootstrap test estimates of their own, from each center's means and by "
    "least squares; where groups are unequal or predictors go along with centers these can lie clearly apart from the model's "
    "estimate, and so can their p",
    "Interval": "95%; a likelihood ratio and the parametric bootstrap give a p alone, and their point is that of the model",
}


def _model_notes(fits: pd.DataFrame) -> dict[str, str]:
    notes = model_notes.model_notes(fits, row_each=False)
    own = notes["Degrees of freedom"]
    return notes | {"Degrees of freedom": f"of each method its own, in the table; elsewhere in the report the models use: {own}"}


def _ordered(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return rows in the order of models, questions and rungs, with the question in words and whether it is drawn."""
    rank = places_in(rows["rung"], list(RUNG_WORDS))
    rows = rows.assign(_rank=rank).sort_values(["_rank", "rung"], kind="stable").drop(columns="_rank")
    models = places_in(rows["model"], list(dict.fromkeys(rows.sort_index()["model"])))
    rows = rows.assign(_model=models).sort_values("_model", kind="stable").drop(columns="_model").reset_index(drop=True)
    ordered = model_choice.term_order(rows, context)
    ordered["question"] = [model_choice.question_words(row) for row in ordered.to_dict("records")]
    return ordered.assign(drawn=model_choice.drawn_terms(ordered, context))


def _shown(data: pd.DataFrame, footnotes: list[str]) -> pd.DataFrame:
    rows = []
    for row in data.to_dict("records"):
        note, method = numbers.text(row.get("note")).strip(), numbers.text(row.get("method")).strip()
        answers = applies(row)
        rows.append(
            {
                "Question": row["question"],
                "Method": rung_words(row["rung"]) + (_mark(note, footnotes) if answers and note else ""),
                "Estimate": numbers.estimate(row["estimate"], signed=True),
                "SE": numbers.estimate(row["std_error"]),
                "95% interval": numbers.interval(row["low"], row["high"]),
                "Statistic": numbers.estimate(row["statistic"]),
                "df": numbers.degrees_of_freedom(_df(row)),
                "p": numbers.p_value(row["p_value"]),
                "Smallest p": numbers.p_value(row["smallest_p"]),
                "Clusters": numbers.count(row["n_clusters"] if answers else None),
                "What was done": method if answers else note or "does not apply",
            }
        )
    return pd.DataFrame(rows)


def _df(row: dict) -> object:
    """Return the df; those of the normal distribution are infinite, which a table keeps as a blank."""
    return float("inf") if row["rung"] == "wald" and numbers.is_missing(row["df"]) and applies(row) else row["df"]


def applies(row: dict) -> bool:
    """Return whether a rung gave an answer: a p or an interval."""
    return not (numbers.is_missing(row["p_value"]) and numbers.is_missing(row["low"]))


def _mark(note: str, footnotes: list[str]) -> str:
    """Return the mark of a remark; the same words stand below the table once."""
    text = f"{note[:1].upper()}{note[1:]}."
    if text not in footnotes:
        footnotes.append(text)
    return f" {footnote_mark(footnotes.index(text))}"


def _sentence(part: pd.DataFrame) -> str:
    """Return how many methods without a remark give a p below .05, and which could not."""
    named = str(part["question"].iloc[0])
    known = part[part["p_value"].notna()]
    plain = known[known["note"].map(lambda note: not numbers.text(note).strip())]
    able = plain[~(plain["smallest_p"] >= CLEAR)]
    n, clear = len(able), int((able["p_value"] < CLEAR).sum())
    unable = [labels.lower_first(rung_words(r)) for r in plain.loc[plain["smallest_p"] >= CLEAR, "rung"]]
    rest = f" With these centers the {numbers.listed(unable)} could not have given a p below .05." if unable else ""
    if not n:
        return f"{named}: no method answers without a remark.{rest}"
    span = _span(able["p_value"])
    if n == 1:
        return f"{named}: the one method without a remark gives {span}.{rest}"
    if clear in (0, n):
        who = (
            f"all {numbers.count(n)} methods without a remark give"
            if clear
            else f"none of the {numbers.count(n)} methods without a remark gives"
        )
        return f"{named}: {who} a p below .05 ({span}).{rest}"
    some = f"{numbers.count(clear)} of {numbers.count(n)} methods without a remark give a p below .05 ({span})"
    return f"{named}: {some}; the answer depends on the method.{rest}"


def _span(p: pd.Series) -> str:
    low, high = numbers.p_value(p.min()), numbers.p_value(p.max())
    return numbers.p_value(p.min(), prefix=True) if low == high else f"p from {low} to {high}"


def _alt(drawn: pd.DataFrame) -> str:
    n = min(drawn["question"].nunique(), model_choice.MOST_PANELS)
    known = int((drawn["low"].notna() & drawn["high"].notna()).sum())
    return (
        f"{numbers.plural(n, 'panel')}, one for each question; in each the estimate by {numbers.plural(drawn['rung'].nunique(), 'method')} "
        f"one below the other, {numbers.plural(known, 'interval')} in all; a hollow point has no interval. The table holds every number."
    )
