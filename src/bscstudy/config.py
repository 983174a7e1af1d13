"""A study's configuration: its files, and its content handed out by section.

It is checked as a whole in :mod:`bscstudy.loading`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from bscstudy.errors import BscError

SCHEMAS = Path(__file__).resolve().parent / "schemas"
#: configuration file -> (schema, required, where its content goes: None = its keys are sections themselves)
YAML_FILES = {
    "config.yaml": ("config", True, None),
    "sources.yaml": ("sources", True, "sources"),
    "measures.yaml": ("measures", False, None),
    "checks.yaml": ("checks", False, "checks"),
    "qual.yaml": ("qual", False, "qual"),
    "theory_of_change.yaml": ("theory_of_change", False, "theory_of_change"),
    "integration.yaml": ("integration", False, "integration"),
    "meta_inferences.yaml": ("meta_inferences", False, None),
}
#: table section -> (file, required)
TABLE_FILES = {
    "items": ("codebook/items.csv", True),
    "response_scales": ("codebook/response_scales.csv", False),
    "missing_codes": ("codebook/missing_codes.csv", False),
    "recodes": ("codebook/recodes.csv", False),
    "scales": ("codebook/scales.csv", False),
    "harmonisation": ("codebook/harmonisation.csv", False),
    "themes": ("qual/themes.csv", False),
    "code_map": ("qual/code_map.csv", False),
    "quotes": ("qual/quotes.csv", False),
    "exhibits": ("exhibits.csv", True),
    "manifest": ("manifest.csv", False),
}
EMPTY = {
    "ids": {}, "exclusions": [], "observation": [], "fidelity": [], "derive": [], "run_charts": None,
    "elements": [], "composite": None, "attendance": None, "costs": None, "peer_network": None, "reported": [],
    "aggregation": {}, "informant_gaps": [], "factor_models": [],
    "checks": {}, "qual": None, "theory_of_change": {"constructs": [], "arrows": []}, "integration": {},
    "meta_inferences": [],
}  # fmt: skip


def read_sections(folder: Path, sections: dict[str, str]) -> dict:
    """Read the named sections of a configuration that was checked before; ``study`` is always among them.

    Parameters
    ----------
    folder : Path
        The folder ``config``.
    sections : dict
        Local name -> address: a section (``waves``), a part (``sources.staff_t1``) or rows of a table
        (``items[instrument=staff_survey, waves=T1|T3]``, ``waves[id=T1|T3]``; with ``.0`` the first such row). A row whose cell
        ``waves`` is blank holds in all; of any other cell only the waves asked for are handed out.
    """
    return select_sections(read_study(Path(folder)), sections)


def select_sections(study: dict, sections: dict[str, str]) -> dict:
    """Pick sections out of a loaded configuration (see `read_sections`)."""
    picked = {name: _address(study, address) for name, address in sections.items()}
    return {"study": study["study"], **picked}


def sections_digest(study: dict, sections: dict[str, str]) -> str:
    """Return a digest of the sections' content; a rule reruns when it changes."""
    text = json.dumps(select_sections(study, sections), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _address(study: dict, address: str):
    rows = re.fullmatch(r"(\w+)\[(.*)\](\.0)?", address)
    if rows:
        found = study[rows[1]]
        for column, wanted in re.findall(r"(?:^|(?<=, ))(\w+)=(.*?)(?=, \w+=|$)", rows[2]):
            found = _filtered(found, column, wanted.split("|"))
        return found[0] if rows[3] else found
    part = study
    for step in address.split("."):
        part = part[step]
    return part


def _filtered(rows: list[dict] | dict[str, dict], column: str, wanted: list[str]) -> list[dict] | dict[str, dict]:
    """Return the rows (or the named entries) that have one of the values; of a cell `waves` only the waves asked for are kept."""
    if isinstance(rows, dict):
        return {name: entry for name, entry in rows.items() if str(entry[column]) in wanted}
    if column != "waves":
        return [row for row in rows if row[column] in wanted]
    named = [(row, (row[column] or "").split()) for row in rows]
    return [{**row, column: " ".join(w for w in own if w in wanted)} for row, own in named if not own or set(own) & set(wanted)]


def read_yaml(path: Path) -> dict:
    """Read one YAML file; a file that cannot be parsed is named with line and column (BSC-CFG-001)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        mark = getattr(fault, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BscError(
            "BSC-CFG-001",
            "A configuration file cannot be read as YAML.",
            f"{path}{place}",
            "Nothing of the file can be used.",
            "Look at the line named: often an indent, a missing space after a colon, or a quote that is not closed.",
        ) from None
    return {} if content is None else content


@cache
def table_schema() -> dict:
    """Return the schema of the configuration's CSV tables, table name -> {required, properties}."""
    return read_yaml(SCHEMAS / "codebook.schema.yaml")["properties"]


def read_rows(path: Path) -> list[dict]:
    """Read a configuration table as text, one dict for each row (blank = empty string); blank lines are passed over."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            return [row for row in csv.DictReader(handle) if any((v or "").strip() for v in row.values() if not isinstance(v, list))]
    except (UnicodeDecodeError, csv.Error):
        raise BscError(
            "BSC-CFG-001", "A configuration table cannot be read.", str(path), "None of its rows can be used.", "Save it as CSV in UTF-8."
        ) from None


def _typed_rows(name: str, rows: list[dict]) -> list[dict]:
    columns = table_schema()[name]["properties"]

    def value(column: str, text: str):
        text = (text or "").strip()
        kind = columns[column].get("type")
        if kind not in ("number", "integer"):
            return text
        return None if text == "" else int(text) if kind == "integer" else float(text)

    return [{column: value(column, row.get(column) or "") for column in columns} for row in rows]


def crosswalk_files(folder: Path, ids: dict) -> dict[str, Path]:
    """Return key -> path of its crosswalk, for the keys of section `ids` that have one; it is named relative to the study's folder."""
    return {key: folder.parent / rule["crosswalk"] for key, rule in sorted((ids or {}).items()) if "crosswalk" in (rule or {})}


def _crosswalk(path: Path, waves: list[dict]) -> list[dict] | None:
    """Return the rows of a crosswalk, each with the `waves` in which it holds where it holds from one wave on; None without a file."""
    if not path.is_file():
        return None
    ordered = [str(wave["id"]) for wave in sorted(waves, key=lambda wave: wave["order"])]
    rows = _typed_rows("crosswalk", read_rows(path))
    return [{**row, "waves": ordered[ordered.index(row["from_wave"]) :] if row["from_wave"] in ordered else []} for row in rows]


def read_study(folder: Path) -> dict:
    """Return every section of a configuration, section name -> content, without checking it (see `loading.load_study`)."""
    study = dict(EMPTY)
    for file, (_, _, section) in YAML_FILES.items():
        if not (folder / file).is_file():
            continue
        content = read_yaml(folder / file)
        study.update(content if section is None else {section: content})
    for name, (file, _) in TABLE_FILES.items():
        study[name] = _typed_rows(name, read_rows(folder / file)) if (folder / file).is_file() else []
    study["crosswalks"] = {key: _crosswalk(path, study["waves"]) for key, path in crosswalk_files(folder, study["ids"]).items()}
    study["sources"] = {name: {"id": name, **content} for name, content in sorted(study["sources"].items())}
    models = sorted((folder / "models").glob("*.yaml"))
    study["models"] = {path.stem: {"id": path.stem, **read_yaml(path)} for path in models}
    return study
