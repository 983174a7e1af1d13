"""REFI-QDA projects (.qdpx): which code was given to which passage by whom; the passages themselves stay where they are."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, RawTable, places
from bscstudy.io.refi_archive import damaged, local_name, open_project, text_of
from bscstudy.io.refi_offsets import Span, resolve_spans

PATH_MARK = "\\"
COLUMNS = ["document_id", "coder_id", "code_path", "start", "end", "offset_status"]
_SOURCES = ("TextSource", "PDFSource", "PictureSource", "AudioSource", "VideoSource")
_NOT_IMPORTED = ("Case", "Variable", "Note", "Link", "Set", "Graph", "VariableValue", "SyncPoint")
_ENDINGS = {".txt", ".doc", ".docx", ".rtf", ".odt", ".pdf", ".md"}


@dataclass(frozen=True)
class Coding:
    """One code on one passage, before its place is worked out."""

    document: str
    coder: str
    code: str
    status: str
    span: Span | None


def read(path: Path, options: dict) -> RawTable:
    """Read the codings of a REFI-QDA project.

    Parameters
    ----------
    path : Path
        A ``.qdpx`` archive.
    options : dict
        ``document_id_from``: ``name`` (the source's name without its ending, default) or ``file_name`` (with it).

    Returns
    -------
    RawTable
        One row for each document, passage, code and coder: document_id, coder_id (the user's id, else name), code_path (from
        the root, joined with a backslash), start and end (characters from 0, end exclusive; NaN for a whole document),
        offset_status (``exact``, ``converted``, ``ambiguous``, ``out_of_range``, ``no_text``, ``document``, ``not_text``).
        ``provenance`` counts what was not imported.

    Raises
    ------
    BscError
        BSC-QUA-001 to -004 and -007 from the archive, -005 a code or document that cannot be told from another or does not exist,
        -006 no coding at all.
    """
    archive, root = open_project(path)
    with archive:
        users = _users(root)
        codes = _codes(path, root)
        cases = {_guid(e.get("guid")) for e in root.iter() if local_name(e) == "Case"}
        codings, counts = [], Counter()
        try:
            for source in _sources(path, root, options):
                codings += _codings_of(archive, source, users)
        except zipfile.BadZipFile:
            raise damaged(path) from None
    counts["codings_of_cases"] = sum(c.code in cases for c in codings)
    codings = [c for c in codings if c.code not in cases]
    _check_codes(path, codings, codes)
    if not codings:
        raise BscError(
            "BSC-QUA-006",
            "The project holds no coding.",
            str(path),
            "Every theme would count zero.",
            "Export the coded project, not its codebook.",
        )
    elements = Counter(local_name(e) for e in root.iter())
    not_imported = {name: elements[name] for name in _NOT_IMPORTED if elements[name]}
    frame = _frame(codings, codes)
    provenance = {"program": root.get("origin", ""), "n_codings": len(codings), "n_repeated": len(codings) - len(frame)}
    provenance |= {"not_imported": not_imported, **counts, "offset_status": frame["offset_status"].value_counts().sort_index().to_dict()}
    return RawTable(frame, np.arange(1, len(frame) + 1), provenance=provenance, notices=_texts_absent(frame))


def _texts_absent(frame: pd.DataFrame) -> tuple[Notice, ...]:
    n_lost = int((frame["offset_status"] == "no_text").sum())
    said = "the text of the document is not in the archive, so that the place of the passage is not known"
    return (Notice("file_notice", said, "start", n=n_lost, unit="passages"),) if n_lost else ()


def _guid(text: str | None) -> str:
    return (text or "").strip("{}").lower()


def _users(root: Element) -> dict[str, str]:
    return {_guid(e.get("guid")): e.get("id") or e.get("name") or _guid(e.get("guid")) for e in root.iter() if local_name(e) == "User"}


def _codes(path: Path, root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    repeated = []

    def walk(element: Element, above: str) -> None:
        for child in element:
            if local_name(child) != "Code":
                continue
            full = f"{above}{PATH_MARK}{child.get('name', '')}" if above else child.get("name", "")
            guid = _guid(child.get("guid"))
            if guid in found or not guid:
                repeated.append(f"{path}, code number {len(found) + 1}")
            found[guid] = full
            walk(child, full)

    for codes in (e for e in root.iter() if local_name(e) == "Codes"):
        walk(codes, "")
    if repeated:
        raise _identity_error("Two codes have the same id, or one has none.", repeated)
    return found


def _sources(path: Path, root: Element, options: dict) -> list[tuple[str, Element]]:
    parts = [e for top in root if local_name(top) == "Sources" for e in top if local_name(e) in _SOURCES]
    named = [(_document_name(e, options), e) for e in parts]
    coded = [(name, e) for name, e in named if any(local_name(child) == "Coding" for child in e.iter())]
    times = Counter(name for name, _ in coded)
    repeated = [f"{path}, sources number {_positions(named, name)}" for name in sorted(times) if times[name] > 1]
    if repeated:
        raise _identity_error("Coded documents of the project share one name.", repeated)
    return coded


def _positions(named: list[tuple[str, Element]], wanted: str) -> str:
    return ", ".join(str(number) for number, (name, _) in enumerate(named, start=1) if name == wanted)


def _document_name(source: Element, options: dict) -> str:
    name = source.get("name") or _guid(source.get("guid"))
    keep = options.get("document_id_from") == "file_name" or PurePath(name).suffix.lower() not in _ENDINGS
    return name if keep else name[: -len(PurePath(name).suffix)]


def _codings_of(archive: zipfile.ZipFile, source: tuple[str, Element], users: dict[str, str]) -> list[Coding]:
    document, root = source
    found: list[Coding] = []

    def walk(element: Element, text: str | None) -> None:
        kind = local_name(element)
        if kind in ("TextSource", "Representation", "TextDescription", "Transcript"):
            text = text_of(archive, element)
        for child in element:
            if local_name(child) == "Coding":
                found.append(_coding(document, element, child, text, users))
            elif local_name(child) not in ("Note", "NoteRef"):
                walk(child, text)

    walk(root, None)
    return found


def _coding(document: str, place: Element, coding: Element, text: str | None, users: dict[str, str]) -> Coding:
    target = next((_guid(e.get("targetGUID")) for e in coding if local_name(e) == "CodeRef"), "")
    user = _guid(coding.get("creatingUser") or place.get("creatingUser"))
    base = Coding(document, users.get(user, user), target, "document", None)
    if local_name(place) in _SOURCES:
        return base
    if local_name(place) != "PlainTextSelection":
        return replace(base, status="not_text")
    try:
        start, end = int(place.get("startPosition", "")), int(place.get("endPosition", ""))
    except ValueError:
        return replace(base, status="not_text")
    return replace(base, status="no_text" if text is None else "", span=Span(text or "", start, end, place.get("name") or ""))


def _check_codes(path: Path, codings: list[Coding], codes: dict[str, str]) -> None:
    lost = [f"{path}, coding number {number}" for number, c in enumerate(codings, start=1) if c.code not in codes]
    if lost:
        raise _identity_error(f"{len(lost)} coding(s) point to a code that the project does not hold.", lost)


def _identity_error(what: str, where: list[str]) -> BscError:
    return BscError(
        "BSC-QUA-005",
        what,
        places(where),
        "Codes or documents would be mixed up.",
        "Repair it in the program it comes from and export again.",
    )


def _frame(codings: list[Coding], codes: dict[str, str]) -> pd.DataFrame:
    in_text = [i for i, c in enumerate(codings) if c.span is not None and c.status == ""]
    resolved = dict(zip(in_text, resolve_spans([codings[i].span for i in in_text]), strict=True))
    rows = []
    for number, coding in enumerate(codings):
        as_received = (coding.span.start, coding.span.end) if coding.span else (np.nan, np.nan)
        start, end, status = resolved.get(number, (*as_received, coding.status))
        rows.append((coding.document, coding.coder, codes[coding.code], start, end, status))
    return pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(ignore_index=True)
