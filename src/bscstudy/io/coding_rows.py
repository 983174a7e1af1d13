"""From the passages of a table export to a coded project: the long table of codings, its documents and its codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.coding_file import distinct_values
from bscstudy.io.coding_headers import Headers
from bscstudy.io.coding_table import CODES, CODINGS, DOCUMENTS, PATH_MARK, TABLES, CodedProject, coded_table, table_frame
from bscstudy.io.raw import Notice, RawTable, number_of, places

#: a passage whose program does not say where it stands, or says it in a way that no other program shares
UNPLACED = "unplaced"
NAN = float("nan")


def make_project(
    codings: pd.DataFrame, *, documents: pd.DataFrame | None = None, codes: pd.DataFrame | None = None, about: dict, notices=(), **others
) -> CodedProject:
    """Return a coded project from its codings; what is not given follows from them.

    Parameters
    ----------
    codings : DataFrame
        Any columns of `bscstudy.io.coding_table.CODINGS`, document_id and code_path among them.
    documents, codes : DataFrame, optional
        Columns of `DOCUMENTS` (and one for each variable) or `CODES`; codings of theirs are counted here. Documents and codes that
        occur in the codings only are added.
    about : dict
        Provenance.
    **others : list of dict
        Rows of the further tables.
    """
    frame = codings.reindex(columns=list(CODINGS))
    for name in ("coder_id", "part", "offset_convention", "text_sha256"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
    frame["quotable"] = frame["quotable"].fillna(0).astype(int)
    frame = frame.astype({name: object for name in ("document_id", "coder_id", "code_path", "offset_status", "unit")})
    rest = {name: table_frame(name, others.get(name, [])) for name in TABLES if name not in ("codings", "documents", "codes")}
    n_unnamed = int((frame["coder_id"] == "").sum())
    told = [Notice("file_notice", "the file does not say who gave the code", "coder_id", n=n_unnamed, unit="codings")] if n_unnamed else []
    about = {**about, "n_codings": len(frame), "offset_status": frame["offset_status"].value_counts().sort_index().to_dict()}
    return CodedProject(
        codings=frame,
        documents=_documents(frame, documents),
        codes=_codes(frame, codes),
        not_imported=others.get("not_imported", {}),
        provenance=about,
        notices=(*notices, *told),
        **rest,
    )


def code_rows(path: Path, paths: list[str], where: list[str], descriptions: list[str] | None = None) -> pd.DataFrame:
    """Return the table of codes from full paths; parents that stand in no row of their own are headings.

    Raises
    ------
    BscError
        BSC-QUA-005 where a path occurs twice.
    """
    seen: dict[str, str] = {}
    twice = [f"{w}: as {seen[p]}" for p, w in zip(paths, where, strict=True) if seen.setdefault(p, w) != w]
    if twice:
        raise BscError(
            "BSC-QUA-005",
            "A codebook lists a code twice.",
            places([f"{path}, {place}" for place in twice]),
            "Codes or documents would be mixed up.",
            "Repair it in the program it comes from and export again.",
        )
    return table_frame("codes", [_code(p, d) for p, d in zip(paths, descriptions or [""] * len(paths), strict=True)])


def _code(path: str, description: str = "", *, codable: int = 1) -> dict:
    parent, _, _ = path.rpartition(PATH_MARK)
    row = {"code_path": path, "parent_path": parent, "level": path.count(PATH_MARK) + 1, "is_codable": codable}
    return {**row, "kind": "code", "color": "", "description": description}


def _codes(codings: pd.DataFrame, given: pd.DataFrame | None) -> pd.DataFrame:
    times = codings["code_path"].value_counts().to_dict()
    frame = table_frame("codes", []) if given is None else given
    lost = [_code(path) for path in sorted(set(times) - set(frame["code_path"]))]
    frame = pd.concat([frame, table_frame("codes", lost)], ignore_index=True) if len(frame) else table_frame("codes", lost)
    known, headings = set(frame["code_path"]), set()
    for path in frame["code_path"]:
        while path := path.rpartition(PATH_MARK)[0]:
            headings |= {path} - known
    if headings:
        frame = pd.concat([frame, table_frame("codes", [_code(path, codable=0) for path in sorted(headings)])], ignore_index=True)
    if codings.empty and frame["n_codings"].notna().any():
        return frame[list(CODES)]
    return frame.assign(n_codings=[times.get(path, 0) for path in frame["code_path"]])[list(CODES)]


def _documents(codings: pd.DataFrame, given: pd.DataFrame | None) -> pd.DataFrame:
    times = codings["document_id"].value_counts().to_dict()
    frame = table_frame("documents", []) if given is None else given
    known = set(frame["document_id"])
    lost = [{"document_id": name, "kind": "text"} for name in dict.fromkeys(codings["document_id"]) if name not in known]
    frame = pd.concat([frame, pd.DataFrame(lost)], ignore_index=True) if lost and len(frame) else pd.DataFrame(lost) if lost else frame
    frame = frame.reindex(columns=[*DOCUMENTS, *(name for name in frame.columns if name not in DOCUMENTS)])
    for name in ("case_id", "text_sha256", "offset_convention", "offset_basis"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
    return frame.assign(n_codings=[times.get(name, 0) for name in frame["document_id"]])


def hand_over(project: CodedProject, options: dict, place: str) -> RawTable:
    """Return the table that the options name: of a codebook its codes, of codings the codings, if they name none."""
    usual = "codes" if project.provenance.get("holds") == "codes" else "codings"
    return coded_table(project, options.get("table") or usual, place)


def refuse_cells(path: Path, found: list[str], what: str, todo: str) -> None:
    """Raise BSC-QUA-024 where cells of a table of codings hold what they cannot.

    Raises
    ------
    BscError
        BSC-QUA-024 with the place of each cell.
    """
    if found:
        raise BscError(
            "BSC-QUA-024",
            f"{len(found)} cell(s) of a table of codings hold {what}.",
            places([f"{path}, {place}" for place in found]),
            "Passages would be lost, or counted under another code or document.",
            todo,
        )


def check_named(path: Path, rows: np.ndarray, cells: dict[str, np.ndarray]) -> None:
    """Refuse rows whose document or code is blank (BSC-QUA-024)."""
    blank = [(row, name) for name, texts in cells.items() for row, text in zip(rows, texts, strict=True) if not text.strip()]
    refuse_cells(path, [f"row {row}: {name}" for row, name in sorted(blank)], "no document or code", "Export the table again.")


def numbers(path: Path, rows: np.ndarray, name: str, cells: np.ndarray, decimal: str) -> np.ndarray:
    """Return the numbers of a column, NaN where blank; BSC-QUA-024 where a cell is no number."""
    made = distinct_values(cells, lambda cell: number_of(cell.strip(), decimal) if cell.strip() else NAN)
    wrong = [f"row {row}: {name}" for row, number in zip(rows, made, strict=True) if number is None]
    refuse_cells(path, wrong, "no number", "Set `options.decimal`, or export the table again.")
    return np.array(made, dtype=float)


def codebook_of(path: Path, table: RawTable, headers: Headers, program: str, made=str) -> CodedProject:
    """Return a codebook with one row for each code.

    Parameters
    ----------
    path, table, headers
        The file, its cells, and which of them are which.
    program : str
        For the provenance.
    made : callable
        A code as written -> its full path.
    """
    names = table.frame[headers.columns["code"]].str.strip()
    check_named(path, table.rows, {"code": names.to_numpy(dtype=object)})
    blank = [""] * len(names)
    described = list(table.frame[headers.columns["description"]]) if "description" in headers.columns else blank
    codes = code_rows(path, [made(name) for name in names], [f"row {row}" for row in table.rows], described)
    sets = [
        {"set_name": group.strip(), "kind": "code", "member": code}
        for column in headers.families.get("group", {}).values()
        for group, code in zip(table.frame[column], codes["code_path"], strict=True)
        if group.strip()
    ]
    about = {**table.provenance, "program": program, "holds": "codes"}
    nothing = pd.DataFrame({"document_id": [], "code_path": []}, dtype=object)
    return make_project(nothing, codes=codes, sets=sets, about=about, notices=table.notices)
