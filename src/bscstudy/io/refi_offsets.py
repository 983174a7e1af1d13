"""Where does a coded passage stand? Programs count characters in different ways and do not say which."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: ways of counting: (UTF-16 code units instead of characters, line ends counted as stored instead of as one)
CONVENTIONS = {"characters": (False, True), "characters_lf": (False, False), "utf16": (True, True), "utf16_lf": (True, False)}
ENOUGH, LEAD = 0.8, 0.2


@dataclass(frozen=True)
class Span:
    """A passage: its text as stored, its positions as received, and the name that the program gave it."""

    text: str
    start: int
    end: int
    name: str = ""


class Positions:
    """A text's characters with line ends as one, and how each way of counting maps to them."""

    def __init__(self, text: str):
        self.plain = text.replace("\r\n", "\n").replace("\r", "\n")
        self._maps = {name: _positions(text, *how) for name, how in CONVENTIONS.items()}

    def resolve(self, convention: str, start: int, end: int) -> tuple[int, int] | None:
        """Return start and end in characters of `plain`, end exclusive; None where they fall outside or inside a character."""
        place = self._maps[convention]
        if not 0 <= start <= end < len(place) or place[start] is None or place[end] is None:
            return None
        return place[start], place[end]


def _positions(text: str, wide: bool, stored: bool) -> list[int | None]:
    units = text if stored else text.replace("\r\n", "\n").replace("\r", "\n")
    place: list[int | None] = []
    at, previous = 0, ""
    for character in units:
        second_half_of_line_end = previous == "\r" and character == "\n"
        place.append(None if second_half_of_line_end else at)
        if wide and ord(character) > 0xFFFF:
            place.append(None)
        at += not second_half_of_line_end
        previous = character
    return [*place, at]


def resolve_spans(spans: list[Span]) -> list[tuple[int, int, str]]:
    """Return (start, end, status) of every passage in characters of the text with line ends as one, end exclusive.

    Parameters
    ----------
    spans : list of Span
        All passages of one project; one program wrote them, so one way of counting holds for all.

    Returns
    -------
    list of (int, int, str)
        Status ``exact``: every way of counting gives the same place. ``converted``: the ways differ and one of them fits
        clearly best. ``ambiguous``: none does; positions as received. ``out_of_range``: outside the text; as received.

    Notes
    -----
    A way of counting is scored by the passages on which the ways differ: 1 where the passage starts as its own name does
    (ATLAS.ti names a passage by its text), else a half for each end that stands at the edge of a word, 0 outside the text. It
    is taken at a mean score of at least 0.8 and a lead of 0.2 over the next way that places any passage differently.
    """
    known = {text: Positions(text) for text in {span.text for span in spans}}
    texts = [known[span.text] for span in spans]
    options = [{c: text.resolve(c, s.start, s.end) for c in CONVENTIONS} for s, text in zip(spans, texts, strict=True)]
    unsure = [i for i, found in enumerate(options) if len(set(found.values())) > 1]
    chosen = _best_convention([spans[i] for i in unsure], [texts[i] for i in unsure], [options[i] for i in unsure])
    return [_resolved(span, found, chosen) for span, found in zip(spans, options, strict=True)]


def _resolved(span: Span, found: dict, chosen: str | None) -> tuple[int, int, str]:
    same = len(set(found.values())) == 1
    place = next(iter(found.values())) if same else found.get(chosen)
    if place is not None:
        return (*place, "exact" if same else "converted")
    return span.start, span.end, "out_of_range" if same or chosen else "ambiguous"


def _best_convention(spans: list[Span], texts: list[Positions], options: list[dict]) -> str | None:
    if not spans:
        return None
    scores: dict[tuple, tuple[float, str]] = {}
    for convention in CONVENTIONS:
        places = tuple(found[convention] for found in options)
        total = sum(_score(s, t, p) for s, t, p in zip(spans, texts, places, strict=True))
        scores.setdefault(places, (total / len(spans), convention))
    ranked = sorted(scores.values(), reverse=True)
    clear = len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= LEAD
    return ranked[0][1] if ranked[0][0] >= ENOUGH and clear else None


def _score(span: Span, text: Positions, place: tuple[int, int] | None) -> float:
    if place is None:
        return 0.0
    start, end = place
    name = " ".join(span.name.split())
    if len(name) > 3 and not re.fullmatch(r"(line:)?[\d,:\s]+", name):
        return float(" ".join(text.plain[start:end].split()).startswith(name.rstrip(".…")))
    return 0.5 * _edge(text.plain, start) + 0.5 * _edge(text.plain, end)


def _edge(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at : at + 1]
    return not (before.isalnum() and after.isalnum())
