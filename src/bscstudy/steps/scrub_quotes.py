"""Approved quotes cut from the coded texts and scrubbed; the only step that reads texts, of which nothing else is written or logged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bscstudy.io.coding_table import CERTAIN
from bscstudy.io.raw import texts_of
from bscstudy.io.readers import read_source
from bscstudy.io.refi import read_project
from bscstudy.io.refi_texts import project_texts
from bscstudy.qual.columns import QUOTES, QUOTES_REVIEW
from bscstudy.qual.deny_list import read_deny_list, read_key
from bscstudy.qual.presence import complete_documents
from bscstudy.qual.quotes import Passage, listed_quotes, shown_only, text_column
from bscstudy.qual.quotes_review import lower_case_words, review_table
from bscstudy.steps.job_tables import write_output
from bscstudy.tables import read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write qual/quotes.csv and qual/quotes_review.csv."""
    settings = job.config["qual"]["quotes"]
    codings, people, centers = (read_table(job.inputs[name]) for name in ("codings", "people", "centers"))
    documents = complete_documents(read_table(job.inputs["documents"], drop_excluded=True), people, centers)
    key = read_key(Path(settings["key"]) if "key" in settings else None, Path.cwd())
    deny = read_deny_list(Path(settings["deny_list"]), key, _ids(codings, people, centers))
    passages, texts = _passages(job.config["sources"][settings["source"]], settings)
    listed = listed_quotes(job.config["quotes"], codings, documents, passages, deny, key)
    scrubbed = {int(n): text for n, text in zip(listed["quote"], listed["text"], strict=True) if isinstance(text, str)}
    review = review_table(scrubbed, lower_case_words(texts))
    described = "Passages listed as quotes: the scrubbed text of those that may be shown, and why others may not."
    write_output(job, "quotes", shown_only(listed), key=["quote"], columns=QUOTES, description=described)
    described = "Words of scrubbed quotes that look like names: to be read before a quote is approved, and not to leave the study."
    write_output(job, "review", review, key=["quote", "position"], columns=QUOTES_REVIEW, description=described)


def _ids(codings: pd.DataFrame, people: pd.DataFrame, centers: pd.DataFrame) -> set[str]:
    columns = (people["person_id"], centers["center_id"], codings["document_id"], codings["coder_id"])
    return {str(name) for column in columns for name in column.dropna()}


def _passages(source: dict, settings: dict) -> tuple[dict[str, Passage], list[str]]:
    """Return the passage of each coding of a source, and the texts that they stand in."""
    path, options = Path(source["file"]), dict(source.get("options") or {})
    if source["reader"] == "refi":
        codings, texts = read_project(path, options).codings, project_texts(path, options)
        coded = enumerate(codings.to_dict("records"), start=1)
        return {f"{source['id']}:{number}": passage_of(coding, texts) for number, coding in coded}, list(texts.values())
    table = read_source([path], source)
    texts = texts_of(text_column(table.frame, settings["text"]))
    rows = zip(table.rows, texts, strict=True)
    return {f"{source['id']}:{number}": Passage(text or None, 0, len(text), True) for number, text in rows}, list(texts)


def passage_of(coding: dict, texts: dict[str, str]) -> Passage:
    """Return the passage of a project's coding; only a certain place in the document's own text has one."""
    text = texts.get(coding["document_id"]) if coding["part"] == "text" else None
    if text is None or coding["quotable"] != 1 or coding["offset_status"] not in CERTAIN:
        return Passage(text, 0, 0, False)
    return Passage(text, int(coding["start"]), int(coding["end"]), True)
