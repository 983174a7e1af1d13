"""The XML of a REFI-QDA project or codebook, parsed with distrust and document by document, so that a large project needs little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from bscstudy.errors import BscError
from bscstudy.io.refi_archive import archive_error

#: elements held at once; those of a document are let go when it is complete
MOST_ELEMENTS = 1_500_000
DEEPEST = 100


def guid_of(element: Element, attribute: str = "guid") -> str:
    """Return an id in one spelling; programs write it with braces and in either case."""
    return (element.get(attribute) or "").strip().strip("{}").lower()


def described(element: Element) -> str:
    """Return the text that is written on an element itself."""
    return (element.findtext("Description") or "").strip()


def grouped(root: Element, group: str, name: str) -> list[Element]:
    """Return the elements of one name in the groups of another, such as ``Case`` in ``Cases``."""
    return [element for top in root.findall(group) for element in top.findall(name)]


class _Refused(Exception):
    """Raised inside the parser; its argument says why."""


class _Builder(TreeBuilder):
    """Builds the tree without namespaces (programs disagree on them), hands each document over when it is complete and forgets it."""

    def __init__(self, on_source: Callable[[Element], None] | None):
        super().__init__()
        self.counts: Counter = Counter()
        self._on_source = on_source
        self._open: list[Element] = []
        self._n = self._n_kept = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _Refused("doctype")

    def start(self, tag: str, attributes: dict) -> Element:
        self._n += 1
        self._n_kept += len(self._open) < 2 or self._open[1].tag != "Sources"
        if self._n > MOST_ELEMENTS or len(self._open) >= DEEPEST:
            raise _Refused("size")
        name = tag.rpartition("}")[2]
        self.counts[name] += 1
        element = super().start(name, attributes)
        self._open.append(element)
        return element

    def end(self, tag: str) -> Element:
        element = super().end(tag.rpartition("}")[2])
        self._open.pop()
        if self._on_source and len(self._open) == 2 and self._open[1].tag == "Sources":
            self._on_source(element)
            self._open[1].remove(element)
            self._n = self._n_kept
        return element


def parse(pieces: Iterable[bytes], place: str, on_source: Callable[[Element], None] | None = None) -> tuple[Element, Counter]:
    """Return the root element without its documents, and how often each element occurs; no tag has its namespace.

    Parameters
    ----------
    pieces : iterable of bytes
        The file.
    place : str
        The file, for errors.
    on_source : callable
        Called with each element of ``Sources``, in order.

    Raises
    ------
    BscError
        BSC-QUA-004 XML that is not well formed, -007 XML that declares a document type, -002 more or deeper elements than a project has.
    """
    builder = _Builder(on_source)
    parser = XMLParser(target=builder)
    try:
        for piece in pieces:
            parser.feed(piece)
        root = parser.close()
    except _Refused as refusal:
        raise _refusal(str(refusal), place) from None
    except (ParseError, ValueError, LookupError, AssertionError):
        raise archive_error("BSC-QUA-004", "The project file is not well-formed XML.", place, "Export it again.") from None
    return root, builder.counts


def _refusal(why: str, place: str) -> BscError:
    todo = "Do not use this file; ask for a fresh export."
    if why == "doctype":
        what = "The project file declares a document type or entities, which no program for coding text writes."
        return archive_error("BSC-QUA-007", what, place, todo)
    return archive_error("BSC-QUA-002", "The project file holds more or deeper elements than a project has.", place, todo)
