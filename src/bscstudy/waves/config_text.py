"""Edits of configuration files as text, so that comments, order and spelling of everything else survive."""

from __future__ import annotations

import csv
import io
import json


def with_wave(text: str, wave: dict) -> str:
    """Return config.yaml with one more entry at the end of `waves`."""
    node = _value(_root(text), "waves")
    flow = "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in wave.items()) + "}"
    if node.flow_style:
        return _inserted(text, node.end_mark.index - 1, f", {flow}")
    last = node.value[-1]
    indent = " " * node.start_mark.column
    return _inserted(text, _end_of_content(text, last), f"\n{indent}- {flow}")


def with_source(text: str, name: str, entry: dict, comment: str) -> str:
    """Return sources.yaml with one more source at the end."""
    lines = [f"# {comment}", f"{name}:", *(line for key, value in entry.items() for line in _block(key, value))]
    return text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def with_wave_value(text: str, source: str, raw: str, wave: str) -> str:
    """Return sources.yaml with one more value in the `wave.map` of a source; KeyError where it stands in a merged entry."""
    node = _value(_value(_value(_root(text), source), "wave"), "map")
    pair = f"{_scalar(raw)}: {_scalar(wave)}"
    if node.flow_style:
        return _inserted(text, node.end_mark.index - 1, f", {pair}" if node.value else pair)
    indent = " " * node.start_mark.column
    return _inserted(text, _end_of_content(text, node.value[-1][1]), f"\n{indent}{pair}")


def with_keys(text: str, section: str, entry: str, values: dict) -> str:
    """Return a YAML file in which an entry (by id) of a list has these values of some keys, new keys at its end; KeyError without it."""
    node = {_value(n, "id").value: n for n in _value(_root(text), section).value}[entry]
    indent = " " * node.start_mark.column

    def written(key: str) -> str:
        if node.flow_style:
            return f"{_scalar(key)}: {_flow(values[key])}"
        return f"\n{indent}".join(line[2:] for line in _block(key, values[key]))

    known = [(name, value) for name, value in node.value if name.value in values]
    new = [key for key in values if key not in {name.value for name, _ in known}]
    place = node.end_mark.index - 1 if node.flow_style else _end_of_content(text, node)
    text = _inserted(text, place, "".join((", " if node.flow_style else f"\n{indent}") + written(key) for key in new))
    for name, value in reversed(known):
        end = value.end_mark.index if _is_leaf(value) else _end_of_content(text, value)
        text = text[: name.start_mark.index] + written(name.value) + text[end:]
    return text


def with_cells(text: str, changed: dict[int, dict[str, str]], added: list[dict[str, str]]) -> str:
    """Return a configuration table with some cells changed and rows added; every other line stays as it is.

    Parameters
    ----------
    text : str
        The CSV table.
    changed : dict
        Place of a row among the rows that hold anything, from 0 -> {column: new text}.
    added : list of dict
        New rows; a column that is not named is blank.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    records = _records(lines)
    header = [name.lstrip("\ufeff") for name in records[0][2]]
    filled = [record for record in records[1:] if any(cell.strip() for cell in record[2])]
    for place in sorted(changed, reverse=True):
        first, last, cells = filled[place]
        row = {**dict(zip(header, cells, strict=False)), **changed[place]}
        lines[first:last] = [_line([row.get(name, "") for name in header], ending)]
    body = "".join(lines)
    body += "" if body.endswith("\n") or not added else ending
    return body + "".join(_line([row.get(name, "") for name in header], ending) for row in added)


def _records(lines: list[str]) -> list[tuple[int, int, list[str]]]:
    """Return (first line, line after the last, cells) of each record."""
    reader = csv.reader(lines)
    found, start = [], 0
    for cells in reader:
        found.append((start, reader.line_num, cells))
        start = reader.line_num
    return found


def _line(cells: list[str], ending: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator=ending).writerow(cells)
    return out.getvalue()


def _root(text: str):
    import yaml

    return yaml.compose(text, Loader=yaml.SafeLoader)


def _value(node, key: str):
    return {name.value: value for name, value in node.value}[key]


def _inserted(text: str, place: int, new: str) -> str:
    return text[:place] + new + text[place:]


def _end_of_content(text: str, node) -> int:
    """Return the place after a node's last character; a block's own end mark lies behind the blank lines and comments that follow."""
    while not _is_leaf(node):
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    line_end = text.find("\n", node.end_mark.index)
    before = node.end_mark.index
    while before and text[before - 1] in "\n ":
        before -= 1
    return before if before < node.end_mark.index else (len(text) if line_end < 0 else line_end)


def _is_leaf(node) -> bool:
    return isinstance(node.value, str) or bool(node.flow_style) or not node.value


def _block(key: str, value: object) -> list[str]:
    if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
        return [f"  {key}:", *(f"    {_scalar(inner)}: {_flow(content)}" for inner, content in value.items())]
    return [f"  {key}: {_flow(value)}"]


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """Return a scalar that YAML reads back as the same value: plain where that is so, else in double quotes."""
    import yaml

    if not isinstance(value, str):
        return json.dumps(value)
    plain = value != "" and value == value.strip() and not any(mark in value for mark in ",[]{}:#&*!|>'\"%@`\n\\")
    try:
        same = plain and yaml.safe_load(f"[{value}]") == [value]
    except (yaml.YAMLError, ValueError):
        same = False
    return value if same else json.dumps(value, ensure_ascii=False)
