"""Step of the rules that make exhibits: tables, figures and records of one section of the report."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.exhibits import harmonised, markup, record
from bscstudy.exhibits.base import Context, check_exhibit
from bscstudy.steps.job_tables import paths_of, table_name
from bscstudy.tables import read_table, write_bytes, write_json, write_text
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Build every exhibit of the job's rows of config/exhibits.csv and write all forms of it."""
    tables = {table_name(path): read_table(path) for path in paths_of(job, "tables")}
    written = {form: {path.stem: path for path in paths} for form, paths in job.outputs.items()}
    config = {name: part for name, part in job.config.items() if name != "exhibits"}
    for row in job.config["exhibits"]:
        outputs = {form: paths[row["exhibit"]] for form, paths in written.items() if row["exhibit"] in paths}
        _make(context_of(row, config), tables, outputs)


def _make(context: Context, tables: dict, outputs: dict[str, Path]) -> None:
    kind = importlib.import_module(f"bscstudy.exhibits.{context.kind}")
    exhibit = kind.build({name: tables[name] for name in kind.TABLES if name in tables}, context)
    check_exhibit(exhibit, context, kind.FIGURE)
    flag = harmonised.flag(exhibit.notes, context)
    exhibit = replace(exhibit, sentences=(*exhibit.sentences, *flag)) if exhibit.sentences else exhibit
    if kind.FIGURE:
        figure = exhibit.figure if exhibit.figure is not None else _blank(exhibit, context)
        from bscstudy.exhibits import style

        for text in flag if exhibit.figure is not None else ():
            style.add_foot(figure, text)
        write_bytes(outputs["figures_svg"], style.figure_bytes(figure, "svg"))
        write_bytes(outputs["figures_png"], style.figure_bytes(figure, "png"))
    write_text(outputs["tables_html"], markup.page(markup.table_fragment(exhibit, context), context))
    write_text(outputs["tables_csv"], markup.table_csv(exhibit, context))
    write_json(outputs["records"], record.of(exhibit, context, has_figure=bool(kind.FIGURE)))


def context_of(row: dict, config: dict) -> Context:
    """Return the context of one row of config/exhibits.csv; options are ``key=value; key=value``."""
    options = {}
    for part in str(row.get("options") or "").split(";"):
        if part.strip():
            key, separator, value = part.partition("=")
            if not separator or not key.strip() or key.strip() in options:
                raise _option_error(row["exhibit"])
            options[key.strip()] = value.strip()
    return Context(str(row["exhibit"]), str(row["kind"]), str(row["title"]), str(row["section"]), options, config)


def _option_error(exhibit: str) -> BscError:
    return BscError(
        "BSC-CFG-080",
        f"The options of the exhibit '{exhibit}' cannot be read.",
        "config/exhibits.csv, column options",
        "It is not clear what the exhibit should show.",
        "Write each option once, as key=value, and put ; between two of them.",
    )


def _blank(exhibit, context: Context):
    from bscstudy.exhibits import style

    figure, axis = style.new_figure(7.5, 1.6)
    axis.axis("off")
    axis.text(0, 0.5, exhibit.caption, va="center")
    style.finish(figure, context)
    return figure
