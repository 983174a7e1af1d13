"""Bytes of a text file to text: the declared encoding, checked against what the bytes themselves suggest."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, places, read_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: encodings of one byte a character that Western exports come in; any of them decodes nearly any bytes
SINGLE_BYTE = ("cp1252", "mac_roman")
#: signs that stand beside letters in plain writing: quotation marks, dashes, ellipsis, currency and such
_BESIDE_WORDS = set("\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u2022\u2122\u20ac\u200b\ufeff")
_BESIDE_WORDS |= set("\u00a0\u00a1\u00a9\u00aa\u00ab\u00ae\u00b0\u00b4\u00ba\u00bb\u00bf")
_TWINS = {"mac-roman": "mac_roman", "iso8859-1": "cp1252"}
#: letters that Western writing has rarely, and Windows-1252 where Macintosh files have common ones
_RARE = set("\u0160\u0161\u017d\u017e\u0178\u0192\u02c6\ufb01\ufb02")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_TWICE = re.compile("[\u00c2\u00c3][\u0080-\u00bf\u0192\u2013-\u2122]|\u00e2\u20ac[\u0080-\uffff]")


def read_text(path: Path, declared: str | None) -> tuple[str, str, tuple[Notice, ...]]:
    """Return a text file's content, the encoding used, and what is doubtful about it.

    Parameters
    ----------
    path : Path
        The file.
    declared : str or None
        The encoding of the configuration; utf-8 where there is none. A byte-order mark is passed over.

    Returns
    -------
    tuple
        Text without a byte-order mark, name of the encoding, notices: bytes that another encoding would turn into likelier
        letters, characters lost before the export, text that was decoded twice.

    Raises
    ------
    BscError
        BSC-SRC-001 missing or empty file, -002 not text in that encoding, -061 NUL bytes; BSC-CFG-006 an encoding that nobody knows.
    """
    content = read_bytes(path)
    mark = next((name for start, name in _MARKS if content.startswith(start)), None)
    plain = known_encoding(path, declared or "utf-8")
    encoding = mark if mark and plain.startswith(mark.removesuffix("-sig")) else plain
    if mark and encoding != mark:
        raise _encoding_error(path, 1, plain, f"The file itself says that it is {mark.replace('-sig', '')}: declare that.")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as fault:
        raise _encoding_error(path, content[: fault.start].count(b"\n") + 1, encoding, _advice(content)) from None
    if "\x00" in text:
        raise _nul_error(path, text)
    return text, encoding, tuple(_doubts(content, text, encoding))


def odd_letters(text: str) -> float:
    """Return how many characters beyond ASCII stand oddly beside ASCII letters.

    Signs and capitals inside a word count 1, letters that are rare in Western writing a half.
    """
    odd = 0.0
    for match in _BEYOND.finditer(text):
        place, mark = match.start(), match[0]
        sides = (text[place - 1] if place else "", text[place + 1 : place + 2])
        before, after = (side if side.isascii() and side.isalpha() else "" for side in sides)
        if not before and not after:
            continue
        sign = not mark.isalpha() and mark not in _BESIDE_WORDS
        capital = mark.isupper() and bool(before) and (before.islower() or after.islower())
        odd += 1 if sign or capital else 0.5 * (mark in _RARE)
    return odd


def _doubts(content: bytes, text: str, encoding: str) -> list[Notice]:
    if text.isascii():
        return []
    doubts = []
    lost, twice = text.count("\ufffd"), len(_TWICE.findall(text))
    if lost:
        doubts.append(Notice("file_notice", "characters were lost before the export (replacement characters)", n=lost, unit="characters"))
    if encoding.startswith("utf"):
        if twice:
            doubts.append(Notice("file_notice", "text that was decoded twice at its origin", n=twice, unit="places"))
        return doubts
    high = sum(1 for character in text if ord(character) > 127)
    likelier = _likelier(content, text, encoding)
    if likelier:
        doubts.append(Notice("file_notice", f"read as {encoding} as declared; the bytes look like {likelier}", n=high, unit="characters"))
    return doubts


def _likelier(content: bytes, text: str, encoding: str) -> str:
    """Return the encoding that the bytes suggest more strongly than the one in use, or blank."""
    if _decodes(content, "utf-8"):
        return "utf-8"
    readings = _readings(content)
    if encoding == "iso8859-1" and re.search("[\x80-\x9f]", text):
        return min(readings, key=readings.get, default="")
    readings.pop(_TWINS.get(encoding, encoding), None)
    best = min(readings, key=readings.get, default="")
    return best if best and readings[best] < odd_letters(text) else ""


def _readings(content: bytes) -> dict[str, float]:
    """Return encoding -> odd letters, for those that decode the bytes at all."""
    return {name: odd_letters(content.decode(name)) for name in SINGLE_BYTE if _decodes(content, name)}


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _advice(content: bytes) -> str:
    readings = _readings(content)
    ranked = sorted(readings, key=readings.get)
    if ranked and (len(ranked) == 1 or readings[ranked[0]] < readings[ranked[1]]):
        return f"The bytes look like {ranked[0]}: look at a few names, declare it as options.encoding, or save the file as UTF-8."
    return "Often the right one is cp1252 (Excel on Windows): declare it as options.encoding, or save the file as UTF-8."


def known_encoding(path: Path, wanted: str) -> str:
    try:
        "".encode(wanted)
        return codecs.lookup(wanted).name
    except (LookupError, ValueError):
        raise BscError(
            "BSC-CFG-006",
            "The encoding is not one that is known.",
            f"config/sources.yaml, options.encoding of {path}",
            "The file cannot be read.",
            "Use for example utf-8, cp1252 or utf-16.",
        ) from None


def _encoding_error(path: Path, line: int, encoding: str, hint: str) -> BscError:
    return BscError(
        "BSC-SRC-002",
        f"The file is not text in the encoding {encoding}.",
        f"{path}, line {line}",
        "Names of places and answers would be garbled, and ids would not match.",
        hint,
    )


def _nul_error(path: Path, text: str) -> BscError:
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if "\x00" in line]
    wide = text.count("\x00") * 4 > len(text)
    hint = "It looks like UTF-16: declare utf-16-le or utf-16-be as options.encoding." if wide else "Copy or export it again."
    return BscError(
        "BSC-SRC-061",
        f"{len(lines)} line(s) hold NUL bytes, which no text has.",
        places([f"{path}, line {line}" for line in lines]),
        "The file was cut or damaged on its way, or its encoding is another one.",
        hint,
    )
