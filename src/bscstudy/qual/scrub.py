"""Quotes without names, places, ids and contact data. An aid to the person who approves a quote, never a guarantee."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from bscstudy.qual.contacts import contact_spans
from bscstudy.qual.folding import BREAK, SPACE, fold, plain, spellings

#: kinds of denied terms; each stands in a quote as a marker such as [name] or [name K3QP7M2A]
KINDS = ("name", "place", "center", "organisation", "id")
MARKER = re.compile(r"\[(?:name|place|center|organisation|id|mail|link|date|age|number)(?: [A-Z2-7]{8})?\]")
#: words of a name that are no name by themselves
PARTICLES = {
    "de",
    "del",
    "della",
    "der",
    "den",
    "di",
    "da",
    "do",
    "dos",
    "du",
    "la",
    "las",
    "le",
    "el",
    "los",
    "van",
    "von",
    "of",
    "the",
    "y",
    "e",
}
TITLES = {"mr", "mrs", "ms", "miss", "dr", "prof", "sr", "sra", "jr", "ii", "iii"}
#: letters from which a denied term inside a longer word that is written with a capital counts as residue
INSIDE = 5


@dataclass(frozen=True)
class Denied:
    """A term that no quote may hold: as written, its kind, and the marker (without brackets) that takes its place."""

    term: str
    kind: str
    marker: str


class DenyList:
    """Denied terms, ready to be found in any spelling that `bscstudy.qual.folding` takes as one.

    A person's name is denied as a whole and in parts (not particles and titles alone); every other term as a whole. Words may be
    joined, hyphenated, cut at a line's end, spaced letter by letter or followed by a possessive s.
    """

    def __init__(self, terms: Iterable[Denied]):
        self.words: dict[tuple[str, ...], str] = {}
        for denied in sorted(terms, key=lambda d: (d.kind, d.term, d.marker)):
            for words in spellings(denied.term):
                self.words.setdefault(tuple(words), denied.marker)
                for run in _runs(words) if denied.kind == "name" else ():
                    self.words.setdefault(run, denied.marker)

    @cached_property
    def patterns(self) -> list[tuple[re.Pattern, str]]:
        """The patterns of all terms, longer terms first."""
        ordered = sorted(self.words.items(), key=lambda entry: (-len("".join(entry[0])), entry))
        return [(_pattern(words), marker) for words, marker in ordered]

    @cached_property
    def joined(self) -> dict[tuple[str, ...], str]:
        """The terms with their words written as one."""
        return {("".join(words),): marker for words, marker in self.words.items()}


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    """Return the parts of a name: words that stand together, of which one at least is more than a letter, a particle or a title."""
    parts = [tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
    return [part for part in parts if any(len(word) > 1 and word not in PARTICLES | TITLES for word in part)]


@dataclass(frozen=True)
class Scrubbed:
    """A scrubbed text, and how many stretches of it were taken out."""

    text: str
    n_replaced: int


def scrub(text: str, deny: DenyList) -> Scrubbed:
    """Replace denied terms, contact data, dates, ages and addresses by markers.

    Parameters
    ----------
    text : str
        A passage as spoken.
    deny : DenyList
        What may not be in it.

    Returns
    -------
    Scrubbed
        Its text has no invisible characters and single spaces.

    Checked against
    ---------------
    Planted names in many spellings, and the property that no denied term is left under folding (tests/unit/test_qual_scrub.py).
    """
    shown = " ".join(plain(text).split())
    spans = _joined([*contact_spans(shown), *_denied_spans(shown, deny)])
    parts, place = [], 0
    for start, end, marker in spans:
        parts += [shown[place:start], f"[{marker}]"]
        place = end
    return Scrubbed("".join([*parts, shown[place:]]), len(spans))


def residue(text: str, deny: DenyList) -> bool:
    """Return whether a scrubbed text still holds a denied term, by another way than the scrub goes: word by word, markers left out.

    A word counts that is a denied term, alone, put together from what hyphens and apostrophes cut, or with its neighbours; so does one
    that is written with a capital and holds a denied term of `INSIDE` letters or more.
    """
    return any(_piece_denied(piece, deny) for piece in MARKER.split(plain(text)))


def _piece_denied(piece: str, deny: DenyList) -> bool:
    chunks = piece.split()
    letters = ["".join(c for c in fold(chunk).text if c not in (BREAK, SPACE)) for chunk in chunks]
    words = fold(piece).text.replace(BREAK, SPACE).split()
    runs = (tuple(words[i : i + n]) for n in {len(term) for term in deny.words} for i in range(len(words) - n + 1))
    if any(_is_term(run, deny.words) for run in runs) or any(_is_term((word,), deny.joined) for word in letters):
        return True
    capital = [word for chunk, word in zip(chunks, letters, strict=True) if chunk != chunk.lower()]
    return any(len(term) >= INSIDE and term in word for word in capital for (term,) in deny.joined)


def _is_term(words: tuple[str, ...], terms: dict[tuple[str, ...], str]) -> bool:
    *head, last = words
    return any((*head, end) in terms for end in (last, last.removesuffix("s")))


def _pattern(words: tuple[str, ...]) -> re.Pattern:
    """Return what finds a folded term between the edges of words."""
    cut = rf"(?:{BREAK}+{SPACE}*)?"
    joined = rf"[{SPACE}{BREAK}]*".join(cut.join(map(re.escape, word)) for word in words)
    letters = "".join(words)
    spaced = rf"[{SPACE}{BREAK}]+".join(map(re.escape, letters))
    either = f"(?:{joined}|{spaced})" if len(letters) > 1 else joined
    if all(unicodedata.category(c) == "Lo" for c in letters):  # scripts that put no space between words
        return re.compile(either)
    return re.compile(rf"(?<!\w){either}(?:{BREAK}?s)?(?!\w)")


def _denied_spans(text: str, deny: DenyList) -> list[tuple[int, int, str]]:
    folded = fold(text)
    found = []
    for pattern, marker in deny.patterns:
        found += [(folded.at[m.start()], folded.at[m.end() - 1] + 1, marker) for m in pattern.finditer(folded.text) if m.end() > m.start()]
    return found


def _joined(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return spans that do not overlap; of overlapping ones the first, or the longest of those that start together, gives the marker."""
    found: list[tuple[int, int, str]] = []
    for start, end, marker in sorted(spans, key=lambda span: (span[0], -span[1])):
        if found and start < found[-1][1]:
            first, last, kept = found[-1]
            found[-1] = (first, max(last, end), kept)
        else:
            found.append((start, end, marker))
    return found
