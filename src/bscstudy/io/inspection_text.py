"""What a raw file holds, in plain words: counts, labels and codes, and no cell of a text, a name or an id."""

from __future__ import annotations

from bscstudy.io.inspection import ColumnFacts, Inspection, MissingCode
from bscstudy.io.raw import RawTable

#: counts below this are not shown
LEAST_COUNT = 5
_KINDS = {
    "ordinal": "answers on an ordered scale",
    "nominal": "categories",
    "yes_no": "yes or no",
    "integer": "whole numbers",
    "number": "numbers",
    "date": "dates",
    "text": "short texts",
    "free_text": "free text",
    "identifying": "tells who or where someone is",
}


def inspection_text(found: Inspection, raw: RawTable, file: str, reader: str, sheets: list[str]) -> str:
    """Return the description of a file.

    Parameters
    ----------
    found : Inspection
        Of `raw`.
    raw : RawTable
        For encoding, multiple-response sets and notices.
    file, reader : str
        As the user names them.
    sheets : list of str
        Sheets of a workbook, else empty.
    """
    lines = [file, f"  Read with the reader {reader}{f', encoding {raw.encoding}' if raw.encoding else ''}."]
    lines.append(f"  {found.n} rows, {len(found.columns)} columns.")
    if sheets:
        read = raw.provenance.get("sheet", sheets[0])
        lines.append(f"  Sheets: {', '.join(sheets)}; this is '{read}' (another one: --option sheet=NAME).")
    keys = [" with ".join(key) for key in found.keys]
    lines.append(
        f"  Likely keys (differ in every row, never missing): {'; '.join(keys) or 'none found, neither one column nor two or three'}."
    )
    lines += [f"  {name} would be a key, were it not for {_count(n)} rows that repeat a value." for name, n in found.nearly]
    lines.append(f"  Likely wave column: {', '.join(found.waves) or 'none found'}.")
    lines += [f"  Multiple-response set {name}: {_response_set(s)}" for name, s in _sets(raw)]
    lines += [
        f"  Noticed{f', column {notice.column}' if notice.column else ''}: {notice.message}." for notice in raw.notices if not notice.rows
    ]
    cells = sum(len(notice.rows) for notice in raw.notices)
    whole = [(f", column {notice.column}" if notice.column else "", notice.message) for notice in raw.notices if not notice.rows]
    lines += [f"  Noticed{place}: {message}." for place, message in whole]
    cells = sum(len(notice.rows) for notice in raw.notices)
    lines += [f"  Noticed about single cells: {_count(cells)}; the checks list them with their rows when the study runs."] if cells else []
    if "redcap_event_name" in raw.frame.columns and reader == "csv":
        lines.append("  This looks like a REDCap export: name its data dictionary with --option dictionary=FILE to see labels and codes.")
    return "\n".join([*lines, "", "Columns", *(line for column in found.columns for line in _column_lines(column))]) + "\n"


def _sets(raw: RawTable) -> list[tuple[str, dict]]:
    sets = raw.provenance.get("multiple_response_sets") or {}
    return sorted(sets.items()) if isinstance(sets, dict) else []


def _response_set(found: dict) -> str:
    counted = f", code {found['counted_value']} counts" if found["counted_value"] is not None else ""
    label = f"{found['label']}; " if found["label"] else ""
    return f"{label}{found['kind']}{counted}; columns {', '.join(found['columns'])}."


def _column_lines(column: ColumnFacts) -> list[str]:
    share = 100 * column.n_missing / column.n if column.n else 0.0
    label = f': "{" ".join(column.label.split())}"' if column.label and column.label != column.name else ""
    lines = [f"  {column.name}{label}"]
    lines.append(
        f"    {_KINDS[column.kind]}; {_spread(column)}; {share:.0f}% missing"
        + (f" ({_count(column.n_missing)})" if column.n_missing else "")
    )
    lines += [f"    {code} = {said} ({_count(n)})" for code, said, n in column.codes]
    unlabelled = column.n_distinct - sum(n > 0 for _, _, n in column.codes)
    lines += [f"    different values without a label: {unlabelled}"] if column.codes and unlabelled > 0 else []
    lines += [f"    missing: {_missing(code)}" for code in column.missing]
    lines += [f"    {code} ({_count(n)}) looks like a code for missing that the file does not declare" for code, n in column.suspects]
    return lines


def _spread(column: ColumnFacts) -> str:
    if column.low:
        return f"{column.low} to {column.high}"
    return f"{column.n_distinct} different value{'' if column.n_distinct == 1 else 's'}"


def _missing(code: MissingCode) -> str:
    label = f" = {code.label}" if code.label else ""
    declared = "" if code.declared else "; only its label says so"
    return f"{code.code}{label} ({_count(code.n)}{declared})"


def _count(n: int) -> str:
    return f"fewer than {LEAST_COUNT}" if 0 < n < LEAST_COUNT else str(n)
