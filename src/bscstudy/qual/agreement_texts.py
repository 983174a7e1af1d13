"""The lengths and paragraphs of texts that agreement below the whole document needs, checked against the coded passages."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from bscstudy.errors import BscError

Span = tuple[float, float]


@dataclass(frozen=True)
class Texts:
    """What is known of the texts.

    Attributes
    ----------
    characters : dict
        Document -> its length in characters.
    paragraphs : dict
        Document -> its paragraphs (start, end) in order; characters from 0, end exclusive.
    """

    characters: dict[str, float] = field(default_factory=dict)
    paragraphs: dict[str, list[Span]] = field(default_factory=dict)


def texts_of(documents: pd.DataFrame, paragraphs: pd.DataFrame | None = None) -> Texts:
    """Gather lengths and paragraphs.

    Parameters
    ----------
    documents : DataFrame
        `document_id`, and `characters` where the study has it.
    paragraphs : DataFrame, optional
        `document_id`, `start`, `end`: one row for each paragraph. Rows without a place are left out.
    """
    lengths = {}
    if "characters" in documents.columns:
        known = documents.dropna(subset=["document_id", "characters"])
        lengths = dict(zip(known["document_id"], known["characters"].astype(float), strict=True))
    places: dict[str, list[Span]] = {}
    if paragraphs is not None:
        known = paragraphs.dropna(subset=["document_id", "start", "end"])
        for document, start, end in zip(known["document_id"], known["start"].astype(float), known["end"].astype(float), strict=True):
            places.setdefault(document, []).append((start, end))
    return Texts(lengths, {document: sorted(part) for document, part in places.items()})


def check_lengths(passages: dict[str, list[Span]], documents: list[str], texts: Texts) -> None:
    """Check that the length of every compared document is known and that no passage lies beyond it.

    Parameters
    ----------
    passages : dict
        Document -> all coded stretches of it.
    documents : list of str
        The compared ones.

    Raises
    ------
    BscError
        BSC-QUA-117 with the documents of unknown length, BSC-QUA-118 with those whose passages lie beyond their end.
    """
    unknown = [document for document in documents if not texts.characters.get(document, 0) > 0]
    if unknown:
        raise BscError(
            "BSC-QUA-117",
            f"The length of {len(unknown)} document(s) is not known.",
            tuple(f"document '{document}'" for document in unknown),
            "Agreement on characters counts the text that nobody coded, too.",
            "Give the source of documents the item `characters` (length of each text), or choose a larger unit.",
        )
    beyond = [d for d in documents if any(end > texts.characters[d] for _, end in passages.get(d, []))]
    if beyond:
        raise BscError(
            "BSC-QUA-118",
            f"Coded passages lie beyond the end of {len(beyond)} document(s).",
            tuple(f"document '{document}'" for document in beyond),
            "The coders' places and the text's length do not speak of the same text.",
            "Correct `characters`, or export the codings from the same version of the text.",
        )


def check_paragraphs(passages: dict[str, list[Span]], documents: list[str], texts: Texts) -> None:
    """Check that compared documents have paragraphs that do not overlap and that hold every passage.

    Raises
    ------
    BscError
        BSC-QUA-119 with the documents where it is not so, and what is wrong.
    """
    faults = []
    for document in documents:
        places = texts.paragraphs.get(document, [])
        if not places:
            faults.append(f"document '{document}' has no paragraph")
        elif any(end <= start for start, end in places):
            faults.append(f"document '{document}' has a paragraph that ends before it starts")
        elif any(later[0] < earlier[1] for earlier, later in zip(places, places[1:], strict=False)):
            faults.append(f"document '{document}' has paragraphs that overlap")
        elif any(not any(a < end and start < b for a, b in places) for start, end in passages.get(document, [])):
            faults.append(f"document '{document}' has a coded passage outside all paragraphs")
    if faults:
        raise BscError(
            "BSC-QUA-119",
            f"The paragraphs of {len(faults)} document(s) cannot be used.",
            tuple(faults),
            "Passages would belong to no paragraph or to two.",
            "Correct the source of paragraphs (`document_id`, `start`, `end`; characters from 0, end exclusive), or choose another unit.",
        )
