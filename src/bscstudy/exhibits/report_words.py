"""The report's own words: who took part, what cannot be said, how to read it, methods, data quality, limitations."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, model_notes, sentences
from bscstudy.models.verdict import NO_RANDOM_SLOPE
from bscstudy.privacy import is_small

_GLOSSARY = (
    ("Change", "The difference between two waves, each group of a model counting the same. It says what happened, not why."),
    (
        "95% interval",
        "Values of the change that fit the data well. Of many such intervals about 95 in 100 hold the true value.",
    ),
    (
        "p and p adjusted",
        "How often chance alone would give a difference this large or larger. "
        "The adjusted p allows for the many comparisons of a family of hypotheses.",
    ),
    ("df", "Degrees of freedom: how much independent information stands behind a number. Few centers give few degrees of freedom."),
    ("Clear", "The 95% interval leaves out zero and the adjusted p, where there is one, is below .05."),
    ("SD", "Standard deviation. A change of 0.5 SD is half of the usual distance between people at the first wave."),
    ("Boundary", "A variance was estimated as zero, or a correlation as one. The model is kept, and the exhibit says so."),
    ("Not estimated", "A model that failed its checks gives no number. The footnote says why."),
    (
        "Signs in tables",
        "A dash means that there is no value. <{min_cell} stands for a small count of people that is kept back. [a] points to a footnote.",
    ),
)


def glossary(config: dict) -> list[tuple[str, str]]:
    """Return the words a reader needs, with what they mean here."""
    min_cell = numbers.count(config.get("privacy", {}).get("min_cell", 10))
    return [(word, text.replace("{min_cell}", min_cell)) for word, text in _GLOSSARY]


def who_took_part(config: dict, flow: pd.DataFrame | None) -> list[str]:
    """Return who is in the study, from the flow of forms."""
    if flow is None or flow.empty:
        return []
    received = flow[flow["received"].fillna(0) > 0]
    n_centers, n_collaboratives = received["center_id"].nunique(), received["collaborative"].nunique()
    waves = [
        str(w["label"]) for w in sorted(config.get("waves") or [], key=lambda w: w["order"]) if str(w["id"]) in set(flow["wave"].dropna())
    ]
    said = [
        f"{numbers.plural(n_centers, 'center')} in {numbers.plural(n_collaboratives, 'collaborative')} sent in forms"
        + (f" at {numbers.plural(len(waves), 'wave')} ({numbers.listed(waves)})." if waves else ".")
    ]
    for instrument, part in flow.groupby("instrument", sort=True):
        said += _received(labels.words(instrument), part, int(config.get("privacy", {}).get("min_cell", 10)))
    return said


def _received(instrument: str, flow: pd.DataFrame, min_cell: int) -> list[str]:
    """Return forms received over all waves, apart where some waves have no register; nothing that gives a small wave away."""
    by_wave = flow.groupby("wave", dropna=False)[["expected", "received"]].sum(min_count=1)
    if by_wave.map(lambda n: is_small(None if pd.isna(n) else n, min_cell)).any(axis=None):
        return [f"{instrument}: fewer than {min_cell} forms at some wave, so no total is given."]
    known, unknown = by_wave[by_wave["expected"].notna()], by_wave[by_wave["expected"].isna()]
    if known.empty or unknown.empty:
        return [sentences.response_sentence(instrument, "all waves", *by_wave.sum(min_count=1)[["expected", "received"]])]
    return [
        sentences.response_sentence(instrument, "waves with a register of people", *known.sum()[["expected", "received"]]),
        sentences.response_sentence(instrument, "other waves", None, unknown["received"].sum()),
    ]


def cannot_say(fits: pd.DataFrame | None) -> list[str]:
    """Return what the design and the models leave open."""
    said = [sentences.NO_COMPARISON, sentences.SELF_SELECTED]
    if fits is None or fits.empty:
        return [*said, "No model was fitted, so nothing is said about change beyond the description."]
    fits = fits[~model_notes.is_left_out(fits)]
    failed = fits[~fits["state"].isin(model_notes.ESTIMATED)]
    mapped = sum(model_notes.split_reasons(row.get("harmonised")) != "" for row in fits.to_dict("records"))
    if mapped:
        said.append(
            f"{numbers.count_of(mapped, len(fits))} models use items or scales that changed between waves; a decision of the study brings "
            "their versions together, and no number here shows that it is right. The exhibits name them under Harmonised."
        )
    for row in failed.sort_values("model", kind="stable").to_dict("records"):
        said.append(sentences.not_estimated_sentence(str(row["label"]), model_notes.split_reasons(row["reasons"])))
    if failed.empty:
        said.append(
            f"All {numbers.count(len(fits))} models were estimated; none is missing from the exhibits."
            if len(fits) > 1
            else "The model was estimated."
        )
    return said


def methods(study: dict, fits: pd.DataFrame | None) -> list[str]:
    """Return paragraphs on how the numbers were made."""
    said = []
    if fits is not None:
        fits = fits[~model_notes.is_left_out(fits)]
    if fits is not None and len(fits):
        used = fits[fits["state"].isin(model_notes.ESTIMATED)]
        engine = model_notes.second_engine_note(used).get("Second engine", "")
        states = ", ".join(f"{state} {numbers.count(n)}" for state, n in fits["state"].value_counts().sort_index().items())
        estimator, method = (model_notes.by_models(used, column) or "none" for column in ("estimator", "df_method"))
        said.append(
            f"{numbers.plural(len(fits), 'model')} declared, one file each; verdicts: {states}. Estimator: {estimator}. "
            f"Degrees of freedom: {method}. A model that fails its checks is never shown as an estimate."
            + (f" Second engine: {engine}." if engine else "")
        )
    said.append(
        "Scales are scored by the rules in the codebook; a score needs the stated number of answered items, and every kind of missing "
        "answer is kept apart. Rows with a missing outcome or predictor are left out of a model, and each exhibit says how many."
    )
    said.append(
        "Themes are counted only among those who were asked about the topic. The page holds no time of making: the same files, "
        "configuration and program give the same page."
    )
    if study.get("data_terms"):
        said.append(f"Terms of the data: {study['data_terms']}")
    said.append(f"Seed of the study: {study['seed']}. Small counts of people are kept back in breakdowns.")
    return said


def quality(config: dict, summary: pd.DataFrame | None) -> list[str]:
    """Return the statement on data quality: findings by what was done, tolerated ones with their reasons, exclusions."""
    said = []
    if summary is not None and len(summary):
        found = summary[summary["n"].fillna(0) > 0]
        said.append(
            f"{numbers.count(summary['check'].nunique())} checks ran; {numbers.count(found['check'].nunique())} of them found something."
        )
        for row in found[found["severity"] == "tolerated"].sort_values(["check", "source"], kind="stable").to_dict("records"):
            reason = "" if numbers.is_missing(row["reason"]) else f": {row['reason']}"
            check, source = labels.lower_first(labels.check_label(row)), labels.words(row["source"]).lower()
            said.append(f"Tolerated: {check} in {source} ({numbers.count(row['n'])}){reason}")
    exclusions = config.get("exclusions") or []
    if not exclusions:
        said.append("No record was excluded by the configuration.")
    by_reason: dict[tuple[str, str], int] = {}
    for entry in exclusions:
        key = (str(entry["source"]), str(entry["reason"]))
        by_reason[key] = by_reason.get(key, 0) + 1
    for (source, reason), n in sorted(by_reason.items()):
        said.append(
            f"Excluded by {numbers.plural(n, 'entry', 'entries')} of the configuration: {labels.words(source).lower()}, because: {reason}"
        )
    return said


def _alike(fits: pd.DataFrame) -> list[str]:
    """Return the caution on models that have no random slope and no center-by-wave term; their own notes say which."""
    alike = [NO_RANDOM_SLOPE in model_notes.split_reasons(notes) for notes in fits["notes"]]
    if not any(alike):
        return []
    which = "The models'" if all(alike) else f"In {numbers.count_of(sum(alike), len(alike))} models"
    take = "intervals allow for differences between centers, but take change to be alike in all of them"
    return [f"{which} {take} ({NO_RANDOM_SLOPE}). Where centers changed differently, the intervals are too narrow."]


def limitations(config: dict, fits: pd.DataFrame | None) -> list[str]:
    """Return what a reader must keep in mind."""
    said = [sentences.NO_COMPARISON, sentences.SELF_SELECTED]
    n_centers = None if fits is None or fits.empty else pd.to_numeric(fits["n_centers"], errors="coerce").max()
    if not numbers.is_missing(n_centers):
        said.append(f"There are at most {numbers.plural(n_centers, 'center')} in a model; small changes stay unseen.")
        said += _alike(fits)
    said += [
        "Survey answers are people's own reports. Whether the items mean the same to all roles and at all waves was not tested.",
        "Models use the rows that are complete. If those who left or did not answer differ from the others, the averages do too.",
        "Links between facilitators and outcomes often come from the same person's answers; they do not show what led to what.",
        "Several informants and methods are kept apart on purpose; where they disagree, the joint display says so.",
    ]
    if config["study"]["synthetic"]:
        said.insert(0, "All data of this study are invented; no sentence of it says anything about real people, centers or collaboratives.")
    return said
