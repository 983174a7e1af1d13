"""What coders are compared in: whole documents, excerpts, paragraphs or characters, as ratings 1 (the theme is there) and 0."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.measures.rating_patterns import NO_RATING
from bscstudy.measures.unitizing_alpha import merged
from bscstudy.qual.agreement_texts import Texts
from bscstudy.qual.codes import ROLES_COMPARED

DOCUMENT, EXCERPT, PARAGRAPH, CHARACTER = UNITS = ("document", "excerpt", "paragraph", "character")
#: what is known of a passage whose place in the text can be relied on
PLACED = ("exact", "converted", "forced", "as_received")
NOWHERE = np.zeros((0, 3))
_WANTED = ["coder_id", "start", "end", "offset_status"]


@dataclass(frozen=True)
class CodingRecord:
    """Who read which document and where they found which theme.

    Attributes
    ----------
    coders : tuple of str
        Sorted; `main` before `second` where roles are compared.
    documents : list of str
        Those that two or more coders have read, sorted; everywhere else a document is its place in this list.
    read : ndarray of bool, documents x coders
    spans : dict
        (coder, theme) -> ndarray k x 3: document, start, end of each stretch; the whole text where the place is not known.
    unplaced : frozenset of str
        Documents with a coding whose place in the text is not known.
    read_by_any : frozenset of str
        All documents that at least one coder is known to have read.
    """

    coders: tuple[str, ...]
    documents: list[str]
    read: np.ndarray
    spans: dict[tuple[str, str], np.ndarray]
    unplaced: frozenset[str]
    read_by_any: frozenset[str]

    def found(self, coder: str, theme: str) -> np.ndarray:
        """Return where a coder found a theme: document, start, end."""
        return self.spans.get((coder, theme), NOWHERE)

    def passages(self) -> np.ndarray:
        """Return all stretches with a theme, whoever coded them."""
        return np.concatenate([NOWHERE, *self.spans.values()])


@dataclass(frozen=True)
class Pieces:
    """The units of the texts, which are laid behind each other without touching.

    Attributes
    ----------
    unit : str
    base, size : ndarray of float, one for each document
        Where a document starts on the common line, and its length there.
    start, end : ndarray of float, n
        The units on the common line, in order; they do not overlap. Characters have none: they follow from each theme's passages.
    document : ndarray of int, n
    """

    unit: str
    base: np.ndarray
    size: np.ndarray
    start: np.ndarray
    end: np.ndarray
    document: np.ndarray


def coding_record(codings: pd.DataFrame, documents: pd.DataFrame, coders: str = "role") -> CodingRecord:
    """Gather the codings made before any consensus.

    Parameters
    ----------
    codings : DataFrame
        `document_id`, `coder_role`, `theme` (blank: an ignored code), and `coder_id`, `start`, `end`, `offset_status` where known.
    documents : DataFrame
        `document_id`, and where known `coded` and `coded_second`: 1 where the main or the second coder has read the document, also if
        no code was given. Without them a document belongs to those who gave it a code of any kind.
    coders : {'role', 'person'}
        Whether the main coder is compared with the second, or each person with each other.

    Raises
    ------
    BscError
        BSC-QUA-120 where persons are compared and a coding names no coder.
    """
    rows = codings[codings["coder_role"].isin(ROLES_COMPARED)].reindex(columns=list(dict.fromkeys([*codings.columns, *_WANTED])))
    if coders == "person":
        _check_coders(rows)
    rows = rows.assign(coder=rows["coder_id" if coders == "person" else "coder_role"].astype(object))
    read = defaultdict(set)
    for document, coder in zip(rows["document_id"], rows["coder"], strict=True):
        read[document].add(coder)
    for role, column in zip(ROLES_COMPARED, ("coded", "coded_second"), strict=True):
        if coders == "role" and column in documents.columns:
            for document in documents.loc[documents[column] == 1, "document_id"]:
                read[document].add(role)
    names = ROLES_COMPARED if coders == "role" else tuple(sorted(rows["coder"].unique()))
    twice = sorted(document for document, who in read.items() if len(who) > 1)
    who_read = np.array([[coder in read[document] for coder in names] for document in twice], bool).reshape(len(twice), len(names))
    rows = rows.dropna(subset=["theme"])
    placed = rows["start"].notna() & (rows["end"] > rows["start"]) & rows["offset_status"].isin(PLACED)
    unplaced = frozenset(rows.loc[~placed, "document_id"])
    rows = rows.assign(
        place=rows["document_id"].map({document: i for i, document in enumerate(twice)}),
        start=rows["start"].where(placed, 0.0).astype(float),
        end=rows["end"].where(placed, np.inf).astype(float),
    ).dropna(subset=["place"])
    spans = {key: part[["place", "start", "end"]].to_numpy(float) for key, part in rows.groupby(["coder", "theme"], sort=True)}
    return CodingRecord(names, twice, who_read, spans, unplaced, frozenset(read))


def pieces_of(record: CodingRecord, unit: str, texts: Texts) -> Pieces:
    """Return the units of all documents of the record.

    Parameters
    ----------
    unit : one of `UNITS`
        ``document``: the theme is anywhere in it. ``excerpt``: passages with a theme that overlap, whoever coded them, are one excerpt, and
        the theme is in it where a coder's passage touches it. ``paragraph``: so for each paragraph. ``character``: each on its own.
    texts : Texts
        Documents without a length or paragraphs have none of these units.
    """
    n = len(record.documents)
    known = record.passages()
    known = known[np.isfinite(known[:, 2])]
    own = [(i, *span) for i, document in enumerate(record.documents) for span in texts.paragraphs.get(document, [])]
    paragraphs = np.array(own, float).reshape(-1, 3)
    size = np.array([texts.characters.get(document, 0.0) for document in record.documents])
    if unit != CHARACTER:
        size = np.maximum(size, 1)
        for spans in (known, paragraphs):
            np.maximum.at(size, spans[:, 0].astype(int), spans[:, 2])
    base = np.concatenate([[0.0], np.cumsum(size + 1)])[:n]
    whole = np.column_stack([np.arange(n), np.zeros(n), size])
    units = {DOCUMENT: whole, PARAGRAPH: paragraphs, EXCERPT: merged(known, touching=False), CHARACTER: NOWHERE}[unit]
    document = units[:, 0].astype(int)
    return Pieces(unit, base, size, units[:, 1] + base[document], units[:, 2] + base[document], document)


def theme_ratings(record: CodingRecord, theme: str, used: np.ndarray, pieces: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the coders' ratings of one theme in the units of some documents.

    Parameters
    ----------
    used : ndarray of bool, one for each document of the record
        Those in which the theme could come up.
    pieces : Pieces

    Returns
    -------
    codes : ndarray of int, n x coders
        1, 0, or `NO_RATING` where the coder has not read the document.
    clusters : ndarray of int, n
        The document of each row.
    times : ndarray of float, n
        How many units a row stands for (characters of a stretch, else 1).
    """
    marked = [_on_the_line(record.found(coder, theme), pieces) for coder in record.coders]
    start, end, document = pieces.start, pieces.end, pieces.document
    if pieces.unit == CHARACTER:
        start, end, document = _stretches(marked, pieces)
    kept = used[document]
    start, end, document = start[kept], end[kept], document[kept]
    found = [np.searchsorted(own[:, 0], end, side="left") > np.searchsorted(own[:, 1], start, side="right") for own in marked]
    codes = np.where(record.read[document], np.column_stack(found).astype(int), NO_RATING)
    return codes, document, end - start if pieces.unit == CHARACTER else np.ones(len(document))


def _on_the_line(spans: np.ndarray, pieces: Pieces) -> np.ndarray:
    """Return stretches (start, end) on the common line, in order and not overlapping; a place that is not known is the whole text."""
    document = spans[:, 0].astype(int)
    inside = np.column_stack([spans[:, 0], spans[:, 1], np.minimum(spans[:, 2], pieces.size[document])])
    inside = merged(inside)
    return inside[:, 1:] + pieces.base[inside[:, 0].astype(int), None]


def _stretches(marked: list[np.ndarray], pieces: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the stretches of text between any two ends of passages: start, end, document."""
    edges = np.unique(np.concatenate([pieces.base, pieces.base + pieces.size, *(own.reshape(-1) for own in marked)]))
    document = np.searchsorted(pieces.base, edges[:-1], side="right") - 1
    inside = edges[:-1] < pieces.base[document] + pieces.size[document]
    return edges[:-1][inside], edges[1:][inside], document[inside]


def _check_coders(rows: pd.DataFrame) -> None:
    nameless = rows["coder_id"].isna()
    if nameless.any():
        sources = rows.loc[nameless, "coding_id"].str.rsplit(":", n=1)
        raise BscError(
            "BSC-QUA-120",
            f"{int(nameless.sum())} coding(s) name no coder.",
            tuple(f"source {source}, row {row}" for source, row in sources),
            "Agreement is asked for between persons, and these codings belong to none.",
            "Name the coder (`coder_id` among the keys of the source), or compare roles (`coders: role` in config/qual.yaml).",
        )
