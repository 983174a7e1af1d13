"""Which models, which of their rows and which of their questions an exhibit shows, and in what order."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels
from bscstudy.exhibits.base import Context, places_in
from bscstudy.exhibits.model_notes import ESTIMATED, is_left_out
from bscstudy.exhibits.model_words import measure_words
from bscstudy.models.verdict import MAIN_CONTRAST

#: panels beyond which a figure is no longer read
MOST_PANELS = 12


def chosen_fits(fits: pd.DataFrame | None, context: Context) -> pd.DataFrame:
    """Return the fits that the options `model` (ids) or `question` name, all without them, in the order of their outcomes."""
    if fits is None or fits.empty:
        return pd.DataFrame(columns=["model", "state"])
    models, questions = context.option_list("model"), context.option_list("question")
    kept = fits[fits["model"].isin(models)] if models else fits[fits["question"].isin(questions)] if questions else fits
    return by_outcome(kept, context)


def by_outcome(fits: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return fits in the order of the scales and observation scores, then by id."""
    rank = places_in(fits["outcome"], [*labels.scale_rows(context), *labels.score_rows(context)])
    return fits.assign(_rank=rank).sort_values(["_rank", "model"], kind="stable").drop(columns="_rank").reset_index(drop=True)


def rows_of_models(table: pd.DataFrame | None, fits: pd.DataFrame) -> pd.DataFrame:
    """Return a table's rows of the estimated models among the fits, in their order, with the model's label as `title`."""
    if table is None or table.empty or fits.empty:
        return pd.DataFrame()
    used = estimated(fits)
    rows = table[table["model"].isin(used["model"])]
    rank = places_in(rows["model"], used["model"].astype(str).tolist())
    ordered = rows.assign(_rank=rank).sort_values("_rank", kind="stable").drop(columns="_rank")
    return ordered.assign(title=ordered["model"].map(titles(used))).reset_index(drop=True)


def estimated(fits: pd.DataFrame) -> pd.DataFrame:
    """Return the fits whose numbers may be shown."""
    return fits[fits["state"].isin(ESTIMATED) & ~is_left_out(fits)]


def titles(fits: pd.DataFrame) -> dict[str, str]:
    """Return model -> its label, with the model's id behind it where two models share a label."""
    names = fits["label"].astype(str)
    doubled = names.duplicated(keep=False)
    return {str(m): f"{name} ({m})" if double else name for m, name, double in zip(fits["model"], names, doubled, strict=True)}


def variants(fits: pd.DataFrame, context: Context) -> dict[str, str]:
    """Return model -> what tells it from the other models of the same outcome, after a comma; blank where it is the only one."""
    said = {}
    for outcome, part in fits.groupby("outcome", sort=False):
        settings = {str(m): labels.model_settings(str(m), context) for m in part["model"]}
        people = {m: "stayers only" if (s.get("sample") or {}).get("people") == "stayers" else "everyone" for m, s in settings.items()}
        share = "share" if labels.is_share(str(outcome), context) else "points"
        links = part["link"] if "link" in part else pd.Series("", index=part.index)
        units = {
            str(m): share if measure_words(link) == "points" else measure_words(link) for m, link in zip(part["model"], links, strict=True)
        }
        told = [own for own in (people, units) if len(set(own.values())) > 1]
        words = {m: ", ".join(own[m] for own in told) for m in settings}
        names = part["label"] if len(set(words.values())) < len(words) else [words[str(m)] for m in part["model"]]
        said |= {str(m): f", {name}" if len(part) > 1 else "" for m, name in zip(part["model"], names, strict=True)}
    return said


def main_models(fits: pd.DataFrame, context: Context) -> set[str]:
    """Return one model for each outcome, which speaks for it where outcomes are counted: of everyone before stayers, in points first."""

    def rank(row: dict) -> tuple:
        people = (labels.model_settings(str(row["model"]), context).get("sample") or {}).get("people", "everyone")
        return people == "stayers", measure_words(row.get("link")) != "points", str(row["model"])

    return {str(min(part.to_dict("records"), key=rank)["model"]) for _, part in fits.groupby("outcome")}


def term_order(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return rows (models in order) with each model's terms as declared: contrasts first, then coefficients as they come."""
    ranks = pd.Series(0, index=rows.index)
    for model, part in rows.groupby("model", sort=False):
        declared = [str(c["id"]) for c in labels.model_settings(str(model), context).get("contrasts") or []]
        ranks.loc[part.index] = places_in(part["term"], declared).astype(int)
    models = places_in(rows["model"], list(dict.fromkeys(rows["model"])))
    ordered = rows.assign(_model=models, _rank=ranks).sort_values(["_model", "_rank", "kind", "term"], kind="stable")
    return ordered.drop(columns=["_model", "_rank"]).reset_index(drop=True)


def drawn_terms(rows: pd.DataFrame, context: Context) -> pd.Series:
    """Return which rows a figure draws: the option `contrasts`, else of each model its main contrast, its first, or all coefficients."""
    wanted = context.option_list("contrasts")
    if wanted:
        return rows["term"].isin(wanted)
    drawn = pd.Series(False, index=rows.index)
    for _, part in rows.groupby("model", sort=False):
        contrasts = list(dict.fromkeys(part.loc[part["kind"] == "contrast", "term"]))
        chosen = [MAIN_CONTRAST] if MAIN_CONTRAST in contrasts else contrasts[:1]
        drawn.loc[part.index] = (part["kind"] == "contrast") & part["term"].isin(chosen) if chosen else True
    return drawn


def question_words(row: dict) -> str:
    """Return a model's label and the label of the term or contrast that is asked."""
    return f"{row['title']}: {labels.lower_first(str(row['label']))}"


def floats(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return rows with plain numbers in these columns, missing as nan; a column that is not there is all missing."""
    return rows.assign(
        **{c: pd.to_numeric(rows.get(c, pd.Series(pd.NA, index=rows.index)), errors="coerce").astype(float) for c in columns}
    )


def panels_note(n_panels: int) -> dict[str, str]:
    """Return the note that a figure holds only the first panels, nothing where it holds all."""
    if n_panels <= MOST_PANELS:
        return {}
    text = f"the first {numbers.count(MOST_PANELS)} of {numbers.count(n_panels)} are drawn; the table and the data hold all"
    return {"Figure": text}
