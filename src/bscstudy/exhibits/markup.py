"""Tables as HTML that a screen reader can walk: caption, scoped headers, groups of rows, notes, footnotes."""

from __future__ import annotations

import html
import re
from importlib import resources

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, footnote_mark

FRAGMENT_START, FRAGMENT_END = "<!-- table starts -->", "<!-- table ends -->"
SYNTHETIC_TEXT = "SYNTHETIC DATA: made by a simulation; no real person, center or result."
_NUMBER = re.compile(r"^[<>+−\-.]?\s*[.\d]|^[–∞]$|^$")


def table_fragment(exhibit: Exhibit, context: Context) -> str:
    """Return banner, table, footnotes and notes as one fragment; ids start with the exhibit's id."""
    name = html.escape(context.exhibit, quote=True)
    parts = [FRAGMENT_START]
    if context.synthetic:
        parts.append(f'<p class="synthetic">{html.escape(SYNTHETIC_TEXT)}</p>')
    parts.append(f'<div class="table-scroll" role="region" tabindex="0" aria-label="Table: {html.escape(context.title)}">')
    parts += [f'<table id="{name}-table">', f'<caption id="{name}-caption">{html.escape(exhibit.caption)}</caption>']
    parts += [_head(exhibit), *_bodies(exhibit), "</table>", "</div>", _footnotes(exhibit), _notes(exhibit), FRAGMENT_END]
    return "\n".join(part for part in parts if part)


def page(fragment: str, context: Context) -> str:
    """Return a complete small HTML page around one exhibit's table, for opening it alone."""
    title = html.escape(f"{context.title or context.exhibit}")
    mark = "SYNTHETIC: " if context.synthetic else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{mark}{title}</title>\n<style>\n{stylesheet()}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{fragment}\n</main>\n</body>\n</html>\n"
    )


def fragment_of(page_text: str) -> str:
    """Return the fragment that ``page`` was given."""
    return page_text[page_text.index(FRAGMENT_START) : page_text.index(FRAGMENT_END) + len(FRAGMENT_END)]


def stylesheet() -> str:
    """Return the one stylesheet of tables and report."""
    return resources.files("bscstudy.exhibits").joinpath("report.css").read_text(encoding="utf-8")


def table_csv(exhibit: Exhibit, context: Context) -> str:
    """Return the table as shown as CSV text; a plain minus so that spreadsheets read numbers, and the synthetic mark as a column."""
    frame = exhibit.table.copy()
    for column in frame.columns:
        frame[column] = [numbers.text(v).replace(numbers.MINUS, "-") for v in frame[column]]
    if context.synthetic:
        frame["data"] = "SYNTHETIC"
    return frame.to_csv(index=False, lineterminator="\n")


def _shown_columns(exhibit: Exhibit) -> list[str]:
    return [c for c in exhibit.table.columns if c != exhibit.group_by]


def _numeric_columns(exhibit: Exhibit) -> set[str]:
    shown = _shown_columns(exhibit)[1:]
    return {c for c in shown if all(_NUMBER.match(numbers.text(v)) for v in exhibit.table[c])}


def _head(exhibit: Exhibit) -> str:
    numeric = _numeric_columns(exhibit)
    cells = "".join(
        f'<th scope="col"{_class(c in numeric)}>{html.escape(str(c))}</th>' if str(c) else "<td></td>" for c in _shown_columns(exhibit)
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _class(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _bodies(exhibit: Exhibit) -> list[str]:
    shown, numeric, parts = _shown_columns(exhibit), _numeric_columns(exhibit), []
    for heading, rows in _groups(exhibit):
        lines = ["<tbody>"]
        if heading:
            lines.append(f'<tr class="group"><th scope="rowgroup" colspan="{len(shown)}">{html.escape(heading)}</th></tr>')
        for _, row in rows.iterrows():
            first, *rest = shown
            cells = "".join(f"<td{_class(c in numeric)}>{html.escape(numbers.text(row[c]))}</td>" for c in rest)
            lines.append(f'<tr><th scope="row">{html.escape(numbers.text(row[first]))}</th>{cells}</tr>')
        parts.append("\n".join([*lines, "</tbody>"]))
    return parts


def _groups(exhibit: Exhibit) -> list[tuple[str, pd.DataFrame]]:
    frame = exhibit.table
    if not exhibit.group_by or frame.empty:
        return [("", frame)]
    names = frame[exhibit.group_by].map(numbers.text)
    runs = (names != names.shift()).cumsum()
    return [(names[rows.index[0]], rows) for _, rows in frame.groupby(runs, sort=True)]


def _footnotes(exhibit: Exhibit) -> str:
    if not exhibit.footnotes:
        return ""
    items = "".join(f"<li>{footnote_mark(i)} {html.escape(text)}</li>" for i, text in enumerate(exhibit.footnotes))
    return f'<ul class="footnotes">{items}</ul>'


def _notes(exhibit: Exhibit) -> str:
    items = "".join(f"<div><dt>{html.escape(k)}</dt> <dd>{html.escape(v)}</dd></div>" for k, v in exhibit.full_notes().items())
    return f'<dl class="notes">{items}</dl>'
