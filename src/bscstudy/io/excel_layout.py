"""How a sheet of a workbook is laid out: merged cells, hidden rows, columns and sheets, formulas."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=\"([A-Z]+)(\d+):([A-Z]+)(\d+)\"")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_HIDDEN = re.compile(rb"\bhidden=\"(1|true)\"")
_PLACED = re.compile(rb"<(?:\w+:)?(?:row\b[^>]*?\br=\"(\d+)\"|c\b[^>]*?\br=\"([A-Z]+)(\d+)\")")
WIDEST = 16_384


class Misplaced(ValueError):
    """Rows or cells of a sheet do not stand in order, so that it is not known where they belong."""


@dataclass(frozen=True)
class Merged:
    """A group of merged cells: its first row (from 1) and column (from 0), its last ones, and its name as Excel writes it."""

    row: int
    column: int
    last_row: int
    last_column: int
    name: str

    @property
    def wide(self) -> bool:
        """Whether it covers more than one column."""
        return self.last_column > self.column

    def places(self, last: int) -> Iterator[tuple[int, int]]:
        """Yield the cells (row, column) that it covers, down to a row."""
        for row in range(self.row, min(self.last_row, last) + 1):
            yield from ((row, column) for column in range(self.column, self.last_column + 1))


@dataclass(frozen=True)
class Layout:
    """One sheet: merged cells, hidden rows (from 1) and columns (from 0), whether it is hidden itself, hidden others, formulas."""

    merged: tuple[Merged, ...]
    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    hidden: bool
    other_hidden_sheets: int
    has_formulas: bool


def layout_of(content: bytes, sheet: str) -> Layout:
    """Return the layout of a sheet; whatever a damaged workbook raises (`Misplaced` among it) is for the caller."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        states, path = _sheets(archive, sheet)
        xml = archive.read(path)
    _check_order(xml)
    merged = tuple(
        Merged(int(top), _number(left), int(bottom), _number(right), f"{left.decode()}{int(top)}:{right.decode()}{int(bottom)}")
        for left, top, right, bottom in _MERGED.findall(xml)
    )
    return Layout(
        merged=tuple(group for group in merged if group.last_column < WIDEST),
        hidden_rows=frozenset(int(_attribute(tag, b"r")) for tag in _ROW.findall(xml) if _HIDDEN.search(tag) and _attribute(tag, b"r")),
        hidden_columns=frozenset(
            column
            for tag in _COLUMN.findall(xml)
            if _HIDDEN.search(tag)
            for column in range(int(_attribute(tag, b"min")) - 1, min(int(_attribute(tag, b"max")), WIDEST))
        ),
        hidden=states[sheet] != "visible",
        other_hidden_sheets=sum(state != "visible" for name, state in states.items() if name != sheet),
        has_formulas=bool(_FORMULA.search(xml)),
    )


def _check_order(xml: bytes) -> None:
    row, column = 0, -1
    for match in _PLACED.finditer(xml):
        number, letters, own = match.groups()
        if number:
            ordered = int(number) > row
            row, column = int(number), -1
        else:
            here = _number(letters)
            ordered = int(own) == row and here > column
            column = here
        if not ordered:
            raise Misplaced


def _sheets(archive: zipfile.ZipFile, wanted: str) -> tuple[dict[str, str], str]:
    """Return sheet -> state (visible, hidden, veryHidden) and the place of the wanted sheet in the archive."""
    from defusedxml.ElementTree import fromstring

    targets = {link.get("Id"): link.get("Target") or "" for link in fromstring(archive.read("xl/_rels/workbook.xml.rels"))}
    states, links = {}, {}
    for node in fromstring(archive.read("xl/workbook.xml")).iter():
        if node.tag.endswith("}sheet"):
            name = node.get("name")
            states[name] = node.get("state") or "visible"
            links[name] = next((value for key, value in node.attrib.items() if key.endswith("}id")), "")
    target = targets[links[wanted]]
    return states, target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _attribute(tag: bytes, name: bytes) -> bytes:
    found = re.search(rb"\b" + name + rb"=\"(\d+)\"", tag)
    return found[1] if found else b""


def _number(letters: bytes) -> int:
    """Return a column's place from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
