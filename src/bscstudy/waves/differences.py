"""Which published numbers differ between two reports: exhibit, row, column, old and new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.tables import read_json, read_table

_SHOWN = 12
#: keys by which a person, a form or a place could be told: of tables that have one only counts are said
_IDENTIFYING = set("person_id row_id row center_id classroom_id observation_id document_id coding_id unit_id left_out".split())


@dataclass(frozen=True)
class Difference:
    """One thing published that differs; ``old`` or ``new`` is None where it is in one of the two only."""

    exhibit: str
    row: str
    column: str
    old: str | None
    new: str | None


def compare_folders(old: Path, new: Path) -> list[Difference]:
    """Compare everything published in two folders.

    Parameters
    ----------
    old, new : Path
        Two ``reports`` folders or snapshots, or two ``data/derived`` folders.

    Raises
    ------
    BscError
        BSC-WAV-015 if one of them holds neither records of exhibits nor derived tables, or the two hold different things.
    """
    first, second = _content(Path(old)), _content(Path(new))
    if first is None or second is None or first[0] != second[0]:
        raise BscError(
            "BSC-WAV-015",
            "The two folders cannot be compared.",
            tuple(f"{path}: {_KINDS[content[0] if content else None]}" for path, content in ((old, first), (new, second))),
            "Numbers can only be compared with numbers of the same kind.",
            "Name two reports folders or snapshots (`bscstudy snapshot DIR`), or two data/derived folders.",
        )
    compare = _records if first[0] == "records" else _tables
    found: list[Difference] = []
    for name in sorted({*first[1], *second[1]}):
        paths = first[1].get(name), second[1].get(name)
        if None in paths:
            found.append(Difference(name, "", "", None if paths[0] is None else "published", None if paths[1] is None else "published"))
        elif paths[0].read_bytes() != paths[1].read_bytes():
            found += compare(name, *paths)
    return found


def table_differences(exhibit: str, old: pd.DataFrame, new: pd.DataFrame) -> list[Difference]:
    """Compare two tables of text cell by cell.

    Rows are matched by as many columns from the left as it takes to tell the rows of both tables apart; rows that stay alike are
    matched by their turn.
    """
    shared = [column for column in old.columns if column in new.columns]
    width = next((n for n in range(1, len(shared) + 1) if not (old.duplicated(shared[:n]).any() or new.duplicated(shared[:n]).any())), 1)
    key = shared[:width]
    first, second = _by_key(old, key), _by_key(new, key)
    found = [Difference(exhibit, "", c, "column", None) for c in old.columns if c not in new.columns]
    found += [Difference(exhibit, "", c, None, "column") for c in new.columns if c not in old.columns]
    for row in dict.fromkeys([*first, *second]):
        if row not in first or row not in second:
            found.append(Difference(exhibit, _row_text(row), "", "row" if row in first else None, "row" if row in second else None))
            continue
        cells = [(c, first[row][c], second[row][c]) for c in shared if c not in key]
        found += [Difference(exhibit, _row_text(row), column, a, b) for column, a, b in cells if a != b]
    return found


def difference_rows(found: list[Difference]) -> pd.DataFrame:
    """Return the differences as a table: exhibit, row, column, old, new."""
    columns = ["exhibit", "row", "column", "old", "new"]
    return pd.DataFrame([[getattr(difference, c) or "" for c in columns] for difference in found], columns=columns)


def difference_text(found: list[Difference], reasons: list[str]) -> str:
    """Return the differences in words, a few of each exhibit, and what differs in what they rest on."""
    cells = [d for d in found if d.old is not None and d.new is not None]
    exhibits = list(dict.fromkeys(d.exhibit for d in found))
    if not found:
        return "\n".join(["No published number changed.", "", "What they rest on", *(f"  {line}" for line in reasons)])
    others = len(found) - len(cells)
    counts = f"{len(cells)} published values changed; {others} rows, columns or exhibits are new or gone"
    lines = [f"{counts}; in {len(exhibits)} exhibits."]
    for exhibit in exhibits:
        own = [d for d in found if d.exhibit == exhibit]
        lines += ["", f"{exhibit}: {len(own)}", *(f"  {_said(d)}" for d in own[:_SHOWN])]
        lines += [f"  and {len(own) - _SHOWN} more (--csv FILE has all)"] if len(own) > _SHOWN else []
    return "\n".join([*lines, "", "Why: what differs in what they rest on", *(f"  {line}" for line in reasons)])


_KINDS = {None: "holds nothing that was published", "records": "records of exhibits", "tables": "derived tables"}


def _content(folder: Path) -> tuple[str, dict[str, Path]] | None:
    for place in (folder / "reports/data", folder / "data"):
        records = {path.stem: path for path in sorted(place.glob("*.json"))}
        if records:
            return "records", records
    tables = {
        p.relative_to(folder).with_suffix("").as_posix(): p for p in sorted(folder.rglob("*.csv")) if p.with_suffix(".json").is_file()
    }
    return ("tables", tables) if tables else None


def _records(name: str, old: Path, new: Path) -> list[Difference]:
    """Compare two records: the table as shown, the data behind the figure, and what the exhibit says it rests on."""
    first, second = read_json(old), read_json(new)
    found = table_differences(name, _frame(first["table"]), _frame(second["table"]))
    if first.get("data") and second.get("data"):
        found += [
            Difference(name, f"(figure) {d.row}", d.column, d.old, d.new)
            for d in table_differences(name, _frame(first["data"]), _frame(second["data"]))
        ]
    notes = [{note["name"]: note["text"] for note in record["notes"]} for record in (first, second)]
    for note in dict.fromkeys([*notes[0], *notes[1]]):
        if notes[0].get(note) != notes[1].get(note):
            found.append(Difference(name, "(note)", note, notes[0].get(note), notes[1].get(note)))
    return found


def _tables(name: str, old: Path, new: Path) -> list[Difference]:
    """Compare two derived tables by the key of their sidecar; where a row could be a person or a place only counts are said."""
    first, second = (read_table(path, drop_excluded=False).map(_text) for path in (old, new))
    key = [c for c in read_json(new.with_suffix(".json"))["key"] if c in first.columns and c in second.columns]
    order = [*key, *(c for c in first.columns if c not in key)]
    found = table_differences(name, first[order], second[[*key, *(c for c in second.columns if c not in key)]])
    if not _IDENTIFYING & {*first.columns, *second.columns}:
        return found
    counts = pd.Series([d.column or "rows" for d in found], dtype=object).value_counts(sort=False)
    return [Difference(name, f"{n} in all", column, "differs", "differs") for column, n in sorted(counts.items())]


def _frame(part: dict) -> pd.DataFrame:
    return pd.DataFrame([[_text(v) for v in row] for row in part["rows"]], columns=part["columns"], dtype=object)


def _text(value: object) -> str:
    return "" if value is None or value != value else f"{value:.10g}" if isinstance(value, float) else str(value)


def _by_key(frame: pd.DataFrame, key: list[str]) -> dict[tuple, dict]:
    turn = frame.groupby(key, sort=False).cumcount() if key else range(len(frame))
    keys = zip(*(frame[c] for c in key), turn, strict=True)
    return dict(zip(keys, frame.to_dict("records"), strict=True))


def _row_text(row: tuple) -> str:
    *named, turn = row
    return " | ".join([part for part in map(str, named) if part] + ([f"number {turn + 1}"] if turn else []))


def _said(difference: Difference) -> str:
    place = ", ".join(part for part in (difference.row, difference.column) if part)
    if difference.old is None or difference.new is None:
        what = difference.new or difference.old
        return f"{place + ': ' if place else ''}{'only now' if difference.old is None else 'no longer'} ({what})"
    return f"{place}: {difference.old} -> {difference.new}"
