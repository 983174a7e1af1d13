"""Where the differences between observation scores come from, and how many raters and occasions a dependable score takes."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order

TABLES = ("measures/generalizability", "measures/decision_study")
FIGURE = False
COMPONENTS = {
    "classroom": "Classroom",
    "rater": "Rater",
    "occasion": "Occasion",
    "classroom:rater": "Classroom × rater",
    "classroom:occasion": "Classroom × occasion",
    "rater:occasion": "Rater × occasion",
    "residual": "Residual",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each score; options: `scores` and `instruments` restrict them."""
    parts, decisions = tables.get("measures/generalizability"), tables.get("measures/decision_study")
    if parts is None or decisions is None:
        return empty_exhibit("The study has no classroom observation.")
    parts = context.chosen(parts, scores="score", instruments="instrument")
    if parts.empty:
        return empty_exhibit("No instrument asks for a generalizability study (`generalizability` in config/measures.yaml).")
    scores = in_order(parts["score"], list(labels.score_rows(context)))
    rows = [_row(score, parts[parts["score"] == score], decisions[decisions["score"] == score], context) for score in scores]
    return Exhibit(
        table=pd.DataFrame(rows),
        caption="Shares of the variance of observation scores, and the occasions that a dependable score takes",
        notes=_notes(parts, decisions, scores, context),
        sentences=tuple(_sentences(scores, decisions, context)),
        data=parts[["instrument", "score", "component", "n_levels", "variance", "share", "low", "high"]],
    )


def _row(score: str, parts: pd.DataFrame, decisions: pd.DataFrame, context: Context) -> dict:
    shares = parts.set_index("component")["share"]
    row = {"Score": labels.outcome_label(score, context), "Scores": numbers.count(parts["n"].iloc[0])}
    row |= {label: numbers.percent(shares.get(name)) for name, label in COMPONENTS.items()}
    one = decisions[(decisions["n_raters"] == 1) & (decisions["n_occasions"] == 1)]
    row["G"], row["Phi"] = (numbers.estimate(one[name].iloc[0] if len(one) else None) for name in ("g", "phi"))
    for n_raters in (1, 2):
        row[f"Occasions for G, {numbers.plural(n_raters, 'rater')}"] = _occasions(decisions, n_raters, "occasions_for_g")
    row["Occasions for Phi, 2 raters"] = _occasions(decisions, 2, "occasions_for_phi")
    return row


def _occasions(decisions: pd.DataFrame, n_raters: int, column: str) -> str:
    found = decisions[decisions["n_raters"] == n_raters]
    if found.empty:
        return numbers.MISSING
    return "none is enough" if numbers.is_missing(found[column].iloc[0]) else numbers.count(found[column].iloc[0])


def _notes(parts: pd.DataFrame, decisions: pd.DataFrame, scores: list[str], context: Context) -> dict[str, str]:
    said = parts.drop_duplicates("score").set_index("score")["note"].fillna("")
    notes: dict[str, list[str]] = {}
    for score in scores:
        if said[score]:
            notes.setdefault(str(said[score]), []).append(labels.outcome_label(score, context))
    targets = sorted(decisions["target"].dropna().unique())
    aimed = numbers.listed([numbers.estimate(target) for target in targets]) if targets else numbers.MISSING
    return {
        "Estimator": "raters' scores of visits, without a consensus; crossed random intercepts by restricted maximum likelihood",
        "G and Phi": "dependability of one rater's score of one occasion: G for comparing classrooms with each other, Phi for a "
        f"classroom's own level; occasions are those with which the coefficient reaches {aimed}",
        "Occasions": "change of all classrooms from one occasion to the next counts as variance of occasions, and so against Phi",
        "n": "scores of one rater in one visit; intervals of the shares are in measures/generalizability",
        "Clusters": f"{numbers.count(parts.loc[parts['component'] == 'classroom', 'n_levels'].max())} classrooms at most",
        "Exclusions": "; ".join(f"{numbers.listed(names)}: {note}" for note, names in notes.items()) or "none",
    }


def _sentences(scores: list[str], decisions: pd.DataFrame, context: Context) -> list[str]:
    one = decisions[(decisions["n_raters"] == 1) & (decisions["n_occasions"] == 1) & decisions["score"].isin(scores)]
    said = []
    for instrument, part in one.dropna(subset=["g"]).groupby("instrument", sort=True):
        ends = [part.loc[place] for place in (part["g"].idxmin(), part["g"].idxmax())]
        words = [f"{numbers.estimate(end['g'])} ({labels.lower_first(labels.outcome_label(end['score'], context))})" for end in ends]
        name = context.labels("observation").get(str(instrument), labels.words(instrument))
        said.append(f"{name}: the score of one rater on one occasion compares classrooms with a dependability of {' to '.join(words)}.")
    return said
