"""The record of an exhibit (reports/data/<exhibit>.json): what the report and the check of a manuscript read."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit


def of(exhibit: Exhibit, context: Context, *, has_figure: bool) -> dict:
    """Return everything an exhibit says as plain values."""
    return {
        "exhibit": context.exhibit,
        "kind": context.kind,
        "title": context.title,
        "section": context.section,
        "options": context.options,
        "synthetic": context.synthetic,
        "caption": exhibit.caption,
        "sentences": list(exhibit.sentences),
        "notes": [{"name": name, "text": text} for name, text in exhibit.full_notes().items()],
        "footnotes": list(exhibit.footnotes),
        "figure": bool(has_figure),
        "alt": exhibit.alt or (exhibit.caption if has_figure else ""),
        "table": _plain_rows(exhibit.table),
        "data": None if exhibit.data is None else _plain_rows(exhibit.data),
    }


def _plain_rows(frame: pd.DataFrame) -> dict:
    rows = [[None if numbers.is_missing(v) else _scalar(v) for v in row] for row in frame.itertuples(index=False, name=None)]
    return {"columns": [str(c) for c in frame.columns], "rows": rows}


def _scalar(value: object) -> object:
    return value.item() if hasattr(value, "item") else value
