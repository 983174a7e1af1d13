"""How far coders agree on the themes of the documents that two or more have coded, or why a study gives no coefficient."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in
from bscstudy.exhibits.coder_agreement_notes import agreement_notes
from bscstudy.exhibits.forest import forest_figure
from bscstudy.exhibits.labels import words
from bscstudy.qual.reliability import AGREEMENT, NAMES, ReliabilitySettings, reliability_settings

TABLES = ("qual/coder_agreement",)
FIGURE = True
SECTIONS = ("qual",)
POOLED = "all"
NOTES = {
    "not_defined": "not defined: all coders found it everywhere, or nowhere",
    "rare_or_common": "found in under 10% or over 90%: kappa and alpha are unstable",
    "no_double_coded_document": "no document coded by two coders",
    "not_asked": "its topic was asked in no document coded by two coders",
    "no_document_compared": "the places of its passages are not known",
}
COUNTS = ("n_units", "n_both", "n_only_first", "n_only_second", "n_neither", "percent", "positive", "negative", "prevalence")
APPROACHES = {
    "consensus": "Codes were settled together by the coders",
    "reflexive": "The analysis is reflexive",
    "none": "Codes were given by one coder",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each theme with its declared coefficients, and a last row over themes; or the reason why there are none."""
    settings = reliability_settings(context.config.get("qual") or {})
    if settings.approach != AGREEMENT:
        return _reason(settings)
    data = tables.get("qual/coder_agreement")
    if data is None or data.empty:
        return empty_exhibit("No document was coded by two coders, or a second coder is not declared.")
    data = _ordered(data, settings, context.labels("themes", "theme"))
    single = data[data["theme"] != POOLED]
    unit, known = single["unit"].iloc[0], single["estimate"].notna().any()
    return Exhibit(
        table=pd.DataFrame([_row(part, unit, settings) for _, part in data.groupby("theme", sort=False)]),
        caption=f"Agreement of {_coders(data)} on the presence of themes, {unit} by {unit}",
        notes=agreement_notes(data, settings),
        sentences=_sentences(data, settings),
        figure=_figure(single, settings, context) if known else None,
        alt=f"{_named(settings)} of each theme with {_level(settings)} intervals; the table holds every number." if known else "",
        data=single[["theme", "coefficient", "unit", "n_documents", "prevalence", "estimate", "low", "high"]],
    )


def _ordered(data: pd.DataFrame, settings: ReliabilitySettings, labels: dict[str, str]) -> pd.DataFrame:
    """Return the rows with their theme's label, in the order of themes and of the declared coefficients; those of all themes last."""
    named = [POOLED if theme == POOLED else labels.get(theme, words(theme)) for theme in data["theme"]]
    places = {
        "place": places_in(data["theme"], list(labels)),
        "kind": places_in(data["coefficient"].replace("pooled_kappa", "cohen_kappa"), list(settings.coefficients)),
    }
    data = data.assign(label=named, **places, last=data["theme"] == POOLED)
    return data.sort_values(["last", "place", "theme", "kind"], kind="stable").reset_index(drop=True)


def _reason(settings: ReliabilitySettings) -> Exhibit:
    said = APPROACHES[settings.approach]
    return Exhibit(
        pd.DataFrame({"Approach": [said], "Reason": [settings.reason]}),
        "How the reliability of the coding is spoken of",
        {"Estimator": "none; the study declares that it gives no coefficient of agreement", "n": "none"},
        (f"{said}; no coefficient of agreement is given: {settings.reason.strip().rstrip('.')}.",),
    )


def _coders(data: pd.DataFrame) -> str:
    n = int(data["n_coders"].max())
    return "two coders" if n == 2 else numbers.plural(n, "coder")


def _named(settings: ReliabilitySettings) -> str:
    return numbers.listed([NAMES[kind] for kind in settings.coefficients])


def _level(settings: ReliabilitySettings) -> str:
    return f"{100 * settings.confidence:g}%"


def _row(part: pd.DataFrame, unit: str, settings: ReliabilitySettings) -> dict:
    """Return the row of one theme; its counts are those of the first declared coefficient, left out where these are in other units."""
    same = part["unit"].str.split().str[0] == unit
    first = (part[same] if same.any() else part.assign(**dict.fromkeys(COUNTS, float("nan")))).iloc[0]
    whole, two = first["theme"] == POOLED, first["n_coders"] == 2
    twice = numbers.count(first["n_documents"]) if whole else numbers.count_of(first["n_documents"], first["n_coded"])
    shown = {"Theme": "All themes" if whole else first["label"], "Documents coded twice": twice}
    if unit != "document":
        shown[f"{words(unit)}s"] = numbers.count(first["n_units"])
    shown["Prevalence"] = numbers.percent(first["prevalence"])
    found = {row["coefficient"]: row for row in part.to_dict("records")}
    for kind in settings.coefficients:
        row = found.get("pooled_kappa" if whole and kind == "cohen_kappa" else kind, {})
        shown[NAMES[kind]] = numbers.estimate_with_interval(row.get("estimate"), row.get("low"), row.get("high"))
    shares = {"Agreement": "percent", "Positive": "positive", "Negative": "negative"}
    shown |= {name: numbers.percent(first[column]) for name, column in shares.items()}
    some = {"Main only": first["n_only_first"], "Second only": first["n_only_second"]} if settings.coders == "role" else {}
    some = some or {"Some": first["n_units"] - first["n_both"] - first["n_neither"]}
    counts = {"Both" if two else "All": first["n_both"], **some, "Neither" if two else "Nobody": first["n_neither"]}
    shown |= {name: numbers.count(value) for name, value in counts.items()}
    said = dict.fromkeys(NOTES[note] for note in part["note"].dropna() if note in NOTES)
    return shown | {"Remark": "pooled kappa" if "pooled_kappa" in found else "; ".join(said)}


def _sentences(data: pd.DataFrame, settings: ReliabilitySettings) -> tuple[str, ...]:
    first = settings.coefficients[0]
    whole = data[(data["theme"] == POOLED)].head(1)
    single = data[(data["theme"] != POOLED) & (data["coefficient"] == first)]
    if not single["n_documents"].any():
        return ("No document was coded by two coders and asked about a theme, so their agreement is not known.",)
    known, unit = single["estimate"].dropna(), single["unit"].iloc[0]
    said = []
    if len(whole):
        row = whole.iloc[0]
        value = numbers.estimate_with_interval(row["estimate"], row["low"], row["high"])
        decisions = f"decisions whether a theme is in a {row['unit'].split()[0]}"
        said.append(
            f"{_coders(data).capitalize()} agreed on {numbers.percent(row['percent'])} of the {decisions} "
            f"({numbers.plural(int(row['n_documents']), 'document')}, {numbers.plural(len(single), 'theme')}; "
            f"{NAMES[row['coefficient']]} {value}, {_level(settings)} interval)."
        )
    elif len(known):
        said.append(
            f"{NAMES[first]} of {_coders(data)} lies between {numbers.estimate(known.min())} and {numbers.estimate(known.max())} "
            f"({numbers.plural(len(known), 'theme')}, {unit} by {unit})."
        )
    unclear = int((single["note"].isin(["not_defined", "rare_or_common"])).sum())
    extra = f"For {numbers.plural(unclear, 'theme')} {NAMES[first]} is unstable or not defined: nearly all or nearly no {unit}s hold them."
    return (*said, extra) if unclear else tuple(said)


def _figure(single: pd.DataFrame, settings: ReliabilitySettings, context: Context):
    """Return the coefficients of each theme with their intervals; labels carry documents and prevalence."""
    said = [f"{row['label']} (n {row['n_documents']:.0f}, {numbers.percent(row['prevalence'])})" for row in single.to_dict("records")]
    first = dict(zip(single["theme"][::-1], said[::-1], strict=True))
    rows = single.assign(label=single["theme"].map(first), series=single["coefficient"].map(NAMES))
    named = NAMES[settings.coefficients[0]] if len(settings.coefficients) == 1 else "Agreement beyond chance"
    return forest_figure(rows, f"{named} by {single['unit'].iloc[0]}, {_level(settings)} interval (1 is complete)", context)
