"""The demonstration with one thing spoilt, taken through the real functions in one process: configuration, reader, ingest, checks, step."""

import csv
import io
import shutil
from collections import defaultdict
from functools import cache
from pathlib import Path

import openpyxl
import yaml

from bscstudy.checks.gate import pass_gate, require_sound
from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import read_sources
from bscstudy.config import select_sections
from bscstudy.errors import BscError
from bscstudy.loading import load_study
from bscstudy.pipeline import SCORED, compared_sources, register_sources, source_files
from bscstudy.sections import sections_of
from bscstudy.workflow import Job

ROOT = Path(__file__).resolve().parents[2]


class Outputs(defaultdict):
    """Every output of a step, in one folder under its own name."""

    def __init__(self, folder):
        self.folder = folder

    def __missing__(self, name):
        return self.folder / f"{name}.csv"


def run_step(step, study, rule, inputs, output, **wildcards):
    """Run one step of the package as its Snakemake rule does."""
    config = select_sections(study, sections_of(study, rule, wildcards))
    step.run(Job(inputs, {"table": output} if output.suffix else Outputs(output), config, wildcards, 1))


def ingest_all(study, names, derived):
    """Read and ingest some sources of the study in the working folder."""
    from bscstudy.steps import ingest_source

    for name in names:
        files = [Path(file) for file in source_files(study, name)]
        run_step(ingest_source, study, "ingest_source", {"files": files}, derived / f"{name}.csv", source=name)


def checked(study, names, derived):
    """Return what the checks find in some sources and the registers, with the tolerances and rules that concern them."""
    names = sorted({*names, *register_sources(study)})
    tables = read_sources([derived / f"{name}.csv" for name in names], study["sources"])
    checks = study["checks"]
    kept = {
        **checks,
        "tolerated": [t for t in checks.get("tolerated", []) if t.get("source") in (None, *names)],
        "rules": [r for r in checks.get("rules", []) if r["source"] in names],
    }
    return run_checks(tables, {**study, "checks": kept})


def finding_places(quality):
    """Return (check, severity, source, place, message) of every finding; the place is as the gate says it, with the row alone."""
    rows = quality.findings.fillna({"column": "", "row": -1, "wave": ""}).itertuples()
    return {(f.check, f.severity, f"{f.source}, {f.file}, column {f.column}, row {f.row}, wave {f.wave}", f.message) for f in rows}


def outcome(study_folder, names, base, step=None):
    """Return the errors and new findings of a spoilt study.

    Returns
    -------
    found : list of (str, str)
        Code or check id, and where; for an error all its places.
    said : str
        Every message a person would see.
    """
    derived = study_folder / "data/derived/sources"
    derived.mkdir(parents=True)
    for path in base.glob("sources/*"):
        shutil.copy2(path, derived / path.name)
    try:
        study = load_study(Path("config"))
        ingest_all(study, names, derived)
        before = {name for name in names if (base / f"sources/{name}.csv").exists()}
        quality = checked(study, names, derived)
        new = finding_places(quality) - base_findings(base, frozenset(before))
        found = [(check, f"{severity}: {place}: {message}") for check, severity, place, message in new]
        said = "\n".join(f"{check} {place} {message}" for check, _, place, message in sorted(new))
        if any(severity == "stop" for _, severity, _, _ in new):
            said += gate_message(quality)
        if step:
            score(study, step, derived, base, study_folder)
    except BscError as error:
        return [(error.code, str(error))], str(error)
    return found, said


def refusals(study_folder, names, base, check):
    """Return what each step says that scores a source in which the gate finds a severe fault of this check, nothing where it goes on.

    A step is given the tables and the sections of the configuration that its rule names, and no others.
    """
    derived = study_folder / "data/derived/sources"
    shutil.copytree(base / "sources", derived)
    study = load_study(Path("config"))
    ingest_all(study, names, derived)

    def given(names):
        return read_sources([derived / f"{name}.csv" for name in names], study["sources"])

    findings = run_checks(given(study["sources"]), study).findings
    unsound = set(findings.loc[(findings["check"] == check) & (findings["severity"] == "stop"), "source"])
    said = {}
    for rule, own in SCORED.items():
        names = {*own(study), *register_sources(study)}
        if unsound & names or "" in unsound:
            said[rule] = ""
            try:
                require_sound(given({*names, *compared_sources(study, rule)}), select_sections(study, sections_of(study, rule, {})))
            except BscError as error:
                said[rule] = str(error)
    return said


def gate_message(quality):
    try:
        pass_gate(quality.findings, quality.summary)
    except BscError as error:
        assert error.code == "BSC-DAT-001"
        return str(error)
    raise AssertionError("a severe finding passed the gate")


@cache
def sound_study(base):
    return load_study(base / "config")


@cache
def base_findings(base, names):
    """Return what the checks find in the sources as they are, worked out once for each set of sources."""
    return finding_places(checked(sound_study(base), names, base / "sources"))


def score(study, rule, derived, base, folder):
    """Run a scoring step on the spoilt sources and the other tables of the sound study."""
    import importlib

    from bscstudy import pipeline

    def paths(names):
        return [derived / f"{name}.csv" for name in names]

    own = {
        "score_scales": lambda: {"tables": paths(pipeline.scored_sources(study))},
        "score_observation": lambda: {"tables": paths(pipeline.observation_sources(study))},
        "score_fidelity": lambda: {"tables": paths(pipeline.fidelity_sources(study))},
        "build_run_charts": lambda: {
            "table": derived / f"{study['run_charts']['source']}.csv",
            "marked": paths(pipeline.annotation_sources(study)),
        },
        "count_attendance": lambda: {"table": derived / f"{study['attendance']['source']}.csv"},
        "price_costs": lambda: {"table": derived / f"{study['costs']['source']}.csv", "fidelity": [base / "fidelity.csv"]},
        "score_elements": lambda: {"fidelity": base / "fidelity.csv"},
        "map_peer_network": lambda: {"tables": paths(study["peer_network"]["sources"])},
        "count_reports": lambda: {"tables": paths(pipeline.reported_sources(study))},
        "compare_informants": lambda: {"scores": base / "scores.csv"},
        "code_themes": lambda: {
            "codings": paths(pipeline.coding_sources(study)),
            "documents": derived / f"{study['qual']['documents']}.csv",
            "asked": derived / f"{study['qual']['asked']}.csv",
        },
    }[rule]()
    compared = paths(compared_sources(study, rule)) if rule in SCORED else []
    always = {
        "register": paths(register_sources(study)),
        "compared": compared,
        "people": base / "people.csv",
        "centers": base / "centers.csv",
    }
    output = folder / "data/derived/measures"
    output.mkdir(parents=True)
    run_step(importlib.import_module(f"bscstudy.steps.{rule}"), study, rule, {**always, **own}, output)


def sound_base(root, folder):
    """Ingest every source of the demonstration once, and score what other steps read."""
    from bscstudy import pipeline
    from bscstudy.steps import link_people, score_fidelity, score_scales

    (folder / "sources").mkdir(parents=True)
    shutil.copytree(root / "config", folder / "config")
    study = load_study(Path("config"))
    ingest_all(study, study["sources"], folder / "sources")
    everything = {"tables": sorted((folder / "sources").glob("*.csv")), "people": folder / "people.csv", "centers": folder / "centers.csv"}
    given = {**everything, "register": [folder / f"sources/{name}.csv" for name in register_sources(study)]}
    some = {"tables": [folder / f"sources/{name}.csv" for name in pipeline.person_sources(study)]}
    run_step(link_people, study, "link_people", {**given, **some}, folder)
    for step, rule, names, output in (
        (score_scales, "score_scales", pipeline.scored_sources(study), "scores.csv"),
        (score_fidelity, "score_fidelity", pipeline.fidelity_sources(study), "fidelity.csv"),
    ):
        some = {"tables": [folder / f"sources/{name}.csv" for name in names]}
        run_step(step, study, rule, {**given, **some}, folder / output)
    return folder


# --- ways to spoil a file ---------------------------------------------------------------------------------------


def all_of(*changes):
    def change():
        for one in changes:
            one()

    return change


def content(file, data):
    return lambda: Path(file).write_bytes(data(Path(file).read_bytes()) if callable(data) else data)


def cut(file, share=0.6):
    return content(file, lambda data: data[: int(len(data) * share)])


def text(file, change, encoding="utf-8"):
    return lambda: Path(file).write_bytes(change(Path(file).read_bytes().decode(encoding)).encode(encoding))


def replaced(file, old, new, encoding="utf-8"):
    def change(content):
        assert old in content, f"{old!r} is not in {file}"
        return content.replace(old, new, 1)

    return text(file, change, encoding)


def rows(file, change, delimiter=",", encoding="utf-8-sig"):
    """Change the records of a text file, the header among them, as lists of cells."""

    def spoil():
        written = io.StringIO()
        known = list(csv.reader(io.StringIO(Path(file).read_bytes().decode(encoding)), delimiter=delimiter))
        csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(change(known) or known)
        Path(file).write_bytes(written.getvalue().encode(encoding))

    return spoil


def cell(file, line, column, new, **told):
    """Put a text into one cell; the first line is 1, the column is named."""

    def change(known):
        known[line - 1][known[0].index(column)] = new

    return rows(file, change, **told)


def header(file, old, new):
    def change(known):
        known[0][known[0].index(old)] = new

    return rows(file, change)


def repeated(file, line):
    return rows(file, lambda known: [*known, known[line - 1]])


def settings(file, change):
    """Change a YAML file of the configuration, `change` acts on its content."""

    def spoil():
        path = Path("config") / file
        known = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(known)
        path.write_text(yaml.safe_dump(known, sort_keys=False), encoding="utf-8")

    return spoil


def source(name, **new):
    """Change settings of one source; None takes one away."""

    def change(known):
        known[name] = {k: v for k, v in {**known.get(name, {}), **new}.items() if v is not None}

    return settings("sources.yaml", change)


def options(name, **new):
    return settings("sources.yaml", lambda known: known[name].setdefault("options", {}).update(new))


def codebook(table, change):
    """Change a table of the codebook, `change` acts on a list of dicts and may name new columns."""

    def spoil():
        path = Path("config/codebook") / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            known = list(csv.DictReader(handle))
        known = change(known) or known
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(dict.fromkeys(name for row in known for name in row)), restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(known)

    return spoil


def item(name, *, wave="", **new):
    """Change the codebook rows of one item (of one wave)."""

    def change(known):
        hit = [row for row in known if row["item"] == name and wave in row["waves"]]
        assert hit, name
        for row in hit:
            row.update(new)

    return codebook("items", change)


def new_item(instrument, name, **more):
    plain = {"instrument": instrument, "item": name, "label": name, "type": "text", "version": "1"}
    return codebook("items", lambda known: [*known, {**plain, **more}])


def new_table(file, *lines):
    def write():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return write


def workbook(file, change):
    """Change the only sheet of a workbook."""

    def spoil():
        book = openpyxl.load_workbook(file)
        change(book.worksheets[0])
        book.save(file)

    return spoil


def statistical(file, change):
    """Change the frame of an SPSS file and write it again with its labels and missing codes."""

    def spoil():
        import pyreadstat

        frame, meta = pyreadstat.read_sav(file, user_missing=True)
        frame = change(frame)
        known = {name: labels for name, labels in meta.variable_value_labels.items() if name in frame}
        ranges = {name: kept for name, kept in meta.missing_ranges.items() if name in frame}
        pyreadstat.write_sav(frame, file, variable_value_labels=known, missing_ranges=ranges)

    return spoil
