"""REFI-QDA projects (.qdpx) and codebooks (.qdc): which code was given to which passage by whom, and what else the project holds."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io.coding_table import CodedProject, coded_table, table_frame
from bscstudy.io.raw import Notice, RawTable, check_file, places
from bscstudy.io.refi_archive import MOST_XML_BYTES, ProjectArchive, open_archive
from bscstudy.io.refi_cases import Cases, case_ids, cases_of
from bscstudy.io.refi_codes import Codes, codes_of, identity_error, users_of
from bscstudy.io.refi_notes import Objects, links_rows, note_elements, notes_rows
from bscstudy.io.refi_offsets import Decision, decide, is_open
from bscstudy.io.refi_positions import CONVENTIONS
from bscstudy.io.refi_sources import KINDS, Gathered, gather_source
from bscstudy.io.refi_tables import (
    cases_frame,
    coded_cases,
    codes_frame,
    codings_frame,
    documents_frame,
    offsets_said,
    settled_places,
)
from bscstudy.io.refi_xml import grouped, guid_of, parse

_READ = set(
    "Project Users User CodeBook Codes Code Variables Variable Cases Case Sources Notes Note Links Link Sets Set Graphs Description"
    " NoteRef CodeRef SourceRef SelectionRef VariableRef VariableValue TextValue BooleanValue IntegerValue FloatValue DateValue"
    " DateTimeValue PlainTextContent PlainTextSelection Coding PDFSelection PictureSelection AudioSelection VideoSelection"
    " Representation TextDescription Transcript TranscriptSelection SyncPoint MemberCode MemberSource MemberNote".split()
) | set(KINDS)
_NOT_READ = {"Graph", "Vertex", "Edge"}


def read(path: Path, options: dict) -> RawTable:
    """Read one table of a REFI-QDA project or codebook.

    Parameters
    ----------
    path : Path
        A ``.qdpx`` archive or a ``.qdc`` codebook; which it is, its content says.
    options : dict
        ``table``: an entry of `bscstudy.io.coding_table.TABLES` (codings; of a codebook codes). ``document_id_from``: ``name`` (the
        document's name without its ending, default) or ``file_name`` (with it). ``offsets``: a way of counting of
        `bscstudy.io.refi_positions.CONVENTIONS` for the project, or document -> way. ``document_name_pattern``: regular expression
        whose named groups become variables of the documents that have none of that name.

    Returns
    -------
    RawTable
        Its columns are those of the table; ``provenance`` counts what was found and what was not imported.

    Raises
    ------
    BscError
        As `read_project`; BSC-QUA-006 no coding at all, -008 no row in the table asked for.
    """
    check_file(path)
    with open(path, "rb") as handle:
        head = handle.read(4096)
    is_codebook = not head.startswith(b"PK") and (b"<CodeBook" in head or Path(path).suffix.lower() == ".qdc")
    project = read_codebook(path) if is_codebook else read_project(path, options)
    return coded_table(project, options.get("table") or ("codes" if is_codebook else "codings"), str(path))


def read_codebook(path: Path) -> CodedProject:
    """Read a ``.qdc`` codebook; programs disagree on its namespace, which is therefore not looked at.

    Raises
    ------
    BscError
        BSC-QUA-004 not well-formed XML, -005 codes that cannot be told apart, -007 a document type, -002 far too large.
    """
    if Path(path).stat().st_size > MOST_XML_BYTES:
        raise BscError("BSC-QUA-002", "The codebook is far larger than a codebook.", str(path), "No code can be read.", "Export it again.")
    with open(path, "rb") as handle:
        root, counts = parse(iter(lambda: handle.read(1 << 16), b""), str(path))
    codes = codes_of(path, root)
    no_codings, sets = table_frame("codings", []), []
    for one in (element for element in root.iter() if element.tag == "Set"):
        members = [guid_of(member, "guid") or guid_of(member, "targetGUID") for member in one.findall("MemberCode")]
        sets += [{"set_name": one.get("name"), "kind": "code", "member": codes.paths[guid]} for guid in members if guid in codes.paths]
    empty = {name: table_frame(name, []) for name in ("documents", "cases", "variables", "notes", "links")}
    about = {"program": root.get("origin", ""), "n_codes": len(codes.rows)}
    return CodedProject(
        no_codings,
        codes=codes_frame(codes.rows, no_codings, set()),
        sets=table_frame("sets", sets),
        not_imported=_not_imported(counts, [], root),
        provenance=about,
        **empty,
    )


def read_project(path: Path, options: dict) -> CodedProject:
    """Read everything of a ``.qdpx`` project that the tables of `bscstudy.io.coding_table` hold.

    Raises
    ------
    BscError
        BSC-QUA-001 to -004 and -007 from the archive, -005 a code or document that cannot be told from another or does not exist,
        -009 and -011 `options.offsets` or `options.document_name_pattern` that cannot be used.
    """
    found, pattern = Gathered(), _pattern(path, options.get("document_name_pattern"))
    with open_archive(path) as archive:
        root, counts = parse(archive.project(), str(path), lambda element: gather_source(found, element, archive, options))
        users, codes, cases = users_of(root), codes_of(path, root), case_ids(root)
        _check_codes(path, found, codes)
        _check_documents(path, found)
        names = [document["document_id"] for document in found.documents]
        forced = forced_offsets(path, [names[number] for number in found.text_document], names, options.get("offsets"))
        decisions = decide(found.texts, root.get("origin") or "", forced)
        at = settled_places(found, decisions)
        notes = note_elements(root)
        members = {"code": codes.paths, "note": {guid_of(note): str(n) for n, note in enumerate(notes, start=1)}}
        coded = coded_cases(found, at, cases)
        said = cases_of(root, found, coded, members, pattern)
        objects = Objects(found, at, codes, list(members["note"]), said.names)
        notes_found = notes_rows(root, archive, found, codes, objects, users)
    codings, n_repeated = codings_frame(found, at, decisions, codes.paths, users, cases)
    n_of_cases = sum(len(rows) for rows in coded.values())
    about = {"program": root.get("origin", ""), "n_codings": len(codings) + n_repeated, "n_repeated": n_repeated}
    about |= {"codings_of_cases": n_of_cases, "n_external_texts": archive.n_external, "n_passages_uncoded": _uncoded(found)}
    about |= {"offsets": offsets_said(found, decisions), "offset_status": codings["offset_status"].value_counts().sort_index().to_dict()}
    return CodedProject(
        codings=codings,
        documents=documents_frame(found, at, decisions, codings, said.of_document, said.case_of),
        codes=codes_frame(codes.rows, codings, cases),
        cases=cases_frame(said.cases, at),
        variables=table_frame("variables", said.variables),
        sets=table_frame("sets", said.sets),
        notes=table_frame("notes", notes_found),
        links=table_frame("links", links_rows(root, objects)),
        not_imported=_not_imported(counts, notes, root),
        provenance=about,
        notices=_notices(codings, codes, said, archive, decisions, found),
    )


def _check_codes(path: Path, found: Gathered, codes: Codes) -> None:
    lost = [f"{path}, coding number {number}" for number, c in enumerate(found.codings, start=1) if c.code not in codes.paths]
    if lost:
        raise identity_error(f"{len(lost)} coding(s) point to a code that the project does not hold.", lost)


def _check_documents(path: Path, found: Gathered) -> None:
    coded = {coding.document for coding in found.codings}
    names: dict[str, list[int]] = {}
    for number, document in enumerate(found.documents):
        if number in coded:
            names.setdefault(document["document_id"], []).append(number + 1)
    repeated = [f"{path}, sources number {', '.join(map(str, at))}" for _, at in sorted(names.items()) if len(at) > 1]
    if repeated:
        raise identity_error("Coded documents of the project share one name.", repeated)


def forced_offsets(path: Path, names: list[str], documents: list[str], offsets: str | dict | None) -> list[str]:
    """Return the way of counting that `options.offsets` sets for each text, blank where it sets none.

    Parameters
    ----------
    path : Path
        The file, for errors.
    names : list of str
        Document of each text.
    documents : list of str
        All documents.
    offsets : str, dict or None
        The option: a way for all documents, or document -> way.

    Raises
    ------
    BscError
        BSC-QUA-009 a document or way of counting that does not exist.
    """
    chosen = offsets if isinstance(offsets, dict) else dict.fromkeys(names, offsets) if offsets else {}
    known = set(documents)
    place = f"{path}, options.offsets"
    lost = [f"{place}: '{name}' is no document. {nearest(name, sorted(known))}".rstrip() for name in chosen if name not in known]
    lost += [f"{place}: '{way}' is no way of counting" for way in sorted(set(map(str, chosen.values())) - set(CONVENTIONS))]
    if lost:
        raise BscError(
            "BSC-QUA-009",
            "`options.offsets` names a document or a way of counting that does not exist.",
            places(lost),
            "Positions would be read in a way that nobody chose.",
            f"Correct it, or leave it out; ways of counting are {', '.join(CONVENTIONS)}.",
        )
    return [chosen.get(name, "") for name in names]


def _pattern(path: Path, pattern: str | None) -> re.Pattern | None:
    """Return `options.document_name_pattern` ready for use."""
    try:
        found = re.compile(pattern) if pattern else None
    except re.error:
        found = re.compile("")
    if found is not None and not found.groupindex:
        raise BscError(
            "BSC-QUA-011",
            "`options.document_name_pattern` is no regular expression with a named group.",
            f"{path}, options.document_name_pattern",
            "Nothing could be read from the names of the documents.",
            "Name what it finds, as in (?P<center_id>[A-Z][0-9]+)-.*",
        )
    return found


def _uncoded(found: Gathered) -> int:
    coded = {coding.passage for coding in found.codings}
    return sum(number not in coded for number in range(len(found.passages)))


def _not_imported(counts: Counter, notes: list[Element], root: Element) -> dict[str, int]:
    """How often each element occurs that no table holds; names that the standard does not know are not repeated."""
    lost = {name: counts[name] for name in sorted(_NOT_READ) if counts[name]}
    others = sum(n for name, n in counts.items() if name not in _READ | _NOT_READ)
    lost |= {"element unknown to the standard": others} if others else {}
    of_notes = sum(e.tag == "Coding" for note in notes for e in note.iter())
    lost |= {"Coding of a note": of_notes} if of_notes else {}
    of_cases = sum(len(case.findall("CodeRef")) for case in grouped(root, "Cases", "Case"))
    return lost | ({"CodeRef of a case": of_cases} if of_cases else {})


def _notices(
    codings: pd.DataFrame, codes: Codes, said: Cases, archive: ProjectArchive, decisions: list[Decision], found: Gathered
) -> tuple[Notice, ...]:
    status = codings["offset_status"].value_counts()
    unclear = sorted({found.text_document[n] + 1 for n, d in enumerate(decisions) if is_open(found.texts[n], d)})
    numbers = ", ".join(map(str, unclear[:20])) + (f" and {len(unclear) - 20} more" if len(unclear) > 20 else "")
    told = [
        (status.get("no_text", 0), "start", "passages", "the text is not in the archive, so that the place of the passage is not known"),
        (
            status.get("ambiguous", 0),
            "start",
            "passages",
            f"no way of counting characters fits clearly best (documents number {numbers}): such a passage is never quoted, "
            "but its document counts; options.offsets sets the way",
        ),
        (status.get("out_of_range", 0), "start", "passages", "the passage stands outside its text"),
        ((codings["coder_id"] == "").sum(), "coder_id", "codings", "the file does not say who gave the code"),
        (codes.n_alike, "code_path", "codes", "codes share their name and parents with another one and count as one"),
        (archive.n_external, "", "texts", "the text lies outside the archive; no such path is followed"),
        (said.n_conflicting, "", "values", "several cases or sets give the document different values of one variable; left blank"),
        (
            said.n_disagreeing,
            "",
            "values",
            "a set or name gives another value than the case or document, which is used",
        ),
        (said.n_unknown, "", "references", "a case, set or value points to nothing that the project holds"),
    ]
    return tuple(Notice("file_notice", words, column, n=int(n), unit=unit) for n, column, unit, words in told if n)
