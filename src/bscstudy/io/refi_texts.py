"""The texts of a REFI-QDA project, for the one step that cuts approved quotes from them; no table ever holds them."""

from __future__ import annotations

from pathlib import Path

from bscstudy.io.refi_archive import open_archive
from bscstudy.io.refi_sources import Gathered, gather_source, stored_text
from bscstudy.io.refi_xml import parse


def project_texts(path: Path, options: dict) -> dict[str, str]:
    """Return the text of each text document that the archive holds.

    Parameters
    ----------
    path : Path
        A ``.qdpx`` archive.
    options : dict
        ``document_id_from``, as for `bscstudy.io.refi.read`.

    Returns
    -------
    dict of str to str
        Document -> its text with every line end as one, in which places of codings (part `text`) count as characters from 0. Texts
        outside the archive, transcripts and the texts of PDFs are not in it. Of documents without codings that share a name, the first.

    Raises
    ------
    BscError
        BSC-QUA-001 to -004 and -007, as `bscstudy.io.refi.read_project`.
    """
    found, texts = Gathered(), {}
    with open_archive(path) as archive:

        def keep(element) -> None:
            before = len(found.documents)
            gather_source(found, element, archive, options)
            if element.tag == "TextSource" and len(found.documents) > before:
                text = stored_text(element, archive)
                if text is not None:
                    texts.setdefault(found.documents[-1]["document_id"], _lines_as_one(text.stored))

        parse(archive.project(), str(path), keep)
    return texts


def _lines_as_one(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
