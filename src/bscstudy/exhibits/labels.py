"""Names as a reader should see them: of scales, observation scores, instruments and models."""

from __future__ import annotations

from bscstudy import numbers
from bscstudy.exhibits.base import Context, rows_of


def words(identifier: object) -> str:
    """Return ``Staff survey`` for ``staff_survey``."""
    text = str(identifier).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def check_label(row: dict) -> str:
    """Return the label of a row of checks/summary; its words where it has none."""
    return words(row["check"]) if numbers.is_missing(row["label"]) else str(row["label"])


def scale_rows(context: Context) -> dict[str, dict]:
    """Return scale id -> its row of scales.csv, in the file's order; of several the one whose points the scores of all waves are in."""
    found: dict[str, dict] = {}
    for row in context.rows("scales", "scale"):
        if str(row["scale"]) not in found or not _converted(row, context):
            found[str(row["scale"])] = row
    return found


def _converted(row: dict, context: Context) -> bool:
    """Whether the map between versions brings all scores of a row of scales.csv to the points of another row."""
    mapped = {w for m in context.config.get("harmonisation") or [] if m.get("scale") == row["scale"] for w in m["waves"].split()}
    return bool(mapped) and set((row.get("waves") or "").split()) <= mapped and bool(row.get("waves"))


def score_rows(context: Context) -> dict[str, dict]:
    """Return observation score id -> {label, better, instrument, kind}, in the configuration's order; parts and scores alike."""
    found = {}
    for instrument in context.rows("observation"):
        for part in [*rows_of(instrument.get("parts")), *rows_of(instrument.get("scores"))]:
            found[str(part["id"])] = {"better": "none", **part, "instrument": instrument["id"], "kind": instrument.get("kind")}
    return found


def outcome_label(outcome: str, context: Context) -> str:
    """Return the label of a scale or observation score; its words where the configuration has none."""
    known = {**score_rows(context), **scale_rows(context)}
    return str(known.get(outcome, {}).get("label") or words(outcome))


def item_label(item: str, instrument: object, context: Context) -> str:
    """Return the codebook's label of an item where the configuration holds one, else its id; any instrument's where it names none."""
    found = [r for r in context.rows("items", "item") if r["item"] == item and instrument in (r.get("instrument"), None)]
    return str(found[0].get("label") or item) if found else str(item)


def better_end(outcome: str, context: Context) -> str:
    """Return higher, lower or none."""
    known = {**score_rows(context), **scale_rows(context)}
    return str(known.get(outcome, {}).get("better") or "none")


def model_settings(model: str, context: Context) -> dict:
    """Return a model's own configuration, or an empty dict."""
    return next((row for row in context.rows("models") if str(row.get("id")) == model), {})


def is_share(outcome: str, context: Context) -> bool:
    """Return True for a score of indicators, which is a share between 0 and 1."""
    return score_rows(context).get(outcome, {}).get("kind") == "indicators"


def lower_first(text: str) -> str:
    """Return the text as it stands inside a sentence; ids and abbreviations such as T1 or SEL keep their capitals."""
    return text if text[1:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]
