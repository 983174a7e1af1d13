"""What was gathered from a REFI-QDA project, as the long table of codings and its companions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.io.coding_table import CERTAIN, CODINGS, DOCUMENTS, table_frame
from bscstudy.io.refi_offsets import Decision, is_open, resolve
from bscstudy.io.refi_positions import Evidence
from bscstudy.io.refi_sources import Gathered, Passage

NAN = float("nan")


@dataclass(frozen=True)
class Place:
    """Where a passage stands, after the way of counting was decided: characters with line ends as one, or nan."""

    start: float
    end: float
    status: str


def settled_places(found: Gathered, decisions: list[Decision]) -> list[Place]:
    """Return the place of each passage, in their order."""
    resolved = [resolve(text, decision) for text, decision in zip(found.texts, decisions, strict=True)]
    places = []
    for passage in found.passages:
        if passage.text >= 0:
            at, status = resolved[passage.text]
            places.append(Place(int(at[passage.at, 0]), int(at[passage.at, 1]), status[passage.at]))
        elif passage.received is not None:
            places.append(Place(*passage.received, "no_text"))
        else:
            places.append(Place(NAN, NAN, "not_text"))
    return places


def codings_frame(
    found: Gathered, places: list[Place], decisions: list[Decision], codes: dict[str, str], users: dict[str, str], cases: set[str]
) -> tuple[pd.DataFrame, int]:
    """Return the long table of codings, those of cases left out, and how many codings repeated another one.

    The coder is whom the coding names, never the writer of the passage. Passages of one place are one passage, however often
    the program wrote it.
    """
    columns = list(CODINGS)
    rows = []
    for coding in found.codings:
        if coding.code in cases:
            continue
        document = found.documents[coding.document]
        row = dict.fromkeys(columns, NAN)
        row |= {"document_id": document["document_id"], "coder_id": users.get(coding.user, coding.user), "code_path": codes[coding.code]}
        text = document["main_text"]
        if coding.passage < 0:
            row |= {"offset_status": "document", "part": "", "unit": "document", "quotable": 0}
        else:
            passage, place = found.passages[coding.passage], places[coding.passage]
            row |= {"start": place.start, "end": place.end, "offset_status": place.status, "part": passage.part, "unit": passage.unit}
            row |= {"quotable": int(place.status in CERTAIN and place.end > place.start), **passage.measures}
            text = passage.text if passage.text >= 0 else text
        row |= _said(decisions, text) | {"text_sha256": "" if text is None else found.texts[text].sha256}
        rows.append(tuple(row.values()))
    frame = pd.DataFrame(rows, columns=columns)
    same = [name for name in columns if not name.startswith("offset_") or name == "offset_status"]
    once = frame.drop_duplicates(same, ignore_index=True)
    return once, len(frame) - len(once)


def _said(decisions: list[Decision], text: int | None) -> dict:
    decision = Decision() if text is None else decisions[text]
    return {"offset_convention": decision.convention, "offset_score": decision.score, "offset_lead": decision.lead}


def documents_frame(
    found: Gathered, places: list[Place], decisions: list[Decision], codings: pd.DataFrame, said: dict[int, dict[str, str]], case_of: dict
) -> pd.DataFrame:
    """Return one row for each document, coded or not, with a column for each variable."""
    n_codings = codings["document_id"].value_counts().to_dict()
    unclear = {(p.document, p.part, q.start, q.end) for p, q in zip(found.passages, places, strict=True) if q.status == "ambiguous"}
    ambiguous = Counter(number for number, *_ in unclear)
    rows = []
    for number, document in enumerate(found.documents):
        text = document["main_text"]
        known: Evidence | None = None if text is None else found.texts[text]
        row = {"document_id": document["document_id"], "kind": document["kind"], "case_id": case_of.get(number, "")}
        row |= {"n_characters": known.n_characters if known else NAN, "n_words": known.n_words if known else NAN}
        row |= {"text_sha256": known.sha256 if known else "", "n_codings": n_codings.get(document["document_id"], 0)}
        row |= _said(decisions, text) | {"offset_basis": "" if text is None else decisions[text].basis, "n_ambiguous": ambiguous[number]}
        rows.append(row)
    frame = table_frame("documents", rows)
    for name in sorted({name for values in said.values() for name in values}):
        column = f"{name} (variable)" if name in DOCUMENTS else name
        frame[column] = [said.get(number, {}).get(name, "") for number in range(len(frame))]
    return frame


def coded_cases(found: Gathered, places: list[Place], cases: set[str]) -> dict[str, list[dict]]:
    """Return id of a case -> the passages coded to it; a passage over the whole text counts as the whole document."""
    coded: dict[str, list[dict]] = {}
    for coding in found.codings:
        if coding.code not in cases:
            continue
        row = {"document": coding.document, "whole": coding.passage < 0}
        if coding.passage >= 0:
            passage, place = found.passages[coding.passage], places[coding.passage]
            row |= {"part": passage.part, "start": place.start, "end": place.end, "whole": _is_whole(found, passage, place)}
        coded.setdefault(coding.code, []).append(row)
    return coded


def cases_frame(rows: list[dict], places: list[Place]) -> pd.DataFrame:
    """Return the table of cases, with the places of the passages that a case points to."""
    at = [{**row, **_ends(places[row["passage"]])} if "passage" in row else row for row in rows]
    return table_frame("cases", at)


def _ends(place: Place) -> dict:
    return {"start": place.start, "end": place.end}


def _is_whole(found: Gathered, passage: Passage, place: Place) -> bool:
    return passage.text >= 0 and place.start == 0 and place.end >= found.texts[passage.text].n_characters - 1


def codes_frame(rows: list[dict], codings: pd.DataFrame, cases: set[str]) -> pd.DataFrame:
    """Return the table of codes, in the order of the file."""
    times = codings["code_path"].value_counts().to_dict()
    kinds = [{**row, "kind": "case" if row["guid"] in cases else "code", "n_codings": times.get(row["code_path"], 0)} for row in rows]
    return table_frame("codes", kinds)


def offsets_said(found: Gathered, decisions: list[Decision]) -> dict[str, dict]:
    """Return way of counting -> how many texts, and the least score and lead among those that could be scored."""
    said: dict[str, dict] = {}
    for text, decision in zip(found.texts, decisions, strict=True):
        way = decision.convention or ("undecided" if is_open(text, decision) else "no_matter")
        entry = said.setdefault(way, {"n_texts": 0, "n_passages_scored": 0})
        entry["n_texts"] += 1
        entry["n_passages_scored"] += text.n_scored
        for name, value in (("least_score", decision.score), ("least_lead", decision.lead)):
            if not np.isnan(value):
                entry[name] = round(min(value, entry.get(name, 1.0)), 4)
    return dict(sorted(said.items()))
