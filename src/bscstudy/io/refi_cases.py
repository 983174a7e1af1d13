"""Cases, variables and sets of a REFI-QDA project, and which value each document has: programs say it in four places."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from bscstudy.io.refi_sources import Gathered, values_of
from bscstudy.io.refi_xml import grouped, guid_of

#: in the order in which they are believed
BELIEVED = ("case", "source", "set", "document_name")
_KEY_AND_VALUE = re.compile(r"\s*([^:]{1,60}?)\s*:(?!:)\s*(\S.*?)\s*")
_MEMBERS = {"MemberSource": "document", "MemberCode": "code", "MemberNote": "note"}


@dataclass(frozen=True)
class Cases:
    """`cases`, `variables` and `sets`: rows of the tables of these names. `of_document`: number of a document -> {variable: value}.

    `case_of`: number of a document -> its one case. `names`: id of a case in the file -> its name. `n_conflicting`: values left
    blank because one place gives several; `n_disagreeing`: values that a place less believed gives otherwise; `n_unknown`: values
    of no variable, and references to nothing.
    """

    cases: list[dict]
    variables: list[dict]
    sets: list[dict]
    case_of: dict[int, str]
    of_document: dict[int, dict[str, str]]
    names: dict[str, str]
    n_conflicting: int
    n_disagreeing: int
    n_unknown: int


def case_ids(root: Element) -> set[str]:
    """Return the ids of the cases; a code with such an id is no theme."""
    return {guid_of(case) for case in grouped(root, "Cases", "Case")}


def cases_of(
    root: Element, found: Gathered, coded: dict[str, list[dict]], members: dict[str, dict[str, str]], pattern: re.Pattern | None
) -> Cases:
    """Return cases, variables and sets, and what they say of each document.

    Parameters
    ----------
    root : Element
        The project, without its documents.
    found : Gathered
        Its documents.
    coded : dict
        Id of a case in the file -> passages coded to it: ``document`` (number), ``part``, ``start``, ``end``, ``whole``.
    members : dict
        ``code`` and ``note``: id in the file -> what the table of sets calls it.
    pattern : Pattern
        Regular expression whose named groups are read from a document's name, or None.
    """
    builder = _Builder(found, _variables(root))
    names = _case_names(root, found)
    for case in grouped(root, "Cases", "Case"):
        builder.add_case(case, names[guid_of(case)], coded.get(guid_of(case), []))
    for number, values in found.values.items():
        for value in values:
            builder.add_value("", number, value.variable, value.value, "source")
    sets = builder.add_sets(root, members)
    for number, document in enumerate(found.documents):
        match = pattern.search(document["document_id"]) if pattern else None
        for name, value in (match.groupdict() if match else {}).items():
            builder.add("", number, name, "Text", value or "", "document_name")
    return builder.settled(sets, {guid: called[None] for guid, called in names.items()})


class _Builder:
    def __init__(self, found: Gathered, variables: dict[str, tuple[str, str]]):
        self._found, self._known = found, variables
        self._cases: list[dict] = []
        self._rows: list[tuple] = []
        self._whole: dict[int, set[str]] = {}
        self._n_unknown = 0

    def add_case(self, case: Element, names: dict[int | None, str], coded: list[dict]) -> None:
        n_before, documents = len(self._cases), {row["document"] for row in coded if row["whole"]}
        for row in coded:
            self._passage(names, row["document"], row, "coding")
        for reference in case.findall("SourceRef"):
            number = self._number(reference, "document")
            if number is not None:
                documents.add(number)
                self._passage(names, number, {}, "source")
        for reference in case.findall("SelectionRef"):
            number = self._number(reference, "passage")
            if number is not None:
                passage = self._found.passages[number]
                self._passage(names, passage.document, {"passage": number, "part": passage.part}, "selection")
        if len(self._cases) == n_before:
            self._cases.append({"case_id": names[None]})
        for number in documents:
            self._whole.setdefault(number, set()).add(names.get(number, names[None]))
        for value in values_of(case):
            for number in sorted(documents) or [None]:
                self.add_value(names.get(number, names[None]), number, value.variable, value.value, "case")

    def add_value(self, case: str, document: int | None, variable: str, value: str, said_by: str) -> None:
        if variable not in self._known:
            self._n_unknown += 1
            return
        self.add(case, document, *self._known[variable], value, said_by)

    def add(self, case: str, document: int | None, name: str, kind: str, value: str, said_by: str) -> None:
        self._rows.append((case, document, name, kind, value, said_by))

    def add_sets(self, root: Element, members: dict[str, dict[str, str]]) -> list[dict]:
        rows = []
        for one in grouped(root, "Sets", "Set"):
            said = _KEY_AND_VALUE.fullmatch(one.get("name") or "")
            for member in one:
                kind = _MEMBERS.get(member.tag)
                guid = guid_of(member, "targetGUID") or guid_of(member)
                number = self._number_of(guid, "document") if kind == "document" else None
                name = self._found.documents[number]["document_id"] if number is not None else members.get(kind or "", {}).get(guid)
                if kind and name is not None:
                    rows.append({"set_name": one.get("name"), "kind": kind, "member": name})
                self._n_unknown += bool(kind) and name is None
                if said and number is not None:
                    self.add("", number, said[1], "Text", said[2], "set")
        return rows

    def settled(self, sets: list[dict], names: dict[str, str]) -> Cases:
        said: dict[tuple[int, str], dict[str, set[str]]] = {}
        for _, document, name, _, value, said_by in self._rows:
            if document is not None and value:
                said.setdefault((document, name), {}).setdefault(said_by, set()).add(value)
        of_document: dict[int, dict[str, str]] = {}
        counts: Counter = Counter()
        for (document, name), places in said.items():
            first = next(places[place] for place in BELIEVED if place in places)
            counts["conflicting"] += len(first) > 1
            counts["disagreeing"] += len(first) == 1 and any(values != first for values in places.values())
            of_document.setdefault(document, {})[name] = next(iter(first)) if len(first) == 1 else ""
        documents = self._found.documents
        ids = {None: "", **{number: d["document_id"] for number, d in enumerate(documents)}}
        variables = [dict(zip(_VARIABLE_KEYS, (case, ids[d], *rest), strict=True)) for case, d, *rest in self._rows]
        case_of = {number: next(iter(names)) for number, names in self._whole.items() if len(names) == 1}
        told = (counts["conflicting"], counts["disagreeing"], self._n_unknown)
        return Cases(self._cases, variables, sets, case_of, of_document, names, *told)

    def _passage(self, names: dict, document: int, place: dict, said_by: str) -> None:
        where = {key: place[key] for key in ("part", "start", "end", "passage") if key in place}
        about = {"case_id": names.get(document, names[None]), "document_id": self._found.documents[document]["document_id"]}
        self._cases.append({**about, **where, "said_by": said_by})

    def _number(self, reference: Element, kind: str) -> int | None:
        number = self._number_of(guid_of(reference, "targetGUID"), kind)
        self._n_unknown += number is None
        return number

    def _number_of(self, guid: str, kind: str) -> int | None:
        known = self._found.objects.get(guid, ("", -1))
        return known[1] if known[0] == kind else None


_VARIABLE_KEYS = ("case_id", "document_id", "variable", "type", "value", "said_by")


def _variables(root: Element) -> dict[str, tuple[str, str]]:
    return {guid_of(v): (v.get("name") or "", v.get("typeOfVariable") or "Text") for v in grouped(root, "Variables", "Variable")}


def _case_names(root: Element, found: Gathered) -> dict[str, dict[int | None, str]]:
    """Id of a case -> its name in each document; a case without a name is called as the document it points to."""
    names: dict[str, dict[int | None, str]] = {}
    times: Counter = Counter()
    for number, case in enumerate(grouped(root, "Cases", "Case"), start=1):
        name = (case.get("name") or "").strip()
        times[name] += bool(name)
        if name:
            names[guid_of(case)] = {None: name if times[name] == 1 else f"{name} ({times[name]})"}
            continue
        at = [found.objects.get(guid_of(r, "targetGUID"), ("", -1)) for r in case.findall("SourceRef")]
        called = {n: found.documents[n]["document_id"] for kind, n in at if kind == "document"}
        names[guid_of(case)] = {None: next(iter(called.values()), f"case {number}"), **called}
    return names
