"""Which tables and which sections of the configuration each rule of the workflow needs.

Rules ask this module, so that what reruns after an edit is decided in one place and can be tested without Snakemake.
"""

from __future__ import annotations

import ast
from functools import cache

from bscstudy.config import sections_digest
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import READERS
from bscstudy.workflow import PACKAGE, code_digest, file_digest

DERIVED = "data/derived"
EXHIBIT_KINDS = (
    "sample_flow", "data_quality", "descriptives", "reliability", "observation", "rater_agreement", "fidelity", "change_by_wave",
    "facilitators", "run_charts", "coder_agreement", "theme_heatmap", "center_themes", "joint_display",
    "model_ladder", "variance_partition", "center_caterpillar", "marginal_means", "influence", "diagnostics", "model_agreement",
)  # fmt: skip

#: tables that collect_models gathers from the results of all models
MODEL_TABLES = tuple(
    f"models/{name}"
    for name in (
        "estimates", "fits", "ladder", "variance_components", "variance_partition", "marginal_means", "center_modes", "influence",
        "diagnostics",
    )
)  # fmt: skip


def table_path(name: str) -> str:
    """Return the path of a derived table from its name (``models/estimates``)."""
    return f"{DERIVED}/{name}.csv"


def source_table(source: str) -> str:
    """Return the path of the ingested table of a source."""
    return table_path(f"sources/{source}")


def source_files(study: dict, source: str) -> list[str]:
    """Return the raw files one source is read from."""
    return files_of(study["sources"][source])


def sources_of_instruments(study: dict, instruments: set[str]) -> list[str]:
    """Return the sources that hold one of these instruments."""
    return [name for name, source in study["sources"].items() if source["instrument"] in instruments]


def scored_sources(study: dict) -> list[str]:
    """Return the sources whose instruments have scales."""
    return sources_of_instruments(study, {row["instrument"] for row in study["scales"]})


def person_sources(study: dict) -> list[str]:
    """Return the scored sources that name a person."""
    return [name for name in scored_sources(study) if "person_id" in study["sources"][name].get("keys", {})]


def register_sources(study: dict) -> list[str]:
    """Return the registers of centers and, where there is one, of people."""
    return [name for name in (study["register"]["centers"], study["register"].get("people")) if name]


def observation_sources(study: dict) -> list[str]:
    """Return the sources that observation instruments are read from."""
    return sorted({instrument["source"] for instrument in study["observation"]})


def fidelity_sources(study: dict) -> list[str]:
    """Return the sources that fidelity indices and their derived fields are read from."""
    return sorted({part["source"] for part in (*study["fidelity"], *study["derive"]) if "source" in part})


def model_tables(study: dict, model: str) -> dict[str, str]:
    """Return the analysis tables a model reads, by unit; an optional model does without those the study does not have."""
    spec = study["models"][model]
    units = {spec["unit"], *(p.get("from", spec["unit"]) for p in spec.get("predictors", {}).values())}
    absent = optional_tables(study) if spec.get("optional") else set()
    return {unit: table_path(f"analysis/{unit}") for unit in sorted(units) if f"analysis/{unit}" not in absent}


def optional_tables(study: dict) -> set[str]:
    """Return the derived tables that this study cannot have because it has no such data."""
    absent = set()
    if not study["observation"]:
        absent |= {"measures/observation", "measures/observation_person", "measures/rater_agreement", "analysis/visit"}
    if not study["fidelity"]:
        absent.add("measures/fidelity")
    if not study["run_charts"]:
        absent |= {"measures/run_charts", "measures/run_chart_signals"}
    if not study["qual"]:
        absent |= {"qual/codings", "qual/presence", "qual/theme_center", "qual/theme_summary", "qual/coder_agreement"}
        absent |= {"integrate/joint_display", "integrate/center_themes"}
    if not study["models"]:
        absent |= {*MODEL_TABLES, "integrate/joint_display", "integrate/center_themes"}
    return absent


def present_tables(study: dict, names: list[str]) -> list[str]:
    """Return the paths of those tables that this study has."""
    absent = optional_tables(study)
    return [table_path(name) for name in names if name not in absent]


#: sections by which a step knows whether its sources are sound
_SOUND = ("waves", "register", "sources", "items", "missing_codes", "checks")
#: rule -> sections of the configuration it reads
SECTIONS: dict[str, tuple[str, ...]] = {
    "check_quality": (*_SOUND, "scales", "exclusions"),
    "check_gate": (),
    "link_people": _SOUND,
    "score_scales": (*_SOUND, "scales", "response_scales"),
    "score_reliability": ("sources", "items", "response_scales", "missing_codes", "scales"),
    "score_observation": (*_SOUND, "observation"),
    "score_fidelity": (*_SOUND, "fidelity", "derive"),
    "build_run_charts": (*_SOUND, "run_charts"),
    "build_analysis": ("waves", "scales", "items"),
    "collect_models": (),
    "code_themes": (*_SOUND, "qual", "themes", "code_map"),
    "merge_strands": ("waves", "theory_of_change", "themes", "models", "scales", "items"),
    "write_report": ("waves", "collaboratives", "exhibits", "models", "checks", "privacy", "exclusions"),
}
_EXHIBIT = (
    "waves",
    "collaboratives",
    "roles",
    "privacy",
    "scales",
    "theory_of_change",
    "themes",
    "observation",
    "fidelity",
    "models",
    "run_charts",
)


def sections(study: dict, rule: str, wildcards: dict[str, str]) -> dict[str, str]:
    """Return local name -> address of the sections a job of a rule reads."""
    if rule == "ingest_source":
        source = wildcards["source"]
        instrument = study["sources"][source]["instrument"]
        rows = {name: f"{name}[instrument={instrument}]" for name in ("items", "missing_codes", "recodes")}
        whole = {name: name for name in ("waves", "ids", "response_scales")}
        return {**whole, **rows, "source": f"sources.{source}", "exclusions": f"exclusions[source={source}]"}
    if rule == "fit_model":
        names = ("waves", "roles", "collaboratives", "sources", "scales", "items", "observation")
        return {**{n: n for n in names}, "model": f"models.{wildcards['model']}"}
    if rule == "make_exhibit":
        extra = exhibit_constants(exhibit_kind(study, wildcards["exhibit"])).get("SECTIONS", ())
        return {**{n: n for n in (*_EXHIBIT, *extra)}, "exhibit": f"exhibits[exhibit={wildcards['exhibit']}].0"}
    return {name: name for name in SECTIONS[rule]}


def exhibit_kind(study: dict, exhibit: str) -> str:
    """Return the kind of an exhibit."""
    return next(row["kind"] for row in study["exhibits"] if row["exhibit"] == exhibit)


@cache
def exhibit_constants(kind: str) -> dict:
    """Return what a kind of exhibit declares of itself, read from its source without importing it.

    ``TABLES`` (derived tables it reads), ``FIGURE`` (whether it has one), and optionally ``SECTIONS`` (sections of the
    configuration beyond those that every exhibit reads).
    """
    tree = ast.parse((PACKAGE / "exhibits" / f"{kind}.py").read_text(encoding="utf-8"))
    assigned = [(t.id, node.value) for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)]
    return {name: ast.literal_eval(value) for name, value in assigned if name in ("TABLES", "FIGURE", "SECTIONS")}


def exhibits_with_figure(study: dict, figure: bool) -> list[str]:
    """Return the exhibits that have a figure, or those that have none."""
    return [row["exhibit"] for row in study["exhibits"] if bool(exhibit_constants(row["kind"])["FIGURE"]) == figure]


def exhibit_tables(study: dict, exhibit: str) -> list[str]:
    """Return the paths of the derived tables an exhibit reads, those that this study has."""
    return present_tables(study, list(exhibit_constants(exhibit_kind(study, exhibit))["TABLES"]))


def coding_sources(study: dict) -> list[str]:
    """Return the sources of codings, of all coders."""
    return [coding["source"] for coding in study["qual"]["codings"]]


def config_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the configuration that a job reads."""
    return sections_digest(study, sections(study, rule, wildcards))


def rule_digest(study: dict, rule: str, wildcards: dict[str, str]) -> str:
    """Return the digest of the code that a job runs."""
    modules = [f"bscstudy.steps.{rule}"]
    if rule == "make_exhibit":
        modules.append(f"bscstudy.exhibits.{exhibit_kind(study, wildcards['exhibit'])}")
    if rule == "ingest_source":
        reader = study["sources"][wildcards["source"]]["reader"]
        modules.append(f"bscstudy.io.{READERS[reader]}")
    page = [PACKAGE / "exhibits" / name for name in ("report.css", "report.html.jinja")] if rule in ("make_exhibit", "write_report") else []
    return code_digest(*modules) + (file_digest(*page) if page else "")


def raw_digest(study: dict, source: str) -> str:
    """Return the digest of a source's raw files."""
    return file_digest(*source_files(study, source))
