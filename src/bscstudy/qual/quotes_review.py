"""Words of listed quotes that look like names and that no list knows: for the eyes of the person who approves."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from bscstudy.qual.columns import QUOTES_REVIEW
from bscstudy.qual.folding import plain
from bscstudy.qual.scrub import MARKER

_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_SPEAKER = {"i", "i'm", "i've", "i'd", "i'll"}
CONTEXT = 40


def lower_case_words(texts: Iterable[str]) -> set[str]:
    """Return the words that somebody writes in lower case: such a word with a capital at the start of a sentence is no name."""
    return {word for text in texts for word in _WORD.findall(plain(text)) if word == word.lower()}


def review_table(scrubbed: dict[int, str], vocabulary: set[str]) -> pd.DataFrame:
    """Return one row for each word with a capital that the scrub left in a quote.

    Parameters
    ----------
    scrubbed : dict of int to str
        Row of config/qual/quotes.csv -> its scrubbed text, approved or not.
    vocabulary : set of str
        As `lower_case_words` returns it; at the start of a sentence its words are passed over.

    Returns
    -------
    DataFrame
        `quote`, `position` (characters from 0), `word`, `first_in_sentence` (1/0), `context`.
    """
    rows = [row for number, text in sorted(scrubbed.items()) for row in _words_of(number, text, vocabulary)]
    return pd.DataFrame(rows, columns=[column.name for column in QUOTES_REVIEW])


def _words_of(number: int, text: str, vocabulary: set[str]) -> list[dict]:
    marked = [match.span() for match in MARKER.finditer(text)]
    rows = []
    for match in _WORD.finditer(text):
        word, place = match[0], match.start()
        if word == word.lower() or word.lower().replace("\u2019", "'") in _SPEAKER or any(a <= place < b for a, b in marked):
            continue
        first = not text[:place].rstrip(" \"'\u201c\u2018([").rstrip() or text[:place].rstrip(" \"'\u201c\u2018([")[-1] in ".!?:;\u2026"
        if first and word.lower() in vocabulary:
            continue
        context = text[max(0, place - CONTEXT) : match.end() + CONTEXT]
        rows.append({"quote": number, "position": place, "word": word, "first_in_sentence": int(first), "context": context})
    return rows
