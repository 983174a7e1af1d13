"""The commands a person types: start a study, check one, write the demonstration data anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bscstudy.errors import BscError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a fault ends with its message and exit code, never with a trace."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except BscError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bscstudy", description="Tools beside the pipeline; the pipeline itself runs with snakemake.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new-study", help="write a commented starting folder for a study of your own")
    new.add_argument("folder", type=Path, metavar="DIR", help="a folder that does not exist yet or is empty")
    new.set_defaults(run=_new_study)
    check = commands.add_parser("check", help="check a study's configuration and that its raw files are there")
    check.add_argument("folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="the study's folder (here, if not given)")
    check.set_defaults(run=_check)
    simulate = commands.add_parser("simulate-study", help="write the raw files of the synthetic demonstration study")
    simulate.add_argument("folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="the study's folder (here, if not given)")
    simulate.add_argument("--parameters", type=Path, help="a parameter file of your own (YAML)")
    simulate.set_defaults(run=_simulate)
    return parser


def _new_study(options: argparse.Namespace) -> None:
    from bscstudy.new_study import write_new_study

    written = write_new_study(options.folder)
    _check(options)
    print(f"Wrote {len(written)} files. Begin with {options.folder / 'README.md'}.")


def _check(options: argparse.Namespace) -> None:
    from bscstudy.io.inventory import check_files
    from bscstudy.loading import load_study

    study = load_study(options.folder / "config")
    check_files(study["sources"], options.folder)
    print(
        f"The configuration is in order: {len(study['sources'])} sources, {len(study['items'])} items, {len(study['scales'])} scales, "
        f"{len(study['models'])} models, {len(study['exhibits'])} exhibits."
    )


def _simulate(options: argparse.Namespace) -> None:
    from bscstudy.simulate.study import simulate_study

    written = simulate_study(options.folder, options.parameters)
    print(f"Wrote {len(written)} synthetic raw files under {options.folder / 'data' / 'raw'}.")
