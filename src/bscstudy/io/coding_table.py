"""The one long table of codings and its companions, into which every reader of coded text reads, whatever program wrote the file.

A reader builds a `CodedProject`; `coded_table` hands over the one of its tables that the source's options name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, RawTable

#: what joins a code to its parents
PATH_MARK = "\\"

#: one code on one passage by one coder
CODINGS = {
    "document_id": "Document",
    "coder_id": "Who gave the code; blank where the file does not say",
    "code_path": "Code with its parents, joined with a backslash",
    "start": "First character of the passage: characters (code points) from 0 in the text with every line end as one; NaN without a text",
    "end": "Character after the passage",
    "offset_status": "exact, converted, forced, ambiguous, out_of_range, no_text, document, not_text; of tables as_received, paragraphs, "
    "unplaced; of several files other_text",
    "part": "Which text of the document start and end count in: text, representation, description, transcript; blank without one",
    "unit": "What the passage is a stretch of: characters, paragraphs, page_area, picture_area, milliseconds or document",
    "page": "Page of the passage, as the program counts",
    "first_x": "First corner of an area: points of a page, pixels of a picture",
    "first_y": "First corner of an area",
    "second_x": "Opposite corner of an area",
    "second_y": "Opposite corner of an area",
    "begin_ms": "Begin of a passage of sound or film, milliseconds",
    "end_ms": "End of a passage of sound or film, milliseconds",
    "first_paragraph": "First paragraph, where the program counts in paragraphs",
    "last_paragraph": "Last paragraph",
    "weight": "Weight or rating that the coder gave",
    "quotable": "1 where the passage may be cut from the text, 0 where its place is not known for certain",
    "offset_convention": "How the program counted positions in this text; blank where every way gives the same places",
    "offset_score": "How well that way fits the passages on which the ways differ, 0 to 1",
    "offset_lead": "How much better than the next way",
    "text_sha256": "SHA-256 of the text with every line end as one; the same text coded by two people has the same",
}

DOCUMENTS = {
    "document_id": "Document",
    "kind": "text, pdf, picture, audio or video",
    "case_id": "The case it belongs to; blank where none or several",
    "n_characters": "Characters of its text; blank without a text",
    "n_words": "Words of its text",
    "text_sha256": "SHA-256 of the text with every line end as one",
    "n_codings": "Codings, those of cases not counted",
    "offset_convention": "How the program counted positions in it; blank where every way gives the same places",
    "offset_score": "How well that way fits, 0 to 1",
    "offset_lead": "How much better than the next way",
    "offset_basis": "What decided: document, project or config",
    "n_ambiguous": "Passages whose place is not known",
}

CODES = {
    "code_path": "Code with its parents",
    "parent_path": "Its parent; blank at the top",
    "level": "1 at the top",
    "is_codable": "1 where passages can be given it, 0 for a heading",
    "kind": "code, or case where the program lists its cases among the codes",
    "color": "Colour, #RRGGBB",
    "description": "Its definition",
    "n_codings": "Codings with it",
}

CASES = {
    "case_id": "Name of the case; the document's where it has none",
    "document_id": "Document it was found in; blank where in none",
    "part": "As in the codings",
    "start": "First character of the passage that is the case's; blank for a whole document",
    "end": "Character after the passage",
    "said_by": "source (the case points to the document), selection (to a passage), coding (its code is on it)",
}

VARIABLES = {
    "case_id": "Case; blank where the value is the document's",
    "document_id": "Document; blank where the case is in none",
    "variable": "Variable",
    "type": "Text, Boolean, Integer, Float, Date or DateTime",
    "value": "Its value as written; blank where missing",
    "said_by": "case, source, set or document_name, in the order in which they are believed",
}

SETS = {"set_name": "Set or group", "kind": "document, code or note", "member": "Document, code path or number of the note"}

NOTES = {
    "note": "Number of the note in the file",
    "kind": "note, or description (text written on the object itself)",
    "about": "project, code, document, passage, coding, case, set or variable",
    "document_id": "Document it is about",
    "code_path": "Code it is about",
    "part": "As in the codings",
    "start": "First character of the passage it is about",
    "end": "Character after the passage",
    "coder_id": "Who wrote it",
    "n_characters": "Characters of its text",
    "text": "Its text",
}

LINKS = {
    "name": "Name of the relation",
    "direction": "Associative, OneWay or Bidirectional",
    "origin_kind": "document, passage, code, note, case or other",
    "origin": "Document, code path, number of the note or case",
    "origin_start": "First character, of a passage",
    "origin_end": "Character after it",
    "target_kind": "As origin_kind",
    "target": "As origin",
    "target_start": "First character, of a passage",
    "target_end": "Character after it",
}

#: table -> its columns and what they hold
TABLES = {
    "codings": CODINGS,
    "documents": DOCUMENTS,
    "codes": CODES,
    "cases": CASES,
    "variables": VARIABLES,
    "sets": SETS,
    "notes": NOTES,
    "links": LINKS,
}
#: columns of the codings that every reader fills; the others are no surprise where the codebook does not describe them
FIRST_COLUMNS = ["document_id", "coder_id", "code_path", "start", "end", "offset_status"]
#: positions that are known for certain
CERTAIN = ("exact", "converted", "forced")


@dataclass(frozen=True)
class CodedProject:
    """What a file of coded text holds; one DataFrame for each entry of `TABLES`, with at least its columns, in its order.

    ``documents`` has a further column for each variable. ``provenance`` counts what was found; ``not_imported`` counts, by kind of
    element, what no table holds. Whole texts are never part of it.
    """

    codings: pd.DataFrame
    documents: pd.DataFrame
    codes: pd.DataFrame
    cases: pd.DataFrame
    variables: pd.DataFrame
    sets: pd.DataFrame
    notes: pd.DataFrame
    links: pd.DataFrame
    not_imported: dict[str, int]
    provenance: dict
    notices: tuple[Notice, ...] = ()


def table_frame(table: str, rows: list[dict]) -> pd.DataFrame:
    """Return rows as one of `TABLES`, with all of its columns; what a row does not name is missing."""
    return pd.DataFrame(rows, columns=list(TABLES[table]))


def coded_table(project: CodedProject, table: str, place: str) -> RawTable:
    """Return one table of a coded project as a reader hands it over.

    Parameters
    ----------
    project : CodedProject
        As read.
    table : str
        A key of `TABLES`.
    place : str
        The file, for errors.

    Raises
    ------
    BscError
        BSC-QUA-006 the codings of a project without any; -008 a table that has no row, or a name that is no table.
    """
    if table not in TABLES:
        raise _no_table(f"{place}: options.table", "`options.table` names no table of a coded project.")
    frame = getattr(project, table)
    if frame.empty and table == "codings":
        raise BscError(
            "BSC-QUA-006",
            "The project holds no coding.",
            place,
            "Every theme would count zero.",
            "Export the coded project, not its codebook.",
        )
    if frame.empty:
        raise _no_table(place, f"The project holds no {table}.")
    others = {name: len(getattr(project, name)) for name in TABLES}
    provenance = {**project.provenance, "not_imported": project.not_imported, "tables": others}
    first = FIRST_COLUMNS if table == "codings" else [next(iter(TABLES[table]))]
    own = tuple(name for name in TABLES[table] if name not in first)
    rows = np.arange(1, len(frame) + 1)
    return RawTable(frame, rows, own_columns=own, provenance=provenance, notices=_notices(project, table, others))


def _notices(project: CodedProject, table: str, others: dict[str, int]) -> tuple[Notice, ...]:
    if table != "codings":
        return ()
    found = list(project.notices)
    lost = ", ".join(f"{n} {name}" for name, n in sorted(project.not_imported.items()))
    if lost:
        said = f"of the project, these elements are not read: {lost}"
        found.append(Notice("file_notice", said, n=sum(project.not_imported.values()), unit="elements"))
    others = {**others, "notes": int((project.notes["about"] != "project").sum())}
    beside = {name: others[name] for name in ("cases", "variables", "sets", "notes", "links") if others[name]}
    if beside:
        held = ", ".join(f"{name} ({n})" for name, n in beside.items())
        said = f"beside its codings the project holds {held}; a source with options.table reads each of them"
        found.append(Notice("file_notice", said, n=sum(beside.values()), unit="rows"))
    return tuple(found)


def _no_table(where: str, what: str) -> BscError:
    return BscError(
        "BSC-QUA-008",
        what,
        where,
        "A source without a row would look like a study without any.",
        f"Name a table that the file holds: {', '.join(TABLES)}; a codebook (.qdc) holds codes and sets only.",
    )
