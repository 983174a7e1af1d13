"""Several coders' files of the same documents as one project: by the text of a document and the full path of a code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.coding_rows import hand_over
from bscstudy.io.coding_table import TABLES, CodedProject
from bscstudy.io.raw import Notice, RawTable, places

#: the place of a passage in a text that is not the one by which its document is known
OTHER_TEXT = "other_text"
_SAYS = [name for name in TABLES["codings"] if not name.startswith("offset_") or name == "offset_status"]


@dataclass(frozen=True)
class SameDocuments:
    """What a further file calls the documents that are known already.

    ``names``: its name -> the name by which the document is known. ``renamed``: those that differ, since the text is the same.
    ``other_texts``: known names under which the further file has another text. ``by_name``: matched by name alone, without texts.
    """

    names: dict[str, str]
    renamed: tuple[str, ...]
    other_texts: tuple[str, ...]
    by_name: tuple[str, ...]


def same_documents(known: dict[str, str], further: dict[str, str]) -> SameDocuments:
    """Match the documents of a further file to those that are known.

    Parameters
    ----------
    known, further : dict
        Document -> hash of its text, blank where the file holds none.

    Returns
    -------
    SameDocuments
        Matched are, in this order: one name and one text; the same text, where no other document of either file has it; one name
        (with other texts, or where a text is missing). Identifiers of the programs are never looked at.
    """
    once = {text: name for name, text in known.items() if text and list(known.values()).count(text) == 1}
    times = pd.Series(list(further.values()), dtype=object).value_counts().to_dict()
    names, renamed, other, by_name = {}, [], [], []
    for name, text in further.items():
        if text and known.get(name) == text:
            names[name] = name
        elif text and times[text] == 1 and text in once:
            names[name] = once[text]
            renamed.append(name)
        else:
            names[name] = name
            both = text and known.get(name)
            other += [name] if name in known and both else []
            by_name += [name] if name in known and not both else []
    return SameDocuments(names, tuple(renamed), tuple(other), tuple(by_name))


def merge_projects(projects: dict[str, CodedProject]) -> CodedProject:
    """Return one project with the codings of all files.

    A coding that several files hold (one coder, one code, one place: what coders share from a common start) counts once. A passage in
    another text than the first file's keeps its document and loses its place (`OTHER_TEXT`).

    Parameters
    ----------
    projects : dict
        File -> what it holds, the first of them naming documents.

    Raises
    ------
    BscError
        BSC-QUA-031 a file without coders.
    """
    files = list(projects)
    if len(files) == 1:
        return projects[files[0]]
    _check_coders(projects)
    merged, told = _parts(projects[files[0]]), []
    hashes, alike = _hashes(projects[files[0]]), [_alike(projects[files[0]].codings)]
    for file in files[1:]:
        matched = same_documents(hashes, _hashes(projects[file]))
        further = _renamed(projects[file], matched)
        told.append(matched)
        hashes = {**_hashes(further), **hashes}
        alike.append(_alike(further.codings))
        merged = _joined(merged, further)
    again = merged["codings"].assign(alike=np.concatenate(alike)).duplicated([*_SAYS, "alike"]).to_numpy()
    codings = merged["codings"][~again].reset_index(drop=True)
    about = {**merged["provenance"], "n_files": len(files), "n_codings": len(codings), "n_in_several_files": int(again.sum())}
    about["offset_status"] = codings["offset_status"].value_counts().sort_index().to_dict()
    notices = (*merged["notices"], *_notices(told, int(again.sum())))
    return CodedProject(**{**_recounted(merged, codings), "provenance": about, "notices": notices})


def _alike(codings: pd.DataFrame) -> np.ndarray:
    """Number the codings of one file that nothing tells apart (two passages of one paragraph), so that they stay two."""
    return codings.groupby(_SAYS, dropna=False, sort=False).cumcount().to_numpy()


def _hashes(project: CodedProject) -> dict[str, str]:
    return dict(zip(project.documents["document_id"], project.documents["text_sha256"].fillna(""), strict=True))


def _parts(project: CodedProject) -> dict:
    return {name: getattr(project, name) for name in (*TABLES, "not_imported", "provenance", "notices")}


def _check_coders(projects: dict[str, CodedProject]) -> None:
    found = [f"{file}: {n} codings" for file, project in projects.items() if (n := int((project.codings["coder_id"] == "").sum()))]
    if found:
        raise BscError(
            "BSC-QUA-031",
            "Files that do not say who coded are to be read as one source.",
            places(found),
            "Codings of two people at one place could not be told from one coding that two files hold.",
            "Describe each file as a source of its own, with keys: {coder_id: {constant: ...}}.",
        )


def _renamed(project: CodedProject, matched: SameDocuments) -> CodedProject:
    """Return a project under the names that are known; places in other texts are given up."""
    parts = _parts(project)
    for name in TABLES:
        frame = parts[name]
        if "document_id" in frame.columns:
            parts[name] = frame.assign(document_id=frame["document_id"].map(lambda one: matched.names.get(one, one)).astype(object))
    sets = project.sets
    of_documents = sets["kind"] == "document"
    parts["sets"] = sets.assign(member=sets["member"].where(~of_documents, sets["member"].map(lambda one: matched.names.get(one, one))))
    codings = parts["codings"].copy()
    elsewhere = project.codings["document_id"].isin(matched.other_texts) & codings["start"].notna()
    codings.loc[elsewhere, "offset_status"] = OTHER_TEXT
    codings.loc[elsewhere, "quotable"] = 0
    return CodedProject(**{**parts, "codings": codings})


def _joined(first: dict, further: CodedProject) -> dict:
    parts = dict(first)
    for name in TABLES:
        frames = [frame for frame in (first[name], getattr(further, name)) if len(frame)]
        parts[name] = pd.concat(frames, ignore_index=True) if frames else first[name]
    parts["documents"] = parts["documents"].drop_duplicates("document_id", ignore_index=True)
    parts["codes"] = parts["codes"].drop_duplicates("code_path", ignore_index=True)
    for name in ("cases", "variables", "sets", "links"):
        parts[name] = parts[name].drop_duplicates(ignore_index=True)
    lost = Counter(first["not_imported"]) + Counter(further.not_imported)
    return {**parts, "not_imported": dict(sorted(lost.items())), "notices": (*first["notices"], *further.notices)}


def _recounted(project: dict, codings: pd.DataFrame) -> dict:
    """Return the parts of a project with the codings given, counted anew for documents and codes."""
    parts = {**project, "codings": codings}
    for name, key in (("documents", "document_id"), ("codes", "code_path")):
        times = codings[key].value_counts().to_dict()
        parts[name] = parts[name].assign(n_codings=[times.get(one, 0) for one in parts[name][key]])
    return parts


def _notices(told: list[SameDocuments], n_again: int) -> tuple[Notice, ...]:
    texts = "BSC-QUA-032: a document has another text in a further file; there its passages keep the document and lose their place"
    names = "BSC-QUA-033: a document was matched by its name alone, since not every file holds its text"
    renamed = "a document has another name in a further file and the same text; it is known by its first name"
    counted = [
        (sum(len(one.other_texts) for one in told), texts, "documents"),
        (sum(len(one.by_name) for one in told), names, "documents"),
        (sum(len(one.renamed) for one in told), renamed, "documents"),
        (n_again, "a coding that several files hold counts once", "codings"),
    ]
    return tuple(Notice("file_notice", words, n=n, unit=unit) for n, words, unit in counted if n)


def match_tables(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the codings of several sources with documents called alike that have the same text.

    Parameters
    ----------
    tables : dict
        Source -> its codings (`document_id`, and where the source has them `text_sha256` and `offset_status`), the source that names
        documents first.

    Returns
    -------
    dict
        The same sources. In a document that has another text in an earlier source, the place of passages is `OTHER_TEXT`. Sources
        without `text_sha256`, and documents whose codings count in several texts, are matched by name.
    """
    known: dict[str, str] = {}
    found = {}
    for source, frame in tables.items():
        named = frame[frame["document_id"].notna()]
        hashes = named["text_sha256"].fillna("") if "text_sha256" in named.columns else pd.Series("", index=named.index)
        of = hashes.groupby(named["document_id"], sort=False).unique()
        own = {name: texts[0] if len(texts) == 1 else "" for name, texts in of.items()}
        matched = same_documents(known, own)
        frame = frame.copy()
        if "offset_status" in frame.columns:
            frame.loc[frame["document_id"].isin(matched.other_texts), "offset_status"] = OTHER_TEXT
        renamed = {old: matched.names[old] for old in matched.renamed}
        frame["document_id"] = frame["document_id"].replace(renamed) if renamed else frame["document_id"]
        found[source] = frame
        known = {**{matched.names[name]: text for name, text in own.items()}, **known}
    return found


def read_merged(module: ModuleType, files: list[Path], options: dict) -> RawTable:
    """Return one table of what several files of one source hold, each read by one reader.

    Parameters
    ----------
    module : module
        A reader with a function ``read_project(path, options)``.
    files : list of Path
        The source's file, then the further ones.
    options : dict
        Of the source.

    Raises
    ------
    BscError
        As the reader; BSC-QUA-031 files without coders.
    """
    merged = merge_projects({str(path): module.read_project(path, options) for path in files})
    return hand_over(merged, options, str(files[0]))
