"""The commands a person types: start a study, check one, write the demonstration data anew."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.inferences.commands import add_commands as add_inference_commands
from bscstudy.inspect_command import add_command as add_inspect_command
from bscstudy.waves.commands import add_commands as add_wave_commands


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a fault ends with its message and exit code, never with a trace."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BscError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # who reads the output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    drift = commands.add_parser("drift", help="show for each construct which items changed between waves")
    drift.add_argument("folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="the study's folder (here, if not given)")
    drift.add_argument("--changed", action="store_true", help="only the constructs in which something changed")
    drift.set_defaults(run=_drift)
    wording = commands.add_parser("wording-hash", help="print the hash of an item's wording, for a codebook that keeps the wording outside")
    wording.add_argument("wording", metavar="TEXT", help="the wording in quotation marks")
    wording.set_defaults(run=_wording_hash)
    simulate = commands.add_parser("simulate-study", help="write the raw files of the synthetic demonstration study")
    simulate.add_argument("folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="the study's folder (here, if not given)")
    simulate.add_argument("--parameters", type=Path, help="a parameter file of your own (YAML)")
    simulate.set_defaults(run=_simulate)
    add_inspect_command(commands)
    add_wave_commands(commands)
    add_inference_commands(commands)
    return parser


def _new_study(options: argparse.Namespace) -> None:
    from bscstudy.new_study import write_new_study

    written = write_new_study(options.folder)
    _check(options)
    print(f"Wrote {len(written)} files. Begin with {options.folder / 'README.md'}.")


def _check(options: argparse.Namespace) -> None:
    from bscstudy.io.inventory import check_files
    from bscstudy.loading import load_study
    from bscstudy.waves.manifest import check_manifest, manifest_text

    study = load_study(options.folder / "config")
    check_files(study["sources"], options.folder)
    check_manifest(study, options.folder)
    print(
        f"The configuration is in order: {len(study['sources'])} sources, {len(study['items'])} items, {len(study['scales'])} scales, "
        f"{len(study['models'])} models, {len(study['exhibits'])} exhibits."
    )
    print(manifest_text(study))


def _drift(options: argparse.Namespace) -> None:
    from bscstudy.checks.drift_picture import CHANGED, declared_drift, drift_picture, picture_text
    from bscstudy.loading import load_study

    study = load_study(options.folder / "config")
    picture = drift_picture(declared_drift(study), study)
    if options.changed:
        changed = picture[picture["state"].isin(CHANGED)]
        places = set(zip(changed["construct"], changed["instrument"], strict=True))
        picture = picture[[place in places for place in zip(picture["construct"], picture["instrument"], strict=True)]]
    print(picture_text(picture))


def _wording_hash(options: argparse.Namespace) -> None:
    from bscstudy.io.instrument_versions import wording_hash

    print(wording_hash(options.wording))


def _simulate(options: argparse.Namespace) -> None:
    from bscstudy.simulate.study import simulate_study

    written = simulate_study(options.folder, options.parameters)
    print(f"Wrote {len(written)} synthetic raw files under {options.folder / 'data' / 'raw'}.")
