"""What must be known to read the agreement of coders: unit, coefficients, what was left out."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.qual.reliability import NAMES, UNITIZING, ReliabilitySettings

UNITS = {
    "document": "the whole document: a theme is there or not, however often",
    "excerpt": "the excerpt: a passage that some coder gave a theme, overlapping passages being one; text that nobody coded does not count",
    "paragraph": "the paragraph: a theme is there where a coded passage touches it",
    "character": "the character: text that nobody coded counts as agreement, and characters beside each other are not independent",
}
SOURCES = {
    "cohen_kappa": "Cohen 1960",
    "fleiss_kappa": "Fleiss 1971",
    "conger_kappa": "Conger 1980",
    "brennan_prediger": "Brennan and Prediger 1981",
    "gwet_ac1": "Gwet 2008",
    "krippendorff_alpha": "nominal, Krippendorff 2011",
    UNITIZING: "Krippendorff 2004",
}
FEW_DOCUMENTS = 20


def agreement_notes(data: pd.DataFrame, settings: ReliabilitySettings) -> dict[str, str]:
    """Return the notes of the exhibit of coders' agreement.

    Parameters
    ----------
    data : DataFrame
        The rows of qual/coder_agreement.csv; theme `all` for those over themes.
    settings : ReliabilitySettings
    """
    single = data[data["theme"] != "all"]
    unit = single["unit"].iloc[0]
    notes = {
        "Estimator": _estimator(settings),
        "Degrees of freedom": "none; no test is made",
        "n": f"{_range(single['n_documents'], 'document')} for each of {numbers.plural(single['theme'].nunique(), 'theme')}; "
        f"{numbers.plural(int(data['n_coders'].max()), 'coder')}",
        "Clusters": "documents; the bootstrap draws whole documents",
        "Exclusions": "documents without a coding by each coder compared, and codes that the code map ignores",
        "Unit": f"{UNITS[unit]}. A unit may hold several themes; each theme is a decision of its own{_stretches(settings)}",
        "Topics not asked": "a document does not count for a theme whose topic was not asked in it "
        f"({_range(single['n_not_asked'], 'document')} by theme)",
        "Positive and negative": f"agreement among {unit}s in which a coder found the theme, and among those in which a coder did not",
        "Prevalence": "share of the coders' decisions that found the theme; in the figure behind each theme, after the documents (n)",
        "Consensus": _consensus(single),
        "Place not known": _not_comparable(single),
        "Interval": _interval(single),
        "Reading": "kappa and alpha fall with rare and with very common themes though coders agree; read them beside the counts. "
        f"Codings are those before any consensus. {_not_compared(unit)}",
    }
    return {name: text for name, text in notes.items() if text}


def _estimator(settings: ReliabilitySettings) -> str:
    named = numbers.listed([f"{NAMES[kind]} ({SOURCES[kind]})" for kind in settings.coefficients])
    pooled = "; the last row pools observed and chance agreement over themes (De Vries and others 2008)"
    joined = "; the last row of alpha for unitizing is of all themes' stretches"
    return (
        f"{named}; {100 * settings.confidence:g}% percentile intervals of {numbers.count(settings.draws)} bootstrap samples of documents"
        f"{pooled if 'cohen_kappa' in settings.coefficients else ''}{joined if UNITIZING in settings.coefficients else ''}"
    )


def _stretches(settings: ReliabilitySettings) -> str:
    return ". Alpha for unitizing compares where passages start and end, in characters" if UNITIZING in settings.coefficients else ""


def _range(values: pd.Series, one: str) -> str:
    low, high = int(values.min()), int(values.max())
    return numbers.plural(high, one) if low == high else f"{numbers.count(low)} to {numbers.plural(high, one)}"


def _consensus(single: pd.DataFrame) -> str:
    settled = int(single["n_consensus"].max())
    return f"themes are counted from the coders' later consensus in up to {numbers.plural(settled, 'compared document')}" if settled else ""


def _not_comparable(single: pd.DataFrame) -> str:
    left_out = int(single["n_not_comparable"].max())
    said = "have a passage whose place in the text is not known, or were not read by every coder, and are not compared"
    return f"up to {numbers.plural(left_out, 'asked document')} {said}" if left_out else ""


def _interval(single: pd.DataFrame) -> str:
    said = []
    if (single["estimate"].notna() & single["low"].isna()).any():
        said.append("none where coders agree everywhere, or where over 5% of the samples leave the coefficient undefined")
    if single["n_documents"].min() < FEW_DOCUMENTS:
        said.append(f"with fewer than {FEW_DOCUMENTS} documents it tends to be too narrow")
    return "; ".join(said)


def _not_compared(unit: str) -> str:
    return "Positions and directions of codings are not compared." if unit == "document" else "Directions of codings are not compared."
