"""The meta-inferences: what the strands say together of each construct, who signed it, and what has changed since."""

from __future__ import annotations

import re

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.model_notes import model_notes
from bscstudy.integrate.meta_inferences import PROPOSED, REFERS_TO_NOTHING, SIGNED, STALE
from bscstudy.privacy import is_small

TABLES = ("integrate/meta_inferences", "integrate/meta_inference_values", "models/fits")
FIGURE = False
SECTIONS = ("meta_inferences",)
STATE_WORDS = {
    PROPOSED: "proposal, not signed",
    SIGNED: "signed",
    STALE: "stale: what it rests on has changed since it was signed",
    REFERS_TO_NOTHING: "refers to a result that is not there",
}
STRATEGY_WORDS = {
    "recheck": "the data are checked again",
    "reanalyse": "the data are analysed again",
    "look_for_reasons": "reasons are looked for",
    "more_data": "more data are collected",
    "report": "it is reported as it is",
}
_KEY = ["inference", "reference"]
GROUP, OLD, NEW, NOTHING = "Meta-inference", "When signed", "Now", "not there"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return, for each meta-inference in the order of the theory of change, what it rests on: when it was signed and now.

    Values of a result that did not change share a row; each that did has its own, old and new side by side.
    """
    frame, values = (tables.get(name) for name in TABLES[:2])
    if frame is None or frame.empty:
        return empty_exhibit("No meta-inference is written down (config/meta_inferences.yaml).")
    records = frame.sort_values(["place", "inference"], kind="stable").to_dict("records")
    values = _without_few(values.sort_values(["inference", "place", "order"], kind="stable"), context.min_cell)
    rows = [row for record in records for row in _rows(record, values[values["inference"] == record["inference"]])]
    return Exhibit(
        table=pd.DataFrame(rows),
        caption="Meta-inferences: what survey, observation, fidelity and interviews say together of each construct, and on what that rests",
        notes=_notes(tables["models/fits"], context),
        sentences=_sentences(records),
        group_by=GROUP,
        data=values[["inference", "reference", "value", "then", "now", "changed"]].reset_index(drop=True),
    )


def _rows(record: dict, values: pd.DataFrame) -> list[dict]:
    statement = "No statement yet." if numbers.is_missing(record["statement"]) else record["statement"]
    heading = f"{record['label']}. {_fit(record)}. {_state(record)}. {statement}"
    rows = []
    for reference, part in values.groupby("reference", sort=False):
        label = f"{'Theme: ' if reference.startswith('theme ') else ''}{part['label'].iloc[0]}"
        same = part[part["changed"] == 0]
        now = [f"{value} {text}" for value, text in zip(same["value"], same["now"], strict=True) if not numbers.is_missing(text)]
        then = numbers.MISSING if numbers.is_missing(record["rests_on"]) else "the same"
        if now or same["changed"].size:
            rows.append({GROUP: heading, "Rests on": label, OLD: then if now else NOTHING, NEW: ", ".join(now) or NOTHING})
        for row in part[part["changed"] == 1].to_dict("records"):
            rows.append({GROUP: heading, "Rests on": f"{label}, {row['value']}", OLD: _text(row["then"]), NEW: _text(row["now"])})
    return rows


def _without_few(values: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Take the old values of themes whose counts differ by so few sessions that old and new together would tell what these said."""
    counts = values[values["value"] == "raised by"]
    few = counts[[_differ_by_few(row["then"], row["now"], min_cell) for row in counts.to_dict("records")]]
    hidden = pd.MultiIndex.from_frame(values[_KEY]).isin(pd.MultiIndex.from_frame(few[_KEY])) & (values["changed"] == 1)
    return values.assign(then=values["then"].mask(hidden, f"differs by fewer than {min_cell} sessions"))


def _differ_by_few(then: object, now: object, min_cell: int) -> bool:
    if numbers.is_missing(then) or numbers.is_missing(now):
        return False
    known = [[int(number) for number in re.findall(r"(?<![<\d])\d+", str(text).replace(",", ""))] for text in (then, now)]
    pairs = zip(reversed(known[0]), reversed(known[1]), strict=False)  # of `raised of asked` a masked first count is not known
    apart = [abs(old - new) for old, new in pairs]
    return bool(apart) and (not any(apart) or any(is_small(n, min_cell) for n in apart))


def _text(value: object) -> str:
    return NOTHING if numbers.is_missing(value) else str(value)


def _fit(record: dict) -> str:
    """Return the fit of a signed inference, and what the rule proposes where that is another; of a proposal only the rule's."""
    proposed = f"{record['fit_proposed']} ({record['rule']})"
    if numbers.is_missing(record["rests_on"]):
        drafted = "" if numbers.is_missing(record["fit"]) else f"; drafted, not signed: {record['fit']}"
        return f"Proposed fit: {proposed}{drafted}"
    beside = "" if record["fit"] == record["fit_proposed"] else f"; the rule proposes {proposed}"
    strategy = "" if numbers.is_missing(record["strategy"]) else f"; {STRATEGY_WORDS[record['strategy']]}"
    return f"Fit: {record['fit']}{strategy}{beside}"


def _state(record: dict) -> str:
    state = STATE_WORDS[record["state"]]
    by = "" if numbers.is_missing(record["rests_on"]) else f" ({record['author']}, {record['date']})"
    return f"{state[:1].upper()}{state[1:]}{by}"


def _notes(fits: pd.DataFrame, context: Context) -> dict[str, str]:
    named = {result["model"] for inference in context.config["meta_inferences"] for result in inference["results"] if "model" in result}
    fits = fits[fits["model"].isin(named)]
    return {
        **(model_notes(fits, row_each=False) if len(fits) else {"Estimator": "that of the exhibits the values come from"}),
        "Fit": "the judgement of those who signed; of a proposal, what the declared rule says of the construct's survey change and themes "
        "(see the joint display). A proposal is no finding",
        "State": "signed: author, date and a digest of the values it rests on, rounded as published, are kept with the statement. "
        "Stale: at least one of these values is another now; the statement stands as it was signed until it is read again and signed anew",
        "Results": "as published in the exhibits they come from; values of small groups are withheld there and here",
        "Small cells": f"where old and new counts of sessions differ by fewer than {context.min_cell}, only the new ones are shown",
        "Reading": "a statement about changes that were seen together; there was no comparison group",
    }


def _sentences(records: list[dict]) -> tuple[str, ...]:
    signed = [row for row in records if row["state"] in (SIGNED, STALE)]
    stale = [row for row in records if row["state"] == STALE]
    first = f"{numbers.count(len(signed))} of {numbers.plural(len(records), 'meta-inference')} {_be(len(signed))} signed"
    if stale:
        these = numbers.listed([f"{row['label']} ({numbers.plural(row['n_changed'], 'value')} changed)" for row in stale])
        first += f"; {numbers.count(len(stale))} of them {_be(len(stale))} stale, because what was published changed since: {these}"
    else:
        first += "; none of them is stale" if signed else ""
    said = [f"{first}."]
    for state, text in ((PROPOSED, "only a proposal of the declared rule"), (REFERS_TO_NOTHING, "refers to a result that is not there")):
        named = [str(row["label"]) for row in records if row["state"] == state]
        said += [f"{numbers.listed(named)}: {text}."] if named else []
    return tuple(said)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
