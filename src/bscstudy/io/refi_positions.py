"""The passages of one text placed by every way of counting characters, and how well each way fits."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import unicodedata
from dataclasses import dataclass

import numpy as np

#: ways of counting: (UTF-16 code units, line ends as stored, as one or as two, byte-order mark counted)
CONVENTIONS = {
    f"{unit}{ends}{mark}": (unit == "utf16", ends, bool(mark))
    for mark in ("", "_bom")
    for ends in ("", "_lf", "_crlf")
    for unit in ("characters", "utf16")
}
NOWHERE = -1
_PLAIN, _LETTER, _ACCENT = 0, 1, 2


@dataclass(frozen=True)
class Text:
    """A text as stored, without its byte-order mark. `inline`: it stood in the XML, where every line end is read as one."""

    stored: str
    had_mark: bool = False
    inline: bool = False


@dataclass(frozen=True)
class Evidence:
    """What one text says about the way its positions were counted; the text itself is no longer needed.

    Parameters
    ----------
    received : ndarray of int, (n, 2)
        Start and end of each passage as received.
    places : dict
        Way of counting -> (n, 2) places in the text with line ends as one, `NOWHERE` where there is none. Ways that cannot differ
        in this text share one entry by `reduced`.
    reduced : dict
        Way of counting -> the entry of `places` that stands for it.
    scores : dict
        Entry of `places` -> sum of scores over the passages that count.
    n_scored : int
        Passages that count: not empty, and placed differently by the ways.
    sha256, n_characters, n_words
        Of the text with line ends as one.
    """

    received: np.ndarray
    places: dict[str, np.ndarray]
    reduced: dict[str, str]
    scores: dict[str, float]
    n_scored: int
    sha256: str
    n_characters: int
    n_words: int


def weigh(text: Text, positions: list[tuple[int, int]], names: list[str] | None) -> Evidence:
    """Place every passage of a text by every way of counting, and score the ways.

    Parameters
    ----------
    text : Text
        As stored.
    positions : list of (int, int)
        Start and end of each passage as received, end exclusive.
    names : list of str
        What the program calls each passage; some programs use its first words. None where the ways are not to be scored.

    Notes
    -----
    Where any way makes a passage start as its own name does, those ways score 1 (a half where it then starts with a space or ends
    inside a word) and the others 0. Else a way scores a half for each end that stands at the edge of a word. Outside the text, or
    inside a character, or where it would be empty, it scores 0. Passages that are empty as received say nothing.
    """
    plain = text.stored.replace("\r\n", "\n").replace("\r", "\n")
    received = np.array(positions, dtype=np.int64).reshape(-1, 2)
    reduced, places = _all_places(text, received)
    first = next(iter(places.values()))
    differ = np.logical_or.reduce([(found != first).any(axis=1) for found in places.values()])
    counted = differ & (received[:, 0] < received[:, 1])
    scores = {} if names is None else _scores(plain, places, np.flatnonzero(counted), names)
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
    return Evidence(received, places, reduced, scores, int(counted.sum()), digest, len(plain), len(plain.split()))


def _all_places(text: Text, received: np.ndarray) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return way of counting -> the simplest way that counts alike in this text, and the places by each of the simplest ways."""
    points = np.frombuffer(text.stored.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    feeds, wide = points == 10, points > 0xFFFF
    second = np.zeros(len(points), dtype=bool)
    second[1:] = feeds[1:] & (points[:-1] == 13)
    lone = feeds & ~second if text.inline else np.zeros_like(second)
    differs = {"": True, "_lf": second.any(), "_crlf": lone.any()}
    plain = np.concatenate([[0], np.cumsum(~second)])
    reduced, places, counted = {}, {}, {}
    for way, (utf16, ends, mark) in CONVENTIONS.items():
        simplest = ("utf16" if utf16 and wide.any() else "characters") + (ends if differs[ends] else "")
        reduced[way] = f"{simplest}_bom" if mark and text.had_mark else simplest
        if reduced[way] != way:
            continue
        if simplest not in counted:
            width = np.ones(len(points), dtype=np.int32) + wide * utf16 - second * (ends == "_lf") + lone * (ends == "_crlf")
            counted[simplest] = np.concatenate([[0], np.cumsum(width, dtype=np.int32)])
        stands = counted[simplest]
        wanted = np.maximum(received - 1, 0) if mark else received
        at = np.searchsorted(stands, np.clip(wanted, 0, stands[-1]))
        sound = (wanted >= 0) & (stands[at] == wanted) & (received[:, :1] <= received[:, 1:])
        if ends != "_lf":
            sound &= ~np.append(second, False)[at]
        places[way] = np.where(sound.all(axis=1)[:, None], plain[at], NOWHERE)
    return reduced, places


def _scores(plain: str, places: dict[str, np.ndarray], counted: np.ndarray, names: list[str]) -> dict[str, float]:
    """Sum of scores of each way over the passages that count."""
    kinds = _kinds_of(plain) if len(counted) else np.zeros(1, dtype=np.uint8)
    edges = {way: _edge_scores(kinds, found[counted]) * (found[counted, 0] < found[counted, 1]) for way, found in places.items()}
    for number, at in enumerate(counted):
        name = " ".join(names[at].split()).rstrip(".\u2026")
        if len(name) < 4 or re.fullmatch(r"(line:)?[\d,:\s]+", name):
            continue
        starts = {way: _starts_as(plain, name, *found[at]) for way, found in places.items()}
        if any(starts.values()):
            for way, found in places.items():
                tight = starts[way] and not plain[found[at, 0]].isspace() and _edge_scores(kinds, found[at : at + 1, 1:])[0] == 1
                edges[way][number] = 0.5 * starts[way] + 0.5 * tight
    return {way: float(scores.sum()) for way, scores in edges.items()}


def _starts_as(plain: str, name: str, start: int, end: int) -> bool:
    """Whether a passage starts with a name, however many spaces either has."""
    reach = 2 * len(name) + 20
    return start != NOWHERE and " ".join(plain[start : min(end, start + reach)].split()).startswith(name)


def _edge_scores(kinds: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Share of a passage's ends that stand at the edge of a word; 0 for a passage without a place."""
    before = np.where(ends > 0, kinds[np.maximum(ends, 1) - 1], _PLAIN)
    after = kinds[ends]
    inside = (after == _ACCENT) | ((after == _LETTER) & (before != _PLAIN))
    return np.where((ends == NOWHERE).any(axis=1), 0.0, (~inside).mean(axis=1))


def _kinds_of(plain: str) -> np.ndarray:
    """Return what each character is: part of a word, an accent on one, or neither; a last entry stands for the end of the text."""
    points = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.append(_kinds()[points], np.uint8(_PLAIN))


@functools.cache
def _kinds() -> np.ndarray:
    characters = map(chr, range(sys.maxunicode + 1))
    kind = (_LETTER if c.isalnum() else _ACCENT if unicodedata.combining(c) else _PLAIN for c in characters)
    return np.fromiter(kind, dtype=np.uint8, count=sys.maxunicode + 1)
