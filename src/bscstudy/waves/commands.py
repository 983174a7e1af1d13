"""The commands about waves and received files: add-wave, manifest, snapshot, diff-waves."""

from __future__ import annotations

import argparse
from pathlib import Path

PHASES = ("baseline", "during", "post", "follow_up")


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Enter the commands."""
    add = commands.add_parser(
        "add-wave", help="add the files of a new wave, or corrected ones; shows what it would do unless --write is given"
    )
    add.add_argument("wave", metavar="WAVE", help="the wave's id, for example T5")
    add.add_argument("--from", dest="delivery", type=Path, required=True, metavar="FOLDER", help="the folder of new files, as received")
    for name, text in (("label", "how a new wave is called"), ("start", "first day of a new wave"), ("end", "last day of a new wave")):
        add.add_argument(f"--{name}", default="", help=text)
    add.add_argument(
        "--phase", default="", choices=PHASES, help="part of the collaborative a new wave belongs to (as the wave before, if not given)"
    )
    add.add_argument("--received", default="", metavar="YYYY-MM-DD", help="the day the files were received, for the manifest")
    add.add_argument("--corrects", action="append", default=[], metavar="SOURCE", help="a file of the delivery corrects this source")
    add.add_argument(
        "--renamed", action="append", default=[], metavar="ITEM=COLUMN", help="an item stands in another column of the new file"
    )
    add.add_argument("--not-asked", action="append", default=[], metavar="ITEM", help="an item was not asked in this wave")
    add.add_argument(
        "--map-holds", action="append", default=[], metavar="SCALE", help="what harmonisation.csv says of a scale holds in this wave too"
    )
    add.add_argument("--write", action="store_true", help="copy the files, write the configuration and the manifest")
    add.add_argument("--snakefile", type=Path, help="the pipeline's Snakefile (beside the package, if not given)")
    _study(add)
    add.set_defaults(run=_add_wave)
    manifest = commands.add_parser("manifest", help="compare the raw files with config/manifest.csv; --write lists those that are new")
    manifest.add_argument("--write", action="store_true", help="add the raw files that are not listed")
    manifest.add_argument("--received", default="", metavar="YYYY-MM-DD", help="the day the added files were received")
    _study(manifest)
    manifest.set_defaults(run=_manifest)
    snapshot = commands.add_parser("snapshot", help="keep the published numbers and what they rest on, to be compared later")
    snapshot.add_argument("target", type=Path, metavar="DIR", help="a folder that does not exist yet or is empty")
    _study(snapshot)
    snapshot.set_defaults(run=_snapshot)
    differ = commands.add_parser("diff-waves", help="say which published numbers changed between two reports or snapshots, and why")
    differ.add_argument("old", type=Path, metavar="OLD", help="a reports folder, a data/derived folder or a snapshot")
    differ.add_argument("new", type=Path, metavar="NEW", help="a folder of the same kind")
    differ.add_argument("--csv", type=Path, metavar="FILE", help="write every changed number as a table too")
    differ.set_defaults(run=_diff_waves)


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--study", dest="folder", type=Path, default=Path("."), metavar="DIR", help="the study's folder (here, if not given)"
    )


def _add_wave(options: argparse.Namespace) -> None:
    from bscstudy.loading import load_study
    from bscstudy.waves.codebook_edits import Decisions
    from bscstudy.waves.planning import propose
    from bscstudy.waves.words import proposal_text
    from bscstudy.waves.writing import write_proposal

    wave = {"id": options.wave, **{name: getattr(options, name) for name in ("label", "phase", "start", "end")}}
    renamed = dict(entry.partition("=")[::2] for entry in options.renamed)
    decisions = Decisions(renamed, tuple(options.not_asked), tuple(options.map_holds))
    before = load_study(options.folder / "config")
    proposal = propose(options.folder, wave, options.delivery, corrects=tuple(options.corrects), decisions=decisions)
    print(proposal_text(proposal, before))
    if not options.write:
        print("\nNothing was changed. Add --write to do this; what will run again is shown then.")
        return
    written = write_proposal(options.folder, proposal, options.received)
    print("\nWritten, and the whole study checked:", *written, sep="\n  ")
    _show_rerun(options, set(before["sources"]))


def _show_rerun(options: argparse.Namespace, known: set[str]) -> None:
    from bscstudy.loading import load_study
    from bscstudy.waves.rerun import planned, rerun_text

    sources = set(load_study(options.folder / "config")["sources"])
    print(f"\n{rerun_text(planned(options.folder, options.snakefile), sources, sources - known)}")


def _manifest(options: argparse.Namespace) -> None:
    from bscstudy.loading import load_study
    from bscstudy.waves.manifest import MANIFEST, check_manifest, manifest_row, unlisted_files, write_manifest

    study = load_study(options.folder / "config")
    check_manifest(study, options.folder)
    new = unlisted_files(study, options.folder)
    if options.write and new:
        write_manifest(options.folder, study["manifest"] + [manifest_row(study, options.folder, f, received=options.received) for f in new])
        load_study(options.folder / "config")
    print(f"{MANIFEST}: {len(study['manifest'])} files as listed; {len(new)} {'added' if options.write else 'not listed'}")
    for file in new:
        print(f"  {file}")


def _snapshot(options: argparse.Namespace) -> None:
    from bscstudy.waves.snapshot import write_snapshot

    written = write_snapshot(options.folder, options.target)
    print(f"Kept {len(written)} files in {options.target}.")


def _diff_waves(options: argparse.Namespace) -> None:
    from bscstudy.waves.differences import compare_folders, difference_rows, difference_text
    from bscstudy.waves.reasons import reasons_between

    found = compare_folders(options.old, options.new)
    print(difference_text(found, reasons_between(options.old, options.new)))
    if options.csv:
        from bscstudy.tables import write_text

        write_text(options.csv, difference_rows(found).to_csv(index=False, lineterminator="\n"))
