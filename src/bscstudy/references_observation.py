"""What an observation instrument of config/measures.yaml refers to, and which of its settings need each other."""

from __future__ import annotations

from datetime import date

from bscstudy.errors import unknown_names

#: rule of an observation instrument -> settings it cannot do without
NEEDS = {
    "primary": ("primary_rater",), "consensus": ("consensus_rater",), "month": ("visit_date",),
    "training": ("visit_date", "training_dates"), "certification": ("visit_date",),
}  # fmt: skip
#: settings that say something of one kind of instrument only
OF_KIND = {"interview": "indicators", "parts": "indicators", "minimum_segments": "ratings", "average_order": "ratings", "scores": "ratings"}
#: settings that compare raters, and so need the key rater_id
OF_RATERS = ("double_coded", "primary_rater", "consensus_rater", "drift_by", "agreement_width", "generalizability", "certification")


def observation_references(study: dict, instrument: dict) -> list[str]:
    """Return the items that do not exist, the rules that lack what they need and the settings that would go unused.

    Parameters
    ----------
    study : dict
        Sections ``sources`` and ``items``.
    instrument : dict
        One entry under ``observation``.

    Returns
    -------
    list of str
        A sentence for each finding, with its place.
    """
    where, source = f"config/measures.yaml, {instrument['id']}", study["sources"].get(instrument["source"], {})
    items = _items_of(study, instrument["source"])
    scores = [*instrument.get("parts", []), *instrument.get("scores", [])]
    found = []
    for score in scores:
        named = [*(item.removeprefix("-") for item in score["items"]), *([score["applies_if"]] if "applies_if" in score else [])]
        found += unknown_names(f"config/measures.yaml, {score['id']}", "item", named, items)
    interview = instrument.get("interview", {})
    named = [*interview, *interview.values(), *([instrument["visit_date"]] if "visit_date" in instrument else [])]
    found += unknown_names(where, "item", named, items)
    found += [f"{where}: `{key}` is for {kind} only." for key, kind in OF_KIND.items() if key in instrument and instrument["kind"] != kind]
    compared = [key for key in OF_RATERS if key in instrument]
    if compared and "rater_id" not in source.get("keys", {}):
        found.append(f"{where}: `{compared[0]}` needs the key 'rater_id' of the source '{instrument['source']}'.")
    found += [f"{where}, training_dates: '{day}' is no day." for day in instrument.get("training_dates", []) if not _is_day(day)]
    return found + _lacking(where, instrument) + _red_flags(where, scores) + _certification(study, where, instrument)


def _items_of(study: dict, source: str) -> list[str]:
    instrument = study["sources"].get(source, {}).get("instrument")
    return [row["item"] for row in study["items"] if row["instrument"] == instrument]


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _lacking(where: str, instrument: dict) -> list[str]:
    asked = {key: instrument.get(key) for key in ("double_coded", "drift_by")}
    asked["certification"] = "certification" if "certification" in instrument else None
    return [
        f"{where}: `{key}: {rule}` needs `{need}`." for key, rule in asked.items() for need in NEEDS.get(rule, ()) if need not in instrument
    ]


def _red_flags(where: str, scores: list[dict]) -> list[str]:
    """Return the items that count as wanted in one part and as unwanted in another; a red flag is scored apart, or reversed."""
    wanted, unwanted = ({item for score in scores if score.get("better") == end for item in score["items"]} for end in ("higher", "lower"))
    words = "counts for a score where more is better and for one where less is; name it"
    return [f"{where}: '{item}' {words} '-{item}' in one." for item in sorted(wanted & unwanted)]


def _certification(study: dict, where: str, instrument: dict) -> list[str]:
    listed = instrument.get("certification")
    if not listed:
        return []
    found = unknown_names(f"{where}, certification", "source", [listed["source"]], study["sources"])
    if found:
        return found
    named = [listed[key] for key in ("certified_on", "expires_on", "instrument_item") if key in listed]
    found = unknown_names(f"{where}, certification", "item", named, _items_of(study, listed["source"]))
    if "rater_id" not in study["sources"][listed["source"]].get("keys", {}):
        found.append(f"config/sources.yaml, {listed['source']}: a list of certified raters needs the key 'rater_id'.")
    return found
