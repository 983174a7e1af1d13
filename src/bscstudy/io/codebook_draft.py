"""Draft rows of the codebook for a raw file, for a person to correct: nobody but the study's staff knows what an item is called."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.codebook import code_range
from bscstudy.io.column_kinds import is_key_name
from bscstudy.io.inspection import ColumnFacts, Inspection
from bscstudy.io.raw import number_of
from bscstudy.tables import write_text

#: file -> its columns, in the order of config/codebook
COLUMNS = {
    "items.csv": [
        "instrument", "item", "label", "type", "response_scale", "minimum", "maximum", "units", "roles", "waves", "sources", "column",
        "version", "wording",
    ],
    "response_scales.csv": ["response_scale", "code", "label"],
    "missing_codes.csv": ["instrument", "item", "code", "reason"],
}  # fmt: skip
_LONGEST_LABEL = 60


def draft_codebook(found: Inspection, instrument: str) -> dict[str, list[dict[str, str]]]:
    """Draft the codebook rows of a file.

    Parameters
    ----------
    found : Inspection
        What the file holds.
    instrument : str
        The id of its instrument.

    Returns
    -------
    dict
        File of config/codebook -> rows. Keys and columns that tell who someone is are no items (see `left_out`); limits are blank,
        because what occurs is not what is allowed; columns with the same labelled codes share a response scale.
    """
    kept = [column for column in found.columns if column.name not in left_out(found)]
    ids = _ids([column.name for column in kept])
    scales: dict[tuple, str] = {}
    items, scale_rows, missing = [], [], []
    for column in kept:
        item = ids[column.name]
        codes = tuple((code, label) for code, label, _ in column.codes) if column.kind != "yes_no" else ()
        if codes and column.kind in ("ordinal", "nominal") and codes not in scales:
            scales[codes] = f"{item}_codes"
            scale_rows += [{"response_scale": scales[codes], "code": code, "label": label.strip() or code} for code, label in codes]
        items.append(_item_row(column, item, instrument, scales.get(codes, "") if column.kind in ("ordinal", "nominal") else ""))
        found_missing = [(m.code, m.reason) for m in column.missing] + [(code, "no_answer") for code, _ in column.suspects]
        missing += [{"instrument": instrument, "item": item, "code": code, "reason": reason} for code, reason in found_missing]
    return {"items.csv": items, "response_scales.csv": scale_rows, "missing_codes.csv": _shared(missing, kept, ids, instrument)}


def left_out(found: Inspection) -> list[str]:
    """Return the columns that are no items: keys, the wave, what the exporting program adds, and what tells who or where someone is."""
    keys = {name for key in found.keys for name in key} | set(found.waves) | set(found.own)
    named = {c.name for c in found.columns if c.kind in ("text", "integer") and not c.codes and is_key_name(c.name)}
    return [c.name for c in found.columns if c.name in keys | named or c.kind == "identifying"]


def write_draft(folder: Path, rows: dict[str, list[dict[str, str]]]) -> list[Path]:
    """Write draft rows into a folder that holds none of these files yet.

    Raises
    ------
    BscError
        BSC-SRC-046 naming the files that are there already.
    """
    there = [str(Path(folder) / name) for name in rows if (Path(folder) / name).exists()]
    if there:
        raise BscError(
            "BSC-SRC-046",
            "The folder for the draft holds codebook files already.",
            tuple(there),
            "Rows that somebody has corrected by hand would be lost.",
            "Name another folder, and copy the rows that are wanted into config/codebook.",
        )
    for name, found in rows.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS[name], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        write_text(Path(folder) / name, text.getvalue())
    return [Path(folder) / name for name in rows]


def instrument_id(text: str) -> str:
    """Return a text as an id of the configuration: letters, digits and underscores, beginning with a letter."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    return plain if re.match(r"[A-Za-z]", plain) else f"x_{plain}".rstrip("_")


def _ids(names: list[str]) -> dict[str, str]:
    """Return an item id for each column name, none twice."""
    ids: dict[str, str] = {}
    taken = {name for name in names if instrument_id(name) == name}
    for name in names:
        wanted = unique = instrument_id(name)
        number = 2
        while unique != name and unique in taken:
            unique, number = f"{wanted}_{number}", number + 1
        taken.add(unique)
        ids[name] = unique
    return ids


def _item_row(column: ColumnFacts, item: str, instrument: str, scale: str) -> dict[str, str]:
    wording = " ".join(column.label.split()) or column.name
    return {
        "instrument": instrument,
        "item": item,
        "label": textwrap.shorten(wording, _LONGEST_LABEL, placeholder="...") if " " in wording else wording[:_LONGEST_LABEL],
        "type": column.kind,
        "response_scale": scale,
        "column": "" if item == column.name else column.name,
        "version": "1",
        "wording": wording if column.label.strip() else "",
    }


def _shared(missing: list[dict], kept: list[ColumnFacts], ids: dict[str, str], instrument: str) -> list[dict[str, str]]:
    """Write a code once for all items where every other item has labelled answers, dates or texts among which it is not."""
    rows = []
    for code, reason in sorted({(row["code"], row["reason"]) for row in missing}):
        own = {row["item"] for row in missing if (row["code"], row["reason"]) == (code, reason)}
        others = [c for c in kept if ids[c.name] not in own]
        alone = len(own) > 1 and len({row["reason"] for row in missing if row["code"] == code}) == 1
        items = [""] if alone and not any(_could_hold(column, code) for column in others) else sorted(own)
        rows += [{"instrument": instrument, "item": item, "code": code, "reason": reason} for item in items]
    return rows


def _could_hold(column: ColumnFacts, code: str) -> bool:
    """Return whether a code could be an answer: a labelled one, or any number that the column's own declared ranges leave open."""
    number = number_of(code)
    ranges = [limits for m in column.missing if (limits := code_range(m.code))]
    declared = number is not None and any(low <= number <= high for low, high in ranges)
    return (column.kind in ("integer", "number") and not declared) or code in {known for known, _, _ in column.codes}
