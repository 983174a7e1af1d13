"""What must be said beside scores of several waves: what the map between versions did to them, and which may not be compared."""

from __future__ import annotations

from collections.abc import Iterable

from bscstudy.exhibits import labels
from bscstudy.exhibits.base import HARMONISED, Context
from bscstudy.io.comparability import incomparable, judged

NOT_DRAWN = "what cannot be compared between waves stands in the table only, each wave for itself"


def not_comparable(scales: Iterable[str], context: Context) -> dict[str, str]:
    """Return scale -> why its waves cannot be compared; scales that can be are left out."""
    return incomparable(scales, _sections(context))


def map_note(scales: Iterable[str], context: Context) -> dict[str, str]:
    """Return the note on the rows of the map that these scales' scores rest on; nothing where they rest on none."""
    said = [
        f"{labels.outcome_label(scale, context)}: {text}"
        for scale in dict.fromkeys(scales)
        for text in judged(scale, _sections(context)).harmonised
    ]
    return {HARMONISED: "; ".join(said)} if said else {}


def flag(notes: dict[str, str], context: Context) -> tuple[str, ...]:
    """Return what the figure and the sentences of an exhibit say if its notes say that numbers rest on the map: which measures do."""
    if HARMONISED not in notes:
        return ()
    names = [part.partition(": ")[0].removesuffix("__change") for part in notes[HARMONISED].split("; ")]
    measures = ", ".join(labels.outcome_label(name, context) for name in dict.fromkeys(names))
    return (f"{HARMONISED} (versions brought together, see the note below the table): {measures}.",)


def scale_notes(scales: Iterable[str], context: Context) -> dict[str, str]:
    """Return the notes of an exhibit that shows scales wave by wave: what was harmonised, and what may not be compared."""
    scales = list(dict.fromkeys(scales))
    refused = [f"{labels.outcome_label(scale, context)}: {why}" for scale, why in not_comparable(scales, context).items()]
    return map_note(scales, context) | ({"Not comparable between waves": "; ".join(refused)} if refused else {})


def _sections(context: Context) -> dict:
    return {**context.config, "scales": context.rows("scales", "scale"), "waves": context.rows("waves")}
