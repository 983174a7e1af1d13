"""The command `bscstudy inspect FILE`: what a raw file holds, and draft rows of the codebook for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from bscstudy.config import SCHEMAS, read_yaml
from bscstudy.io.readers import READERS


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser of `bscstudy`."""
    parser = commands.add_parser("inspect", help="say in plain words what a raw file holds, and draft its codebook rows")
    parser.add_argument("file", type=Path, metavar="FILE", help="a raw file of any kind that the pipeline reads")
    parser.add_argument("--reader", choices=sorted(READERS), help="the reader to use (if not given, the file's content decides)")
    parser.add_argument(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the reader as under `options` in sources.yaml, for example sheet=Actions, encoding=cp1252 or dictionary=FILE",
    )
    parser.add_argument("--draft", type=Path, metavar="DIR", help="write draft codebook rows into this folder")
    parser.add_argument("--instrument", help="the instrument's id in the draft (if not given, made from the file's name)")
    parser.set_defaults(run=_inspect)


def _option(text: str) -> tuple[str, object]:
    import yaml

    known = read_yaml(SCHEMAS / "sources.schema.yaml")["additionalProperties"]["properties"]["options"]["properties"]
    name, mark, value = text.partition("=")
    if not mark or name not in known:
        raise argparse.ArgumentTypeError(f"write it as NAME=VALUE with one of these names: {', '.join(sorted(known))}")
    if known[name].get("type") == "string":
        return name, value
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise argparse.ArgumentTypeError(f"the value of {name} cannot be read") from None


def _inspect(options: argparse.Namespace) -> None:
    from bscstudy.io.codebook_draft import draft_codebook, instrument_id, left_out, write_draft
    from bscstudy.io.guess_reader import guess_reader, sheets_of
    from bscstudy.io.inspection import inspect_table
    from bscstudy.io.inspection_text import inspection_text
    from bscstudy.io.inventory import companions_of
    from bscstudy.io.readers import read_source

    given = dict(options.option)
    reader = options.reader or guess_reader(options.file, given)
    source = {"reader": reader, "options": given}
    raw = read_source([options.file, *map(Path, companions_of(source).values())], source)
    found = inspect_table(raw, given.get("decimal") or ".")
    sheets = sheets_of(options.file) if reader == "excel" else []
    print(inspection_text(found, raw, str(options.file), reader, sheets), end="")
    if options.draft:
        instrument = instrument_id(options.instrument or options.file.stem)
        for path in write_draft(options.draft, draft_codebook(found, instrument)):
            print(f"Wrote {path}")
        out = ", ".join(left_out(found)) or "none"
        print(f"Columns that are no items (keys, added by the program, or telling who someone is): {out}.")
        print("Look at each row: types, the order of answers and the reasons of missing codes are guesses from names and labels.")
