"""The commands about meta-inferences: sign-inference, inferences."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Enter the commands."""
    sign = commands.add_parser("sign-inference", help="sign a meta-inference on the values of the last run, which are kept beside it")
    sign.add_argument("id", metavar="ID", help="its id in config/meta_inferences.yaml")
    sign.add_argument("--author", required=True, metavar="NAME", help="who signs; the report prints the name")
    sign.add_argument("--date", required=True, metavar="YYYY-MM-DD", help="the day")
    _study(sign)
    sign.set_defaults(run=_sign)
    listed = commands.add_parser("inferences", help="list the meta-inferences: proposed, signed, stale, or referring to nothing")
    _study(listed)
    listed.set_defaults(run=_list)


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", dest="folder", type=Path, default=Path("."), metavar="DIR", help="the study's folder (here, if not given)"
    )


def _sign(options: argparse.Namespace) -> None:
    from bscstudy.inferences.signing import sign

    values = sign(options.folder, options.id, options.author, options.date)
    n = sum(map(len, values.values()))
    print(f"Signed {options.id}: {n} values of {len(values)} results and themes are kept with it. Run `snakemake` to see it in the report.")


def _list(options: argparse.Namespace) -> None:
    from bscstudy.inferences.words import inferences_text

    print(inferences_text(options.folder))
