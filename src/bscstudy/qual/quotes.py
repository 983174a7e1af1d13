"""Which quotes may be shown: approved by a person, from a place that is known for certain, scrubbed; all others keep their text.

Called by the rule `scrub_quotes`. Rows are those of config/qual/quotes.csv, which holds no text: a quote is cut from the coded
project when the study runs. Errors name rows of that file and nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from bscstudy.errors import BscError, rows_said
from bscstudy.qual.columns import QUOTES
from bscstudy.qual.folding import plain
from bscstudy.qual.scrub import DenyList, residue, scrub

FILE = "config/qual/quotes.csv"
PLACE_COLUMNS = ("document_id", "code_path", "start", "end")
DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Passage:
    """A coded passage: the text it stands in (None where the file does not hold it), its place there, and whether that is certain."""

    text: str | None
    start: int
    end: int
    certain: bool


def listed_quotes(
    rows: list[dict], codings: pd.DataFrame, documents: pd.DataFrame, passages: dict[str, Passage], deny: DenyList, key: bytes = b""
) -> pd.DataFrame:
    """Return every listed quote, scrubbed, and whether it may be shown; for the reviewer's eyes (`shown_only` is what travels on).

    Parameters
    ----------
    rows : list of dict
        Rows of config/qual/quotes.csv.
    codings : DataFrame
        qual/codings.
    documents : DataFrame
        `document_id`, `wave`, `person_id` (missing: a group, which needs `group_consent`), `center_id`, `collaborative`, `role`.
    passages : dict of str to Passage
        Coding -> its passage.
    deny : DenyList
        What no quote may hold.
    key : bytes
        Key of the digests, which tell whether a passage is still the one that was approved.

    Returns
    -------
    DataFrame
        The columns of qual/quotes.csv; `why` says what keeps a quote out: no_theme, not_approved, place_not_certain, no_text,
        no_group_consent.

    Raises
    ------
    BscError
        BSC-QUA-080 a row that names no coding or several, -081 an approval without reviewer, day or digest, -082 a passage that is no
        longer the one approved, -083 a place outside its passage, -084 a denied term left in an approved quote.
    """
    known = {coding["coding_id"]: coding for coding in codings.to_dict("records")}
    found = dict(zip(_numbers(rows), _codings_of(rows, codings), strict=True))
    about = documents.set_index("document_id").to_dict("index")
    table = [_quote(n, row, known[found[n]], about, passages, deny, key) for n, row in zip(_numbers(rows), rows, strict=True)]
    _check_approvals(rows, table)
    left = [quote["quote"] for quote in table if quote["shown"] and residue(quote["text"], deny)]
    if left:
        raise _refused(
            "BSC-QUA-084",
            f"{len(left)} approved quote(s) still hold a denied term after the scrub.",
            left,
            "A name or place would be published.",
            "Add the longer word that holds it to the deny list, shorten the passage with `start` and `end`, or withdraw the approval.",
        )
    return pd.DataFrame(table, columns=[column.name for column in QUOTES])


def text_column(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the column of a table of coded passages that holds their text (BSC-CFG-298 where there is none)."""
    if column not in frame.columns:
        raise BscError(
            "BSC-CFG-298",
            "The table that quotes are cut from has no such column of texts.",
            "config/qual.yaml: quotes, text",
            "No quote could be shown.",
            "Name the column as the file's header has it.",
        )
    return frame[column]


def shown_only(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the listed quotes without the text of those that may not be shown."""
    return listed.assign(text=listed["text"].where(listed["shown"] == 1))


def _numbers(rows: list[dict]) -> range:
    """Return the rows' numbers in their file, whose header is row 1."""
    return range(2, len(rows) + 2)


def _codings_of(rows: list[dict], codings: pd.DataFrame) -> list[str]:
    """Return the coding of each row: by its id, or by document, code and exact place."""
    ids = set(codings["coding_id"])
    by_place: dict[tuple, list[str]] = {}
    for name, *place in codings[["coding_id", *PLACE_COLUMNS]].itertuples(index=False, name=None):
        by_place.setdefault(tuple(None if pd.isna(part) else part for part in place), []).append(name)
    found = []
    for row in rows:
        named = [row["coding_id"]] if row["coding_id"] in ids else []
        found.append(named if row["coding_id"] else by_place.get(tuple(row[column] for column in PLACE_COLUMNS), []))
    lost = [number for number, named in zip(_numbers(rows), found, strict=True) if len(named) != 1]
    if lost:
        raise _refused(
            "BSC-QUA-080",
            f"{len(lost)} quote(s) name no coded passage, or several.",
            lost,
            "It is not known which passage was meant, and another one could be shown.",
            "Give `coding_id` as data/derived/qual/codings.csv has it, or document_id, code_path, start and end of one coding.",
        )
    return [named[0] for named in found]


def _quote(number: int, row: dict, coding: dict, about: dict, passages: dict, deny: DenyList, key: bytes) -> dict:
    passage = passages.get(coding["coding_id"])
    document = about.get(coding["document_id"], {})
    words = "" if passage is None or passage.text is None or not passage.certain else _cut(number, row, passage)
    scrubbed = scrub(words, deny)
    why = _why_not(row, coding, document, passage, words)
    return {
        "quote": number,
        **{name: coding[name] for name in ("coding_id", "document_id", "theme", "direction")},
        **{name: document.get(name) for name in ("wave", "center_id", "collaborative", "role")},
        "attribution": row["attribution"] or "neither",
        "digest": passage_digest(coding["document_id"], words, key) if words else None,
        "n_replaced": scrubbed.n_replaced if words else None,
        "shown": int(not why),
        "why": why or None,
        "text": scrubbed.text or None,
    }


def _why_not(row: dict, coding: dict, document: dict, passage: Passage | None, words: str) -> str:
    if pd.isna(coding["theme"]):
        return "no_theme"
    if row["approved_quote"] != "yes":
        return "not_approved"
    if passage is not None and passage.text is not None and not passage.certain:
        return "place_not_certain"
    if not words:
        return "no_text"
    in_group = pd.isna(document.get("person_id"))
    return "no_group_consent" if in_group and row["group_consent"] != "yes" else ""


def _cut(number: int, row: dict, passage: Passage) -> str:
    """Return the words of a quote: the passage, or the part of it that the row names."""
    start = passage.start if row["start"] is None else row["start"]
    end = passage.end if row["end"] is None else row["end"]
    if not passage.start <= start < end <= passage.end or end > len(passage.text):
        raise _refused(
            "BSC-QUA-083",
            "A quote's place is not inside the coded passage.",
            [number],
            "Words that nobody approved could be shown.",
            "Let `start` and `end` lie inside the coding, or leave both blank for the whole passage.",
        )
    return passage.text[start:end]


def passage_digest(document: str, words: str, key: bytes = b"") -> str:
    """Return sixteen hexadecimal digits that change when a passage's words do; approvals repeat them."""
    return hmac.digest(key, f"{document}|{' '.join(plain(words).split())}".encode(), "sha256").hex()[:DIGEST_LENGTH]


def _check_approvals(rows: list[dict], table: list[dict]) -> None:
    approved = [(row, quote) for row, quote in zip(rows, table, strict=True) if row["approved_quote"] == "yes"]
    bare = [quote["quote"] for row, quote in approved if not (row["reviewer"] and _is_day(row["date"]) and row["digest"])]
    if bare:
        raise _refused(
            "BSC-QUA-081",
            f"{len(bare)} quote(s) are marked as approved without reviewer, day or digest.",
            bare,
            "An approval counts only where somebody stands for it, and for these words.",
            "Fill reviewer, date (YYYY-MM-DD) and digest (as data/derived/qual/quotes.csv shows it), or set approved_quote to no.",
        )
    other = [quote["quote"] for row, quote in approved if quote["digest"] and quote["digest"] != row["digest"]]
    if other:
        raise _refused(
            "BSC-QUA-082",
            f"{len(other)} approved passage(s) are no longer the ones that were approved.",
            other,
            "The project, the passage or the key has changed; words that nobody has read would be shown.",
            "Read the passage again and approve it with its new digest, or set approved_quote to no.",
        )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refused(code: str, what: str, numbers: Iterable[int], why: str, todo: str) -> BscError:
    return BscError(code, what, f"{FILE}{rows_said(numbers)}", why, todo)
