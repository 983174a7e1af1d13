"""Dedoose: excerpts as a table (.xlsx, .csv) with three columns for each code (applied, range of weights, weight), and its codes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.coding_file import distinct_values
from bscstudy.io.coding_headers import Headers, open_table
from bscstudy.io.coding_places import range_places
from bscstudy.io.coding_rows import check_named, code_rows, hand_over, make_project, numbers, refuse_cells
from bscstudy.io.coding_table import PATH_MARK, CodedProject
from bscstudy.io.raw import Notice, RawTable, number_of

PROGRAM = "dedoose"
_APPLIED = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
#: what stands for a parent at the top
_NO_PARENT = ("", "0", "-1")
_AGAIN = "Export the table again."


def read(path: Path, options: dict) -> RawTable:
    """Read Dedoose's excerpts or its codes; ``options.table`` as in `bscstudy.io.coding_table`."""
    return hand_over(read_project(path, options), options, str(path))


def read_project(path: Path, options: dict) -> CodedProject:
    """Read Dedoose's excerpts: a coding for each code column that says so, with its weight. No excerpt is kept.

    Codes come from their own columns, which hold full paths; the column that combines their titles is only compared with them.

    Parameters
    ----------
    path : Path
        A ``.xlsx`` or ``.csv`` file with headers of `coding_headers.csv`.
    options : dict
        ``columns``: field -> column, where a header is not known (of a family of columns with ``*`` for the code); ``decimal``;
        those of delimited text or Excel.

    Raises
    ------
    BscError
        BSC-QUA-010, -020, -021 headers; -022, -023 the file; -024 an excerpt without a document, a cell of a code that is neither
        true nor false, or a weight that is no number; -027 no column for any single code.
    """
    table, headers = open_table(path, PROGRAM, options)
    if headers.table == "codes":
        return _codes(path, table, headers)
    columns = headers.families.get("code_applied", {})
    if not columns:
        raise _combined_only(path)
    cells = {field: table.frame[column].to_numpy(dtype=object) for field, column in headers.columns.items()}
    check_named(path, table.rows, {"document": cells["document"]})
    blank = np.full(len(table.rows), "", dtype=object)
    documents = np.array(distinct_values(cells["document"], str.strip), dtype=object)
    places = range_places(cells.get("range", blank))
    applied = {code: _applied(path, table, column) for code, column in columns.items()}
    parts = []
    for code, flags in applied.items():
        at = np.flatnonzero(flags)
        part = {"order": at, "document_id": documents[at], "coder_id": cells.get("coder", blank)[at], "code_path": code_path(code)}
        weights = headers.families.get("code_weight", {}).get(code)
        given = table.frame[weights].to_numpy(dtype=object)[at] if weights else blank[at]
        part["weight"] = numbers(path, table.rows[at], f"weight of code {len(parts) + 1}", given, options.get("decimal") or ".")
        parts.append(pd.DataFrame({**part, **{name: values[at] for name, values in places.items()}}))
    frame = pd.concat(parts, ignore_index=True).sort_values("order", kind="stable", ignore_index=True).drop(columns="order")
    codes = code_rows(path, [code_path(code) for code in columns], [f"column '{column}'" for column in columns.values()])
    n_uncoded = int((~np.logical_or.reduce(list(applied.values()))).sum())
    about = {**table.provenance, "program": "Dedoose", "holds": "codings", "n_passages_uncoded": n_uncoded}
    notices = (*table.notices, *_disagreeing(cells.get("codes"), applied), *_outside(table, headers, applied))
    listed = pd.DataFrame({"document_id": list(dict.fromkeys(documents)), "kind": "text"})
    return make_project(frame.infer_objects(), documents=listed, codes=codes, about=about, notices=notices)


def code_path(title: str) -> str:
    """Return the full path of a code as Dedoose writes it, its parents before it and a backslash between."""
    return PATH_MARK.join(part.strip() for part in title.split(PATH_MARK))


def _applied(path: Path, table: RawTable, column: str) -> np.ndarray:
    flags = distinct_values(table.frame[column].to_numpy(dtype=object), lambda cell: _APPLIED.get(cell.strip().lower()))
    wrong = [f"row {row}, column '{column}'" for row, flag in zip(table.rows, flags, strict=True) if flag is None]
    refuse_cells(path, wrong, "neither True nor False where a code is applied or not", _AGAIN)
    return np.array(flags, dtype=bool)


def _disagreeing(combined: np.ndarray | None, applied: dict[str, np.ndarray]) -> tuple[Notice, ...]:
    """Compare the combined titles with the columns of the codes: their letters, since a title may hold the comma that joins them."""
    if combined is None:
        return ()
    titles = [code.rpartition(PATH_MARK)[2].strip() for code in applied]
    letters = np.zeros(len(combined), dtype=int)
    for title, flags in zip(titles, applied.values(), strict=True):
        letters += flags * len(_letters(title))
    n = int((letters != np.array([len(_letters(cell)) for cell in combined])).sum())
    told = "the combined titles of the codes say something else than the columns of the codes, which are read"
    return (Notice("file_notice", told, n=n, unit="rows"),) if n else ()


def _letters(text: str) -> str:
    return "".join(text.replace(",", "").split())


def _outside(table: RawTable, headers: Headers, applied: dict[str, np.ndarray]) -> tuple[Notice, ...]:
    """Return a notice about weights beyond the range that the table itself gives for them."""
    n = 0
    for code, flags in applied.items():
        limits, weights = (headers.families.get(field, {}).get(code) for field in ("code_range", "code_weight"))
        if limits and weights:
            pairs = Counter(zip(table.frame[limits][flags], table.frame[weights][flags], strict=True))
            n += sum(times for pair, times in pairs.items() if _is_outside(*pair))
    return (Notice("file_notice", "a weight lies outside its range", "weight", n=n, unit="codings"),) if n else ()


def _is_outside(limits: str, weight: str) -> bool:
    ends = [number_of(part.strip()) for part in limits.split("-", 1)]
    value = number_of(weight.strip())
    return len(ends) == 2 and None not in (*ends, value) and not ends[0] <= value <= ends[1]


def _codes(path: Path, table: RawTable, headers: Headers) -> CodedProject:
    """Read the table of codes, whose tree is in the ids of parents."""
    ids, parents, titles = ([cell.strip() for cell in table.frame[headers.columns[name]]] for name in ("id", "parent_id", "code"))
    check_named(path, table.rows, {"code": np.array(titles, dtype=object), "id": np.array(ids, dtype=object)})
    at = {one: number for number, one in enumerate(ids)}
    wrong = [f"row {row}: id" for row, one, n in zip(table.rows, ids, range(len(ids)), strict=True) if at[one] != n]
    refuse_cells(path, wrong, "an id that another code has", _AGAIN)
    unknown = [f"row {row}: parent" for row, one in zip(table.rows, parents, strict=True) if one not in at and one not in _NO_PARENT]
    refuse_cells(path, unknown, "a parent that is no code of the table", "Export the table again, with all codes.")
    made = [_full_path(number, titles, [at.get(one) for one in parents]) for number in range(len(ids))]
    circles = [f"row {row}: parent" for row, one in zip(table.rows, made, strict=True) if not one]
    refuse_cells(path, circles, "a parent below itself", _AGAIN)
    described = list(table.frame[headers.columns["description"]]) if "description" in headers.columns else None
    codes = code_rows(path, made, [f"row {row}" for row in table.rows], described)
    about = {**table.provenance, "program": "Dedoose", "holds": "codes"}
    nothing = pd.DataFrame({"document_id": [], "code_path": []}, dtype=object)
    return make_project(nothing, codes=codes, about=about, notices=table.notices)


def _full_path(number: int | None, titles: list[str], parents: list[int | None]) -> str:
    """Return a code with its parents, or blank where they run in a circle."""
    above: list[int] = []
    while number is not None and number not in above:
        above.insert(0, number)
        number = parents[number]
    return PATH_MARK.join(titles[one] for one in above) if number is None else ""


def _combined_only(path: Path) -> BscError:
    return BscError(
        "BSC-QUA-027",
        "The table of excerpts has no column for any single code.",
        f"{path}, header: no column such as 'Code: Parent\\Child Applied'",
        "The combined titles name no parents and are joined by commas that titles may hold, so that codes would be mixed up.",
        "Export the excerpts from Dedoose with a column for each code.",
    )
