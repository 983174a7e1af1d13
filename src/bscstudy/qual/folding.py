"""One spelling for words that look alike: case, accents, look-alike letters, invisible characters, hyphens and apostrophes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

#: letters that Unicode does not take apart
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n", "ə": "e", "ɑ": "a"}
)
#: Greek and Cyrillic letters that look like Latin ones
_LOOK_ALIKES = str.maketrans("αβεηικνορτυχγаеорсхуівкмнтјѕһԁԛԝ", "abenikvoptuxyaeopcxyibkmhtjshdqw")
#: accents that are also written as a second letter
_DIGRAPHS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
SPACE, BREAK = " ", "-"


@dataclass(frozen=True)
class Folded:
    """A text in one spelling. `at[i]` is the place in the plain text of character i; letters and digits, spaces, and `-` for all else."""

    text: str
    at: tuple[int, ...]


def plain(text: str) -> str:
    """Return a text without invisible characters, with characters of one meaning in one form (wide, ligature, accents as one)."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not _is_invisible(c))


def _is_invisible(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cf", "Cs", "Co") or (kind == "Cc" and character not in "\n\t\r") or character in "\u034f\u115f\u1160\u3164\ufe0e\ufe0f"


def fold(text: str) -> Folded:
    """Return a plain text in one spelling, with the way back to its characters."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in _folded(character):
            letters.append(letter)
            places.append(place)
    return Folded("".join(letters), tuple(places))


def _folded(character: str) -> str:
    if character.isspace():
        return SPACE
    apart = unicodedata.normalize("NFKD", character.casefold())
    bare = "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS).translate(_LOOK_ALIKES)
    if not bare and unicodedata.combining(character):
        return ""
    return "".join(c if c.isalnum() else BREAK for c in bare)


def spellings(term: str) -> list[list[str]]:
    """Return the spellings of a term as lists of its folded words: accents left out, and accents as a second letter (`ü`: `u`, `ue`).

    The way back, `ue` for `u`, is a spelling too, so that either form of a name finds both.
    """
    text = plain(term)
    written = unicodedata.normalize("NFC", text.casefold())
    twice = "".join(_DIGRAPHS.get(c, c) for c in written)
    once = written
    for pair in _DIGRAPHS.values():
        once = once.replace(pair, pair[0])
    found = []
    for one in dict.fromkeys((written, twice, once)):
        words = fold(one).text.replace(BREAK, SPACE).split()
        if words and words not in found:
            found.append(words)
    return found
