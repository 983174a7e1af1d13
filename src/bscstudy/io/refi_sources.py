"""The documents of a REFI-QDA project: their passages, codings, notes and values, gathered while the file is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple
from xml.etree.ElementTree import Element

from bscstudy.io.refi_archive import ProjectArchive
from bscstudy.io.refi_positions import Evidence, Text, weigh
from bscstudy.io.refi_xml import described, guid_of

KINDS = {"TextSource": "text", "PDFSource": "pdf", "PictureSource": "picture", "AudioSource": "audio", "VideoSource": "video"}
_HOLDERS = {"Representation": "representation", "TextDescription": "description", "Transcript": "transcript"}
_AREAS = {
    "PDFSelection": "page_area",
    "PictureSelection": "picture_area",
    "AudioSelection": "milliseconds",
    "VideoSelection": "milliseconds",
}
_MEASURES = {"page": "page", "firstX": "first_x", "firstY": "first_y", "secondX": "second_x", "secondY": "second_y"}
_TIMES = {"begin": "begin_ms", "end": "end_ms"}
_ENDINGS = {".txt", ".doc", ".docx", ".rtf", ".odt", ".pdf", ".md"}
#: no text has more characters; a larger position is out of range
_FARTHEST = 1 << 40


class Passage(NamedTuple):
    """A stretch of a document: place `at` of text number `text`, or (text -1) `measures` such as a page and its corners."""

    document: int
    part: str
    unit: str
    text: int
    at: int
    received: tuple[int, int] | None
    measures: dict


class Coding(NamedTuple):
    """A code given to a passage, or (passage -1) to a whole document, by a user; ids as in the file."""

    document: int
    passage: int
    code: str
    user: str


class Value(NamedTuple):
    """The value of a variable: `variable` is its id."""

    variable: str
    value: str


@dataclass
class Gathered:
    """What the documents of one project hold, in the order of the file.

    `objects`: id -> (kind, number) of documents, passages and codings. `note_refs`: (kind, number, id of the note).
    `descriptions`: (kind, number, text, id of its writer). `text_document`: the document of each text.
    """

    documents: list[dict] = field(default_factory=list)
    texts: list[Evidence] = field(default_factory=list)
    text_document: list[int] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    codings: list[Coding] = field(default_factory=list)
    values: dict[int, list[Value]] = field(default_factory=dict)
    objects: dict[str, tuple[str, int]] = field(default_factory=dict)
    note_refs: list[tuple[str, int, str]] = field(default_factory=list)
    descriptions: list[tuple[str, int, str, str]] = field(default_factory=list)


def gather_source(found: Gathered, element: Element, archive: ProjectArchive, options: dict) -> None:
    """Add one document of a project to what was gathered."""
    number = len(found.documents)
    kind = KINDS.get(element.tag)
    if kind is None:
        return
    found.documents.append({"document_id": _document_name(element, options), "kind": kind, "main_text": None})
    _note(found, element, "document", number)
    values = values_of(element)
    if values:
        found.values[number] = values
    if kind == "text":
        _gather_text(found, element, archive, "text")
    numbers: dict[str, int] = {}
    for child in element:
        name = child.tag
        if name in _HOLDERS:
            numbers[name] = numbers.get(name, 0) + 1
            part = _HOLDERS[name] if numbers[name] == 1 else f"{_HOLDERS[name]} {numbers[name]}"
            _gather_text(found, child, archive, part)
        elif name in _AREAS:
            _gather_area(found, child, archive, _AREAS[name])
        elif name == "Coding":
            _gather_coding(found, child, -1)


def values_of(element: Element) -> list[Value]:
    """Return the values of variables that a document or case has; a blank value is missing."""
    found = []
    for value in element.findall("VariableValue"):
        reference = next((guid_of(e, "targetGUID") for e in value.findall("VariableRef")), "")
        texts = [(e.text or "").strip() for e in value if e.tag.endswith("Value")]
        found.append(Value(reference, texts[0] if texts else ""))
    return found


def stored_text(element: Element, archive: ProjectArchive) -> Text | None:
    """Return the plain text of a text source, transcript or note, or None where the archive does not hold it."""
    if element.find("PlainTextContent") is not None:
        return archive.inline(element.findtext("PlainTextContent") or "")
    path = element.get("plainTextPath")
    return archive.text(path) if path else None


def _document_name(source: Element, options: dict) -> str:
    path = source.get("plainTextPath") or source.get("path") or ""
    return document_name(source.get("name") or PurePosixPath(path.replace("\\", "/")).name or guid_of(source), options)


def document_name(name: str, options: dict) -> str:
    """Return what a document is called: its name without the ending of its file, or with it by `options.document_id_from`."""
    ending = PurePosixPath(name).suffix
    keep = options.get("document_id_from") == "file_name" or ending.lower() not in _ENDINGS
    return name if keep else name[: -len(ending)]


def _note(found: Gathered, element: Element, kind: str, number: int) -> None:
    """Keep an element's id, its description and the notes that it names."""
    found.objects.setdefault(guid_of(element), (kind, number))
    text = described(element)
    if text:
        found.descriptions.append((kind, number, text, guid_of(element, "creatingUser")))
    found.note_refs += [(kind, number, guid_of(reference, "targetGUID")) for reference in element.findall("NoteRef")]


def _gather_text(found: Gathered, holder: Element, archive: ProjectArchive, part: str) -> None:
    document = len(found.documents) - 1
    text = stored_text(holder, archive)
    points = {guid_of(p): (_whole(p.get("position")), _whole(p.get("timeStamp"))) for p in holder.findall("SyncPoint")}
    selections = [e for e in holder if e.tag in ("PlainTextSelection", "TranscriptSelection")]
    positions, names, number = [], [], -1 if text is None else len(found.texts)
    for selection in selections:
        place, measures = _place(selection, points)
        unit = "characters" if place or not measures else "milliseconds"
        at = len(positions) if place and text is not None else -1
        passage = Passage(document, part, unit, number if at >= 0 else -1, at, place, measures)
        if at >= 0:
            positions.append(place)
            names.append(selection.get("name") or "")
        _gather_passage(found, selection, passage)
    if part != "text":
        found.objects.setdefault(guid_of(holder), ("document", document))
        for coding in holder.findall("Coding"):
            _gather_coding(found, coding, -1)
    if text is not None and found.documents[document]["main_text"] is None and not part.startswith("area"):
        found.documents[document]["main_text"] = number
    if text is not None:
        found.texts.append(weigh(text, positions, names))
        found.text_document.append(document)


def _place(selection: Element, points: dict[str, tuple]) -> tuple[tuple[int, int] | None, dict]:
    """Return the positions as received and, for a passage of a transcript, its times."""
    if selection.tag == "PlainTextSelection":
        start, end = _whole(selection.get("startPosition")), _whole(selection.get("endPosition"))
        return (None if start is None or end is None else (start, end)), {}
    first, last = (points.get(guid_of(selection, side), (None, None)) for side in ("fromSyncPoint", "toSyncPoint"))
    times = {name: time for name, time in (("begin_ms", first[1]), ("end_ms", last[1])) if time is not None}
    return (None if first[0] is None or last[0] is None else (first[0], last[0])), times


def _gather_area(found: Gathered, element: Element, archive: ProjectArchive, unit: str) -> None:
    attributes = _TIMES if unit == "milliseconds" else _MEASURES
    measures = {ours: value for theirs, ours in attributes.items() if (value := _whole(element.get(theirs))) is not None}
    document = len(found.documents) - 1
    _gather_passage(found, element, Passage(document, "", unit, -1, -1, None, measures))
    for number, holder in enumerate(element.findall("Representation"), start=1):
        _gather_text(found, holder, archive, f"area {len(found.passages)}{'' if number == 1 else f' {number}'}")


def _gather_passage(found: Gathered, element: Element, passage: Passage) -> None:
    number = len(found.passages)
    found.passages.append(passage)
    _note(found, element, "passage", number)
    for coding in element.findall("Coding"):
        _gather_coding(found, coding, number)


def _gather_coding(found: Gathered, element: Element, passage: int) -> None:
    number = len(found.codings)
    target = next((guid_of(e, "targetGUID") for e in element.findall("CodeRef")), "")
    found.codings.append(Coding(len(found.documents) - 1, passage, target, guid_of(element, "creatingUser")))
    found.note_refs += [("coding", number, guid_of(reference, "targetGUID")) for reference in element.findall("NoteRef")]


def _whole(text: str | None) -> int | None:
    try:
        value = int(text) if text is not None and len(text) < 40 else None
    except ValueError:
        return None
    return None if value is None else max(-_FARTHEST, min(value, _FARTHEST))
