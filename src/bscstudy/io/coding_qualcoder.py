"""QualCoder: the database of a project (`data.qda` in its folder), with several coders, cases and attributes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.io.coding_database import Database, open_database
from bscstudy.io.coding_qualcoder_texts import PlacedTexts, place_texts
from bscstudy.io.coding_rows import code_rows, hand_over, make_project
from bscstudy.io.coding_table import DOCUMENTS, PATH_MARK, CodedProject
from bscstudy.io.raw import Notice, RawTable, cell_text
from bscstudy.io.refi import forced_offsets
from bscstudy.io.refi_codes import identity_error
from bscstudy.io.refi_sources import document_name

#: start of the path of a sound, film or picture -> kind of the document
_KINDS = {
    **dict.fromkeys(("/audio", "audio:"), "audio"),
    **dict.fromkeys(("/video", "video:"), "video"),
    **dict.fromkeys(("/images", "images:"), "picture"),
}
_TYPES = {"numeric": "Float", "character": "Text"}


def read(path: Path, options: dict) -> RawTable:
    """Read one table of a QualCoder project; ``options.table`` as in `bscstudy.io.coding_table`."""
    return hand_over(read_project(path, options), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read what of a QualCoder project the tables of `bscstudy.io.coding_table` hold, notes left out.

    The coder is the owner of the coding. Where passages stand is decided as for REFI-QDA, by the passages that the program keeps;
    one that is not what stands at its place is ambiguous.

    Parameters
    ----------
    path : Path
        ``data.qda``, a SQLite database.
    options : dict
        ``document_id_from``: ``name`` (default) or ``file_name``; ``offsets``: as for REFI-QDA.

    Raises
    ------
    BscError
        BSC-QUA-028, -029, -030 the database; -005 documents or codes of one name; -009 ``options.offsets``.
    """
    with open_database(path) as database:
        sources = database.table("source", ("id", "name", "fulltext", "mediapath"))
        coded = (
            database.table("code_text", ("cid", "fid", "seltext", "pos0", "pos1", "owner")),
            database.table("code_image", ("cid", "id", "x1", "y1", "width", "height", "owner", "pdf_page")).rename(columns={"id": "fid"}),
            database.table("code_av", ("cid", "id", "pos0", "pos1", "owner")).rename(columns={"id": "fid"}),
        )
        codes = _codes_of(path, database)
        cases = database.table("cases", ("caseid", "name"))
        members = database.table("case_text", ("caseid", "fid", "pos0", "pos1"))
        values = database.table("attribute", ("name", "attr_type", "value", "id"))
        types = database.table("attribute_type", ("name", "caseOrFile", "valuetype"))
        notes = {name: len(database.table(name, ("memo",))) for name in ("annotation", "journal")}
    names = {n: document_name(cell_text(name), options) for n, name in zip(sources["id"], sources["name"], strict=True)}
    _check_names(path, list(names.values()))
    called = {n: cell_text(name) for n, name in zip(cases["caseid"], cases["name"], strict=True)}
    paths = dict(zip(codes["cid"], codes["code_path"], strict=True))
    texts, areas, sounds = (frame[frame["fid"].isin(names) & frame["cid"].isin(paths)].reset_index(drop=True) for frame in coded)
    n_lost = sum(map(len, coded)) - len(texts) - len(areas) - len(sounds)
    forced = forced_offsets(path, list(names.values()), list(names.values()), options.get("offsets"))
    placed = place_texts(sources, texts, dict(zip(names, forced, strict=True)))
    codings = pd.concat([placed.codings, *(f for f in (_areas(areas), _sounds(sounds)) if len(f))], ignore_index=True)
    codings = codings.assign(document_id=codings["fid"].map(names), code_path=codings["cid"].map(paths)).drop(columns=["fid", "cid"])
    case_rows, of_document = _cases(names, placed, called, members)
    variables, said = _variables(names, called, values, types)
    described = list(codes["memo"].map(cell_text))
    return make_project(
        codings,
        documents=_documents(sources, names, placed, called, of_document, said),
        codes=code_rows(path, list(paths.values()), [f"code {n}" for n in paths], described).assign(color=list(codes["color"])),
        about={"program": "QualCoder", "holds": "codings", "n_codings_lost": n_lost},
        notices=_notices(placed, n_lost),
        cases=case_rows,
        variables=variables,
        not_imported={name: n for name, n in notes.items() if n},
    )


def _check_names(path: Path, names: list[str]) -> None:
    again = pd.Series(names, dtype=object).duplicated(keep=False)
    if again.any():
        raise identity_error("Documents of the project share one name.", [f"{path}, source {n + 1}" for n in np.flatnonzero(again)])


def _codes_of(path: Path, database: Database) -> pd.DataFrame:
    """Return cid, code_path, memo and color; a code is below its parent code, or below its category and that category's own."""
    groups = database.table("code_cat", ("catid", "name", "supercatid"))
    codes = database.table("code_name", ("cid", "name", "memo", "catid", "supercid", "color"))
    known = set(codes["cid"])
    #: (code or category, number) -> its name and what it is below
    above = {("category", n): (cell_text(name), ("category", over)) for n, name, over in groups.itertuples(index=False)}
    for cid, name, _, catid, over, _ in codes.itertuples(index=False):
        above[("code", cid)] = (cell_text(name), ("code", over) if over in known else ("category", catid))
    made = []
    for cid in codes["cid"]:
        parts, at, seen = [], ("code", cid), set()
        while at in above:
            if at in seen:
                raise identity_error("A code is below itself.", [f"{path}, code {cid}"])
            seen.add(at)
            name, at = above[at]
            parts.insert(0, name)
        made.append(PATH_MARK.join(parts))
    return codes.assign(code_path=made, color=codes["color"].map(cell_text))


def _areas(areas: pd.DataFrame) -> pd.DataFrame:
    corner = {name: pd.to_numeric(areas[name], errors="coerce") for name in ("x1", "y1", "width", "height")}
    paged = areas["pdf_page"].notna()
    return pd.DataFrame(
        {
            "fid": areas["fid"],
            "cid": areas["cid"],
            "coder_id": areas["owner"].map(cell_text),
            "offset_status": "not_text",
            "unit": np.where(paged, "page_area", "picture_area"),
            "page": pd.to_numeric(areas["pdf_page"], errors="coerce"),
            "first_x": corner["x1"],
            "first_y": corner["y1"],
            "second_x": corner["x1"] + corner["width"],
            "second_y": corner["y1"] + corner["height"],
        }
    )


def _sounds(sounds: pd.DataFrame) -> pd.DataFrame:
    ends = {f"{end}_ms": pd.to_numeric(sounds[name], errors="coerce") for end, name in (("begin", "pos0"), ("end", "pos1"))}
    kept = {"fid": sounds["fid"], "cid": sounds["cid"], "coder_id": sounds["owner"].map(cell_text)}
    return pd.DataFrame({**kept, "offset_status": "not_text", "unit": "milliseconds", **ends})


def _cases(names: dict, placed: PlacedTexts, called: dict, members: pd.DataFrame) -> tuple[list[dict], dict]:
    """Return the rows of cases, and document -> its cases."""
    rows, of_document = [], {}
    for caseid, fid, first, last in members.itertuples(index=False):
        if caseid not in called or fid not in names:
            continue
        end = placed.n_characters.get(fid)
        whole = end is None or (first == 0 and last is not None and last >= end - 1)
        place = {"part": "", "said_by": "source"} if whole else {"part": "text", "start": first, "end": last, "said_by": "selection"}
        rows.append({"case_id": called[caseid], "document_id": names[fid], **place})
        of_document.setdefault(fid, set()).add(caseid)
    return rows, of_document


def _variables(names: dict, called: dict, values: pd.DataFrame, types: pd.DataFrame) -> tuple[list[dict], dict]:
    """Return the rows of variables, and (case or file, its number) -> {variable: value}."""
    typed = {(kind, name): _TYPES.get(cell_text(value), "Text") for name, kind, value in types.itertuples(index=False)}
    rows, said = [], {}
    for variable, kind, value, number in values.itertuples(index=False):
        known = called if kind == "case" else names if kind == "file" else {}
        if number not in known:
            continue
        text = cell_text(value).strip()
        who = {"case_id": called[number], "document_id": ""} if kind == "case" else {"case_id": "", "document_id": names[number]}
        said_by = "case" if kind == "case" else "source"
        rows.append({**who, "variable": variable, "type": typed.get((kind, variable), "Text"), "value": text, "said_by": said_by})
        if text:
            said.setdefault((kind, number), {})[variable] = text
    return rows, said


def _documents(sources: pd.DataFrame, names: dict, placed: PlacedTexts, called: dict, cases: dict, said: dict) -> pd.DataFrame:
    """Return one row for each document; what its one case says goes before what is said of the document itself."""
    rows = []
    for n, media in zip(sources["id"], sources["mediapath"], strict=True):
        where = cell_text(media).lower()
        kind = next((kind for start, kind in _KINDS.items() if where.startswith(start)), "pdf" if where.endswith(".pdf") else "text")
        one = next(iter(cases[n])) if len(cases.get(n, ())) == 1 else None
        values = {**said.get(("file", n), {}), **(said.get(("case", one), {}) if one is not None else {})}
        row = {"document_id": names[n], "kind": kind, "case_id": called[one] if one is not None else "", **placed.of_document(n)}
        rows.append({**{f"{v} (variable)" if v in DOCUMENTS else v: value for v, value in sorted(values.items())}, **row})
    return pd.DataFrame(rows)


def _notices(placed: PlacedTexts, n_lost: int) -> tuple[Notice, ...]:
    told = [
        (placed.n_differing, "start", "passages", "the text at the place of a passage is not what the program keeps of it: never quoted"),
        (placed.n_outside, "start", "passages", "the passage stands outside its text"),
        (n_lost, "", "codings", "a coding of a document or code that was deleted is left out"),
    ]
    return tuple(Notice("file_notice", words, column, n=n, unit=unit) for n, column, unit, words in told if n)
