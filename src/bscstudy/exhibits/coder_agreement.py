"""How far two coders agree on the themes of the documents both have coded."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in
from bscstudy.exhibits.labels import words

TABLES = ("qual/coder_agreement",)
FIGURE = False
NOTES = {
    "kappa_not_defined": "not defined: both coders found it everywhere or nowhere",
    "kappa_unstable": "rare or nearly everywhere: kappa is unstable",
    "no_double_coded_document": "no document coded by both",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each theme, and the pooled kappa over themes as the last row."""
    frame = tables.get("qual/coder_agreement")
    if frame is None or frame.empty:
        return empty_exhibit("No document was coded by two coders, or a second coder is not declared.")
    labels = context.labels("themes", "theme")
    frame = frame.assign(place=places_in(frame["theme"], list(labels))).sort_values(["place", "theme"], kind="stable")
    rows = [_row(row, labels) for row in frame.to_dict("records")]
    single, pooled = frame[frame["theme"] != "all"], frame[frame["theme"] == "all"]
    n_documents = int(single["n_units"].max()) if len(single) else 0
    return Exhibit(
        table=pd.DataFrame(rows),
        caption=f"Agreement of two coders on the presence of themes in {numbers.plural(n_documents, 'document')} coded by both",
        notes=_notes(n_documents, len(single)),
        sentences=_sentences(single, pooled, n_documents),
    )


def _row(row: dict, labels: dict[str, str]) -> dict:
    whole = row["theme"] == "all"
    return {
        "Theme": "All themes" if whole else labels.get(row["theme"], words(row["theme"])),
        "Both": numbers.count(row["n_both"]),
        "Main only": numbers.count(row["n_only_first"]),
        "Second only": numbers.count(row["n_only_second"]),
        "Neither": numbers.count(row["n_neither"]),
        "Agreement": numbers.percent(row["percent"]),
        "Positive": numbers.percent(row["positive"]),
        "Negative": numbers.percent(row["negative"]),
        "Kappa": numbers.estimate(row["kappa"]),
        "Prevalence": numbers.percent(row["prevalence"]),
        "Remark": "pooled kappa" if whole else NOTES.get(row["note"], numbers.text(row["note"])),
    }


def _notes(n_documents: int, n_themes: int) -> dict[str, str]:
    return {
        "Estimator": "Cohen's kappa for each theme; the last row pools observed and expected agreement (De Vries and others 2008)",
        "Degrees of freedom": "none; no test is made",
        "n": f"{numbers.plural(n_documents, 'document')} for each of {numbers.plural(n_themes, 'theme')}; the unit is the whole document",
        "Clusters": "documents",
        "Exclusions": "documents without a coding by each of the two coders, and codes that the code map ignores",
        "Topics not asked": "documents count for every theme, also where its topic was not asked; there coders easily agree on absence",
        "Positive and negative": "agreement among documents in which a coder found the theme, and among those in which a coder did not",
        "Reading": "kappa falls with rare and with very common themes though coders agree; read it beside the counts. "
        "Codings are those before any consensus; positions and directions of codings are not compared.",
    }


def _sentences(single: pd.DataFrame, pooled: pd.DataFrame, n_documents: int) -> tuple[str, ...]:
    if not n_documents or pooled.empty:
        return ("No document was coded by both coders, so their agreement is not known.",)
    row = pooled.iloc[0]
    said = (
        f"Two coders agreed on {numbers.percent(row['percent'])} of the decisions whether a theme is present in a document "
        f"({numbers.plural(n_documents, 'document')}, {numbers.plural(len(single), 'theme')}; "
        f"pooled kappa {numbers.estimate(row['kappa'])})."
    )
    unclear = int((single["note"].isin(["kappa_unstable", "kappa_not_defined"])).sum())
    extra = f"For {numbers.plural(unclear, 'theme')} kappa is unstable or not defined, because nearly all or nearly no documents hold them."
    return (said, extra) if unclear else (said,)
