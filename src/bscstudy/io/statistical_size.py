"""Is a statistical program's file whole? Its header's counts are held against its bytes before anything is read."""

from __future__ import annotations

import re
from pathlib import Path

from bscstudy.errors import BscError

_SAS_COMPRESSED = (b"SASYZCRL", b"SASYZCR2")
#: Stata's type codes -> bytes of a value; a smaller code is the length of a text
_STATA_BYTES = {32768: 8, 65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1}
#: the same for Stata 8 to 12
_STATA_BYTES_BEFORE_13 = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}


def unreadable(path: Path, detail: str) -> BscError:
    """Return the error of a file that is cut off or damaged."""
    return BscError(
        "BSC-SRC-006",
        f"The file of a statistical program cannot be read. {detail}",
        str(path),
        "Cases or answers would be lost.",
        "Copy the file again from its origin and compare the sizes; an interrupted transfer is the usual cause.",
    )


def announces_fewer(path: Path, announced: int, held: str) -> BscError:
    """Return the error of a file that holds more records than it announces."""
    return BscError(
        "BSC-SRC-042",
        f"The file announces {announced} records and holds {held}.",
        str(path),
        "The surplus records would be passed over without a word.",
        "Open the file in its own program, compare the number of records with the study's books, and save it anew.",
    )


def check_size(path: Path, content: bytes, kind: str, meta: object) -> None:
    """Check that the announced records, and no more, have room in the file.

    Parameters
    ----------
    path : Path
        For messages only.
    content : bytes
        The whole file.
    kind : {"sav", "por", "dta", "sas7bdat", "xpt"}
        Which kind of file it is; .sav files are counted elsewhere, .por files have an end mark of their own.
    meta : object
        pyreadstat's metadata.

    Raises
    ------
    BscError
        BSC-SRC-006 no room for the records, or the end is missing; -042 more records than announced; -043 several data sets.
    """
    if kind in ("dta", "sas7bdat") and (meta.number_rows is None or meta.number_rows < 0):
        raise unreadable(path, "The number of records it announces is impossible.")
    rows, width = meta.number_rows or 0, sum(meta.variable_storage_width.values())
    if kind == "xpt":
        _check_transport(path, content, width)
    elif kind == "sas7bdat":
        _check_room(path, rows, rows * (12 if any(mark in content for mark in _SAS_COMPRESSED) else width), len(content))
    elif kind == "dta" and content.startswith(b"<stata_dta>"):
        room, width = _stata_room(path, content, len(meta.column_names))
        if room > rows * width:
            raise announces_fewer(path, rows, "more than that")
        _check_room(path, rows, rows * width, room)
    elif kind == "dta":
        _check_room(path, rows, rows * len(meta.column_names), len(content))
        if content[0] in (113, 114, 115):
            _check_stata_before_13(path, content, rows, len(meta.column_names))


def check_last_case(path: Path, content: bytes, held: int, order: str) -> None:
    """Check that a .sav file whose header does not count its cases ends with a whole one (BSC-SRC-006).

    Parameters
    ----------
    path : Path
        For messages only.
    content : bytes
        The whole file.
    held : int
        How many whole cases were found.
    order : {"little", "big"}
        Byte order of its numbers.
    """
    a_case, packing = (int.from_bytes(content[place : place + 4], order, signed=True) for place in (68, 72))
    end_of_dictionary = (999).to_bytes(4, order) + bytes(4)
    starts = [found.end() for found in re.finditer(re.escape(end_of_dictionary), content)]
    if packing == 0:
        whole = len(content) - held * a_case * 8 in starts
    else:
        whole = packing == 2 or any(_ends_whole(content, start, a_case) for start in starts[:3])
    if a_case > 0 and not whole:
        raise unreadable(path, "Its last case is not whole.")


def _ends_whole(content: bytes, start: int, a_case: int) -> bool:
    """Return whether compressed cases run from `start` exactly to the end: eight codes of a byte, then what they point to."""
    place, units = start, 0
    while place < len(content):
        codes = content[place : place + 8]
        place += 8 + 8 * codes.count(253)
        units += 8 - codes.count(0) - codes.count(252)
        if 252 in codes:
            break
    return place == len(content) and units % a_case == 0


def _check_room(path: Path, rows: int, wanted: int, room: int) -> None:
    if wanted > room:
        raise unreadable(path, f"It announces {rows} records and has no room for them.")


def _stata_room(path: Path, content: bytes, n_columns: int) -> tuple[int, int]:
    """Return the bytes between <data> and </data> of a Stata 13 or later file, by the map in its header, and those of a record."""
    start = content.find(b"<map>") + len(b"<map>")
    order = "big" if b"<byteorder>MSF" in content[:200] else "little"
    types, data, end = (int.from_bytes(content[start + 8 * place : start + 8 * place + 8], order) for place in (2, 9, 10))
    types += len(b"<variable_types>")
    whole = (
        content[types - 16 : types] == b"<variable_types>"
        and content[data : data + 6] == b"<data>"
        and content[end - 7 : end] == b"</data>"
    )
    if not whole or not content.endswith(b"</stata_dta>"):
        raise unreadable(path, "Its map does not lead to its data, or its end is missing.")
    codes = [int.from_bytes(content[types + 2 * place : types + 2 * place + 2], order) for place in range(n_columns)]
    return end - data - len(b"<data></data>"), sum(_STATA_BYTES.get(code, code) for code in codes)


def _check_transport(path: Path, content: bytes, width: int) -> None:
    """Before version 8 a transport file counts no records: the last one must be whole, and only blanks may follow."""
    members = len(re.findall(rb"HEADER RECORD\*{7}MEM(?:BER |BV8 )", content))
    if members > 1:
        raise BscError(
            "BSC-SRC-043",
            f"The file holds {members} data sets.",
            str(path),
            "Only the first would be read.",
            "Export each data set into a file of its own.",
        )
    mark = re.search(rb"HEADER RECORD\*{7}OBS(?:V8)? +HEADER RECORD!{7}", content)
    body = content[mark.start() + 80 :] if mark else b""
    counted = content[mark.end() : mark.end() + 15].strip() if mark and b"OBSV8" in mark[0] else b""
    records = int(counted) if counted.isdigit() and int(counted) else len(body) // width if width else 0
    if not mark or len(content) % 80 or records * width > len(body):
        raise unreadable(path, "Its last record is not whole.")
    if body[records * width :].strip(b" "):
        raise announces_fewer(path, records, "more than that") if counted else unreadable(path, "Its last record is not whole.")


def _check_stata_before_13(path: Path, content: bytes, rows: int, n_columns: int) -> None:
    """After the data of a Stata 8 to 12 file nothing may stand but whole tables of value labels."""
    order = "little" if content[1] == 2 else "big"
    place = 109 + n_columns * (1 + 33 + (12 if content[0] == 113 else 49) + 33 + 81) + 2 * (n_columns + 1)
    width = sum(_STATA_BYTES_BEFORE_13.get(code, code) for code in content[109 : 109 + n_columns])
    while any(content[place : place + 5]):
        place += 5 + int.from_bytes(content[place + 1 : place + 5], order)
    place += 5 + rows * width
    while 0 < len(content) - place:
        place += 4 + 33 + 3 + int.from_bytes(content[place : place + 4], order)
    if place != len(content):
        raise unreadable(path, "What follows its data is not whole.")
