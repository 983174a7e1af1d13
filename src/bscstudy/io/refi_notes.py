"""Notes, descriptions and links of a REFI-QDA project, each with what it is about."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from bscstudy.io.refi_archive import ProjectArchive
from bscstudy.io.refi_codes import Codes
from bscstudy.io.refi_sources import Gathered, stored_text
from bscstudy.io.refi_tables import Place
from bscstudy.io.refi_xml import described, grouped, guid_of


class Objects:
    """What an id of the file stands for: a document, passage, code, note or case, in the words of the tables."""

    def __init__(self, found: Gathered, places: list[Place], codes: Codes, notes: list[str], cases: dict[str, str]):
        self._found, self._places = found, places
        self._other = {guid: ("code", {"code_path": path}) for guid, path in codes.paths.items()}
        self._other |= {guid: ("case", {"case": name}) for guid, name in cases.items()}
        self._other |= {guid: ("note", {"note": number}) for number, guid in enumerate(notes, start=1)}

    def of(self, guid: str) -> tuple[str, dict]:
        """Return the kind of an object and the columns that say which; kind ``other`` where nothing has this id."""
        if guid in self._found.objects:
            return self.about(*self._found.objects[guid])
        return self._other.get(guid, ("other", {}))

    def about(self, kind: str, number: int) -> tuple[str, dict]:
        """Return the same for a document, passage or coding by its number."""
        if kind == "document":
            return kind, {"document_id": self._found.documents[number]["document_id"]}
        if kind == "coding":
            coding = self._found.codings[number]
            _, where = self.about("document", coding.document) if coding.passage < 0 else self.about("passage", coding.passage)
            return kind, {**where, **self._other.get(coding.code, ("", {}))[1]}
        passage, place = self._found.passages[number], self._places[number]
        document = self._found.documents[passage.document]["document_id"]
        return kind, {"document_id": document, "part": passage.part, "start": place.start, "end": place.end}


def note_elements(root: Element) -> list[Element]:
    """Return the notes of a project."""
    return grouped(root, "Notes", "Note")


def notes_rows(
    root: Element, archive: ProjectArchive, found: Gathered, codes: Codes, objects: Objects, users: dict[str, str]
) -> list[dict]:
    """Return one row for each note and thing it is about, then one for each description written on a thing itself."""
    notes = note_elements(root)
    about: dict[str, list[tuple[str, dict]]] = {}
    for kind, number, guid in found.note_refs:
        about.setdefault(guid, []).append(objects.about(kind, number))
    for code, guid in codes.note_refs:
        about.setdefault(guid, []).append(objects.of(code))
    for reference in root.findall("NoteRef"):
        about.setdefault(guid_of(reference, "targetGUID"), []).append(("project", {}))
    for link in _links(root):
        ends = guid_of(link, "originGUID"), guid_of(link, "targetGUID")
        for note, other in (ends, ends[::-1]):
            if objects.of(note)[0] == "note" and objects.of(other)[0] != "note":
                about.setdefault(note, []).append(objects.of(other))
    rows = []
    for number, note in enumerate(notes, start=1):
        text = stored_text(note, archive)
        content = text.stored.replace("\r\n", "\n").replace("\r", "\n") if text else described(note)
        user = guid_of(note, "creatingUser")
        said = {"note": number, "kind": "note", "coder_id": users.get(user, user), "n_characters": len(content), "text": content}
        rows += [{**said, "about": kind, **where} for kind, where in about.get(guid_of(note), [("", {})])]
    return rows + _descriptions(root, found, objects, users, len(notes))


def links_rows(root: Element, objects: Objects) -> list[dict]:
    """Return one row for each link."""
    rows = []
    for link in _links(root):
        row = {"name": link.get("name") or "", "direction": link.get("direction") or ""}
        for side in ("origin", "target"):
            kind, where = objects.of(guid_of(link, f"{side}GUID"))
            called = next((str(where[key]) for key in ("document_id", "code_path", "note", "case") if key in where), "")
            row |= {f"{side}_kind": kind, side: called, f"{side}_start": where.get("start"), f"{side}_end": where.get("end")}
        rows.append(row)
    return rows


def _links(root: Element) -> list[Element]:
    return grouped(root, "Links", "Link")


def _descriptions(root: Element, found: Gathered, objects: Objects, users: dict[str, str], n_notes: int) -> list[dict]:
    said = [(*objects.about(kind, number), text, user) for kind, number, text, user in found.descriptions]
    said += [("project", {}, text, "") for text in [described(root)] if text]
    for group, name, kind in (("Cases", "Case", "case"), ("Sets", "Set", "set"), ("Variables", "Variable", "variable")):
        said += [(kind, {}, described(element), "") for element in grouped(root, group, name) if described(element)]
    rows = []
    for number, (kind, where, text, user) in enumerate(said, start=n_notes + 1):
        row = {"note": number, "kind": "description", "about": kind, **where, "coder_id": users.get(user, user)}
        rows.append({**row, "n_characters": len(text), "text": text})
    return rows
