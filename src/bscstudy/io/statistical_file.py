"""Files of SPSS, Stata and SAS: which kind, whole or cut off, in which encoding. The bytes are judged before they are believed."""

from __future__ import annotations

import codecs
import io
import re
import warnings
from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.encodings import known_encoding
from bscstudy.io.raw import Notice
from bscstudy.io.statistical_dictionary import check_labelled_variables
from bscstudy.io.statistical_size import announces_fewer, check_last_case, check_size, unreadable

#: kind of file -> (program, name of the parser)
KINDS = {
    "sav": ("spss", "sav/zsav"),
    "por": ("spss", "por"),
    "dta": ("stata", "dta"),
    "sas7bdat": ("sas", "sas7bdat"),
    "xpt": ("sas", "xport"),
}
_SAS_START = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
#: every byte is a character of its own in it
_BYTE_FOR_BYTE = "iso8859-1"
_XPT_START = (b"HEADER RECORD*******LIBRARY HEADER RECORD", b"HEADER RECORD*******LIBV8   HEADER RECORD")


def kind_of(content: bytes) -> str:
    """Return the kind of a statistical program's file by its first bytes: a key of `KINDS`, or blank."""
    if content.startswith((b"$FL2", b"$FL3")):
        return "sav"
    if content.startswith(b"<stata_dta>") or (len(content) > 3 and 104 <= content[0] <= 115 and content[1] in (1, 2) and content[2] == 1):
        return "dta"
    if content.startswith(_SAS_START):
        return "sas7bdat"
    if content.startswith(_XPT_START):
        return "xpt"
    return "por" if b"SPSSPORT" in re.sub(rb"[\r\n]", b"", content[:600]) else ""


def parse(path: Path, content: bytes, kind: str, encoding: str | None) -> tuple[pd.DataFrame, object, str, tuple[Notice, ...]]:
    """Parse a file after checking that it holds as many records as it announces.

    Parameters
    ----------
    path : Path
        For messages only.
    content : bytes
        The whole file.
    kind : str
        A key of `KINDS`.
    encoding : str or None
        An encoding that replaces the one the file declares.

    Returns
    -------
    frame : DataFrame
        Dates are still numbers; user-missing codes stay, tagged missing values are single letters.
    meta : object
        pyreadstat's metadata.
    encoding : str
        The encoding in which the texts were read; blank where the format has its own.
    notices : tuple of Notice
        What was read otherwise than the file says, or could not be checked.

    Raises
    ------
    BscError
        BSC-SRC-003 no record, -005 two columns of one name, -006 cut off or damaged, -040 or -041 encoding, -042 more records than
        announced, -043 several data sets; BSC-CFG-006 an encoding that nobody knows.
    """
    encoding = known_encoding(path, encoding) if encoding else None
    notices: list[Notice] = []
    if kind == "sav":
        content, notices = _with_cases_counted(path, content)
    meta = _parsed(path, content, kind, encoding, metadataonly=True)[1]
    check_size(path, content, kind, meta)
    declared, named = _declared_encoding(content, kind, meta)
    wanted = encoding or (declared if _keeps_back(declared) else None)
    frame, meta = (None, meta) if meta.number_rows == 0 else _parsed(path, content, kind, wanted)
    if frame is None or not len(frame):
        raise _no_case(path)
    beyond = [] if encoding or declared in ("", "utf-8") else _beyond_ascii(frame, meta)
    if beyond and all(_is_utf8_underneath(text, declared) for text in beyond):
        frame, meta = _parsed(path, content, kind, "utf-8")
        says = f"the file says {declared}" if named else "the file names no encoding"
        notices.append(Notice("file_notice", f"texts read as utf-8, which they are; {says}", n=len(beyond), unit="texts"))
        declared = "utf-8"
    elif beyond and not named:
        said = f"texts read as {declared}, because the file names no encoding: look at a few, or declare options.encoding"
        notices.append(Notice("file_notice", said, n=len(beyond), unit="texts"))
    return frame, meta, encoding or declared, tuple(notices)


def _parsed(path: Path, content: bytes, kind: str, encoding: str | None, **more) -> tuple[pd.DataFrame, object]:
    from pyreadstat.pyreadstat import parser_entry_point

    more = {"user_missing": True, "disable_datetime_conversion": True, **more}
    own = _keeps_back(encoding)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*is duplicated.*")
            frame, meta = parser_entry_point(
                io.BytesIO(content), parser_format=KINDS[kind][1], encoding=_BYTE_FOR_BYTE if own else encoding, **more
            )
        return _decoded(frame, meta, encoding) if own else (frame, meta)
    except UnicodeError:
        raise _encoding_fault(path, encoding) from None
    except Exception as fault:  # a damaged file fails in many ways, all of them the same to the reader
        raise _fault(path, str(fault), encoding) from None


def _keeps_back(encoding: str | None) -> bool:
    """Return whether the parser's conversion loses the last letter of each text: it waits for a mark that could follow it."""
    try:
        return bool(encoding) and codecs.lookup(encoding).name in ("cp1255", "cp1258")
    except LookupError:
        return False


def _decoded(frame: pd.DataFrame, meta: object, encoding: str) -> tuple[pd.DataFrame, object]:
    """Decode every name, label and cell that was read byte for byte."""

    def decoded(value):
        if isinstance(value, str):
            return value.encode(_BYTE_FOR_BYTE).decode(encoding)
        if isinstance(value, dict):
            return {decoded(key): decoded(held) for key, held in value.items()}
        return [decoded(held) for held in value] if isinstance(value, list) else value

    for name, value in vars(meta).items():
        setattr(meta, name, decoded(value) if isinstance(value, (dict, list)) else value)
    texts = {name: [decoded(cell) for cell in frame[name]] for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])}
    changed = frame.assign(**{name: pd.Series(cells, index=frame.index, dtype=object) for name, cells in texts.items()})
    return changed.set_axis([decoded(name) for name in frame.columns], axis=1), meta


def _fault(path: Path, said: str, encoding: str | None) -> BscError:
    if "character set" in said:
        return BscError(
            "BSC-SRC-040",
            "The file names a character encoding that is not known.",
            str(path),
            "Its texts and labels cannot be read.",
            "Declare the encoding in which it was saved as options.encoding in config/sources.yaml, often cp1252 or utf-8.",
        )
    if "convert string" in said:
        return _encoding_fault(path, encoding)
    if "is duplicated" in said:
        return BscError(
            "BSC-SRC-005",
            "Two columns have one name.",
            str(path),
            "It cannot be known which of them is meant.",
            "Rename the columns at their origin and export again.",
        )
    return unreadable(path, "It ends too early, or is not in the format its first bytes announce.")


def _encoding_fault(path: Path, encoding: str | None) -> BscError:
    return BscError(
        "BSC-SRC-041",
        f"Texts of the file are not in the encoding {'declared for it' if encoding else 'that the file names or its format has'}.",
        str(path),
        "Names of places, answers and labels would be garbled, and ids would not match.",
        "Declare the encoding in which it was saved as options.encoding in config/sources.yaml, often cp1252 or utf-8.",
    )


def _no_case(path: Path) -> BscError:
    return BscError(
        "BSC-SRC-003",
        "The file holds no case.",
        str(path),
        "A source without records would make its measures vanish without a word.",
        "Check the export; if there really is no record, remove the source from config/sources.yaml.",
    )


def _with_cases_counted(path: Path, content: bytes) -> tuple[bytes, list[Notice]]:
    """Count the cases of a .sav file without its header's help, and put that number in; a wrong one would lose cases or take all memory."""
    order = "little" if int.from_bytes(content[64:68], "little") in (2, 3) else "big"
    announced = int.from_bytes(content[80:84], order, signed=True)
    check_labelled_variables(path, content, order)

    def counted(n: int) -> bytes:
        return content[:80] + n.to_bytes(4, order, signed=True) + content[84:]

    open_ended = counted(-1)
    columns = list(_parsed(path, open_ended, "sav", _BYTE_FOR_BYTE, metadataonly=True)[0].columns)
    held = len(_parsed(path, open_ended, "sav", _BYTE_FOR_BYTE, usecols=columns[:1])[0]) if columns else 0
    if announced > held:
        raise unreadable(path, f"It announces {announced} cases and holds {held}.")
    if 0 <= announced < held:
        raise announces_fewer(path, announced, str(held))
    if not held:
        raise _no_case(path)
    if announced < 0:
        check_last_case(path, content, held, order)
    said = "the header does not say how many cases there are, so that a missing end could not be noticed"
    return counted(held), [] if announced == held else [Notice("file_notice", said, n=held, unit="cases")]


def _declared_encoding(content: bytes, kind: str, meta: object) -> tuple[str, bool]:
    """Return the encoding the texts are taken to be in, and whether the file names it: Stata before 14 does not."""
    if kind == "dta":
        release = re.match(rb"<stata_dta><header><release>(\d+)", content)
        return ("utf-8", True) if release and int(release[1]) >= 118 else ("windows-1252", False)
    return (meta.file_encoding or "").lower(), True


def _beyond_ascii(frame: pd.DataFrame, meta: object) -> list[str]:
    """Return the names, labels and cells that hold other than ASCII characters."""
    texts = {*frame.columns, *(label for label in meta.column_labels if label)}
    texts |= {str(label) for labels in meta.value_labels.values() for label in labels.values()}
    for name in frame.columns:
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            texts |= {value for value in pd.unique(frame[name]) if isinstance(value, str)}
    return [text for text in texts if not text.isascii()]


def _is_utf8_underneath(text: str, declared: str) -> bool:
    try:
        return text.encode(declared).decode("utf-8") != text
    except (UnicodeError, LookupError):
        return False
